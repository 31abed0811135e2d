//! What rules may know of the fleet.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{clock, fleet::Fleet, rules::Nodes};

/// A node that hangs at its first round holds the rules up for no longer than this.
const LONGEST: Duration = Duration::from_secs(60);

/// The fleet, as rules see it.
pub(super) struct FleetNodes {
    fleet: Arc<Fleet>,
    since: Instant,
    all_asked: AtomicBool,
}

impl FleetNodes {
    pub(super) fn new(fleet: Arc<Fleet>) -> Self {
        Self { fleet, since: clock::monotonic(), all_asked: AtomicBool::new(false) }
    }
}

impl Nodes for FleetNodes {
    fn contains(&self, instance: &str) -> bool {
        self.fleet.contains(instance)
    }

    fn answers(&self, instance: &str) -> bool {
        self.fleet.answers(instance).unwrap_or(true)
    }

    fn all_asked(&self) -> bool {
        if !self.all_asked.load(Ordering::Relaxed) {
            let all = self.fleet.all_asked() || self.since.elapsed() > LONGEST;
            self.all_asked.store(all, Ordering::Relaxed);
        }
        self.all_asked.load(Ordering::Relaxed)
    }
}
