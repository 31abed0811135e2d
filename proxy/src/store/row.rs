//! One round of a target, on its way to be a row of its table.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, METRIC_NAME};
use fleetglass_shared::sample::stale_marker;
use parking_lot::{ArcRwLockWriteGuard, RawRwLock, RwLock};

use super::disk::TimedSample;
use super::table::{NOBODY, OURS, Owner, Table};
use super::{Exposition, Item, Shared, StoreError};

/// Integers from here on do not all have an `f64`.
const INEXACT: f64 = 9_007_199_254_740_992.0;
/// How far ahead of the round a sample's own time may be, as in Prometheus.
const MAX_AHEAD_MS: i64 = 10 * 60 * 1000;

/// One round of a target: nothing of it is seen before [`Row::commit`], and nothing stays of a row that is
/// dropped. It holds the target's lock, so make it when all endpoints have answered.
pub struct Row {
    table: ArcRwLockWriteGuard<RawRwLock, Table>,
    shared: Arc<Shared>,
    at: UnixMillis,
    columns_before: usize,
    staged: Vec<Staged>,
    timed: Vec<(Staged, UnixMillis)>,
    stats: RowStats,
    committed: bool,
}

struct Staged {
    column: u32,
    owner: Owner,
    derived: bool,
    value: f64,
    digits: Option<Box<str>>,
}

/// What one endpoint's exposition came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposed {
    /// Samples in it.
    pub samples: usize,
    /// Series that were not there before.
    pub series_added: usize,
    /// Samples left out since the same series came before in this round, from this or another endpoint.
    pub duplicates: usize,
    /// Samples left out for their own time: not after the last, older than what is kept, or in the future.
    pub out_of_bounds: usize,
}

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowStats {
    /// Samples kept.
    pub samples: usize,
    /// Series that were not there before.
    pub series_added: usize,
    /// Series that were there in the row before and are not now: they are stale.
    pub staled: usize,
}

/// A sample of Fleetglass's own: derived from JSON, or about the scrape.
#[derive(Clone, Copy, Debug)]
pub struct Put<'a> {
    /// The metric's name.
    pub name: &'a str,
    /// Labels beside the target's.
    pub labels: &'a BTreeMap<String, String>,
    /// The value.
    pub value: f64,
    /// The value's digits, for integers that an `f64` does not hold.
    pub digits: Option<&'a str>,
    /// `counter`, `gauge`, ….
    pub kind: &'a str,
    /// The HELP text.
    pub help: &'a str,
    /// The unit; may be empty.
    pub unit: &'a str,
    /// It is derived from what the node says; false for series about the scrape.
    pub derived: bool,
}

impl<'a> Put<'a> {
    /// A gauge with no labels of its own, not derived.
    pub fn gauge(name: &'a str, value: f64, help: &'a str) -> Self {
        static NO_LABELS: BTreeMap<String, String> = BTreeMap::new();
        Self { name, labels: &NO_LABELS, value, digits: None, kind: "gauge", help, unit: "", derived: false }
    }
}

impl Row {
    pub(super) fn new(
        mut table: ArcRwLockWriteGuard<RawRwLock, Table>,
        shared: Arc<Shared>,
        at: UnixMillis,
    ) -> Self {
        table.marks.fill(NOBODY);
        table.endpoints.iter_mut().for_each(|endpoint| endpoint.read = false);
        let columns_before = table.columns.len();
        let (staged, timed) = (Vec::with_capacity(columns_before), Vec::new());
        Self {
            table,
            shared,
            at,
            columns_before,
            staged,
            timed,
            stats: RowStats::default(),
            committed: false,
        }
    }

    /// Takes the samples of one endpoint's exposition: all of them, or none.
    ///
    /// # Errors
    /// [`StoreError::Exposition`] with the parser's words where it cannot be read, [`StoreError::SeriesLimit`]
    /// where it has more series than allowed. What is stored, and other endpoints' samples, stay.
    pub fn expose<E: Exposition>(&mut self, endpoint: &str, parser: &mut E) -> Result<Exposed, StoreError> {
        let slot = self.table.slot(endpoint);
        let mut layout = std::mem::take(&mut self.table.endpoints[slot].layout);
        let (columns, entries) = (self.table.columns.len(), layout.len());
        let (staged, timed) = (self.staged.len(), self.timed.len());
        layout.rewind();
        let mut exposed = Exposed::default();
        let result = self.read(slot as Owner, &mut layout, parser, &mut exposed);
        match result {
            Ok(()) => {
                layout.finish();
                exposed.series_added = self.table.columns.len() - columns;
                self.stats.series_added += exposed.series_added;
                self.table.endpoints[slot].read = true;
            }
            Err(_) => {
                layout.abandon(entries);
                for dropped in self.staged.drain(staged..) {
                    self.table.marks[dropped.column as usize] = NOBODY;
                }
                for ours in self.staged.iter().filter(|sample| sample.owner == OURS) {
                    let mark = &mut self.table.marks[ours.column as usize];
                    *mark = if *mark == NOBODY { OURS } else { *mark };
                }
                self.timed.truncate(timed);
                self.table.abandon(columns);
            }
        }
        self.table.endpoints[slot].layout = layout;
        result.map(|()| exposed)
    }

    fn read<E: Exposition>(
        &mut self,
        slot: Owner,
        layout: &mut super::layout::Layout,
        parser: &mut E,
        exposed: &mut Exposed,
    ) -> Result<(), StoreError> {
        loop {
            let hint = layout.expected().map(str::as_bytes);
            let Some(item) = parser.next_item(hint) else { return Ok(()) };
            match item.map_err(StoreError::Exposition)? {
                Item::Sample { raw, value, value_text, timestamp } => {
                    exposed.samples += 1;
                    let column = match layout.find(raw) {
                        Some(column) => column,
                        None => {
                            let labels = E::labels(raw).map_err(StoreError::Exposition)?;
                            let column = column(&mut self.table, &self.shared, labels)?;
                            layout.add(raw, column);
                            column
                        }
                    };
                    let digits = big_digits(value, value_text);
                    let staged = Staged { column, owner: slot, derived: false, value, digits };
                    self.stage(staged, timestamp, exposed);
                }
                Item::Kind { family, kind } => self.table.metadata.set_kind(family, kind),
                Item::Help { family, help } => self.table.metadata.set_help(family, help, &self.shared.texts),
                Item::Unit { family, unit } => self.table.metadata.set_unit(family, unit, &self.shared.texts),
            }
        }
    }

    fn stage(&mut self, mut sample: Staged, timestamp: Option<UnixMillis>, exposed: &mut Exposed) {
        let column = sample.column as usize;
        // Two endpoints of a node may both expose, say, `process_open_fds`. The series belongs to the one
        // that had it first, else it would jump between two processes whenever one of them fails.
        let owner = self.table.columns[column].owner;
        if owner != NOBODY && owner != OURS && owner != sample.owner {
            exposed.duplicates += 1;
            return;
        }
        // A stale marker is ours to write, never a node's.
        if sample.value.is_nan() {
            sample.value = f64::NAN;
        }
        if let Some(at) = timestamp {
            let oldest = self.at.saturating_sub(self.shared.limits.retention_ms);
            if at > self.at.saturating_add(MAX_AHEAD_MS) || at < oldest {
                exposed.out_of_bounds += 1;
            } else {
                self.timed.push((sample, at));
            }
            return;
        }
        match self.table.marks[column] {
            // Where ours came first it stays behind until the endpoint is read whole, see `commit`.
            NOBODY | OURS => {
                self.table.marks[column] = sample.owner;
                self.staged.push(sample);
            }
            _ => exposed.duplicates += 1,
        }
    }

    /// Adds a sample of Fleetglass's own. It never replaces one that the node exposed in this round:
    /// then it is left out, and the answer is false.
    ///
    /// # Errors
    /// [`StoreError::SeriesLimit`] where the series is new and there are too many.
    pub fn put(&mut self, put: &Put<'_>) -> Result<bool, StoreError> {
        let before = self.table.columns.len();
        let column = own_column(&mut self.table, &self.shared, put)?;
        self.stats.series_added += self.table.columns.len() - before;
        if self.table.marks[column as usize] != NOBODY {
            return Ok(false);
        }
        let sample = staged(&mut self.table, &self.shared, column, put);
        self.staged.push(sample);
        Ok(true)
    }

    /// Appends the row. A series that is not in it is stale from now on.
    pub fn commit(self) -> RowStats {
        self.commit_open().close(&[])
    }

    /// Appends the row and leaves it open for what is worked out from it: it is read from now on, and goes to the
    /// disk and to others when it is closed.
    pub fn commit_open(mut self) -> OpenRow {
        self.committed = true;
        let row = self.table.times.len();
        for sample in std::mem::take(&mut self.staged) {
            // An endpoint exposed what we had put before.
            if self.table.marks[sample.column as usize] != sample.owner {
                continue;
            }
            self.table.columns[sample.column as usize].head.push(row, sample.value);
            self.stats.samples += 1;
            settle(&mut self.table.columns[sample.column as usize], sample);
        }
        let (mut timed, mut handed_on) = (Vec::new(), Vec::new());
        for (sample, at) in std::mem::take(&mut self.timed) {
            if self.table.push_timed(sample.column, at, sample.value) {
                self.stats.samples += 1;
                timed.push((sample.column, at, sample.value));
                if !self.shared.taps.are_off() {
                    let labels = self.table.columns[sample.column as usize].labels.clone();
                    handed_on.push((labels, at, sample.value));
                }
            }
            settle(&mut self.table.columns[sample.column as usize], sample);
        }
        log_timed(&mut self.table, &self.shared, &timed);
        self.table.release_unsent();
        self.table.ended = false;
        self.table.times.push(self.at);
        self.table.open = true;
        let table = Arc::clone(ArcRwLockWriteGuard::rwlock(&self.table));
        OpenRow { table, shared: Arc::clone(&self.shared), at: self.at, handed_on, stats: self.stats }
    }
}

/// A row that is read already and may still get series of Fleetglass's own. When it is dropped it is closed as it is.
pub struct OpenRow {
    table: Arc<RwLock<Table>>,
    shared: Arc<Shared>,
    at: UnixMillis,
    handed_on: Vec<(LabelSet, UnixMillis, f64)>,
    stats: RowStats,
}

impl OpenRow {
    /// Adds series, which replace none that are in the row, and ends it. What is beyond the limits on series is left
    /// out.
    pub fn close(mut self, puts: &[Put<'_>]) -> RowStats {
        self.end(puts);
        self.stats
    }

    fn end(&mut self, puts: &[Put<'_>]) {
        let mut table = self.table.write();
        // It was ended already, by us or by the row that came after.
        if !table.open || table.times.last() != Some(&self.at) {
            return;
        }
        let row = table.times.len() - 1;
        for put in puts {
            let before = table.columns.len();
            let Ok(column) = own_column(&mut table, &self.shared, put) else { continue };
            self.stats.series_added += table.columns.len() - before;
            if table.columns[column as usize].head.get(row).is_some() {
                continue;
            }
            let sample = staged(&mut table, &self.shared, column, put);
            table.columns[column as usize].head.push(row, sample.value);
            self.stats.samples += 1;
            settle(&mut table.columns[column as usize], sample);
        }
        self.stats.staled = table.count_leaving(row);
        close(&mut table, &self.shared, std::mem::take(&mut self.handed_on));
    }
}

impl Drop for OpenRow {
    fn drop(&mut self) {
        self.end(&[]);
    }
}

/// Ends a table's open row: it goes to the disk and, with `further` samples, to whoever listens.
pub(super) fn close(table: &mut Table, shared: &Shared, further: Vec<(LabelSet, UnixMillis, f64)>) {
    table.open = false;
    let Some(row) = table.times.len().checked_sub(1) else { return };
    let at = table.times[row];
    let mut handed_on = if shared.taps.are_off() { Vec::new() } else { table.tapped(row, at) };
    handed_on.extend(further);
    log(table, shared, row, at);
    table.seal_full(at, shared.limits.retention_ms);
    shared.taps.send(&table.target, handed_on);
}

/// The column of a series of our own, made if it is new and allowed.
fn own_column(table: &mut Table, shared: &Shared, put: &Put<'_>) -> Result<u32, StoreError> {
    let own = put.labels.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    let labels = LabelSet::from_pairs(own.chain([(METRIC_NAME, put.name)]));
    column(table, shared, labels)
}

/// The column of a label set, made if it is new and allowed.
fn column(table: &mut Table, shared: &Shared, labels: LabelSet) -> Result<u32, StoreError> {
    let labels = labels.exported(&table.target);
    if let Some(column) = table.find(&labels) {
        return Ok(column);
    }
    shared.allow(table.columns.len())?;
    Ok(table.add(labels))
}

/// Marks a column as ours in this row, with what is known of its metric.
fn staged(table: &mut Table, shared: &Shared, column: u32, put: &Put<'_>) -> Staged {
    table.marks[column as usize] = OURS;
    let value = if put.value.is_nan() { f64::NAN } else { put.value };
    let digits = put.digits.and_then(|digits| big_digits(value, digits));
    table.metadata.set_kind(put.name, put.kind);
    table.metadata.set_help(put.name, put.help, &shared.texts);
    table.metadata.set_unit(put.name, put.unit, &shared.texts);
    Staged { column, owner: OURS, derived: put.derived, value, digits }
}

/// Writes a row of the head, the newest, to the row log.
pub(super) fn log(table: &mut Table, shared: &Shared, row: usize, at: UnixMillis) {
    let Some(disk) = &shared.disk else { return };
    let Table { logged, target, columns, ended, head_file, .. } = table;
    let values =
        columns.iter().map(|column| (&column.labels, column.head.get(row).unwrap_or_else(stale_marker)));
    let file = disk.log.row(logged, target, at, *ended, values);
    if row == 0 {
        *head_file = file;
    }
}

/// Writes samples with times of their own to the row log.
pub(super) fn log_timed(table: &mut Table, shared: &Shared, samples: &[TimedSample]) {
    let Some(disk) = shared.disk.as_ref().filter(|_| !samples.is_empty()) else { return };
    let Table { logged, target, columns, timed_file, .. } = table;
    let file = disk.log.timed(logged, target, columns.iter().map(|column| &column.labels), samples);
    timed_file.get_or_insert(file);
}

/// Notes whose the last sample of a column was.
fn settle(column: &mut super::table::Column, sample: Staged) {
    column.owner = sample.owner;
    column.derived = sample.derived;
    if column.digits.is_some() || sample.digits.is_some() {
        column.digits = sample.digits;
    }
}

/// The digits of an integer that an `f64` may not hold exactly.
fn big_digits(value: f64, text: &str) -> Option<Box<str>> {
    let digits = || text.strip_prefix(['-', '+']).unwrap_or(text).bytes().all(|b| b.is_ascii_digit());
    (value.abs() >= INEXACT && digits()).then(|| text.strip_prefix('+').unwrap_or(text).into())
}

impl Drop for Row {
    fn drop(&mut self) {
        if !self.committed {
            let Self { table, columns_before, .. } = self;
            let columns = *columns_before as u32;
            if table.columns.len() > *columns_before {
                for endpoint in &mut table.endpoints {
                    endpoint.layout.renumber(|column| (column < columns).then_some(column));
                }
                table.abandon(*columns_before);
            }
        }
    }
}
