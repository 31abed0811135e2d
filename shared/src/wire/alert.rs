//! Alerts, silences and rules, as the browser reads them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::AlertIncident;
use crate::health::UnixMillis;

/// How bad an alert is, the worst first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody must act now.
    Critical,
    /// Somebody must act within hours.
    #[default]
    Warning,
    /// Somebody should know.
    Info,
}

impl Severity {
    /// Every one, the worst first.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Warning, Self::Info];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }

    /// What the word in a `severity` label means. A word that nobody knows, or none, is a warning: it is
    /// better seen than lost.
    pub fn of(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "p0" | "p1" | "critical" | "crit" | "page" | "paging" | "emergency" | "fatal" | "sev0"
            | "sev1" | "high" => Self::Critical,
            "p3" | "p4" | "p5" | "info" | "information" | "informational" | "notice" | "low" | "none"
            | "sev3" | "sev4" => Self::Info,
            _ => Self::Warning,
        }
    }
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// True for long enough.
    Firing,
    /// True, but not for long enough.
    Pending,
    /// Not true any more, a short while ago.
    Resolved,
}

impl AlertState {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }

    /// The state of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Firing, Self::Resolved].into_iter().find(|state| state.as_str() == word)
    }
}

/// Why an alert whose expression gives nothing is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// `keep_firing_for` is not over.
    KeepFiring,
    /// Its node gives no data: nothing shows that the trouble is over.
    NoData,
}

/// One alert: an entry of `alerts` in the snapshot and the deltas of `GET /api/v1/live`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The fingerprint of its labels, 16 hex digits; the same after a restart.
    pub id: String,
    /// The `alertname` label.
    pub name: String,
    /// Where it stands.
    pub state: AlertState,
    /// How bad.
    pub severity: Severity,
    /// The `severity` label as its rule has it, e.g. `P1`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub severity_text: String,
    /// The node that it is about, when it is one of the fleet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// All its labels.
    pub labels: BTreeMap<String, String>,
    /// `summary`, `description`, `action`, ….
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The value of the expression, the last one it had; absent when it is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Since when it is true.
    pub active_at: UnixMillis,
    /// Since when it fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<UnixMillis>,
    /// When it was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<UnixMillis>,
    /// Why it is kept though its expression gives nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// Somebody has taken it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledgement>,
    /// Ids of the silences that mute it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silenced_by: Vec<String>,
    /// Ids of the alerts that quiet it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inhibited_by: Vec<String>,
    /// Names of the maintenance windows that mute it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub muted_by: Vec<String>,
    /// It came and went so often of late that its changes are not told one by one; how often in an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaps: Option<u32>,
}

impl Alert {
    /// Whether it asks for somebody: it fires, and nobody has taken, silenced, muted or explained it.
    pub fn is_open(&self) -> bool {
        self.state == AlertState::Firing
            && self.acknowledged.is_none()
            && self.silenced_by.is_empty()
            && self.inhibited_by.is_empty()
            && self.muted_by.is_empty()
    }
}

/// Who has taken an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The owner's name.
    pub by: String,
    /// A note.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Since when.
    pub at: UnixMillis,
    /// It ends by itself then, at the latest; else when the alert is resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixMillis>,
}

/// The body of `POST /api/v1/alerts/{id}/acknowledge`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// The owner's name.
    pub by: String,
    /// A note.
    #[serde(default)]
    pub note: String,
    /// When it ends, at the latest.
    #[serde(default)]
    pub until: Option<UnixMillis>,
}

/// `GET /api/v1/alerts/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertDetail {
    /// As it is now.
    pub alert: Alert,
    /// Its rule, unless that is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<AlertRule>,
    /// What happened to it, the newest first.
    pub history: Vec<AlertChange>,
    /// How the rest of its family is doing on the same expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<Others>,
    /// The incident that it is part of, while it fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<AlertIncident>,
}

/// The rule of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertRule {
    /// The file, as `GET /api/v1/rules` names it.
    pub file: String,
    /// The group.
    pub group: String,
    /// The expression.
    pub query: String,
    /// What the expression compares, for a chart of this alert's series; absent where that is not plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
    /// The bound to draw in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// How long before it fires, in seconds.
    pub for_seconds: f64,
}

/// "Mine or everyone's?": the other nodes of an alert's family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Others {
    /// How many there are.
    pub nodes: u32,
    /// Those that have the same alert, pending or firing.
    pub alike: Vec<String>,
}

/// A change of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertChange {
    /// When.
    pub at: UnixMillis,
    /// The alert's id.
    pub alert: String,
    /// Its name.
    pub name: String,
    /// The node that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// How bad.
    pub severity: Severity,
    /// `pending`, `firing`, `resolved`, `acknowledged`, `unacknowledged`, `silence_ends`, `muted`, `unmuted`.
    pub what: String,
    /// The value then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// In words: who, why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// `GET /api/v1/alerts/history`: the newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlertHistory {
    /// The changes.
    pub changes: Vec<AlertChange>,
    /// There are older ones.
    pub more: bool,
}

/// The body of `POST /api/v1/rules/backtest`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BacktestRequest {
    /// The expression.
    pub query: String,
    /// How long before it fires, in seconds.
    #[serde(default)]
    pub for_seconds: f64,
    /// How long it goes on, in seconds.
    #[serde(default)]
    pub keep_firing_for_seconds: f64,
    /// From when.
    pub start: UnixMillis,
    /// Until when.
    pub end: UnixMillis,
    /// From one evaluation to the next, in seconds; what fits when it is absent.
    #[serde(default)]
    pub step_seconds: Option<f64>,
}

/// When a rule would have fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BacktestAnswer {
    /// Each time, the earliest first; at most 1,000.
    pub firings: Vec<BacktestFiring>,
    /// How often it would have fired in all.
    pub total: u32,
    /// How many series it would have fired for.
    pub series: u32,
    /// How often it was true but not for long enough.
    pub passed_over: u32,
    /// All the time that it would have fired, of all series together.
    pub firing_seconds: f64,
    /// From one evaluation to the next.
    pub step_seconds: f64,
    /// What may be wrong, in Prometheus's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One time that a rule would have fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BacktestFiring {
    /// The labels of the series.
    pub labels: BTreeMap<String, String>,
    /// Since when its expression was true.
    pub active_at: UnixMillis,
    /// When it would have fired.
    pub fired_at: UnixMillis,
    /// When it would have been resolved; absent when it fires at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<UnixMillis>,
    /// The value when it would have fired; absent when it is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_of_all_houses_are_three() {
        for (words, is) in [
            (&["P1", "critical", "page", " Critical ", "sev1"][..], Severity::Critical),
            (&["P2", "warning", "warn", "ticket", "", "ünknown"], Severity::Warning),
            (&["P3", "info", "Notice", "none"], Severity::Info),
        ] {
            for word in words {
                assert_eq!(Severity::of(word), is, "{word}");
            }
        }
    }
}
