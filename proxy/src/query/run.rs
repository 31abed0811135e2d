//! Runs a query away from the threads that answer others, with limits, until its client leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::response::Response;
use fleetglass_shared::promql::{EvalError, Options, Query, Steps};
use fleetglass_shared::sample::LOOK_BACK_MS;
use fleetglass_shared::wire::EndpointDetail;
use tokio::sync::Semaphore;

use super::past::Past;
use crate::clock;
use crate::long_term::LongTerm;
use crate::store::Store;
use crate::target::Target;

/// So many queries run at once; the others wait.
pub(super) const CONCURRENT: usize = 4;
/// How long a query may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(120);
/// The most points a series of an answer has, as in Prometheus.
const MAX_POINTS: usize = 11_000;

/// Why a query has no answer, by Prometheus's kinds of error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The request is wrong.
    #[error("{0}")]
    BadData(String),
    /// The request is right, but these data give no answer, or too large a one.
    #[error("{0}")]
    Execution(String),
    /// It took too long.
    #[error("{0}")]
    Timeout(String),
    /// Its client is gone.
    #[error("{0}")]
    Canceled(String),
    /// The proxy is stopping.
    #[error("{0}")]
    Unavailable(String),
}

impl From<EvalError> for QueryError {
    fn from(error: EvalError) -> Self {
        let words = error.to_string();
        match error {
            EvalError::TimedOut => Self::Timeout(words),
            EvalError::Cancelled => Self::Canceled(words),
            EvalError::Execution(_) | EvalError::NotSupported(_) | EvalError::Limit(_) => {
                Self::Execution(words)
            }
        }
    }
}

/// An expression, understood.
pub(super) fn parsed(expr: &str) -> Result<Query, QueryError> {
    Query::parse(expr).map_err(|error| super::params::bad("query", &error.to_string()))
}

/// Steps as they are, where Prometheus would take them.
pub(super) fn checked(steps: Steps) -> Result<Steps, QueryError> {
    let bad = |problem: &str| Err(QueryError::BadData(problem.to_owned()));
    if steps.step <= 0 {
        return bad(
            "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a \
             positive integer",
        );
    }
    if steps.end < steps.start {
        return bad("invalid parameter \"end\": end timestamp must not be before start time");
    }
    if steps.count() > MAX_POINTS + 1 {
        return bad(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution \
             (?step=XX)",
        );
    }
    Ok(steps)
}

/// Tells every node's target, and how its endpoints answered: the fleet is a later stage's.
pub type Targets = Arc<dyn Fn() -> Vec<(Arc<Target>, Vec<EndpointDetail>)> + Send + Sync>;

/// What the routes share.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) store: Arc<Store>,
    pub(super) targets: Targets,
    /// Where the far past is.
    pub(super) long_term: Option<Arc<LongTerm>>,
    pub(super) started_at: i64,
    running: Arc<Semaphore>,
}

/// Says "stop" when it is dropped: with the request, when the client leaves.
struct Leaving(Arc<AtomicBool>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Api {
    pub(super) fn new(store: Arc<Store>, targets: Targets, long_term: Option<Arc<LongTerm>>) -> Self {
        let running = Arc::new(Semaphore::new(CONCURRENT));
        Self { store, targets, long_term, started_at: clock::now(), running }
    }

    /// Whether another store has the far past.
    pub(super) fn has_long_term(&self) -> bool {
        self.long_term.is_some()
    }

    /// What a query needs that is older than the store.
    pub(super) async fn past(&self, query: &Query, steps: Steps, look_back_ms: Option<i64>) -> Past {
        if self.long_term.is_none() {
            return Past::default();
        }
        let look_back_ms = look_back_ms.unwrap_or(LOOK_BACK_MS);
        let reads = query.reads(steps, &Options { look_back_ms, ..Options::default() });
        Past::of(self.long_term.as_deref(), &self.store, reads).await
    }

    /// Runs a read. Its options stop it after `timeout`, and when the request is dropped.
    pub(super) async fn run(
        &self,
        timeout: Duration,
        read: impl FnOnce(&Store, &Options<'_>) -> Result<Response, QueryError> + Send + 'static,
    ) -> Result<Response, QueryError> {
        let stopped = |_| QueryError::Unavailable("the query was stopped".to_owned());
        let until = clock::monotonic() + timeout.min(TIMEOUT);
        let gone = Arc::new(AtomicBool::new(false));
        let _leaving = Leaving(gone.clone());
        // Moved into the read, so that a client that leaves does not let more run.
        let permit = self.running.clone().acquire_owned().await.map_err(|e| stopped(e.to_string()))?;
        let store = self.store.clone();
        let task = tokio::task::spawn_blocking(move || {
            let stop = || {
                if gone.load(Ordering::Relaxed) {
                    Some(EvalError::Cancelled)
                } else if clock::monotonic() > until {
                    Some(EvalError::TimedOut)
                } else {
                    None
                }
            };
            let answer = read(&store, &Options { stop: &stop, ..Options::default() });
            drop(permit);
            answer
        });
        task.await.map_err(|e| stopped(e.to_string()))?
    }
}
