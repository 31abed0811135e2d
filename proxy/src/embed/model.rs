//! What a panel says, before it is drawn: the answer of `panel.json`, and what HTML and SVG are made of. It is filled
//! from what has been cut already.

use std::collections::BTreeMap;

use fleetglass_shared::{
    health::{Status, UnixMillis},
    wire::{NodeSummary, PanelBound, Risk, UptimeWindow},
};
use serde::Serialize;

/// One panel. Exactly one of its parts is there: the one of its view.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Panel {
    /// `fleet`, `node`, `chart`, `alerts`, `risk` or `uptime`.
    pub view: &'static str,
    /// The link's title, or the label that was asked for.
    pub title: String,
    /// Who shares it.
    pub by: String,
    /// When this was so.
    pub at: UnixMillis,
    /// All of it in a few words, e.g. `2 of 60 need attention`.
    pub headline: String,
    /// How bad it is, by the words of a node's status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// `view=fleet`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fleet: Option<FleetPart>,
    /// `view=node`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodePart>,
    /// `view=chart`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<ChartPart>,
    /// `view=alerts`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts: Option<AlertsPart>,
    /// `view=risk`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskPart>,
    /// `view=uptime`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime: Option<UptimePart>,
}

/// The nodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FleetPart {
    /// How many there are.
    pub total: usize,
    /// How many are how.
    pub counts: BTreeMap<&'static str, usize>,
    /// The worst first.
    pub nodes: Vec<NodeLine>,
    /// How many more there are than are listed.
    pub more: usize,
}

/// A node in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeLine {
    /// Its name.
    pub node: String,
    /// Its family's title.
    pub family: String,
    /// How it is.
    pub status: Status,
    /// It asks to be taken out of traffic.
    pub draining: bool,
    /// Why, in a sentence; empty when it is well.
    pub reason: String,
    /// Since when.
    pub since: UnixMillis,
    /// When it last answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<UnixMillis>,
    /// What is known of it is old.
    pub stale: bool,
    /// What it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How many others it is connected to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peers: Option<u64>,
}

impl NodeLine {
    /// A node, as it was cut, with its family's title.
    pub fn of(node: &NodeSummary, family: String, now: UnixMillis) -> Self {
        let interval = i64::try_from(node.interval_ms).unwrap_or(i64::MAX);
        Self {
            node: node.id.clone(),
            family,
            status: node.status,
            draining: node.draining,
            reason: node.reasons.first().map(|reason| reason.text.clone()).unwrap_or_default(),
            since: node.since,
            answered_at: node.fact_at,
            stale: node.fact_at.is_none_or(|at| now.saturating_sub(at) > interval.saturating_mul(2)),
            version: node.version.clone(),
            peers: node.peers,
        }
    }
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodePart {
    /// As in a list.
    pub summary: NodeLine,
    /// Every reason.
    pub reasons: Vec<String>,
    /// How long its process has run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<f64>,
    /// What its small chart shows.
    pub spark_title: String,
    /// Its unit.
    pub spark_unit: String,
    /// The last hour, a value a minute.
    pub spark: Vec<Option<f32>>,
    /// How much of the time it was up.
    pub uptime: Vec<UptimeWindow>,
    /// The risk that is nearest to its bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskLine>,
}

/// Series over time, on one grid of times.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChartPart {
    /// Whose, if it is of one node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What it is called.
    pub name: String,
    /// The unit of the values.
    pub unit: String,
    /// The time of the first value.
    pub start: UnixMillis,
    /// From one value to the next.
    pub step_ms: i64,
    /// The lines.
    pub series: Vec<ChartLine>,
    /// How many more there are than are told.
    pub more: usize,
    /// A bound to hold them against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<PanelBound>,
    /// The axis of the values begins at zero.
    pub from_zero: bool,
}

/// A line of a chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChartLine {
    /// What the legend says; empty for the only line.
    pub name: String,
    /// One for each time; `null` where there is none.
    pub values: Vec<Option<f64>>,
    /// The last of them in words.
    pub last: String,
}

/// What is wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AlertsPart {
    /// How many fire.
    pub firing: usize,
    /// How many are about to.
    pub pending: usize,
    /// The worst first.
    pub alerts: Vec<AlertLine>,
    /// How many more there are than are listed.
    pub more: usize,
}

/// An alert in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertLine {
    /// What it is called.
    pub name: String,
    /// `critical`, `warning` or `info`.
    pub severity: &'static str,
    /// `firing` or `pending`.
    pub state: &'static str,
    /// Whose it is.
    pub node: String,
    /// What it says.
    pub summary: String,
    /// Since when.
    pub since: UnixMillis,
    /// Somebody has taken it, or it is muted.
    pub quiet: bool,
}

/// What may be lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RiskPart {
    /// How many there are.
    pub total: usize,
    /// How many are beyond their bound.
    pub breached: usize,
    /// How many are on their way there.
    pub approaching: usize,
    /// The worst first.
    pub risks: Vec<RiskLine>,
    /// How many more there are than are listed.
    pub more: usize,
}

/// A risk in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RiskLine {
    /// Whose it is.
    pub node: String,
    /// What it is called.
    pub title: String,
    /// `critical`, `warning` or `info`.
    pub severity: String,
    /// The value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Where it becomes a risk.
    pub bound: f64,
    /// The unit of both.
    pub unit: String,
    /// Value and bound in words.
    pub text: String,
    /// `breached`, `approaching`, `steady`, `recovering` or `unknown`.
    pub state: &'static str,
    /// The part of the way to the bound that is gone: 1 is at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<f64>,
    /// When it is crossed if this goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breach_at: Option<UnixMillis>,
    /// What is at stake.
    pub meaning: String,
}

impl RiskLine {
    /// A risk of a node.
    pub fn of(node: &str, risk: &Risk) -> Self {
        use fleetglass_shared::{format::number, wire::Trend};
        let outlook = risk.outlook.as_ref();
        let state = match outlook.map(|outlook| outlook.trend) {
            _ if risk.firing => "breached",
            None | Some(Trend::TooLittleData) if risk.value.is_none() => "unknown",
            Some(Trend::Breached) => "breached",
            Some(Trend::Approaching) => "approaching",
            Some(Trend::Recovering) => "recovering",
            None | Some(Trend::Steady | Trend::TooLittleData) => "steady",
        };
        let words = |value: f64| number(value, &risk.unit);
        let text = match risk.value {
            None => "not exposed".to_owned(),
            Some(value) if risk.unit == "bool" || risk.bound == 0.0 => words(value),
            Some(value) => format!("{}, bound {}", words(value), words(risk.bound)),
        };
        Self {
            node: node.to_owned(),
            title: risk.title.clone(),
            severity: risk.severity.clone(),
            value: risk.value,
            bound: risk.bound,
            unit: risk.unit.clone(),
            text,
            state,
            used: risk.headroom.map(|left| (1.0 - left).clamp(0.0, 1.0)),
            breach_at: outlook.and_then(|outlook| outlook.breach_at),
            meaning: risk.meaning.clone(),
        }
    }

    /// Whether somebody should look at it.
    pub fn is_near(&self) -> bool {
        matches!(self.state, "breached" | "approaching")
    }
}

/// How much of the time the nodes were up.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UptimePart {
    /// Which of the windows counts here.
    pub window: &'static str,
    /// All nodes together.
    pub all: Vec<UptimeWindow>,
    /// Each of them, the worst first.
    pub nodes: Vec<UptimeLine>,
    /// How many more there are than are listed.
    pub more: usize,
}

/// The uptime of one node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UptimeLine {
    /// Whose.
    pub node: String,
    /// Its windows.
    pub windows: Vec<UptimeWindow>,
}

/// A window by its name.
pub fn window<'a>(windows: &'a [UptimeWindow], name: &str) -> Option<&'a UptimeWindow> {
    windows.iter().find(|window| window.window == name)
}

/// A part of the time in words: never rounded up to all of it.
pub fn percent(ratio: Option<f64>) -> String {
    let Some(ratio) = ratio else { return fleetglass_shared::format::UNKNOWN.to_owned() };
    let hundredths = (ratio * 10_000.0 + 1e-6).floor() / 100.0;
    match hundredths {
        100.0 => "100 %".to_owned(),
        _ => format!("{hundredths:.2} %"),
    }
}

/// All nodes in a few words.
pub fn fleet_headline(counts: &BTreeMap<&'static str, usize>) -> (String, Option<Status>) {
    let of = |status: Status| counts.get(status.as_str()).copied().unwrap_or_default();
    let total: usize = counts.values().sum();
    let unwell = of(Status::Degraded) + of(Status::Unhealthy) + of(Status::Unreachable);
    let worst = Status::WORST_FIRST.into_iter().find(|status| of(*status) > 0);
    let words = match (total, unwell, of(Status::Unknown)) {
        (0, ..) => "No nodes".to_owned(),
        (1, 0, 0) => "Well".to_owned(),
        (1, 0, _) => "Not known".to_owned(),
        (1, ..) => "Not well".to_owned(),
        (_, 0, 0) => format!("All {total} well"),
        (_, 0, unknown) => format!("{unknown} of {total} not known"),
        (..) => format!("{unwell} of {total} not well"),
    };
    (words, worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_time_is_not_rounded_up() {
        for (ratio, words) in [
            (Some(1.0), "100 %"),
            (Some(0.999_999), "99.99 %"),
            (Some(0.9995), "99.95 %"),
            (Some(0.0), "0.00 %"),
            (None, "–"),
        ] {
            assert_eq!(percent(ratio), words);
        }
    }

    #[test]
    fn a_fleet_is_said_in_a_few_words() {
        for (counts, words, worst) in [
            (&[][..], "No nodes", None),
            (&[(Status::Healthy, 60)], "All 60 well", Some(Status::Healthy)),
            (&[(Status::Healthy, 58), (Status::Degraded, 2)], "2 of 60 not well", Some(Status::Degraded)),
            (&[(Status::Healthy, 1), (Status::Unreachable, 1)], "1 of 2 not well", Some(Status::Unreachable)),
            (&[(Status::Healthy, 3), (Status::Unknown, 1)], "1 of 4 not known", Some(Status::Unknown)),
            (&[(Status::Unknown, 1)], "Not known", Some(Status::Unknown)),
        ] {
            let counts = counts.iter().map(|(status, count)| (status.as_str(), *count)).collect();
            assert_eq!(fleet_headline(&counts), (words.to_owned(), worst));
        }
    }
}
