//! Tables of bodies and what they give.
#![allow(clippy::unwrap_used)]

use super::*;

const TEXT: Format = Format::PrometheusText;
const OPEN: Format = Format::OpenMetrics;

/// Every entry in a short form, then the error if there is one.
fn told(body: &[u8], format: Format, mode: Mode) -> Vec<String> {
    let mut parser = parse(body, format, mode);
    let mut told = Vec::new();
    while let Some(entry) = parser.next_entry() {
        told.push(match entry {
            Ok(Entry::Help { metric, help }) => format!("help {metric}: {help:?}"),
            Ok(Entry::Type { metric, kind }) => format!("type {metric}: {}", kind.as_str()),
            Ok(Entry::Unit { metric, unit }) => format!("unit {metric}: {unit}"),
            Ok(Entry::Comment(text)) => format!("comment {text}"),
            Ok(Entry::Sample(sample)) => {
                let (name, labels) = sample.name_and_labels();
                let mut line = format!("{name} {labels:?} = {}", sample.value);
                if let Some(timestamp) = sample.timestamp {
                    line += &format!(" at {timestamp}");
                }
                if let Some(exemplar) = sample.exemplar {
                    line += &format!(" e.g. {:?} = {}", exemplar.label_pairs(), exemplar.value);
                    line += &exemplar.timestamp.map(|at| format!(" at {at}")).unwrap_or_default();
                }
                line
            }
            Ok(Entry::Eof) => "eof".to_owned(),
            Err(error) => error.to_string(),
        });
    }
    told
}

#[track_caller]
fn check(body: &str, format: Format, expected: &[&str]) {
    assert_eq!(told(body.as_bytes(), format, Mode::Lenient), expected, "{body:?}");
}

#[test]
fn the_format_follows_the_content_type() {
    let table = [
        (None, TEXT),
        (Some("text/plain; version=0.0.4"), TEXT),
        (Some("text/html"), TEXT),
        (Some("application/openmetrics-text; version=1.0.0; charset=utf-8"), OPEN),
        (Some(" Application/OpenMetrics-Text"), OPEN),
        (Some("application/openmetrics-text2"), TEXT),
    ];
    for (content_type, format) in table {
        assert_eq!(Format::from_content_type(content_type), format, "{content_type:?}");
    }
}

#[test]
fn text_is_read() {
    check("a 1\n", TEXT, &["a [] = 1"]);
    check("a{} -Inf 12\n", TEXT, &["a [] = -inf at 12"]);
    check("a\t{ b = \"c\" , }NaN\n", TEXT, &[r#"a [("b", "c")] = NaN"#]);
    check("a{b=\"\\\\x\\\"y\\nz\"} 1\n", TEXT, &[r#"a [("b", "\\x\"y\nz")] = 1"#]);
    check("{\"my.name\",l=\"v\"} 1\n", TEXT, &[r#"my.name [("l", "v")] = 1"#]);
    check("{\"my.name\",\"a.b\"=\"v\"} 1\n", TEXT, &[r#"my.name [("a.b", "v")] = 1"#]);
    check("# HELP a two\\nlines \\\\ \"q\"\n", TEXT, &[r#"help a: "two\nlines \\ \"q\"""#]);
    check("# TYPE \"my.name\" untyped\n", TEXT, &["type my.name: unknown"]);
    check(" # a comment\n#\n\n  \n", TEXT, &["comment # a comment", "comment #"]);
    check("# TYPE\n# EOF\n", TEXT, &["comment # TYPE", "comment # EOF"]);
    check("a 1\r\nb 2 3\r\n\r\n", TEXT, &["a [] = 1", "b [] = 2 at 3"]);
    check("a 1", TEXT, &["a [] = 1"]);
}

#[test]
fn openmetrics_is_read() {
    check("# EOF", OPEN, &["eof"]);
    check("a 1 1.5\n# EOF\n", OPEN, &["a [] = 1 at 1500", "eof"]);
    check(
        "# UNIT a_s s\n# HELP a_s \\\"x\\\"\n# EOF\n",
        OPEN,
        &["unit a_s: s", r#"help a_s: "\"x\"""#, "eof"],
    );
    check("# TYPE a stateset\n# EOF\n", OPEN, &["type a: stateset", "eof"]);
    check(
        "a_total{x=\"#\"} 1 2 # {id=\"}\"} 0.5 3.5\n# EOF\n",
        OPEN,
        &[r##"a_total [("x", "#")] = 1 at 2000 e.g. [("id", "}")] = 0.5 at 3500"##, "eof"],
    );
    check("a_total 1 # {} NaN\r\n# EOF\r\n", OPEN, &["a_total [] = 1 e.g. [] = NaN", "eof"]);
}

#[test]
fn errors_say_where_and_what() {
    let table = [
        ("a abc\n", TEXT, "line 1, column 3: expected a value, found \"abc\""),
        (
            "a 1\nb{é=\"1\"} 1\n",
            TEXT,
            "line 2, column 3: expected a label name or `}`, found \"é=\\\"1\\\"}\"",
        ),
        ("a{b=\"é\",c} 1\n", TEXT, "line 1, column 10: expected `=` after a label name, found \"}\""),
        (
            "a{b=\"c} 1\n",
            TEXT,
            "line 1, column 5: expected a closing `\"` for this one, found the end of the body before it",
        ),
        (
            "a{b=\"1\",b=\"2\"} 1\n",
            TEXT,
            "line 1, column 9: expected each label name once, found \"b\" again",
        ),
        (
            "a 1 -5\n",
            TEXT,
            "line 1, column 5: expected a time stamp in whole milliseconds or the end of the line, found \"-5\"",
        ),
        ("a\n", TEXT, "line 1, column 2: expected a value, found the end of the line"),
        (
            "{a=\"b\"} 1\n",
            TEXT,
            "line 1, column 1: expected a metric name, found labels without one (`{\"name\", …}` or `name{…}`)",
        ),
        (
            "a{\"b\"} 1\n",
            TEXT,
            "line 1, column 3: expected `=` after a label name, found a second metric name",
        ),
        (
            "# TYPE a bla\n",
            TEXT,
            "line 1, column 10: expected counter, gauge, histogram, summary or untyped, found \"bla\"",
        ),
        (
            "<!DOCTYPE html>\n<html>",
            TEXT,
            "line 1, column 1: expected a metric name, a comment or a blank line, found an HTML page",
        ),
        ("{\n \"status\": \"ok\"}", TEXT, "line 1, column 1: expected an exposition, found a JSON document"),
        ("{\"status\":\"ok\"}", OPEN, "line 1, column 1: expected an exposition, found a JSON document"),
        (
            "\u{feff}a 1\n",
            TEXT,
            "line 1, column 1: expected a metric name, a comment or a blank line, found a byte order mark",
        ),
        ("a 1\n", OPEN, "line 2, column 1: expected `# EOF` as the last line, found the end of the body"),
        ("a 1", OPEN, "line 1, column 4: expected a line end and `# EOF`, found the end of the body"),
        ("a  1\n# EOF\n", OPEN, "line 1, column 3: expected a value, found a space"),
        (
            "a 1 \n# EOF\n",
            OPEN,
            "line 1, column 5: expected a time stamp in seconds, or ` # {` and an exemplar, found the end of the line",
        ),
        ("\n# EOF\n", OPEN, "line 1, column 1: expected a sample, metadata or `# EOF`, found a blank line"),
        ("# EOF\na 1\n", OPEN, "line 2, column 1: expected nothing after `# EOF`, found \"a\""),
        (
            "# UNIT a s\n# EOF\n",
            OPEN,
            "line 1, column 10: expected a unit that ends the name \"a\" after a `_`, found \"s\"",
        ),
    ];
    for (body, format, expected) in table {
        let told = told(body.as_bytes(), format, Mode::Lenient);
        assert_eq!(told.last().map(String::as_str), Some(expected), "{body:?}");
    }
}

#[test]
fn bad_utf8_is_an_error_with_its_place_except_in_comments() {
    let told_of = |body: &[u8]| told(body, TEXT, Mode::Lenient);
    assert_eq!(
        told_of(b"a 1\nb{c=\"d\xff\"} 1\n"),
        ["a [] = 1", "line 2, column 7: expected UTF-8 text, found the byte 0xFF"]
    );
    assert_eq!(
        told_of(b"# \xe9t\xe9\na{b=\"\xc3\xa9\"} 1\n"),
        ["comment # \u{fffd}t\u{fffd}", r#"a [("b", "é")] = 1"#]
    );
}

#[test]
fn what_prometheus_reads_over_is_an_error_in_strict_mode_and_a_warning_in_lenient_mode() {
    let table = [
        ("a 1", TEXT, "line 1, column 4: expected a line end, found the end of the body"),
        ("a 1\r\nb 1\r\n", TEXT, "line 1, column 4: expected lines that end in LF, found CRLF"),
        ("a{b=\"\\t\"} 1\n", TEXT, "line 1, column 6: expected `\\\\`, `\\\"` or `\\n`, found `\\t`"),
        (
            "a{b=\"c\nd\"} 1\n",
            TEXT,
            "line 1, column 7: expected `\\n` for a line end in a label value, found a raw line end",
        ),
        (
            "a{b=\"1\" c=\"2\"} 1\n",
            TEXT,
            "line 1, column 9: expected a comma between two labels, found \"c=\\\"2\\\"}\"",
        ),
        (
            "#TYPE a gauge\n",
            TEXT,
            "line 1, column 1: expected a blank after `#` in metadata, found `#TYPE`, read as a comment",
        ),
        ("a+1\n", TEXT, "line 1, column 2: expected a blank before the value, found \"+1\""),
        (
            "# HELP a x\n# HELP a y\n",
            TEXT,
            "line 2, column 1: expected one HELP for \"a\", found a second one",
        ),
        (
            "a 1\n# TYPE a gauge\n",
            TEXT,
            "line 2, column 1: expected one TYPE for \"a\", before its samples, found a second one, or one after them",
        ),
        (
            "# TYPE a histogram\na_bucket{le=\"x\"} 1\n",
            TEXT,
            "line 2, column 1: expected a number as \"le\", found \"x\"",
        ),
        (
            "# TYPE a counter\na_total -1\n# EOF\n",
            OPEN,
            "line 2, column 9: expected a number that is not negative, found -1",
        ),
        (
            "# TYPE a counter\na 1\n# EOF\n",
            OPEN,
            "line 2, column 1: expected names that no earlier family has, the lines of a family together, found \"a\" again",
        ),
        (
            "# TYPE a histogram\na_bucket{le=\"1\"} 0\n# EOF\n",
            OPEN,
            "line 2, column 1: expected a bucket le=\"+Inf\" of \"a\", found none before this point's last line",
        ),
        (
            "a 1 2\na 1 1\n# EOF\n",
            OPEN,
            "line 2, column 1: expected time stamps that do not go back, found an earlier one",
        ),
        (
            "a{__b=\"c\"} 1\n# EOF\n",
            OPEN,
            "line 1, column 1: expected no label that starts with `__`, found \"__b\"",
        ),
    ];
    for (body, format, expected) in table {
        assert_eq!(told(body.as_bytes(), format, Mode::Strict).last().map(String::as_str), Some(expected));
        let mut parser = parse(body.as_bytes(), format, Mode::Lenient);
        while let Some(entry) = parser.next_entry() {
            entry.unwrap();
        }
        assert_eq!(parser.warnings()[0].to_string(), expected);
        assert_eq!(parser.warning_count(), 1, "{body:?}");
    }
}

#[test]
fn warnings_are_bounded_and_all_counted() {
    let body = "a{b=\"\\t\"} 1\n".repeat(50);
    let mut parser = parse(body.as_bytes(), TEXT, Mode::Lenient);
    while parser.next_entry().is_some() {}
    assert_eq!((parser.warnings().len(), parser.warning_count()), (20, 50));
}

/// Nothing here measures time: were one of these quadratic, the test would not end.
#[test]
fn hostile_bodies_are_read_in_one_pass() {
    let many = |unit: &str| unit.repeat(400_000 / unit.len());
    let bodies = [
        many("{"),
        many("\""),
        many("\n"),
        many("# \n"),
        many("a{b=\""),
        many("a 1\n"),
        many("a{a=\"\\x\"}1\n"),
        format!("a{{{}}} 1\n", many("a=\"1\"")),
        format!("a{{{}}} 1\n", (0..40_000).map(|i| format!("l{i}=\"\"")).collect::<Vec<_>>().join(",")),
        format!("a{{{}}} 1\n", (0..40_000).map(|i| format!("l{i}=\"\"")).collect::<String>()),
        format!("a {}\n", many("9")),
        format!("# TYPE a histogram\n{}", many("a_bucket{le=\"1\"} 1\n")),
        (0..20_000).map(|i| format!("a_bucket{{le=\"{i}\"}} 1\n")).collect(),
        (0..20_000).map(|i| format!("# TYPE a{i} gauge\na{i} 1\n")).collect(),
    ];
    for body in &bodies {
        for format in [TEXT, OPEN] {
            for mode in [Mode::Strict, Mode::Lenient] {
                let mut parser = parse(body.as_bytes(), format, mode);
                while parser.next_entry_with(Some(b"a")).is_some() {}
            }
        }
    }
    let bad = b"#\xff\n".repeat(100_000);
    assert_eq!(told(&bad, TEXT, Mode::Lenient).len(), 100_000);
}

#[test]
fn hints_give_the_same_samples() {
    let open = "# TYPE a counter\na_total{x=\"1\"} 5\na_total{x=\"2\"} 1.5e3 7\na_total{x=\"3\"} 2 # {i=\"d\"} 1\n# EOF\n";
    let text = "# HELP a x\na{x=\"1\"} 5\na{x=\"12\"} NaN\r\na{x=\"2\"}  6 7\nb 12345678901234567890\n";
    for (body, format) in [(open, OPEN), (text, TEXT)] {
        let samples = |hints: &[String]| {
            let mut parser = parse(body.as_bytes(), format, Mode::Lenient);
            let (mut samples, mut row) = (Vec::new(), 0);
            while let Some(entry) = parser.next_entry_with(hints.get(row).map(String::as_bytes)) {
                if let Entry::Sample(sample) = entry.unwrap() {
                    samples.push(format!("{sample:?}"));
                    row += 1;
                }
            }
            samples
        };
        let plain = samples(&[]);
        let mut parser = parse(body.as_bytes(), format, Mode::Lenient);
        let mut series = Vec::new();
        while let Some(Ok(entry)) = parser.next_entry() {
            if let Entry::Sample(sample) = entry {
                series.push(sample.series.to_owned());
            }
        }
        assert_eq!(samples(&series), plain);
        // Hints that are wrong, shorter or longer than what stands there change nothing.
        series.rotate_left(1);
        assert_eq!(samples(&series), plain);
        let cut: Vec<String> = series.iter().map(|series| series[..series.len() - 1].to_owned()).collect();
        assert_eq!(samples(&cut), plain);
    }
}

#[test]
fn numbers_are_written_as_prometheus_prints_them() {
    let table = [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e-7, "1.5e-07"),
        (0.0001, "0.0001"),
        (1.25e300, "1.25e+300"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
    ];
    for (number, expected) in table {
        let mut out = String::new();
        write::push_number(&mut out, number);
        assert_eq!(out, expected);
    }
}

#[test]
fn what_is_written_is_escaped_and_quoted_where_necessary() {
    let mut writer = write::Writer::default();
    writer.family("my.name", MetricKind::Info, "a\\b\n\"c\"");
    writer.sample("my.name", [("plain", "a\"b\\c\nd"), ("not plain", "")], 1.5, Some(7));
    writer.sample("a", [], f64::NAN, None);
    assert_eq!(
        writer.as_str(),
        "# HELP \"my.name\" a\\\\b\\n\"c\"\n# TYPE \"my.name\" gauge\n\
         {\"my.name\",plain=\"a\\\"b\\\\c\\nd\",\"not plain\"=\"\"} 1.5 7\na NaN\n"
    );
    let told = told(writer.as_str().as_bytes(), TEXT, Mode::Strict);
    assert_eq!(told[0], r#"help my.name: "a\\b\n\"c\"""#);
    assert_eq!(told[2], r#"my.name [("plain", "a\"b\\c\nd"), ("not plain", "")] = 1.5 at 7"#);
}
