//! What is to be kept of a change, and said of it.

use std::collections::BTreeMap;

use fleetglass_shared::{
    health::UnixMillis,
    rule::Active,
    wire::{Alert, AlertChange, AlertState, EventKind},
};

use crate::state::{Draft, KeptAlert};

/// What is to be kept of a change.
#[derive(Default)]
pub(super) struct Journal {
    pub(super) kept: Vec<KeptAlert>,
    pub(super) gone: Vec<(String, BTreeMap<String, String>)>,
    pub(super) changes: Vec<AlertChange>,
    pub(super) events: Vec<Draft>,
    pub(super) unacknowledged: Vec<String>,
}

impl Journal {
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.gone.is_empty() && self.changes.is_empty()
    }
}

pub(super) fn change_of(alert: &Alert, what: &str, at: UnixMillis, text: String) -> AlertChange {
    AlertChange {
        at,
        alert: alert.id.clone(),
        name: alert.name.clone(),
        node: alert.node.clone(),
        severity: alert.severity,
        what: what.to_owned(),
        value: alert.value,
        text,
    }
}

pub(super) fn kept(rule: &str, alert: &Alert, active: &Active) -> KeptAlert {
    KeptAlert {
        rule: rule.to_owned(),
        labels: alert.labels.clone(),
        annotations: alert.annotations.clone(),
        state: alert.state,
        value: active.value,
        active_at: active.active_at,
        fired_at: active.fired_at,
        resolved_at: active.resolved_at,
        held_since: active.held_since,
    }
}

impl Journal {
    /// An alert is in another state than before.
    pub(super) fn turned(&mut self, alert: &Alert, at: UnixMillis) {
        let summary = alert.annotations.get("summary").cloned().unwrap_or_default();
        self.changes.push(change_of(alert, alert.state.as_str(), at, summary.clone()));
        if alert.state == AlertState::Pending {
            return;
        }
        let what = if alert.state == AlertState::Firing { "fires" } else { "is over" };
        let words = if summary.is_empty() { String::new() } else { format!(": {summary}") };
        self.events.push(Draft {
            at,
            node: alert.node.clone(),
            kind: EventKind::Alert,
            from: alert.severity.as_str().to_owned(),
            to: alert.state.as_str().to_owned(),
            text: format!("{} {what}{words}", alert.name),
        });
    }
}
