//! How fast expositions are read: MB/s and samples/s over real bodies where the corpus is there, else over a
//! generated one; with the hints of the last scrape and without.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fleetglass_shared::exposition::write::Writer;
use fleetglass_shared::exposition::{Entry, Format, MetricKind, Mode, parse};

fn main() {
    for (name, format, body) in bodies() {
        let series = series_of(&body, format);
        if series.is_empty() {
            continue;
        }
        let first = measure(|| read(&body, format, Mode::Lenient, &[]));
        let hinted = measure(|| read(&body, format, Mode::Lenient, &series));
        print(&name, "first scrape", body.len(), series.len(), first);
        print(&name, "with hints", body.len(), series.len(), hinted);
    }
}

/// The series of a body in their order: what a scraper keeps between scrapes.
fn series_of(body: &[u8], format: Format) -> Vec<Vec<u8>> {
    let mut parser = parse(body, format, Mode::Lenient);
    let mut series = Vec::new();
    while let Some(Ok(entry)) = parser.next_entry() {
        if let Entry::Sample(sample) = entry {
            series.push(sample.series.as_bytes().to_vec());
        }
    }
    series
}

fn read(body: &[u8], format: Format, mode: Mode, series: &[Vec<u8>]) -> f64 {
    let mut parser = parse(body, format, mode);
    let mut sum = 0.0;
    let mut row = 0;
    while let Some(Ok(entry)) = parser.next_entry_with(series.get(row).map(Vec::as_slice)) {
        if let Entry::Sample(sample) = entry {
            sum += sample.value;
            row += 1;
        }
    }
    sum
}

/// The best of several runs: what the code can do when the machine does nothing else.
#[allow(clippy::disallowed_methods)] // a bench is a clock
fn measure(mut run: impl FnMut() -> f64) -> Duration {
    let mut best = Duration::MAX;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(400) {
        let start = Instant::now();
        black_box(run());
        best = best.min(start.elapsed());
    }
    best
}

fn print(name: &str, way: &str, bytes: usize, samples: usize, time: Duration) {
    let seconds = time.as_secs_f64();
    println!(
        "exposition {name:<28} {way:<12} {:7.0} MB/s  {:6.2} M samples/s  {:5.0} ns a sample",
        bytes as f64 / seconds / 1e6,
        samples as f64 / seconds / 1e6,
        seconds * 1e9 / samples as f64,
    );
}

fn bodies() -> Vec<(String, Format, Vec<u8>)> {
    let root = std::env::var_os("FLEETGLASS_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"), PathBuf::from);
    let mut found = Vec::new();
    for folder in ["node_exporter", "blockchain"] {
        let Ok(files) = std::fs::read_dir(root.join("exposition").join(folder)) else { continue };
        for path in files.filter_map(|file| Some(file.ok()?.path())) {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            // Small bodies measure the clock.
            if let Ok(body) = std::fs::read(&path)
                && body.len() > 40_000
            {
                let open = name.contains(".om.");
                found.push((name, if open { Format::OpenMetrics } else { Format::PrometheusText }, body));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    if found.is_empty() {
        found.push(("generated".to_owned(), Format::PrometheusText, generated()));
    }
    found
}

fn generated() -> Vec<u8> {
    let mut writer = Writer::default();
    for family in 0..200 {
        let name = format!("demo_family_{family}_total");
        writer.family(&name, MetricKind::Counter, "A counter of the bench.");
        for row in 0..15 {
            let peer = format!("peer-{row}");
            writer.sample(&name, [("peer", &*peer), ("direction", "in")], f64::from(family * row), None);
        }
    }
    writer.into_string().into_bytes()
}
