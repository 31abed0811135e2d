//! What a family shows: mandatory metrics, the sparkline, charts.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::family::words::Words;

/// A metric every node must expose.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MandatorySpec {
    /// Its names, the usual one first: any of them will do.
    pub metric: Words,
    /// What it is for.
    #[serde(default)]
    pub meaning: String,
    /// The endpoint that must expose it; the first of kind `metrics`, if left out.
    #[serde(default)]
    pub endpoint: Option<String>,
}

/// The series drawn small beside each node.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SparkSpec {
    /// What a person reads, e.g. `Peers`.
    pub title: String,
    /// Its unit.
    #[serde(default)]
    pub unit: String,
    /// The fact whose numbers are drawn.
    pub fact: String,
}

/// One chart.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PanelSpec {
    /// What a person reads.
    pub title: String,
    /// Charts are grouped by this.
    #[serde(default)]
    pub subsystem: String,
    /// The unit of the y axis.
    #[serde(default)]
    pub unit: String,
    /// One or more lines.
    pub queries: Vec<QuerySpec>,
    /// A dashed line.
    #[serde(default)]
    pub bound: Option<BoundSpec>,
    /// Start the y axis at zero.
    #[serde(default = "yes")]
    pub from_zero: bool,
}

fn yes() -> bool {
    true
}

/// One line (or set of lines) of a chart.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuerySpec {
    /// An expression in the forms `docs/family.md` lists.
    pub expr: String,
    /// Its name; `{label}` stands for a label's value.
    #[serde(default)]
    pub legend: String,
}

/// A bound drawn in a chart.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoundSpec {
    /// Its name.
    pub title: String,
    /// Where it lies.
    pub value: f64,
}
