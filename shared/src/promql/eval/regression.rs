//! Lines through samples, and smoothing.

use super::math::Sum;
use crate::promql::error::EvalError;

/// The least-squares line: slope a second, and its value at `at`. `None` for fewer than two samples.
pub(super) fn line(times: &[i64], values: &[f64], at: i64) -> Option<(f64, f64)> {
    let first = *values.first().filter(|_| values.len() > 1)?;
    let (mut x_sum, mut y_sum, mut xy_sum, mut xx_sum) =
        (Sum::default(), Sum::default(), Sum::default(), Sum::default());
    for (time, y) in times.iter().zip(values) {
        let x = (time - at) as f64 / 1000.0;
        x_sum.add(x);
        y_sum.add(*y);
        xy_sum.add(x * y);
        xx_sum.add(x * x);
    }
    if values.iter().all(|value| *value == first) {
        return Some(if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) });
    }
    let count = values.len() as f64;
    let total = |sum: Sum| sum.sum + sum.lost;
    let (x, y, xy, xx) = (total(x_sum), total(y_sum), total(xy_sum), total(xx_sum));
    let covariance = xy - x * y / count;
    let variance = xx - x * x / count;
    let slope = covariance / variance;
    Some((slope, y / count - slope * x / count))
}

/// Holt's linear smoothing: the level after the last sample. `None` for fewer than two.
pub(super) fn smoothed(values: &[f64], smoothing: f64, trend: f64) -> Result<Option<f64>, EvalError> {
    for (name, factor) in [("smoothing", smoothing), ("trend", trend)] {
        if factor <= 0.0 || factor >= 1.0 {
            return Err(EvalError::execution(format!(
                "invalid {name} factor. Expected: 0 < {} < 1, got: {factor:.6}",
                if name == "trend" { "tf" } else { "sf" }
            )));
        }
    }
    let [first, second, ..] = values else { return Ok(None) };
    let (mut before, mut level, mut slope) = (0.0, *first, second - first);
    for (at, value) in values.iter().enumerate().skip(1) {
        if at > 1 {
            slope = trend * (level - before) + (1.0 - trend) * slope;
        }
        let next = smoothing * value + (1.0 - smoothing) * (level + slope);
        (before, level) = (level, next);
    }
    Ok(Some(level))
}
