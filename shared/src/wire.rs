//! What the proxy's own API answers and the browser reads. Times are [`UnixMillis`]; a field that is
//! not known is absent, never 0.
//!
//! No `#[serde(flatten)]` and no untagged enums here: with `arbitrary_precision` they lose numbers.

mod alert;
mod history;
mod incident;
mod maintenance;
mod notify;
mod people;
mod restart;
mod risk;
mod share;

use std::collections::BTreeMap;

pub use alert::{
    Acknowledge, Acknowledgement, Alert, AlertChange, AlertDetail, AlertHistory, AlertRule, AlertState,
    BacktestAnswer, BacktestFiring, BacktestRequest, Held, Others, Severity,
};
pub use history::{Event, EventKind, Events, Uptime, UptimeWindow, Uptimes};
pub use incident::{AlertIncident, CauseKind, Egress, EgressProbe, EgressState, Failed, Incident, Incidents};
pub use maintenance::{Maintenance, MaintenanceWindow};
pub use notify::{Notifications, NotifyAttempt, NotifyHealth, NotifyTest, NotifyWay};
pub use people::{
    Audit, AuditEntry, Can, Me, NewPassword, NewToken, NewUser, Session, Sessions, Token, TokenMade, Tokens,
    User, UserChange, Users, Ways,
};
pub use restart::{NodeRestart, RestartAnswer, RestartCheck, RestartGroup, RestartReason, RestartVerdict};
pub use risk::{NodeRisk, Outlook, Risk, RiskDetail, Risks, Stake, Trend};
use serde::{Deserialize, Serialize};
pub use share::{ScopeSpec, Share, ShareChange, ShareMade, SharedWith, Shares, View};

use crate::health::{Check, Fact, Reason, ScrapeFailure, Status, UnixMillis};

/// `GET /api/v1/fleet`, and the `snapshot` event of `GET /api/v1/live`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FleetSnapshot {
    /// The number of the last change in it; deltas go on from here.
    pub seq: u64,
    /// When it was made, by the proxy's clock.
    pub at: UnixMillis,
    /// The proxy that answers.
    pub server: ServerInfo,
    /// The families of the nodes below, and those a target may name.
    pub families: Vec<FamilyInfo>,
    /// Every node, by id.
    pub nodes: Vec<NodeSummary>,
    /// Every alert that pends, fires, or was resolved a short while ago, by id.
    #[serde(default)]
    pub alerts: Vec<Alert>,
}

/// The proxy that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// Fleetglass's version.
    pub version: String,
    /// Differs between two runs of the proxy, so that a client can tell a restart.
    pub epoch: String,
    /// When this run began.
    pub started_at: UnixMillis,
}

/// A family, as the browser needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilyInfo {
    /// Its id, e.g. `decdn`; what filters and targets name.
    pub name: String,
    /// What a person reads, e.g. `deCDN`.
    pub title: String,
    /// What the sparkline of its nodes shows, e.g. `Peers`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub spark_title: String,
    /// The unit of the sparkline.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub spark_unit: String,
}

/// One node in a list: all that a row or a tile of the fleet page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeSummary {
    /// The target's id, unique in the fleet; the `instance` label of its series.
    pub id: String,
    /// Its family's name; the `job` label of its series.
    pub family: String,
    /// The target's labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// How it is.
    pub status: Status,
    /// It asks to be taken out of traffic.
    #[serde(default, skip_serializing_if = "is_false")]
    pub draining: bool,
    /// Why, the worst first; empty when healthy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Since when it has had this status.
    pub since: UnixMillis,
    /// When it last answered anything usable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact_at: Option<UnixMillis>,
    /// When it was last asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<UnixMillis>,
    /// How often it is asked; a fact older than two of these is old.
    pub interval_ms: u64,
    /// Connected peers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<u64>,
    /// The software version it reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Most nodes of its family run this other version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_majority: Option<String>,
    /// Process uptime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<f64>,
    /// Restarts seen in the last 15 minutes; 3 or more are a crash-loop.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub restarts: u32,
    /// When the last restart was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarted_at: Option<UnixMillis>,
    /// The last hour of the family's sparkline series.
    #[serde(default)]
    pub spark: Spark,
    /// The slash risk nearest to its bound, if the family names any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst_risk: Option<Risk>,
}

/// A small chart: one value a minute, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spark {
    /// The minute (Unix time / 60) of the last value.
    pub minute: i64,
    /// At most 60; `null` where nothing was known.
    pub values: Vec<Option<f32>>,
}

/// The `delta` event of `GET /api/v1/live`: only what changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiveDelta {
    /// One more than the delta before it.
    pub seq: u64,
    /// When it was made, by the proxy's clock.
    pub at: UnixMillis,
    /// Per node id an RFC 7396 merge patch of its [`NodeSummary`]; `null` when the node is gone; a
    /// whole summary when it is new. `spark` is special: its `values` are the *newest* values only,
    /// the last for `minute`, to be laid over the ones held (see [`Spark::advance`]).
    pub nodes: BTreeMap<String, serde_json::Value>,
    /// Per alert id the whole alert, where it changed; `null` when it is gone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alerts: BTreeMap<String, Option<Alert>>,
    /// Present when the families changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub families: Option<Vec<FamilyInfo>>,
}

/// The `ping` event of `GET /api/v1/live`: the proxy lives and nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LivePing {
    /// The number of the last change.
    pub seq: u64,
    /// The proxy's clock.
    pub at: UnixMillis,
}

/// `GET /api/v1/nodes/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeDetail {
    /// As in the fleet.
    pub summary: NodeSummary,
    /// How the family came about when the target says `auto`, e.g. `recognised by decdn_… metrics`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub family_note: String,
    /// What it is asked, and how each answered.
    pub endpoints: Vec<EndpointDetail>,
    /// All facts, in the family's order.
    pub facts: Vec<Fact>,
    /// All named checks.
    pub checks: Vec<Check>,
    /// Mandatory metrics this node does not expose.
    pub missing: Vec<String>,
    /// The family's slash risks against this node.
    pub risks: Vec<Risk>,
    /// The family's charts.
    pub panels: Vec<Panel>,
    /// The last scrape failures, the newest first.
    pub failures: Vec<ScrapeFailure>,
    /// Faults that were read over, e.g. a lenient reading of an exposition.
    pub warnings: Vec<ScrapeFailure>,
}

/// One endpoint of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointDetail {
    /// Its name in the family, e.g. `health`.
    pub name: String,
    /// What is asked.
    pub url: String,
    /// `json` or `metrics`.
    pub kind: String,
    /// When it was last asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<UnixMillis>,
    /// When it last gave a usable answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<UnixMillis>,
    /// The last HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// How long the last answer took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<f64>,
    /// Samples in the last exposition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<u64>,
    /// Why the last one failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<ScrapeFailure>,
}

/// One chart of a family, ready to be asked: its expressions select this node already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// What a person reads.
    pub title: String,
    /// Charts of a family are grouped by this, e.g. `Delivery`; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subsystem: String,
    /// The unit of the y axis.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// One or more lines (or sets of lines).
    pub queries: Vec<PanelQuery>,
    /// A dashed line, if the family names a bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<PanelBound>,
    /// Start the y axis at zero.
    pub from_zero: bool,
}

/// One query of a [`Panel`], for `GET /api/v1/query_range?query=…&start=…&end=…&step=…`, which answers
/// in Prometheus's form (a `matrix`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanelQuery {
    /// PromQL, with `instance` of this node in every selector.
    pub expr: String,
    /// The name of the line; `{label}` stands for a label's value. Empty: the differing labels.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub legend: String,
}

/// A bound drawn in a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PanelBound {
    /// Its name.
    pub title: String,
    /// Where it lies, in the panel's unit.
    pub value: f64,
}

/// `GET /api/v1/nodes/{id}/series`: every series the node has now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeSeries {
    /// In order of metric name and labels.
    pub series: Vec<SeriesInfo>,
}

/// One series, with its last value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesInfo {
    /// The metric's name.
    pub metric: String,
    /// Its labels but `__name__`, `instance`, `job` and the target's own.
    pub labels: BTreeMap<String, String>,
    /// PromQL that selects exactly this series.
    pub selector: String,
    /// `counter`, `gauge`, `histogram`, …, or `unknown`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HELP text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// The unit, if told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// The last value, digit for digit where it is an integer.
    pub value: String,
    /// When that was.
    pub at: UnixMillis,
    /// It is derived from JSON by Fleetglass, not exposed by the node.
    #[serde(default, skip_serializing_if = "is_false")]
    pub derived: bool,
}

/// `application/problem+json` (RFC 9457), the form of every error of our own API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// What kind of problem.
    pub title: String,
    /// What, where and what to do.
    pub detail: String,
}

impl NodeSummary {
    /// A node of which only this is known yet.
    pub fn new(id: String, family: String, status: Status, since: UnixMillis, interval_ms: u64) -> Self {
        Self {
            id,
            family,
            labels: BTreeMap::new(),
            status,
            draining: false,
            reasons: Vec::new(),
            since,
            fact_at: None,
            asked_at: None,
            interval_ms,
            peers: None,
            version: None,
            version_majority: None,
            uptime_seconds: None,
            restarts: 0,
            restarted_at: None,
            spark: Spark::default(),
            worst_risk: None,
        }
    }
}

impl Spark {
    /// How many minutes are kept.
    pub const MINUTES: usize = 60;

    /// Lays newer values over the ones held; minutes in between that nobody saw become `None`.
    pub fn advance(&mut self, newer: &Self) {
        let Some(count) = i64::try_from(newer.values.len()).ok().filter(|&n| n > 0) else {
            return;
        };
        if self.values.is_empty() || newer.minute - self.minute > Self::MINUTES as i64 {
            *self = newer.clone();
            return;
        }
        let first = newer.minute - count + 1;
        while self.minute >= first && self.values.pop().is_some() {
            self.minute -= 1;
        }
        while self.minute + 1 < first {
            self.values.push(None);
            self.minute += 1;
        }
        self.values.extend_from_slice(&newer.values);
        self.minute = newer.minute;
        let excess = self.values.len().saturating_sub(Self::MINUTES);
        self.values.drain(..excess);
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::Spark;

    fn spark(minute: i64, values: &[f32]) -> Spark {
        Spark { minute, values: values.iter().map(|&v| Some(v)).collect() }
    }

    #[test]
    fn a_newer_value_replaces_its_minute_and_a_later_one_follows() {
        let mut held = spark(10, &[1.0, 2.0]);
        held.advance(&spark(10, &[3.0]));
        assert_eq!(held, spark(10, &[1.0, 3.0]));
        held.advance(&spark(11, &[4.0]));
        assert_eq!(held, spark(11, &[1.0, 3.0, 4.0]));
    }

    #[test]
    fn minutes_nobody_saw_are_gaps_and_an_hour_is_kept() {
        let mut held = spark(10, &[1.0]);
        held.advance(&spark(13, &[2.0]));
        assert_eq!(held.values, [Some(1.0), None, None, Some(2.0)]);
        for minute in 14..100 {
            held.advance(&spark(minute, &[minute as f32]));
        }
        assert_eq!(held.values.len(), Spark::MINUTES);
        assert_eq!(held.values.first(), Some(&Some(40.0)));
    }
}
