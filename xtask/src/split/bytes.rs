//! Reading and writing the numbers and lists of a WebAssembly file (core specification, section 5).

use crate::problem::{Problem, Result};

/// A place in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How far it has come.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| cut(self.at))?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| cut(self.at))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// An unsigned number.
    pub(super) fn number(&mut self) -> Result<u32> {
        u32::try_from(self.signed_or_not()?.0)
            .map_err(|_| Problem::new("a number of the wasm file is too large"))
    }

    /// A number of which only the end matters: signed ones, and those of 64 bits.
    pub(super) fn skip_number(&mut self) -> Result<()> {
        self.signed_or_not().map(drop)
    }

    /// A signed number of 32 bits.
    pub(super) fn signed(&mut self) -> Result<i64> {
        let (bits, length) = self.signed_or_not()?;
        let unused = 64_u32.saturating_sub(7 * length);
        Ok(((bits << unused) as i64) >> unused)
    }

    fn signed_or_not(&mut self) -> Result<(u64, u32)> {
        let mut bits = 0;
        for turn in 0..10 {
            let byte = self.byte()?;
            bits |= u64::from(byte & 0x7f).checked_shl(7 * turn).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok((bits, turn + 1));
            }
        }
        Err(Problem::new(format!("a number of the wasm file has no end at byte {}", self.at)))
    }

    /// A list's or name's bytes, by the length before them.
    pub(super) fn counted(&mut self) -> Result<&'a [u8]> {
        let length = self.number()? as usize;
        self.take(length)
    }

    pub(super) fn name(&mut self) -> Result<String> {
        Ok(String::from_utf8_lossy(self.counted()?).into_owned())
    }
}

fn cut(at: usize) -> Problem {
    Problem::new(format!("the wasm file is cut off at byte {at}"))
}

/// Appends an unsigned number.
pub(super) fn put(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a signed number.
pub(super) fn put_signed(out: &mut Vec<u8>, mut number: i64) {
    loop {
        let byte = (number & 0x7f) as u8;
        number >>= 7;
        if (number == 0 && byte & 0x40 == 0) || (number == -1 && byte & 0x40 != 0) {
            return out.push(byte);
        }
        out.push(byte | 0x80);
    }
}

/// Appends bytes with their length before them.
pub(super) fn put_counted(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u32);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, 127, 128, 300, u32::MAX] {
            let mut out = Vec::new();
            put(&mut out, number);
            assert_eq!(Cursor::new(&out).number().unwrap(), number);
        }
        for number in [0, 1, 63, 64, -1, -64, -65, i64::from(i32::MIN)] {
            let mut out = Vec::new();
            put_signed(&mut out, number);
            assert_eq!(Cursor::new(&out).signed().unwrap(), number);
        }
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        assert!(Cursor::new(&[0x80, 0x80]).number().is_err());
        assert!(Cursor::new(&[5, 1]).counted().is_err());
    }
}
