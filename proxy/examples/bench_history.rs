//! Measures history on disk: bytes a sample beside Prometheus's own blocks of the same samples, what writing
//! costs, memory with 200,000 series, and a chart of 90 days.
//!
//! `cargo run --release -p fleetglass --example bench_history -- [PROMTOOL [PROMETHEUS]]`
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fleetglass::query::chart_of;
use fleetglass::sim::{Sim, SimArgs};
use fleetglass::store::{Limits, Reader, Store, TargetIdent};
use fleetglass::transfer;
use fleetglass_shared::exposition::{Format, Mode, parse};
use tokio_util::sync::CancellationToken;

type Failed = Box<dyn Error>;

const STEP_MS: i64 = 15_000;
const DAY_MS: i64 = 86_400_000;
const START: i64 = 20_000 * DAY_MS;
/// Expositions of each recording, laid 15 s apart; then they come again, backwards, forwards.
const RECORDED: usize = 300;
/// Eight hours.
const ROUNDS: i64 = 8 * 240;

/// The expositions of one target, in order.
struct Recording {
    name: String,
    bodies: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    // Only fails when one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut args = std::env::args().skip(1);
    let (promtool, prometheus) = (args.next(), args.next());
    println!("bytes a sample, eight hours at 15 s{:34}Fleetglass   rolled up  Prometheus", "");
    let made: Vec<Recording> = (0..10).map(made).collect();
    sizes("fake fleet: a third counters, a third gauges, a third constant", &made, promtool.as_deref())?;
    sizes("simulator: five families, with incidents", &simulated().await?, promtool.as_deref())?;
    if let Some(prometheus) = &prometheus {
        sizes("a Go process: Prometheus itself", &[go_process(prometheus).await?], promtool.as_deref())?;
    }
    memory()?;
    chart()
}

/// As `fakefleet` makes them.
fn made(target: usize) -> Recording {
    let bodies = (0..RECORDED).map(|round| {
        let mut body = String::new();
        for n in 0..300usize {
            let noise = (target * 31 + n * 17 + round * round * 7) % 101;
            let _ = match n % 3 {
                0 => writeln!(
                    body,
                    "requests_total{{n=\"{n}\"}} {}",
                    1_000_000 + round * (n % 50) * 10 + noise
                ),
                1 => writeln!(body, "gauge{{n=\"{n}\"}} {}", 40.0 + noise as f64 / 10.0),
                _ => writeln!(body, "limit{{n=\"{n}\"}} {}", n * 3),
            };
        }
        body
    });
    Recording { name: format!("fake-{target}"), bodies: bodies.collect() }
}

/// The simulator's nodes, over HTTP, five simulated seconds a scrape.
async fn simulated() -> Result<Vec<Recording>, Failed> {
    let cancel = CancellationToken::new();
    let args = SimArgs { nodes: 10, speed: 75.0, ..SimArgs::default() };
    let sim = Sim::start(&args, cancel.clone()).await?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(1)).build()?;
    let mut recordings: Vec<Recording> = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    for _ in 0..RECORDED / 3 {
        ticks.tick().await;
        for target in sim.targets() {
            let url =
                target.endpoints.get("metrics").cloned().unwrap_or_else(|| format!("{}/metrics", target.url));
            let body = match client.get(url).send().await {
                Ok(answer) if answer.status().is_success() => answer.text().await.unwrap_or_default(),
                _ => String::new(),
            };
            match recordings.iter_mut().find(|recording| recording.name == target.id) {
                Some(recording) => recording.bodies.push(body),
                None => recordings.push(Recording { name: target.id, bodies: vec![body] }),
            }
        }
    }
    cancel.cancel();
    recordings.retain(|recording| recording.bodies.iter().any(|body| !body.is_empty()));
    Ok(recordings)
}

/// A process of its own that is killed with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn go_process(prometheus: &str) -> Result<Recording, Failed> {
    let folder = tempfile::tempdir()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let config = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: self\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
    );
    std::fs::write(folder.path().join("prometheus.yml"), config)?;
    let _running = Running(
        Command::new(prometheus)
            .arg(format!("--config.file={}/prometheus.yml", folder.path().display()))
            .arg(format!("--storage.tsdb.path={}/data", folder.path().display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?,
    );
    let client = reqwest::Client::new();
    let mut bodies = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    while bodies.len() < RECORDED {
        ticks.tick().await;
        if let Ok(answer) = client.get(format!("http://127.0.0.1:{port}/metrics")).send().await {
            bodies.push(answer.text().await?);
        }
    }
    Ok(Recording { name: "prometheus".to_owned(), bodies })
}

fn ident(name: &str) -> TargetIdent {
    let labels = BTreeMap::from([("region".to_owned(), "eu".to_owned())]);
    TargetIdent { instance: name.to_owned(), job: "bench".to_owned(), labels }
}

fn append(store: &Store, name: &str, at: i64, body: &str) -> Result<usize, Failed> {
    let mut row = store.begin(&ident(name), at)?;
    let parser = parse(body.as_bytes(), Format::PrometheusText, Mode::Lenient);
    row.expose("metrics", &mut Reader::new(parser))?;
    Ok(row.commit().samples)
}

fn sizes(what: &str, recordings: &[Recording], promtool: Option<&str>) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (store, _) = Store::open(Limits::default(), folder.path(), START)?;
    let (mut samples, mut spent) = (0, Duration::ZERO);
    for round in 0..ROUNDS {
        let at = START + round * STEP_MS;
        for Recording { name, bodies } in recordings {
            // There and back again: no jump where it repeats.
            let place = round as usize % (2 * bodies.len());
            let place = if place < bodies.len() { place } else { 2 * bodies.len() - 1 - place };
            samples += append(&store, name, at, &bodies[place])?;
        }
        let begun = Instant::now();
        store.flush_log(false)?;
        if round % 4 == 0 {
            store.flush(at, false)?;
        }
        // As a proxy does every quarter of an hour.
        if round % 60 == 0 {
            store.turn_log();
        }
        spent += begun.elapsed();
    }
    let begun = Instant::now();
    store.turn_log();
    store.flush(START + ROUNDS * STEP_MS, true)?;
    spent += begun.elapsed();
    let own = bytes(folder.path())? as f64 / samples as f64;
    let begun = Instant::now();
    store.roll_up(START + 2 * DAY_MS)?;
    let rolled = begun.elapsed();
    // What was replaced goes the next time.
    store.roll_up(START + 2 * DAY_MS)?;
    let days = bytes(&folder.path().join("raw"))? as f64 / samples as f64;
    let theirs = promtool.map(|promtool| blocks(&store, promtool)).transpose()?;
    let theirs = theirs.map_or("-".to_owned(), |theirs| format!("{:.3}", theirs as f64 / samples as f64));
    println!("  {what:<66}{own:>9.3}{days:>12.3}{theirs:>12}");
    println!(
        "  {:66}{samples} samples; writing {:.0} ns a sample, rolling up {:.0} ns",
        "",
        spent.as_secs_f64() * 1e9 / samples as f64,
        rolled.as_secs_f64() * 1e9 / samples as f64
    );
    Ok(())
}

/// The bytes of Prometheus's blocks of the same samples.
fn blocks(store: &Store, promtool: &str) -> Result<u64, Failed> {
    let folder = tempfile::tempdir()?;
    let (text, data) = (folder.path().join("all.om"), folder.path().join("data"));
    let mut out = std::io::BufWriter::new(std::fs::File::create(&text)?);
    transfer::export(store, &[], (0, i64::MAX / 4), &mut |piece| {
        out.write_all(piece.as_bytes()).map_err(|error| error.to_string())
    })?;
    out.flush()?;
    let made = Command::new(promtool)
        .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet", "--max-block-duration=24h"])
        .args([&text, &data])
        .stdout(Stdio::null())
        .status()?;
    if !made.success() {
        return Err("promtool made no blocks".into());
    }
    bytes(&data)
}

fn bytes(folder: &Path) -> Result<u64, Failed> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        sum += if meta.is_dir() { bytes(&entry.path())? } else { meta.len() };
    }
    Ok(sum)
}

fn memory() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (store, _) = Store::open(Limits::default(), folder.path(), START)?;
    let before = resident();
    let recordings: Vec<Recording> = (0..667)
        .map(|target| {
            let mut one = made(target);
            one.bodies.truncate(8);
            one
        })
        .collect();
    let texts: usize = recordings.iter().flat_map(|one| &one.bodies).map(String::len).sum();
    let mut samples = 0;
    for round in 0..480 {
        let at = START + round * STEP_MS;
        for Recording { name, bodies } in &recordings {
            samples += append(&store, name, at, &bodies[round as usize % bodies.len()])?;
        }
        store.flush_log(false)?;
        if round % 4 == 0 {
            store.flush(at, false)?;
        }
    }
    let stats = store.stats();
    println!(
        "\nmemory with {} series after two hours, an hour of it kept: {:.0} MB by its own count, {:.0} MB resident; \
         {samples} samples, {:.0} MB on disk",
        stats.series,
        stats.bytes as f64 / 1e6,
        (resident() - before) / 1e6 - texts as f64 / 1e6,
        stats.disk_bytes as f64 / 1e6
    );
    Ok(())
}

fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(f64::NAN) * 1024.0
}

/// 100 nodes for 90 days, a sample a minute; the last day is not rolled up.
fn chart() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (store, _) = Store::open(Limits::default(), folder.path(), START)?;
    let names: Vec<String> = (0..100).map(|n| format!("node-{n}")).collect();
    let end = START + 90 * DAY_MS;
    for round in 0..90 * 1440 {
        let at = START + round * 60_000;
        for (number, name) in names.iter().enumerate() {
            let body = format!(
                "served_total {}\nlag_seconds {}\nup_state {}\n",
                round * 3 + number as i64,
                (round + number as i64) % 600,
                u8::from(round % 5000 != 77)
            );
            append(&store, name, at, &body)?;
        }
        if round % 240 == 239 {
            store.flush_log(false)?;
            store.flush(at, false)?;
            store.roll_up(at)?;
        }
    }
    println!("\na chart of 90 days of 100 nodes, 240 points, first and again:");
    for (what, expr) in [
        ("counter", "rate(served_total[5m])"),
        ("gauge", "lag_seconds"),
        ("state", "up_state"),
        ("sum", "sum(rate(served_total[5m]))"),
    ] {
        let mut took = Vec::new();
        let mut size = 0;
        for _ in 0..2 {
            let begun = Instant::now();
            size = chart_of(&store, expr, START, end, 240)?.len();
            took.push(format!("{:.0} ms", begun.elapsed().as_secs_f64() * 1e3));
        }
        println!("  {what:<10}{expr:<32}{:>20}  {} kB", took.join(", "), size / 1000);
    }
    println!("  on disk {:.1} MB", store.stats().disk_bytes as f64 / 1e6);
    Ok(())
}
