//! `/metrics/nodes`: what Fleetglass knows of every node, for a Prometheus that scrapes it.

use std::collections::BTreeMap;

use fleetglass_shared::exposition::MetricKind;
use fleetglass_shared::exposition::write::Writer;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{METRIC_NAME, is_plain_label, is_plain_metric};

use crate::store::{Meta, Own, Store};

/// A node that was not asked for so long is left out, as a Prometheus would do.
const OLDEST_MS: i64 = 5 * 60 * 1000;

/// Every series of Fleetglass's own about every node (derived from JSON, `up`, `scrape_…`,
/// `fleetglass_node_…`) as text 0.0.4: by metric, HELP and TYPE once, sorted by labels.
pub fn render_nodes(store: &Store, now: UnixMillis) -> String {
    render_own(store.own_series(), now)
}

/// The same of some series.
pub fn render_own(all: Vec<Own>, now: UnixMillis) -> String {
    let mut metrics: BTreeMap<String, (Meta, Vec<Own>)> = BTreeMap::new();
    for own in all.into_iter().filter(|own| now - own.at <= OLDEST_MS) {
        // Text 0.0.4 has no quoted names.
        if !is_plain_metric(own.labels.metric()) || own.labels.iter().any(|(name, _)| !is_plain_label(name)) {
            continue;
        }
        match metrics.get_mut(own.labels.metric()) {
            Some((_, all)) => all.push(own),
            None => drop(metrics.insert(own.labels.metric().to_owned(), (own.meta.clone(), vec![own]))),
        }
    }
    let mut writer = Writer::default();
    for (metric, (meta, mut all)) in metrics {
        let help =
            if meta.help.is_empty() { "Derived by Fleetglass from what the node says" } else { &*meta.help };
        writer.family(&metric, kind(&metric, meta.kind), help);
        all.sort_by(|a, b| a.labels.cmp(&b.labels));
        all.dedup_by(|later, earlier| later.labels == earlier.labels);
        for own in all {
            let labels = own.labels.iter().filter(|(name, _)| *name != METRIC_NAME);
            writer.sample(&metric, labels, own.value, None);
        }
    }
    writer.into_string()
}

/// The type, where the metric's name agrees with it: a name that says `_total` is no gauge to a reader,
/// whatever the node declares, and parts of histograms are not sent whole here.
fn kind(metric: &str, kind: &str) -> MetricKind {
    match (kind, metric.ends_with("_total")) {
        ("counter", true) => MetricKind::Counter,
        ("gauge" | "info" | "stateset", false) => MetricKind::Gauge,
        _ => MetricKind::Unknown,
    }
}
