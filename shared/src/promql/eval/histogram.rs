//! Classic histograms: buckets as series with a label `le`.

use super::Eval;
use super::math::almost_equal;
use super::rows::{Places, Row, merged, nameless};
use crate::labels::{LabelSet, METRIC_NAME};
use crate::promql::error::EvalError;
use crate::promql::notes::Note;
use crate::promql::plan::Expr;
use crate::promql::storage::{is_stale, stale_marker};

/// The bound of a bucket.
const BUCKET_LABEL: &str = "le";
/// Counts that differ by less are the same but for rounding.
const SMALL_DELTA: f64 = 1e-12;

/// A histogram over the grid: its buckets by bound.
struct Histogram {
    labels: LabelSet,
    nameless: bool,
    metric: String,
    buckets: Vec<(f64, Vec<f64>)>,
}

/// A bucket at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bucket {
    upper: f64,
    count: f64,
}

impl Eval<'_> {
    pub(super) fn histogram_quantile(&self, q: &Expr, of: &Expr) -> Result<Vec<Row>, EvalError> {
        let at = q.at;
        let q = self.scalar(q)?;
        self.note_quantiles(&q, at);
        let histograms = self.histograms(of)?;
        let rows = self.quantile_rows(&histograms, &q, of.at)?;
        self.finished(rows)
    }

    pub(super) fn histogram_quantiles(&self, args: &[Expr]) -> Result<Vec<Row>, EvalError> {
        let [of, label, quantiles @ ..] = args else {
            return Err(EvalError::execution("histogram_quantiles takes a vector, a label, and quantiles"));
        };
        let label = self.text(label)?;
        let mut rows = Vec::new();
        let histograms = self.histograms(of)?;
        for quantile in quantiles {
            let q = self.scalar(quantile)?;
            self.note_quantiles(&q, quantile.at);
            let name = open_metrics_float(q.first().copied().unwrap_or(f64::NAN));
            for mut row in self.quantile_rows(&histograms, &q, of.at)? {
                let others = row.labels.iter().filter(|(other, _)| *other != label);
                row.labels = LabelSet::from_pairs(others.chain([(label, name.as_str())]));
                rows.push(row);
            }
        }
        self.finished(rows)
    }

    pub(super) fn histogram_fraction(
        &self,
        low: &Expr,
        high: &Expr,
        of: &Expr,
    ) -> Result<Vec<Row>, EvalError> {
        let (low, high) = (self.scalar(low)?, self.scalar(high)?);
        let mut rows = Vec::new();
        let mut buckets = Vec::new();
        for histogram in self.histograms(of)? {
            self.env.go_on()?;
            self.env.hold(self.steps())?;
            let at = |step: usize| {
                histogram.at(step, &mut buckets);
                if buckets.is_empty() {
                    stale_marker()
                } else {
                    fraction(low[step], high[step], &mut buckets)
                }
            };
            let values = (0..self.steps()).map(at).collect();
            rows.push(Row { labels: histogram.labels.clone(), nameless: histogram.nameless, values });
        }
        self.finished(rows)
    }

    fn note_quantiles(&self, quantiles: &[f64], at: usize) {
        for &q in quantiles.iter().filter(|q| q.is_nan() || !(0.0..=1.0).contains(*q)) {
            self.env.note(&Note::Quantile(q), at);
        }
    }

    fn quantile_rows(&self, histograms: &[Histogram], q: &[f64], at: usize) -> Result<Vec<Row>, EvalError> {
        let mut rows = Vec::with_capacity(histograms.len());
        let mut buckets = Vec::new();
        for histogram in histograms {
            self.env.go_on()?;
            self.env.hold(self.steps())?;
            let mut values = Vec::with_capacity(self.steps());
            for (step, &q) in q.iter().enumerate() {
                histogram.at(step, &mut buckets);
                if buckets.is_empty() {
                    values.push(stale_marker());
                    continue;
                }
                let (value, forced) = quantile(q, &mut buckets);
                if forced {
                    self.env.note(&Note::NotMonotonic(histogram.metric.clone()), at);
                }
                values.push(value);
            }
            rows.push(Row { labels: histogram.labels.clone(), nameless: histogram.nameless, values });
        }
        Ok(rows)
    }

    /// The histograms that a vector of buckets makes; what is no bucket is noted.
    fn histograms(&self, of: &Expr) -> Result<Vec<Histogram>, EvalError> {
        let mut found: Vec<Histogram> = Vec::new();
        let mut places = Places::default();
        let mut key = Vec::new();
        for row in self.rows(of)? {
            if row.values.iter().all(|value| is_stale(*value)) {
                continue;
            }
            let le = row.labels.get(BUCKET_LABEL).unwrap_or("");
            let Some(upper) = bound(le) else {
                let metric = row.labels.metric().to_owned();
                self.env.note(&Note::BucketLabel(le.to_owned(), metric), of.at);
                continue;
            };
            // Two metrics are two histograms, even if their names are to go.
            key.clear();
            for (name, value) in row.labels.iter().filter(|(name, _)| *name != BUCKET_LABEL) {
                key.extend_from_slice(name.as_bytes());
                key.push(0xff);
                key.extend_from_slice(value.as_bytes());
                key.push(0xff);
            }
            let place = places.of(&key);
            if place == found.len() {
                let metric = row.labels.metric().to_owned();
                let labels = row.labels.without(|name| name == BUCKET_LABEL);
                found.push(Histogram { labels, nameless: true, metric, buckets: Vec::new() });
            }
            found[place].buckets.push((upper, row.values));
        }
        found.iter_mut().for_each(|histogram| histogram.buckets.sort_by(|a, b| a.0.total_cmp(&b.0)));
        debug_assert_eq!(places.len(), found.len());
        Ok(found)
    }

    fn finished(&self, mut rows: Vec<Row>) -> Result<Vec<Row>, EvalError> {
        if !self.env.options.delayed_name_removal {
            for row in &mut rows {
                if row.labels.get(METRIC_NAME).is_some() {
                    row.labels = nameless(&row.labels);
                }
                row.nameless = false;
            }
        }
        merged(rows)
    }
}

impl Histogram {
    /// The buckets that are there at a step, by bound, those of one bound as one.
    fn at(&self, step: usize, buckets: &mut Vec<Bucket>) {
        buckets.clear();
        for (upper, values) in &self.buckets {
            let count = values[step];
            if is_stale(count) {
                continue;
            }
            match buckets.last_mut() {
                Some(last) if last.upper == *upper => last.count += count,
                _ => buckets.push(Bucket { upper: *upper, count }),
            }
        }
    }
}

fn bound(le: &str) -> Option<f64> {
    match le.trim_start_matches(['+', '-']).to_ascii_lowercase().as_str() {
        // Rust reads "infinity" and Go does too; both refuse the empty text.
        "nan" => None,
        _ => le.parse().ok(),
    }
}

/// A quantile as a label's value, in OpenMetrics's form: a whole number has a `.0`.
fn open_metrics_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let text = crate::sample::go_float(value);
    if text.contains(['.', 'e', 'I']) { text } else { format!("{text}.0") }
}

/// The quantile, and whether the counts had to be made to rise.
///
/// Source: the algorithm is described in Prometheus's documentation of `histogram_quantile`.
fn quantile(q: f64, buckets: &mut [Bucket]) -> (f64, bool) {
    let plain = |value| (value, false);
    if q.is_nan() {
        return plain(f64::NAN);
    }
    if q < 0.0 {
        return plain(f64::NEG_INFINITY);
    }
    if q > 1.0 {
        return plain(f64::INFINITY);
    }
    if buckets.last().is_none_or(|last| last.upper != f64::INFINITY) {
        return plain(f64::NAN);
    }
    let forced = make_rise(buckets);
    let [lower @ .., last] = &*buckets else { return (f64::NAN, forced) };
    let Some(highest) = lower.last().filter(|_| last.count != 0.0 && !last.count.is_nan()) else {
        return (f64::NAN, forced);
    };
    let rank = q * last.count;
    let found = lower.iter().position(|bucket| bucket.count >= rank);
    let value = match found {
        None => highest.upper,
        Some(0) if lower[0].upper <= 0.0 => lower[0].upper,
        Some(at) => {
            let (start, below) = match at.checked_sub(1) {
                Some(before) => (lower[before].upper, lower[before].count),
                None => (0.0, 0.0),
            };
            start + (lower[at].upper - start) * ((rank - below) / (lower[at].count - below))
        }
    };
    (value, forced)
}

/// Makes the counts never fall. Whether one fell by more than rounding explains.
fn make_rise(buckets: &mut [Bucket]) -> bool {
    let mut forced = false;
    let Some(mut before) = buckets.first().map(|bucket| bucket.count) else { return false };
    for bucket in &mut buckets[1..] {
        if bucket.count == before {
            continue;
        }
        if almost_equal(before, bucket.count, SMALL_DELTA) {
            bucket.count = before;
        } else if bucket.count < before {
            bucket.count = before;
            forced = true;
        } else {
            before = bucket.count;
        }
    }
    forced
}

/// The part of all observations between two values, interpolated within buckets.
fn fraction(low: f64, high: f64, buckets: &mut [Bucket]) -> f64 {
    if buckets.last().is_none_or(|last| last.upper != f64::INFINITY) {
        return f64::NAN;
    }
    let count = buckets.last().map_or(0.0, |last| last.count);
    if count == 0.0 || low.is_nan() || high.is_nan() || count.is_nan() {
        return f64::NAN;
    }
    if low >= high {
        return 0.0;
    }
    (rank_of(high, buckets, count) - rank_of(low, buckets, count)) / count
}

/// How many observations are below a value.
fn rank_of(value: f64, buckets: &[Bucket], count: f64) -> f64 {
    let mut below = 0.0;
    let mut start = match buckets.first() {
        Some(first) if first.upper > 0.0 => 0.0,
        _ => f64::NEG_INFINITY,
    };
    for bucket in buckets {
        if start >= value {
            return f64::min(below, count);
        }
        if bucket.upper > value {
            // In a bucket without an end nothing is known of where its observations lie.
            let rank = if start == f64::NEG_INFINITY {
                bucket.count
            } else if bucket.upper == f64::INFINITY {
                below
            } else {
                below + (bucket.count - below) * (value - start) / (bucket.upper - start)
            };
            return f64::min(rank, count);
        }
        (below, start) = (bucket.count, bucket.upper);
    }
    count
}
