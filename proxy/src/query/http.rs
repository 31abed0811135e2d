//! The routes, and those of them that take an expression.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use fleetglass_shared::promql::{Answer, Options, Steps, Value};

use super::QueryError;
use super::answer::{self, success};
use super::find::{self, cut};
use super::params::{Params, bad, step_ms};
use super::run::{Api, TIMEOUT, Targets, checked, parsed};
use super::{chart, federate, status};
use crate::clock;
use crate::long_term::LongTerm;
use crate::store::Store;

/// Prometheus's API over the store: everything that only reads, under `/api/v1`, and `/federate`.
/// What is older than the store's samples comes from `long_term`.
pub fn router(store: Arc<Store>, targets: Targets, long_term: Option<Arc<LongTerm>>) -> axum::Router {
    routes().with_state(Api::new(store, targets, long_term))
}

/// The routes. Who may use which is in `auth::may`.
fn routes() -> axum::Router<Api> {
    axum::Router::new()
        .route("/api/v1/query", get(query).post(query))
        .route("/api/v1/query_range", get(query_range).post(query_range))
        .route("/api/v1/chart", get(chart::chart).post(chart::chart))
        .route("/api/v1/query_exemplars", get(query_exemplars).post(query_exemplars))
        .route("/api/v1/format_query", get(format_query).post(format_query))
        .route("/api/v1/parse_query", get(parse_query).post(parse_query))
        .route("/api/v1/series", get(find::series).post(find::series))
        .route("/api/v1/labels", get(find::labels).post(find::labels))
        .route("/api/v1/label/{name}/values", get(find::label_values))
        .route("/api/v1/metadata", get(find::metadata))
        .route("/api/v1/targets", get(status::targets))
        .route("/api/v1/alertmanagers", get(status::alertmanagers))
        .route("/api/v1/status/buildinfo", get(status::build_info))
        .route("/api/v1/status/flags", get(status::flags))
        .route("/api/v1/status/config", get(status::config))
        .route("/api/v1/status/runtimeinfo", get(status::runtime_info))
        .route("/api/v1/status/tsdb", get(status::tsdb))
        .route("/federate", get(federate::federate))
}

/// The routes as axum writes them out: a test holds `auth::may` against them.
#[cfg(test)]
pub(crate) fn written_out() -> String {
    format!("{:?}", routes())
}

/// What a query may be told beside its expression.
pub(super) struct Wishes {
    limit: usize,
    look_back_ms: Option<i64>,
    timeout: Duration,
    stats: bool,
}

impl Wishes {
    pub(super) fn read(params: &Params) -> Result<Self, QueryError> {
        let timeout = params.duration("timeout")?.and_then(|ms| u64::try_from(ms).ok());
        Ok(Self {
            limit: params.limit("limit")?,
            look_back_ms: params.duration("lookback_delta")?,
            timeout: timeout.map_or(TIMEOUT, Duration::from_millis),
            stats: params.get("stats").is_some_and(|stats| !stats.is_empty()),
        })
    }

    pub(super) fn options<'a>(&self, options: &Options<'a>) -> Options<'a> {
        Options { look_back_ms: self.look_back_ms.unwrap_or(options.look_back_ms), ..*options }
    }

    /// The answer as JSON, cut to the limit.
    pub(super) fn answer(&self, mut answer: Answer, write: impl FnOnce(&Value) -> String) -> Response {
        let mut warnings = match &mut answer.value {
            Value::Vector(lines) => cut(lines, self.limit),
            Value::Matrix(series) => cut(series, self.limit),
            Value::Scalar(_) | Value::Text(_) => Vec::new(),
        };
        warnings.append(&mut answer.warnings);
        let mut data = write(&answer.value);
        if self.stats {
            let samples = answer.samples;
            let stats = format!(
                r#","stats":{{"samples":{{"totalQueryableSamples":{samples},"peakSamples":{samples}}}}}}}"#
            );
            data.truncate(data.len() - 1);
            data.push_str(&stats);
        }
        success(&data, &warnings, &answer.infos)
    }
}

async fn query(State(api): State<Api>, RawQuery(uri): RawQuery, body: Bytes) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), &body)?;
    let at = params.time("time")?.unwrap_or_else(clock::now);
    let wishes = Wishes::read(&params)?;
    let query = parsed(params.get("query").unwrap_or(""))?;
    let past = api.past(&query, Steps::instant(at), wishes.look_back_ms).await;
    api.run(wishes.timeout, move |store, options| {
        let mut found = query.instant(&past.joined(store), at, &wishes.options(options))?;
        found.warnings.extend(past.warnings);
        Ok(wishes.answer(found, |value| answer::instant(value, at)))
    })
    .await
}

async fn query_range(
    State(api): State<Api>,
    RawQuery(uri): RawQuery,
    body: Bytes,
) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), &body)?;
    let missing = |name: &str| bad(name, "cannot parse \"\" to a valid timestamp");
    let start = params.time("start")?.ok_or_else(|| missing("start"))?;
    let end = params.time("end")?.ok_or_else(|| missing("end"))?;
    let step = params.get("step").unwrap_or("");
    let step =
        step_ms(step).ok_or_else(|| bad("step", &format!("cannot parse {step:?} to a valid duration")))?;
    let steps = checked(Steps { start, end, step })?;
    let wishes = Wishes::read(&params)?;
    let query = parsed(params.get("query").unwrap_or(""))?;
    if let Some(kind) = query.no_value_at_a_step() {
        let problem =
            format!("invalid expression type {kind:?} for range query, must be Scalar or instant Vector");
        return Err(bad("query", &problem));
    }
    let past = api.past(&query, steps, wishes.look_back_ms).await;
    api.run(wishes.timeout, move |store, options| {
        let mut found = query.range(&past.joined(store), steps, &wishes.options(options))?;
        found.warnings.extend(past.warnings);
        Ok(wishes.answer(found, |value| answer::range(value, steps)))
    })
    .await
}

/// No exemplars are kept; the request is checked all the same.
async fn query_exemplars(RawQuery(uri): RawQuery, body: Bytes) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), &body)?;
    let (start, end) = (params.start()?, params.end()?);
    if end < start {
        return Err(bad("end", "end timestamp must not be before start timestamp"));
    }
    parsed(params.get("query").unwrap_or(""))?;
    Ok(success("[]", &[], &[]))
}

async fn format_query(RawQuery(uri): RawQuery, body: Bytes) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), &body)?;
    let query = parsed(params.get("query").unwrap_or(""))?;
    let mut data = String::new();
    answer::push_string(&mut data, &query.formatted());
    Ok(success(&data, &[], &[]))
}

async fn parse_query(RawQuery(uri): RawQuery, body: Bytes) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), &body)?;
    Ok(success(&parsed(params.get("query").unwrap_or(""))?.tree().to_string(), &[], &[]))
}
