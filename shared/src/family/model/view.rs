//! What a family shows and watches: mandatory metrics, the sparkline, charts and slash risks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// How bad a risk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Within hours.
    Warning,
    /// At once.
    Critical,
}

impl Severity {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// On which side of the bound the risk lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Crossing {
    /// A value above the bound.
    #[default]
    Above,
    /// A value below the bound.
    Below,
}

/// A slash risk.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskSpec {
    /// Stable id; `[target.bounds]` overrides its bound by this name.
    pub name: String,
    /// What a person reads.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Expressions in the forms `docs/family.md` lists; the first that has a value counts.
    pub expr: Words,
    /// On which side of the bound the risk lies.
    #[serde(default)]
    pub when: Crossing,
    /// The bound.
    pub bound: f64,
    /// How to show value and bound.
    #[serde(default)]
    pub unit: String,
    /// What is at stake.
    pub meaning: String,
    /// What to do.
    pub action: String,
}
