//! One target's table: a time column shared by all its series, a row a scrape.

use std::cell::Cell;
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::column::{BLOCK_ROWS, Cells, Sealed};
use super::disk::{DAY_MS, Logged, Place};
use super::layout::Layout;
use super::meta::{Metadata, Texts};

/// Whose series it is: an endpoint's slot, or one of these.
pub(super) type Owner = u16;
/// Nobody's; the next that sends it gets it.
pub(super) const NOBODY: Owner = u16::MAX;
/// Fleetglass's own: derived, or about the scrape.
pub(super) const OURS: Owner = u16::MAX - 1;

/// The most samples kept of one series that brings its own times.
const MAX_TIMED: usize = 16_384;
/// How much longer a block is kept that could not be put on disk.
const UNSAVED_MS: i64 = 3 * 3_600_000;

/// A series: what it is called, and its rows in the head.
pub(super) struct Column {
    /// Its own labels with `__name__`, clashes with the target's renamed, the target's not among them.
    pub(super) labels: LabelSet,
    /// Its metric's name, one text for all tables: two of the same name are at the same address.
    metric: Arc<str>,
    /// The metric has no other series in this table.
    alone: bool,
    /// With the target's labels: a series that was asked for once is asked for again, by rules each time.
    whole: OnceLock<LabelSet>,
    pub(super) head: Cells,
    pub(super) owner: Owner,
    pub(super) derived: bool,
    /// Samples with times of their own.
    #[expect(clippy::box_collection, reason = "few series have it: a pointer in each column, not a deque")]
    pub(super) timed: Option<Box<VecDeque<(UnixMillis, f64)>>>,
    /// The digits of the last value where an `f64` does not hold them all.
    pub(super) digits: Option<Box<str>>,
}

impl Column {
    /// All its labels, those of its target among them.
    pub(super) fn whole(&self, target: &LabelSet) -> &LabelSet {
        self.whole.get_or_init(|| self.labels.merged(target))
    }
}

/// A metric that is looked for in one table after the other.
pub(super) struct Sought {
    /// Its name; `None` where no table has it.
    metric: Option<Arc<str>>,
    /// Its column in the table before.
    guess: Cell<u32>,
}

impl Sought {
    /// By the text that all tables share.
    pub(super) fn new(metric: Option<Arc<str>>) -> Self {
        Self { metric, guess: Cell::new(0) }
    }
}

/// The columns of a metric in one table.
pub(super) enum Named<'a> {
    /// The only one.
    One(u32),
    /// These.
    Many(&'a [u32]),
}

/// Rows that no longer change; `columns[i]` belongs to the table's column `i`, those behind are absent.
pub(super) struct Block {
    pub(super) times: Box<[UnixMillis]>,
    pub(super) columns: Box<[Sealed]>,
    /// Where it is on disk, once it is.
    pub(super) place: Option<Place>,
    /// The oldest file of the row log that holds rows of it.
    pub(super) file: u64,
}

/// An endpoint that exposed something.
pub(super) struct Endpoint {
    pub(super) name: Box<str>,
    pub(super) layout: Layout,
    /// It was read whole in the row being made.
    pub(super) read: bool,
}

/// See the module.
pub(super) struct Table {
    /// The labels every series of the target carries.
    pub(super) target: LabelSet,
    pub(super) columns: Vec<Column>,
    by_labels: HashTable<u32>,
    by_metric: HashMap<Arc<str>, Vec<u32>>,
    names: Arc<Texts>,
    hasher: DefaultHashBuilder,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) metadata: Metadata,
    /// The times of the head's rows.
    pub(super) times: Vec<UnixMillis>,
    pub(super) blocks: VecDeque<Block>,
    /// Per column, who set it in the row being made.
    pub(super) marks: Vec<Owner>,
    /// The head's last row may still get series of our own.
    pub(super) open: bool,
    /// The target is gone; what it sent is kept until it is too old.
    pub(super) ended: bool,
    /// Rows from before the clock was set back, which wait to be put on disk.
    pub(super) stranded: Vec<Block>,
    /// What the row log knows of the last row.
    pub(super) logged: Logged,
    /// The file of the row log that holds the head's first row.
    pub(super) head_file: u64,
    /// The oldest file of the row log that holds samples with times of their own that are not on disk.
    pub(super) timed_file: Option<u64>,
    /// Blocks are kept until they are on disk.
    pub(super) keeps: bool,
    /// Series of all tables together.
    total: Arc<AtomicUsize>,
}

impl Table {
    pub(super) fn new(target: LabelSet, total: Arc<AtomicUsize>, names: Arc<Texts>) -> Self {
        Self {
            target,
            columns: Vec::new(),
            by_labels: HashTable::new(),
            by_metric: HashMap::new(),
            names,
            hasher: DefaultHashBuilder::default(),
            endpoints: Vec::new(),
            metadata: Metadata::default(),
            times: Vec::new(),
            blocks: VecDeque::new(),
            marks: Vec::new(),
            open: false,
            ended: false,
            stranded: Vec::new(),
            logged: Logged::default(),
            head_file: 0,
            timed_file: None,
            keeps: false,
            total,
        }
    }

    /// When the last row was.
    pub(super) fn last_time(&self) -> Option<UnixMillis> {
        let sealed = || self.blocks.back().and_then(|block| block.times.last());
        self.times.last().or_else(sealed).copied()
    }

    /// When the first kept row was.
    pub(super) fn first_time(&self) -> Option<UnixMillis> {
        self.blocks.front().and_then(|block| block.times.first()).or(self.times.first()).copied()
    }

    /// The slot of an endpoint, made if it is new.
    pub(super) fn slot(&mut self, endpoint: &str) -> usize {
        match self.endpoints.iter().position(|e| &*e.name == endpoint) {
            Some(slot) => slot,
            None => {
                let (name, layout) = (endpoint.into(), Layout::default());
                self.endpoints.push(Endpoint { name, layout, read: false });
                self.endpoints.len() - 1
            }
        }
    }

    pub(super) fn find(&self, labels: &LabelSet) -> Option<u32> {
        let same = |&column: &u32| self.columns[column as usize].labels == *labels;
        self.by_labels.find(self.hasher.hash_one(labels), same).copied()
    }

    /// Adds a series; the caller has checked that it is new and allowed.
    pub(super) fn add(&mut self, labels: LabelSet) -> u32 {
        let column = self.columns.len() as u32;
        self.columns.push(Column {
            metric: self.names.share(labels.metric()),
            alone: true,
            labels,
            whole: OnceLock::new(),
            head: Cells::default(),
            owner: NOBODY,
            derived: false,
            timed: None,
            digits: None,
        });
        self.marks.push(NOBODY);
        self.total.fetch_add(1, Ordering::Relaxed);
        self.index(column);
        column
    }

    fn index(&mut self, column: u32) {
        let Self { columns, by_labels, by_metric, hasher, .. } = self;
        let hash = |&column: &u32| hasher.hash_one(&columns[column as usize].labels);
        by_labels.insert_unique(hash(&column), column, hash);
        let metric = columns[column as usize].metric.clone();
        let named = by_metric.entry(metric).or_default();
        named.push(column);
        let alone = named.len() == 1;
        named.iter().for_each(|&at| columns[at as usize].alone = alone);
    }

    /// The columns of a metric. Nodes of a family expose alike, so that it is mostly where it was in the table
    /// before this one.
    pub(super) fn of_metric(&self, sought: &Sought) -> Named<'_> {
        let Some(metric) = &sought.metric else { return Named::Many(&[]) };
        let guess = sought.guess.get();
        let is_it = |column: &Column| column.alone && Arc::ptr_eq(&column.metric, metric);
        if self.columns.get(guess as usize).is_some_and(is_it) {
            return Named::One(guess);
        }
        let all = self.by_metric.get(metric).map_or(&[][..], Vec::as_slice);
        if let [column] = all {
            sought.guess.set(*column);
        }
        Named::Many(all)
    }

    /// Takes back the series added since there were `length`.
    pub(super) fn abandon(&mut self, length: usize) {
        while self.columns.len() > length {
            let column = (self.columns.len() - 1) as u32;
            let labels = &self.columns[column as usize].labels;
            let found = self.by_labels.find_entry(self.hasher.hash_one(labels), |&c| c == column);
            if let Ok(entry) = found {
                entry.remove();
            }
            if let Some(named) = self.by_metric.get_mut(labels.metric()) {
                named.pop();
                match named.as_slice() {
                    [] => drop(self.by_metric.remove(&self.columns[column as usize].metric)),
                    [last] => self.columns[*last as usize].alone = true,
                    _ => {}
                }
            }
            self.columns.pop();
            self.marks.pop();
            self.total.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Seals the head when a row at `at` would be of another day: no block is of two, as the disk has a file
    /// for each.
    pub(super) fn turn_day(&mut self, at: UnixMillis) {
        if self.keeps
            && self.times.first().is_some_and(|first| first.div_euclid(DAY_MS) != at.div_euclid(DAY_MS))
        {
            self.seal();
        }
    }

    /// Whether the head has as many rows as a block.
    pub(super) fn is_full(&self) -> bool {
        self.times.len() == BLOCK_ROWS
    }

    /// Seals a full head whose last row is at `at`, and drops rows older than `retention_ms`.
    pub(super) fn seal_full(&mut self, at: UnixMillis, retention_ms: i64) {
        if self.is_full() {
            self.seal();
            self.expire(at.saturating_sub(retention_ms));
        }
    }

    pub(super) fn seal(&mut self) {
        let rows = self.times.len();
        let seal = |column: &mut Column| Sealed::seal(&std::mem::take(&mut column.head), rows);
        let columns = self.columns.iter_mut().map(seal).collect();
        let times = std::mem::take(&mut self.times).into();
        self.blocks.push_back(Block { times, columns, place: None, file: self.head_file });
    }

    /// Drops blocks that ended before `oldest`, and the series that have no sample left.
    pub(super) fn expire(&mut self, oldest: UnixMillis) {
        while let Some(length) = self.expired(oldest) {
            self.blocks.drain(..length);
        }
        for column in &mut self.columns {
            let unsaved = if self.keeps { UNSAVED_MS } else { 0 };
            if let Some(timed) = &mut column.timed {
                timed.retain(|&(at, _)| at >= oldest.saturating_sub(unsaved));
                if timed.is_empty() {
                    column.timed = None;
                }
            }
        }
        let kept = |(at, column): (usize, &Column)| {
            let sealed = |block: &Block| !matches!(block.columns.get(at), None | Some(Sealed::Absent));
            column.head.present != 0
                || column.timed.is_some()
                || self.blocks.iter().chain(&self.stranded).any(sealed)
        };
        let keep: Vec<bool> = self.columns.iter().enumerate().map(kept).collect();
        if keep.contains(&false) {
            self.compact(&keep);
        }
    }

    /// Whether there is a block that [`Table::expire`] would drop.
    pub(super) fn has_expired(&self, oldest: UnixMillis) -> bool {
        self.expired(oldest).is_some()
    }

    /// How many blocks at the front can go together: those of one segment, since what is on disk is read in
    /// whole segments.
    fn expired(&self, oldest: UnixMillis) -> Option<usize> {
        let place = self.blocks.front()?.place;
        let length = match place {
            Some(_) => self.blocks.iter().take_while(|block| block.place == place).count(),
            None => 1,
        };
        let last = *self.blocks.get(length - 1)?.times.last()?;
        // A disk that takes nothing may not fill the memory: past another such span it is lost.
        let oldest = if self.keeps && place.is_none() { oldest.saturating_sub(UNSAVED_MS) } else { oldest };
        (last < oldest).then_some(length)
    }

    /// Drops the columns that are not to be kept and renumbers the rest.
    fn compact(&mut self, keep: &[bool]) {
        let mut next = 0;
        let numbers: Vec<Option<u32>> = (keep.iter())
            .map(|&keep| {
                let number = keep.then_some(next);
                next += u32::from(keep);
                number
            })
            .collect();
        self.total.fetch_sub(keep.len() - next as usize, Ordering::Relaxed);
        let mut at = 0;
        self.columns.retain(|_| {
            at += 1;
            keep[at - 1]
        });
        for block in &mut self.blocks {
            let columns = std::mem::take(&mut block.columns).into_vec();
            block.columns =
                columns.into_iter().zip(keep).filter(|(_, keep)| **keep).map(|(c, _)| c).collect();
        }
        for endpoint in &mut self.endpoints {
            endpoint.layout.renumber(|column| numbers[column as usize]);
        }
        self.logged.forget();
        for block in &mut self.stranded {
            let columns = std::mem::take(&mut block.columns).into_vec();
            block.columns =
                columns.into_iter().zip(keep).filter(|(_, keep)| **keep).map(|(c, _)| c).collect();
        }
        self.reindex();
        let Self { metadata, by_metric, .. } = self;
        metadata.keep_only(|metric| by_metric.contains_key(metric));
    }

    fn reindex(&mut self) {
        self.by_labels.clear();
        self.by_metric.clear();
        self.marks.clear();
        self.marks.resize(self.columns.len(), NOBODY);
        (0..self.columns.len() as u32).for_each(|column| self.index(column));
    }

    /// Gives the target other labels, for the rows it has too.
    pub(super) fn retarget(&mut self, target: LabelSet) {
        self.target = target;
        self.columns.iter_mut().for_each(|column| drop(column.whole.take()));
        self.logged.forget();
        // What clashed may no longer, and the other way about: let every series be read anew.
        self.endpoints.clear();
        for at in 0..self.columns.len() {
            self.columns[at].owner = NOBODY;
            let labels = self.columns[at].labels.exported(&self.target);
            if labels != self.columns[at].labels && self.columns.iter().all(|c| c.labels != labels) {
                self.columns[at].labels = labels;
            }
        }
        self.reindex();
    }

    /// Forgets the rows after `at`: the clock was set back, so their times were wrong.
    pub(super) fn forget_after(&mut self, at: UnixMillis) {
        while self.times.first().is_none_or(|&first| first > at) {
            let Some(block) = self.blocks.pop_back() else { break };
            self.times = block.times.into_vec();
            for (i, column) in self.columns.iter_mut().enumerate() {
                let sealed = block.columns.get(i);
                column.head = sealed.map_or_else(Cells::default, |sealed| sealed.unseal(self.times.len()));
            }
        }
        let rows = self.times.partition_point(|&time| time <= at);
        self.times.truncate(rows);
        self.columns.iter_mut().for_each(|column| column.head.truncate(rows));
    }

    /// Puts the rows aside until they are on disk: the clock was set back, and what comes is before them.
    pub(super) fn strand(&mut self) {
        self.seal();
        self.stranded.extend(self.blocks.drain(..).filter(|block| block.place.is_none()));
    }

    /// Keeps a sample that brought its own time; false when it is older than the last, or a repetition.
    pub(super) fn push_timed(&mut self, column: u32, at: UnixMillis, value: f64) -> bool {
        let timed = self.columns[column as usize].timed.get_or_insert_default();
        if timed.back().is_some_and(|&(last, _)| last >= at) {
            return false;
        }
        if timed.len() == MAX_TIMED {
            timed.pop_front();
        }
        timed.push_back((at, value));
        true
    }

    /// Bytes on the heap, nearly.
    pub(super) fn heap_bytes(&self) -> usize {
        let column = |c: &Column| {
            c.labels.heap_bytes()
                + c.whole.get().map_or(0, LabelSet::heap_bytes)
                + c.head.rest.capacity() * 8
                + c.timed.as_ref().map_or(0, |t| t.capacity() * 16 + size_of::<VecDeque<(i64, f64)>>())
                + c.digits.as_ref().map_or(0, |d| d.len())
        };
        let block = |b: &Block| {
            b.times.len() * 8
                + b.columns.len() * size_of::<Sealed>()
                + b.columns.iter().map(Sealed::heap_bytes).sum::<usize>()
        };
        self.columns.capacity() * size_of::<Column>()
            + self.columns.iter().map(column).sum::<usize>()
            + self.by_labels.capacity() * 8 / 7 * 5
            + self.by_metric.iter().map(|(_, columns)| 41 + columns.capacity() * 4).sum::<usize>()
            + self.endpoints.iter().map(|e| e.layout.heap_bytes()).sum::<usize>()
            + self.metadata.heap_bytes()
            + self.times.capacity() * 8
            + self.marks.capacity() * 2
            + self.blocks.iter().map(block).sum::<usize>()
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.total.fetch_sub(self.columns.len(), Ordering::Relaxed);
    }
}

/// What a row that ends means for the series that are not in it.
impl Table {
    /// How many series were there in the row before `row` and are not marked now.
    pub(super) fn count_leaving(&self, row: usize) -> usize {
        let leaving = |at: &usize| self.marks[*at] == NOBODY && self.was_there(*at, row);
        (0..self.columns.len()).filter(leaving).count()
    }

    /// Whether a series was there in the row before `row` of the head.
    pub(super) fn was_there(&self, column: usize, row: usize) -> bool {
        match (row.checked_sub(1), self.blocks.back()) {
            (Some(before), _) => self.columns[column].head.present >> before & 1 == 1,
            (None, Some(block)) => {
                block.columns.get(column).is_some_and(|sealed| sealed.in_last(block.times.len()))
            }
            (None, None) => false,
        }
    }

    /// A series that its endpoint no longer sends is free for another to send.
    pub(super) fn release_unsent(&mut self) {
        for (column, &mark) in self.columns.iter_mut().zip(&self.marks) {
            let read = self.endpoints.get(usize::from(column.owner)).is_some_and(|endpoint| endpoint.read);
            if mark == NOBODY && read && column.timed.is_none() {
                column.owner = NOBODY;
            }
        }
    }
}
