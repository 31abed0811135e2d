//! Queries over the store: Prometheus's HTTP API, and `/metrics/nodes`.
//!
//! | module | gives |
//! |---|---|
//! | `http` | the routes and their parameters |
//! | `parse`, `eval`, `functions` | the part of PromQL that is understood now |
//! | `answer` | Prometheus's JSON |
//! | `nodes` | Fleetglass's own series about the nodes as text 0.0.4 |

mod answer;
mod eval;
mod functions;
mod http;
mod nodes;
mod parse;
#[cfg(test)]
mod tests;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::Matcher;

pub use eval::{Line, Steps, Value, evaluate_range};
pub use http::router;
pub use nodes::render_nodes;

use crate::store::{SelectError, SelectLimits, Series, Store};

/// How much one query may read, and how many points it may make of it: 16 bytes each.
const LIMITS: SelectLimits = SelectLimits { max_series: 50_000, max_samples: 5_000_000 };

/// What a query reads from.
pub trait Source {
    /// The series that pass all matchers, with their samples in `start..=end`.
    ///
    /// # Errors
    /// When that is too much.
    fn select(
        &self,
        matchers: &[Matcher],
        start: UnixMillis,
        end: UnixMillis,
    ) -> Result<Vec<Series>, SelectError>;
}

impl Source for Store {
    fn select(
        &self,
        matchers: &[Matcher],
        start: UnixMillis,
        end: UnixMillis,
    ) -> Result<Vec<Series>, SelectError> {
        Self::select(self, matchers, start, end, LIMITS)
    }
}

/// Why a query has no answer, by Prometheus's kinds of error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The request is wrong.
    #[error("{0}")]
    BadData(String),
    /// The request is right, but these data give no answer, or too large a one.
    #[error("{0}")]
    Execution(String),
    /// The proxy is stopping.
    #[error("{0}")]
    Unavailable(String),
}

/// The values of an instant expression, of every series it gives.
///
/// # Errors
/// As [`evaluate_range`], in words.
pub fn evaluate_instant(store: &Store, expr: &str, at: UnixMillis) -> Result<Vec<f64>, String> {
    Ok(match evaluate_range(store, expr, at, at, 1).map_err(|error| error.to_string())? {
        Value::Scalar(value) => vec![value],
        Value::Vector(lines) => {
            lines.iter().filter_map(|line| line.points.first().copied().flatten()).collect()
        }
    })
}
