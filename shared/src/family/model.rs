//! The words of `family.toml`: what a family declares, as plain data. `docs/family.md` explains each by example.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::Words;
use crate::health::Status;

mod duty;
mod endpoint;
mod risk;
mod view;

pub use duty::{Due, DutySpec, Forbids};
pub use endpoint::{EndpointKind, EndpointRole, EndpointSpec};
pub use risk::{Crossing, RiskKind, RiskSpec, Severity, Slash, StakeSpec};
pub use view::{BoundSpec, MandatorySpec, PanelSpec, QuerySpec, SparkSpec};

/// A whole `family.toml`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FamilySpec {
    /// The id that targets and filters name: lower-case letters, digits and `-`.
    pub name: String,
    /// What a person reads; the name, if left out.
    #[serde(default)]
    pub title: String,
    /// One sentence about what these nodes are.
    #[serde(default)]
    pub summary: String,
    /// Another family to start from: this file then holds only what differs. Entries of lists replace
    /// those of the same `name`, and new ones are added.
    #[serde(default)]
    pub extends: Option<String>,
    /// What a node is asked.
    #[serde(default)]
    pub endpoint: Vec<EndpointSpec>,
    /// How `family = "auto"` knows a node of this family.
    #[serde(default)]
    pub recognise: Vec<RecogniseSpec>,
    /// How an answer maps onto the normalised status. The worst of all that apply is the node's.
    #[serde(default)]
    pub status: Vec<StatusSpec>,
    /// A series that says the worst outcome of `status` as a number.
    #[serde(default)]
    pub status_series: Option<StatusSeriesSpec>,
    /// What a node says about itself, from JSON or from metrics.
    #[serde(default)]
    pub fact: Vec<FactSpec>,
    /// Lists of named checks or components inside an answer.
    #[serde(default)]
    pub checks: Vec<ChecksSpec>,
    /// Findings: a bound on a fact, with the status and the reason in words.
    #[serde(default)]
    pub condition: Vec<ConditionSpec>,
    /// Metrics every node must expose; one that is absent is listed, never taken for 0.
    #[serde(default)]
    pub mandatory: Vec<MandatorySpec>,
    /// The series drawn small beside each node.
    #[serde(default)]
    pub spark: Option<SparkSpec>,
    /// The charts of the node page.
    #[serde(default)]
    pub panel: Vec<PanelSpec>,
    /// What a node has staked.
    #[serde(default)]
    pub stake: Option<StakeSpec>,
    /// The slash risks.
    #[serde(default)]
    pub risk: Vec<RiskSpec>,
    /// What a node owes: while it does, it is not safe to restart.
    #[serde(default)]
    pub duty: Vec<DutySpec>,
}

/// One sign by which a node is recognised. All that it names must hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecogniseSpec {
    /// What the user reads: `recognised by …`.
    pub by: String,
    /// The endpoint that must have answered with JSON holding every one of `fields`.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// JSON Pointers that must all lead somewhere.
    #[serde(default)]
    pub fields: Words,
    /// JSON Pointers and the values one of which they must hold.
    #[serde(default)]
    pub values: BTreeMap<String, Words>,
    /// Metric names one of which must be exposed; a `*` at the end stands for any rest.
    #[serde(default)]
    pub metrics: Words,
    /// How sure this sign is: the family with the highest wins.
    #[serde(default = "weight_by_default")]
    pub weight: u32,
}

fn weight_by_default() -> u32 {
    10
}

/// How one answer maps onto a status.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusSpec {
    /// For `extends`: which entry this is.
    #[serde(default)]
    pub name: String,
    /// The endpoint whose answer is read.
    pub endpoint: String,
    /// Where the word is; the first that is there counts.
    #[serde(default)]
    pub pointer: Words,
    /// What each word means. Words are compared without regard to case.
    #[serde(default)]
    pub map: BTreeMap<String, Status>,
    /// What a word outside `map` means.
    #[serde(default = "unknown_status")]
    pub default: Status,
    /// What it means when no pointer leads to a word; `ignore` when nothing.
    #[serde(default)]
    pub missing: Missing,
    /// What each HTTP status means. With it, the code decides and the body only explains.
    #[serde(default)]
    pub http: BTreeMap<String, Status>,
    /// Words (or HTTP statuses as text) on which the node asks to be taken out of traffic.
    #[serde(default)]
    pub drain: Words,
    /// The reason for each word, in words; `{value}` is the word, `{endpoint}` the endpoint.
    #[serde(default)]
    pub reason: BTreeMap<String, String>,
    /// A further pointer whose text is added to the reason, e.g. an error message.
    #[serde(default)]
    pub detail: Words,
    /// This mapping applies only when the endpoint named here gave nothing usable, e.g. health read off
    /// the metrics of a node without `/health`. The endpoint above then only has to have answered.
    #[serde(default)]
    pub without: Option<String>,
    /// With `without`: the status when nothing else says worse.
    #[serde(default)]
    pub assume: Option<Status>,
}

fn unknown_status() -> Status {
    Status::Unknown
}

/// What a missing status word means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// The status is not known, and a reason says that the word is missing.
    #[default]
    Unknown,
    /// Nothing: another mapping decides.
    Ignore,
}

/// The worst declared status as a number.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusSeriesSpec {
    /// The series' name.
    pub name: String,
    /// Its HELP text.
    pub help: String,
    /// The number for each status; one that is not named gives no sample.
    pub values: BTreeMap<Status, f64>,
}

/// What a fact's value must be; a value that is not becomes a warning, not a fact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ValueKind {
    /// Any scalar.
    #[default]
    Any,
    /// A number, or text that is one. Integers of any length stay exact.
    Number,
    /// A whole number of at least 0.
    Count,
    /// `true` or `false` (or 1 or 0).
    Bool,
    /// Text.
    Text,
}

/// What a fact means to the fleet page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FactRole {
    /// Connected peers.
    Peers,
    /// The software version.
    Version,
    /// Process uptime in seconds; going down is a restart.
    Uptime,
    /// The process's start as Unix seconds; moving on is a restart.
    Started,
}

/// How several samples of one metric become one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Take {
    /// Their sum.
    #[default]
    Sum,
    /// The largest.
    Max,
    /// The smallest.
    Min,
}

/// One thing a node says about itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactSpec {
    /// Stable id, e.g. `blacklist_lag`. `{name}` is what a `*` in the pointer stood for.
    pub name: String,
    /// What a person reads; may hold `{name}`.
    pub title: String,
    /// The endpoint read; any, in the order declared, if left out.
    #[serde(default)]
    pub endpoint: Words,
    /// JSON Pointers (RFC 6901); the first that leads somewhere counts. A reference token that is
    /// just `*` means each member that no earlier fact has taken.
    #[serde(default)]
    pub pointer: Words,
    /// Metric names tried when no pointer gave a value.
    #[serde(default)]
    pub metric: Words,
    /// Labels the metric's samples must carry.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// With `metric`: the value is this label's, not the sample's (for `…_info` metrics).
    #[serde(default)]
    pub value_label: Option<String>,
    /// How several samples become one value.
    #[serde(default)]
    pub take: Take,
    /// The unit word; see `docs/family.md`.
    #[serde(default)]
    pub unit: String,
    /// What the value must be.
    #[serde(default)]
    pub value: ValueKind,
    /// What the fleet page uses it for.
    #[serde(default)]
    pub role: Option<FactRole>,
    /// Keep it off the list of facts (it serves a condition or a series only).
    #[serde(default)]
    pub hidden: bool,
    /// A value to use when the node says none. Never use it for a metric that is mandatory.
    #[serde(default)]
    pub default: Option<String>,
    /// A series derived from it, unless the node exposes one of that name itself.
    #[serde(default)]
    pub series: Option<SeriesSpec>,
}

/// The type of a derived series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SeriesKind {
    /// Goes up and down.
    #[default]
    Gauge,
    /// Only grows, but for restarts.
    Counter,
}

impl SeriesKind {
    /// The word of the exposition formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}

/// A series derived from a fact.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesSpec {
    /// Its name; `{name}` is what a `*` in the pointer stood for.
    pub name: String,
    /// Its type.
    #[serde(default)]
    pub kind: SeriesKind,
    /// Its HELP text.
    pub help: String,
    /// Numbers for words, e.g. `{ connected = 1, disconnected = 0 }`. `true` and `false` are 1 and 0 anyway.
    #[serde(default)]
    pub map: BTreeMap<String, f64>,
    /// The number for a word outside `map`; no sample, if left out.
    #[serde(default)]
    pub default: Option<f64>,
    /// The value becomes this label and the sample is 1 (for `…_info` series).
    #[serde(default)]
    pub value_label: Option<String>,
    /// The `*` of the pointer becomes this label.
    #[serde(default)]
    pub name_label: Option<String>,
}

/// A list of named checks inside a JSON answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChecksSpec {
    /// For `extends`: which entry this is.
    #[serde(default)]
    pub name: String,
    /// The endpoint read.
    pub endpoint: String,
    /// Each check: a pointer that ends in `/*`. Members of an object are named by their key; in an
    /// array, a text is its own name (a list of what failed).
    pub pointer: String,
    /// Where the check's word is, from the check; empty: the check itself is the word.
    #[serde(default)]
    pub word: String,
    /// Where an error text is, from the check.
    #[serde(default)]
    pub error: Words,
    /// Where the RFC 3339 time of the check is, from the check.
    #[serde(default)]
    pub time: Words,
    /// A time that did not move for this many rounds makes the check stale.
    #[serde(default = "stale_rounds_by_default")]
    pub stale_rounds: u32,
    /// The node's status when a check is stale.
    #[serde(default = "degraded")]
    pub stale_status: Status,
    /// What each word means.
    #[serde(default)]
    pub map: BTreeMap<String, Status>,
    /// What a word outside `map` means.
    #[serde(default = "unknown_status")]
    pub default: Status,
    /// Per check name (`*`: all others): the status it gives the node at worst, where it weighs less than
    /// its own.
    #[serde(default)]
    pub at_most: BTreeMap<String, Status>,
    /// Titles of known checks, for reasons; others are named as sent.
    #[serde(default)]
    pub titles: BTreeMap<String, String>,
    /// The reason: `{name}` is the title, `{value}` the word.
    #[serde(default = "check_reason_by_default")]
    pub reason: String,
    /// Per check name the series that is 1 when it is healthy and not stale, else 0.
    #[serde(default)]
    pub series: BTreeMap<String, SeriesNameSpec>,
    /// The series for all other checks, with the name in the label `check`.
    #[serde(default)]
    pub other_series: Option<SeriesNameSpec>,
}

fn stale_rounds_by_default() -> u32 {
    4
}

fn degraded() -> Status {
    Status::Degraded
}

fn check_reason_by_default() -> String {
    "Check {name} is {value}".to_owned()
}

/// A series' name and HELP text.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesNameSpec {
    /// Its name.
    pub name: String,
    /// Its HELP text.
    pub help: String,
}

/// A finding about a fact.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionSpec {
    /// The reason's code, e.g. `watchtowers-few`; `[target.bounds]` overrides its bound by this name.
    pub name: String,
    /// The fact looked at; a fact the node does not give holds no condition.
    pub fact: String,
    /// Holds when the value is below this.
    #[serde(default)]
    pub below: Option<f64>,
    /// Holds when the value is above this.
    #[serde(default)]
    pub above: Option<f64>,
    /// Holds when the value is one of these words.
    #[serde(default)]
    pub is: Words,
    /// Holds when the value has risen, without falling once, for this many seconds.
    #[serde(default)]
    pub rising_for: Option<u32>,
    /// Holds only after it was so for this many seconds.
    #[serde(default)]
    pub held_for: Option<u32>,
    /// What it makes of the node.
    pub status: Status,
    /// Why, in words; `{value}` and `{bound}` are filled in with their unit.
    pub reason: String,
    /// It also asks for the node to be taken out of traffic.
    #[serde(default)]
    pub drain: bool,
}
