//! Reading across segments and memory: each target's parts in order of time, each series once.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, Matcher};
use fleetglass_shared::promql::{EvalError, SeriesRef};
use fleetglass_shared::sample::{is_stale, stale_marker};

use super::day::{Column, Day, DiskError, Part, Reader, open_segment};
use super::names::series_of;
use super::segment::Segment;
use super::{Disk, Place};
use crate::store::Sample;

/// What there is of one target, under the labels that it had.
pub(in crate::store) struct Parts {
    pub(in crate::store) target: LabelSet,
    pub(in crate::store) stored: Vec<(Arc<Day>, Part)>,
    pub(in crate::store) recent: Option<Recent>,
}

/// What is in memory, copied out of its table.
#[derive(Debug, Default)]
pub(in crate::store) struct Recent {
    pub(in crate::store) times: Vec<UnixMillis>,
    pub(in crate::store) columns: Vec<RecentColumn>,
}

/// Labels, a value for each time, and samples that brought their own times.
pub(in crate::store) type RecentColumn = (LabelSet, Vec<f64>, Vec<Sample>);

/// What a reader is given: a series of the store.
pub(in crate::store) type Each<'a> = &'a mut dyn FnMut(SeriesRef<'_>) -> Result<(), EvalError>;

/// What a reader is given: own labels, times, values, and whether the times are those of the rows.
pub(in crate::store) type EachOwn<'a> =
    &'a mut dyn FnMut(&LabelSet, &Arc<[i64]>, &[f64], bool) -> Result<(), EvalError>;

enum Rows<'a> {
    Stored(Segment<super::day::Stored<'a>>, Arc<Day>, Part),
    Recent,
}

impl Parts {
    /// Shows every series that passes. `matchers` are those that the target's labels do not answer.
    pub(in crate::store) fn each(
        self,
        disk: &Disk,
        matchers: &[&Matcher],
        each: Each<'_>,
    ) -> Result<(), EvalError> {
        let target = self.target.clone();
        self.each_own(disk, matchers, &mut |own, times, values, _| {
            each(SeriesRef { labels: &own.merged(&target), times, values })
        })
    }

    /// As [`Parts::each`], with each series' own labels, and whether its times are those of the rows.
    pub(in crate::store) fn each_own(
        mut self,
        disk: &Disk,
        matchers: &[&Matcher],
        each: EachOwn<'_>,
    ) -> Result<(), EvalError> {
        self.stored.sort_by_key(|(_, part)| (part.timed, part.first, part.id));
        let days: BTreeMap<&std::path::Path, &Arc<Day>> =
            self.stored.iter().map(|(day, _)| (day.path.as_path(), day)).collect();
        let readers: BTreeMap<&std::path::Path, Reader<'_>> = days
            .into_iter()
            .filter_map(|(path, day)| disk.note(day.reader()).map(|reader| (path, reader)))
            .collect();
        let mut named = BTreeMap::new();
        let mut rows: Vec<Rows<'_>> = Vec::new();
        let mut series: BTreeMap<LabelSet, Vec<(usize, u32)>> = BTreeMap::new();
        for (day, part) in &self.stored {
            let Some(connection) = readers.get(day.path.as_path()).and_then(|reader| reader.get().ok())
            else {
                continue;
            };
            let key = (day.path.as_path(), part.target);
            if let std::collections::btree_map::Entry::Vacant(entry) = named.entry(key) {
                let Some(found) = disk.note(series_of(connection, part.target, matchers)) else { continue };
                entry.insert(found.into_iter().collect::<BTreeMap<u32, LabelSet>>());
            }
            let names = &named[&key];
            if names.is_empty() && part.timed {
                continue;
            }
            let Some(segment) = disk.checked(day, *part, open_segment(connection, part.id)) else { continue };
            let place = rows.len();
            for id in segment.series() {
                if let Some(labels) = names.get(&id) {
                    series.entry(labels.clone()).or_default().push((place, id));
                }
            }
            rows.push(Rows::Stored(segment, Arc::clone(day), *part));
        }
        let recent = self.recent.unwrap_or_default();
        let memory = rows.len();
        if !recent.columns.is_empty() || !recent.times.is_empty() {
            rows.push(Rows::Recent);
        }
        for (at, (labels, ..)) in recent.columns.iter().enumerate() {
            series.entry(labels.clone()).or_default().push((memory, at as u32));
        }
        let shared = shared_times(&rows, &recent);
        let mut values = Vec::new();
        for (labels, places) in series {
            let own =
                |place: usize| is_own(&rows[place]) || place == memory && has_own(&recent, &places, memory);
            match &shared {
                Some(times) if !places.iter().any(|(place, _)| own(*place)) => {
                    values.clear();
                    for (place, part) in rows.iter().enumerate() {
                        if is_own(part) {
                            continue;
                        }
                        let id = places.iter().find(|(at, _)| *at == place).map(|(_, id)| *id);
                        append(part, id, &recent, disk, &mut values);
                    }
                    if values.iter().any(|value| !is_stale(*value)) {
                        each(&labels, times, &values, true)?;
                    }
                }
                _ => {
                    let samples = merged(&rows, &places, &recent, disk);
                    let times: Arc<[i64]> = samples.iter().map(|sample| sample.0).collect();
                    let values: Vec<f64> = samples.iter().map(|sample| sample.1).collect();
                    if !values.is_empty() {
                        each(&labels, &times, &values, false)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The rows of one segment, to be in memory again.
pub(in crate::store) struct Loaded {
    pub(in crate::store) target: LabelSet,
    pub(in crate::store) place: Place,
    pub(in crate::store) times: Vec<UnixMillis>,
    pub(in crate::store) columns: Vec<Column>,
}

impl Disk {
    /// The segments of rows of an instance that reach into a span, in order of time.
    pub(in crate::store) fn load(&self, instance: &str, from: UnixMillis, to: UnixMillis) -> Vec<Loaded> {
        let mut found = Vec::new();
        for (number, day) in self.days_in(from, to) {
            let Some(reader) = self.note(day.reader()) else { continue };
            let Some(connection) = self.note(reader.get()) else { continue };
            for (target, part) in day.parts_of(instance, from, to) {
                if part.timed {
                    continue;
                }
                let place = Place { day: number, segment: part.id };
                let read = (|| {
                    let names = series_of(connection, part.target, &[])?;
                    let segment = open_segment(connection, part.id)?;
                    let mut columns = Vec::new();
                    for (id, labels) in names {
                        let mut values = Vec::new();
                        if segment.read(id, &mut values)? {
                            columns.push((labels, values));
                        }
                    }
                    Ok(Loaded { target: target.clone(), place, times: segment.times, columns })
                })();
                found.extend(self.checked(&day, part, read));
            }
        }
        found.sort_by_key(|loaded| loaded.times.first().copied());
        found
    }
}

fn is_own(rows: &Rows<'_>) -> bool {
    matches!(rows, Rows::Stored(_, _, part) if part.timed)
}

fn has_own(recent: &Recent, places: &[(usize, u32)], memory: usize) -> bool {
    let column = places.iter().find(|(place, _)| *place == memory).map(|(_, at)| *at as usize);
    column.is_some_and(|column| !recent.columns[column].2.is_empty())
}

/// The times of all rows after one another; `None` where they overlap, as after a clock was set back.
fn shared_times(rows: &[Rows<'_>], recent: &Recent) -> Option<Arc<[i64]>> {
    let mut times: Vec<i64> = Vec::new();
    for part in rows.iter().filter(|part| !is_own(part)) {
        let next = match part {
            Rows::Stored(segment, ..) => segment.times.as_slice(),
            Rows::Recent => recent.times.as_slice(),
        };
        if times.last().zip(next.first()).is_some_and(|(last, first)| last >= first) {
            return None;
        }
        times.extend_from_slice(next);
    }
    times.is_sorted_by(|a, b| a < b).then(|| times.into())
}

/// Appends the values of a series in one part, stale markers where it is not in it.
fn append(part: &Rows<'_>, id: Option<u32>, recent: &Recent, disk: &Disk, values: &mut Vec<f64>) {
    let before = values.len();
    let rows = match part {
        Rows::Stored(segment, day, stored) => {
            let read = id.map_or(Ok(false), |id| segment.read(id, values));
            if disk.checked(day, *stored, read.map_err(DiskError::from)).is_none() {
                values.truncate(before);
            }
            segment.times.len()
        }
        Rows::Recent => {
            values.extend(id.iter().flat_map(|&id| recent.columns[id as usize].1.iter().copied()));
            recent.times.len()
        }
    };
    values.resize(before + rows, stale_marker());
}

/// The samples of a series of which some have times of their own, or whose parts overlap.
fn merged(rows: &[Rows<'_>], places: &[(usize, u32)], recent: &Recent, disk: &Disk) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    let mut values = Vec::new();
    let mut was_there = false;
    for (place, part) in rows.iter().enumerate() {
        let id = places.iter().find(|(at, _)| *at == place).map(|(_, id)| *id);
        if id.is_none() && is_own(part) {
            continue;
        }
        values.clear();
        append(part, id, recent, disk, &mut values);
        let times = match part {
            Rows::Stored(segment, ..) => segment.times.as_slice(),
            Rows::Recent => recent.times.as_slice(),
        };
        let all = times.iter().copied().zip(values.iter().copied());
        if is_own(part) {
            samples.extend(all);
            continue;
        }
        // A row without it says that it ended only when it was in the row before.
        samples.extend(all.filter(|(_, value)| {
            let there = !is_stale(*value);
            std::mem::replace(&mut was_there, there) || there
        }));
        if let (Rows::Recent, Some(id)) = (part, id) {
            samples.extend(&recent.columns[id as usize].2);
        }
    }
    // Where a row says that it was not there and a sample of the same time that it was, the sample is right.
    samples.sort_by_key(|&(at, value)| (at, is_stale(value)));
    samples.dedup_by_key(|&mut (at, _)| at);
    samples
}
