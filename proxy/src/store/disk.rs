//! The store's disk half: a log of what is in memory only, and segments in an SQLite file a day.
//!
//! | module | gives |
//! |---|---|
//! | `bytes`, `codec` | numbers and columns in few bytes |
//! | `segment` | rows of a target as one run of bytes with checksums |
//! | `log`, `replay` | the row log, and its way back into memory |
//! | `day`, `names` | one day's file, and the names of its series |
//! | `read` | reading across segments and memory |
//! | `tier`, `rollup` | five minutes and an hour as one value, made of a day that is over |
//! | `keeper` | the thread that writes, rolls up and removes |
//!
//! docs/storage.md describes the formats. Nothing here stops the proxy: what cannot be read is set aside
//! and named, and what cannot be written stays in memory for as long as memory is meant to.

mod bytes;
mod codec;
mod day;
mod log;
mod names;
mod read;
mod replay;
mod rollup;
mod segment;
mod tier;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) use day::{Column, Day, DiskError, NewSegment, Part};
use fleetglass_shared::calendar;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, Matcher};
pub(super) use log::{Log, Logged, TimedSample};
use parking_lot::RwLock;

use super::SeriesSamples;
pub(super) use read::{Each, Loaded, Parts, Recent};
pub(super) use replay::{Record, Replayed, Samples};
pub use tier::Tier;
use tier::TierFiles;
pub(super) use tier::{Columns, Slot};

pub(super) const DAY_MS: i64 = 86_400_000;

/// Where a block is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    day: i64,
    segment: i64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    pub(super) log: Log,
    /// By the number of the day since the epoch.
    days: RwLock<BTreeMap<i64, Arc<Day>>>,
    minutes: TierFiles,
    hours: TierFiles,
    pub(super) counts: Arc<Counts>,
}

/// How long history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Every sample.
    pub raw_ms: i64,
    /// Values of five minutes.
    pub minutes_ms: i64,
    /// Values of an hour.
    pub hours_ms: i64,
    /// All files together; the oldest go first.
    pub max_bytes: Option<u64>,
}

/// What went wrong so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) write_errors: AtomicU64,
    /// Files and segments that were set aside.
    pub(super) damaged: AtomicU64,
}

impl Disk {
    /// Opens the history in a data folder; what cannot be read is set aside.
    pub(super) fn open(folder: &Path, now: UnixMillis) -> Result<Self, DiskError> {
        let raw = folder.join("raw");
        fs::create_dir_all(&raw)?;
        let counts = Arc::new(Counts::default());
        let damaged = |path: &Path, error: &DiskError| aside(&counts, path, error, now);
        let disk = Self {
            minutes: TierFiles::open(folder, Tier::Minutes, damaged)?,
            hours: TierFiles::open(folder, Tier::Hours, damaged)?,
            log: Log::open(folder.join("log"))?,
            folder: folder.to_owned(),
            days: RwLock::default(),
            counts: Arc::clone(&counts),
        };
        for entry in fs::read_dir(&raw)? {
            let path = entry?.path();
            let Some(number) =
                path.file_name().and_then(|name| day_number(name.to_str()?.strip_suffix(".db")?))
            else {
                continue;
            };
            if let Some(day) = disk.open_day(&path, now) {
                disk.days.write().insert(number, Arc::new(day));
            }
        }
        Ok(disk)
    }

    /// Opens a day's file; one that is damaged is set aside, one that cannot be read now is left.
    fn open_day(&self, path: &Path, now: UnixMillis) -> Option<Day> {
        Day::open(path).map_err(|error| aside(&self.counts, path, &error, now)).ok()
    }

    /// The file of the day that a time lies on, begun if it is not there.
    fn day_of(&self, at: UnixMillis, now: UnixMillis) -> Result<(i64, Arc<Day>), DiskError> {
        let number = at.div_euclid(DAY_MS);
        if let Some(day) = self.days.read().get(&number) {
            return Ok((number, Arc::clone(day)));
        }
        let path = self.folder.join("raw").join(format!("{}.db", day_name(number)));
        let day = match Day::open(&path) {
            Err(error) if error.is_damage() => {
                self.open_day(&path, now);
                Day::open(&path)?
            }
            other => other?,
        };
        let day = Arc::new(day);
        self.days.write().insert(number, Arc::clone(&day));
        Ok((number, day))
    }

    /// Writes segments to the days on which they begin. Gives for each where it is and how to publish it.
    pub(super) fn write(
        &self,
        segments: Vec<NewSegment>,
        now: UnixMillis,
    ) -> Result<Vec<(Place, Arc<Day>, Part)>, DiskError> {
        let mut by_day: BTreeMap<i64, Vec<(usize, NewSegment)>> = BTreeMap::new();
        let count = segments.len();
        for (at, segment) in segments.into_iter().enumerate() {
            let first = segment.times.first().copied().unwrap_or(now);
            by_day.entry(first.div_euclid(DAY_MS)).or_default().push((at, segment));
        }
        let mut written: Vec<Option<(Place, Arc<Day>, Part)>> = (0..count).map(|_| None).collect();
        for (number, segments) in by_day {
            let (_, day) = self.day_of(number * DAY_MS, now)?;
            let (places, segments): (Vec<usize>, Vec<NewSegment>) = segments.into_iter().unzip();
            for (at, part) in places.into_iter().zip(day.write(&segments)?) {
                written[at] = Some((Place { day: number, segment: part.id }, Arc::clone(&day), part));
            }
        }
        Ok(written.into_iter().flatten().collect())
    }

    /// Writes samples of the past, which become part of their days' tiers; gives how many.
    pub(super) fn import(
        &self,
        target: &LabelSet,
        series: Vec<SeriesSamples>,
        now: UnixMillis,
    ) -> Result<usize, DiskError> {
        let mut groups: BTreeMap<Vec<UnixMillis>, Vec<Column>> = BTreeMap::new();
        let mut count = 0;
        for (labels, mut samples) in series {
            samples.sort_by_key(|sample| sample.0);
            samples.dedup_by_key(|sample| sample.0);
            count += samples.len();
            let labels = labels.exported(target);
            for day in samples.chunk_by(|a, b| a.0.div_euclid(DAY_MS) == b.0.div_euclid(DAY_MS)) {
                let (times, values) = day.iter().copied().unzip();
                groups.entry(times).or_default().push((labels.clone(), values));
            }
        }
        let segment = |(times, columns)| NewSegment { target: target.clone(), times, columns, timed: true };
        for (_, day, part) in self.write(groups.into_iter().map(segment).collect(), now)? {
            day.set_rolled_up(false)?;
            day.publish(part, target);
        }
        Ok(count)
    }

    /// The segments of an instance that may hold something of a span, by the labels its target had, without
    /// those that are in memory too.
    pub(super) fn stored(
        &self,
        instance: &str,
        from: UnixMillis,
        to: UnixMillis,
        in_memory: &[Place],
    ) -> BTreeMap<LabelSet, Vec<(Arc<Day>, Part)>> {
        let mut found: BTreeMap<LabelSet, Vec<(Arc<Day>, Part)>> = BTreeMap::new();
        for (number, day) in self.days_in(from, to) {
            for (labels, part) in day.parts_of(instance, from, to) {
                if !in_memory.contains(&Place { day: number, segment: part.id }) {
                    found.entry(labels).or_default().push((Arc::clone(&day), part));
                }
            }
        }
        found
    }

    /// The instances that have segments in a span.
    pub(super) fn instances(&self, from: UnixMillis, to: UnixMillis) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (_, day) in self.days_in(from, to) {
            let index = day.index.read();
            found.extend(
                index.targets.values().filter_map(|labels| labels.get("instance")).map(str::to_owned),
            );
        }
        found
    }

    /// The days of a span.
    fn days_in(&self, from: UnixMillis, to: UnixMillis) -> Vec<(i64, Arc<Day>)> {
        let (first, last) = (from.div_euclid(DAY_MS), to.div_euclid(DAY_MS));
        if first > last {
            return Vec::new();
        }
        self.days.read().range(first..=last).map(|(number, day)| (*number, Arc::clone(day))).collect()
    }

    /// The series on disk that pass all matchers, of a span.
    pub(super) fn series(&self, matchers: &[Matcher], from: UnixMillis, to: UnixMillis) -> Vec<LabelSet> {
        let mut found = Vec::new();
        for (_, day) in self.days_in(from, to) {
            let Some(reader) = self.note(day.reader()) else { continue };
            let Some(connection) = self.note(reader.get()) else { continue };
            let targets: Vec<(i64, LabelSet)> = {
                let index = day.index.read();
                let overlaps = |id: &i64| {
                    let parts = index.parts.get(id);
                    parts.is_some_and(|parts| parts.iter().any(|part| part.first <= to && part.last >= from))
                };
                index.targets.iter().filter(|(id, _)| overlaps(id)).map(|(id, l)| (*id, l.clone())).collect()
            };
            for (id, target) in targets {
                let Some(own) = own_matchers(matchers, &target) else { continue };
                let series = self.note(names::series_of(connection, id, &own)).unwrap_or_default();
                found.extend(series.into_iter().map(|(_, labels)| labels.merged(&target)));
            }
        }
        found
    }

    /// Reads the row log.
    pub(super) fn replay(&self, each: impl FnMut(&Record<'_>)) -> Result<Replayed, DiskError> {
        Ok(replay::replay(&self.folder.join("log"), each)?)
    }

    /// Removes the files of the row log before this one.
    pub(super) fn trim_log(&self, needed: u64) -> Result<(), DiskError> {
        Ok(self.log.remove_before(needed)?)
    }

    /// The times of an instance's rows on disk, from a time on.
    pub(super) fn row_times(&self, instance: &str, from: UnixMillis) -> HashSet<UnixMillis> {
        let mut times = HashSet::new();
        for (_, parts) in self.stored(instance, from, UnixMillis::MAX / 2, &[]) {
            for (day, part) in parts.into_iter().filter(|(_, part)| !part.timed) {
                let Some(reader) = self.note(day.reader()) else { continue };
                let opened = reader.get().and_then(|connection| day::open_segment(connection, part.id));
                if let Some(segment) = self.checked(&day, part, opened) {
                    times.extend(segment.times);
                }
            }
        }
        times
    }

    /// The time of the oldest sample.
    pub(super) fn oldest(&self) -> Option<UnixMillis> {
        let days = self.days.read();
        let mut first = days.values().filter_map(|day| {
            let index = day.index.read();
            index.parts.values().flatten().map(|part| part.first).min()
        });
        first.next()
    }

    /// The labels that an instance's target had last.
    pub(super) fn last_labels(&self, instance: &str) -> Option<LabelSet> {
        let days: Vec<Arc<Day>> = self.days.read().values().rev().map(Arc::clone).collect();
        days.into_iter().find_map(|day| {
            let parts = day.parts_of(instance, UnixMillis::MIN, UnixMillis::MAX);
            parts.into_iter().max_by_key(|(_, part)| part.last).map(|(labels, _)| labels)
        })
    }

    /// The first day that was not rolled up.
    pub(super) fn first_day_not_rolled_up(&self) -> Option<i64> {
        self.days.read().iter().find(|(_, day)| !day.is_rolled_up()).map(|(number, _)| *number)
    }

    /// When the oldest slot may begin.
    pub(super) fn oldest_slot(&self) -> Option<UnixMillis> {
        let months = self.tiers().into_iter().filter_map(TierFiles::oldest);
        months.min().map(|month| tier::first_day(month) * DAY_MS)
    }

    /// Shows the slots of every series that passes, of the days from the first to the last.
    pub(super) fn each_slot(
        &self,
        (tier, of): (Tier, Option<&str>),
        matchers: &[Matcher],
        days: (i64, i64),
        wanted: Columns,
        each: impl FnMut(&LabelSet, i64, Vec<Slot>),
    ) -> Result<(), DiskError> {
        if days.0 > days.1 {
            return Ok(());
        }
        match tier {
            Tier::Minutes => self.minutes.each(of, matchers, days, wanted, each),
            Tier::Hours => self.hours.each(of, matchers, days, wanted, each),
        }
    }

    /// The last day of which an instance's own series have slots.
    pub(super) fn last_day_with_slots(&self, tier: Tier, instance: &str) -> Option<i64> {
        let files = if tier == Tier::Minutes { &self.minutes } else { &self.hours };
        self.note(files.last_day(instance)).flatten()
    }

    /// The time of an instance's oldest sample.
    pub(super) fn oldest_of(&self, instance: &str) -> Option<UnixMillis> {
        let days: Vec<Arc<Day>> = self.days.read().values().map(Arc::clone).collect();
        days.into_iter().find_map(|day| {
            let parts = day.parts_of(instance, UnixMillis::MIN, UnixMillis::MAX);
            parts.into_iter().map(|(_, part)| part.first).min()
        })
    }

    /// What was read, or nothing and a word in the log.
    pub(super) fn note<T>(&self, read: Result<T, DiskError>) -> Option<T> {
        read.map_err(|error| tracing::error!(%error, "history cannot be read")).ok()
    }

    /// What was read of a segment; one that is damaged is set aside.
    pub(super) fn checked<T>(&self, day: &Day, part: Part, read: Result<T, DiskError>) -> Option<T> {
        let error = match read {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        if !error.is_damage() {
            tracing::error!(file = %day.path.display(), %error, "history cannot be read");
            return None;
        }
        self.counts.damaged.fetch_add(1, Ordering::Relaxed);
        let target = day.index.read().targets.get(&part.target).map(ToString::to_string);
        tracing::error!(
            file = %day.path.display(), segment = part.id, target = target.unwrap_or_default(),
            from = part.first, to = part.last, %error,
            "a segment is damaged and was set aside: its samples are missing, all others are there"
        );
        if let Err(error) = day.set_aside(part, &error.to_string(), crate::clock::now()) {
            tracing::error!(file = %day.path.display(), %error, "a damaged segment cannot be moved");
        }
        None
    }
}

/// The matchers that the target's labels do not answer; `None` where they say no.
pub(super) fn own_matchers<'a>(matchers: &'a [Matcher], target: &LabelSet) -> Option<Vec<&'a Matcher>> {
    let (of_target, own): (Vec<&Matcher>, Vec<&Matcher>) =
        matchers.iter().partition(|matcher| target.get(matcher.name()).is_some());
    of_target.iter().all(|matcher| matcher.matches_set(target)).then_some(own)
}

/// Moves a damaged file, and what belongs to it, out of the way, and says so. One that only cannot be read
/// now is left.
fn aside(counts: &Counts, path: &Path, error: &DiskError, now: UnixMillis) {
    if !error.is_damage() {
        tracing::error!(file = %path.display(), %error, "a file of history cannot be read now");
        return;
    }
    counts.damaged.fetch_add(1, Ordering::Relaxed);
    let aside = path.with_extension(format!("db.damaged-{now}"));
    for (from, to) in files_of(path).into_iter().zip(files_of(&aside)) {
        if from.exists()
            && let Err(error) = fs::rename(&from, &to)
        {
            tracing::error!(file = %from.display(), %error, "a damaged file cannot be moved");
        }
    }
    tracing::error!(
        file = %path.display(), aside = %aside.display(), %error,
        "a file of history cannot be read and was set aside"
    );
}

/// A file of SQLite's, and what belongs to it.
fn files_of(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| PathBuf::from(format!("{}{suffix}", path.display())))
}

fn remove_files(path: &Path) -> std::io::Result<()> {
    for file in files_of(path) {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// `2026-11-21`.
fn day_name(number: i64) -> String {
    let (year, month, day) = calendar::civil(number);
    format!("{year:04}-{month:02}-{day:02}")
}

fn day_number(name: &str) -> Option<i64> {
    let mut parts = name.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let number = calendar::days(year, month, day);
    (day_name(number) == name).then_some(number)
}
