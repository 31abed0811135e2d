//! The messages of Prometheus remote write 1.0, and a request's body from and to its bytes.
//!
//! Source: <https://prometheus.io/docs/specs/prw/remote_write_spec/> and `prompb/{remote,types}.proto`.

use prost::Message;

/// The body of a request.
#[derive(Clone, PartialEq, Message)]
pub struct WriteRequest {
    /// Series with their new samples.
    #[prost(message, repeated, tag = "1")]
    pub timeseries: Vec<TimeSeries>,
    /// What is known of metrics; comes in requests of its own.
    #[prost(message, repeated, tag = "3")]
    pub metadata: Vec<MetricMetadata>,
}

/// A series and some samples of it.
#[derive(Clone, PartialEq, Message)]
pub struct TimeSeries {
    /// Sorted by name.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    /// In order of time.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
    /// Native histograms: counted, not read.
    #[prost(message, repeated, tag = "4")]
    pub histograms: Vec<Unread>,
}

/// A label.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Label {
    /// Its name; the metric's name is `__name__`.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its value, not empty.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A sample.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Sample {
    /// The value; a stale marker is Prometheus's NaN.
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Unix milliseconds.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// What is known of a metric.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MetricMetadata {
    /// 1 counter, 2 gauge, 3 histogram, 4 gaugehistogram, 5 summary, 6 info, 7 stateset, 0 unknown.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    /// The metric family.
    #[prost(string, tag = "2")]
    pub metric_family_name: String,
    /// The HELP text.
    #[prost(string, tag = "4")]
    pub help: String,
    /// The unit.
    #[prost(string, tag = "5")]
    pub unit: String,
}

/// A message whose content is passed over.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Unread {}

/// The largest single series of a request: an honest one is a thousandth of it, and an empty label of two
/// bytes becomes one of fifty in memory.
const MAX_SERIES_BYTES: usize = 4 << 20;

/// Why a body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is not what snappy writes.
    #[error(
        "the body is not snappy's block format ({0}); compress it as remote write 1.0 says, not as a framed stream"
    )]
    NotSnappy(String),
    /// It would be too large.
    #[error(
        "the body is {size} bytes when decompressed and {limit} are taken; send fewer samples at once, or raise \
         [remote_write_in] body_limit"
    )]
    TooLarge {
        /// What it says it comes to.
        size: usize,
        /// What is taken.
        limit: usize,
    },
    /// It is no such message.
    #[error("the body is not a protobuf prometheus.WriteRequest: {0}")]
    NotProtobuf(String),
}

/// A body, decompressed: at most `limit` bytes, which is checked before anything is decompressed.
///
/// # Errors
/// It is too large or not compressed with snappy.
pub fn decompressed(body: &[u8], limit: usize) -> Result<Vec<u8>, BodyError> {
    let not_snappy = |error: snap::Error| BodyError::NotSnappy(error.to_string());
    let size = snap::raw::decompress_len(body).map_err(not_snappy)?;
    if size > limit {
        return Err(BodyError::TooLarge { size, limit });
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(not_snappy)
}

/// A message as a body.
pub fn compressed(request: &WriteRequest) -> Vec<u8> {
    let message = request.encode_to_vec();
    // It fails for 4 GiB and more only, which no limit of ours lets a request come to.
    snap::raw::Encoder::new().compress_vec(&message).unwrap_or_default()
}

/// A part of a request, as [`parts`] gives them.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A series.
    Series(TimeSeries),
    /// What is known of a metric.
    Metadata(MetricMetadata),
}

/// The parts of a decompressed message, one after the other: a whole [`WriteRequest`] would hold all of a
/// hostile body's tiny messages at once, at many times their size.
pub fn parts(message: &[u8]) -> impl Iterator<Item = Result<Part, BodyError>> {
    let mut rest = message;
    let mut broken = false;
    std::iter::from_fn(move || {
        while !rest.is_empty() && !broken {
            match next_part(&mut rest) {
                Ok(None) => {}
                Ok(Some(part)) => return Some(Ok(part)),
                Err(problem) => {
                    broken = true;
                    return Some(Err(BodyError::NotProtobuf(problem)));
                }
            }
        }
        None
    })
}

/// Takes one field off the message; `None` for one that is not known.
fn next_part(rest: &mut &[u8]) -> Result<Option<Part>, String> {
    let key = varint(rest)?;
    let (tag, wire) = (key >> 3, key & 7);
    let skip = match wire {
        0 => {
            varint(rest)?;
            return Ok(None);
        }
        1 => 8,
        2 => usize::try_from(varint(rest)?).unwrap_or(usize::MAX),
        5 => 4,
        other => return Err(format!("field {tag} has the wire type {other}")),
    };
    let Some((field, after)) = rest.split_at_checked(skip) else {
        return Err(format!("field {tag} is {skip} bytes, and {} are left", rest.len()));
    };
    *rest = after;
    let words = |error: prost::DecodeError| error.to_string();
    match (tag, wire) {
        (1, 2) if field.len() > MAX_SERIES_BYTES => {
            Err(format!("one series is {} bytes; at most {MAX_SERIES_BYTES} are taken", field.len()))
        }
        (1, 2) => TimeSeries::decode(field).map(|series| Some(Part::Series(series))).map_err(words),
        (3, 2) => MetricMetadata::decode(field).map(|known| Some(Part::Metadata(known))).map_err(words),
        _ => Ok(None),
    }
}

fn varint(rest: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let Some((&byte, after)) = rest.split_first() else { return Err("it ends in a number".to_owned()) };
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("a number is longer than 64 bits".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use fleetglass_shared::sample::{is_stale, stale_marker};
    use proptest::prelude::*;

    use super::*;

    fn label(name: &str, value: &str) -> Label {
        Label { name: name.to_owned(), value: value.to_owned() }
    }

    fn example() -> WriteRequest {
        let series = TimeSeries {
            labels: vec![label("__name__", "up"), label("job", "é")],
            samples: vec![
                Sample { value: 1.5, timestamp: -7 },
                Sample { value: stale_marker(), timestamp: 1_700_000_000_000 },
            ],
            histograms: Vec::new(),
        };
        let known = MetricMetadata {
            kind: 2,
            metric_family_name: "up".to_owned(),
            help: "Whether.".to_owned(),
            unit: String::new(),
        };
        WriteRequest { timeseries: vec![series], metadata: vec![known] }
    }

    #[test]
    fn a_request_comes_back_as_it_was_and_a_stale_marker_keeps_its_bits() {
        let body = compressed(&example());
        let message = decompressed(&body, 1 << 20).unwrap();
        let parts: Vec<Part> = parts(&message).map(Result::unwrap).collect();
        let [Part::Series(series), Part::Metadata(known)] = parts.as_slice() else { panic!("{parts:?}") };
        assert_eq!((&series.labels, known), (&example().timeseries[0].labels, &example().metadata[0]));
        assert_eq!((series.samples[0].timestamp, series.samples[0].value), (-7, 1.5));
        assert!(is_stale(series.samples[1].value));
    }

    /// The bytes that Go's `prompb` writes, by hand: wire types and tags are a format, not a detail.
    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let request = WriteRequest {
            timeseries: vec![TimeSeries {
                labels: vec![label("a", "b")],
                samples: vec![Sample { value: 1.0, timestamp: 2 }],
                histograms: Vec::new(),
            }],
            metadata: Vec::new(),
        };
        let expected: &[u8] = &[
            0x0a, 0x15, 0x0a, 0x06, 0x0a, 1, b'a', 0x12, 1, b'b', 0x12, 0x0b, 0x09, 0, 0, 0, 0, 0, 0, 0xf0,
            0x3f, 0x10, 2,
        ];
        assert_eq!(request.encode_to_vec(), expected);
    }

    #[test]
    fn what_is_not_known_is_passed_over_and_histograms_are_counted() {
        // Field 2 (once a message of Cortex's), a fixed64, a series with an exemplar and a histogram.
        let message =
            [&[0x12, 1, 0, 0x21, 1, 2, 3, 4, 5, 6, 7, 8][..], &[0x0a, 6, 0x1a, 1, 0, 0x22, 1, 0x08]];
        let message = message.concat();
        assert!(parts(&message).next().unwrap().is_err(), "a histogram that ends in a number");
        let message = [0x0a, 8, 0x1a, 2, 0x08, 1, 0x22, 2, 0x08, 5];
        let Part::Series(series) = parts(&message).next().unwrap().unwrap() else { panic!() };
        assert_eq!(series.histograms.len(), 1);
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_decompressed() {
        let bomb = snap::raw::Encoder::new().compress_vec(&vec![0; 3 << 20]).unwrap();
        assert!(bomb.len() < 1 << 18);
        let error = decompressed(&bomb, 1 << 20).unwrap_err();
        assert_eq!(error, BodyError::TooLarge { size: 3 << 20, limit: 1 << 20 });
        assert!(error.to_string().contains("body_limit"));
        assert!(matches!(decompressed(b"\xff\xff\xff\xff\xff\xff", 1 << 20), Err(BodyError::NotSnappy(_))));
        assert!(matches!(decompressed(b"", 1 << 20), Err(BodyError::NotSnappy(_)) | Ok(_)));
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_error_or_in_parts(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decompressed(&bytes, 1 << 16);
            let read: Vec<_> = parts(&bytes).collect();
            prop_assert!(read.iter().rev().skip(1).all(Result::is_ok));
        }
    }
}
