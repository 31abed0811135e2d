//! What a risk's value was before now, and the store as one node's queries see it.

use std::collections::BTreeMap;

use fleetglass_shared::{
    family::{FamilyRisk, RiskQueries},
    health::UnixMillis,
    labels::{METRIC_NAME, Matcher},
    promql::{Only, Options, Storage, Value},
    risk::{self, Watch},
    sample::is_stale,
};

use super::series::HEADROOM;
use crate::store::{Sample, Store};

/// A prediction needs so many values; a node that is asked seldom is looked at over a longer time.
const LEAST_ROUNDS: i64 = 12;

/// The series of one node: a family's expressions are read once, and not for each of its nodes.
pub fn of_node<'a>(store: &'a Store, instance: &str) -> Only<'a> {
    Only::new(store, "instance", instance)
}

/// A watch over a node that is asked so often.
pub fn paced(watch: Watch, interval_ms: i64) -> Watch {
    Watch { window_ms: watch.window_ms.max(interval_ms.saturating_mul(LEAST_ROUNDS)), ..watch }
}

/// The values that say where a risk is going, in order. `index` is the expression that its value is from. Those of a
/// plain selector are the node's own samples; those of another expression are what each round made of it, which the
/// series of the headroom tells. Of several series the worst counts.
pub(super) fn history(
    spec: FamilyRisk<'_>,
    queries: &RiskQueries,
    index: usize,
    watch: &Watch,
    node: &Only<'_>,
    at: UnixMillis,
) -> Vec<Sample> {
    let mut worst: BTreeMap<UnixMillis, f64> = BTreeMap::new();
    let mut add = |time: UnixMillis, value: f64| {
        if !is_stale(value) && !value.is_nan() {
            worst.entry(time).and_modify(|worst| *worst = spec.worse(*worst, value)).or_insert(value);
        }
    };
    let usual = watch.window_ms == spec.window_ms();
    if let Some(query) = queries.samples.get(index).and_then(Option::as_ref).filter(|_| usual) {
        let answer = query.instant(node, at, &Options::default());
        if let Ok(Value::Matrix(series)) = answer.map(|answer| answer.value) {
            series.iter().flat_map(|(_, samples)| samples).for_each(|&(time, value)| add(time, value));
        }
    } else {
        let from = at.saturating_sub(risk::history_ms(watch.window_ms));
        let own = [Matcher::equal(METRIC_NAME, HEADROOM), Matcher::equal("risk", spec.name())];
        // What cannot be read leaves a history that is too short, and the outlook says so.
        let _ = node.scan(&own, from, at, &mut |series| {
            for (time, part) in series.times.iter().zip(series.values) {
                if let Some(value) = risk::value_at(watch, *part).filter(|_| (from..=at).contains(time)) {
                    add(*time, value);
                }
            }
            Ok(())
        });
    }
    worst.into_iter().collect()
}
