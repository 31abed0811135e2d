//! The slash risks of a node against what the store has just heard, and where each is going.

mod history;
mod series;
#[cfg(test)]
mod tests;

use fleetglass_shared::{
    family::{Family, FamilyRisk, RiskQueries},
    health::{Fact, UnixMillis},
    promql::{Only, Options, Query, Value},
    risk::{self, Kind, Staked, Watch},
    sample::format_value,
    wire::{Outlook, Risk, Stake, Trend},
};
use history::history;
pub use history::{of_node, paced};
pub use series::{OwnSeries, own_series};

use crate::{
    config::StakeConfig,
    store::{Sample, Store},
};

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
    let node = of_node(store, subject.instance);
    memory.0.resize_with(subject.family.risks().len(), || None);
    let mut judged = Judged::default();
    let risks = subject.family.risks().zip(subject.family.risk_queries());
    for ((spec, queries), told) in risks.zip(&mut memory.0) {
        let own = OneRisk { spec, queries, node: &node, at };
        let watch = paced(own.watch(), subject.interval_ms);
        let value = own.value();
        let mut risk = spec.judge(&watch, value.map(|(_, value)| value));
        match value {
            None => *told = None,
            Some((index, value)) => {
                let outlook = own.outlook(&watch, index, value, told.as_ref());
                if spec.has_deadline() {
                    risk.firing = outlook.trend == Trend::Breached;
                }
                let soon = outlook.breach_at.is_some_and(|breach| breach - at < CLOSE_MS);
                judged.near |= spec.is_near(&watch, value) || (soon && !risk.firing);
                risk.outlook = Some(outlook.clone());
                risk.stake = stake(subject, &own);
                *told = Some(Told { value, bound: watch.bound, outlook });
            }
        }
        judged.risks.push(risk);
    }
    judged
}

/// A risk of a node at a time.
pub struct OneRisk<'a> {
    /// What the family says of it.
    pub spec: FamilyRisk<'a>,
    /// Its expressions.
    pub queries: &'a RiskQueries,
    /// Whose it is.
    pub node: &'a Only<'a>,
    /// When.
    pub at: UnixMillis,
}

impl OneRisk<'_> {
    /// What is watched, against the bound that the node tells if it does.
    pub fn watch(&self) -> Watch {
        // A bound that the target sets goes before one that the node tells.
        let own = !self.spec.spec().bound_expr.is_empty();
        let told = own.then(|| self.first(&self.queries.bounds, f64::max)).flatten();
        self.spec.watch(told.map(|(_, bound)| bound))
    }

    /// The value, with the place of the expression that gave it.
    pub fn value(&self) -> Option<(usize, f64)> {
        self.first(&self.queries.values, |one, other| self.spec.worse(one, other))
    }

    /// The values that say where it is going.
    pub fn history(&self, watch: &Watch, index: usize) -> Vec<Sample> {
        history(self.spec, self.queries, index, watch, self.node, self.at)
    }

    fn outlook(&self, watch: &Watch, index: usize, value: f64, told: Option<&Told>) -> Outlook {
        if self.spec.has_deadline() {
            let due = self.first(&self.queries.deadlines, f64::min).and_then(|(_, due)| moment(due));
            let new = risk::deadline(watch.is_breached(value), due, self.at);
            return risk::settled(told.map(|told| &told.outlook), new, self.at);
        }
        if let Some(told) = told.filter(|told| told.still_holds(value, watch.bound)) {
            return told.outlook.clone();
        }
        let mut samples = match watch.kind {
            Kind::Flag => Vec::new(),
            _ => self.history(watch, index),
        };
        // What rounds made of it does not know of this one yet.
        if samples.last().is_none_or(|(last, _)| *last < self.at) {
            samples.push((self.at, value));
        }
        let new = risk::predict(watch, value, &samples, self.at).outlook;
        risk::settled(told.map(|told| &told.outlook), new, self.at)
    }

    /// The worst value of the first expression that has one, and which that is.
    fn first(&self, queries: &[Query], worse: impl Fn(f64, f64) -> f64) -> Option<(usize, f64)> {
        queries.iter().enumerate().find_map(|(index, query)| {
            let values = match query.instant(self.node, self.at, &Options::default()).ok()?.value {
                Value::Scalar(values) => values,
                Value::Vector(lines) => {
                    lines.iter().filter_map(|line| line.values.first().copied()).collect()
                }
                Value::Matrix(_) | Value::Text(_) => Vec::new(),
            };
            let worst = values.into_iter().filter(|value| !value.is_nan()).reduce(&worse)?;
            Some((index, worst))
        })
    }
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
fn stake(subject: &Subject<'_>, own: &OneRisk<'_>) -> Option<Stake> {
    let OneRisk { spec, queries, .. } = own;
    let share = spec.slash()?.map(|share| share.to_string());
    if let Some(set) = subject.stake {
        return risk::at_stake(&Staked {
            title: "Stake".to_owned(),
            amount: set.amount.clone(),
            unit: set.unit.clone(),
            source: "set in the configuration".to_owned(),
            share: set.penalty.map(|share| share.to_string()).or(share),
        });
    }
    let of = spec.stake(subject.family.spec())?;
    let told = of.fact.iter().find_map(|name| {
        let fact = subject.facts.iter().find(|fact| fact.name == *name && !fact.stale)?;
        let unit = if of.unit.is_empty() { &fact.unit } else { &of.unit };
        Some((fact.value.clone(), unit.clone(), format!("“{}”, as the node tells it", fact.title)))
    });
    let (amount, unit, source) = told.or_else(|| {
        let (_, amount) = own.first(&queries.stakes, f64::max).filter(|(_, amount)| amount.is_finite())?;
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
