//! Queries of those who look through a share link: over the nodes of its scope, as if there were no others.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, Matcher};
use fleetglass_shared::promql::{Options, Query, Steps, Storage};
use fleetglass_shared::scope::{Inside, Scope, Scoped};

use super::answer::{self, success};
use super::chart::{drawn, ended, points, step_for};
use super::find::cut;
use super::http::Wishes;
use super::params::{Params, bad, step_ms};
use super::run::{Api, checked, parsed};
use super::{QueryError, Targets};
use crate::clock;
use crate::store::Store;

/// Viewers do not hold up those who are logged in for longer than this.
const LONGEST: Duration = Duration::from_secs(20);

/// What a viewer sees: the scope and the nodes in it now.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The scope.
    pub scope: Arc<Scope>,
    /// Its nodes.
    pub nodes: Arc<Vec<Inside>>,
}

/// Runs the queries of viewers, with places of their own.
#[derive(Clone)]
pub struct ViewerQueries(Api);

impl ViewerQueries {
    /// Over a store. The far past is not asked: who can say what it holds of whom?
    pub fn new(store: Arc<Store>) -> Self {
        let nobody: Targets = Arc::new(Vec::new);
        Self(Api::new(store, nobody, None))
    }

    /// An instant query.
    ///
    /// # Errors
    /// As Prometheus's, in the viewer's names.
    pub(crate) async fn instant(&self, seen: Seen, params: &Params) -> Result<Response, QueryError> {
        let at = params.time("time")?.unwrap_or_else(clock::now);
        let wishes = Wishes::read(params)?;
        let query = parsed(params.get("query").unwrap_or(""))?;
        self.run(seen, move |scoped, options| {
            let found = scoped.query(&query).instant(scoped, at, &wishes.options(options))?;
            Ok(wishes.answer(found, |value| answer::instant(value, at)))
        })
        .await
    }

    /// A range query.
    ///
    /// # Errors
    /// As [`Self::instant`].
    pub(crate) async fn range(&self, seen: Seen, params: &Params) -> Result<Response, QueryError> {
        let (start, end) = span(params)?;
        let step = params.get("step").and_then(step_ms).ok_or_else(|| bad("step", "it is no duration"))?;
        let steps = checked(Steps { start, end, step })?;
        let wishes = Wishes::read(params)?;
        let query = with_steps(params)?;
        self.run(seen, move |scoped, options| {
            let found = scoped.query(&query).range(scoped, steps, &wishes.options(options))?;
            Ok(wishes.answer(found, |value| answer::range(value, steps)))
        })
        .await
    }

    /// A range for the eye. It is read from the samples themselves, for the tiers also hold what rules made of all nodes.
    ///
    /// # Errors
    /// As [`Self::instant`].
    pub(crate) async fn chart(&self, seen: Seen, params: &Params) -> Result<Response, QueryError> {
        let (start, end) = span(params)?;
        let step = match params.get("step") {
            Some(step) => step_ms(step).ok_or_else(|| bad("step", "it is no duration"))?,
            None => step_for(end.saturating_sub(start), points(params)?),
        };
        let steps = checked(Steps { start, end, step })?;
        let query = with_steps(params)?;
        self.run(seen, move |scoped, options| {
            let query = scoped.query(&query);
            let data = drawn(scoped, &query, query.extremes(step), steps, options)?;
            Ok(success(&ended(data, "raw", step), &[], &[]))
        })
        .await
    }

    /// The series that selectors select.
    ///
    /// # Errors
    /// As [`Self::instant`].
    pub(crate) async fn series(&self, seen: Seen, params: &Params) -> Result<Response, QueryError> {
        let selectors = params.matches()?;
        if selectors.is_empty() {
            return Err(QueryError::BadData("no match[] parameter provided".to_owned()));
        }
        self.found(seen, params, selectors, |found, limit| {
            let mut found: Vec<LabelSet> = found.into_iter().collect();
            let warnings = cut(&mut found, limit);
            success(&answer::label_sets(&found), &warnings, &[])
        })
        .await
    }

    /// The names of labels, or the values of one.
    ///
    /// # Errors
    /// As [`Self::instant`].
    pub(crate) async fn labels(
        &self,
        seen: Seen,
        params: &Params,
        of: Option<String>,
    ) -> Result<Response, QueryError> {
        self.found(seen, params, params.any_matches()?, move |found, limit| {
            let mut words = BTreeSet::new();
            for labels in &found {
                match &of {
                    Some(name) => words.extend(labels.get(name).map(str::to_owned)),
                    None => words.extend(labels.iter().map(|(name, _)| name.to_owned())),
                }
            }
            let mut words: Vec<String> = words.into_iter().collect();
            let warnings = cut(&mut words, limit);
            success(&answer::strings(words.iter().map(String::as_str)), &warnings, &[])
        })
        .await
    }

    pub(super) async fn found(
        &self,
        seen: Seen,
        params: &Params,
        selectors: Vec<Vec<Matcher>>,
        tell: impl FnOnce(BTreeSet<LabelSet>, usize) -> Response + Send + 'static,
    ) -> Result<Response, QueryError> {
        // Without a span all that is kept would be read.
        let now = clock::now();
        let end = params.time("end")?.unwrap_or(now);
        let start = params.time("start")?.unwrap_or(end.saturating_sub(3_600_000));
        let limit = params.limit("limit")?;
        self.run(seen, move |scoped, options| {
            let mut found = BTreeSet::new();
            for selector in selectors {
                let matchers = scoped.matchers(selector);
                scoped.scan(&matchers, start, end, &mut |series| {
                    if let Some(error) = (options.stop)() {
                        return Err(error);
                    }
                    found.insert(series.labels.clone());
                    Ok(())
                })?;
            }
            Ok(tell(found, limit))
        })
        .await
    }

    pub(super) async fn run(
        &self,
        seen: Seen,
        read: impl FnOnce(&Scoped<'_>, &Options<'_>) -> Result<Response, QueryError> + Send + 'static,
    ) -> Result<Response, QueryError> {
        self.0
            .run(LONGEST, move |store, options| {
                let of = |id: &str| -> Box<dyn Storage + '_> { Box::new(store.of_target(id)) };
                let oldest = seen.scope.oldest(clock::now());
                read(&Scoped::new(&seen.scope, &seen.nodes, oldest, &of), options)
            })
            .await
    }
}

fn span(params: &Params) -> Result<(UnixMillis, UnixMillis), QueryError> {
    let missing = |name: &str| bad(name, "cannot parse \"\" to a valid timestamp");
    let start = params.time("start")?.ok_or_else(|| missing("start"))?;
    Ok((start, params.time("end")?.ok_or_else(|| missing("end"))?))
}

/// An expression that has a value at each step.
fn with_steps(params: &Params) -> Result<Query, QueryError> {
    let query = parsed(params.get("query").unwrap_or(""))?;
    match query.no_value_at_a_step() {
        Some(kind) => {
            Err(bad("query", &format!("invalid expression type {kind:?}, must be Scalar or instant Vector")))
        }
        None => Ok(query),
    }
}
