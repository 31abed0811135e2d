//! Samples that others send with times of their own: pushed by remote write, or imported.

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::sample::is_stale;

use super::flush::OUT_OF_ORDER_MS;
use super::row::log_timed;
use super::{HistoryError, Sample, Store, StoreError, TargetIdent};

/// How far ahead of the clock a sample may be.
const MAX_AHEAD_MS: i64 = 10 * 60_000;

/// A series' own labels, and its samples in order of time.
pub type SeriesSamples = (LabelSet, Vec<Sample>);

/// The oldest samples that are taken: a sender that was cut off for a week has a backlog.
const MOST_LATE_MS: i64 = 14 * 86_400_000;

/// What came of samples that were pushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// They are kept.
    pub accepted: usize,
    /// There was one of the same series and time.
    pub duplicates: usize,
    /// Further behind the newest of their series than late samples may be, or older than what is kept.
    pub too_old: usize,
    /// In the future.
    pub too_new: usize,
    /// Of series beyond the limits on series.
    pub refused: usize,
}

impl Store {
    /// Keeps pushed samples of a target: of each series its own labels, and samples in order of time. They are
    /// in memory, and in the row log after the next [`Store::sync`].
    ///
    /// A sample may come up to ten minutes after a later one of its series. A stale marker ends its series.
    pub fn ingest(&self, target: &TargetIdent, series: Vec<SeriesSamples>, now: UnixMillis) -> Ingested {
        let labels = target.label_set();
        let table = self.table(&target.instance).unwrap_or_else(|| self.add_table(&target.instance, &labels));
        let mut table = table.write();
        if table.target != labels {
            table.retarget(labels);
        }
        table.ended = false;
        let mut ingested = Ingested::default();
        let (mut kept, mut handed_on) = (Vec::new(), Vec::new());
        // Without a disk nothing older than memory reaches can be kept.
        let memory = now.saturating_sub(self.shared.limits.retention_ms);
        let oldest = if self.shared.disk.is_some() { now.saturating_sub(MOST_LATE_MS) } else { memory };
        for (labels, samples) in series {
            let Ok(column) = self.column(&mut table, labels) else {
                ingested.refused += samples.len();
                continue;
            };
            for (at, value) in samples {
                let last = table.columns[column as usize].timed.as_ref().and_then(|timed| timed.back());
                let late = last.is_some_and(|&(last, _)| at <= last - OUT_OF_ORDER_MS);
                let value = if value.is_nan() && !is_stale(value) { f64::NAN } else { value };
                if at > now + MAX_AHEAD_MS {
                    ingested.too_new += 1;
                } else if late || at < oldest {
                    ingested.too_old += 1;
                } else if table.insert_timed(column, at, value) {
                    ingested.accepted += 1;
                    kept.push((column, at, value));
                    handed_on.push((table.columns[column as usize].labels.clone(), at, value));
                } else {
                    ingested.duplicates += 1;
                }
            }
        }
        log_timed(&mut table, &self.shared, &kept);
        self.shared.taps.send(&table.target, handed_on);
        ingested
    }

    /// Puts samples of the past straight on disk, whatever else there is of their time; on disk when this
    /// returns.
    ///
    /// # Errors
    /// There is no disk, or it takes nothing; then none of them is kept.
    pub fn import(
        &self,
        target: &TargetIdent,
        series: Vec<SeriesSamples>,
        now: UnixMillis,
    ) -> Result<usize, HistoryError> {
        let disk = self.shared.disk.clone().ok_or_else(HistoryError::no_disk)?;
        Ok(disk.import(&target.label_set(), series, now)?)
    }

    /// The column of a label set, made if it is new and allowed.
    fn column(&self, table: &mut super::table::Table, labels: LabelSet) -> Result<u32, StoreError> {
        let labels = labels.exported(&table.target);
        match table.find(&labels) {
            Some(column) => Ok(column),
            None => {
                self.shared.allow(table.columns.len())?;
                Ok(table.add(labels))
            }
        }
    }
}
