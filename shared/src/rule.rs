//! Rules: Prometheus's rule files read with places, and evaluated over whatever holds series.
//!
//! Pure: storage, times, and what is not known of a target are arguments. A rule means what it means in
//! Prometheus; where Fleetglass does more, it says so by a name of its own ([`Evidence`], [`Override`]).
//!
//! | module | gives |
//! |---|---|
//! | this file | [`RuleGroup`], [`Rule`]: rules that were understood |
//! | `yaml` | YAML with the place of everything |
//! | `file` | [`RuleFile`]: the rules of a file, and what is wrong with the others |
//! | `alerting` | [`Active`]: pending, firing, resolved |
//! | `group` | [`GroupState`]: one evaluation of a group, and the samples it gives |
//! | `tune` | [`Override`]: another threshold or `for`, without a copy of the rule |
//! | `unit` | unit tests in promtool's format |
//! | `backtest` | when a rule would have fired |

mod alerting;
mod backtest;
mod file;
mod group;
#[cfg(test)]
mod tests;
mod tune;
pub mod unit;
mod yaml;

use std::collections::BTreeMap;

pub use alerting::{Active, Evidence, RESOLVED_RETENTION_MS};
pub use backtest::{Backtest, Firing, backtest};
pub use file::{RuleFault, RuleFile, duration};
pub use group::{Context, GroupState, RuleOutcome, RuleState};
pub use tune::{Override, OverrideError, Tuned};
pub use yaml::Place;

use crate::promql::Query;
pub use crate::wire::{AlertState, Held};

/// The label that names an alert.
pub const ALERT_NAME: &str = "alertname";

/// Rules that are evaluated together, one after the other.
#[derive(Clone, Debug)]
pub struct RuleGroup {
    /// Its name, the only one in its file.
    pub name: String,
    /// How often; the server's default where there is none.
    pub interval_ms: Option<i64>,
    /// The most series or alerts that one of its rules may give; 0 is no limit.
    pub limit: usize,
    /// How far in the past it looks.
    pub query_offset_ms: Option<i64>,
    /// The rules, in order: a later one sees what an earlier one recorded.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The metric it records, or the alert.
    pub name: String,
    /// What it does with what its expression gives.
    pub kind: RuleKind,
    /// Its expression.
    pub query: Query,
    /// Labels that are set, the group's among them; templates in an alerting rule.
    pub labels: BTreeMap<String, String>,
    /// Where its name stands in its file.
    pub place: Place,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// It records what its expression gives under another name.
    Recording,
    /// It says that something is wrong.
    Alerting {
        /// How long before it fires.
        for_ms: i64,
        /// How long it goes on firing when its expression gives nothing any more.
        keep_firing_for_ms: i64,
        /// Templates.
        annotations: BTreeMap<String, String>,
    },
}

impl Rule {
    /// Whether it is an alerting rule.
    pub fn is_alerting(&self) -> bool {
        matches!(self.kind, RuleKind::Alerting { .. })
    }
}
