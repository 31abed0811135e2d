//! `/federate`: the newest samples of chosen series, for a Prometheus that scrapes this one.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use fleetglass_shared::exposition::MetricKind;
use fleetglass_shared::exposition::write::Writer;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, METRIC_NAME, Matcher, is_plain_label, is_plain_metric};
use fleetglass_shared::promql::{Options, Storage};
use fleetglass_shared::sample::{LOOK_BACK_MS, is_stale};

use super::QueryError;
use super::params::Params;
use super::run::{Api, TIMEOUT};
use crate::clock;

const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every series that passes any of `match[]`, with its newest sample and that sample's time.
pub(super) async fn federate(
    State(api): State<Api>,
    RawQuery(uri): RawQuery,
) -> Result<Response, QueryError> {
    let selectors = Params::read(uri.as_deref(), b"")?.matches()?;
    let now = clock::now();
    api.run(TIMEOUT, move |store, options| newest(store, &selectors, now, options)).await
}

/// What passes any of the selectors.
pub(super) fn newest(
    storage: &dyn Storage,
    selectors: &[Vec<Matcher>],
    now: UnixMillis,
    options: &Options<'_>,
) -> Result<Response, QueryError> {
    let mut found: BTreeMap<String, BTreeMap<LabelSet, (UnixMillis, f64)>> = BTreeMap::new();
    for matchers in selectors {
        storage.scan(matchers, now - LOOK_BACK_MS + 1, now, &mut |series| {
            if let Some(stop) = (options.stop)() {
                return Err(stop);
            }
            let behind = series.times.partition_point(|&time| time <= now);
            let Some(last) = behind.checked_sub(1) else { return Ok(()) };
            let (time, value) = (series.times[last], series.values[last]);
            let plain = series.labels.iter().all(|(name, _)| is_plain_label(name));
            if time > now - LOOK_BACK_MS
                && !is_stale(value)
                && plain
                && is_plain_metric(series.labels.metric())
            {
                let metric = found.entry(series.labels.metric().to_owned()).or_default();
                metric.insert(series.labels.clone(), (time, value));
            }
            Ok(())
        })?;
    }
    let mut writer = Writer::default();
    for (metric, series) in found {
        writer.family(&metric, MetricKind::Unknown, "");
        for (labels, (time, value)) in series {
            let labels = labels.iter().filter(|(name, _)| *name != METRIC_NAME);
            writer.sample(&metric, labels, value, Some(time));
        }
    }
    Ok(([(header::CONTENT_TYPE, TEXT_FORMAT)], writer.into_string()).into_response())
}
