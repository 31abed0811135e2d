//! Down-sampled history: five minutes, or an hour, of a series as one [`Slot`]. A file a month.
//!
//! A series' slots of one day are one row, next to those of the other days, so that a chart of months reads
//! little and in one run.

mod last;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fleetglass_shared::calendar;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, Matcher};
use fleetglass_shared::sample::{is_stale, stale_marker};
use parking_lot::{Mutex, RwLock};
use rusqlite::{Connection, OptionalExtension, params};

use super::bytes::{Corrupt, Input, put_labels, put_varint};
use super::codec;
use super::day::{DiskError, prepare};
use super::names::{insert_series, series_of};
use super::{DAY_MS, own_matchers};

const TABLES: &str = "
    CREATE TABLE target (id INTEGER PRIMARY KEY, labels BLOB NOT NULL UNIQUE) STRICT;
    CREATE TABLE metric (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE series (
        id INTEGER PRIMARY KEY, target INTEGER NOT NULL, metric INTEGER NOT NULL, labels BLOB NOT NULL
    ) STRICT;
    CREATE INDEX series_of ON series (target, metric);
    CREATE TABLE slots (
        series INTEGER NOT NULL, day INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (series, day)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE done (what TEXT PRIMARY KEY) STRICT;
";

/// A step in which history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Five minutes.
    Minutes,
    /// An hour.
    Hours,
}

impl Tier {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Minutes, Self::Hours];

    /// Its folder, and its word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minutes => "5m",
            Self::Hours => "1h",
        }
    }

    /// The length of a slot.
    pub fn step_ms(self) -> i64 {
        match self {
            Self::Minutes => 300_000,
            Self::Hours => 3_600_000,
        }
    }

    fn slots_a_day(self) -> usize {
        (DAY_MS / self.step_ms()) as usize
    }
}

/// What a series did in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::store) struct Slot {
    /// How many samples there were; 0 makes the rest meaningless.
    pub(in crate::store) count: u32,
    /// The smallest.
    pub(in crate::store) min: f64,
    /// The largest.
    pub(in crate::store) max: f64,
    /// All together.
    pub(in crate::store) sum: f64,
    /// The last.
    pub(in crate::store) last: f64,
    /// By how much a counter grew, over resets, since the last sample before the step; NaN where that was
    /// not kept, since it hardly is a counter.
    pub(in crate::store) increase: f64,
}

/// The slots of one day of one series, made of its samples in order of time. `before` is its last sample
/// before the day. Samples outside the day are left out.
pub(super) fn slots_of(
    tier: Tier,
    day_start: UnixMillis,
    before: Option<f64>,
    samples: impl Iterator<Item = (UnixMillis, f64)>,
) -> Vec<Slot> {
    let mut slots = vec![Slot::default(); tier.slots_a_day()];
    let mut before = before;
    for (at, value) in samples {
        if is_stale(value) || value.is_nan() {
            continue;
        }
        let place = usize::try_from((at - day_start).div_euclid(tier.step_ms())).ok();
        if let Some(slot) = place.and_then(|place| slots.get_mut(place)) {
            let first = slot.count == 0;
            slot.min = if first { value } else { slot.min.min(value) };
            slot.max = if first { value } else { slot.max.max(value) };
            (slot.count, slot.sum, slot.last) = (slot.count + 1, slot.sum + value, value);
            slot.increase +=
                before.map_or(0.0, |before| if value >= before { value - before } else { value });
        }
        before = Some(value);
    }
    slots
}

const SAME_MIN: u8 = 1;
const SAME_MAX: u8 = 2;
const SAME_SUM: u8 = 4;
const NO_INCREASE: u8 = 8;

fn pack(slots: &[Slot], is_counter: bool) -> Vec<u8> {
    let there = || slots.iter().filter(|slot| slot.count > 0);
    let column = |value: &dyn Fn(&Slot) -> f64| -> Vec<f64> {
        slots.iter().map(|slot| if slot.count > 0 { value(slot) } else { stale_marker() }).collect()
    };
    let mut flags = 0;
    let mut set = |flag: u8, same: bool| flags |= if same { flag } else { 0 };
    set(SAME_MIN, there().all(|slot| slot.min.to_bits() == slot.last.to_bits()));
    set(SAME_MAX, there().all(|slot| slot.max.to_bits() == slot.last.to_bits()));
    set(SAME_SUM, there().all(|slot| slot.sum == slot.last * f64::from(slot.count)));
    set(NO_INCREASE, !is_counter);
    let mut columns = vec![column(&|slot| slot.last), column(&|slot| f64::from(slot.count))];
    let mut add = |flag: u8, values: Vec<f64>| {
        if flags & flag == 0 {
            columns.push(values);
        }
    };
    add(SAME_MIN, column(&|slot| slot.min));
    add(SAME_MAX, column(&|slot| slot.max));
    add(SAME_SUM, column(&|slot| slot.sum));
    add(NO_INCREASE, column(&|slot| slot.increase));
    let mut out = vec![flags];
    let mut bytes = Vec::new();
    for values in columns {
        bytes.clear();
        codec::encode(&values, &mut bytes);
        put_varint(&mut out, bytes.len() as u64);
        out.extend_from_slice(&bytes);
    }
    let sum = crc32fast::hash(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

/// Which columns of slots are read: a chart needs one or two of six, and each costs as much as all the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Columns(u8);

impl Columns {
    pub(in crate::store) const LAST: Self = Self(1);
    pub(in crate::store) const COUNT: Self = Self(2);
    pub(in crate::store) const MIN: Self = Self(4);
    pub(in crate::store) const MAX: Self = Self(8);
    pub(in crate::store) const SUM: Self = Self(16);
    pub(in crate::store) const INCREASE: Self = Self(32);
    #[cfg(test)]
    const ALL: Self = Self(63);

    pub(in crate::store) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The slots of a day. Of what is not among `wanted` only the count says something: whether there is a sample.
fn unpack(bytes: &[u8], count: usize, wanted: Columns) -> Result<Vec<Slot>, Corrupt> {
    let (body, sum) = bytes.split_at_checked(bytes.len().saturating_sub(4)).ok_or(Corrupt("no slots"))?;
    if crc32fast::hash(body) != Input(sum).word()? {
        return Err(Corrupt("slots have another checksum"));
    }
    let mut input = Input(body);
    let flags = input.byte()?;
    let same = |flag: u8| flags & flag != 0;
    let for_last = Columns(
        [
            (SAME_MIN, Columns::MIN),
            (SAME_MAX, Columns::MAX),
            (SAME_SUM, Columns::SUM),
            (NO_INCREASE, Columns::INCREASE),
        ]
        .into_iter()
        .filter(|(flag, _)| same(*flag))
        .fold(Columns::LAST.0, |all, (_, column)| all | column.0),
    );
    let for_count = if same(SAME_SUM) { Columns::COUNT.and(Columns::SUM) } else { Columns::COUNT };
    let mut column = |there: bool, wanted: bool| -> Result<Option<Vec<f64>>, Corrupt> {
        if !there {
            return Ok(None);
        }
        let length = input.size()?;
        let bytes = input.take(length)?;
        if !wanted {
            return Ok(None);
        }
        let mut values = Vec::with_capacity(count);
        codec::decode(bytes, count, &mut values)?;
        Ok(Some(values))
    };
    let last = column(true, wanted.has(for_last))?;
    let counts = column(true, wanted.has(for_count))?;
    let min = column(!same(SAME_MIN), wanted.has(Columns::MIN))?;
    let max = column(!same(SAME_MAX), wanted.has(Columns::MAX))?;
    let sum = column(!same(SAME_SUM), wanted.has(Columns::SUM))?;
    let increase = column(!same(NO_INCREASE), wanted.has(Columns::INCREASE))?;
    // Every column has its gaps where the others have them.
    let any = [&last, &counts, &min, &max, &sum, &increase].into_iter().find_map(Option::as_ref);
    let any = any.ok_or(Corrupt("no column of slots is wanted"))?;
    let slot = |at: usize| {
        if is_stale(any[at]) {
            return Slot::default();
        }
        let of = |column: &Option<Vec<f64>>, other: f64| column.as_ref().map_or(other, |values| values[at]);
        let (last, number) = (of(&last, f64::NAN), of(&counts, 1.0));
        Slot {
            count: number as u32,
            min: of(&min, last),
            max: of(&max, last),
            sum: of(&sum, last * number),
            last,
            increase: of(&increase, f64::NAN),
        }
    };
    Ok((0..count).map(slot).collect())
}

/// The slots of a day of a target's series, to be written.
#[derive(Debug)]
pub(super) struct NewSlots {
    pub(super) labels: LabelSet,
    pub(super) slots: Vec<Slot>,
    pub(super) is_counter: bool,
}

/// The files of one tier.
#[derive(Debug)]
pub(super) struct TierFiles {
    tier: Tier,
    folder: PathBuf,
    /// By month, counted from year 0.
    months: RwLock<BTreeMap<i64, Arc<Month>>>,
}

#[derive(Debug)]
struct Month {
    path: PathBuf,
    connection: Mutex<Connection>,
    /// For readers, so that a roll-up does not hold them up.
    reader: Mutex<Connection>,
}

impl Month {
    fn open(path: &Path) -> Result<Self, DiskError> {
        let mut connection = Connection::open(path)?;
        prepare(&mut connection, TABLES, path)?;
        let reader = Connection::open(path)?;
        reader.pragma_update(None, "query_only", true)?;
        reader.busy_timeout(std::time::Duration::from_secs(10))?;
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection), reader: Mutex::new(reader) })
    }
}

fn month_of(day: i64) -> i64 {
    let (year, month, _) = calendar::civil(day);
    year * 12 + month - 1
}

/// The first day of a month.
pub(super) fn first_day(month: i64) -> i64 {
    calendar::days(month.div_euclid(12), month.rem_euclid(12) + 1, 1)
}

fn month_name(month: i64) -> String {
    format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}

impl TierFiles {
    /// Opens the tier's files; `damaged` is told of each that cannot be read.
    pub(super) fn open(
        folder: &Path,
        tier: Tier,
        damaged: impl Fn(&Path, &DiskError),
    ) -> Result<Self, DiskError> {
        let folder = folder.join(tier.as_str());
        std::fs::create_dir_all(&folder)?;
        let mut months = BTreeMap::new();
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let number = path.file_name().and_then(|name| {
                let (year, month) = name.to_str()?.strip_suffix(".db")?.split_once('-')?;
                Some(year.parse::<i64>().ok()? * 12 + month.parse::<i64>().ok()? - 1)
            });
            let Some(number) = number else { continue };
            match Month::open(&path) {
                Ok(month) => drop(months.insert(number, Arc::new(month))),
                Err(error) => damaged(&path, &error),
            }
        }
        Ok(Self { tier, folder, months: RwLock::new(months) })
    }

    fn month(&self, number: i64) -> Result<Arc<Month>, DiskError> {
        if let Some(month) = self.months.read().get(&number) {
            return Ok(Arc::clone(month));
        }
        let month = Arc::new(Month::open(&self.folder.join(format!("{}.db", month_name(number))))?);
        self.months.write().insert(number, Arc::clone(&month));
        Ok(month)
    }

    /// Writes the slots of a day of a target, all or none.
    pub(super) fn write(&self, day: i64, target: &LabelSet, series: &[NewSlots]) -> Result<(), DiskError> {
        let month = self.month(month_of(day))?;
        let mut connection = month.connection.lock();
        let transaction = connection.transaction()?;
        let mut labels = Vec::new();
        put_labels(&mut labels, target);
        let known = transaction
            .prepare_cached("SELECT id FROM target WHERE labels = ?1")?
            .query_row([&labels], |row| row.get::<_, i64>(0))
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => {
                transaction.prepare_cached("INSERT INTO target (labels) VALUES (?1)")?.execute([&labels])?;
                transaction.last_insert_rowid()
            }
        };
        let known: HashMap<LabelSet, u32> =
            series_of(&transaction, id, &[])?.into_iter().map(|(id, labels)| (labels, id)).collect();
        for NewSlots { labels, slots, is_counter } in series {
            let series = match known.get(labels) {
                Some(series) => *series,
                None => insert_series(&transaction, id, labels)?,
            };
            transaction
                .prepare_cached("INSERT OR REPLACE INTO slots VALUES (?1, ?2, ?3)")?
                .execute(params![series, day, pack(slots, *is_counter)])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Shows the slots of every series that passes, of the days `first..=last`: its labels, and for each day
    /// that has any the day and its slots. With `of` those of that instance's own targets alone: rules may have
    /// recorded series of its name, and these are elsewhere.
    pub(super) fn each(
        &self,
        of: Option<&str>,
        matchers: &[Matcher],
        (first, last): (i64, i64),
        wanted: Columns,
        mut each: impl FnMut(&LabelSet, i64, Vec<Slot>),
    ) -> Result<(), DiskError> {
        let months: Vec<Arc<Month>> = {
            let months = self.months.read();
            months.range(month_of(first)..=month_of(last)).map(|(_, month)| Arc::clone(month)).collect()
        };
        for month in months {
            let connection = month.reader.lock();
            let mut targets = connection.prepare_cached("SELECT id, labels FROM target")?;
            let mut rows = targets.query([])?;
            while let Some(row) = rows.next()? {
                let target = Input(row.get_ref(1)?.as_blob().unwrap_or_default()).labels()?;
                if of.is_some_and(|of| target.get("instance") != Some(of)) {
                    continue;
                }
                let Some(own) = own_matchers(matchers, &target) else { continue };
                for (series, labels) in series_of(&connection, row.get(0)?, &own)? {
                    let labels = labels.merged(&target);
                    let mut slots = connection.prepare_cached(
                        "SELECT day, data FROM slots WHERE series = ?1 AND day BETWEEN ?2 AND ?3 ORDER BY day",
                    )?;
                    let mut days = slots.query(params![series, first, last])?;
                    while let Some(row) = days.next()? {
                        let data = row.get_ref(1)?.as_blob().unwrap_or_default();
                        match unpack(data, self.tier.slots_a_day(), wanted) {
                            Ok(slots) => each(&labels, row.get(0)?, slots),
                            Err(error) => tracing::error!(
                                file = %month.path.display(), series = %labels, %error,
                                "a day of slots is damaged and is left out"
                            ),
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Removes the files of months that ended before a day.
    pub(super) fn remove_before(&self, day: i64) -> Result<usize, DiskError> {
        let old: Vec<i64> = self.months.read().range(..month_of(day)).map(|(month, _)| *month).collect();
        for month in &old {
            self.remove(*month)?;
        }
        Ok(old.len())
    }

    /// Removes the slots of the days before one.
    pub(super) fn remove_days_before(&self, day: i64) -> Result<(), DiskError> {
        let month = self.months.read().get(&month_of(day)).map(Arc::clone);
        if let Some(month) = month {
            month.connection.lock().execute("DELETE FROM slots WHERE day < ?1", [day])?;
        }
        Ok(())
    }

    /// The tier's word.
    pub(super) fn name(&self) -> &'static str {
        self.tier.as_str()
    }

    /// How many months there are.
    pub(super) fn months(&self) -> usize {
        self.months.read().len()
    }

    /// The oldest month.
    pub(super) fn oldest(&self) -> Option<i64> {
        self.months.read().keys().next().copied()
    }

    pub(super) fn remove(&self, month: i64) -> Result<(), DiskError> {
        if let Some(month) = self.months.write().remove(&month) {
            super::remove_files(&month.path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_becomes_slots_that_say_what_happened_in_each() {
        let samples = [
            (0, 10.0),
            (60_000, 12.0),
            (120_000, 3.0),
            (300_000, 4.0),
            (310_000, stale_marker()),
            (900_000, 9.0),
            (DAY_MS, 99.0),
        ];
        let slots = slots_of(Tier::Minutes, 0, Some(8.0), samples.into_iter());
        assert_eq!(slots.len(), 288);
        let first = Slot { count: 3, min: 3.0, max: 12.0, sum: 25.0, last: 3.0, increase: 2.0 + 2.0 + 3.0 };
        assert_eq!(slots[0], first);
        assert_eq!(slots[1], Slot { count: 1, min: 4.0, max: 4.0, sum: 4.0, last: 4.0, increase: 1.0 });
        assert_eq!(slots[2].count, 0);
        assert_eq!(slots[3].increase, 5.0);
        assert_eq!(slots[4..].iter().map(|slot| slot.count).sum::<u32>(), 0);
    }

    proptest::proptest! {
        #[test]
        fn slots_come_back(values in proptest::collection::vec((0u32..3, -5i32..5, 0u8..4), 24)) {
            let slots: Vec<Slot> = values.iter().map(|&(count, low, more)| {
                if count == 0 {
                    return Slot::default();
                }
                let (min, max) = (f64::from(low), f64::from(low) + f64::from(more));
                let increase = f64::from(more);
                Slot { count, min, max, sum: min * f64::from(count) + 0.5 * increase, last: max, increase }
            }).collect();
            let packed = pack(&slots, true);
            proptest::prop_assert_eq!(unpack(&packed, 24, Columns::ALL), Ok(slots));
            for at in 0..packed.len() {
                let mut bad = packed.clone();
                bad[at] ^= 1;
                proptest::prop_assert!(unpack(&bad, 24, Columns::ALL).is_err());
            }
        }
    }
}
