//! Samples that were pushed: each series has times of its own, and may come late.

use std::sync::atomic::Ordering;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::sample::is_stale;

use super::{Store, TargetIdent};

/// How far ahead of now a sample may be, as in Prometheus.
const MAX_AHEAD_MS: i64 = 10 * 60 * 1000;

/// What became of pushed samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// They are kept.
    pub accepted: usize,
    /// Their series had a sample at that time already; it stays.
    pub duplicates: usize,
    /// Older than what may still come.
    pub too_old: usize,
    /// Too far in the future.
    pub too_new: usize,
    /// Of series beyond the limits.
    pub refused: usize,
}

impl Store {
    /// Takes samples of a target's series, labelled without the target's labels; those of one series in order
    /// of time. A stale marker says that the series ended.
    pub fn ingest(
        &self,
        target: &TargetIdent,
        samples: Vec<(LabelSet, Vec<(UnixMillis, f64)>)>,
        now: UnixMillis,
    ) -> Ingested {
        let mut ingested = Ingested::default();
        let limits = &self.shared.limits;
        let table = self.table_for(target);
        let mut table = table.write();
        let mut handed_on = Vec::new();
        for (labels, samples) in samples {
            let labels = labels.exported(&table.target);
            let full = table.columns.len() >= limits.max_series_per_target
                || self.shared.total.load(Ordering::Relaxed) >= limits.max_series;
            let column = match table.find(&labels) {
                Some(column) => column,
                None if full => {
                    ingested.refused += samples.len();
                    continue;
                }
                None => table.add(labels.clone()),
            };
            for (at, value) in samples {
                let value = if value.is_nan() && !is_stale(value) { f64::NAN } else { value };
                if at < now.saturating_sub(limits.retention_ms) {
                    ingested.too_old += 1;
                } else if at > now.saturating_add(MAX_AHEAD_MS) {
                    ingested.too_new += 1;
                } else if table.insert_timed(column, at, value) {
                    ingested.accepted += 1;
                    handed_on.push((labels.clone(), at, value));
                } else {
                    ingested.duplicates += 1;
                }
            }
        }
        self.shared.taps.send(&table.target, handed_on);
        ingested
    }

    /// Returns when all that was ingested before is on the disk.
    ///
    /// # Errors
    /// The disk's.
    pub fn sync(&self) -> std::io::Result<()> {
        Ok(())
    }

    /// The oldest time for which there is an answer; `None` while there is nothing.
    pub fn oldest(&self) -> Option<UnixMillis> {
        self.stats().oldest
    }
}
