//! The metrics of remote write, both ways.

use std::sync::{Arc, atomic::AtomicU64};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::store::Ingested;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RemoteLabel {
    remote: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: u16,
}

/// What is sent to every receiver, and what is received.
#[derive(Clone, Debug, Default)]
pub struct RemoteMetrics {
    samples: Family<RemoteLabel, Counter>,
    failed: Family<RemoteLabel, Counter>,
    dropped: Family<RemoteLabel, Counter>,
    retries: Family<RemoteLabel, Counter>,
    pending: Family<RemoteLabel, Gauge>,
    lag: Family<RemoteLabel, Gauge<f64, AtomicU64>>,
    shards: Family<RemoteLabel, Gauge>,
    received: Family<ResultLabel, Counter>,
    requests: Family<CodeLabel, Counter>,
}

/// The metrics of one receiver that is sent to.
#[derive(Clone, Debug)]
pub struct SendMetrics {
    /// Samples that it took.
    pub samples: Counter,
    /// Samples that it refused.
    pub failed: Counter,
    /// Samples that were never sent: there were too many, or they could not be kept.
    pub dropped: Counter,
    /// Requests that were sent again.
    pub retries: Counter,
    /// Bytes that wait.
    pub pending: Gauge,
    /// How old the oldest sample is that waits.
    pub lag: Gauge<f64, AtomicU64>,
    /// Requests that are under way at one time.
    pub shards: Gauge,
}

impl RemoteMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let out = |what: &str| format!("fleetglass_remote_write_{what}");
        registry.register(out("samples"), "Samples that a receiver took", self.samples.clone());
        registry.register(out("failed_samples"), "Samples that a receiver refused", self.failed.clone());
        let help = "Samples that were never sent, because too many waited or they could not be kept";
        registry.register(out("dropped_samples"), help, self.dropped.clone());
        registry.register(out("retries"), "Requests that were sent again", self.retries.clone());
        registry.register(out("pending_bytes"), "Bytes that wait to be sent", self.pending.clone());
        registry.register(out("lag_seconds"), "Age of the oldest sample that waits", self.lag.clone());
        registry.register(out("shards"), "Requests under way at one time", self.shards.clone());
        let help = "Samples that were pushed to us, by what became of them";
        registry.register(out("in_samples"), help, self.received.clone());
        registry.register(out("in_requests"), "Pushes to us, by their answer", self.requests.clone());
    }

    /// The metrics of one receiver, there from now on.
    pub fn of(&self, remote: &str) -> SendMetrics {
        let label = RemoteLabel { remote: remote.into() };
        SendMetrics {
            samples: self.samples.get_or_create(&label).clone(),
            failed: self.failed.get_or_create(&label).clone(),
            dropped: self.dropped.get_or_create(&label).clone(),
            retries: self.retries.get_or_create(&label).clone(),
            pending: self.pending.get_or_create(&label).clone(),
            lag: self.lag.get_or_create(&label).clone(),
            shards: self.shards.get_or_create(&label).clone(),
        }
    }

    /// A push was answered.
    pub fn answered(&self, code: u16) {
        self.requests.get_or_create(&CodeLabel { code }).inc();
    }

    /// Pushed samples went into the store, or not.
    pub fn ingested(&self, ingested: &Ingested) {
        for (result, samples) in [
            ("accepted", ingested.accepted),
            ("duplicate", ingested.duplicates),
            ("too_old", ingested.too_old),
            ("too_new", ingested.too_new),
            ("refused", ingested.refused),
        ] {
            self.received.get_or_create(&ResultLabel { result }).inc_by(samples as u64);
        }
    }
}
