//! What one client of the lean stream looks at, and which pending alerts it was told for that.

use std::collections::{BTreeMap, BTreeSet};

use fleetglass_shared::wire::{Alert, AlertState};
use serde_json::Value;

/// What went.
#[derive(Debug)]
pub(super) enum Gone {
    Node,
    Alert,
    /// An alert that never was more than pending.
    Pending,
}

/// What a client looks at.
#[derive(Debug)]
pub(super) struct Looks {
    /// What it holds of the nodes that it shows.
    pub(super) on_screen: BTreeMap<String, Option<Value>>,
    /// It wants all alerts, and not only those that are more than pending.
    pub(super) all_alerts: bool,
    /// The pending alerts that it was told; `None` before the first event.
    pub(super) pending: Option<BTreeSet<String>>,
}

impl Looks {
    /// Pending ones are for the list of alerts, and for the pages of their nodes.
    pub(super) fn wants(&self, alert: &Alert) -> bool {
        let shows = |node: &String| self.on_screen.contains_key(node);
        alert.state != AlertState::Pending || self.all_alerts || alert.node.as_ref().is_some_and(shows)
    }

    /// Whether it holds an alert that went.
    pub(super) fn forget(&mut self, gone: &Gone, id: &str) -> bool {
        let held = self.pending.as_mut().is_some_and(|pending| pending.remove(id));
        held || !matches!(gone, Gone::Pending)
    }

    /// Notes an alert as told.
    pub(super) fn tell(&mut self, alert: &Alert) {
        let pending = self.pending.get_or_insert_default();
        match alert.state {
            AlertState::Pending => pending.insert(alert.id.clone()),
            _ => pending.remove(&alert.id),
        };
    }
}
