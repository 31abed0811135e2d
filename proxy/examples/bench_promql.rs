//! Measures PromQL over the store: fills it with what an OpenMetrics file holds and asks what it is given.
//!
//! `cargo xtask bench promql` runs it beside Debian's Prometheus over the same samples:
//! `bench_promql write FILE NODES SERIES BUCKETS` writes them, `bench_promql run NODES SERIES BUCKETS START END STEP` asks.
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::time::Instant;

use fleetglass::store::{Limits, Reader, Store, TargetIdent};
use fleetglass_shared::exposition::{Format, Mode, parse};
use fleetglass_shared::promql::{Options, Query, Steps, Value};

/// An hour and the five minutes before it, every 15 s, from here on.
const FIRST_MS: i64 = 1_700_000_000_000;
const INTERVAL_MS: i64 = 15_000;
const ROUNDS: i64 = 261;
/// Each is asked so often; the best counts.
const TIMES: usize = 5;

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| args.get(at).and_then(|arg| arg.parse().ok()).unwrap_or(0usize);
    match args.first().map(String::as_str) {
        Some("write") => write(&args[1], number(2), number(3), number(4)),
        Some("run") => {
            run(number(1), number(2), number(3));
            Ok(())
        }
        _ => {
            println!("left out here: `cargo xtask bench promql` runs it beside Prometheus");
            Ok(())
        }
    }
}

/// The value of a counter of a node: each at its own pace, and some begin anew.
fn counter(node: usize, series: usize, round: i64) -> f64 {
    let pace = (node * 7 + series * 13) as i64 % 50 + 1;
    let begun = if series.is_multiple_of(50) && round > 130 { 130 } else { 0 };
    ((round - begun) * pace) as f64
}

/// The count in a bucket: histograms of ten buckets.
fn bucket(histogram: usize, at: usize, round: i64) -> f64 {
    (round * (at as i64 + 1) * (histogram as i64 % 9 + 1)) as f64
}

fn bound(at: usize) -> String {
    if at == 9 { "+Inf".to_owned() } else { format!("{}", (at + 1) as f64 / 10.0) }
}

fn family(node: usize) -> &'static str {
    ["paraloom", "decdn", "datamgmt", "genlayer", "the-block"][node % 5]
}

fn write(file: &str, nodes: usize, series: usize, buckets: usize) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    let seconds = |round: i64| (FIRST_MS + round * INTERVAL_MS) / 1000;
    for node in 0..nodes {
        for n in 0..series {
            for round in 0..ROUNDS {
                writeln!(
                    out,
                    "x_total{{instance=\"node-{node}\",job=\"bench\",family=\"{}\",n=\"{n}\"}} {} {}",
                    family(node),
                    counter(node, n, round),
                    seconds(round)
                )?;
            }
        }
    }
    for n in 0..buckets {
        for round in 0..ROUNDS {
            writeln!(
                out,
                "y_bucket{{instance=\"histograms\",job=\"bench\",h=\"{}\",le=\"{}\"}} {} {}",
                n / 10,
                bound(n % 10),
                bucket(n / 10, n % 10, round),
                seconds(round)
            )?;
        }
    }
    writeln!(out, "# EOF")?;
    out.flush()
}

fn run(nodes: usize, series: usize, buckets: usize) {
    let store =
        Store::new(Limits { max_series_per_target: 1_000_000, retention_ms: i64::MAX, ..Limits::default() });
    let mut body = String::new();
    for round in 0..ROUNDS {
        let at = FIRST_MS + round * INTERVAL_MS;
        for node in 0..nodes {
            body.clear();
            for n in 0..series {
                // Writing to a String never fails.
                let _ = writeln!(body, "x_total{{n=\"{n}\"}} {}", counter(node, n, round));
            }
            let labels = BTreeMap::from([("family".to_owned(), family(node).to_owned())]);
            fill(&store, format!("node-{node}"), labels, at, &body);
        }
        body.clear();
        for n in 0..buckets {
            let (h, at) = (n / 10, n % 10);
            let _ = writeln!(body, "y_bucket{{h=\"{h}\",le=\"{}\"}} {}", bound(at), bucket(h, at, round));
        }
        fill(&store, "histograms".to_owned(), BTreeMap::new(), at, &body);
    }
    let end = FIRST_MS + (ROUNDS - 1) * INTERVAL_MS;
    let steps = Steps { start: end - 3_600_000, end, step: INTERVAL_MS };
    for (name, expr, ranged) in [
        ("range", "sum by (family) (rate(x_total[5m]))", true),
        ("topk", "topk(10, x_total)", false),
        ("quantile", "histogram_quantile(0.9, y_bucket)", false),
    ] {
        let query = Query::parse(expr).expect("it is PromQL");
        let mut best = f64::INFINITY;
        let mut told = String::new();
        for _ in 0..TIMES {
            let begun = Instant::now();
            let answer = if ranged {
                query.range(&store, steps, &Options::default())
            } else {
                query.instant(&store, end, &Options::default())
            };
            best = best.min(begun.elapsed().as_secs_f64());
            told = match answer.map(|answer| answer.value) {
                Ok(Value::Vector(lines)) => {
                    let sum: f64 = lines.iter().flat_map(|line| line.points().flatten()).sum();
                    format!("{} {sum}", lines.len())
                }
                other => format!("{other:?}"),
            };
        }
        println!("{name} {best} {told}");
    }
}

fn fill(store: &Store, instance: String, labels: BTreeMap<String, String>, at: i64, body: &str) {
    let ident = TargetIdent { instance, job: "bench".to_owned(), labels };
    let mut row = store.begin(&ident, at).expect("times rise");
    let parser = parse(body.as_bytes(), Format::PrometheusText, Mode::Lenient);
    row.expose("metrics", &mut Reader::new(parser)).expect("there is room");
    row.commit();
}
