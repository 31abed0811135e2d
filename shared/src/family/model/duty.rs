//! What a node owes, so that a restart just now would break a promise: deadlines, holds, settlement, membership.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::family::words::Words;

/// How the value of a fact tells when something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Due {
    /// It is the Unix time of it, in seconds; 0 is never.
    At,
    /// It is the seconds until then.
    In,
    /// It is the seconds that have passed since then.
    Since,
}

/// What a duty that is owed says of a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Forbids {
    /// Not while it is owed.
    #[default]
    Restart,
    /// Nothing: a person should only know.
    Nothing,
}

/// Something a node owes. It has exactly one test: `above`, `below`, `is` or `due`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DutySpec {
    /// Stable id, e.g. `sla-deadline`.
    pub name: String,
    /// The fact looked at. It must be one that is shown, so that a person can check the verdict.
    pub fact: String,
    /// Owed while the value is above this.
    #[serde(default)]
    pub above: Option<f64>,
    /// Owed while the value is below this.
    #[serde(default)]
    pub below: Option<f64>,
    /// Owed while the value is one of these words.
    #[serde(default)]
    pub is: Words,
    /// The value says when it is due: wait until then.
    #[serde(default)]
    pub due: Option<Due>,
    /// With `due`: owed from so many seconds before it.
    #[serde(default = "within_by_default")]
    pub within: u32,
    /// With `due`: owed for so many seconds after it, too.
    #[serde(default)]
    pub lasts: u32,
    /// With `due` and `while`: once its time is over and the other fact still holds, it is overdue: no restart.
    #[serde(default)]
    pub overdue: bool,
    /// Owed only while this other fact is true, or above 0. Where it is not known, it counts as such.
    #[serde(default, rename = "while")]
    pub only_while: Option<String>,
    /// What it says of a restart.
    #[serde(default)]
    pub forbids: Forbids,
    /// Not every node tells the fact: one that does not owes nothing. Without it, a node that does not tell
    /// it is never said to be safe to restart.
    #[serde(default)]
    pub optional: bool,
    /// What is owed, in words; `{value}` is filled in with its unit.
    pub reason: String,
    /// What to do before a restart, in words.
    #[serde(default)]
    pub action: String,
}

fn within_by_default() -> u32 {
    900
}
