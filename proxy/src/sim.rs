//! A simulated fleet of all five families, on real sockets, with incidents that come and go.
//!
//! The product cannot tell a simulated node from a real one: it is asked over HTTP like any other.
//! What a node answers is a pure function of the seed, the node and the time ([`dialect`]), so an idle
//! fleet costs nothing and a test needs no sleep. The only part of the proxy that knows families by
//! name. `docs/simulator.md` is the manual.
//!
//! | module | what it holds |
//! |---|---|
//! | [`fleet`] | who exists |
//! | [`faults`] | what goes wrong, and when |
//! | [`node`], [`value`] | what a node is like at a moment |
//! | [`dialect`] | what it answers |
//! | [`server`] | its sockets |

pub mod clock;
pub mod dialect;
pub mod exposition;
pub mod family;
pub mod faults;
pub mod fleet;
pub mod node;
mod ports;
pub mod server;
pub mod targets;
pub mod value;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::Context as _;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use clock::Clock;
use ports::Ports;
use server::{Seat, World};
pub use targets::SimTarget;

/// `fleetglass sim`.
#[derive(Clone, Debug, clap::Args)]
pub struct SimArgs {
    /// How many nodes
    #[arg(long, default_value_t = 60, value_name = "N")]
    pub nodes: usize,
    /// Where they listen: from this port on, or on any free ports if it is 0
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// The same seed makes the same fleet
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// What goes wrong: all, none, crash-loop=2, decdn-03:blacklist-lag@10s+2m, … (docs/simulator.md)
    #[arg(long, default_value = "all", value_name = "SPEC")]
    pub faults: String,
    /// Simulated seconds per second
    #[arg(long, default_value_t = 1.0)]
    pub speed: f64,
    /// Synthetic series to add to every node's metrics, for benches
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub series: u32,
    /// Write the nodes to this file as a Prometheus file_sd document
    #[arg(long, value_name = "PATH")]
    pub targets_file: Option<PathBuf>,
}

impl Default for SimArgs {
    fn default() -> Self {
        Self {
            nodes: 60,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: 1,
            faults: "all".to_owned(),
            speed: 1.0,
            series: 0,
            targets_file: None,
        }
    }
}

/// A fleet that runs until its token is cancelled.
#[derive(Debug)]
pub struct Sim {
    targets: Vec<SimTarget>,
    listeners: TaskTracker,
    cancel: CancellationToken,
}

impl Sim {
    /// Starts a fleet: when this returns, all its nodes answer (but those that are down).
    ///
    /// # Errors
    /// The fault spec cannot be read or does not fit the fleet, an address cannot be had, or the
    /// targets file cannot be written.
    pub async fn start(args: &SimArgs, cancel: CancellationToken) -> anyhow::Result<Self> {
        anyhow::ensure!(
            args.speed.is_finite() && args.speed > 0.0,
            "--speed {} is not a factor; write a number above 0, such as 10",
            args.speed
        );
        let mut nodes = fleet::build(args.nodes, args.seed, args.series);
        let items = faults::spec::parse(&args.faults)?;
        faults::schedule::plan(&items, &mut nodes, args.seed)?;
        // Two files a listener and two a connection, all in one process in the demo. Where the limit
        // cannot be raised, binding says so.
        let _ = rlimit::increase_nofile_limit(u64::MAX);
        let world = Arc::new(World { nodes, clock: Clock::start(args.speed) });
        let (targets, seats) = open(&world, args.listen)?;
        if let Some(path) = &args.targets_file {
            targets::write_file(path, &targets)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        let listeners = TaskTracker::new();
        for seat in seats {
            listeners.spawn(seat.serve(Arc::clone(&world), cancel.clone()));
        }
        listeners.close();
        Ok(Self { targets, listeners, cancel })
    }

    /// The nodes, as targets to scrape.
    pub fn targets(&self) -> Vec<SimTarget> {
        self.targets.clone()
    }

    /// Stops the fleet and waits until its sockets are closed.
    pub async fn stop(self) {
        self.cancel.cancel();
        self.listeners.wait().await;
    }
}

/// Opens every port of every node.
fn open(world: &World, listen: SocketAddr) -> anyhow::Result<(Vec<SimTarget>, Vec<Seat>)> {
    let listeners = world.nodes.iter().map(|node| node.ports().len()).sum();
    let mut ports = Ports::new(listen, listeners);
    let mut targets = Vec::with_capacity(world.nodes.len());
    let mut seats = Vec::with_capacity(listeners);
    for (index, node) in world.nodes.iter().enumerate() {
        let mut own = Vec::new();
        for &port in node.ports() {
            let seat = ports.bind(index, port).with_context(|| format!("no port for {}", node.id))?;
            own.push((port, seat.address()));
            seats.push(seat.settle(world)?);
        }
        targets.push(SimTarget::new(node, &own));
    }
    Ok((targets, seats))
}

/// Runs `fleetglass sim`: starts the fleet, prints its nodes, and ends with Ctrl-C.
///
/// # Errors
/// As [`Sim::start`].
pub async fn run(args: SimArgs) -> anyhow::Result<()> {
    let sim = Sim::start(&args, CancellationToken::new()).await?;
    targets::print(&sim.targets);
    println!("{} nodes run; Ctrl-C ends them.", sim.targets.len());
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    sim.stop().await;
    Ok(())
}

#[cfg(test)]
mod tests;
