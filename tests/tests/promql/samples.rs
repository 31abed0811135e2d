//! The samples of the differential test: an hour of them, every 15 s, with all that may be odd in series.

use std::fmt::Write as _;

use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::promql::MemoryStorage;

/// The first sample, in milliseconds: no step and no edge of a window falls on 321 ms.
const FIRST: i64 = 1_700_000_407_321;
const EVERY: i64 = 15_000;
const COUNT: i64 = 240;

/// A series and its samples.
pub(crate) type Series = (LabelSet, Vec<(i64, f64)>);

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

pub(crate) fn all() -> Vec<Series> {
    let mut found = Vec::new();
    for (number, (node, zone)) in [("a", "eu"), ("b", "eu"), ("c", "us"), ("d", "ap")].into_iter().enumerate()
    {
        let mut dice = Dice(number as u64 + 1);
        let base = [("node", node), ("zone", zone)];
        let mut add = |name: &str, more: &[(&str, &str)], samples: Vec<(i64, f64)>| {
            let labels = base.iter().chain(more).copied().chain([("__name__", name)]);
            found.push((LabelSet::from_pairs(labels), samples));
        };
        // A counter that begins anew now and then.
        let mut count = number as f64 * 1000.0;
        let requests = each(|n| {
            count =
                if (n + 13 * number as i64) % 70 == 69 { 0.0 } else { count + (dice.roll() * 40.0).floor() };
            Some(count)
        });
        add("requests_total", &[], requests);
        let mut heat = 15.0;
        let temperature = each(|_| {
            heat += dice.roll() * 4.0 - 2.0;
            Some(heat)
        });
        add("temperature", &[], temperature);
        add("flag", &[], each(|n| Some(((n / (7 + number as i64)) % 4) as f64)));
        // Gaps longer than the look-back, and a lone sample.
        add("sparse", &[], each(|n| (n % 60 < 20 + number as i64 || n % 60 == 45).then_some(n as f64 * 1.5)));
        let odd = [f64::NAN, f64::INFINITY, 0.0, -1.5, f64::NEG_INFINITY, 0.5];
        add("odd", &[], each(|n| Some(odd[((n / 8) as usize + number) % odd.len()])));
        let mut buckets = [0.0; 5];
        let mut columns: Vec<Vec<(i64, f64)>> = vec![Vec::new(); 7];
        for n in 0..COUNT {
            let seen = dice.roll() * dice.roll() * 3.0;
            for (bucket, bound) in buckets.iter_mut().zip([0.1, 0.5, 1.0, 2.0, f64::INFINITY]) {
                *bucket += f64::from(seen <= bound) * 4.0;
            }
            let sum = columns[5].last().map_or(0.0, |last| last.1) + seen * 4.0;
            let values = buckets.iter().copied().chain([sum, buckets[4]]);
            columns.iter_mut().zip(values).for_each(|(column, value)| column.push((time(n), value)));
        }
        for (le, column) in ["0.1", "0.5", "1", "2", "+Inf"].into_iter().zip(&columns) {
            add("latency_bucket", &[("le", le)], column.clone());
        }
        add("latency_sum", &[], columns[5].clone());
        add("latency_count", &[], columns[6].clone());
        for (le, count) in [("1", 3.0), ("2", 2.0), ("4", 9.0), ("+Inf", 8.0)] {
            add("falling_bucket", &[("le", le)], each(|n| Some(count * (n + 1) as f64)));
        }
        add("limits", &[("owner", ["x", "y", ""][number % 3])], each(|_| Some(1.0 + number as f64)));
    }
    found
}

fn time(n: i64) -> i64 {
    FIRST + n * EVERY
}

fn each(mut value: impl FnMut(i64) -> Option<f64>) -> Vec<(i64, f64)> {
    (0..COUNT).filter_map(|n| Some((time(n), value(n)?))).collect()
}

/// As promtool reads them.
pub(crate) fn open_metrics(all: &[Series]) -> String {
    let mut out = String::new();
    // A metric's samples must not be apart from each other.
    let mut sorted: Vec<&Series> = all.iter().collect();
    sorted.sort_by_key(|(labels, _)| labels.metric().to_owned());
    for (labels, samples) in sorted {
        for (time, value) in samples {
            let value = match *value {
                value if value == f64::INFINITY => "+Inf".to_owned(),
                value if value == f64::NEG_INFINITY => "-Inf".to_owned(),
                value => value.to_string(),
            };
            let _ = writeln!(out, "{labels} {value} {}.{:03}", time / 1000, time % 1000);
        }
    }
    out + "# EOF\n"
}

pub(crate) fn storage(all: &[Series]) -> MemoryStorage {
    let mut storage = MemoryStorage::default();
    all.iter().for_each(|(labels, samples)| storage.add(labels.clone(), samples));
    storage
}
