//! The way from memory to disk.
//!
//! Four sealed blocks of a table make a segment; what is older than two hours becomes one however few rows
//! it has. Until then rows are in the row log as well. A block stays in memory for as long as memory is
//! meant to reach, so that what is asked for most is not read from disk.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::sample::{is_stale, stale_marker};
use parking_lot::RwLock;

use super::column::Sealed;
use super::disk::{Column, DAY_MS, Disk, DiskError, NewSegment, Place, Retention};
use super::table::{Block, Table};
use super::{Sample, Store};

/// Blocks of one segment.
const SEGMENT_BLOCKS: usize = 4;
/// What is older than this is put on disk however little it is, so that the row log stays short.
const MOST_WAIT_MS: i64 = 2 * 3_600_000;
/// How far behind its newest sample a series may get a pushed sample.
pub(super) const OUT_OF_ORDER_MS: i64 = 10 * 60_000;
/// Samples of one pushed series that make a segment.
const TIMED_ROWS: usize = 240;
/// Segments written in one transaction.
const BATCH: usize = 32;

/// Why the history on disk cannot be used, or written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HistoryError(String);

impl HistoryError {
    pub(super) fn no_disk() -> Self {
        Self("there is no data folder that can be written to, so nothing can be kept there".to_owned())
    }
}

impl From<DiskError> for HistoryError {
    fn from(error: DiskError) -> Self {
        Self(error.to_string())
    }
}

impl From<io::Error> for HistoryError {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// What is taken from a table to be a segment, and how to find it again.
struct Taken {
    table: Arc<RwLock<Table>>,
    segment: NewSegment,
    from: Origin,
}

enum Origin {
    /// Blocks, by the time of the first row of each.
    Blocks(Vec<UnixMillis>),
    /// The blocks that were put aside when the clock was set back.
    Stranded(Vec<UnixMillis>),
    /// Samples with times of their own: those of these series at the segment's times.
    Timed,
}

impl Store {
    /// Writes what waits in the row log; with `sync` it is on the disk when this returns, even if the
    /// machine loses its power. Nothing happens without a disk.
    ///
    /// # Errors
    /// What the system says; nothing is lost, the next call tries again.
    pub fn flush_log(&self, sync: bool) -> io::Result<()> {
        let Some(disk) = &self.shared.disk else { return Ok(()) };
        disk.log.flush(sync).inspect_err(|_| {
            disk.counts.write_errors.fetch_add(1, Ordering::Relaxed);
        })
    }

    /// Returns when all that was stored before is on disk. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&self) -> io::Result<()> {
        self.flush_log(true)
    }

    /// Puts on disk what is due at `now`, or `all` of it; gives how many segments that were.
    ///
    /// # Errors
    /// The disk takes nothing: everything stays where it is, and the next call tries again.
    pub fn flush(&self, now: UnixMillis, all: bool) -> Result<usize, HistoryError> {
        let Some(disk) = self.shared.disk.clone() else { return Ok(0) };
        let mut batch = Vec::new();
        let mut written = 0;
        for table in self.tables() {
            let taken = table.write().take_due(now, all);
            for (segment, from) in taken {
                batch.push(Taken { table: Arc::clone(&table), segment, from });
            }
            if batch.len() >= BATCH {
                written += put(&disk, std::mem::take(&mut batch), now)?;
            }
        }
        written += put(&disk, batch, now)?;
        let oldest = now.saturating_sub(self.shared.limits.retention_ms);
        for table in self.tables() {
            if table.read().has_expired(oldest) {
                table.write().expire(oldest);
            }
        }
        disk.trim_log(self.oldest_log_file(&disk))?;
        Ok(written)
    }

    /// Begins another file of the row log: one can only go as a whole.
    pub fn turn_log(&self) {
        if let Some(disk) = &self.shared.disk {
            disk.log.turn();
        }
    }

    /// Rolls up days that are over, and removes what is too old or too much.
    ///
    /// # Errors
    /// What went wrong; the next call tries again.
    pub fn tidy(&self, retention: &Retention, now: UnixMillis) -> Result<(), HistoryError> {
        let Some(disk) = self.shared.disk.clone() else { return Ok(()) };
        for gone in disk.retain(retention, now)? {
            tracing::info!("history removed: {gone}");
        }
        self.roll_up(now)
    }

    /// Rolls up the days that are over.
    ///
    /// # Errors
    /// What went wrong; the next call tries again.
    pub fn roll_up(&self, now: UnixMillis) -> Result<(), HistoryError> {
        let Some(disk) = self.shared.disk.clone() else { return Ok(()) };
        disk.sweep_replaced()?;
        while disk.roll_up(now)? {}
        Ok(())
    }

    /// Removes every sample before a time, from memory and from disk; of the slots the days before it.
    ///
    /// # Errors
    /// What went wrong; what was removed until then is gone.
    pub fn prune(&self, before: UnixMillis, now: UnixMillis) -> Result<(), HistoryError> {
        let disk = self.shared.disk.clone().ok_or_else(HistoryError::no_disk)?;
        // Everything is put on disk first, so that it is cut in one place.
        self.flush(now, true)?;
        for table in self.tables() {
            table.write().forget_saved_before(before);
        }
        disk.prune(before)?;
        Ok(())
    }

    /// The labels of an instance's target, as they are now or were last.
    pub fn target_labels(&self, instance: &str) -> Option<LabelSet> {
        let now = self.table(instance).map(|table| table.read().target.clone());
        now.or_else(|| self.shared.disk.as_ref()?.last_labels(instance))
    }

    /// The oldest file of the row log that is still needed.
    fn oldest_log_file(&self, disk: &Disk) -> u64 {
        let needed = self.tables().into_iter().filter_map(|table| table.read().needed_log_file()).min();
        needed.unwrap_or_else(|| disk.log.file())
    }
}

fn put(disk: &Disk, batch: Vec<Taken>, now: UnixMillis) -> Result<usize, DiskError> {
    if batch.is_empty() {
        return Ok(0);
    }
    let (segments, homes): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|taken| (taken.segment, (taken.table, taken.from))).unzip();
    let keys: Vec<(LabelSet, Vec<LabelSet>, Vec<UnixMillis>)> = (segments.iter().zip(&homes))
        .map(|(segment, (_, from))| match from {
            Origin::Timed => {
                let series = segment.columns.iter().map(|(labels, _)| labels.clone()).collect();
                (segment.target.clone(), series, segment.times.clone())
            }
            _ => (segment.target.clone(), Vec::new(), Vec::new()),
        })
        .collect();
    let written = disk.write(segments, now).inspect_err(|_| {
        disk.counts.write_errors.fetch_add(1, Ordering::Relaxed);
    })?;
    let count = written.len();
    for ((place, day, part), ((table, from), (target, series, times))) in
        written.into_iter().zip(homes.into_iter().zip(keys))
    {
        // Under the table's lock: a reader sees it in memory or on disk, never in both.
        let mut table = table.write();
        table.saved(place, &from, &series, &times);
        if matches!(from, Origin::Timed) {
            table.log_timed_anew(disk);
        }
        day.publish(part, &target);
    }
    Ok(count)
}

impl Table {
    /// Whether nothing of it is in memory only.
    pub(super) fn is_saved(&self) -> bool {
        !self.keeps || self.needed_log_file().is_none()
    }

    fn needed_log_file(&self) -> Option<u64> {
        let head = (!self.times.is_empty()).then_some(self.head_file);
        let blocks = self.blocks.iter().chain(&self.stranded).filter(|block| block.place.is_none());
        blocks.map(|block| block.file).chain(head).chain(self.timed_file).min()
    }

    /// Drops the blocks that are on disk and begin before a time: what of them stays is read there.
    fn forget_saved_before(&mut self, before: UnixMillis) {
        let touched: Vec<Place> = (self.blocks.iter())
            .filter(|block| block.times.first().is_some_and(|first| *first < before))
            .filter_map(|block| block.place)
            .collect();
        self.blocks.retain(|block| block.place.is_none_or(|place| !touched.contains(&place)));
    }

    /// The segments that are due at `now`.
    fn take_due(&mut self, now: UnixMillis, all: bool) -> Vec<(NewSegment, Origin)> {
        let all = all || self.ended;
        let aged = |at: Option<&UnixMillis>| at.is_some_and(|&at| all || now - at > MOST_WAIT_MS);
        let mut due = Vec::new();
        for run in split_runs(&self.stranded) {
            due.push((self.segment_of(run.iter()), Origin::Stranded(firsts(run.iter()))));
        }
        let unsaved = self.blocks.iter().filter(|block| block.place.is_none());
        let mut old = aged(unsaved.clone().next().and_then(|block| block.times.first()));
        // An open row is not whole yet; it is a moment until it is.
        let may_seal = !self.open && aged(self.times.first());
        if may_seal && (unsaved.count() == 0 || old) {
            self.seal();
            old = true;
        }
        let blocks: Vec<&Block> = self.blocks.iter().filter(|block| block.place.is_none()).collect();
        let days: Vec<&[&Block]> = blocks.chunk_by(|a, b| day_of(a) == day_of(b)).collect();
        let newest = days.len().saturating_sub(1);
        let runs = days.iter().enumerate().flat_map(|(at, day)| {
            let is_over = at < newest;
            day.chunks(SEGMENT_BLOCKS).filter(move |run| old || is_over || run.len() == SEGMENT_BLOCKS)
        });
        for run in runs {
            let run = run.iter().copied();
            due.push((self.segment_of(run.clone()), Origin::Blocks(firsts(run))));
        }
        due.extend(self.timed_due(now, all).into_iter().map(|segment| (segment, Origin::Timed)));
        due
    }

    fn segment_of<'a>(&self, blocks: impl Iterator<Item = &'a Block> + Clone) -> NewSegment {
        let times: Vec<UnixMillis> = blocks.clone().flat_map(|block| block.times.iter().copied()).collect();
        let mut columns = Vec::new();
        for (at, column) in self.columns.iter().enumerate() {
            let mut values = Vec::with_capacity(times.len());
            for block in blocks.clone() {
                let sealed = block.columns.get(at).unwrap_or(&Sealed::Absent);
                sealed.expand(block.times.len(), stale_marker(), &mut values);
            }
            if values.iter().any(|value| !is_stale(*value)) {
                columns.push((column.labels.clone(), values));
            }
        }
        NewSegment { target: self.target.clone(), times, columns, timed: false }
    }

    /// Samples with times of their own that will hardly get one between them any more: series that have the
    /// same times share a segment.
    fn timed_due(&self, now: UnixMillis, all: bool) -> Vec<NewSegment> {
        let mut due = false;
        let mut groups: BTreeMap<Vec<UnixMillis>, Vec<Column>> = BTreeMap::new();
        for column in &self.columns {
            let Some(timed) = &column.timed else { continue };
            let Some((&(first, _), &(last, _))) = timed.front().zip(timed.back()) else { continue };
            let old = all || now - last > MOST_WAIT_MS;
            let until = if old { last } else { last - OUT_OF_ORDER_MS };
            let settled = timed.partition_point(|&(at, _)| at <= until);
            due |= settled >= TIMED_ROWS || settled > 0 && (old || now - first > MOST_WAIT_MS);
            let settled: Vec<Sample> = timed.iter().take(settled).copied().collect();
            for day in settled.chunk_by(|a, b| a.0.div_euclid(DAY_MS) == b.0.div_euclid(DAY_MS)) {
                let (times, values) = day.iter().copied().unzip();
                groups.entry(times).or_default().push((column.labels.clone(), values));
            }
        }
        if !due {
            return Vec::new();
        }
        let segment =
            |(times, columns)| NewSegment { target: self.target.clone(), times, columns, timed: true };
        groups.into_iter().map(segment).collect()
    }

    /// What was taken is on disk now.
    fn saved(&mut self, place: Place, from: &Origin, series: &[LabelSet], times: &[UnixMillis]) {
        match from {
            Origin::Blocks(firsts) => {
                for block in &mut self.blocks {
                    if block.place.is_none() && block.times.first().is_some_and(|at| firsts.contains(at)) {
                        block.place = Some(place);
                    }
                }
            }
            Origin::Stranded(firsts) => {
                self.stranded.retain(|block| !block.times.first().is_some_and(|at| firsts.contains(at)));
            }
            Origin::Timed => {
                for labels in series {
                    let Some(column) = self.find(labels) else { continue };
                    let timed = &mut self.columns[column as usize].timed;
                    if let Some(samples) = timed {
                        samples.retain(|(at, _)| times.binary_search(at).is_err());
                        if samples.is_empty() {
                            *timed = None;
                        }
                    }
                }
            }
        }
    }
}

impl Table {
    /// Writes the samples with times of their own that stay in memory to the newest file of the row log, so
    /// that the older ones can go.
    fn log_timed_anew(&mut self, disk: &Disk) {
        self.timed_file = None;
        let timed =
            self.columns.iter().enumerate().filter_map(|(at, column)| Some((at, column.timed.as_ref()?)));
        let left: Vec<_> = timed
            .flat_map(|(at, timed)| timed.iter().map(move |&(time, value)| (at as u32, time, value)))
            .collect();
        if !left.is_empty() {
            let Self { logged, target, columns, .. } = self;
            let labels = columns.iter().map(|column| &column.labels);
            self.timed_file = Some(disk.log.timed(logged, target, labels, &left));
        }
    }

    /// Keeps a sample at its place in time; false where there is one of that time.
    pub(super) fn insert_timed(&mut self, column: u32, at: UnixMillis, value: f64) -> bool {
        let timed = self.columns[column as usize].timed.get_or_insert_default();
        if timed.back().is_none_or(|&(last, _)| last < at) {
            timed.push_back((at, value));
            return true;
        }
        let place = timed.partition_point(|&(time, _)| time < at);
        let is_new = timed.get(place).is_none_or(|&(time, _)| time != at);
        if is_new {
            timed.insert(place, (at, value));
        }
        is_new
    }
}

/// Runs of blocks whose times rise.
fn split_runs(blocks: &[Block]) -> impl Iterator<Item = &[Block]> {
    let goes_on = |a: &Block, b: &Block| a.times.last() < b.times.first() && day_of(a) == day_of(b);
    blocks.chunk_by(goes_on).flat_map(|run| run.chunks(SEGMENT_BLOCKS))
}

fn day_of(block: &Block) -> Option<i64> {
    block.times.first().map(|first| first.div_euclid(DAY_MS))
}

fn firsts<'a>(blocks: impl Iterator<Item = &'a Block>) -> Vec<UnixMillis> {
    blocks.filter_map(|block| block.times.first().copied()).collect()
}
