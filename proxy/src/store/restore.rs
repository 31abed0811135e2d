//! The way from disk back into memory, at the start: what was in the row log only, and the rows of the last
//! hour, which are asked for most.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::sample::is_stale;
use parking_lot::RwLock;

use super::column::{BLOCK_ROWS, Cells, Sealed};
use super::disk::{Disk, Loaded, Record, Samples};
use super::table::{Block, Table};
use super::{HistoryError, Limits, Store};

/// What was found on disk at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Rows and pushed batches that were in the row log only, and are in memory again.
    pub replayed: usize,
    /// What could not be read, in words.
    pub lost: Vec<String>,
    /// The time of the oldest sample.
    pub oldest: Option<UnixMillis>,
}

impl Store {
    /// The store over a data folder. What was in memory when the last run ended is there again.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn open(limits: Limits, folder: &Path, now: UnixMillis) -> Result<(Self, History), HistoryError> {
        let disk = Arc::new(Disk::open(folder, now)?);
        let store = Self::with(limits, Some(Arc::clone(&disk)));
        let mut restore =
            Restore { store: &store, disk: &disk, tables: HashMap::new(), saved: HashMap::new() };
        let replayed = disk.replay(|record| restore.record(record))?;
        store.warm(&disk, now);
        let oldest = disk.oldest();
        Ok((store, History { replayed: replayed.records, lost: replayed.lost, oldest }))
    }

    /// Puts the rows on disk that memory would hold had this run begun earlier into memory.
    fn warm(&self, disk: &Disk, now: UnixMillis) {
        let from = now.saturating_sub(self.shared.limits.retention_ms);
        for instance in disk.instances(from, now) {
            let known = self.table(&instance);
            let loaded = disk.load(&instance, from, now);
            let Some(last) = loaded.last() else { continue };
            let table = known.unwrap_or_else(|| {
                let table = self.add_table(&instance, &last.target);
                // Until it is heard from again.
                table.write().ended = true;
                table
            });
            table.write().load(loaded);
        }
    }
}

impl Table {
    /// Takes in rows before its first that are on disk too.
    fn load(&mut self, loaded: Vec<Loaded>) {
        let mut blocks: Vec<Block> = Vec::new();
        for Loaded { target, place, times, columns } in loaded {
            let after = blocks.last().and_then(|block| block.times.last());
            let fits = target == self.target
                && times.is_sorted_by(|a, b| a < b)
                && after.zip(times.first()).is_none_or(|(before, first)| before < first)
                && self.first_time().zip(times.last()).is_none_or(|(first, last)| *last < first);
            if !fits {
                // Where the clock jumped, what is on disk is read there.
                continue;
            }
            let places: Vec<u32> = (columns.iter())
                .map(|(labels, _)| self.find(labels).unwrap_or_else(|| self.add(labels.clone())))
                .collect();
            for (at, rows) in times.chunks(BLOCK_ROWS).enumerate() {
                let mut sealed: Vec<Sealed> = Vec::new();
                sealed.resize_with(self.columns.len(), || Sealed::Absent);
                for (place, (_, values)) in places.iter().zip(&columns) {
                    let mut cells = Cells::default();
                    for (row, value) in values[at * BLOCK_ROWS..].iter().take(rows.len()).enumerate() {
                        if !is_stale(*value) {
                            cells.push(row, *value);
                        }
                    }
                    sealed[*place as usize] = Sealed::seal(&cells, rows.len());
                }
                let columns = sealed.into_boxed_slice();
                blocks.push(Block { times: rows.into(), columns, place: Some(place), file: 0 });
            }
        }
        for block in blocks.into_iter().rev() {
            self.blocks.push_front(block);
        }
    }
}

/// A table, and the column of each of a record's series.
type Known = (Arc<RwLock<Table>>, Vec<u32>);

/// Puts the records of the row log back into memory.
struct Restore<'a> {
    store: &'a Store,
    disk: &'a Disk,
    /// By a record's reference: the table, and the column of each of the record's series.
    tables: HashMap<(u64, u64), Known>,
    /// By instance: the times of the rows that are on disk.
    saved: HashMap<String, HashSet<UnixMillis>>,
}

impl Restore<'_> {
    fn record(&mut self, record: &Record<'_>) {
        let instance = record.target.get("instance").unwrap_or_default();
        let (table, columns) = self.tables.entry(record.reference).or_insert_with(|| {
            let table = self.store.add_table(instance, record.target);
            let mut locked = table.write();
            if locked.target != *record.target {
                locked.retarget(record.target.clone());
            }
            drop(locked);
            (table, Vec::new())
        });
        let mut table = table.write();
        for labels in &record.columns[columns.len()..] {
            let found = table.find(labels);
            columns.push(found.unwrap_or_else(|| table.add(labels.clone())));
        }
        match record.samples {
            Samples::Row(at, values, ended) => {
                table.ended = ended;
                let disk = self.disk;
                let saved =
                    self.saved.entry(instance.to_owned()).or_insert_with(|| disk.row_times(instance, at));
                if saved.contains(&at) {
                    return;
                }
                if table.last_time().is_some_and(|last| at <= last) {
                    table.strand();
                }
                table.turn_day(at);
                let row = table.times.len();
                if row == 0 {
                    table.head_file = record.file;
                }
                for (column, value) in columns.iter().zip(values) {
                    if !is_stale(*value) {
                        table.columns[*column as usize].head.push(row, *value);
                    }
                }
                table.times.push(at);
                // Sealed, and nothing expires: a column without a sample would go, and those behind it get other
                // numbers than the log has for them.
                if table.is_full() {
                    table.seal();
                }
            }
            Samples::Timed(samples) => {
                for &(column, at, value) in samples {
                    table.insert_timed(columns[column as usize], at, value);
                }
                let file = table.timed_file.map_or(record.file, |file| file.min(record.file));
                table.timed_file = Some(file);
            }
        }
    }
}
