//! What Fleetglass itself knows of a round, beside what the node exposed.

use std::collections::BTreeMap;

use fleetglass_shared::{
    family::{EndpointRole, Normalised},
    health::Status,
    wire::EndpointDetail,
};

use crate::store::{Put, Row};

/// Puts what Fleetglass itself knows of a round beside what the node exposed.
pub(super) fn put_round(
    row: &mut Row,
    normalised: &Normalised,
    endpoints: &[(EndpointRole, EndpointDetail)],
    samples: usize,
    took: f64,
) {
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
