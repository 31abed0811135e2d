//! `fleetglass demo`: a simulated fleet on real sockets, and the dashboard that scrapes it.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, LoadedConfig, ScrapeConfig, Span},
    serve::Proxy,
    sim::{Sim, SimArgs},
    target::Target,
};

pub(super) const EXAMPLE: &str = "Example:\n  fleetglass demo --nodes 60 --port 8090";

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// How many nodes to simulate.
    #[arg(long, default_value_t = 60)]
    nodes: usize,
    /// The port of the dashboard on this machine; without it 8080, or a free one where that is taken.
    #[arg(long)]
    port: Option<u16>,
    /// Where the dashboard listens, in full; loopback only, for the demo has no login.
    #[arg(long, conflicts_with = "port", value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Another seed, another fleet.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Which incidents; see docs/simulator.md.
    #[arg(long, default_value = "all")]
    faults: String,
    /// How often each node is asked.
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration)]
    interval: Duration,
}

pub(super) async fn run(args: DemoArgs) -> anyhow::Result<()> {
    let listen = args.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], free_port(args.port))));
    anyhow::ensure!(listen.ip().is_loopback(), "the demo has no login, so it listens on loopback only");
    let cancel = CancellationToken::new();
    let sim = SimArgs { nodes: args.nodes, seed: args.seed, faults: args.faults, ..SimArgs::default() };
    let sim = Sim::start(&sim, cancel.child_token()).await?;

    let scrape = ScrapeConfig {
        interval: Span(args.interval),
        timeout: Span(args.interval.min(Duration::from_secs(4))),
        ..ScrapeConfig::default()
    };
    let targets: Vec<Target> = sim
        .targets()
        .into_iter()
        .map(|simulated| Target {
            endpoints: simulated.endpoints,
            labels: simulated.labels,
            probe_tcp: simulated.probe_tcp,
            ..Target::new(simulated.id, simulated.family, simulated.url, &scrape)
        })
        .collect();
    let mut config = Config { scrape, ..Config::default() };
    config.server.listen = listen;
    let data = Throwaway::new()?;
    config.server.data_dir.clone_from(&data.0);
    let loaded = LoadedConfig { config, path: PathBuf::from("demo"), text: String::new() };
    let proxy = Proxy::new(loaded, cancel.clone()).await?;

    println!(
        "{} simulated nodes run on this machine and are asked every {} s.",
        targets.len(),
        args.interval.as_secs_f64()
    );
    println!("Open  http://{}  to watch them. Ctrl-C ends it.", proxy.address()?);
    tokio::spawn(async move {
        super::asked_to_end().await;
        cancel.cancel();
    });
    let outcome = proxy.run(targets).await;
    drop(sim);
    drop(data);
    outcome
}

/// A folder for the data of one demo, removed with all that is in it.
struct Throwaway(PathBuf);

impl Throwaway {
    fn new() -> anyhow::Result<Self> {
        let mut name = [0; 8];
        getrandom::fill(&mut name).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
        let name = format!("fleetglass-demo-{:016x}", u64::from_be_bytes(name));
        let folder = std::env::temp_dir().join(name);
        let mut builder = std::fs::DirBuilder::new();
        // Others on this machine share the folder it is in.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&folder)
            .map_err(|error| anyhow::anyhow!("{} cannot be made: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        // What is left is the system's to sweep.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The port asked for, else the usual one where nobody has it, else any.
fn free_port(asked: Option<u16>) -> u16 {
    const USUAL: u16 = 8080;
    asked.unwrap_or_else(|| {
        let is_free = std::net::TcpListener::bind(("127.0.0.1", USUAL)).is_ok();
        if is_free { USUAL } else { 0 }
    })
}
