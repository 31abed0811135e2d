//! Whatever the bytes, the parser ends, without a panic; and what is written is read back.

use fleetglass_shared::exposition::write::Writer;
use fleetglass_shared::exposition::{Entry, Format, MetricKind, Mode, parse};
use proptest::prelude::*;

fn formats() -> impl Strategy<Value = Format> {
    prop_oneof![Just(Format::PrometheusText), Just(Format::OpenMetrics)]
}

/// Bytes that look like an exposition more often than chance has it.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "a", "a_bucket", "a_total", "a_sum", " ", "\t", "\n", "\r\n", "{", "}", ",", "=", "\"", "\\", "# ",
            "# TYPE a histogram\n", "# HELP a ", "# UNIT a_s s\n", "# EOF", "le=\"1\"", "le=\"+Inf\"", "1", "-1.5",
            "NaN", "+Inf", " # {", "é", "\0", "{\"é\"}", "a{b=\"c\"} 1\n",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Reads to the end; each entry costs at least a byte, so the number of them is bounded by the body.
fn exhaust(body: &[u8], format: Format, mode: Mode, hint: Option<&[u8]>) -> bool {
    let mut parser = parse(body, format, mode);
    let mut entries = 0;
    let mut sound = true;
    while let Some(entry) = parser.next_entry_with(hint) {
        entries += 1;
        assert!(entries <= body.len() + 2, "the parser does not move");
        match entry {
            Ok(Entry::Sample(sample)) => {
                let _ = sample.name_and_labels();
                let _ = sample.exemplar.map(|exemplar| exemplar.label_pairs());
            }
            Ok(_) => {}
            Err(error) => {
                assert!(error.line > 0 && error.column > 0 && !error.expected.is_empty());
                sound = false;
            }
        }
    }
    assert!(parser.next_entry().is_none());
    sound
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..300), format in formats()) {
        exhaust(&body, format, Mode::Strict, None);
        exhaust(&body, format, Mode::Lenient, None);
    }

    #[test]
    fn likely_bytes_never_panic_and_strict_takes_no_more_than_lenient(
        body in bodies(),
        format in formats(),
        hint in prop::sample::select(vec!["a", "a_bucket", "a{b=\"c\"}", "{", ""]),
    ) {
        let strict = exhaust(&body, format, Mode::Strict, None);
        let lenient = exhaust(&body, format, Mode::Lenient, None);
        prop_assert!(lenient || !strict);
        exhaust(&body, format, Mode::Lenient, Some(hint.as_bytes()));
    }

    #[test]
    fn what_is_written_is_read_back(
        name in "\\PC{1,12}",
        labels in prop::collection::btree_map("[a-zA-Zé. ]{1,6}", "\\PC*|[\\\\\"\n]{0,4}", 0..5),
        help in "[^\r]*",
        value in any::<f64>(),
        timestamp in prop::option::of(0..i64::MAX),
    ) {
        let mut writer = Writer::default();
        writer.family(&name, MetricKind::Gauge, &help);
        let pairs = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        writer.sample(&name, pairs, value, timestamp);
        let mut parser = parse(writer.as_str().as_bytes(), Format::PrometheusText, Mode::Strict);
        let mut read_help = String::new();
        let mut samples = 0;
        while let Some(entry) = parser.next_entry() {
            match entry.expect("what we write is sound") {
                Entry::Help { metric, help } => {
                    prop_assert_eq!(&metric, &name);
                    read_help = help.into_owned();
                }
                Entry::Type { metric, kind } => prop_assert_eq!((&*metric, kind), (&*name, MetricKind::Gauge)),
                Entry::Sample(sample) => {
                    let (read_name, read_labels) = sample.name_and_labels();
                    prop_assert_eq!(&read_name, &name);
                    let read: std::collections::BTreeMap<String, String> =
                        read_labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
                    prop_assert_eq!(&read, &labels);
                    prop_assert!(sample.value == value || (sample.value.is_nan() && value.is_nan()));
                    prop_assert_eq!(sample.timestamp, timestamp);
                    samples += 1;
                }
                _ => prop_assert!(false, "nothing else was written"),
            }
        }
        prop_assert_eq!(samples, 1);
        prop_assert_eq!(read_help, help);
    }
}
