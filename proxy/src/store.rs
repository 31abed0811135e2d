//! What was heard: the last hours in memory, weeks of it on disk.
//!
//! All series of a target are scraped at the same instant, so a target is a small table: one time column
//! shared by all its series, and a scrape appends one row ([`Row`]). Rows are sealed 64 at a time into
//! blocks that no longer change; the disk below takes those, where there is one. A series that is not in a row is stale at
//! that row's time, as in Prometheus, and costs one bit to say so.
//!
//! | module | gives |
//! |---|---|
//! | `row` | [`Row`]: a round's samples, all or nothing for each endpoint; [`OpenRow`]: and what is worked out from them |
//! | `layout` | the byte layout of the last exposition: an unchanged series costs one comparison |
//! | `table` | a target's columns, rows, blocks, and their retention |
//! | `column`, `packed` | the values of one series, in the head and sealed |
//! | `meta` | type, help and unit of metrics |
//! | `reader` | [`Reader`]: a parsed exposition, as [`Row::expose`] takes it |
//! | `read` | what pages and the label API ask for |
//! | `scan`, `slots` | what PromQL queries read: samples, or slots of some minutes |
//! | `disk` | the row log, and segments in a file a day |
//! | `ingest` | [`Ingested`]: samples that are pushed or imported |
//! | `tap` | what is committed, handed on to remote write |
//! | `flush`, `restore` | the way from memory to disk, and back at the start |

mod column;
mod disk;
mod flush;
#[cfg(test)]
mod history_tests;
mod ingest;
mod layout;
mod meta;
mod packed;
mod read;
mod reader;
mod restore;
mod row;
mod scan;
mod slots;
mod table;
mod tap;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use disk::Disk;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;
use parking_lot::RwLock;

pub use disk::{Retention, Tier};
pub use flush::HistoryError;
pub use ingest::{Ingested, SeriesSamples};
pub use meta::{Meta, kind_word};
pub use read::{Own, Sample, SelectError, SelectLimits, Series};
pub use reader::Reader;
pub use restore::History;
pub use row::{Exposed, OpenRow, Put, Row, RowStats};
pub use scan::OfTarget;
use table::Table;
pub use tap::{Tap, Tapped};

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows older than this go.
    pub retention_ms: i64,
    /// Series of one target, those among them that ended but are still kept.
    pub max_series_per_target: usize,
    /// Series of all targets together.
    pub max_series: usize,
}

impl Limits {
    /// As much as there is: for a store that is only read, or copied into.
    pub fn unlimited() -> Self {
        Self { max_series_per_target: usize::MAX, max_series: usize::MAX, ..Self::default() }
    }
}

impl Default for Limits {
    /// An hour; 20,000 series a target, 2,000,000 in all.
    fn default() -> Self {
        Self { retention_ms: 3_600_000, max_series_per_target: 20_000, max_series: 2_000_000 }
    }
}

/// Who a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetIdent {
    /// The target's id: the `instance` label.
    pub instance: String,
    /// The family's name: the `job` label.
    pub job: String,
    /// The target's own labels.
    pub labels: BTreeMap<String, String>,
}

impl TargetIdent {
    /// What we find out ourselves belongs to no node: it has the labels that it is given and no others.
    pub fn nobody() -> Self {
        Self { instance: String::new(), job: String::new(), labels: BTreeMap::new() }
    }

    /// The labels that every series of the target carries.
    pub fn label_set(&self) -> LabelSet {
        let fixed = [("instance", self.instance.as_str()), ("job", self.job.as_str())];
        // The fixed ones come first, so that a label of the same name does not replace them.
        LabelSet::from_pairs(
            fixed.into_iter().chain(self.labels.iter().map(|(n, v)| (n.as_str(), v.as_str()))),
        )
    }
}

/// Why something was not stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// More series than the settings allow.
    #[error(
        "more than {limit} series of {of}; raise `{setting}`, or make the node expose fewer \
         (what was stored before is kept)"
    )]
    SeriesLimit {
        /// The limit.
        limit: usize,
        /// What it limits.
        of: &'static str,
        /// The setting that raises it.
        setting: &'static str,
    },
    /// The row is not after the last one.
    #[error("a row at {at} ms is not after the last at {last} ms: the clock was set back a little; wait")]
    OutOfOrder {
        /// The row's time.
        at: UnixMillis,
        /// The time of the last row.
        last: UnixMillis,
    },
    /// The exposition cannot be read; the parser's words.
    #[error("{0}")]
    Exposition(String),
}

/// What an exposition holds, as the store reads it.
pub enum Item<'a> {
    /// One sample.
    Sample {
        /// `name{labels}` as written.
        raw: &'a str,
        /// The value.
        value: f64,
        /// The value as written.
        value_text: &'a str,
        /// The time the node gave it, if it did.
        timestamp: Option<UnixMillis>,
    },
    /// The type of a metric family.
    Kind {
        /// The family.
        family: &'a str,
        /// The type.
        kind: &'a str,
    },
    /// The help of a metric family.
    Help {
        /// The family.
        family: &'a str,
        /// The text, unescaped.
        help: &'a str,
    },
    /// The unit of a metric family.
    Unit {
        /// The family.
        family: &'a str,
        /// The unit.
        unit: &'a str,
    },
}

/// Something that can be read like an exposition.
pub trait Exposition {
    /// The next item; `hint` is the raw series that comes next if nothing changed.
    ///
    /// # Errors
    /// What is wrong and where, in words, when the rest cannot be read.
    fn next_item(&mut self, hint: Option<&[u8]>) -> Option<Result<Item<'_>, String>>;

    /// The labels of a raw series.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn labels(raw: &str) -> Result<LabelSet, String>;
}

/// Everything heard from every target. All calls are short and none waits for anything but a lock of one
/// target.
pub struct Store {
    targets: RwLock<BTreeMap<String, Arc<RwLock<Table>>>>,
    shared: Arc<Shared>,
}

/// What all tables share.
struct Shared {
    limits: Limits,
    /// Series of all tables.
    total: Arc<AtomicUsize>,
    texts: meta::Texts,
    /// The names of metrics.
    names: Arc<meta::Texts>,
    disk: Option<Arc<Disk>>,
    /// When removed targets were last looked through.
    swept: AtomicI64,
    /// Who is handed what is committed.
    taps: tap::Taps,
}

const SWEEP_EVERY_MS: u64 = 60_000;

impl Shared {
    /// Whether a target with so many series may have one more.
    ///
    /// # Errors
    /// Which limit it is that says no.
    fn allow(&self, series: usize) -> Result<(), StoreError> {
        let Limits { max_series_per_target, max_series, .. } = self.limits;
        let (limit, of, setting) = if series >= max_series_per_target {
            (max_series_per_target, "one target", "store.max_series_per_target")
        } else if self.total.load(Ordering::Relaxed) >= max_series {
            (max_series, "all targets together", "store.max_series")
        } else {
            return Ok(());
        };
        Err(StoreError::SeriesLimit { limit, of, setting })
    }

    /// Whether it is this caller that sweeps now.
    fn claim_sweep(&self, before: UnixMillis, now: UnixMillis) -> bool {
        self.swept.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// How far back the clock may jump before we believe it: less is a correction that passes by itself.
const CLOCK_SLACK_MS: i64 = 60_000;

impl Store {
    /// An empty store.
    pub fn new(limits: Limits) -> Self {
        Self::with(limits, None)
    }

    fn with(limits: Limits, disk: Option<Arc<Disk>>) -> Self {
        let shared = Shared {
            limits,
            total: Arc::default(),
            texts: meta::Texts::default(),
            names: Arc::default(),
            disk,
            swept: AtomicI64::new(0),
            taps: tap::Taps::default(),
        };
        Self { targets: RwLock::default(), shared: Arc::new(shared) }
    }

    /// Begins the row of one round of a target, at the time the round began. A target not seen before is
    /// added; one whose labels changed is renamed, as by [`Store::retarget`].
    ///
    /// When the clock was set back by more than a minute, the target's rows so far leave the memory, since
    /// keeping them would refuse every row until the clock has caught up: for the disk where there is one,
    /// else those after `at` for good.
    ///
    /// # Errors
    /// [`StoreError::OutOfOrder`] when `at` is not after the target's last row, by less than that.
    pub fn begin(&self, target: &TargetIdent, at: UnixMillis) -> Result<Row, StoreError> {
        let swept = self.shared.swept.load(Ordering::Relaxed);
        if at.abs_diff(swept) >= SWEEP_EVERY_MS && self.shared.claim_sweep(swept, at) {
            self.sweep(at);
        }
        let labels = target.label_set();
        let known = self.targets.read().get(&target.instance).cloned();
        let table = known.unwrap_or_else(|| self.add_table(&target.instance, &labels));
        let mut table = table.write_arc();
        self.close_open(&mut table);
        if let Some(last) = table.last_time().filter(|&last| at <= last) {
            if last - at <= CLOCK_SLACK_MS {
                return Err(StoreError::OutOfOrder { at, last });
            }
            match self.shared.disk {
                Some(_) => table.strand(),
                None => table.forget_after(at - 1),
            }
        }
        if table.target != labels {
            table.retarget(labels);
        }
        table.turn_day(at);
        Ok(Row::new(table, self.shared.clone(), at))
    }

    /// Ends a row that nobody ended: none may come after it before.
    fn close_open(&self, table: &mut Table) {
        if table.open {
            row::close(table, &self.shared, Vec::new());
        }
    }

    fn add_table(&self, instance: &str, labels: &LabelSet) -> Arc<RwLock<Table>> {
        let new = || {
            let mut table = Table::new(labels.clone(), self.shared.total.clone(), self.shared.names.clone());
            table.keeps = self.shared.disk.is_some();
            Arc::new(RwLock::new(table))
        };
        self.targets.write().entry(instance.to_owned()).or_insert_with(new).clone()
    }

    /// Gives a target other labels; its rows until now carry them too. An unknown target is left unknown.
    pub fn retarget(&self, target: &TargetIdent) {
        let labels = target.label_set();
        if let Some(table) = self.table(&target.instance) {
            let mut table = table.write();
            if table.target != labels {
                table.retarget(labels);
            }
        }
    }

    /// Ends a target: all its series are stale from `at` on. What it sent is kept until it is too old.
    pub fn remove(&self, instance: &str, at: UnixMillis) {
        if let Some(table) = self.table(instance) {
            let mut table = table.write();
            self.close_open(&mut table);
            table.ended = true;
            if table.last_time().is_some_and(|last| last < at) {
                table.turn_day(at);
                table.times.push(at);
                row::close(&mut table, &self.shared, Vec::new());
            }
        }
    }

    /// Drops removed targets whose last row is too old. [`Store::begin`] does it every minute by itself.
    pub fn sweep(&self, now: UnixMillis) {
        let oldest = now.saturating_sub(self.shared.limits.retention_ms);
        let tables: Vec<_> = self.targets.read().iter().map(|(id, t)| (id.clone(), t.clone())).collect();
        for (instance, table) in tables {
            let table = table.read();
            if table.ended && table.last_time().is_none_or(|last| last < oldest) && table.is_saved() {
                drop(table);
                self.targets.write().remove(&instance);
            }
        }
    }

    /// How much there is.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats { series: self.shared.total.load(Ordering::Relaxed), ..Stats::default() };
        stats.bytes = self.shared.texts.heap_bytes() + self.shared.names.heap_bytes();
        for table in self.tables() {
            let table = table.read();
            stats.targets += usize::from(!table.ended);
            stats.bytes += table.heap_bytes();
            stats.samples += table.count_samples();
            stats.oldest = stats.oldest.into_iter().chain(table.first_time()).min();
        }
        if let Some(disk) = &self.shared.disk {
            stats.oldest = stats.oldest.into_iter().chain(disk.oldest()).min();
            stats.disk_bytes = disk.bytes();
            stats.write_errors = disk.counts.write_errors.load(Ordering::Relaxed);
            stats.damaged = disk.counts.damaged.load(Ordering::Relaxed);
        }
        stats
    }

    fn table(&self, instance: &str) -> Option<Arc<RwLock<Table>>> {
        self.targets.read().get(instance).cloned()
    }

    fn tables(&self) -> Vec<Arc<RwLock<Table>>> {
        self.targets.read().values().cloned().collect()
    }
}

/// How much a [`Store`] holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Targets that were not removed.
    pub targets: usize,
    /// Series, those among them that ended but are still kept.
    pub series: usize,
    /// Samples.
    pub samples: usize,
    /// Bytes of memory, nearly.
    pub bytes: usize,
    /// When the oldest kept row was.
    pub oldest: Option<UnixMillis>,
    /// Bytes of history on disk.
    pub disk_bytes: u64,
    /// Writes to disk that failed.
    pub write_errors: u64,
    /// Files and segments that were damaged and set aside.
    pub damaged: u64,
}
