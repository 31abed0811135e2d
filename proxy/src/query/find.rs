//! Which series there are, their labels, and what is known of metrics.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use super::QueryError;
use super::answer::{self, success};
use super::params::Params;
use super::run::{Api, TIMEOUT};
use crate::store::Meta;

pub(super) async fn series(
    State(api): State<Api>,
    RawQuery(uri): RawQuery,
    body: Bytes,
) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), &body)?;
    let selectors = params.matches()?;
    if selectors.is_empty() {
        return Err(QueryError::BadData("no match[] parameter provided".to_owned()));
    }
    let (start, end, limit) = (params.start()?, params.end()?, params.limit("limit")?);
    api.run(TIMEOUT, move |store, _| {
        let mut found: Vec<_> =
            selectors.iter().flat_map(|matchers| store.series(matchers, start, end)).collect();
        found.sort();
        found.dedup();
        let warnings = cut(&mut found, limit);
        Ok(success(&answer::label_sets(&found), &warnings, &[]))
    })
    .await
}

pub(super) async fn labels(
    State(api): State<Api>,
    RawQuery(uri): RawQuery,
    body: Bytes,
) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), &body)?;
    let (selectors, limit) = (params.any_matches()?, params.limit("limit")?);
    let (start, end) = (params.start()?, params.end()?);
    api.run(TIMEOUT, move |store, _| {
        let found = selectors.iter().map(|matchers| store.labels(matchers, start, end));
        let mut found: Vec<String> = found.reduce(|a, b| &a | &b).unwrap_or_default().into_iter().collect();
        let warnings = cut(&mut found, limit);
        Ok(success(&answer::strings(found.iter().map(String::as_str)), &warnings, &[]))
    })
    .await
}

pub(super) async fn label_values(
    State(api): State<Api>,
    Path(name): Path<String>,
    RawQuery(uri): RawQuery,
) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), b"")?;
    let (selectors, limit) = (params.any_matches()?, params.limit("limit")?);
    let (start, end) = (params.start()?, params.end()?);
    api.run(TIMEOUT, move |store, _| {
        let found = selectors.iter().map(|matchers| store.label_values(&name, matchers, start, end));
        let mut found: Vec<String> = found.reduce(|a, b| &a | &b).unwrap_or_default().into_iter().collect();
        let warnings = cut(&mut found, limit);
        Ok(success(&answer::strings(found.iter().map(String::as_str)), &warnings, &[]))
    })
    .await
}

pub(super) async fn metadata(
    State(api): State<Api>,
    RawQuery(uri): RawQuery,
) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), b"")?;
    let metric = params.get("metric").filter(|metric| !metric.is_empty()).map(str::to_owned);
    let (limit, per_metric) = (params.limit("limit")?, params.limit("limit_per_metric")?);
    api.run(TIMEOUT, move |store, _| Ok(told_metadata(&store.metadata(metric.as_deref()), limit, per_metric)))
        .await
}

/// Metadata as Prometheus tells it.
pub(super) fn told_metadata(
    found: &BTreeMap<String, Vec<Meta>>,
    limit: usize,
    per_metric: usize,
) -> Response {
    let mut out = String::from("{");
    for (at, (family, metas)) in found.iter().take(limit).enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        answer::push_string(&mut out, family);
        out.push_str(":[");
        for (at, meta) in metas.iter().take(per_metric).enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            for (key, value) in
                [("{\"type\":", meta.kind), (",\"help\":", &meta.help), (",\"unit\":", &meta.unit)]
            {
                out.push_str(key);
                answer::push_string(&mut out, value);
            }
            out.push('}');
        }
        out.push(']');
    }
    out.push('}');
    success(&out, &[], &[])
}

/// Keeps so many, and says so.
pub(super) fn cut<T>(found: &mut Vec<T>, limit: usize) -> Vec<String> {
    if found.len() <= limit {
        return Vec::new();
    }
    found.truncate(limit);
    vec!["results truncated due to limit".to_owned()]
}
