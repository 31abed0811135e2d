//! Numbers and texts in bytes, and the way back, which a damaged file cannot make panic.

use fleetglass_shared::labels::LabelSet;

/// Bytes that do not say what they should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("damaged: {0}")]
pub(in crate::store) struct Corrupt(pub(super) &'static str);

pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(super) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_varint(out, ((number << 1) ^ (number >> 63)) as u64);
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// A label set: how many, then name and value of each.
pub(super) fn put_labels(out: &mut Vec<u8>, labels: &LabelSet) {
    put_varint(out, labels.len() as u64);
    for (name, value) in labels {
        put_text(out, name);
        put_text(out, value);
    }
}

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Corrupt> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Corrupt> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Corrupt("it ends too soon"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn varint(&mut self) -> Result<u64, Corrupt> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Corrupt("a number has too many digits"))
    }

    pub(super) fn size(&mut self) -> Result<usize, Corrupt> {
        usize::try_from(self.varint()?).map_err(|_| Corrupt("a size is too large"))
    }

    pub(super) fn signed(&mut self) -> Result<i64, Corrupt> {
        let number = self.varint()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(super) fn float(&mut self) -> Result<f64, Corrupt> {
        let bytes = self.take(8)?;
        Ok(f64::from_le_bytes(bytes.try_into().map_err(|_| Corrupt("it ends too soon"))?))
    }

    pub(super) fn word(&mut self) -> Result<u32, Corrupt> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes(bytes.try_into().map_err(|_| Corrupt("it ends too soon"))?))
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Corrupt> {
        let length = self.size()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Corrupt("a text is no UTF-8"))
    }

    pub(super) fn labels(&mut self) -> Result<LabelSet, Corrupt> {
        let count = self.size()?;
        let mut pairs = Vec::new();
        for _ in 0..count {
            pairs.push((self.text()?, self.text()?));
        }
        Ok(LabelSet::from_pairs(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(numbers: Vec<(u64, i64)>, texts: Vec<String>) {
            let mut out = Vec::new();
            for (plain, signed) in &numbers {
                put_varint(&mut out, *plain);
                put_signed(&mut out, *signed);
            }
            texts.iter().for_each(|text| put_text(&mut out, text));
            let mut input = Input(&out);
            for (plain, signed) in numbers {
                proptest::prop_assert_eq!(input.varint(), Ok(plain));
                proptest::prop_assert_eq!(input.signed(), Ok(signed));
            }
            for text in &texts {
                proptest::prop_assert_eq!(input.text(), Ok(text.as_str()));
            }
            proptest::prop_assert!(input.is_empty());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let mut input = Input(&bytes);
            while !input.is_empty() && input.labels().is_ok() && input.signed().is_ok() {}
        }
    }
}
