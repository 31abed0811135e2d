//! Measures the store: a fleet's expositions through the real parser into it, and queries out of it.
//!
//! `cargo run --release -p fleetglass --example bench_store -- [TARGETS] [SERIES] [ROUNDS]`
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

use fleetglass::query::{evaluate_range, render_nodes};
use fleetglass::store::{Limits, Put, Reader, Store, TargetIdent};
use fleetglass_shared::exposition::{Format, Mode, parse};

const INTERVAL_MS: i64 = 15_000;

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse().ok());
    let mut next = |usual: usize| args.next().flatten().unwrap_or(usual);
    let (targets, series, rounds) = (next(300), next(1000), next(240));
    let store = Store::new(Limits::default());
    let idents: Vec<TargetIdent> = (0..targets).map(ident).collect();
    let (mut spent, mut bytes, mut samples, mut first) = (0.0, 0usize, 0usize, 0.0);
    for round in 0..rounds {
        for (number, target) in idents.iter().enumerate() {
            let body = exposition(number, series, round);
            bytes += body.len();
            let begun = Instant::now();
            samples += append(&store, target, round as i64 * INTERVAL_MS, &body);
            spent += begun.elapsed().as_secs_f64();
        }
        if round == 0 {
            first = spent;
        }
    }
    let stats = store.stats();
    println!("targets {targets}, series {}, rounds {rounds}, samples {samples}", stats.series);
    println!(
        "append      {:.1} M samples/s, {:.0} MB/s of exposition, parser and all, on one core",
        samples as f64 / spent / 1e6,
        bytes as f64 / spent / 1e6
    );
    println!("first round {:.2} µs/series (the others {:.2})", first * 1e6 / stats.series as f64, {
        (spent - first) * 1e6 / (samples - stats.series) as f64
    });
    println!(
        "memory      {:.0} MB, {:.2} bytes/sample, {:.0} bytes/series",
        stats.bytes as f64 / 1e6,
        stats.bytes as f64 / stats.samples as f64,
        stats.bytes as f64 / stats.series as f64
    );
    if let Some(resident) = resident_bytes() {
        println!("resident    {:.0} MB, {:.2} bytes/sample", resident / 1e6, resident / stats.samples as f64);
    }
    let end = (rounds as i64 - 1) * INTERVAL_MS;
    for (what, expr) in [
        ("node panel", "rate(bench_requests_total{instance=\"node-7\"}[5m])".to_owned()),
        ("node gauge", "bench_gauge{instance=\"node-7\"}".to_owned()),
        ("5,000 series", format!("bench_gauge{{n=~\"{}\"}}", some_of(5000 / targets.max(1)))),
        (
            "5,000 rates",
            format!("rate(bench_requests_total{{n=~\"{}\"}}[5m])", some_of(5000 / targets.max(1))),
        ),
        ("fleet sum", "sum by (region) (rate(bench_requests_total{n=\"1\"}[5m]))".to_owned()),
    ] {
        let begun = Instant::now();
        match evaluate_range(&store, &expr, end - 3_600_000, end, INTERVAL_MS) {
            Ok(value) => {
                let lines =
                    if let fleetglass::query::Value::Vector(lines) = &value { lines.len() } else { 1 };
                println!(
                    "{what:<12}{:.2} ms for {lines} series × 241 steps",
                    begun.elapsed().as_secs_f64() * 1e3
                );
            }
            Err(error) => println!("{what:<12}{error}"),
        }
    }
    let begun = Instant::now();
    let text = render_nodes(&store, end);
    println!("nodes       {:.2} ms for {} kB", begun.elapsed().as_secs_f64() * 1e3, text.len() / 1000);
}

/// A regex for so many values of `n`.
fn some_of(count: usize) -> String {
    (0..count.max(1)).map(|n| n.to_string()).collect::<Vec<_>>().join("|")
}

fn ident(number: usize) -> TargetIdent {
    let region = ["eu", "us", "ap"][number % 3].to_owned();
    let labels = BTreeMap::from([("region".to_owned(), region), ("tier".to_owned(), "gold".to_owned())]);
    TargetIdent { instance: format!("node-{number}"), job: "bench".to_owned(), labels }
}

/// Half the series never change, a quarter are counters, an eighth integers that wander, an eighth decimals.
fn exposition(target: usize, series: usize, round: usize) -> String {
    let mut body = String::with_capacity(series * 64);
    let kinds: [(&str, &str, usize); 4] = [
        ("bench_constant", "gauge", series / 2),
        ("bench_requests_total", "counter", series / 4),
        ("bench_gauge", "gauge", series / 8),
        ("bench_seconds", "gauge", series - series / 2 - series / 4 - series / 8),
    ];
    for (at, (name, kind, count)) in kinds.into_iter().enumerate() {
        let _ = writeln!(body, "# HELP {name} A series of the bench.\n# TYPE {name} {kind}");
        for n in 0..count {
            let noise = (target * 31 + n * 17 + round * round * 7) % 101;
            let _ = write!(body, "{name}{{n=\"{n}\",method=\"get\",code=\"200\"}} ");
            let _ = match at {
                0 => writeln!(body, "{}", n * 3),
                1 => writeln!(body, "{}", 1_000_000 + n + round * (n % 50) * 10 + noise / 50),
                2 => writeln!(body, "{}", 40 + noise / 10),
                _ => writeln!(body, "{}", 0.25 + noise as f64 / 1000.0),
            };
        }
    }
    body
}

fn append(store: &Store, target: &TargetIdent, at: i64, body: &str) -> usize {
    let mut row = match store.begin(target, at) {
        Ok(row) => row,
        Err(error) => panic!("the bench's rows are in order: {error}"),
    };
    let parser = parse(body.as_bytes(), Format::PrometheusText, Mode::Lenient);
    if let Err(error) = row.expose("metrics", &mut Reader::new(parser)) {
        panic!("the bench's expositions are sound: {error}");
    }
    if let Err(error) = row.put(&Put::gauge("up", 1.0, "Whether the node answers")) {
        panic!("the bench stays within the limits: {error}");
    }
    row.commit().samples
}

/// What the process really holds, where the system tells.
fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? * 1024.0)
}
