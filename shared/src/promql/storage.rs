//! What a query reads from.

use std::sync::Arc;

use super::error::EvalError;
use crate::labels::{LabelSet, Matcher};

pub use crate::sample::{is_stale, stale_marker};

/// A series as a query sees it: two slices of the same length.
///
/// Series that were scraped together share one time column, so what follows from the times alone (which
/// samples lie in which window) is worked out once for all of them.
#[derive(Clone, Copy, Debug)]
pub struct SeriesRef<'a> {
    /// All its labels.
    pub labels: &'a LabelSet,
    /// Unix milliseconds, each later than the one before.
    pub times: &'a Arc<[i64]>,
    /// A [`stale_marker`] where the series was not there.
    pub values: &'a [f64],
}

/// Who is shown series, one after the other; what it says ends the scan.
pub type EachSeries<'a> = &'a mut dyn FnMut(SeriesRef<'_>) -> Result<(), EvalError>;

/// Something that holds series.
pub trait Storage {
    /// Shows every series that passes all matchers and may have samples in `from..=to`, in milliseconds.
    /// Samples outside may be shown too. `each` must not be called while a lock is held that a write of the
    /// same series waits for longer than this series takes.
    ///
    /// # Errors
    /// What `each` says, at once, and what the storage itself cannot do.
    fn scan(&self, matchers: &[Matcher], from: i64, to: i64, each: EachSeries<'_>) -> Result<(), EvalError>;

    /// As [`Storage::scan`], where of each series only its newest sample is asked for: others need not be shown,
    /// nor a series whose newest sample ends it.
    ///
    /// # Errors
    /// As [`Storage::scan`].
    fn scan_newest(
        &self,
        matchers: &[Matcher],
        from: i64,
        to: i64,
        each: EachSeries<'_>,
    ) -> Result<(), EvalError> {
        self.scan(matchers, from, to, each)
    }
}

/// What a storage has of one value of a label.
pub struct Only<'a> {
    storage: &'a dyn Storage,
    matcher: Matcher,
}

impl<'a> Only<'a> {
    /// The series of `storage` whose `label` has this value.
    pub fn new(storage: &'a dyn Storage, label: &str, value: &str) -> Self {
        Self { storage, matcher: Matcher::equal(label, value) }
    }

    fn narrowed(&self, matchers: &[Matcher]) -> Vec<Matcher> {
        [std::slice::from_ref(&self.matcher), matchers].concat()
    }
}

impl Storage for Only<'_> {
    fn scan(&self, matchers: &[Matcher], from: i64, to: i64, each: EachSeries<'_>) -> Result<(), EvalError> {
        self.storage.scan(&self.narrowed(matchers), from, to, each)
    }

    fn scan_newest(
        &self,
        matchers: &[Matcher],
        from: i64,
        to: i64,
        each: EachSeries<'_>,
    ) -> Result<(), EvalError> {
        self.storage.scan_newest(&self.narrowed(matchers), from, to, each)
    }
}

/// Series in a list, for tests and for whoever has few.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    series: Vec<(LabelSet, Arc<[i64]>, Vec<f64>)>,
}

impl MemoryStorage {
    /// Adds a series; `samples` in order of time.
    pub fn add(&mut self, labels: LabelSet, samples: &[(i64, f64)]) {
        let times = samples.iter().map(|sample| sample.0).collect();
        self.series.push((labels, times, samples.iter().map(|sample| sample.1).collect()));
    }
}

impl Storage for MemoryStorage {
    fn scan(&self, matchers: &[Matcher], from: i64, to: i64, each: EachSeries<'_>) -> Result<(), EvalError> {
        for (labels, times, values) in &self.series {
            let overlaps =
                times.first().is_some_and(|&t| t <= to) && times.last().is_some_and(|&t| t >= from);
            if overlaps && matchers.iter().all(|matcher| matcher.matches_set(labels)) {
                each(SeriesRef { labels, times, values })?;
            }
        }
        Ok(())
    }
}
