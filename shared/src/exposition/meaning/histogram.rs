//! The buckets, count and sum of one point of a histogram or gauge histogram.

use crate::exposition::error::Fault;

/// One point as far as it was read: its lines stand together, buckets in rising order.
#[derive(Debug, Default)]
pub(super) struct Point {
    /// Whether a line of this point was seen.
    open: bool,
    /// Offset of its last line.
    at: usize,
    bound: Option<f64>,
    value: f64,
    count: Option<f64>,
    has_sum: bool,
    has_gsum: bool,
    negative_gsum: bool,
    negative_bounds: bool,
}

impl Point {
    pub(super) fn bucket(&mut self, at: usize, bound: f64, value: f64) -> Result<(), Fault> {
        self.touch(at);
        let (earlier, below) = (self.bound.replace(bound), std::mem::replace(&mut self.value, value));
        self.negative_bounds |= bound < 0.0;
        if let Some(earlier) = earlier.filter(|earlier| bound <= *earlier) {
            return Err(Fault::new(
                at,
                format!("buckets in rising order of le, after {earlier}"),
                format!("{bound}"),
            ));
        }
        if value < below {
            return Err(Fault::new(
                at,
                format!("a bucket of at least {below}, as the one before"),
                format!("{value}"),
            ));
        }
        Ok(())
    }

    /// `_count` or `_gcount`.
    pub(super) fn count(&mut self, at: usize, value: f64) {
        self.touch(at);
        self.count = Some(value);
    }

    pub(super) fn sum(&mut self, at: usize) {
        self.touch(at);
        self.has_sum = true;
    }

    pub(super) fn gsum(&mut self, at: usize, value: f64) {
        self.touch(at);
        self.has_gsum = true;
        self.negative_gsum |= value < 0.0;
    }

    /// `_created`.
    pub(super) fn touch(&mut self, at: usize) {
        self.open = true;
        self.at = at;
    }

    /// Judges the whole point once its last line is known, and begins a new one.
    pub(super) fn finish(&mut self, family: &str) -> Result<(), Fault> {
        let point = std::mem::take(self);
        if !point.open {
            return Ok(());
        }
        let fault = |expected: &str, found: &str| {
            Err(Fault::new(point.at, format!("{expected} of {family:?}"), found.to_owned()))
        };
        if point.bound != Some(f64::INFINITY) {
            return fault("a bucket le=\"+Inf\"", "none before this point's last line");
        }
        if let Some(count) = point.count.filter(|count| *count != point.value) {
            return fault(
                &format!("a count equal to the +Inf bucket ({}), for a point", point.value),
                &count.to_string(),
            );
        }
        let summed = point.has_sum || point.has_gsum;
        if summed && point.count.is_none() {
            return fault("a count beside the sum", "none");
        }
        if !summed && point.count.is_some() {
            return fault("a sum beside the count", "none");
        }
        if point.negative_bounds && point.has_sum {
            return fault("no sum beside negative buckets", "one");
        }
        if !point.negative_bounds && point.negative_gsum {
            return fault("no negative sum beside buckets that are not", "one");
        }
        Ok(())
    }
}
