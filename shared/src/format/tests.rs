//! Tables of what stands on the screen.

use super::{age, axis_unit, bytes, count, duration_ms, duration_seconds, number, utc, value};

#[test]
fn durations_are_said_as_a_person_says_them() {
    for (ms, words) in [
        (-5, "0 s"),
        (0, "0 s"),
        (999, "0 s"),
        (45_000, "45 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (3 * 60_000 + 59_000, "3 min"),
        (2 * 3_600_000 + 10 * 60_000, "2 h 10 min"),
        (2 * 3_600_000, "2 h"),
        (76 * 3_600_000, "3 d 4 h"),
        (i64::MAX, "106751991167 d 7 h"),
    ] {
        assert_eq!(duration_ms(ms), words, "{ms}");
    }
    assert_eq!(age(100_000, 40_000), "1 min");
    assert_eq!(age(0, i64::MAX), "0 s");
    assert_eq!(age(i64::MAX, i64::MIN), duration_ms(i64::MAX));
}

#[test]
fn measured_durations_keep_their_digits() {
    for (seconds, words) in [
        (0.0, "0 s"),
        (0.000_230, "230 µs"),
        (0.012_34, "12.3 ms"),
        (0.9996, "1 s"),
        (1.5, "1.5 s"),
        (59.97, "1 min"),
        (612.0, "10 min 12 s"),
        (7800.0, "2 h 10 min"),
        (-90.0, "−1 min 30 s"),
        (f64::INFINITY, "∞"),
        (f64::NAN, "–"),
        (1e300, "104166666 d 16 h"),
    ] {
        assert_eq!(duration_seconds(seconds), words, "{seconds}");
    }
}

#[test]
fn numbers_at_a_glance() {
    for (number, words) in [
        (0.0, "0"),
        (-0.0, "0"),
        (0.023, "0.023"),
        (0.000_012_3, "0.0000123"),
        (1.0, "1"),
        (12.5, "12.5"),
        (12.0, "12"),
        (99.97, "100"),
        (999.4, "999"),
        (1234.0, "1,234"),
        (9999.4, "9,999"),
        (9999.6, "10 k"),
        (12_345.0, "12.3 k"),
        (999_400.0, "999 k"),
        (999_999.0, "1 M"),
        (4_500_000.0, "4.5 M"),
        (-12_345.0, "−12.3 k"),
        (1e21, "1000000 P"),
        (f64::NAN, "–"),
        (f64::NEG_INFINITY, "−∞"),
    ] {
        assert_eq!(count(number), words, "{number}");
    }
    for (size, words) in
        [(0.0, "0 B"), (512.0, "512 B"), (1023.9, "1 KiB"), (1_288_490_189.0, "1.2 GiB"), (f64::NAN, "–")]
    {
        assert_eq!(bytes(size), words, "{size}");
    }
}

#[test]
fn values_read_in_their_unit() {
    for (text, unit, words) in [
        ("", "count", "–"),
        ("null", "count", "–"),
        ("null", "text", "null"),
        ("7", "count", "7"),
        ("18446744073709551616000001", "count", "18,446,744,073,709,551,616,000,001"),
        ("-1234", "count", "−1,234"),
        ("12.5", "count", "12.5"),
        ("1e3", "count", "1,000"),
        ("lots", "count", "lots"),
        ("612", "seconds", "10 min 12 s"),
        ("340", "milliseconds", "340 ms"),
        ("1288490189", "bytes", "1.2 GiB"),
        ("2048", "bytes/s", "2 KiB/s"),
        ("0.125", "ratio", "12.5 %"),
        ("98.7", "percent", "98.7 %"),
        ("12.5", "count/s", "12.5/s"),
        ("1234000000", "micro-usdc", "1,234.000000 USDC"),
        ("1", "micro-usdc", "0.000001 USDC"),
        ("0", "micro-usdc", "0.000000 USDC"),
        ("-12500000", "micro-usdc", "−12.500000 USDC"),
        ("123456789012345678901234567890", "micro-usdc", "123,456,789,012,345,678,901,234.567890 USDC"),
        ("12.5", "usdc", "12.50 USDC"),
        ("1234567.123456", "usdc", "1,234,567.123456 USDC"),
        ("1234567890123456789012", "wei", "1,234,567,890,123,456,789,012 wei"),
        ("1700000000", "timestamp", "2023-11-14 22:13:20 UTC"),
        ("1700000000123", "timestamp", "2023-11-14 22:13:20 UTC"),
        ("2026-11-21T10:00:00Z", "timestamp", "2026-11-21T10:00:00Z"),
        ("0", "timestamp", "–"),
        ("true", "bool", "yes"),
        ("0", "bool", "no"),
        ("maybe", "bool", "maybe"),
        ("v0.4.2", "text", "v0.4.2"),
        ("9300", "", "9300"),
        ("12345", "blocks", "12.3 k blocks"),
        ("nan", "seconds", "–"),
    ] {
        assert_eq!(value(text, unit), words, "{text} {unit}");
    }
    assert_eq!(number(f64::NAN, "count"), "–");
    assert_eq!(number(1.0, "bool"), "yes");
    assert_eq!(number(2_500_000.0, "micro-usdc"), "2.50 USDC");
}

#[test]
fn dates_are_right_at_their_edges() {
    for (seconds, words) in [
        (0, "1970-01-01 00:00:00 UTC"),
        (-1, "1969-12-31 23:59:59 UTC"),
        (951_782_400, "2000-02-29 00:00:00 UTC"),
        (4_102_444_799, "2099-12-31 23:59:59 UTC"),
    ] {
        assert_eq!(utc(seconds), words);
    }
}

#[test]
fn an_axis_has_one_unit() {
    for (largest, unit, divisor, name) in [
        (0.0, "count", 1.0, ""),
        (9000.0, "count", 1.0, ""),
        (12_000.0, "count", 1e3, "k"),
        (0.004, "seconds", 1e-3, "ms"),
        (90.0, "seconds", 1.0, "s"),
        (300.0, "seconds", 60.0, "min"),
        (3e9, "bytes", 1_073_741_824.0, "GiB"),
        (0.5, "ratio", 0.01, "%"),
        (5.0, "count/s", 1.0, "per s"),
        (5e6, "micro-usdc", 1e6, "USDC"),
    ] {
        let axis = axis_unit(largest, unit);
        assert_eq!((axis.divisor, axis.name), (divisor, name), "{largest} {unit}");
    }
}

#[test]
fn decimals_are_read_as_the_standard_library_reads_them_to_fifteen_digits() {
    for text in [
        "0",
        "-0.5",
        "3.25",
        "1e3",
        "1.5E-7",
        "123456789012345678901234567890",
        "-inf",
        "+Inf",
        "0.1",
        "6.02214076e23",
    ] {
        let exact: f64 = text.parse().unwrap();
        let near = super::approximate(text).unwrap();
        assert!(near == exact || ((near - exact) / exact).abs() < 1e-15, "{text}: {near} {exact}");
    }
    assert!(super::approximate("NaN").unwrap().is_nan());
    for text in ["", ".", "-", "1e", "1.2.3", "0x1", "e5", "1e99999999999"] {
        assert_eq!(super::approximate(text), None, "{text}");
    }
}
