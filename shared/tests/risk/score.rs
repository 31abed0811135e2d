//! What each method says at each sample, and what that was worth.

use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::promql::{MemoryStorage, Options, Query, Steps, Value};
use fleetglass_shared::risk::{Kind, Side, Watch, predict};
use fleetglass_shared::sample::is_stale;

use super::incidents::{BOUND, Run, STEP_S};

/// "Breach in under 10 minutes".
const AHEAD_S: i64 = 600;
/// An alarm may come so long before the breach and still be of it.
const RIGHT_S: i64 = 900;
/// Alarms with shorter gaps are one.
const GAP_S: i64 = 60;
/// Nothing is judged before there is a past.
const FIRST_S: i64 = 600;

/// The ways to warn, in the order of the scores.
pub(crate) const METHODS: [&str; 3] = ["Fleetglass", "> 80 % of the bound", "predict_linear(x[10m], 600)"];

/// When each method gives the alarm, in seconds.
pub(crate) fn alarms(run: &Run) -> [Vec<i64>; 3] {
    let watch = Watch { side: Side::Above, bound: BOUND, kind: Kind::Gauge, window_ms: 600_000 };
    let samples: Vec<(i64, f64)> = run.values.iter().map(|(at, value)| (at * 1000, *value)).collect();
    let judged = || samples.iter().enumerate().filter(|(_, sample)| sample.0 >= FIRST_S * 1000);
    let ours = judged().filter(|(index, (at, value))| {
        // No more than four windows are looked at: 160 samples.
        let seen = &samples[index.saturating_sub(170)..=*index];
        let outlook = predict(&watch, *value, seen, *at).outlook;
        outlook.breach_at.is_some_and(|breach| breach - at < AHEAD_S * 1000)
    });
    let ours: Vec<i64> = ours.map(|(_, sample)| sample.0 / 1000).collect();
    let threshold = judged().filter(|(_, sample)| sample.1 > BOUND * 0.8);
    let threshold = threshold.map(|(_, sample)| sample.0 / 1000).collect();
    [ours, threshold, linear(&samples)]
}

/// Prometheus's own, by our evaluator.
fn linear(samples: &[(i64, f64)]) -> Vec<i64> {
    let mut storage = MemoryStorage::default();
    storage.add(LabelSet::from_pairs([("__name__", "x")]), samples);
    let query = Query::parse(&format!("predict_linear(x[10m], {AHEAD_S}) > {BOUND}")).unwrap();
    let end = samples.last().map_or(0, |sample| sample.0);
    let steps = Steps { start: FIRST_S * 1000, end, step: STEP_S * 1000 };
    let Value::Vector(lines) = query.range(&storage, steps, &Options::default()).unwrap().value else {
        panic!("a comparison of a vector is one");
    };
    let times = lines.iter().flat_map(|line| steps.times().zip(&line.values));
    times.filter(|(_, value)| !is_stale(**value)).map(|(time, _)| time / 1000).collect()
}

/// What a method was worth.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Score {
    pub(crate) breaches: usize,
    /// Breaches of which it warned.
    pub(crate) warned: usize,
    pub(crate) false_alarms: usize,
    warning_s: i64,
    watched_s: i64,
}

impl Score {
    /// Adds a run. Alarms from the breach on are none: it has happened.
    pub(crate) fn add(&mut self, run: &Run, alarms: &[i64]) {
        let end = run.breach.or(run.values.last().map(|sample| sample.0)).unwrap_or(0);
        self.watched_s += (end - FIRST_S).max(0);
        let mut episodes: Vec<(i64, i64)> = Vec::new();
        for &at in alarms.iter().filter(|at| run.breach.is_none_or(|breach| **at < breach)) {
            match episodes.last_mut() {
                Some((_, last)) if at - *last <= GAP_S => *last = at,
                _ => episodes.push((at, at)),
            }
        }
        let Some(breach) = run.breach else {
            self.false_alarms += episodes.len();
            return;
        };
        self.breaches += 1;
        // The alarm that stands when it happens.
        let standing = episodes.last().filter(|(_, last)| breach - last <= GAP_S).copied();
        if let Some((first, _)) = standing {
            self.warned += 1;
            self.warning_s += (breach - first).min(RIGHT_S);
        }
        self.false_alarms += episodes.iter().filter(|(first, _)| breach - first > RIGHT_S).count();
    }

    /// Both together.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self {
            breaches: self.breaches + other.breaches,
            warned: self.warned + other.warned,
            false_alarms: self.false_alarms + other.false_alarms,
            warning_s: self.warning_s + other.warning_s,
            watched_s: self.watched_s + other.watched_s,
        }
    }

    /// How long before a breach it warned, in seconds; of a breach without a warning 0.
    pub(crate) fn mean_warning(&self) -> Option<f64> {
        (self.breaches > 0).then(|| self.warning_s as f64 / self.breaches as f64)
    }

    pub(crate) fn false_in_100_hours(&self) -> f64 {
        self.false_alarms as f64 * 360_000.0 / self.watched_s.max(1) as f64
    }
}
