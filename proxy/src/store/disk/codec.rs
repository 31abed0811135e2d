//! One column of a segment: the values of a series, row by row, in as few bytes as can be.
//!
//! A first byte says how: bits 0 to 2 the form, bit 3 that there are gaps, bits 4 to 7 the decimal places
//! (15: the values are floats as they are). Then the gaps, as the lengths of what is there and what is not
//! in turn; then the values that are there:
//!
//! | form | for | bytes |
//! |---|---|---|
//! | constant | what never changes | one number |
//! | runs | what changes now and then: states, limits | how often, the length of each run, its number |
//! | integers | counters, and gauges with few decimal places, times 10^places | a `pco` chunk of integers |
//! | floats | the rest | a `pco` chunk of floats |
//!
//! The caller checks sums: what comes here is what was written.

use fleetglass_shared::sample::{is_stale, stale_marker};
use pco::ChunkConfig;
use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};

use super::bytes::{Corrupt, Input, put_signed, put_varint};
use crate::store::packed::decimals;

const CONSTANT: u8 = 0;
const RUNS: u8 = 1;
const INTEGERS: u8 = 2;
const FLOATS: u8 = 3;
const GAPS: u8 = 1 << 3;
/// In place of decimal places.
const RAW: u8 = 15;

/// Runs longer than this on average are written as runs.
const RUN_ROWS: usize = 6;

/// Appends the column to `out`. A stale marker is a gap. A column of gaps alone is nothing at all.
pub(super) fn encode(values: &[f64], out: &mut Vec<u8>) {
    let there: Vec<f64> = values.iter().copied().filter(|value| !is_stale(*value)).collect();
    let Some(&first) = there.first() else { return };
    let changes = there.windows(2).filter(|pair| pair[0].to_bits() != pair[1].to_bits()).count();
    let decimal = decimals(&there);
    let form_at = out.len();
    out.push(0);
    let gaps = if there.len() < values.len() {
        put_gaps(values, out);
        GAPS
    } else {
        0
    };
    let places = decimal.as_ref().map_or(RAW, |(places, _)| *places);
    let form = if changes == 0 {
        match &decimal {
            Some((_, integers)) => put_signed(out, integers[0]),
            None => out.extend_from_slice(&first.to_le_bytes()),
        }
        CONSTANT
    } else if changes * RUN_ROWS < there.len() {
        put_runs(&there, changes, decimal.as_ref().map(|(_, integers)| integers.as_slice()), out);
        RUNS
    } else if let Some((_, integers)) = &decimal {
        compress(integers, out);
        INTEGERS
    } else {
        compress(&there, out);
        FLOATS
    };
    out[form_at] = form | gaps | places << 4;
}

/// Appends the `rows` values of a column to `out`, stale markers where it has gaps.
pub(super) fn decode(bytes: &[u8], rows: usize, out: &mut Vec<f64>) -> Result<(), Corrupt> {
    let mut input = Input(bytes);
    if bytes.is_empty() {
        out.extend(std::iter::repeat_n(stale_marker(), rows));
        return Ok(());
    }
    let form = input.byte()?;
    let start = out.len();
    let gaps = if form & GAPS == 0 { None } else { Some(read_gaps(&mut input, rows)?) };
    let count = gaps.as_ref().map_or(rows, |gaps| gaps.iter().step_by(2).sum());
    match (form & 7, form >> 4) {
        (CONSTANT, RAW) => {
            let value = input.float()?;
            out.extend(std::iter::repeat_n(value, count));
        }
        (CONSTANT, places) => {
            let value = input.signed()? as f64 / scale(places);
            out.extend(std::iter::repeat_n(value, count));
        }
        (RUNS, places) => read_runs(&mut input, places, count, out)?,
        (INTEGERS, places) => {
            let scale = scale(places);
            out.extend(decompress::<i64>(input.0, count)?.into_iter().map(|integer| integer as f64 / scale));
        }
        (FLOATS, _) => out.extend(decompress::<f64>(input.0, count)?),
        _ => return Err(Corrupt("a column has a form that this version does not know")),
    }
    if let Some(gaps) = gaps {
        spread(&gaps, start, rows, out);
    }
    Ok(())
}

fn scale(places: u8) -> f64 {
    10f64.powi(i32::from(places))
}

fn put_gaps(values: &[f64], out: &mut Vec<u8>) {
    let mut lengths = vec![0u64];
    let mut there = true;
    for value in values {
        if is_stale(*value) == there {
            there = !there;
            lengths.push(0);
        }
        if let Some(length) = lengths.last_mut() {
            *length += 1;
        }
    }
    put_varint(out, lengths.len() as u64);
    lengths.into_iter().for_each(|length| put_varint(out, length));
}

fn read_gaps(input: &mut Input<'_>, rows: usize) -> Result<Vec<usize>, Corrupt> {
    let count = input.size()?;
    let mut lengths = Vec::new();
    let mut left = rows;
    for _ in 0..count {
        let length = input.size()?;
        left = left.checked_sub(length).ok_or(Corrupt("the gaps of a column are longer than it is"))?;
        lengths.push(length);
    }
    if left == 0 { Ok(lengths) } else { Err(Corrupt("the gaps of a column do not make up its rows")) }
}

/// Moves the values that are there to their rows.
fn spread(gaps: &[usize], start: usize, rows: usize, out: &mut Vec<f64>) {
    let dense = out.split_off(start);
    let mut values = dense.into_iter();
    for (at, &length) in gaps.iter().enumerate() {
        if at % 2 == 0 {
            out.extend(values.by_ref().take(length));
        } else {
            out.extend(std::iter::repeat_n(stale_marker(), length));
        }
    }
    debug_assert_eq!(out.len(), start + rows);
}

fn put_runs(values: &[f64], changes: usize, integers: Option<&[i64]>, out: &mut Vec<u8>) {
    put_varint(out, changes as u64 + 1);
    let mut before = 0;
    let mut at = 0;
    while at < values.len() {
        let same = values[at..].iter().take_while(|value| value.to_bits() == values[at].to_bits()).count();
        put_varint(out, same as u64);
        match integers {
            Some(integers) => {
                put_signed(out, integers[at].wrapping_sub(before));
                before = integers[at];
            }
            None => out.extend_from_slice(&values[at].to_le_bytes()),
        }
        at += same;
    }
}

fn read_runs(input: &mut Input<'_>, places: u8, count: usize, out: &mut Vec<f64>) -> Result<(), Corrupt> {
    let runs = input.size()?;
    let mut left = count;
    let mut integer = 0i64;
    for _ in 0..runs {
        let length = input.size()?;
        left = left.checked_sub(length).ok_or(Corrupt("the runs of a column are longer than it is"))?;
        let value = if places == RAW {
            input.float()?
        } else {
            integer = integer.wrapping_add(input.signed()?);
            integer as f64 / scale(places)
        };
        out.extend(std::iter::repeat_n(value, length));
    }
    if left == 0 { Ok(()) } else { Err(Corrupt("the runs of a column do not make up its rows")) }
}

/// Appends numbers as one `pco` chunk of one page.
pub(super) fn compress<T: Number>(numbers: &[T], out: &mut Vec<u8>) {
    let file = FileCompressor::default();
    let config = ChunkConfig::default().with_paging_spec(pco::PagingSpec::Exact(vec![numbers.len()]));
    let written = file.chunk_compressor(numbers, &config).and_then(|mut chunk| {
        file.write_header(&mut *out)?;
        chunk.write_meta(&mut *out)?;
        chunk.write_page(0, &mut *out).map(drop)
    });
    // A memory buffer takes everything, and the config is one of the library's own.
    debug_assert!(written.is_ok(), "{written:?}");
}

/// Reads `count` numbers that [`compress`] wrote.
pub(super) fn decompress<T: Number + Default>(bytes: &[u8], count: usize) -> Result<Vec<T>, Corrupt> {
    let damaged = |_| Corrupt("a compressed column cannot be read");
    let (file, rest) = FileDecompressor::new(bytes).map_err(damaged)?;
    let (mut chunk, rest) = file.chunk_decompressor::<T, _>(rest).map_err(damaged)?;
    let mut numbers = vec![T::default(); count];
    let mut page = chunk.page_decompressor(rest, count).map_err(damaged)?;
    let progress = page.read(&mut numbers).map_err(damaged)?;
    if progress.n_processed == count { Ok(numbers) } else { Err(Corrupt("a compressed column is too short")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits(values: &[f64]) -> Vec<u64> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    fn size(values: &[f64]) -> usize {
        let mut bytes = Vec::new();
        encode(values, &mut bytes);
        let mut back = Vec::new();
        decode(&bytes, values.len(), &mut back).unwrap();
        assert_eq!(bits(&back), bits(values));
        bytes.len()
    }

    #[test]
    fn each_kind_of_series_is_small() {
        assert_eq!(size(&[stale_marker(); 256]), 0);
        assert!(size(&[17.25; 256]) <= 3);
        assert!(size(&[0.1 + 0.2; 256]) == 9);
        let state: Vec<f64> = (0..256).map(|row| f64::from(u8::from(row < 100))).collect();
        assert!(size(&state) <= 8);
        let counter: Vec<f64> = (0..256).map(|row| 1e9 + 15.0 * f64::from(row)).collect();
        assert!(size(&counter) <= 48, "{}", size(&counter));
        let gauge: Vec<f64> = (0..256).map(|row| (1000.0 + f64::from(row * 37 % 101)) / 1000.0).collect();
        assert!(size(&gauge) <= 300, "{}", size(&gauge));
        let mut gone = counter.clone();
        gone[100..].fill(stale_marker());
        assert!(size(&gone) < 60);
        assert!(size(&[f64::NAN, -0.0, f64::INFINITY, 1.0, 5e-324]) <= 80);
    }

    proptest! {
        #[test]
        fn every_column_comes_back(rows in proptest::collection::vec(prop_oneof![
            4 => Just(1.0f64),
            2 => (0i32..5).prop_map(f64::from),
            1 => (0u32..100_000).prop_map(|n| f64::from(n) / 1000.0),
            1 => any::<f64>(),
            1 => Just(stale_marker()),
        ], 1..600)) {
            let mut bytes = Vec::new();
            encode(&rows, &mut bytes);
            let mut back = vec![7.0];
            decode(&bytes, rows.len(), &mut back).unwrap();
            prop_assert_eq!(bits(&back[1..]), bits(&rows));
        }

        #[test]
        fn a_column_that_is_cut_off_is_refused(length in 0usize..200, cut in 1usize..40) {
            let values: Vec<f64> = (0..300).map(|row| f64::from(row * row % 9173) / 7.0).collect();
            let mut bytes = Vec::new();
            encode(&values, &mut bytes);
            bytes.truncate(bytes.len() - cut);
            prop_assert!(decode(&bytes, values.len(), &mut Vec::new()).is_err());
            prop_assert!(decode(&bytes[..length.min(bytes.len())], 300, &mut Vec::new()).is_err() || length == 0);
        }
    }
}
