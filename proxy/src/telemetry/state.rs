//! The metrics of the state file.

use std::collections::BTreeMap;

use fleetglass_shared::wire::EventKind;
use parking_lot::Mutex;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::state::Stats;

/// What the state file counts, as metrics.
#[derive(Debug, Default)]
pub(super) struct StateMetrics {
    events: Family<KindLabel, Counter>,
    write_errors: Counter,
    in_memory: Gauge,
    seen: Mutex<Seen>,
}

/// What the counters hold already.
#[derive(Debug, Default)]
struct Seen {
    events: BTreeMap<EventKind, u64>,
    write_errors: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

impl StateMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("fleetglass_events", "Events by kind", self.events.clone());
        registry.register(
            "fleetglass_state_write_errors",
            "Changes that the state file did not take at once",
            self.write_errors.clone(),
        );
        registry.register(
            "fleetglass_state_in_memory",
            "1 while events and state are in memory only, because no file can be written",
            self.in_memory.clone(),
        );
    }

    pub(super) fn observe(&self, stats: &Stats) {
        self.in_memory.set(i64::from(stats.in_memory()));
        let mut seen = self.seen.lock();
        for (kind, count) in stats.events() {
            let before = seen.events.insert(kind, count).unwrap_or_default();
            self.events
                .get_or_create(&KindLabel { kind: kind.as_str() })
                .inc_by(count.saturating_sub(before));
        }
        let errors = stats.write_errors();
        self.write_errors.inc_by(errors.saturating_sub(seen.write_errors));
        seen.write_errors = errors;
    }
}
