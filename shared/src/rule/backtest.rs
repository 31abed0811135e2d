//! When a rule would have fired over what is stored: its expression over a range, and its `for` over that.

use super::AlertState;
use super::{Rule, RuleKind};
use crate::labels::LabelSet;
use crate::promql::{EvalError, Options, Steps, Storage, Value, is_stale};

/// What a rule would have done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backtest {
    /// Each time it would have fired, in order of its begin.
    pub firings: Vec<Firing>,
    /// Series for which its expression was true at some step.
    pub series: usize,
    /// How often its expression was true, but not for long enough.
    pub passed_over: usize,
    /// What may be wrong, in Prometheus's words.
    pub warnings: Vec<String>,
}

/// One alert, from the first step at which its expression was true.
#[derive(Clone, Debug, PartialEq)]
pub struct Firing {
    /// The labels of the series.
    pub labels: LabelSet,
    /// Since when the expression was true.
    pub active_at: i64,
    /// When it would have fired.
    pub fired_at: i64,
    /// When it would have been resolved; `None` when it fires at the end.
    pub resolved_at: Option<i64>,
    /// The value at the time of firing.
    pub value: f64,
}

/// Evaluates a rule at every step. Recording rules fire never.
///
/// # Errors
/// As [`EvalError`] says.
pub fn backtest(
    rule: &Rule,
    storage: &dyn Storage,
    steps: Steps,
    options: &Options<'_>,
) -> Result<Backtest, EvalError> {
    let RuleKind::Alerting { for_ms, keep_firing_for_ms, .. } = rule.kind else {
        return Ok(Backtest::default());
    };
    let answer = rule.query.range(storage, steps, options)?;
    let mut found = Backtest { warnings: answer.warnings, ..Backtest::default() };
    let lines = match answer.value {
        Value::Scalar(values) => vec![(LabelSet::default(), values)],
        Value::Vector(lines) => lines.into_iter().map(|line| (line.labels, line.values)).collect(),
        Value::Matrix(_) | Value::Text(_) => Vec::new(),
    };
    found.series = lines.len();
    for (labels, values) in lines {
        let mut life = Life {
            labels: labels.without(|name| name == crate::labels::METRIC_NAME),
            begun: None,
            held_since: None,
        };
        for (at, value) in steps.times().zip(values) {
            life.step(at, (!is_stale(value)).then_some(value), (for_ms, keep_firing_for_ms), &mut found);
        }
        if let Some((AlertState::Firing, firing)) = life.begun {
            found.firings.push(firing);
        }
    }
    found.firings.sort_by(|a, b| (a.active_at, &a.labels).cmp(&(b.active_at, &b.labels)));
    Ok(found)
}

/// One series on its way through the steps.
struct Life {
    labels: LabelSet,
    begun: Option<(AlertState, Firing)>,
    held_since: Option<i64>,
}

impl Life {
    fn step(&mut self, at: i64, value: Option<f64>, (for_ms, keep_ms): (i64, i64), found: &mut Backtest) {
        match (value, self.begun.take()) {
            (None, None) => {}
            (Some(value), None) => {
                let firing = Firing {
                    labels: self.labels.clone(),
                    active_at: at,
                    fired_at: at,
                    resolved_at: None,
                    value,
                };
                let state = if for_ms <= 0 { AlertState::Firing } else { AlertState::Pending };
                self.begun = Some((state, firing));
            }
            (Some(value), Some((state, mut firing))) => {
                self.held_since = None;
                if state == AlertState::Pending && at - firing.active_at >= for_ms {
                    (firing.fired_at, firing.value) = (at, value);
                    self.begun = Some((AlertState::Firing, firing));
                } else {
                    self.begun = Some((state, firing));
                }
            }
            (None, Some((AlertState::Firing, mut firing))) => {
                let since = *self.held_since.get_or_insert(at);
                if at - since < keep_ms {
                    self.begun = Some((AlertState::Firing, firing));
                } else {
                    firing.resolved_at = Some(at);
                    self.held_since = None;
                    found.firings.push(firing);
                }
            }
            (None, Some(_)) => found.passed_over += 1,
        }
    }
}
