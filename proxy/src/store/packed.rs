//! The bytes of a sealed column whose value changed, or that was not in every row.
//!
//! One byte of form, the bitmaps of presence and of changes where they are not the plain ones, then the
//! begun values: as decimals of up to nine places (`value × 10^places`, delta or delta of delta, zigzag
//! varints), or where a value is no such decimal as the XOR with the one before it, without its zero bytes.
//! An ordinary counter takes 1 to 2 bytes a change.

use super::column::Cells;

/// The form byte: bits 0 to 3 the decimal places, or [`XOR`].
const XOR: u8 = 15;
const MAX_PLACES: u8 = 9;
/// Form bit: the deltas are deltas of deltas.
const DOUBLE: u8 = 1 << 4;
/// Form bit: it was in every row, so its bitmap is left out.
const FULL: u8 = 1 << 5;
/// Form bit: the value changed in every row it was in, so that bitmap is left out.
const EVERY: u8 = 1 << 6;

/// Integers up to here are exact in an `f64`.
const EXACT: f64 = 9_007_199_254_740_992.0;

pub(super) fn pack(cells: &Cells, full: u64) -> Box<[u8]> {
    let values: Vec<f64> = cells.begun().collect();
    let mut form = 0;
    let mut bitmaps = Vec::new();
    if cells.present == full {
        form |= FULL;
    } else {
        bitmaps.extend_from_slice(&cells.present.to_le_bytes());
    }
    if cells.starts == cells.present {
        form |= EVERY;
    } else {
        bitmaps.extend_from_slice(&cells.starts.to_le_bytes());
    }
    let body = match decimals(&values) {
        Some((places, integers)) => {
            let (single, double) = (deltas(&integers, false), deltas(&integers, true));
            form |= places;
            if double.len() < single.len() {
                form |= DOUBLE;
                double
            } else {
                single
            }
        }
        None => {
            form |= XOR;
            xored(&values)
        }
    };
    let mut bytes = Vec::with_capacity(1 + bitmaps.len() + body.len());
    bytes.push(form);
    bytes.extend_from_slice(&bitmaps);
    bytes.extend_from_slice(&body);
    bytes.into()
}

pub(super) fn unpack(bytes: &[u8], full: u64) -> Cells {
    let mut input = Input(bytes);
    let form = input.byte();
    let present = if form & FULL != 0 { full } else { input.word(8) };
    let starts = if form & EVERY != 0 { present } else { input.word(8) };
    let mut begun = Begun::new(input, form);
    let mut values: Vec<f64> = (0..starts.count_ones()).map(|_| begun.next()).collect();
    let first = values.first().copied().unwrap_or_default();
    if !values.is_empty() {
        values.remove(0);
    }
    Cells { present, starts, first, rest: values }
}

/// Appends the value of each of `rows` rows to `out`, `absent` where the series was not there.
pub(super) fn expand(bytes: &[u8], rows: usize, full: u64, absent: f64, out: &mut Vec<f64>) {
    let mut input = Input(bytes);
    let form = input.byte();
    let present = if form & FULL != 0 { full } else { input.word(8) };
    let starts = if form & EVERY != 0 { present } else { input.word(8) };
    let mut values = Begun::new(input, form);
    let mut value = absent;
    out.extend((0..rows).map(|row| {
        if starts >> row & 1 == 1 {
            value = values.next();
        }
        if present >> row & 1 == 1 { value } else { absent }
    }));
}

/// The begun values, one after the other.
struct Begun<'a> {
    input: Input<'a>,
    form: u8,
    scale: f64,
    at: usize,
    bits: u64,
    value: i64,
    step: i64,
}

impl<'a> Begun<'a> {
    fn new(input: Input<'a>, form: u8) -> Self {
        let scale = 10f64.powi(i32::from(form & 0x0f));
        Self { input, form, scale, at: 0, bits: 0, value: 0, step: 0 }
    }

    fn next(&mut self) -> f64 {
        self.at += 1;
        if self.form & 0x0f == XOR {
            let sizes = self.input.byte();
            let (length, zeros) = (usize::from(sizes >> 4), u32::from(sizes & 0x0f));
            self.bits ^= self.input.word(length) << (8 * zeros);
            return f64::from_bits(self.bits);
        }
        let delta = self.input.signed();
        // The first value is whole and the second's step too; only then do steps have steps.
        self.step =
            if self.form & DOUBLE != 0 && self.at > 2 { self.step.wrapping_add(delta) } else { delta };
        self.value = self.value.wrapping_add(self.step);
        self.value as f64 / self.scale
    }
}

/// Whether the series was in the last row of a block of `rows` rows.
pub(super) fn in_last(bytes: &[u8], rows: usize) -> bool {
    let mut input = Input(bytes);
    input.byte() & FULL != 0 || input.word(8) >> (rows - 1) & 1 == 1
}

/// In how many rows of a block of `rows` rows the series was.
pub(super) fn count(bytes: &[u8], rows: usize) -> usize {
    let mut input = Input(bytes);
    if input.byte() & FULL != 0 { rows } else { input.word(8).count_ones() as usize }
}

/// The fewest decimal places with which every value is an exact integer, and those integers.
pub(super) fn decimals(values: &[f64]) -> Option<(u8, Vec<i64>)> {
    (0..=MAX_PLACES).find_map(|places| {
        let scale = 10f64.powi(i32::from(places));
        let exact = |&value: &f64| {
            let scaled = (value * scale).round();
            let same = scaled.abs() < EXACT && (scaled as i64 as f64 / scale).to_bits() == value.to_bits();
            same.then_some(scaled as i64)
        };
        values.iter().map(exact).collect::<Option<Vec<i64>>>().map(|integers| (places, integers))
    })
}

fn deltas(integers: &[i64], double: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut value, mut step) = (0i64, 0i64);
    for (at, &integer) in integers.iter().enumerate() {
        let delta = integer.wrapping_sub(value);
        let written = if double && at > 1 { delta.wrapping_sub(step) } else { delta };
        let mut rest = ((written << 1) ^ (written >> 63)) as u64;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
        (value, step) = (integer, delta);
    }
    out
}

fn xored(values: &[f64]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut before = 0u64;
    for value in values {
        let bits = value.to_bits() ^ before;
        before = value.to_bits();
        if bits == 0 {
            out.push(0);
            continue;
        }
        let zeros = bits.trailing_zeros() / 8;
        let length = 8 - bits.leading_zeros() / 8 - zeros;
        out.push((length as u8) << 4 | zeros as u8);
        out.extend_from_slice(&(bits >> (8 * zeros)).to_le_bytes()[..length as usize]);
    }
    out
}

/// Reads what [`pack`] wrote; past the end there are zeros, so that nothing here can panic.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&byte, rest)) => {
                self.0 = rest;
                byte
            }
            None => 0,
        }
    }

    fn word(&mut self, length: usize) -> u64 {
        (0..length.min(8)).fold(0, |word, at| word | u64::from(self.byte()) << (8 * at))
    }

    fn signed(&mut self) -> i64 {
        let mut word = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            word |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        (word >> 1) as i64 ^ -((word & 1) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::column::{BLOCK_ROWS, Sealed};
    use super::*;

    fn size(value: impl Fn(usize) -> f64) -> usize {
        let mut cells = Cells::default();
        (0..BLOCK_ROWS).for_each(|row| cells.push(row, value(row)));
        let sealed = Sealed::seal(&cells, BLOCK_ROWS);
        assert_eq!(sealed.unseal(BLOCK_ROWS), cells);
        sealed.heap_bytes()
    }

    #[test]
    fn ordinary_series_are_small() {
        assert_eq!(size(|_| 17.25), 0);
        assert_eq!(size(|row| 1e9 + 15.0 * row as f64), 1 + 5 + 63);
        assert!(size(|row| (row % 7) as f64) <= BLOCK_ROWS + 1);
        assert!(size(|row| (1000.0 + (row * 37 % 101) as f64) / 1000.0) <= 2 * BLOCK_ROWS + 2);
        assert!(size(|row| if row < 40 { 1.0 } else { 0.0 }) <= 11);
        assert!(size(|row| (row as f64).sqrt()) <= 9 * BLOCK_ROWS);
    }
}
