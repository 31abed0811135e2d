//! `cargo xtask bench promql`: three queries beside Debian's Prometheus, over the same samples in one run.
//! What the figures are worth is their ratio.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::clock;
use crate::paths;
use crate::problem::{AtPath, Problem, Result};
use crate::run;

/// What the issue asks for; `FLEETGLASS_BENCH_NODES` asks for fewer nodes where disk or patience is short.
const NODES: usize = 1_000;
const SERIES: usize = 200;
const BUCKETS: usize = 10_000;
const PORT: u16 = 19_391;
/// The samples: an hour and five minutes, every 15 s. The last is the end.
const END: u64 = 1_700_000_000 + 260 * 15;
/// Each is asked so often; the best counts.
const TIMES: usize = 5;

const CASES: [(&str, &str, bool); 3] = [
    ("range", "sum by (family) (rate(x_total[5m]))", true),
    ("topk", "topk(10, x_total)", false),
    ("quantile", "histogram_quantile(0.9, y_bucket)", false),
];

/// Fills both, asks both, and prints seconds and ratios. Says so and goes on where there is no Prometheus.
pub(super) fn command() -> Result<()> {
    let nodes = std::env::var("FLEETGLASS_BENCH_NODES").ok().and_then(|n| n.parse().ok()).unwrap_or(NODES);
    println!("\n── promql: {nodes} nodes × {SERIES} series for an hour at 15 s, {BUCKETS} buckets");
    let (Some(prometheus), Some(promtool)) =
        (paths::find_program(&["prometheus"]), paths::find_program(&["promtool"]))
    else {
        println!("left out: no prometheus on PATH; `cargo xtask setup` installs it");
        return Ok(());
    };
    run::show(&mut run::cargo("build --quiet --release -p fleetglass --example bench_promql"))?;
    let own = paths::proxy("release").with_file_name("examples").join("bench_promql");
    let folder = std::env::temp_dir().join(format!("fleetglass-promql-{}", std::process::id()));
    fs::create_dir_all(&folder).at("create", &folder)?;
    let outcome = measure(&own, &prometheus, &promtool, &folder, nodes);
    // Only what this run made; a leftover does no harm.
    let _ = fs::remove_dir_all(&folder);
    outcome
}

fn measure(own: &Path, prometheus: &Path, promtool: &Path, folder: &Path, nodes: usize) -> Result<()> {
    let sizes = [nodes, SERIES, BUCKETS].map(|size| size.to_string());
    let (text, data) = (folder.join("samples.om"), folder.join("data"));
    run::show(run::command(own).arg("write").arg(&text).args(&sizes))?;
    run::show(
        run::command(promtool)
            .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
            .args([&text, &data])
            .stdout(Stdio::null()),
    )?;
    fs::remove_file(&text).at("remove", &text)?;
    let own = run::capture(run::command(own).arg("run").args(&sizes))
        .ok_or_else(|| Problem::new("bench_promql failed"))?;
    let peer = Peer::start(prometheus, folder, &data)?;
    println!("{:<10} {:>12} {:>12} {:>8}  answers", "", "Fleetglass", "Prometheus", "ratio");
    for (name, expr, ranged) in CASES {
        let line = own.lines().find(|line| line.split(' ').next() == Some(name));
        let words: Vec<&str> = line.unwrap_or("").split(' ').collect();
        let [_, seconds, answers @ ..] = words.as_slice() else {
            return Err(Problem::new(format!("bench_promql says nothing of {name}")));
        };
        let ours: f64 = seconds.parse().unwrap_or(f64::NAN);
        let (theirs, sum) = peer.ask(expr, ranged)?;
        println!(
            "{name:<10} {:>9.1} ms {:>9.1} ms {:>8.2}  ours {}, theirs {sum}",
            ours * 1e3,
            theirs * 1e3,
            ours / theirs,
            answers.join(" ")
        );
    }
    Ok(())
}

/// A Prometheus that does not outlive the measurement.
struct Peer {
    child: Child,
    body: PathBuf,
}

impl Peer {
    fn start(prometheus: &Path, folder: &Path, data: &Path) -> Result<Self> {
        let config = folder.join("prometheus.yml");
        fs::write(&config, "scrape_configs: []\n").at("write", &config)?;
        let mut command: Command = run::command(prometheus);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg("--storage.tsdb.retention.time=100y")
            .arg("--query.max-samples=500000000")
            .arg(format!("--web.listen-address=127.0.0.1:{PORT}"))
            .arg("--log.level=error")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child =
            command.spawn().map_err(|error| Problem::new(format!("cannot start Prometheus: {error}")))?;
        let peer = Self { child, body: folder.join("answer.json") };
        for _ in 0..600 {
            let ready =
                run::command("curl").args(["-sf", &format!("http://127.0.0.1:{PORT}/-/ready")]).output();
            if ready.is_ok_and(|output| output.status.success()) {
                return Ok(peer);
            }
            clock::pause(Duration::from_millis(100));
        }
        Err(Problem::new("Prometheus did not start within a minute"))
    }

    /// The best time of an expression in seconds, and how much it answered.
    fn ask(&self, expr: &str, ranged: bool) -> Result<(f64, String)> {
        let mut best = f64::INFINITY;
        for _ in 0..TIMES {
            let path = if ranged { "query_range" } else { "query" };
            let mut curl = run::command("curl");
            curl.args(["-s", "-m", "300", "-w", "%{time_starttransfer}", "-o"]).arg(&self.body);
            curl.args(["--data-urlencode", &format!("query={expr}")]);
            if ranged {
                curl.args([
                    "-d",
                    &format!("start={}", END - 3600),
                    "-d",
                    &format!("end={END}"),
                    "-d",
                    "step=15",
                ]);
            } else {
                curl.args(["-d", &format!("time={END}")]);
            }
            curl.arg(format!("http://127.0.0.1:{PORT}/api/v1/{path}"));
            let seconds = run::capture(&mut curl).and_then(|text| text.trim().parse::<f64>().ok());
            best = best.min(seconds.ok_or_else(|| Problem::new("Prometheus gave no answer"))?);
        }
        let body = fs::read_to_string(&self.body).at("read", &self.body)?;
        if !body.contains("\"status\":\"success\"") {
            return Err(Problem::new(format!("Prometheus answers {:.300}", body)));
        }
        Ok((best, body.matches("\"metric\":").count().to_string()))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
