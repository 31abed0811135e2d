//! One evaluation of a group: what its rules say at a time, and the samples that gives.

use std::collections::{BTreeMap, BTreeSet};

use super::AlertState;
use super::alerting::{Active, Evidence, Seen, advance};
use super::tune::Tuned;
use super::{ALERT_NAME, RuleGroup, RuleKind};
use crate::labels::{LabelSet, METRIC_NAME};
use crate::promql::{EvalError, Only, Options, Storage, Value, is_stale, stale_marker};
use crate::template::{self, AlertData, Host};

/// What an evaluation reads beside its rules.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What expressions read.
    pub storage: &'a dyn Storage,
    /// Labels and address of this server, for templates.
    pub external_labels: &'a LabelSet,
    /// Where this server is reached.
    pub external_url: &'a str,
    /// What can be seen at the time.
    pub evidence: &'a dyn Evidence,
    /// How expressions are evaluated.
    pub options: Options<'a>,
}

/// A rule's alerts, and how its last evaluation went.
#[derive(Clone, Debug, Default)]
pub struct RuleState {
    /// Its alerts by their labels, the name among them.
    pub active: BTreeMap<LabelSet, Active>,
    /// The series it gave the last time: those that it does not give again end.
    written: BTreeSet<LabelSet>,
}

/// What is kept of a group from one evaluation to the next, a state for each rule in its order.
#[derive(Clone, Debug, Default)]
pub struct GroupState {
    /// The rules' states.
    pub rules: Vec<RuleState>,
}

/// What one evaluation of a rule came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleOutcome {
    /// Samples of the time of the evaluation, stale markers among them.
    pub samples: Vec<(LabelSet, f64)>,
    /// Why it gave nothing, if it failed. Its alerts are then as they were.
    pub error: Option<String>,
    /// What may be wrong with what it gave, in Prometheus's words.
    pub warnings: Vec<String>,
}

impl GroupState {
    /// Evaluates the rule of that number at a time. A rule that fails changes nothing.
    pub fn evaluate(
        &mut self,
        group: &RuleGroup,
        index: usize,
        tuned: &Tuned,
        at: i64,
        context: &Context<'_>,
    ) -> RuleOutcome {
        self.rules.resize_with(group.rules.len().max(self.rules.len()), RuleState::default);
        let (Some(rule), Some(state)) = (group.rules.get(index), self.rules.get_mut(index)) else {
            return RuleOutcome::default();
        };
        let seen_at = at - group.query_offset_ms.unwrap_or(0);
        let given = tuned.instant(rule, seen_at, context);
        let mut warnings = Vec::new();
        let made = given.map_err(|error| error.to_string()).and_then(|given| {
            warnings = given.warnings;
            match &rule.kind {
                RuleKind::Recording => {
                    let samples = recorded(&rule.name, &rule.labels, given.vector)?;
                    within(group.limit, samples.len(), "series")?;
                    Ok(samples)
                }
                RuleKind::Alerting { annotations, .. } => {
                    let (seen, faults) = expanded(rule, annotations, given.vector, seen_at, context)?;
                    warnings.extend(faults);
                    within(group.limit, seen.len(), "alerts")?;
                    let times = |labels: &LabelSet| tuned.times(rule, labels);
                    advance(&mut state.active, seen, at, &times, context.evidence);
                    Ok(state.samples())
                }
            }
        });
        match made {
            Ok(samples) => RuleOutcome { samples: state.with_ends(samples), error: None, warnings },
            Err(error) => RuleOutcome { samples: Vec::new(), error: Some(error), warnings },
        }
    }
}

impl GroupState {
    /// Evaluates an alerting rule for one value of a label alone, to which its expression is local
    /// ([`crate::promql::Query::is_local_to`]). The alerts of other values stay as they are.
    pub fn evaluate_for(
        &mut self,
        group: &RuleGroup,
        index: usize,
        tuned: &Tuned,
        at: i64,
        context: &Context<'_>,
        (label, value): (&str, &str),
    ) -> RuleOutcome {
        self.rules.resize_with(group.rules.len().max(self.rules.len()), RuleState::default);
        let others = |labels: &LabelSet| labels.get(label) != Some(value);
        let state = &mut self.rules[index];
        let active: BTreeMap<LabelSet, Active> =
            state.active.extract_if(.., |labels, _| others(labels)).collect();
        let written: BTreeSet<LabelSet> = state.written.extract_if(.., others).collect();
        let only = Only::new(context.storage, label, value);
        let context = Context { storage: &only, ..*context };
        let outcome = self.evaluate(group, index, tuned, at, &context);
        let state = &mut self.rules[index];
        state.active.extend(active);
        state.written.extend(written);
        outcome
    }
}

impl RuleState {
    /// Alerts that an earlier run had, with the series that it wrote for them.
    pub fn restored(active: BTreeMap<LabelSet, Active>) -> Self {
        let mut state = Self { active, written: BTreeSet::new() };
        state.written = state.samples().into_iter().map(|(labels, _)| labels).collect();
        state
    }

    /// An end for each series that it wrote: its rule is gone.
    pub fn ended(&mut self) -> Vec<(LabelSet, f64)> {
        std::mem::take(&mut self.written).into_iter().map(|labels| (labels, stale_marker())).collect()
    }

    /// `ALERTS` and `ALERTS_FOR_STATE` of what pends and fires.
    fn samples(&self) -> Vec<(LabelSet, f64)> {
        let mut samples = Vec::new();
        for (labels, alert) in self.active.iter().filter(|(_, alert)| alert.state != AlertState::Resolved) {
            let with = |name: &'static str, more: Option<(&'static str, &'static str)>| {
                let own = labels.iter().filter(|(label, _)| *label != "alertstate" || more.is_none());
                LabelSet::from_pairs(own.chain([(METRIC_NAME, name)]).chain(more))
            };
            samples.push((with("ALERTS", Some(("alertstate", alert.state.as_str()))), 1.0));
            samples.push((with("ALERTS_FOR_STATE", None), (alert.active_at.div_euclid(1000)) as f64));
        }
        samples
    }

    /// The samples, with an end for each series that was there before and is not among them.
    fn with_ends(&mut self, mut samples: Vec<(LabelSet, f64)>) -> Vec<(LabelSet, f64)> {
        let written: BTreeSet<LabelSet> = samples.iter().map(|(labels, _)| labels.clone()).collect();
        let ended = self.written.difference(&written).map(|labels| (labels.clone(), stale_marker()));
        samples.extend(ended);
        self.written = written;
        samples
    }
}

/// What an expression gives at one time.
pub(super) struct Given {
    pub(super) vector: Vec<(LabelSet, f64)>,
    pub(super) warnings: Vec<String>,
}

/// The value of an expression as a vector: a number is a series without labels.
pub(super) fn instant(
    query: &crate::promql::Query,
    at: i64,
    context: &Context<'_>,
) -> Result<Given, EvalError> {
    let answer = query.instant(context.storage, at, &context.options)?;
    let vector = match answer.value {
        Value::Scalar(values) => values.into_iter().map(|value| (LabelSet::default(), value)).collect(),
        Value::Vector(lines) => lines
            .into_iter()
            .filter_map(|line| {
                Some((line.labels, line.values.first().copied().filter(|value| !is_stale(*value))?))
            })
            .collect(),
        Value::Matrix(_) | Value::Text(_) => {
            return Err(EvalError::Execution("rule result is not a vector or scalar".to_owned()));
        }
    };
    Ok(Given { vector, warnings: answer.warnings })
}

fn within(limit: usize, count: usize, what: &str) -> Result<(), String> {
    if limit > 0 && count > limit {
        return Err(format!("exceeded limit of {limit} with {count} {what}"));
    }
    Ok(())
}

fn recorded(
    name: &str,
    labels: &BTreeMap<String, String>,
    vector: Vec<(LabelSet, f64)>,
) -> Result<Vec<(LabelSet, f64)>, String> {
    let mut seen = BTreeSet::new();
    let mut samples = Vec::with_capacity(vector.len());
    for (own, value) in vector {
        let labels = laid_over(
            &own,
            labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain([(METRIC_NAME, name)]),
        );
        if !seen.insert(labels.clone()) {
            return Err(
                "vector contains metrics with the same labelset after applying rule labels".to_owned()
            );
        }
        samples.push((labels, value));
    }
    Ok(samples)
}

/// Labels laid over those of a series: an empty value takes one away.
fn laid_over<'a>(own: &'a LabelSet, over: impl Iterator<Item = (&'a str, &'a str)>) -> LabelSet {
    let mut all: BTreeMap<&str, &str> = own.iter().collect();
    all.extend(over);
    LabelSet::from_pairs(all)
}

/// What `query` in a template asks.
struct Asking<'a, 'c> {
    at: i64,
    context: &'a Context<'c>,
}

impl Host for Asking<'_, '_> {
    fn query(&mut self, expr: &str) -> Result<Vec<template::Sample>, String> {
        let query = crate::promql::Query::parse(expr).map_err(|error| error.to_string())?;
        let given = instant(&query, self.at, self.context).map_err(|error| error.to_string())?;
        Ok(given.vector.into_iter().map(|(labels, value)| template::Sample { labels, value }).collect())
    }

    fn external_url(&self) -> &str {
        self.context.external_url
    }

    fn now(&self) -> Option<f64> {
        Some(self.at as f64 / 1000.0)
    }
}

type Expanded = (BTreeMap<LabelSet, Seen>, Vec<String>);

/// Labels and annotations of each alert; a template that fails becomes its error, which is told too.
fn expanded(
    rule: &super::Rule,
    annotations: &BTreeMap<String, String>,
    vector: Vec<(LabelSet, f64)>,
    at: i64,
    context: &Context<'_>,
) -> Result<Expanded, String> {
    let mut seen = BTreeMap::new();
    let mut faults = Vec::new();
    let name = format!("__alert_{}", rule.name);
    for (own, value) in vector {
        let data = AlertData {
            labels: &own,
            external_labels: context.external_labels,
            external_url: context.external_url,
            value,
        };
        let mut expand = |field: &str, text: &str| {
            template::expand(&name, text, &data, &mut Asking { at, context }).unwrap_or_else(|error| {
                faults.push(format!("{field}: {error}"));
                format!("<error expanding template: {error}>")
            })
        };
        let set: Vec<(&str, String)> =
            rule.labels.iter().map(|(name, text)| (name.as_str(), expand(name, text))).collect();
        let over = set.iter().map(|(name, value)| (*name, value.as_str()));
        let labels = laid_over(&own, over.chain([(METRIC_NAME, ""), (ALERT_NAME, rule.name.as_str())]));
        let annotations = annotations.iter().map(|(name, text)| (name.clone(), expand(name, text))).collect();
        if seen.insert(labels, Seen { annotations, value }).is_some() {
            return Err(
                "vector contains metrics with the same labelset after applying alert labels".to_owned()
            );
        }
    }
    faults.dedup();
    Ok((seen, faults))
}
