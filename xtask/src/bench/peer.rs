//! What it costs to scrape: Fleetglass and Debian's Prometheus ask the same simulated nodes at the same
//! time, and the ratio of their processor time is the figure. Machines differ; one run's ratio less so.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use crate::clock;
use crate::paths;
use crate::problem::{AtPath, Problem, Result};
use crate::run;

const NODES: u32 = 40;
const SERIES: u32 = 1_000;
const INTERVAL: &str = "2s";
const WARM_UP: Duration = Duration::from_secs(8);
const WINDOW: Duration = Duration::from_secs(30);
/// Ports that the two listen on while they are measured.
const OWN_PORT: u16 = 19_380;
const PEER_PORT: u16 = 19_390;
/// Linux's clock ticks a second.
const TICKS: f64 = 100.0;

/// Runs both for half a minute and prints what each used. Says so and goes on where there is no Prometheus.
pub(super) fn command() -> Result<()> {
    println!("\n── scrape: {NODES} nodes of {SERIES} series and more, asked every {INTERVAL} by both");
    let Some(prometheus) = paths::find_program(&["prometheus"]) else {
        println!("left out: no prometheus on PATH; `cargo xtask setup` installs it");
        return Ok(());
    };
    let folder = std::env::temp_dir().join(format!("fleetglass-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).at("create", &folder)?;
    let outcome = measure(&prometheus, &folder);
    // Only what this run made; a leftover does no harm.
    let _ = fs::remove_dir_all(&folder);
    outcome
}

fn measure(prometheus: &Path, folder: &Path) -> Result<()> {
    let own = paths::proxy("release");
    let targets = folder.join("targets.json");
    let _fleet = Running::start(run::command(&own).args(["sim", "--faults", "none"]).args([
        "--nodes",
        &NODES.to_string(),
        "--series",
        &SERIES.to_string(),
        "--targets-file",
        &targets.display().to_string(),
    ]))?;
    wait_for("the simulated nodes", || targets.is_file())?;
    let text = fs::read_to_string(&targets).at("read", &targets)?;

    let config = folder.join("fleetglass.toml");
    let lines = format!(
        "[server]\nlisten = \"127.0.0.1:{OWN_PORT}\"\n[scrape]\ninterval = \"{INTERVAL}\"\ntimeout = \"{INTERVAL}\"\n\
         [[discovery]]\nfile_sd = [\"targets.json\"]\n"
    );
    fs::write(&config, lines).at("write", &config)?;
    let peer_config = folder.join("prometheus.yml");
    let lines = format!(
        "global: {{scrape_interval: {INTERVAL}, scrape_timeout: {INTERVAL}}}\nscrape_configs:\n- job_name: fleet\n  \
         file_sd_configs:\n  - files: ['{}']\n",
        targets.display()
    );
    fs::write(&peer_config, lines).at("write", &peer_config)?;
    // Both read the document as it is; an empty one would measure nothing.
    if !text.contains("targets") {
        return Err(Problem::new(format!("{} names no targets", targets.display())));
    }

    let own = Running::start(run::command(own).arg("serve").arg("--config").arg(&config))?;
    let peer = Running::start(
        run::command(prometheus)
            .arg(format!("--config.file={}", peer_config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("tsdb").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{PEER_PORT}"))
            .arg("--log.level=error"),
    )?;
    clock::pause(WARM_UP);
    let before = [own.look(OWN_PORT, OWN_SAMPLES)?, peer.look(PEER_PORT, PEER_SAMPLES)?];
    clock::pause(WINDOW);
    let after = [own.look(OWN_PORT, OWN_SAMPLES)?, peer.look(PEER_PORT, PEER_SAMPLES)?];

    let mut cost = [0.0; 2];
    for (index, name) in ["Fleetglass", "Prometheus"].into_iter().enumerate() {
        let samples = after[index].samples - before[index].samples;
        let cpu = after[index].cpu - before[index].cpu;
        cost[index] = cpu / samples.max(1.0) * 1e6;
        println!(
            "{name:<11} {cpu:>6.2} s of processor time for {samples:>9.0} samples: {:>6.2} s a million, {:>4.0} MiB",
            cost[index], after[index].mib
        );
    }
    println!("Fleetglass / Prometheus: {:.2} of its processor time a sample", cost[0] / cost[1]);
    Ok(())
}

/// What each counts its samples in.
const OWN_SAMPLES: &str = "fleetglass_samples_appended_total";
const PEER_SAMPLES: &str = "prometheus_tsdb_head_samples_appended_total";

struct Look {
    cpu: f64,
    mib: f64,
    samples: f64,
}

/// A child that does not outlive the measurement.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let line = run::line(command);
        let start = |error| Problem::new(format!("cannot start `{line}`: {error}"));
        command.spawn().map(Self).map_err(start)
    }

    fn look(&self, port: u16, counter: &str) -> Result<Look> {
        let proc = Path::new("/proc").join(self.0.id().to_string());
        let stat = fs::read_to_string(proc.join("stat")).at("read", &proc)?;
        let fields: Vec<f64> = stat
            .rsplit_once(')')
            .map_or("", |(_, rest)| rest)
            .split_ascii_whitespace()
            .map(|field| field.parse().unwrap_or(0.0))
            .collect();
        let field = |index: usize| fields.get(index).copied().unwrap_or(0.0);
        let metrics =
            run::capture(run::command("curl").args(["-sf", &format!("http://127.0.0.1:{port}/metrics")]))
                .ok_or_else(|| Problem::new(format!("nothing answers at 127.0.0.1:{port}/metrics")))?;
        let samples = metrics
            .lines()
            .filter_map(|line| line.strip_prefix(counter)?.rsplit_once(' ')?.1.parse::<f64>().ok())
            .sum();
        Ok(Look { cpu: (field(11) + field(12)) / TICKS, mib: field(21) * 4096.0 / 1_048_576.0, samples })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(what: &str, is_there: impl Fn() -> bool) -> Result<()> {
    for _ in 0..100 {
        if is_there() {
            return Ok(());
        }
        clock::pause(Duration::from_millis(100));
    }
    Err(Problem::new(format!("{what} did not start within 10 s")))
}
