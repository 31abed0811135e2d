//! What queries and pages ask the store for.

use std::collections::{BTreeMap, BTreeSet};

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, METRIC_NAME, MatchOp, Matcher};
use fleetglass_shared::sample::{LOOK_BACK_MS, format_value, stale_marker};
use fleetglass_shared::wire::SeriesInfo;

use super::column::{Cells, Sealed};
use super::table::{Column, Named, OURS, Sought, Table};
use super::{Meta, Store};

/// One sample: a time and a value.
pub type Sample = (UnixMillis, f64);

/// A series and its samples in a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// All its labels.
    pub labels: LabelSet,
    /// In order of time; a [`stale_marker`] where it ended.
    pub samples: Vec<Sample>,
}

/// How much one read may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelectLimits {
    /// Series.
    pub max_series: usize,
    /// Samples of all series together.
    pub max_samples: usize,
}

/// A read that would give too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// Too many series.
    #[error("the query selects more than {0} series; add label matchers")]
    TooManySeries(usize),
    /// Too many samples.
    #[error("the query reads more than {0} samples; shorten the range, or add label matchers")]
    TooManySamples(usize),
}

/// The last value of a series of Fleetglass's own, one that a [`super::Put`] made.
#[derive(Clone, Debug, PartialEq)]
pub struct Own {
    /// All its labels.
    pub labels: LabelSet,
    /// The value.
    pub value: f64,
    /// When that was.
    pub at: UnixMillis,
    /// What is known of its metric.
    pub meta: Meta,
}

impl Store {
    /// The series that pass all matchers and have a sample (a stale marker is one) in `start..=end`.
    ///
    /// # Errors
    /// When that is more than `limits` allow.
    pub fn select(
        &self,
        matchers: &[Matcher],
        start: UnixMillis,
        end: UnixMillis,
        limits: SelectLimits,
    ) -> Result<Vec<Series>, SelectError> {
        let mut found = Vec::new();
        let mut samples = 0;
        let sought = self.sought(matchers);
        for table in self.matching(matchers) {
            let table = table.read();
            for column in table.matching(matchers, &sought) {
                let read = table.read_column(column, start, end);
                if read.is_empty() {
                    continue;
                }
                samples += read.len();
                if found.len() >= limits.max_series {
                    return Err(SelectError::TooManySeries(limits.max_series));
                }
                if samples > limits.max_samples {
                    return Err(SelectError::TooManySamples(limits.max_samples));
                }
                let labels = table.columns[column as usize].labels.merged(&table.target);
                found.push(Series { labels, samples: read });
            }
        }
        Ok(found)
    }

    /// The series a target has now, in order of name and labels.
    pub fn latest(&self, instance: &str) -> Vec<SeriesInfo> {
        let Some(table) = self.table(instance) else { return Vec::new() };
        let table = table.read();
        let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut now: Vec<(&Column, Sample)> = Vec::new();
        for (at, column) in table.columns.iter().enumerate() {
            let all = names.entry(column.labels.metric()).or_default();
            all.extend(column.labels.iter().map(|(name, _)| name));
            now.extend(table.last_of(at as u32).map(|last| (column, last)));
        }
        now.sort_by(|a, b| (a.0.labels.metric(), &a.0.labels).cmp(&(b.0.labels.metric(), &b.0.labels)));
        now.into_iter().map(|(column, last)| table.info(column, last, &names)).collect()
    }

    /// The series of Fleetglass's own that all targets have now.
    pub fn own_series(&self) -> Vec<Own> {
        self.tables().iter().flat_map(|table| own_of(&table.read())).collect()
    }

    /// The same of one target.
    pub fn own_series_of(&self, instance: &str) -> Vec<Own> {
        self.table(instance).map(|table| own_of(&table.read())).unwrap_or_default()
    }

    /// The ids of all targets, those among them that were removed but are still kept.
    pub fn instances(&self) -> Vec<String> {
        self.targets.read().keys().cloned().collect()
    }

    /// The label sets that pass all matchers, of targets with rows in `start..=end`.
    pub fn series(&self, matchers: &[Matcher], start: UnixMillis, end: UnixMillis) -> Vec<LabelSet> {
        let mut found = Vec::new();
        self.each_in(matchers, start, end, |table, column| {
            found.push(table.columns[column as usize].labels.merged(&table.target));
        });
        found.extend(self.stored_series(matchers, start, end));
        found.sort();
        found.dedup();
        found
    }

    /// The names of all labels of those series.
    pub fn labels(&self, matchers: &[Matcher], start: UnixMillis, end: UnixMillis) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut note = |labels: &LabelSet| {
            for (name, _) in labels {
                if !found.contains(name) {
                    found.insert(name.to_owned());
                }
            }
        };
        self.each_in(matchers, start, end, |table, column| {
            note(&table.columns[column as usize].labels);
            note(&table.target);
        });
        self.stored_series(matchers, start, end).iter().for_each(note);
        found
    }

    /// The values that a label has in those series.
    pub fn label_values(
        &self,
        label: &str,
        matchers: &[Matcher],
        start: UnixMillis,
        end: UnixMillis,
    ) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.each_in(matchers, start, end, |table, column| {
            let own = || table.columns[column as usize].labels.get(label);
            if let Some(value) = table.target.get(label).or_else(own)
                && !found.contains(value)
            {
                found.insert(value.to_owned());
            }
        });
        let stored = self.stored_series(matchers, start, end);
        found.extend(stored.iter().filter_map(|labels| labels.get(label)).map(str::to_owned));
        found
    }

    fn stored_series(&self, matchers: &[Matcher], start: UnixMillis, end: UnixMillis) -> Vec<LabelSet> {
        let disk = self.shared.disk.as_ref();
        disk.map(|disk| disk.series(matchers, start, end)).unwrap_or_default()
    }

    /// What the targets say about their metrics: by family, each differing answer once.
    pub fn metadata(&self, metric: Option<&str>) -> BTreeMap<String, Vec<Meta>> {
        metadata_of(self.tables(), metric)
    }

    /// The same of what some targets say.
    pub fn metadata_within<'a>(
        &self,
        instances: impl IntoIterator<Item = &'a str>,
        metric: Option<&str>,
    ) -> BTreeMap<String, Vec<Meta>> {
        metadata_of(instances.into_iter().filter_map(|instance| self.table(instance)), metric)
    }

    /// The tables whose target can have a series that passes.
    pub(super) fn matching(&self, matchers: &[Matcher]) -> Vec<std::sync::Arc<parking_lot::RwLock<Table>>> {
        let only = matchers.iter().find(|m| m.name() == "instance" && m.op() == MatchOp::Equal);
        match only {
            Some(matcher) => self.table(matcher.value()).into_iter().collect(),
            None => self.tables(),
        }
    }

    /// The metric that the matchers name.
    pub(super) fn sought(&self, matchers: &[Matcher]) -> Sought {
        let named = matchers.iter().find(|matcher| is_name(matcher));
        Sought::new(named.and_then(|matcher| self.shared.names.known(matcher.value())))
    }

    fn each_in(
        &self,
        matchers: &[Matcher],
        start: UnixMillis,
        end: UnixMillis,
        mut each: impl FnMut(&Table, u32),
    ) {
        let sought = self.sought(matchers);
        for table in self.matching(matchers) {
            let table = table.read();
            if table.first_time().is_some_and(|first| first <= end)
                && table.last_time().is_some_and(|last| last >= start)
            {
                table.matching(matchers, &sought).for_each(|column| each(&table, column));
            }
        }
    }
}

fn is_name(matcher: &Matcher) -> bool {
    matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal
}

impl Table {
    /// The columns that pass all matchers.
    pub(super) fn matching<'a>(
        &'a self,
        matchers: &'a [Matcher],
        sought: &Sought,
    ) -> impl Iterator<Item = u32> + 'a {
        // No target has a metric's name, so the list of that metric passes as it is.
        let named = matchers.iter().position(is_name);
        let rest =
            matchers.iter().enumerate().filter(|(at, _)| Some(*at) != named).map(|(_, matcher)| matcher);
        // A label of the target is the same for all its series, so it is looked at once.
        let (target, own): (Vec<&Matcher>, Vec<&Matcher>) =
            rest.partition(|matcher| self.target.get(matcher.name()).is_some());
        let possible = target.iter().all(|matcher| matcher.matches_set(&self.target));
        let (list, some) = match named {
            _ if !possible => (&[][..], 0..0),
            None => (&[][..], 0..self.columns.len() as u32),
            Some(_) => match self.of_metric(sought) {
                Named::One(column) => (&[][..], column..column + 1),
                Named::Many(columns) => (columns, 0..0),
            },
        };
        let candidates = list.iter().copied().chain(some);
        candidates
            .filter(move |&column| own.iter().all(|m| m.matches_set(&self.columns[column as usize].labels)))
    }

    /// The samples of a column in `start..=end`, with a stale marker at the first row it is missing from.
    pub(super) fn read_column(&self, column: u32, start: UnixMillis, end: UnixMillis) -> Vec<Sample> {
        let mut samples = Vec::new();
        let mut before = false;
        let mut rows = |times: &[UnixMillis], cells: &Cells| {
            for (row, &at) in times.iter().enumerate() {
                let value = cells.get(row);
                let was_there = std::mem::replace(&mut before, value.is_some());
                if at > end {
                    return;
                }
                if at >= start && (value.is_some() || was_there) {
                    samples.push((at, value.unwrap_or_else(stale_marker)));
                }
            }
        };
        // The block before the range says whether the series was there when the range begins.
        let later = self.blocks.partition_point(|block| block.times.last().is_none_or(|&last| last < start));
        for block in self.blocks.range(later.saturating_sub(1)..) {
            if block.times.first().is_some_and(|&first| first > end) {
                break;
            }
            let sealed = block.columns.get(column as usize).unwrap_or(&Sealed::Absent);
            rows(&block.times, &sealed.unseal(block.times.len()));
        }
        let column = &self.columns[column as usize];
        if self.times.first().is_some_and(|&first| first <= end) {
            rows(&self.times, &column.head);
        }
        if let Some(timed) = &column.timed {
            samples.extend(timed.iter().filter(|&&(at, _)| at >= start && at <= end));
            samples.sort_by_key(|&(at, _)| at);
            samples.dedup_by_key(|&mut (at, _)| at);
        }
        samples
    }

    /// The last sample of a column, if it is there now: in the last row, or with a time of its own in the
    /// five minutes before.
    fn last_of(&self, column: u32) -> Option<Sample> {
        let now = self.last_time()?;
        let entry = &self.columns[column as usize];
        let head = self.times.len().checked_sub(1).map(|row| entry.head.get(row));
        let in_row = head.unwrap_or_else(|| {
            let block = self.blocks.back()?;
            let sealed = block.columns.get(column as usize)?;
            sealed.unseal(block.times.len()).get(block.times.len() - 1)
        });
        in_row.map(|value| (now, value)).or_else(|| {
            let last = entry.timed.as_ref()?.back().copied()?;
            (!self.ended && now - last.0 <= LOOK_BACK_MS).then_some(last)
        })
    }

    fn info(&self, column: &Column, last: Sample, names: &BTreeMap<&str, BTreeSet<&str>>) -> SeriesInfo {
        let metric = column.labels.metric();
        let meta = self.metadata.of(metric).map(|(_, meta)| meta.clone()).unwrap_or_default();
        let own = column.labels.iter().filter(|(name, _)| *name != METRIC_NAME);
        let mut selector = Vec::with_capacity(4);
        selector.push(Matcher::equal(METRIC_NAME, metric));
        selector.push(Matcher::equal("instance", self.target.get("instance").unwrap_or("")));
        // A label that only others of the metric have must be empty, else they would be selected too.
        for name in names.get(metric).into_iter().flatten().filter(|name| **name != METRIC_NAME) {
            selector.push(Matcher::equal(name, column.labels.get(name).unwrap_or("")));
        }
        SeriesInfo {
            metric: metric.to_owned(),
            labels: own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            selector: fleetglass_shared::labels::Selector { matchers: selector }.to_string(),
            kind: meta.kind.to_owned(),
            help: meta.help.to_string(),
            unit: meta.unit.to_string(),
            value: column.digits.as_ref().map_or_else(|| format_value(last.1), |digits| digits.to_string()),
            at: last.0,
            derived: column.derived,
        }
    }

    pub(super) fn count_samples(&self) -> usize {
        let sealed = |block: &super::table::Block| {
            block.columns.iter().map(|sealed| sealed.count(block.times.len())).sum::<usize>()
        };
        let head =
            |c: &Column| c.head.present.count_ones() as usize + c.timed.as_ref().map_or(0, |t| t.len());
        self.blocks.iter().map(sealed).sum::<usize>() + self.columns.iter().map(head).sum::<usize>()
    }
}

fn own_of(table: &Table) -> Vec<Own> {
    let ours = table.columns.iter().enumerate().filter(|(_, column)| column.owner == OURS);
    let own = ours.filter_map(|(at, column)| {
        let (at, value) = table.last_of(at as u32)?;
        let meta = table.metadata.of(column.labels.metric()).map(|(_, meta)| meta.clone());
        Some(Own { labels: column.labels.merged(&table.target), value, at, meta: meta.unwrap_or_default() })
    });
    own.collect()
}

fn metadata_of(
    tables: impl IntoIterator<Item = std::sync::Arc<parking_lot::RwLock<Table>>>,
    metric: Option<&str>,
) -> BTreeMap<String, Vec<Meta>> {
    let mut found: BTreeMap<String, Vec<Meta>> = BTreeMap::new();
    for table in tables {
        for (family, meta) in table.read().metadata.iter() {
            if metric.is_some_and(|metric| metric != family) {
                continue;
            }
            match found.get_mut(family) {
                Some(known) if known.contains(meta) => {}
                Some(known) => known.push(meta.clone()),
                None => drop(found.insert(family.to_owned(), vec![meta.clone()])),
            }
        }
    }
    found
}
