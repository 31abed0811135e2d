//! The values of one series: the head's rows, and the same rows sealed.
//!
//! A block has at most 64 rows, so that one `u64` says in which of them the series was there, and another
//! in which of them its value changed. A value that does not change is kept once.

use std::ops::Range;

use super::packed;

/// The most rows a block has.
pub(super) const BLOCK_ROWS: usize = u64::BITS as usize;

/// The rows of one series in one block, ready to grow.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cells {
    /// Bit `r`: the series was there in row `r`.
    pub(super) present: u64,
    /// Bit `r`: row `r` began a new value. Always among `present`.
    pub(super) starts: u64,
    /// The values that began, in order; the first lives outside the heap, since most have only one.
    pub(super) first: f64,
    pub(super) rest: Vec<f64>,
}

impl Cells {
    /// Sets the value of a row later than all before it.
    pub(super) fn push(&mut self, row: usize, value: f64) {
        let bit = 1u64 << row;
        self.present |= bit;
        if self.starts == 0 {
            self.first = value;
        } else if self.last_begun().to_bits() == value.to_bits() {
            return;
        } else {
            self.rest.push(value);
        }
        self.starts |= bit;
    }

    fn last_begun(&self) -> f64 {
        self.rest.last().copied().unwrap_or(self.first)
    }

    /// The value of a row, if the series was there.
    pub(super) fn get(&self, row: usize) -> Option<f64> {
        let upto = u64::MAX >> (BLOCK_ROWS - 1 - row);
        if self.present >> row & 1 == 0 {
            return None;
        }
        match (self.starts & upto).count_ones() as usize {
            0 | 1 => Some(self.first),
            begun => self.rest.get(begun - 2).copied(),
        }
    }

    /// Appends the value of each of `rows` rows to `out`, `absent` where the series was not there.
    pub(super) fn expand(&self, rows: usize, absent: f64, out: &mut Vec<f64>) {
        let mut begun = self.begun();
        let mut value = absent;
        out.extend((0..rows).map(|row| {
            if self.starts >> row & 1 == 1 {
                value = begun.next().unwrap_or(absent);
            }
            if self.present >> row & 1 == 1 { value } else { absent }
        }));
    }

    /// As [`Self::expand`], of some of the rows.
    pub(super) fn expand_range(&self, rows: Range<usize>, absent: f64, out: &mut Vec<f64>) {
        if rows.start == 0 {
            self.expand(rows.end, absent, out);
        } else {
            out.extend(rows.map(|row| self.get(row).unwrap_or(absent)));
        }
    }

    /// Forgets the rows from `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        let keep = if rows >= BLOCK_ROWS { u64::MAX } else { (1u64 << rows) - 1 };
        self.present &= keep;
        self.starts &= keep;
        self.rest.truncate((self.starts.count_ones() as usize).saturating_sub(1));
    }

    /// The begun values, in order.
    pub(super) fn begun(&self) -> impl Iterator<Item = f64> {
        let first = (self.starts != 0).then_some(self.first);
        first.into_iter().chain(self.rest.iter().copied())
    }
}

/// The rows of one series in a block that no longer grows.
#[derive(Clone, Debug)]
pub(super) enum Sealed {
    /// It was in no row.
    Absent,
    /// It was in every row, with one value.
    Constant(f64),
    /// Anything else; see [`packed`].
    Packed(Box<[u8]>),
}

impl Sealed {
    /// Packs the cells of a block of `rows` rows.
    pub(super) fn seal(cells: &Cells, rows: usize) -> Self {
        let full = u64::MAX >> (BLOCK_ROWS - rows.clamp(1, BLOCK_ROWS));
        if cells.present == 0 {
            Self::Absent
        } else if cells.present == full && cells.rest.is_empty() {
            Self::Constant(cells.first)
        } else {
            Self::Packed(packed::pack(cells, full))
        }
    }

    /// The cells again, of a block of `rows` rows.
    pub(super) fn unseal(&self, rows: usize) -> Cells {
        let full = u64::MAX >> (BLOCK_ROWS - rows.clamp(1, BLOCK_ROWS));
        match self {
            Self::Absent => Cells::default(),
            Self::Constant(value) => Cells { present: full, starts: 1, first: *value, rest: Vec::new() },
            Self::Packed(bytes) => packed::unpack(bytes, full),
        }
    }

    /// Appends the value of each of `rows` rows to `out`, `absent` where the series was not there.
    pub(super) fn expand(&self, rows: usize, absent: f64, out: &mut Vec<f64>) {
        match self {
            Self::Absent => out.extend(std::iter::repeat_n(absent, rows)),
            Self::Constant(value) => out.extend(std::iter::repeat_n(*value, rows)),
            Self::Packed(bytes) => {
                let full = u64::MAX >> (BLOCK_ROWS - rows.clamp(1, BLOCK_ROWS));
                packed::expand(bytes, rows, full, absent, out);
            }
        }
    }

    /// Whether the series was in the last row of a block of `rows` rows.
    pub(super) fn in_last(&self, rows: usize) -> bool {
        match self {
            Self::Absent => false,
            Self::Constant(_) => true,
            Self::Packed(bytes) => packed::in_last(bytes, rows),
        }
    }

    /// In how many rows of a block of `rows` rows the series was.
    pub(super) fn count(&self, rows: usize) -> usize {
        match self {
            Self::Absent => 0,
            Self::Constant(_) => rows,
            Self::Packed(bytes) => packed::count(bytes, rows),
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Absent | Self::Constant(_) => 0,
            Self::Packed(bytes) => bytes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn sealed_cells_are_the_same_cells(
            rows in proptest::collection::vec(proptest::option::of(proptest::prop_oneof![
                proptest::prelude::Just(1.0f64),
                (0i32..5).prop_map(f64::from),
                (0u32..100_000).prop_map(|n| f64::from(n) / 1000.0),
                proptest::num::f64::ANY,
            ]), 1..=BLOCK_ROWS)
        ) {
            let mut cells = Cells::default();
            for (row, value) in rows.iter().enumerate() {
                if let Some(value) = value {
                    cells.push(row, *value);
                }
            }
            let back = Sealed::seal(&cells, rows.len()).unseal(rows.len());
            for (row, value) in rows.iter().enumerate() {
                proptest::prop_assert_eq!(cells.get(row).map(f64::to_bits), value.map(f64::to_bits));
                proptest::prop_assert_eq!(back.get(row).map(f64::to_bits), value.map(f64::to_bits));
            }
            let absent = f64::from_bits(0x7ff0_0000_0000_0002);
            let expected: Vec<u64> = rows.iter().map(|v| v.unwrap_or(absent).to_bits()).collect();
            let mut dense = Vec::new();
            Sealed::seal(&cells, rows.len()).expand(rows.len(), absent, &mut dense);
            cells.expand(rows.len(), absent, &mut dense);
            let dense: Vec<u64> = dense.iter().map(|v| v.to_bits()).collect();
            proptest::prop_assert_eq!(&dense[..rows.len()], &expected[..]);
            proptest::prop_assert_eq!(&dense[rows.len()..], &expected[..]);
            let mut shorter = cells.clone();
            let keep = rows.len() / 2;
            shorter.truncate(keep);
            for (row, value) in rows.iter().enumerate() {
                let value = value.filter(|_| row < keep);
                proptest::prop_assert_eq!(shorter.get(row).map(f64::to_bits), value.map(f64::to_bits));
            }
        }
    }

    use proptest::strategy::Strategy;
}
