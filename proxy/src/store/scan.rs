//! The store as what PromQL queries read: each table's rows as one time column and dense values beside it.

use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::Matcher;
use fleetglass_shared::promql::{EvalError, SeriesRef, Storage};
use fleetglass_shared::sample::{is_stale, stale_marker};

use super::Store;
use super::column::Sealed;
use super::table::{Block, Table};

impl Storage for Store {
    fn scan(
        &self,
        matchers: &[Matcher],
        from: UnixMillis,
        to: UnixMillis,
        each: &mut dyn FnMut(SeriesRef<'_>) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let mut values = Vec::new();
        for table in self.matching(matchers) {
            // A table is locked while its series are read, so that they fit each other; a round of its node
            // waits for that long.
            let table = table.read();
            let mut rows = None;
            for column in table.matching(matchers) {
                let rows = rows.get_or_insert_with(|| Rows::new(&table, from, to));
                values.clear();
                rows.fill(&table, column as usize, &mut values);
                let entry = &table.columns[column as usize];
                let labels = || entry.labels.merged(&table.target);
                if entry.timed.is_some() {
                    let samples = table.read_column(column, from, to);
                    let times: Arc<[i64]> = samples.iter().map(|sample| sample.0).collect();
                    let values: Vec<f64> = samples.iter().map(|sample| sample.1).collect();
                    each(SeriesRef { labels: &labels(), times: &times, values: &values })?;
                } else if values.iter().any(|value| !is_stale(*value)) {
                    each(SeriesRef { labels: &labels(), times: &rows.times, values: &values })?;
                }
            }
        }
        Ok(())
    }
}

/// The rows of a table that may lie in a range.
struct Rows {
    times: Arc<[i64]>,
    /// The blocks, by their places.
    blocks: std::ops::Range<usize>,
    head: bool,
}

impl Rows {
    fn new(table: &Table, from: UnixMillis, to: UnixMillis) -> Self {
        let first = table.blocks.partition_point(|block| block.times.last().is_none_or(|&last| last < from));
        let last = table.blocks.partition_point(|block| block.times.first().is_none_or(|&first| first <= to));
        let blocks = first..last.max(first);
        let head = table.times.first().is_some_and(|&first| first <= to)
            && table.times.last().is_some_and(|&last| last >= from);
        let sealed = table.blocks.range(blocks.clone()).flat_map(|block| block.times.iter().copied());
        let times =
            sealed.chain(table.times.iter().copied().take(if head { usize::MAX } else { 0 })).collect();
        Self { times, blocks, head }
    }

    fn fill(&self, table: &Table, column: usize, values: &mut Vec<f64>) {
        let absent = stale_marker();
        for Block { times, columns } in table.blocks.range(self.blocks.clone()) {
            columns.get(column).unwrap_or(&Sealed::Absent).expand(times.len(), absent, values);
        }
        if self.head {
            table.columns[column].head.expand(table.times.len(), absent, values);
        }
    }
}
