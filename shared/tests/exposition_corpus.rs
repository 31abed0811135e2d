//! Real expositions: lenient mode gives the verdict of a real Prometheus scrape, strict mode that of the
//! reference parsers, both as `MANIFEST.tsv` records them.

#[path = "support/corpus.rs"]
mod support;

use fleetglass_shared::exposition::{Format, Mode};

/// Never fewer right than this, of the files that were there when it was written.
const FLOOR: usize = 74;

#[test]
fn lenient_mode_agrees_with_a_real_scrape() {
    let judge = |row: &Row| {
        let reading = support::read(&row.body, row.format, Mode::Lenient);
        let agrees = match (&reading, row.scrape.strip_prefix("parse:")) {
            (Ok((samples, _)), Some(count)) => count.parse() == Ok(*samples),
            (Err(_), None) => true,
            _ => false,
        };
        agrees.then_some(()).ok_or_else(|| format!("Prometheus says {:?}, got {reading:?}", row.scrape))
    };
    run("lenient", judge);
}

#[test]
fn strict_mode_agrees_with_the_reference_parsers() {
    let judge = |row: &Row| {
        let reading = support::read(&row.body, row.format, Mode::Strict);
        // The library reads the text format only; OpenMetrics is judged by the reference parser, where one
        // ran. Strict mode never takes what a scrape refuses.
        let should_parse = match row.format {
            Format::PrometheusText => row.expect == "parse" && row.scrape.starts_with("parse"),
            Format::OpenMetrics if row.reference.is_empty() => return Ok(()),
            Format::OpenMetrics => row.reference.starts_with("parse"),
        };
        let agrees = reading.is_ok() == should_parse;
        agrees.then_some(()).ok_or_else(|| format!("should parse: {should_parse}, got {reading:?}"))
    };
    run("strict", judge);
}

struct Row {
    file: String,
    body: Vec<u8>,
    format: Format,
    expect: String,
    scrape: String,
    reference: String,
}

fn run(mode: &str, judge: impl Fn(&Row) -> Result<(), String>) {
    let Some(corpus) = support::corpus("exposition") else { return };
    let manifest = std::fs::read_to_string(corpus.join("MANIFEST.tsv")).expect("the manifest is readable");
    let mut by_folder = std::collections::BTreeMap::<String, (usize, usize)>::new();
    let mut wrong = Vec::new();
    for line in manifest.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, _, format, expect, _, scrape, reference, ..] = columns[..] else {
            panic!("odd row: {line}")
        };
        let openmetrics = format.starts_with("openmetrics");
        let row = Row {
            file: file.to_owned(),
            body: std::fs::read(corpus.join(file)).expect("the body is readable"),
            format: if openmetrics { Format::OpenMetrics } else { Format::PrometheusText },
            expect: expect.to_owned(),
            scrape: scrape.to_owned(),
            reference: reference.to_owned(),
        };
        let folder = by_folder.entry(file.split('/').next().unwrap_or(file).to_owned()).or_default();
        folder.1 += 1;
        match judge(&row) {
            Ok(()) => folder.0 += 1,
            Err(why) => wrong.push(format!("{}: {why}", row.file)),
        }
    }
    let (passed, total) = by_folder.values().fold((0, 0), |sum, folder| (sum.0 + folder.0, sum.1 + folder.1));
    for (folder, (passed, total)) in by_folder {
        println!("{mode}, {folder}: {passed} passed of {total}");
    }
    println!("{mode}: {passed} passed of {total}");
    assert!(passed >= FLOOR.min(total) && wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
