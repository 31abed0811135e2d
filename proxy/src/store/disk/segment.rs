//! A segment: rows of one target, all its columns, as one run of bytes whose every part has a checksum.
//!
//! ```text
//! byte     the version, 1
//! word     the length of the header
//! word     its CRC-32
//! header   rows · the times (length, pco) · columns · for each: series (step from the one before),
//!          2·length+1 and the bytes where they are few, else 2·length and the CRC-32 of the bytes behind
//! bytes    the columns that are not in the header
//! ```
//! So one short read tells which series are there, and a series costs one more.

use super::bytes::{Corrupt, Input, put_varint};
use super::codec;

const VERSION: u8 = 1;
/// Version, length and checksum of the header.
const PREFIX: usize = 9;
/// Columns of up to this many bytes are in the header.
const INLINE: usize = 16;

/// Makes a segment. `columns`: the series, in order, each with a value for every time, a stale marker where
/// it was not there.
pub(super) fn write<V: AsRef<[f64]>>(times: &[i64], columns: &[(u32, V)]) -> Vec<u8> {
    let mut header = Vec::new();
    put_varint(&mut header, times.len() as u64);
    let mut packed = Vec::new();
    codec::compress(times, &mut packed);
    put_varint(&mut header, packed.len() as u64);
    header.extend_from_slice(&packed);
    put_varint(&mut header, columns.len() as u64);
    let mut bodies = Vec::new();
    let mut before = 0;
    let mut bytes = Vec::new();
    for (series, values) in columns {
        put_varint(&mut header, u64::from(series - before));
        before = *series;
        bytes.clear();
        codec::encode(values.as_ref(), &mut bytes);
        if bytes.len() <= INLINE {
            put_varint(&mut header, bytes.len() as u64 * 2 + 1);
            header.extend_from_slice(&bytes);
        } else {
            put_varint(&mut header, bytes.len() as u64 * 2);
            header.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
            bodies.extend_from_slice(&bytes);
        }
    }
    let mut out = Vec::with_capacity(PREFIX + header.len() + bodies.len());
    out.push(VERSION);
    out.extend_from_slice(&(header.len() as u32).to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&header).to_le_bytes());
    out.append(&mut header);
    out.append(&mut bodies);
    out
}

/// Where a segment's bytes are.
pub(super) trait Source {
    /// Fills `into` from the place `at` on.
    fn read(&self, at: usize, into: &mut [u8]) -> Result<(), Corrupt>;
    /// How many there are.
    fn length(&self) -> usize;
}

impl Source for &[u8] {
    fn read(&self, at: usize, into: &mut [u8]) -> Result<(), Corrupt> {
        let bytes = self.get(at..).and_then(|rest| rest.get(..into.len()));
        into.copy_from_slice(bytes.ok_or(Corrupt("a segment ends too soon"))?);
        Ok(())
    }

    fn length(&self) -> usize {
        self.len()
    }
}

/// A segment whose header was read.
#[derive(Debug)]
pub(super) struct Segment<S> {
    source: S,
    /// The time of each row.
    pub(super) times: Vec<i64>,
    /// By series, in order.
    columns: Vec<(u32, Place)>,
}

#[derive(Debug)]
enum Place {
    /// In the header.
    Here(Vec<u8>),
    /// Behind it: where, how long, and what its checksum is.
    Behind(usize, usize, u32),
}

impl<S: Source> Segment<S> {
    /// Reads the header.
    pub(super) fn open(source: S) -> Result<Self, Corrupt> {
        let mut prefix = [0; PREFIX];
        source.read(0, &mut prefix)?;
        let mut input = Input(&prefix);
        if input.byte()? != VERSION {
            return Err(Corrupt("a segment is of a version that this one does not know"));
        }
        let (length, sum) = (input.word()? as usize, input.word()?);
        if length > source.length() {
            return Err(Corrupt("the header of a segment is longer than the segment"));
        }
        let mut header = vec![0; length];
        source.read(PREFIX, &mut header)?;
        if crc32fast::hash(&header) != sum {
            return Err(Corrupt("the header of a segment has another checksum"));
        }
        let mut input = Input(&header);
        let rows = input.size()?;
        let packed = input.size()?;
        let times = codec::decompress(input.take(packed)?, rows)?;
        let count = input.size()?;
        let mut columns = Vec::new();
        let (mut series, mut at) = (0u32, PREFIX + length);
        for _ in 0..count {
            let step = u32::try_from(input.varint()?).map_err(|_| Corrupt("a series is out of bounds"))?;
            series = series.checked_add(step).ok_or(Corrupt("a series is out of bounds"))?;
            let length = input.size()?;
            let place = if length & 1 == 1 {
                Place::Here(input.take(length / 2)?.to_vec())
            } else {
                let place = Place::Behind(at, length / 2, input.word()?);
                at += length / 2;
                place
            };
            columns.push((series, place));
        }
        Ok(Self { source, times, columns })
    }

    /// The series that are in it, in order.
    pub(super) fn series(&self) -> impl Iterator<Item = u32> {
        self.columns.iter().map(|(series, _)| *series)
    }

    /// Appends the values of a series to `out`, one a row; false when it is not in the segment at all.
    pub(super) fn read(&self, series: u32, out: &mut Vec<f64>) -> Result<bool, Corrupt> {
        let Ok(found) = self.columns.binary_search_by_key(&series, |(series, _)| *series) else {
            return Ok(false);
        };
        match &self.columns[found].1 {
            Place::Here(bytes) => codec::decode(bytes, self.times.len(), out)?,
            &Place::Behind(at, length, sum) => {
                let within = at.checked_add(length).is_some_and(|end| end <= self.source.length());
                if !within {
                    return Err(Corrupt("a column ends behind its segment"));
                }
                let mut bytes = vec![0; length];
                self.source.read(at, &mut bytes)?;
                if crc32fast::hash(&bytes) != sum {
                    return Err(Corrupt("a column has another checksum"));
                }
                codec::decode(&bytes, self.times.len(), out)?;
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleetglass_shared::sample::stale_marker;

    fn sample() -> (Vec<i64>, Vec<(u32, Vec<f64>)>) {
        let times: Vec<i64> = (0..256).map(|row| 1_700_000_000_000 + row * 15_000 + row % 7).collect();
        let column = |value: &dyn Fn(usize) -> f64| (0..256).map(value).collect::<Vec<f64>>();
        let columns = vec![
            (0, column(&|_| 1.0)),
            (3, column(&|row| 1e6 + row as f64 * 3.0 + (row % 5) as f64)),
            (4, column(&|row| if row < 90 { stale_marker() } else { (row as f64).sqrt() })),
            (900, column(&|_| stale_marker())),
        ];
        (times, columns)
    }

    #[test]
    fn a_segment_gives_back_what_was_written() {
        let (times, columns) = sample();
        let bytes = write(&times, &columns);
        let segment = Segment::open(&bytes[..]).unwrap();
        assert_eq!(segment.times, times);
        assert_eq!(segment.series().collect::<Vec<_>>(), [0, 3, 4, 900]);
        for (series, values) in &columns {
            let mut back = Vec::new();
            assert!(segment.read(*series, &mut back).unwrap());
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&back), bits(values));
        }
        assert_eq!(segment.read(7, &mut Vec::new()), Ok(false));
    }

    #[test]
    fn a_segment_with_any_byte_changed_is_refused_or_gives_what_was_written() {
        let (times, columns) = sample();
        let bytes = write(&times, &columns);
        let mut refused = 0;
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x5a;
            let Ok(segment) = Segment::open(&bad[..]) else {
                refused += 1;
                continue;
            };
            assert_eq!(segment.times, times);
            for (series, values) in &columns {
                let mut back = Vec::new();
                match segment.read(*series, &mut back) {
                    Ok(_) => assert!(back.iter().zip(values).all(|(a, b)| a.to_bits() == b.to_bits())),
                    Err(_) => refused += 1,
                }
            }
        }
        assert_eq!(refused, bytes.len(), "no byte is without a checksum");
        for length in 0..bytes.len() {
            let cut = &bytes[..length];
            let broken = Segment::open(cut).and_then(|segment| segment.read(4, &mut Vec::new()));
            assert!(broken.is_err(), "cut to {length}");
        }
    }
}
