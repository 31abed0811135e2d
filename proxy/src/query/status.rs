//! What Prometheus says about its targets and itself. Grafana and other clients ask for it before anything
//! else, to learn what they speak to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::wire::EndpointDetail;
use serde_json::{Value, json};

use super::QueryError;
use super::answer::success;
use super::params::Params;
use super::run::{Api, CONCURRENT, TIMEOUT};
use crate::clock::rfc3339;
use crate::target::Target;

/// The version of Prometheus whose API this is: clients turn features on by it.
const SPOKEN_VERSION: &str = "3.5.0";
/// So many entries has each list of the largest.
const LARGEST: usize = 10;

fn answer(data: &Value) -> Response {
    success(&data.to_string(), &[], &[])
}

pub(super) async fn targets(State(api): State<Api>, RawQuery(uri): RawQuery) -> Result<Response, QueryError> {
    told_targets((api.targets)(), &Params::read(uri.as_deref(), b"")?)
}

/// Targets as Prometheus tells them.
pub(super) fn told_targets(
    all: Vec<(Arc<Target>, Vec<EndpointDetail>)>,
    params: &Params,
) -> Result<Response, QueryError> {
    let wanted =
        |state| matches!(params.get("state"), None | Some("" | "any")) || params.get("state") == Some(state);
    let mut active = Vec::new();
    for (target, endpoints) in all.into_iter().filter(|_| wanted("active")) {
        let pool = params.get("scrapePool").filter(|pool| !pool.is_empty());
        if pool.is_some_and(|pool| pool != target.family) {
            continue;
        }
        let mut labels = target.labels.clone();
        labels.insert("instance".to_owned(), target.id.clone());
        labels.insert("job".to_owned(), target.family.clone());
        for endpoint in endpoints {
            let failure = endpoint.failure.as_ref().map_or(String::new(), |failure| failure.message.clone());
            let health = match (endpoint.asked_at, &endpoint.failure) {
                (None, _) => "unknown",
                (Some(_), None) => "up",
                (Some(_), Some(_)) => "down",
            };
            active.push(json!({
                "discoveredLabels": { "__address__": target.url, "job": target.family },
                "labels": labels,
                "scrapePool": target.family,
                "scrapeUrl": endpoint.url,
                "globalUrl": endpoint.url,
                "lastError": failure,
                "lastScrape": rfc3339(endpoint.asked_at),
                "lastScrapeDuration": endpoint.duration_seconds.unwrap_or(0.0),
                "health": health,
                "scrapeInterval": humantime::format_duration(target.interval).to_string(),
                "scrapeTimeout": humantime::format_duration(target.timeout).to_string(),
            }));
        }
    }
    Ok(answer(&json!({ "activeTargets": active, "droppedTargets": [], "droppedTargetCounts": {} })))
}

pub(super) async fn alertmanagers() -> Response {
    answer(&json!({ "activeAlertmanagers": [], "droppedAlertmanagers": [] }))
}

pub(super) async fn build_info() -> Response {
    answer(&json!({
        "version": SPOKEN_VERSION,
        "revision": concat!("fleetglass-", env!("CARGO_PKG_VERSION")),
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }))
}

pub(super) async fn flags() -> Response {
    let limits = fleetglass_shared::promql::Limits::default();
    answer(&json!({
        "query.lookback-delta": "5m",
        "query.max-concurrency": CONCURRENT.to_string(),
        "query.max-samples": limits.max_samples.to_string(),
        "query.timeout": humantime::format_duration(TIMEOUT).to_string(),
        "web.enable-admin-api": "false",
        "web.enable-lifecycle": "false",
    }))
}

/// The config has its own form, and secrets; what Prometheus would show as YAML is empty.
pub(super) async fn config() -> Response {
    answer(&json!({ "yaml": "" }))
}

pub(super) async fn runtime_info(State(api): State<Api>) -> Response {
    answer(&json!({
        "startTime": rfc3339(Some(api.started_at)),
        "CWD": "",
        "reloadConfigSuccess": true,
        "lastConfigTime": rfc3339(Some(api.started_at)),
        "corruptionCount": 0,
        "goroutineCount": 0,
        "GOMAXPROCS": std::thread::available_parallelism().map_or(1, usize::from),
        "GOMEMLIMIT": 0,
        "GOGC": "",
        "GODEBUG": "",
        "storageRetention": "",
    }))
}

/// The largest metrics and labels of the head.
pub(super) async fn tsdb(State(api): State<Api>, RawQuery(uri): RawQuery) -> Result<Response, QueryError> {
    let limit = most(&Params::read(uri.as_deref(), b"")?)?;
    api.run(TIMEOUT, move |store, _| {
        let stats = store.stats();
        let all = store.series(&[], UnixMillis::MIN, UnixMillis::MAX);
        Ok(told_series(&all, (stats.series, stats.oldest), limit))
    })
    .await
}

/// The largest metrics and labels of some series; how many they are and the oldest time come with them.
pub(super) fn told_series<'a>(
    all: impl IntoIterator<Item = &'a LabelSet>,
    (count, oldest): (usize, Option<UnixMillis>),
    limit: usize,
) -> Response {
    let mut by_metric: BTreeMap<String, usize> = BTreeMap::new();
    let mut by_pair: BTreeMap<String, usize> = BTreeMap::new();
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for labels in all {
        *by_metric.entry(labels.metric().to_owned()).or_default() += 1;
        for (name, value) in labels {
            *by_pair.entry(format!("{name}={value}")).or_default() += 1;
            values.entry(name.to_owned()).or_default().insert(value.to_owned());
        }
    }
    let counts = values.iter().map(|(name, values)| (name.clone(), values.len())).collect();
    let bytes =
        values.iter().map(|(name, values)| (name.clone(), values.iter().map(String::len).sum())).collect();
    answer(&json!({
        "headStats": {
            "numSeries": count,
            "numLabelPairs": by_pair.len(),
            "chunkCount": 0,
            "minTime": oldest.unwrap_or(0),
            "maxTime": crate::clock::now(),
        },
        "seriesCountByMetricName": largest(by_metric, limit),
        "labelValueCountByLabelName": largest(counts, limit),
        "memoryInBytesByLabelName": largest(bytes, limit),
        "seriesCountByLabelValuePair": largest(by_pair, limit),
    }))
}

/// How many entries each list has.
pub(super) fn most(params: &Params) -> Result<usize, QueryError> {
    let limit = params.limit("limit")?;
    Ok(if limit == usize::MAX { LARGEST } else { limit })
}

fn largest(counts: BTreeMap<String, usize>, limit: usize) -> Vec<Value> {
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.into_iter().take(limit).map(|(name, value)| json!({ "name": name, "value": value })).collect()
}
