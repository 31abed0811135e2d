//! The slash risks of a node against what the store has just heard, and where each is going.

mod history;
mod series;

use fleetglass_shared::{
    family::{Family, FamilyRisk, RiskQueries},
    health::{Fact, UnixMillis},
    promql::{Options, Query, Value},
    risk::{self, Kind, Staked, Watch},
    sample::format_value,
    wire::{Outlook, Risk, Stake, Trend},
};
pub use history::{OneNode, history};
pub use series::{OwnSeries, own_series};

use crate::{config::StakeConfig, store::Store};

/// With less time left than this a node is asked more often.
const CLOSE_MS: i64 = 60_000;

/// Whose risks are judged.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its family, with the bounds of its target.
    pub family: &'a Family,
    /// Its id.
    pub instance: &'a str,
    /// What it has just said about itself.
    pub facts: &'a [Fact],
    /// What it has staked by the configuration.
    pub stake: Option<&'a StakeConfig>,
    /// How often it is asked.
    pub interval_ms: i64,
}

/// What was told of a node's risks before.
#[derive(Debug, Default)]
pub struct RiskMemory(Vec<Option<Told>>);

#[derive(Debug)]
struct Told {
    value: f64,
    bound: f64,
    outlook: Outlook,
}

impl Told {
    /// Whether a value that is as it was says nothing new: it has stood still for long.
    fn still_holds(&self, value: f64, bound: f64) -> bool {
        let is_same = self.value.to_bits() == value.to_bits() && self.bound.to_bits() == bound.to_bits();
        is_same && self.outlook.trend == Trend::Steady && self.outlook.slope == Some(0.0)
    }
}

/// A node's risks, and whether one of them is about to be one.
#[derive(Debug, Default)]
pub struct Judged {
    /// Every risk of the family, with its value now where the node exposes it.
    pub risks: Vec<Risk>,
    /// A value is close to its bound.
    pub near: bool,
}

/// Holds every risk of the family against its value now, and foresees where it is going.
pub fn judge(store: &Store, subject: &Subject<'_>, memory: &mut RiskMemory, at: UnixMillis) -> Judged {
    let family = subject.family;
    let node = OneNode::new(store, subject.instance);
    memory.0.resize_with(family.risks().len(), || None);
    let mut judged = Judged::default();
    for ((spec, queries), told) in family.risks().zip(family.risk_queries()).zip(&mut memory.0) {
        let watch = watch(spec, queries, &node, at);
        let value = now(&queries.values, &node, at, |one, other| spec.worse(one, other));
        let mut risk = spec.judge(&watch, value);
        match risk.value {
            None => *told = None,
            Some(value) => {
                let outlook = outlook(subject, spec, queries, &watch, value, told.as_ref(), &node, at);
                if spec.has_deadline() {
                    risk.firing = outlook.trend == Trend::Breached;
                }
                let soon = outlook.breach_at.is_some_and(|breach| breach - at < CLOSE_MS);
                judged.near |= spec.is_near(&watch, value) || (soon && !risk.firing);
                risk.outlook = Some(outlook.clone());
                risk.stake = stake(subject, spec, queries, &node, at);
                *told = Some(Told { value, bound: watch.bound, outlook });
            }
        }
        judged.risks.push(risk);
    }
    judged
}

/// What is watched, against the bound that the node tells if it does.
pub fn watch(spec: FamilyRisk<'_>, queries: &RiskQueries, node: &OneNode<'_>, at: UnixMillis) -> Watch {
    // A bound that the target sets goes before one that the node tells.
    let own = !spec.spec().bound_expr.is_empty();
    let told = own.then(|| now(&queries.bounds, node, at, f64::max)).flatten();
    spec.watch(told)
}

#[expect(clippy::too_many_arguments, reason = "all of one risk, and each of another kind")]
fn outlook(
    subject: &Subject<'_>,
    spec: FamilyRisk<'_>,
    queries: &RiskQueries,
    watch: &Watch,
    value: f64,
    told: Option<&Told>,
    node: &OneNode<'_>,
    at: UnixMillis,
) -> Outlook {
    if spec.has_deadline() {
        let due = now(&queries.deadlines, node, at, f64::min).and_then(moment);
        return risk::deadline(watch.is_breached(value), due, at);
    }
    if let Some(told) = told.filter(|told| told.still_holds(value, watch.bound)) {
        return told.outlook.clone();
    }
    let samples = match watch.kind {
        Kind::Flag => Vec::new(),
        _ => history(spec, queries, node, subject.interval_ms, at),
    };
    let new = risk::predict(watch, value, &samples, at).outlook;
    risk::settled(told.map(|told| &told.outlook), new, at)
}

/// The worst value of the first expression that has one.
fn now(
    queries: &[Query],
    node: &OneNode<'_>,
    at: UnixMillis,
    worse: impl Fn(f64, f64) -> f64,
) -> Option<f64> {
    queries.iter().find_map(|query| value_of(query, node, at, &worse))
}

/// Which of some expressions has a value, the first of them.
pub fn first_with_value(queries: &[Query], node: &OneNode<'_>, at: UnixMillis) -> Option<usize> {
    queries.iter().position(|query| value_of(query, node, at, &f64::max).is_some())
}

fn value_of(
    query: &Query,
    node: &OneNode<'_>,
    at: UnixMillis,
    worse: &dyn Fn(f64, f64) -> f64,
) -> Option<f64> {
    let values = match query.instant(node, at, &Options::default()).ok()?.value {
        Value::Scalar(values) => values,
        Value::Vector(lines) => lines.iter().filter_map(|line| line.values.first().copied()).collect(),
        Value::Matrix(_) | Value::Text(_) => Vec::new(),
    };
    values.into_iter().filter(|value| !value.is_nan()).reduce(worse)
}

/// A Unix time in seconds, or finer, which its size tells; `None` of what is none.
fn moment(mut seconds: f64) -> Option<UnixMillis> {
    if !seconds.is_finite() || seconds <= 0.0 {
        return None;
    }
    while seconds >= 1e11 {
        seconds /= 1000.0;
    }
    Some((seconds * 1000.0) as UnixMillis)
}

/// What a breach of the risk costs, if that is known: by the configuration, else by what the node tells.
fn stake(
    subject: &Subject<'_>,
    spec: FamilyRisk<'_>,
    queries: &RiskQueries,
    node: &OneNode<'_>,
    at: UnixMillis,
) -> Option<Stake> {
    let share = spec.slash()?.map(|share| share.to_string());
    if let Some(own) = subject.stake {
        return risk::at_stake(&Staked {
            title: "Stake".to_owned(),
            amount: own.amount.clone(),
            unit: own.unit.clone(),
            source: "set in the configuration".to_owned(),
            share: own.penalty.map(|share| share.to_string()).or(share),
        });
    }
    let of = spec.stake(subject.family.spec())?;
    let told = of.fact.iter().find_map(|name| {
        let fact = subject.facts.iter().find(|fact| fact.name == *name && !fact.stale)?;
        let unit = if of.unit.is_empty() { &fact.unit } else { &of.unit };
        Some((fact.value.clone(), unit.clone(), format!("“{}”, as the node tells it", fact.title)))
    });
    let (amount, unit, source) = told.or_else(|| {
        let amount = now(&queries.stakes, node, at, f64::max).filter(|amount| amount.is_finite())?;
        Some((plain(amount), of.unit.clone(), of.expr.join(" or ")))
    })?;
    risk::at_stake(&Staked { title: of.title.clone(), amount, unit, source, share })
}

/// A number as people write it: no more digits than a float of this size has.
fn plain(amount: f64) -> String {
    let places = if amount.abs() >= 1e6 { 0 } else { 4 };
    let text = format!("{amount:.places$}");
    if amount == amount.trunc() { format_value(amount) } else { text }
}
