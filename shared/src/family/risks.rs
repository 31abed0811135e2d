//! A family's slash risks: what is asked of the store for them, and a value against its bound.

use super::Family;
use super::expr::Expr;
use super::model::{Crossing, FamilySpec, RiskKind, RiskSpec, Slash, StakeSpec};
use super::panels::for_instance;
use super::words::Words;
use crate::promql::Query;
use crate::risk::{self, Kind, Side, Watch};
use crate::wire;

/// The share of its bound within which a value is near it.
const NEAR: f64 = 0.2;
/// The values of so many seconds say where it is going: a lag is told by minutes, a disk by the hour.
const WINDOWS: [(&[&str], u32); 2] = [(&["seconds", "milliseconds"], 600), (&["bytes", "percent"], 3600)];
/// For any other unit.
const WINDOW: u32 = 900;

/// The expressions of a risk, read once for all nodes: whoever evaluates them shows them one node's series only. Of
/// each list the first with a value counts.
#[derive(Clone, Debug)]
pub struct RiskQueries {
    /// Its value.
    pub values: Vec<Query>,
    /// For each of them what gives the samples that a prediction looks at, where it is a plain selector.
    pub samples: Vec<Option<Query>>,
    /// Its bound, where the node tells one.
    pub bounds: Vec<Query>,
    /// When it becomes a breach, in Unix seconds.
    pub deadlines: Vec<Query>,
    /// What is at stake.
    pub stakes: Vec<Query>,
}

impl RiskQueries {
    /// The expressions were checked before.
    pub(super) fn of(family: &FamilySpec, spec: &RiskSpec) -> Self {
        let all = |words: &Words| words.iter().map(|text| read(text)).collect();
        let span = risk::history_ms(FamilyRisk(spec).window_ms());
        let samples = |text: &String| Query::parse(&format!("{text}[{span}ms]")).ok();
        let stake = FamilyRisk(spec).stake(family).map(|stake| all(&stake.expr));
        Self {
            values: all(&spec.expr),
            samples: spec.expr.iter().map(samples).collect(),
            bounds: all(&spec.bound_expr),
            deadlines: all(&spec.deadline),
            stakes: stake.unwrap_or_default(),
        }
    }
}

fn read(text: &str) -> Query {
    Query::parse(text).expect("every expression is checked when a family is read")
}

/// A slash risk of a family.
#[derive(Clone, Copy, Debug)]
pub struct FamilyRisk<'a>(pub(super) &'a RiskSpec);

impl<'a> FamilyRisk<'a> {
    /// What the family says of it.
    pub fn spec(self) -> &'a RiskSpec {
        self.0
    }

    /// Its name.
    pub fn name(self) -> &'a str {
        &self.0.name
    }

    /// PromQL of its value for one node, the first that may have one first.
    pub fn exprs_for(self, instance: &str) -> Vec<String> {
        self.0.expr.iter().map(|expr| for_instance(expr, instance)).collect()
    }

    /// The worse of two values, where an expression gave several.
    pub fn worse(self, one: f64, other: f64) -> f64 {
        match self.0.when {
            Crossing::Above => one.max(other),
            Crossing::Below => one.min(other),
        }
    }

    /// How much of the past says where it is going.
    pub fn window_ms(self) -> i64 {
        let usual = || WINDOWS.iter().find(|(units, _)| units.contains(&self.0.unit.as_str()));
        i64::from(self.0.window.unwrap_or_else(|| usual().map_or(WINDOW, |(_, seconds)| *seconds))) * 1000
    }

    /// Whether it becomes a breach at a time that the node tells.
    pub fn has_deadline(self) -> bool {
        !self.0.deadline.is_empty()
    }

    /// What is watched, with the bound that the node tells in place of the family's.
    pub fn watch(self, bound: Option<f64>) -> Watch {
        let side = match self.0.when {
            Crossing::Above => Side::Above,
            Crossing::Below => Side::Below,
        };
        let bound = bound.filter(|bound| bound.is_finite()).unwrap_or(self.0.bound);
        Watch { side, bound, kind: self.kind(bound), window_ms: self.window_ms() }
    }

    fn kind(self, bound: f64) -> Kind {
        match self.0.kind {
            Some(RiskKind::Gauge) => Kind::Gauge,
            Some(RiskKind::Counter) => Kind::Counter,
            Some(RiskKind::Flag) => Kind::Flag,
            None if self.0.unit == "bool" || self.has_deadline() => Kind::Flag,
            // Where nothing is allowed the first is the breach: nothing leads there.
            None if bound == 0.0 && self.0.when == Crossing::Above => Kind::Flag,
            None if self.0.expr.first().is_some_and(|expr| is_counter(expr)) => Kind::Counter,
            None => Kind::Gauge,
        }
    }

    /// Whether a value has less than a fifth of its bound left to it, and has not crossed it. Of what is either
    /// there or not nothing is near.
    pub fn is_near(self, watch: &Watch, value: f64) -> bool {
        let margin = watch.bound.abs() * NEAR;
        match watch.side {
            Side::Above => value <= watch.bound && value > watch.bound - margin,
            Side::Below => {
                let flag = watch.bound <= 1.0 && value == 1.0;
                value >= watch.bound && value < watch.bound + margin && !flag
            }
        }
    }

    /// The risk against a value; `None`, or a value that is no number, when the node does not expose it.
    pub fn judge(self, watch: &Watch, value: Option<f64>) -> wire::Risk {
        let spec = self.0;
        let value = value.filter(|value| !value.is_nan());
        wire::Risk {
            name: spec.name.clone(),
            title: spec.title.clone(),
            severity: spec.severity.as_str().to_owned(),
            value,
            bound: watch.bound,
            unit: spec.unit.clone(),
            meaning: spec.meaning.clone(),
            action: spec.action.clone(),
            firing: value.is_some_and(|value| watch.is_breached(value)),
            headroom: value.and_then(|value| risk::headroom(watch, value)),
            outlook: None,
            stake: None,
        }
    }

    /// Whether a breach costs stake, and if so which part of it where the family tells.
    pub fn slash(self) -> Option<Option<f64>> {
        match self.0.slash? {
            Slash::Told(is) => is.then_some(None),
            Slash::Part(part) => Some(Some(part)),
        }
    }

    /// What it takes from.
    pub fn stake(self, family: &'a FamilySpec) -> Option<&'a StakeSpec> {
        self.slash()?;
        self.0.stake.as_ref().or(family.stake.as_ref())
    }
}

/// Whether an expression is one counter, by its name.
fn is_counter(expr: &str) -> bool {
    let name = expr.split('{').next().unwrap_or_default().trim();
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':');
    plain && name.to_ascii_lowercase().ends_with("_total") && Expr::parse(expr).is_ok()
}

impl Family {
    /// The slash risks, in the family's order.
    pub fn risks(&self) -> impl ExactSizeIterator<Item = FamilyRisk<'_>> {
        self.spec.risk.iter().map(FamilyRisk)
    }

    /// What they ask of the store, in the same order.
    pub fn risk_queries(&self) -> &[RiskQueries] {
        &self.queries
    }
}
