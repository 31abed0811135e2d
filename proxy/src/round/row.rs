//! What Fleetglass itself knows of a round, beside what the node exposed.

use std::collections::BTreeMap;

use fleetglass_shared::{
    family::{EndpointRole, Normalised},
    health::{Status, UnixMillis},
    wire::EndpointDetail,
};

use crate::store::{Put, Row};

/// What is known of a round beside what it means.
#[derive(Default)]
pub(super) struct Known {
    /// Samples that the node exposed.
    pub(super) samples: usize,
    /// Seconds until all endpoints had answered.
    pub(super) took: f64,
    /// Seconds that the node's clock is ahead of ours.
    pub(super) clock_skew: Option<f64>,
    /// Of each endpoint with TLS when its certificate runs out, in Unix seconds.
    pub(super) certificates: Vec<(String, f64)>,
}

/// Puts what Fleetglass itself knows of a round beside what the node exposed.
pub(super) fn put_round(
    row: &mut Row,
    normalised: &Normalised,
    endpoints: &[(EndpointRole, EndpointDetail)],
    known: &Known,
    at: UnixMillis,
) {
    let Known { samples, took, .. } = *known;
    let mut put = |put: Put<'_>| {
        // Beyond the cap the exposition was refused already, which the node's page says.
        let _ = row.put(&put);
    };
    put(Put::gauge("up", f64::from(normalised.answered), "Whether the node gave a usable answer"));
    put(Put::gauge("scrape_duration_seconds", took, "How long all endpoints of the node took to answer"));
    put(Put::gauge("scrape_samples_scraped", samples as f64, "Samples that the node exposed"));
    for (_, endpoint) in endpoints {
        let labels = one_label("endpoint", &endpoint.name);
        let up = f64::from(endpoint.failure.is_none() && endpoint.http_status.is_some());
        put(Put {
            labels: &labels,
            ..Put::gauge("fleetglass_endpoint_up", up, "Whether an endpoint gave a usable answer")
        });
        if let Some(seconds) = endpoint.duration_seconds {
            let help = "How long an endpoint took to answer";
            put(Put { labels: &labels, ..Put::gauge("fleetglass_endpoint_duration_seconds", seconds, help) });
        }
    }
    for status in Status::WORST_FIRST {
        let labels = one_label("status", status.as_str());
        let is = f64::from(status == normalised.status);
        put(Put {
            labels: &labels,
            ..Put::gauge("fleetglass_node_status", is, "1 for the status the node has")
        });
    }
    put(Put::gauge(
        "fleetglass_node_draining",
        f64::from(normalised.draining),
        "1 while the node asks to be drained",
    ));
    put(Put::gauge(
        "fleetglass_node_recent_restarts",
        f64::from(normalised.restarts),
        "Restarts seen in the last 15 minutes",
    ));
    let version = normalised.version.as_deref().map(|version| one_label("version", version));
    for labels in version.iter() {
        let help = "The version the node says it runs, always 1";
        put(Put { labels, ..Put::gauge("fleetglass_node_info", 1.0, help) });
    }
    for metric in &normalised.missing {
        let labels = one_label("metric", metric);
        let help = "1 for each mandatory metric that the node does not expose";
        put(Put { labels: &labels, ..Put::gauge("fleetglass_node_mandatory_missing", 1.0, help) });
    }
    if let Some(oldest) = normalised.facts.iter().map(|fact| fact.at).min() {
        let age = (at - oldest).max(0) as f64 / 1000.0;
        put(Put::gauge("fleetglass_node_fact_age_seconds", age, "Age of the oldest fact that is shown"));
    }
    if let Some(skew) = known.clock_skew {
        let help = "The node's clock minus ours, from the date of its answers";
        put(Put::gauge("fleetglass_node_clock_skew_seconds", skew, help));
    }
    for (endpoint, not_after) in &known.certificates {
        let labels = one_label("endpoint", endpoint);
        let help = "When the certificate of an endpoint runs out, in Unix seconds";
        put(Put {
            labels: &labels,
            ..Put::gauge("fleetglass_endpoint_certificate_not_after_timestamp_seconds", *not_after, help)
        });
    }
    if let Some(peers) = normalised.peers {
        put(Put::gauge(
            "fleetglass_node_peers",
            peers as f64,
            "Connected peers, whatever the family calls them",
        ));
    }
    for series in &normalised.series {
        let labels: BTreeMap<String, String> = series.labels.iter().cloned().collect();
        put(Put {
            name: &series.name,
            labels: &labels,
            value: series.value,
            digits: None,
            kind: series.kind,
            help: &series.help,
            unit: &series.unit,
            derived: true,
        });
    }
}

fn one_label(name: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), value.to_owned())])
}
