//! Functions over samples, with Prometheus's arithmetic.

use crate::store::Sample;

/// How much a counter grew in a window, extrapolated to the window's ends: `increase()`; divided by the
/// window's seconds it is `rate()`. `samples` are those in `(start, end]`, without stale markers.
///
/// Source: `extrapolatedRate` in prometheus/promql/functions.go, v3.
pub(super) fn increase(samples: &[Sample], start: i64, end: i64) -> Option<f64> {
    let (&(first_at, first), &(last_at, last)) = (samples.first()?, samples.last()?);
    if samples.len() < 2 {
        return None;
    }
    // A counter that fell began again at 0: what it had is added.
    let resets: f64 = samples.windows(2).filter(|w| w[1].1 < w[0].1).map(|w| w[0].1).sum();
    let growth = last - first + resets;
    let seconds = |from: i64, to: i64| (to - from) as f64 / 1000.0;
    let sampled = seconds(first_at, last_at);
    let between = sampled / (samples.len() - 1) as f64;
    // A series that ends well before the window's end is taken to go on for half an interval only.
    let within = |gap: f64| if gap >= between * 1.1 { between / 2.0 } else { gap };
    let mut before = within(seconds(start, first_at));
    if growth > 0.0 && first >= 0.0 {
        // Going back further than where it would have been 0 cannot be right.
        before = before.min(sampled * (first / growth));
    }
    let after = within(seconds(last_at, end));
    Some(growth * ((sampled + before + after) / sampled))
}

/// A classic histogram bucket: its upper bound and the count up to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    pub(super) upper: f64,
    pub(super) count: f64,
}

/// The quantile of a classic histogram, interpolated within its bucket.
///
/// Source: `BucketQuantile` in prometheus/promql/quantile.go, v3.
pub(super) fn bucket_quantile(quantile: f64, mut buckets: Vec<Bucket>) -> f64 {
    if quantile.is_nan() {
        return f64::NAN;
    }
    if quantile < 0.0 {
        return f64::NEG_INFINITY;
    }
    if quantile > 1.0 {
        return f64::INFINITY;
    }
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    if buckets.last().is_none_or(|last| last.upper != f64::INFINITY) {
        return f64::NAN;
    }
    buckets.dedup_by(|later, earlier| {
        let same = later.upper == earlier.upper;
        if same {
            earlier.count += later.count;
        }
        same
    });
    make_monotonic(&mut buckets);
    let Some(top) = buckets.len().checked_sub(1).filter(|&top| top > 0) else {
        return f64::NAN;
    };
    let all = buckets[top].count;
    if all == 0.0 {
        return f64::NAN;
    }
    let mut rank = quantile * all;
    let at = buckets[..top].partition_point(|bucket| bucket.count < rank || bucket.count.is_nan());
    if at == top {
        return buckets[top - 1].upper;
    }
    if at == 0 && buckets[0].upper <= 0.0 {
        return buckets[0].upper;
    }
    let mut start = 0.0;
    let Bucket { upper: end, mut count } = buckets[at];
    if let Some(below) = at.checked_sub(1).map(|below| buckets[below]) {
        start = below.upper;
        count -= below.count;
        rank -= below.count;
    }
    start + (end - start) * (rank / count)
}

/// Counts that fall with the bound come from buckets scraped or rated apart: each is at least the one before.
fn make_monotonic(buckets: &mut [Bucket]) {
    const TOLERANCE: f64 = 1e-12;
    let mut before = buckets.first().map_or(0.0, |bucket| bucket.count);
    for bucket in buckets.iter_mut().skip(1) {
        let apart = (bucket.count - before).abs();
        let nearly = apart < f64::MIN_POSITIVE || apart / (bucket.count.abs() + before.abs()) < TOLERANCE;
        if bucket.count < before || nearly {
            bucket.count = before;
        }
        before = bucket.count;
    }
}

/// A sum that does not lose the small beside the large (Neumaier).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub(super) fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        if sum.is_infinite() {
            self.lost = 0.0;
        } else if self.sum.abs() >= value.abs() {
            self.lost += (self.sum - sum) + value;
        } else {
            self.lost += (value - sum) + self.sum;
        }
        self.sum = sum;
    }

    pub(super) fn get(self) -> f64 {
        if self.sum.is_infinite() { self.sum } else { self.sum + self.lost }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn every_15s(values: &[f64]) -> Vec<Sample> {
        values.iter().enumerate().map(|(i, &v)| (15_000 * i as i64, v)).collect()
    }

    fn close(a: Option<f64>, b: f64) {
        assert!((a.unwrap() - b).abs() < 1e-9, "{a:?} is not {b}");
    }

    /// Worked by hand from extrapolatedRate's definition.
    #[test]
    fn increase_extrapolates_as_prometheus_does() {
        // Samples at 0, 15, …, 60 s growing by 10; the window is (-5 s, 65 s]: both gaps are shorter than
        // 16.5 s and so are filled: 40 × (60 + 5 + 5) / 60. The first value 100 is far from zero.
        let steady = every_15s(&[100.0, 110.0, 120.0, 130.0, 140.0]);
        close(increase(&steady, -5_000, 65_000), 40.0 * 70.0 / 60.0);
        // Gaps of 60 s are longer than 16.5 s: half an interval, 7.5 s, at each end.
        close(increase(&steady, -60_000, 120_000), 40.0 * 75.0 / 60.0);
        // From 5, at 40 in 60 s, zero was 7.5 s before: the gap of 10 s is cut to that.
        let young = every_15s(&[5.0, 15.0, 25.0, 35.0, 45.0]);
        close(increase(&young, -10_000, 60_000), 40.0 * 67.5 / 60.0);
        // From 0 there is nothing before.
        let newborn = every_15s(&[0.0, 10.0, 20.0, 30.0, 40.0]);
        close(increase(&newborn, -10_000, 60_000), 40.0);
    }

    #[test]
    fn a_reset_adds_what_was_counted_before_it() {
        // 100 → 130, begins again, 5 → 15: growth 15 - 100 + 130 = 45 in 60 s, no gaps.
        let reset = every_15s(&[100.0, 130.0, 5.0, 10.0, 15.0]);
        close(increase(&reset, 0, 60_000), 45.0);
        assert_eq!(increase(&every_15s(&[1.0]), 0, 60_000), None);
        assert_eq!(increase(&[], 0, 60_000), None);
        // A counter that stands still does not grow, whatever is extrapolated.
        close(increase(&every_15s(&[7.0, 7.0, 7.0]), -5_000, 40_000), 0.0);
    }

    fn buckets(counts: &[(f64, f64)]) -> Vec<Bucket> {
        counts.iter().map(|&(upper, count)| Bucket { upper, count }).collect()
    }

    #[test]
    fn quantiles_of_a_classic_histogram() {
        let inf = f64::INFINITY;
        let usual = || buckets(&[(inf, 100.0), (0.1, 20.0), (0.5, 60.0), (1.0, 90.0)]);
        // Rank 50 of 100 is the 30th of 40 in (0.1, 0.5].
        assert!((bucket_quantile(0.5, usual()) - 0.4).abs() < 1e-12);
        assert!((bucket_quantile(0.1, usual()) - 0.05).abs() < 1e-12);
        assert_eq!(bucket_quantile(0.95, usual()), 1.0);
        assert_eq!(bucket_quantile(-0.1, usual()), f64::NEG_INFINITY);
        assert_eq!(bucket_quantile(1.1, usual()), inf);
        assert!(bucket_quantile(0.5, buckets(&[(1.0, 5.0)])).is_nan());
        assert!(bucket_quantile(0.5, buckets(&[(inf, 5.0)])).is_nan());
        assert!(bucket_quantile(0.5, buckets(&[(1.0, 0.0), (inf, 0.0)])).is_nan());
        assert_eq!(bucket_quantile(0.5, buckets(&[(-1.0, 9.0), (1.0, 10.0), (inf, 10.0)])), -1.0);
        // A count that falls is lifted to the one before.
        assert!((bucket_quantile(0.5, buckets(&[(1.0, 10.0), (2.0, 8.0), (inf, 20.0)])) - 1.0).abs() < 1e-12);
    }
}
