//! What a family watches: its slash risks, and what they cost.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::family::words::Words;

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

/// How the value of a risk moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RiskKind {
    /// Up and down.
    Gauge,
    /// Up only; it begins anew with the process.
    Counter,
    /// Yes or no.
    Flag,
}

/// What is staked: facts and expressions, of which the first that is told counts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StakeSpec {
    /// What a person reads, e.g. `Bond`.
    pub title: String,
    /// Facts that tell it, digit for digit.
    #[serde(default)]
    pub fact: Words,
    /// Expressions that give it, where no fact does.
    #[serde(default)]
    pub expr: Words,
    /// Its unit; that of the fact, if left out.
    #[serde(default)]
    pub unit: String,
}

/// `true`, `false`, or a part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slash {
    /// Whether it costs stake; how much of it nobody says.
    Told(bool),
    /// The part of the stake that it costs.
    Part(f64),
}

// Not an untagged enum: its errors would not say what was expected.
impl<'de> Deserialize<'de> for Slash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BoolOrPart;
        impl Visitor<'_> for BoolOrPart {
            type Value = Slash;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, or a part from 0 to 1")
            }

            fn visit_bool<E>(self, is: bool) -> Result<Slash, E> {
                Ok(Slash::Told(is))
            }

            fn visit_f64<E: de::Error>(self, part: f64) -> Result<Slash, E> {
                if (0.0..=1.0).contains(&part) {
                    Ok(Slash::Part(part))
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(part), &self))
                }
            }

            fn visit_i64<E: de::Error>(self, part: i64) -> Result<Slash, E> {
                self.visit_f64(part as f64)
            }
        }
        deserializer.deserialize_any(BoolOrPart)
    }
}

impl JsonSchema for Slash {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Slash".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Whether a breach costs stake, or the part of it.",
            "oneOf": [{ "type": "boolean" }, { "type": "number", "minimum": 0, "maximum": 1 }]
        })
    }
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
    /// Expressions for a bound that the node itself tells; the first that has a value counts in place of `bound`.
    #[serde(default)]
    pub bound_expr: Words,
    /// How the value moves; told by the expression and the unit, if left out.
    #[serde(default)]
    pub kind: Option<RiskKind>,
    /// The values of so many seconds say where it is going; a time that fits the unit, if left out.
    #[serde(default)]
    pub window: Option<u32>,
    /// Expressions for the Unix time at which a value beyond the bound becomes a breach: until then it is only owed.
    #[serde(default)]
    pub deadline: Words,
    /// A breach costs stake: `true`, or the part of it, from 0 to 1.
    #[serde(default)]
    pub slash: Option<Slash>,
    /// What is at stake here, if it is not the family's `stake`.
    #[serde(default)]
    pub stake: Option<StakeSpec>,
    /// How to show value and bound.
    #[serde(default)]
    pub unit: String,
    /// What is at stake.
    pub meaning: String,
    /// What to do.
    pub action: String,
}
