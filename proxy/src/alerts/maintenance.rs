//! Maintenance windows over the alerts: what they mute, and that what goes on after them is told.

use fleetglass_shared::{
    health::UnixMillis,
    maintenance::Window,
    wire::{Alert, AlertState, EventKind, Maintenance, MaintenanceWindow},
};

use super::{
    Alerts, Inner,
    journal::{Journal, change_of},
};
use crate::state::Draft;

impl Alerts {
    /// Which windows there are, from now on.
    pub fn set_maintenance(&self, windows: Vec<Window>, now: UnixMillis) {
        let mut inner = self.inner.lock();
        let first = inner.maintenance.replace(windows).is_none();
        let mut journal = Journal::default();
        inner.maintain(now, &mut journal);
        drop(inner);
        // What an earlier run muted already is no news.
        if !first {
            self.keep(journal);
        }
    }

    /// Every window, as the config has it.
    pub fn windows(&self) -> Vec<Window> {
        self.inner.lock().maintenance.iter().flatten().cloned().collect()
    }

    /// Every window, and when it is.
    pub fn maintenance(&self, now: UnixMillis) -> Maintenance {
        let inner = self.inner.lock();
        let muted =
            |name: &String| inner.alerts.values().filter(|entry| entry.alert.muted_by.contains(name)).count();
        let told = |window: &Window| {
            let span = window.next(now);
            MaintenanceWindow {
                name: window.name.clone(),
                comment: window.comment.clone(),
                matchers: window.matchers.iter().map(ToString::to_string).collect(),
                active: window.is_active(now),
                starts_at: span.and_then(|span| span.start),
                ends_at: span.and_then(|span| span.end),
                muted: muted(&window.name),
            }
        };
        let mut windows: Vec<MaintenanceWindow> = inner.maintenance.iter().flatten().map(told).collect();
        windows.sort_by_key(|window| {
            let next = window.starts_at.unwrap_or(i64::MAX);
            (!window.active, if window.active { window.ends_at.unwrap_or(i64::MAX) } else { next })
        });
        Maintenance { at: now, windows }
    }
}

impl Inner {
    /// Works out anew what windows mute. An alert that fires still when its last window ends is told then.
    pub(super) fn maintain(&mut self, now: UnixMillis, journal: &mut Journal) {
        let windows = self.maintenance.iter().flatten();
        let active: Vec<&Window> = windows.filter(|window| window.is_active(now)).collect();
        for (id, entry) in &mut self.alerts {
            let holds = |window: &&&Window| window.matches(&entry.labels);
            let muted_by: Vec<String> =
                active.iter().filter(holds).map(|window| window.name.clone()).collect();
            if entry.alert.muted_by == muted_by {
                continue;
            }
            let before = std::mem::replace(&mut entry.alert.muted_by, muted_by);
            self.dirty.insert(id.clone());
            if entry.alert.state == AlertState::Firing {
                told(&entry.alert, &before, now, journal);
            }
        }
    }
}

fn told(alert: &Alert, before: &[String], now: UnixMillis, journal: &mut Journal) {
    if before.is_empty() {
        let text = format!("maintenance {}", alert.muted_by.join(", "));
        journal.changes.push(change_of(alert, "muted", now, text));
    } else if alert.muted_by.is_empty() {
        let text = format!("maintenance {} is over, and it goes on", before.join(", "));
        journal.changes.push(change_of(alert, "unmuted", now, text.clone()));
        journal.events.push(Draft {
            at: now,
            node: alert.node.clone(),
            kind: EventKind::Alert,
            from: alert.severity.as_str().to_owned(),
            to: alert.state.as_str().to_owned(),
            text: format!("{} fires: {text}", alert.name),
        });
    }
}
