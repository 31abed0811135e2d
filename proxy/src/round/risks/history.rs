//! What a risk's value was in its window, and the store as one node's queries see it.

use std::collections::BTreeMap;

use fleetglass_shared::{
    family::{FamilyRisk, RiskQueries},
    health::UnixMillis,
    labels::Matcher,
    promql::{EachSeries, EvalError, Options, Steps, Storage, Value},
    sample::is_stale,
};

use crate::store::{Sample, Store};

/// A prediction needs so many values; a node that is asked seldom is looked at over a longer time.
const LEAST_ROUNDS: i64 = 12;
/// More steps than this are not evaluated.
const MOST_STEPS: i64 = 80;

/// The series of one node: a family's expressions are read once, and not for each of its nodes.
pub struct OneNode<'a> {
    store: &'a Store,
    instance: Matcher,
}

impl<'a> OneNode<'a> {
    /// The series of `instance`.
    pub fn new(store: &'a Store, instance: &str) -> Self {
        Self { store, instance: Matcher::equal("instance", instance) }
    }

    fn own(&self, matchers: &[Matcher]) -> Vec<Matcher> {
        matchers.iter().chain([&self.instance]).cloned().collect()
    }
}

impl Storage for OneNode<'_> {
    fn scan(&self, matchers: &[Matcher], from: i64, to: i64, each: EachSeries<'_>) -> Result<(), EvalError> {
        self.store.scan(&self.own(matchers), from, to, each)
    }

    fn scan_newest(
        &self,
        matchers: &[Matcher],
        from: i64,
        to: i64,
        each: EachSeries<'_>,
    ) -> Result<(), EvalError> {
        self.store.scan_newest(&self.own(matchers), from, to, each)
    }
}

/// The window of a risk of a node that is asked so often.
pub(super) fn window_ms(spec: FamilyRisk<'_>, interval_ms: i64) -> i64 {
    spec.window_ms().max(interval_ms.saturating_mul(LEAST_ROUNDS))
}

/// The values of the first expression that has any: a plain selector's samples at their own times, another's value at
/// each round. Of several series the worst at each time.
pub fn history(
    spec: FamilyRisk<'_>,
    queries: &RiskQueries,
    node: &OneNode<'_>,
    interval_ms: i64,
    at: UnixMillis,
) -> Vec<Sample> {
    let window = window_ms(spec, interval_ms);
    let samples = |index: usize| {
        let usual = queries.samples[index].as_ref().filter(|_| window == spec.window_ms());
        let mut worst: BTreeMap<UnixMillis, f64> = BTreeMap::new();
        let mut add = |time: UnixMillis, value: f64| {
            if !is_stale(value) && !value.is_nan() {
                worst.entry(time).and_modify(|worst| *worst = spec.worse(*worst, value)).or_insert(value);
            }
        };
        if let Some(query) = usual {
            if let Ok(Value::Matrix(series)) =
                query.instant(node, at, &Options::default()).map(|answer| answer.value)
            {
                series.iter().flat_map(|(_, samples)| samples).for_each(|&(time, value)| add(time, value));
            }
            return worst;
        }
        // Rounds come at one place in the interval, but not to the millisecond: half an interval later each has come.
        let step = interval_ms.max(window / MOST_STEPS).max(1);
        let late = interval_ms / 2;
        let steps = Steps { start: at + late - window / step * step, end: at + late, step };
        let lines = queries.values[index].range(node, steps, &Options::default());
        if let Ok(Value::Vector(lines)) = lines.map(|answer| answer.value) {
            for line in &lines {
                for (time, value) in steps.times().zip(&line.values) {
                    add(time - late, *value);
                }
            }
        }
        worst
    };
    (0..queries.values.len())
        .map(samples)
        .find(|found| !found.is_empty())
        .map_or(Vec::new(), |found| found.into_iter().collect())
}
