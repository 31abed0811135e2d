//! One record of a queue's segment: what it looks like on the disk.
//!
//! ```text
//! record  = length of the content (u32 LE), CRC-32 of the rest (u32 LE), kind (u8), samples (u32 LE), content
//! content = snappy block of:
//!   n, then n times: pairs, then for each name and value length and bytes    series new in this segment
//!   m, then m series numbers, then m times in ms, each as its difference     samples
//!   to the one before, zigzag; then m values, 8 bytes each
//! ```
//! Numbers are LEB128 varints. A series' number is its place among the new series of its segment. The kind
//! is 1; a record of kind 2 has no content and ends a batch.

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;

/// What every segment begins with; the last byte is the version.
pub(super) const MAGIC: &[u8; 8] = b"FGQUEUE\x01";
/// Bytes before a record's content.
pub(super) const HEAD: usize = 13;
/// Larger content was never written.
const MAX_CONTENT: usize = 64 << 20;

const SAMPLES: u8 = 1;
const MARK: u8 = 2;

/// A record's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) content: usize,
    crc: u32,
    kind: u8,
    /// Samples in it.
    pub(super) samples: u32,
}

impl Head {
    /// Reads a head; `None` for what cannot be one.
    pub(super) fn read(bytes: &[u8; HEAD]) -> Option<Self> {
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let head = Self { content: number(0) as usize, crc: number(4), kind: bytes[8], samples: number(9) };
        (head.content <= MAX_CONTENT && matches!(head.kind, SAMPLES | MARK)).then_some(head)
    }

    /// Whether it ends a batch.
    pub(super) fn is_mark(self) -> bool {
        self.kind == MARK
    }

    /// Whether the content is the one it was made for.
    pub(super) fn fits(self, content: &[u8]) -> bool {
        self.content == content.len() && self.crc == crc_of(self.kind, self.samples, content)
    }
}

fn crc_of(kind: u8, samples: u32, content: &[u8]) -> u32 {
    let mut crc = Crc::default();
    crc.add(&[kind]);
    crc.add(&samples.to_le_bytes());
    crc.add(content);
    crc.value()
}

fn record(kind: u8, samples: u32, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + content.len());
    out.extend((content.len() as u32).to_le_bytes());
    out.extend(crc_of(kind, samples, content).to_le_bytes());
    out.push(kind);
    out.extend(samples.to_le_bytes());
    out.extend(content);
    out
}

/// The record that ends a batch.
pub(super) fn mark() -> Vec<u8> {
    record(MARK, 0, &[])
}

/// A sample of a numbered series.
pub(super) type Numbered = (u32, UnixMillis, f64);

/// A record of samples, and of the series that are new with them.
pub(super) fn encode(new: &[LabelSet], samples: &[Numbered]) -> Vec<u8> {
    let mut out = Vec::new();
    push(&mut out, new.len() as u64);
    for labels in new {
        push(&mut out, labels.len() as u64);
        for part in labels.iter().flat_map(|(name, value)| [name, value]) {
            push(&mut out, part.len() as u64);
            out.extend(part.as_bytes());
        }
    }
    push(&mut out, samples.len() as u64);
    push_differences(&mut out, samples.iter().map(|sample| i64::from(sample.0)));
    push_differences(&mut out, samples.iter().map(|sample| sample.1));
    samples.iter().for_each(|sample| out.extend(sample.2.to_le_bytes()));
    // It fails for 4 GiB and more only.
    let content = snap::raw::Encoder::new().compress_vec(&out).unwrap_or_default();
    record(SAMPLES, samples.len() as u32, &content)
}

/// The new series and the samples of a record's content; `None` where it is none.
pub(super) fn decode(content: &[u8]) -> Option<(Vec<LabelSet>, Vec<Numbered>)> {
    if snap::raw::decompress_len(content).ok()? > 4 * MAX_CONTENT {
        return None;
    }
    let content = snap::raw::Decoder::new().decompress_vec(content).ok()?;
    let mut rest = content.as_slice();
    let count = |rest: &mut &[u8]| usize::try_from(pop(rest)?).ok().filter(|&n| n <= rest.len());
    let mut new = Vec::new();
    for _ in 0..count(&mut rest)? {
        let mut pairs = Vec::new();
        for _ in 0..count(&mut rest)? {
            let mut part = || {
                let length = count(&mut rest)?;
                let (part, after) = rest.split_at_checked(length)?;
                rest = after;
                std::str::from_utf8(part).ok()
            };
            pairs.push((part()?, part()?));
        }
        new.push(LabelSet::from_pairs(pairs));
    }
    let many = count(&mut rest)?;
    let numbers = pop_differences(&mut rest, many)?;
    let times = pop_differences(&mut rest, many)?;
    let (values, []) = rest.as_chunks::<8>() else { return None };
    if values.len() != many {
        return None;
    }
    let values = values.iter().map(|bytes| f64::from_le_bytes(*bytes));
    let samples = numbers.into_iter().zip(times).zip(values);
    let numbered = |((number, time), value)| Some((u32::try_from(number).ok()?, time, value));
    Some((new, samples.map(numbered).collect::<Option<_>>()?))
}

fn push(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn pop(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn push_differences(out: &mut Vec<u8>, numbers: impl Iterator<Item = i64>) {
    let mut before = 0i64;
    for number in numbers {
        let difference = number.wrapping_sub(before);
        push(out, ((difference << 1) ^ (difference >> 63)) as u64);
        before = number;
    }
}

fn pop_differences(rest: &mut &[u8], many: usize) -> Option<Vec<i64>> {
    let mut before = 0i64;
    let next = |_| {
        let zigzag = pop(rest)?;
        before = before.wrapping_add((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64));
        Some(before)
    };
    (0..many).map(next).collect()
}

/// CRC-32 as in gzip.
struct Crc(u32);

impl Default for Crc {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

impl Crc {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 >> 8 ^ CRC_TABLE[((self.0 ^ u32::from(*byte)) & 0xff) as usize];
        }
    }

    fn value(&self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn parsed(record: &[u8]) -> Option<(Head, &[u8])> {
        let (head, content) = record.split_first_chunk::<HEAD>()?;
        Head::read(head).map(|head| (head, content))
    }

    #[test]
    fn the_crc_is_the_usual_one() {
        let mut crc = Crc::default();
        crc.add(b"123456789");
        assert_eq!(crc.value(), 0xcbf4_3926);
    }

    #[test]
    fn a_mark_is_known() {
        let mark = mark();
        let (head, content) = parsed(&mark).unwrap();
        assert!(head.is_mark() && head.fits(content) && content.is_empty());
    }

    #[test]
    fn a_row_of_integers_costs_little() {
        let samples: Vec<Numbered> =
            (0..1000).map(|n| (n, 1_700_000_000_000, f64::from(n % 7) * 100.0)).collect();
        let size = encode(&[], &samples).len();
        assert!(size < 1000 * 9, "{size} bytes for 1000 samples");
    }

    proptest! {
        #[test]
        fn records_come_back_as_they_were(
            names in prop::collection::vec("\\PC{1,8}", 0..5),
            samples in prop::collection::vec((any::<u32>(), any::<i64>(), any::<u64>()), 0..50),
            flip in any::<prop::sample::Index>(),
        ) {
            let new: Vec<LabelSet> =
                names.iter().map(|name| LabelSet::from_pairs([(name.as_str(), "v"), ("x", name.as_str())])).collect();
            let samples: Vec<Numbered> =
                samples.into_iter().map(|(n, t, bits)| (n, t, f64::from_bits(bits))).collect();
            let mut record = encode(&new, &samples);
            let (head, content) = parsed(&record).unwrap();
            prop_assert!(head.fits(content) && head.samples as usize == samples.len());
            let (new_back, back) = decode(content).unwrap();
            prop_assert_eq!(new_back, new);
            let bits = |samples: &[Numbered]| {
                samples.iter().map(|s| (s.0, s.1, s.2.to_bits())).collect::<Vec<_>>()
            };
            prop_assert_eq!(bits(&back), bits(&samples));
            // No byte can change without being noticed.
            let at = flip.index(record.len());
            record[at] ^= 0x10;
            prop_assert!(parsed(&record).is_none_or(|(head, content)| !head.fits(content)));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
            let _ = decode(&snap::raw::Encoder::new().compress_vec(&bytes).unwrap());
        }
    }
}
