//! What becomes of a day that is over: each target's segments become one, and its tiers are worked out.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::sample::is_stale;

use super::day::{Column, Day, DiskError, NewSegment, Part};
use super::read::Parts;
use super::tier::{NewSlots, Tier, TierFiles, slots_of};
use super::{DAY_MS, Disk};

/// A day is rolled up when nothing more is to come: rows wait at most two hours.
const SETTLED_MS: i64 = 3 * 3_600_000;
/// How far before the day the sample may be from which its first increase counts.
const BEFORE_MS: i64 = 300_000;

/// Whether a metric of this name only grows, by the conventions of Prometheus.
fn is_counter(name: &str) -> bool {
    ["_total", "_count", "_sum", "_bucket"].iter().any(|suffix| name.ends_with(suffix))
}

impl Disk {
    /// Rolls up the oldest day that is over and was not; false when there is none.
    pub(in crate::store) fn roll_up(&self, now: UnixMillis) -> Result<bool, DiskError> {
        let over = |number: i64| (number + 1) * DAY_MS + SETTLED_MS <= now;
        let days: Vec<(i64, Arc<Day>)> = self
            .days
            .read()
            .iter()
            .filter(|(n, _)| over(**n))
            .map(|(n, day)| (*n, Arc::clone(day)))
            .collect();
        for (number, day) in days {
            if !day.is_rolled_up() {
                self.roll_up_day(number, &day)?;
                day.set_rolled_up(true)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes the segments that were replaced a while ago, when nobody reads them any more.
    pub(in crate::store) fn sweep_replaced(&self) -> Result<(), DiskError> {
        let days: Vec<Arc<Day>> = self.days.read().values().map(Arc::clone).collect();
        for day in days.into_iter().filter(|day| day.take_replaced()) {
            day.sweep()?;
        }
        Ok(())
    }

    fn roll_up_day(&self, number: i64, day: &Arc<Day>) -> Result<(), DiskError> {
        let targets = day.targets();
        for (id, target, parts) in targets {
            if parts.len() > 1 {
                let merged = self.merge(day, &target, &parts)?;
                day.replace(id, &parts, &merged)?;
            }
        }
        let start = number * DAY_MS;
        for target in self.targets_in(start, start + DAY_MS - 1) {
            self.make_tiers(number, &target)?;
        }
        Ok(())
    }

    /// The labels of the targets that have anything in a span.
    fn targets_in(&self, from: UnixMillis, to: UnixMillis) -> Vec<LabelSet> {
        let instances = self.instances(from, to).into_iter();
        instances.flat_map(|instance| self.stored(&instance, from, to, &[]).into_keys()).collect()
    }

    /// All samples of a target in a file, in as few segments as can be.
    fn merge(&self, day: &Arc<Day>, target: &LabelSet, parts: &[Part]) -> Result<Vec<NewSegment>, DiskError> {
        let stored = parts.iter().map(|part| (Arc::clone(day), *part)).collect();
        let parts = Parts { target: target.clone(), stored, recent: None };
        let mut groups: BTreeMap<(bool, Vec<UnixMillis>), Vec<Column>> = BTreeMap::new();
        let mut shared: Option<(Arc<[i64]>, Vec<Column>)> = None;
        let read = parts.each_own(self, &[], &mut |own, times, values, is_row| {
            match &mut shared {
                Some((all, columns)) if Arc::ptr_eq(all, times) => {
                    columns.push((own.clone(), values.to_vec()))
                }
                None if is_row => shared = Some((Arc::clone(times), vec![(own.clone(), values.to_vec())])),
                _ => {
                    groups.entry((!is_row, times.to_vec())).or_default().push((own.clone(), values.to_vec()))
                }
            }
            Ok(())
        });
        debug_assert!(read.is_ok(), "nothing above stops the reading");
        let rows = shared.map(|(times, columns)| ((false, times.to_vec()), columns));
        let segment =
            |((timed, times), columns)| NewSegment { target: target.clone(), times, columns, timed };
        Ok(rows.into_iter().chain(groups).map(segment).collect())
    }

    fn make_tiers(&self, number: i64, target: &LabelSet) -> Result<(), DiskError> {
        let start = number * DAY_MS;
        let end = start + DAY_MS - 1;
        let instance = target.get("instance").unwrap_or_default();
        let stored = self.stored(instance, start - BEFORE_MS, end, &[]).remove(target).unwrap_or_default();
        let parts = Parts { target: target.clone(), stored, recent: None };
        let mut made: [Vec<NewSlots>; 2] = Default::default();
        let read = parts.each_own(self, &[], &mut |own, times, values, _| {
            let first = times.partition_point(|&at| at < start);
            let earlier =
                times[..first].iter().zip(values).rev().take_while(|(at, _)| **at >= start - BEFORE_MS);
            let before = earlier.map(|(_, value)| *value).find(|value| !is_stale(*value));
            let day = || times[first..].iter().copied().zip(values[first..].iter().copied());
            let day = || day().take_while(|&(at, _)| at <= end);
            if !day().any(|(_, value)| !is_stale(value)) {
                return Ok(());
            }
            for (made, tier) in made.iter_mut().zip(Tier::ALL) {
                let slots = slots_of(tier, start, before, day());
                made.push(NewSlots { labels: own.clone(), slots, is_counter: is_counter(own.metric()) });
            }
            Ok(())
        });
        debug_assert!(read.is_ok(), "nothing above stops the reading");
        for (made, files) in made.into_iter().zip(self.tiers()) {
            files.write(number, target, &made)?;
        }
        Ok(())
    }

    /// Removes what is older than it is to be kept, and then the oldest until all is within `max_bytes`.
    /// Gives what went, in words.
    pub(in crate::store) fn retain(
        &self,
        keep: &super::Retention,
        now: UnixMillis,
    ) -> Result<Vec<String>, DiskError> {
        let mut gone = Vec::new();
        let oldest_day = now.saturating_sub(keep.raw_ms).div_euclid(DAY_MS);
        let old: Vec<i64> = self.days.read().range(..oldest_day).map(|(number, _)| *number).collect();
        for number in old {
            self.remove_day(number)?;
            gone.push(format!("{} (older than the retention)", super::day_name(number)));
        }
        for (files, keep_ms) in self.tiers().into_iter().zip([keep.minutes_ms, keep.hours_ms]) {
            let months = files.remove_before(now.saturating_sub(keep_ms).div_euclid(DAY_MS))?;
            if months > 0 {
                gone.push(format!("{months} months of {} values (older than the retention)", files.name()));
            }
        }
        while keep.max_bytes.is_some_and(|most| self.bytes() > most) {
            let today = now.div_euclid(DAY_MS);
            let oldest = self.days.read().keys().next().copied().filter(|number| *number < today);
            if let Some(number) = oldest {
                self.remove_day(number)?;
                gone.push(format!("{} (more than max_size)", super::day_name(number)));
                continue;
            }
            let Some(files) = self.tiers().into_iter().find(|files| files.months() > 1) else { break };
            if let Some(month) = files.oldest() {
                files.remove(month)?;
                gone.push(format!("a month of {} values (more than max_size)", files.name()));
            }
        }
        Ok(gone)
    }

    /// Removes every sample before a time, and the slots of the days before it.
    pub(in crate::store) fn prune(&self, before: UnixMillis) -> Result<(), DiskError> {
        let cut = before.div_euclid(DAY_MS);
        let days: Vec<(i64, Arc<Day>)> =
            self.days.read().range(..=cut).map(|(number, day)| (*number, Arc::clone(day))).collect();
        for (number, day) in days {
            let last = day.index.read().parts.values().flatten().map(|part| part.last).max();
            if last.is_none_or(|last| last < before) {
                self.remove_day(number)?;
                continue;
            }
            let targets = day.targets();
            for (id, target, parts) in targets {
                let early: Vec<Part> = parts.into_iter().filter(|part| part.first < before).collect();
                let mut kept = self.merge(&day, &target, &early)?;
                kept.iter_mut().for_each(|segment| segment.cut_before(before));
                kept.retain(|segment| !segment.times.is_empty());
                day.replace(id, &early, &kept)?;
            }
        }
        for files in self.tiers() {
            files.remove_before(cut)?;
            files.remove_days_before(cut)?;
        }
        Ok(())
    }

    fn remove_day(&self, number: i64) -> Result<(), DiskError> {
        let Some(day) = self.days.write().remove(&number) else { return Ok(()) };
        super::remove_files(&day.path)?;
        Ok(())
    }

    pub(super) fn tiers(&self) -> [&TierFiles; 2] {
        [&self.minutes, &self.hours]
    }

    /// Bytes of all files of history.
    pub(in crate::store) fn bytes(&self) -> u64 {
        let folders = [self.folder.join("raw"), self.folder.join("5m"), self.folder.join("1h")];
        let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
        files.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum::<u64>() + self.log.bytes()
    }
}
