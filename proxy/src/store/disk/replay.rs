//! The way back from the row log into memory.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::sample::stale_marker;

use super::bytes::{Corrupt, Input};
use super::log::{BY_BITS, BY_INTEGER, GONE, MAGIC, ROW, TARGET, TIMED, TimedSample, base, files};

/// One record of the log.
#[derive(Debug)]
pub(in crate::store) struct Record<'a> {
    /// The file it is in.
    pub(in crate::store) file: u64,
    /// The same for all records of one target in one file.
    pub(in crate::store) reference: (u64, u64),
    pub(in crate::store) target: &'a LabelSet,
    /// Every series named so far, in the order of the values.
    pub(in crate::store) columns: &'a [LabelSet],
    pub(in crate::store) samples: Samples<'a>,
}

/// What a record holds.
#[derive(Debug)]
pub(in crate::store) enum Samples<'a> {
    /// A row: its time, a value for each column, and whether the target ended with it.
    Row(UnixMillis, &'a [f64], bool),
    /// Samples with times of their own.
    Timed(&'a [TimedSample]),
}

/// What a log came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Replayed {
    pub(in crate::store) records: usize,
    /// What could not be read, in words.
    pub(in crate::store) lost: Vec<String>,
}

#[derive(Default)]
struct Known {
    target: LabelSet,
    columns: Vec<LabelSet>,
    values: Vec<f64>,
}

/// Reads every file of the log, the oldest first. A file is read up to the first frame that is not whole:
/// what a kill cut off.
pub(super) fn replay(folder: &Path, mut each: impl FnMut(&Record<'_>)) -> std::io::Result<Replayed> {
    let mut replayed = Replayed::default();
    for (number, path) in files(folder)? {
        let bytes = fs::read(&path)?;
        let Some(frames) = bytes.strip_prefix(MAGIC.as_slice()) else {
            // A file of which not even the name was written held nothing.
            if bytes.len() >= MAGIC.len() {
                replayed.lost.push(format!("{} is no log of this version", path.display()));
            }
            continue;
        };
        let mut input = Input(frames);
        let mut known = HashMap::new();
        while !input.is_empty() {
            let left = input.0.len();
            let read =
                frame(&mut input).and_then(|record| read_record(record, number, &mut known, &mut each));
            match read {
                Ok(()) => replayed.records += 1,
                Err(error) => {
                    let at = bytes.len() - left;
                    replayed.lost.push(format!(
                        "{}: the last {left} bytes, from byte {at} on ({error})",
                        path.display()
                    ));
                    break;
                }
            }
        }
    }
    Ok(replayed)
}

fn frame<'a>(input: &mut Input<'a>) -> Result<Input<'a>, Corrupt> {
    let (length, sum) = (input.word()? as usize, input.word()?);
    let record = input.take(length)?;
    if crc32fast::hash(record) == sum { Ok(Input(record)) } else { Err(Corrupt("another checksum")) }
}

fn read_record(
    mut input: Input<'_>,
    file: u64,
    known: &mut HashMap<u64, Known>,
    each: &mut impl FnMut(&Record<'_>),
) -> Result<(), Corrupt> {
    let kind = input.byte()?;
    let reference = input.varint()?;
    if kind == TARGET {
        known.insert(reference, Known { target: input.labels()?, ..Known::default() });
        return Ok(());
    }
    let Some(known) = known.get_mut(&reference) else {
        return Err(Corrupt("a row of a target without a name"));
    };
    let mut timed = Vec::new();
    let samples = match kind {
        ROW => {
            let (at, ended) = (input.signed()?, input.byte()? != 0);
            name_columns(&mut input, known)?;
            let mut column = 0usize;
            while !input.is_empty() {
                let step = input.varint()?;
                column = usize::try_from(step >> 2)
                    .ok()
                    .and_then(|step| column.checked_add(step))
                    .unwrap_or(usize::MAX);
                let value = known.values.get_mut(column).ok_or(Corrupt("a value of no column"))?;
                *value = match step & 3 {
                    BY_INTEGER => base(*value).wrapping_add(input.signed()?) as f64,
                    BY_BITS => input.float()?,
                    GONE => stale_marker(),
                    _ => return Err(Corrupt("a change of a kind that this version does not know")),
                };
            }
            Samples::Row(at, &known.values, ended)
        }
        TIMED => {
            name_columns(&mut input, known)?;
            let mut at = 0i64;
            while !input.is_empty() {
                let column = u32::try_from(input.varint()?).map_err(|_| Corrupt("a sample of no column"))?;
                at = at.wrapping_add(input.signed()?);
                if column as usize >= known.columns.len() {
                    return Err(Corrupt("a sample of no column"));
                }
                timed.push((column, at, input.float()?));
            }
            Samples::Timed(&timed)
        }
        _ => return Err(Corrupt("a record of a kind that this version does not know")),
    };
    each(&Record {
        file,
        reference: (file, reference),
        target: &known.target,
        columns: &known.columns,
        samples,
    });
    Ok(())
}

fn name_columns(input: &mut Input<'_>, known: &mut Known) -> Result<(), Corrupt> {
    for _ in 0..input.size()? {
        known.columns.push(input.labels()?);
        known.values.push(stale_marker());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::log::{Log, Logged};
    use super::*;

    fn labels(text: &str) -> LabelSet {
        LabelSet::from_pairs([("__name__", text)])
    }

    fn all(folder: &Path) -> (Vec<(UnixMillis, Vec<u64>)>, Replayed) {
        let mut rows = Vec::new();
        let replayed = replay(folder, |record| {
            if let Samples::Row(at, values, _) = record.samples {
                rows.push((at, values.iter().map(|value| value.to_bits()).collect()));
            }
        });
        (rows, replayed.unwrap())
    }

    proptest::proptest! {
        #[test]
        fn rows_come_back_across_files_and_a_cut_loses_only_the_end(
            rows in proptest::collection::vec(proptest::collection::vec(proptest::prop_oneof![
                proptest::prelude::Just(stale_marker()),
                (0u8..4).prop_map(f64::from),
                proptest::num::f64::ANY,
            ], 0..6), 1..40),
            turn in 0usize..40,
            cut in 1u64..60,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let log = Log::open(folder.path().to_owned()).unwrap();
            let names: Vec<LabelSet> = (0..6).map(|at| labels(&format!("m{at}"))).collect();
            let (mut logged, target) = (Logged::default(), labels("target"));
            let mut width = 0;
            let mut wanted = Vec::new();
            for (at, row) in rows.iter().enumerate() {
                width = width.max(row.len());
                let mut row = row.clone();
                row.resize(width, stale_marker());
                if at == turn {
                    log.turn();
                }
                log.row(&mut logged, &target, at as i64, false, names.iter().zip(row.iter().copied()));
                log.flush(at % 3 == 0).unwrap();
                wanted.push((at as i64, row.iter().map(|value| value.to_bits()).collect::<Vec<_>>()));
            }
            log.flush(true).unwrap();
            let (found, replayed) = all(folder.path());
            proptest::prop_assert_eq!(&found, &wanted);
            proptest::prop_assert!(replayed.lost.is_empty());

            let (_, last) = files(folder.path()).unwrap().pop().unwrap();
            let length = last.metadata().unwrap().len();
            fs::File::options().write(true).open(&last).unwrap().set_len(length.saturating_sub(cut)).unwrap();
            let (found, _) = all(folder.path());
            proptest::prop_assert_eq!(&found[..], &wanted[..found.len()]);
        }
    }

    use proptest::strategy::Strategy;
}
