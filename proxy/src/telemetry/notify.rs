//! The metrics of notifications.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Label {
    integration: &'static str,
    receiver: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WayLabel {
    way: String,
    integration: &'static str,
    receiver: String,
}

/// What is told, and what waits. The first two are named as Alertmanager's.
#[derive(Clone, Debug, Default)]
pub struct NotifyMetrics {
    attempts: Family<Label, Counter>,
    failed: Family<Label, Counter>,
    lost: Family<Label, Counter>,
    queue: Family<WayLabel, Gauge>,
    age: Family<WayLabel, Gauge<f64, AtomicU64>>,
}

impl NotifyMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Attempts to deliver a message";
        registry.register("fleetglass_notifications", help, self.attempts.clone());
        let help = "Attempts that failed, whether they were made again or not";
        registry.register("fleetglass_notifications_failed", help, self.failed.clone());
        let help = "Messages that were refused, or given up because they were too old";
        registry.register("fleetglass_notifications_lost", help, self.lost.clone());
        registry.register("fleetglass_notify_queue_length", "Messages that wait", self.queue.clone());
        let help = "Age of the oldest message that waits";
        registry.register("fleetglass_notify_queue_age_seconds", help, self.age.clone());
    }

    /// An attempt ended: `delivered`, `again`, `refused`, `given_up`.
    pub fn attempt(&self, integration: &'static str, receiver: &str, outcome: &str) {
        let label = Label { integration, receiver: receiver.to_owned() };
        self.attempts.get_or_create(&label).inc();
        let failed = self.failed.get_or_create(&label);
        if outcome != "delivered" {
            failed.inc();
        }
        if ["refused", "given_up"].contains(&outcome) {
            self.lost.get_or_create(&label).inc();
        }
    }

    /// Forgets what waits: some ways may be no more.
    pub fn forget_queues(&self) {
        self.queue.clear();
        self.age.clear();
    }

    /// So many messages wait for a way, the oldest for so long.
    pub fn queue(&self, way: &str, integration: &'static str, receiver: &str, length: u64, age: f64) {
        let label = WayLabel { way: way.to_owned(), integration, receiver: receiver.to_owned() };
        self.queue.get_or_create(&label).set(i64::try_from(length).unwrap_or(i64::MAX));
        self.age.get_or_create(&label).set(age);
    }
}
