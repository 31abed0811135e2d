//! The store as what PromQL queries read: each table's rows as one time column and dense values beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, MatchOp, Matcher};
use fleetglass_shared::promql::{EachSeries, EvalError, SeriesRef, Storage};
use fleetglass_shared::sample::{is_stale, stale_marker};

use super::Store;
use super::column::Sealed;
use super::disk::{Disk, Each, Parts, Place, Recent, own_matchers};
use super::table::{Block, Sought, Table};

impl Storage for Store {
    fn scan(
        &self,
        matchers: &[Matcher],
        from: UnixMillis,
        to: UnixMillis,
        each: EachSeries<'_>,
    ) -> Result<(), EvalError> {
        self.walk(matchers, (from, to), &scan_memory, each)
    }

    fn scan_newest(
        &self,
        matchers: &[Matcher],
        from: UnixMillis,
        to: UnixMillis,
        each: EachSeries<'_>,
    ) -> Result<(), EvalError> {
        self.walk(matchers, (from, to), &scan_newest, each)
    }
}

/// The series of one target's own: not those of rules, whatever labels they have.
pub struct OfTarget<'a> {
    store: &'a Store,
    instance: Matcher,
}

impl Store {
    /// The series that a target itself has.
    pub fn of_target(&self, instance: &str) -> OfTarget<'_> {
        OfTarget { store: self, instance: Matcher::equal("instance", instance) }
    }
}

impl Storage for OfTarget<'_> {
    fn scan(
        &self,
        matchers: &[Matcher],
        from: UnixMillis,
        to: UnixMillis,
        each: EachSeries<'_>,
    ) -> Result<(), EvalError> {
        // A matcher that names one instance leads to that target's table and to no other.
        let own: Vec<Matcher> = [&self.instance].into_iter().chain(matchers).cloned().collect();
        self.store.walk(&own, (from, to), &scan_memory, each)
    }
}

/// How the series of one table are shown.
type ScanMemory<'a> =
    &'a dyn Fn(&Table, &Selection<'_>, UnixMillis, UnixMillis, Each<'_>) -> Result<(), EvalError>;

/// What is looked for in one table after the other.
struct Selection<'a> {
    matchers: &'a [Matcher],
    sought: Sought,
}

impl Store {
    fn walk(
        &self,
        matchers: &[Matcher],
        (from, to): (UnixMillis, UnixMillis),
        scan_memory: ScanMemory<'_>,
        each: Each<'_>,
    ) -> Result<(), EvalError> {
        let selection = Selection { matchers, sought: self.sought(matchers) };
        let mut seen = BTreeSet::new();
        for table in self.matching(matchers) {
            match &self.shared.disk {
                Some(disk) => {
                    let (instance, parts) = table.read().parts(disk, &selection, from, to);
                    match parts {
                        None => scan_memory(&table.read(), &selection, from, to, each)?,
                        Some(parts) => each_part(disk, parts, matchers, each)?,
                    }
                    seen.insert(instance);
                }
                None => scan_memory(&table.read(), &selection, from, to, each)?,
            }
        }
        let Some(disk) = &self.shared.disk else { return Ok(()) };
        if let Some(only) = only_instance(matchers) {
            if seen.contains(only) {
                return Ok(());
            }
            let stored = disk.stored(only, from, to, &[]).into_iter();
            let parts = stored.map(|(target, stored)| Parts { target, stored, recent: None }).collect();
            return each_part(disk, parts, matchers, each);
        }
        for instance in disk.instances(from, to).difference(&seen) {
            let stored = disk.stored(instance, from, to, &[]).into_iter();
            let parts = stored.map(|(target, stored)| Parts { target, stored, recent: None }).collect();
            each_part(disk, parts, matchers, each)?;
        }
        Ok(())
    }
}

/// The instance that matchers name, if they name one.
fn only_instance(matchers: &[Matcher]) -> Option<&str> {
    let only = matchers.iter().find(|matcher| matcher.name() == "instance" && matcher.op() == MatchOp::Equal);
    only.map(Matcher::value)
}

/// Shows what there is of one instance. Where its target had other labels for a while, the same series may
/// be in two parts.
fn each_part(disk: &Disk, parts: Vec<Parts>, matchers: &[Matcher], each: Each<'_>) -> Result<(), EvalError> {
    if let [_] = parts.as_slice() {
        for parts in parts {
            if let Some(own) = own_matchers(matchers, &parts.target) {
                parts.each(disk, &own, each)?;
            }
        }
        return Ok(());
    }
    let mut all: BTreeMap<LabelSet, BTreeMap<UnixMillis, f64>> = BTreeMap::new();
    for parts in parts {
        let Some(own) = own_matchers(matchers, &parts.target) else { continue };
        parts.each(disk, &own, &mut |series| {
            let samples = all.entry(series.labels.clone()).or_default();
            for (at, value) in series.times.iter().zip(series.values) {
                let known = samples.entry(*at).or_insert(*value);
                if is_stale(*known) {
                    *known = *value;
                }
            }
            Ok(())
        })?;
    }
    for (labels, samples) in all {
        let times: Arc<[i64]> = samples.keys().copied().collect();
        let values: Vec<f64> = samples.into_values().collect();
        each(SeriesRef { labels: &labels, times: &times, values: &values })?;
    }
    Ok(())
}

/// A table is locked while its series are read, so that they fit each other; a round of its node waits for
/// that long.
fn scan_memory(
    table: &Table,
    selection: &Selection<'_>,
    from: UnixMillis,
    to: UnixMillis,
    each: Each<'_>,
) -> Result<(), EvalError> {
    let mut values = Vec::new();
    let mut rows = None;
    for column in table.matching(selection.matchers, &selection.sought) {
        let rows = rows.get_or_insert_with(|| Rows::new(table, from, to));
        values.clear();
        rows.fill(table, column as usize, &mut values);
        let entry = &table.columns[column as usize];
        let labels = entry.whole(&table.target);
        if entry.timed.is_some() {
            let samples = table.read_column(column, from, to);
            let times: Arc<[i64]> = samples.iter().map(|sample| sample.0).collect();
            let values: Vec<f64> = samples.iter().map(|sample| sample.1).collect();
            each(SeriesRef { labels, times: &times, values: &values })?;
        } else if values.iter().any(|value| !is_stale(*value)) {
            each(SeriesRef { labels, times: &rows.times, values: &values })?;
        }
    }
    Ok(())
}

/// As [`scan_memory`], of each series the newest sample alone: that of the last row, where it is in the head.
fn scan_newest(
    table: &Table,
    selection: &Selection<'_>,
    from: UnixMillis,
    to: UnixMillis,
    each: Each<'_>,
) -> Result<(), EvalError> {
    let row = match table.times.last() {
        // What rules and pages ask: how it is now.
        Some(&last) if last <= to => Some(table.times.len() - 1),
        _ => table.times.partition_point(|&at| at <= to).checked_sub(1),
    };
    let Some(row) = row.filter(|&row| table.times[row] >= from) else {
        return scan_memory(table, selection, from, to, each);
    };
    let mut times = None;
    for column in table.matching(selection.matchers, &selection.sought) {
        let entry = &table.columns[column as usize];
        let labels = entry.whole(&table.target);
        if entry.timed.is_some() {
            let samples = table.read_column(column, from, to);
            let times: Arc<[i64]> = samples.iter().map(|sample| sample.0).collect();
            let values: Vec<f64> = samples.iter().map(|sample| sample.1).collect();
            each(SeriesRef { labels, times: &times, values: &values })?;
        } else if let Some(value) = entry.head.get(row) {
            let times = times.get_or_insert_with(|| Arc::from([table.times[row]]));
            each(SeriesRef { labels, times, values: &[value] })?;
        }
    }
    Ok(())
}

impl Table {
    /// The instance, and what there is of it on disk and in memory, copied so that the disk can be read
    /// without the lock; `None` where memory has all of the span.
    fn parts(
        &self,
        disk: &Disk,
        selection: &Selection<'_>,
        from: UnixMillis,
        to: UnixMillis,
    ) -> (String, Option<Vec<Parts>>) {
        let instance = self.target.get("instance").unwrap_or_default().to_owned();
        let in_memory: Vec<Place> = self.blocks.iter().filter_map(|block| block.place).collect();
        let mut stored = disk.stored(&instance, from, to, &in_memory);
        if stored.is_empty() {
            return (instance, None);
        }
        let rows = Rows::new(self, from, to);
        let mut columns = Vec::new();
        for column in self.matching(selection.matchers, &selection.sought) {
            let mut values = Vec::with_capacity(rows.times.len());
            rows.fill(self, column as usize, &mut values);
            let entry = &self.columns[column as usize];
            let timed = entry.timed.as_ref().map(|timed| timed.iter().copied().collect()).unwrap_or_default();
            columns.push((entry.labels.clone(), values, timed));
        }
        let recent = Recent { times: rows.times.to_vec(), columns };
        let now = Parts {
            target: self.target.clone(),
            stored: stored.remove(&self.target).unwrap_or_default(),
            recent: Some(recent),
        };
        let before = stored.into_iter().map(|(target, stored)| Parts { target, stored, recent: None });
        (instance, Some(before.chain([now]).collect()))
    }
}

/// The rows of a table that may lie in a range.
struct Rows {
    times: Arc<[i64]>,
    /// The blocks, by their places.
    blocks: Range<usize>,
    /// The rows of the head, by their places.
    head: Range<usize>,
}

impl Rows {
    fn new(table: &Table, from: UnixMillis, to: UnixMillis) -> Self {
        let first = table.blocks.partition_point(|block| block.times.last().is_none_or(|&last| last < from));
        let last = table.blocks.partition_point(|block| block.times.first().is_none_or(|&first| first <= to));
        let blocks = first..last.max(first);
        let begin = table.times.partition_point(|&at| at < from);
        let head = begin..table.times.partition_point(|&at| at <= to).max(begin);
        let own = &table.times[head.clone()];
        let times = if blocks.is_empty() {
            own.into()
        } else {
            let sealed = table.blocks.range(blocks.clone()).flat_map(|block| block.times.iter().copied());
            sealed.chain(own.iter().copied()).collect()
        };
        Self { times, blocks, head }
    }

    fn fill(&self, table: &Table, column: usize, values: &mut Vec<f64>) {
        let absent = stale_marker();
        for Block { times, columns, .. } in table.blocks.range(self.blocks.clone()) {
            columns.get(column).unwrap_or(&Sealed::Absent).expand(times.len(), absent, values);
        }
        table.columns[column].head.expand_range(self.head.clone(), absent, values);
    }
}
