//! Queries over the store: Prometheus's HTTP API, and `/metrics/nodes`. What an expression means is
//! `fleetglass_shared::promql`'s; here are requests, limits and answers.
//!
//! | module | gives |
//! |---|---|
//! | `http` | the routes; queries, and what is said about an expression |
//! | `chart` | a range for the eye, of long spans from the down-sampled tiers |
//! | `find` | series, labels, their values, metadata |
//! | `status` | targets, and what Prometheus says about itself |
//! | `federate` | `/federate` |
//! | `run` | a query on a thread of its own, with limits, that stops when its client leaves |
//! | `scoped` | the queries of those who look through a share link |
//! | `within` | what else Prometheus's API tells those whose role is limited |
//! | `params` | the parameters of a request |
//! | `answer` | Prometheus's JSON |
//! | `past` | what is older than the store, joined to it |
//! | `nodes` | Fleetglass's own series about the nodes as text 0.0.4 |

mod answer;
mod chart;
mod federate;
mod find;
mod http;
mod nodes;
mod params;
mod past;
mod run;
mod scoped;
mod status;
#[cfg(test)]
mod tests;
mod within;

use fleetglass_shared::health::UnixMillis;
pub use fleetglass_shared::promql::{Line, Steps, Value};
use fleetglass_shared::promql::{Options, Query};

pub use self::http::router;
#[cfg(test)]
pub(crate) use self::http::written_out;
pub use chart::chart_of;
pub use nodes::{render_nodes, render_own};
pub(crate) use params::{Params, rfc3339_ms};
pub use run::{QueryError, Targets};
pub use scoped::{Seen, ViewerQueries};
pub(crate) use within::{export_within, targets_within};

use crate::store::Store;

/// Evaluates an expression at every step from `start` to `end`, both inclusive, in milliseconds.
///
/// # Errors
/// [`QueryError::BadData`] for an expression or steps that cannot be used, [`QueryError::Execution`] for one
/// that has no answer over these data, or too large a one.
pub fn evaluate_range(
    store: &Store,
    expr: &str,
    start: UnixMillis,
    end: UnixMillis,
    step: i64,
) -> Result<Value, QueryError> {
    let steps = run::checked(Steps { start, end, step })?;
    let query = run::parsed(expr)?;
    Ok(query.range(store, steps, &Options::default())?.value)
}

/// The values of an instant expression, of every series it gives.
///
/// # Errors
/// As [`evaluate_range`], in words.
pub fn evaluate_instant(store: &Store, expr: &str, at: UnixMillis) -> Result<Vec<f64>, String> {
    let query = Query::parse(expr).map_err(|error| error.to_string())?;
    let answer = query.instant(store, at, &Options::default()).map_err(|error| error.to_string())?;
    Ok(match answer.value {
        Value::Scalar(values) => values,
        Value::Vector(lines) => lines.iter().filter_map(|line| line.values.first().copied()).collect(),
        Value::Matrix(_) | Value::Text(_) => Vec::new(),
    })
}
