//! Slash risks as the API answers them: how far a node is from its bound, and how long is left.

use serde::{Deserialize, Serialize};

use crate::health::UnixMillis;

/// A slash risk: a value against its bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// Stable id in the family, e.g. `blacklist-lag`.
    pub name: String,
    /// What a person reads.
    pub title: String,
    /// `critical`, `warning` or `info`.
    pub severity: String,
    /// The value now; absent when the node does not expose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Where it becomes a slash risk.
    pub bound: f64,
    /// How to show both.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// What is at stake, in words.
    pub meaning: String,
    /// What to do, in words.
    pub action: String,
    /// The bound is crossed.
    pub firing: bool,
    /// The part of the way to the bound that is left: 1 is as far from it as can be, 0 is at it, less than 0 is
    /// beyond. Absent with the value, and where the bound leaves no part (a yes or no).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headroom: Option<f64>,
    /// Where it is going; absent with the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlook: Option<Outlook>,
    /// What a breach costs, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stake: Option<Stake>,
}

/// Where a risk is going, from its values of the last minutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// In a word.
    pub trend: Trend,
    /// Change of the value a second; absent with too little data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope: Option<f64>,
    /// When the bound is crossed if this goes on; only while it approaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breach_at: Option<UnixMillis>,
    /// The earliest time that the values allow; absent where the time is exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest: Option<UnixMillis>,
    /// The latest; absent when they allow that it never comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<UnixMillis>,
    /// The time comes from a deadline that the node tells, not from a trend.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub exact: bool,
}

/// What a risk's values are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// Beyond its bound now.
    Breached,
    /// On its way to the bound.
    Approaching,
    /// Neither nearer nor further.
    Steady,
    /// On its way away from the bound.
    Recovering,
    /// Too few values to tell.
    TooLittleData,
}

/// What a breach costs, and how that was worked out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stake {
    /// What would be lost, in `unit`: digits, exact.
    pub amount: String,
    /// Its unit, e.g. `micro-usdc` or `GEN`.
    pub unit: String,
    /// The calculation, a line a step, e.g. `bond 5,000 USDC × penalty 10 %`.
    pub calculation: Vec<String>,
}

/// `GET /api/v1/risks`: the risks of the fleet, the worst first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Risks {
    /// When this was so.
    pub at: UnixMillis,
    /// How many there are; more than are told where a limit cuts them.
    #[serde(default)]
    pub total: usize,
    /// The worst first.
    pub risks: Vec<NodeRisk>,
}

/// A risk and its node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeRisk {
    /// The node's id.
    pub node: String,
    /// Its family's name.
    pub family: String,
    /// The risk.
    pub risk: Risk,
}

/// `GET /api/v1/nodes/{id}/risks/{name}`: one risk with what it was worked out from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskDetail {
    /// The risk and its node.
    pub at: UnixMillis,
    /// As it is now.
    pub risk: NodeRisk,
    /// PromQL of its value, for charts and rules.
    pub expr: String,
    /// The window that the slope was taken over, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<f64>,
    /// The values in it: milliseconds and value.
    pub values: Vec<(UnixMillis, f64)>,
    /// The fitted line at the window's ends and on to the bound: milliseconds and value.
    pub fit: Vec<(UnixMillis, f64)>,
    /// Its lower edge, at the times of `fit`.
    pub fit_low: Vec<(UnixMillis, f64)>,
    /// Its upper edge, at the times of `fit`.
    pub fit_high: Vec<(UnixMillis, f64)>,
}
