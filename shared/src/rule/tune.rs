//! Another threshold, another `for`, another severity, or silence, for some of a rule's alerts, without a copy of
//! the rule.

use super::group::{Context, Given, instant};
use super::{Rule, RuleKind};
use crate::labels::{LabelSet, Matcher};
use crate::promql::{EvalError, Query};

/// What is changed, and for which alerts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Override {
    /// The alert's name.
    pub alert: String,
    /// Of what the expression gives, only series that pass all of these.
    pub matchers: Vec<Matcher>,
    /// The bound of the expression.
    pub threshold: Option<f64>,
    /// Which bound, where it has several.
    pub instead_of: Option<f64>,
    /// How long before it fires.
    pub for_ms: Option<i64>,
    /// How long it goes on firing when its expression gives nothing any more.
    pub keep_firing_for_ms: Option<i64>,
    /// The `severity` label.
    pub severity: Option<String>,
    /// It never fires.
    pub off: bool,
}

/// Why an override cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the override of {alert} cannot be used: {why}")]
pub struct OverrideError {
    /// The alert.
    pub alert: String,
    /// Why.
    pub why: String,
}

/// A rule's overrides, ready to be used. Of several that match a series the first counts.
#[derive(Clone, Debug, Default)]
pub struct Tuned(Vec<Variant>);

#[derive(Clone, Debug)]
struct Variant {
    matchers: Vec<Matcher>,
    query: Option<Query>,
    for_ms: Option<i64>,
    keep_firing_for_ms: Option<i64>,
    severity: Option<String>,
    off: bool,
}

impl Tuned {
    /// The overrides of a rule.
    ///
    /// # Errors
    /// The rule has no such bound, or it is not an alerting rule.
    pub fn of(rule: &Rule, overrides: &[Override]) -> Result<Self, OverrideError> {
        let mut variants = Vec::new();
        for own in overrides.iter().filter(|own| own.alert == rule.name) {
            let error = |why: String| OverrideError { alert: own.alert.clone(), why };
            if !rule.is_alerting() {
                return Err(error("it is a recording rule".to_owned()));
            }
            let query = own.threshold.map(|to| rule.query.with_threshold(own.instead_of, to)).transpose();
            variants.push(Variant {
                matchers: own.matchers.clone(),
                query: query.map_err(error)?,
                for_ms: own.for_ms,
                keep_firing_for_ms: own.keep_firing_for_ms,
                severity: own.severity.clone(),
                off: own.off,
            });
        }
        Ok(Self(variants))
    }

    /// What the rule gives, each series by the bound that holds for it.
    pub(super) fn instant(&self, rule: &Rule, at: i64, context: &Context<'_>) -> Result<Given, EvalError> {
        let mut given = instant(&rule.query, at, context)?;
        if self.0.iter().all(|variant| variant.query.is_none() && !variant.off) {
            return Ok(given);
        }
        let first = |labels: &LabelSet| self.0.iter().position(|variant| variant.matches(labels));
        given.vector.retain(|(labels, _)| {
            first(labels).is_none_or(|index| self.0[index].query.is_none() && !self.0[index].off)
        });
        for (index, variant) in self.0.iter().enumerate().filter(|(_, variant)| !variant.off) {
            if let Some(query) = &variant.query {
                let own = instant(query, at, context)?;
                given
                    .vector
                    .extend(own.vector.into_iter().filter(|(labels, _)| first(labels) == Some(index)));
            }
        }
        Ok(given)
    }

    fn first(&self, labels: &LabelSet) -> Option<&Variant> {
        self.0.iter().find(|variant| variant.matches(labels))
    }

    /// The severity of an alert, where it is not its label's.
    pub fn severity(&self, labels: &LabelSet) -> Option<&str> {
        self.first(labels)?.severity.as_deref()
    }

    /// How long an alert pends before it fires, and goes on firing.
    pub(super) fn times(&self, rule: &Rule, labels: &LabelSet) -> (i64, i64) {
        let RuleKind::Alerting { for_ms, keep_firing_for_ms, .. } = rule.kind else { return (0, 0) };
        let own = self.first(labels);
        let set = |time: fn(&Variant) -> Option<i64>, else_: i64| own.and_then(time).unwrap_or(else_);
        (set(|own| own.for_ms, for_ms), set(|own| own.keep_firing_for_ms, keep_firing_for_ms))
    }
}

impl Variant {
    fn matches(&self, labels: &LabelSet) -> bool {
        self.matchers.iter().all(|matcher| matcher.matches_set(labels))
    }
}
