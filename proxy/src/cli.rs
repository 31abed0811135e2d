//! The command line.

mod check;
mod demo;
mod folder;
mod history;
mod notify;
mod query;
mod restart;
mod rules;
mod serve;
mod share;
mod token;
mod user;
mod whom;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use rules::RulesCommand;

use crate::{config::ConfigError, sim::SimArgs, telemetry};

/// Exit code for a configuration that is refused.
const BAD_CONFIG: u8 = 2;

/// Fleetglass: a looking glass over a fleet of staked nodes.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true)]
struct Cli {
    /// Write the log as JSON lines.
    #[arg(long, global = true)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Scrape the nodes of a config and serve the dashboard.
    #[command(after_help = serve::EXAMPLE)]
    Serve {
        /// The config file.
        #[arg(long, short, value_name = "FILE")]
        config: PathBuf,
    },
    /// Simulate a fleet of every built-in family over real HTTP, and serve the dashboard for it.
    #[command(after_help = demo::EXAMPLE)]
    Demo(demo::DemoArgs),
    /// Only the simulated nodes, for tests and benches.
    #[command(
        after_help = "Example:\n  fleetglass sim --nodes 20 --listen 127.0.0.1:19000 --targets-file targets.json"
    )]
    Sim(SimArgs),
    /// Read a config, its families and its target files, and say what is wrong with them.
    #[command(after_help = "Example:\n  fleetglass check --config fleetglass.toml --json")]
    Check(check::CheckArgs),
    /// Ask a running proxy in PromQL, and print a table, JSON or CSV, and of a range a chart.
    #[command(after_help = query::EXAMPLE)]
    Query(query::QueryArgs),
    /// Ask a running proxy whether nodes may be restarted now; the exit code tells scripts.
    #[command(after_help = restart::EXAMPLE)]
    RestartCheck(restart::RestartArgs),
    /// Try whether messages arrive, and who would get them.
    #[command(subcommand)]
    Notify(notify::NotifyCommand),
    /// Links that show a part of the fleet to somebody without a login.
    #[command(subcommand)]
    Share(share::ShareCommand),
    /// Check, test and back-test rules.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Write history as OpenMetrics with timestamps.
    #[command(after_help = history::EXPORT)]
    Export(history::ExportArgs),
    /// Take in history as OpenMetrics with timestamps.
    #[command(after_help = history::IMPORT)]
    Import(history::ImportArgs),
    /// Remove every sample before a time.
    #[command(after_help = history::PRUNE)]
    Prune(history::PruneArgs),
    /// Copy a data folder, also while a proxy works in it.
    #[command(after_help = history::BACKUP)]
    Backup(history::BackupArgs),
    /// Put a backup back: into an empty data folder, or into a running proxy.
    #[command(after_help = history::RESTORE)]
    Restore(history::RestoreArgs),
    /// Those who sign in with a name and a password.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Tokens for those who may ask.
    #[command(subcommand)]
    Token(token::TokenCommand),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    telemetry::start_log(cli.log_json);
    let outcome = match cli.command {
        Command::Check(args) => return check::run(&args),
        Command::RestartCheck(args) => return restart::run(&args, runtime()),
        Command::Notify(command) => return notify::run(&command, runtime()),
        Command::Rules(RulesCommand::Check(args)) => return rules::check(&args),
        Command::Rules(RulesCommand::Test(args)) => return rules::test(&args),
        Command::Rules(RulesCommand::Backtest(args)) => {
            runtime().and_then(|runtime| runtime.block_on(rules::backtest(args)))
        }
        Command::Serve { config } => runtime().and_then(|runtime| runtime.block_on(serve::run(config))),
        Command::Demo(args) => runtime().and_then(|runtime| runtime.block_on(demo::run(args))),
        Command::Share(command) => runtime().and_then(|runtime| runtime.block_on(share::run(command))),
        Command::Token(token::TokenCommand::New { name, json }) => token::new(&name, json),
        Command::Token(command) => runtime().and_then(|runtime| runtime.block_on(token::run(command))),
        Command::User(command) => runtime().and_then(|runtime| runtime.block_on(user::run(command))),
        Command::Query(args) => runtime().and_then(|runtime| runtime.block_on(query::run(args))),
        Command::Export(args) => runtime().and_then(|runtime| runtime.block_on(history::export(args))),
        Command::Import(args) => runtime().and_then(|runtime| runtime.block_on(history::import(args))),
        Command::Prune(args) => runtime().and_then(|runtime| runtime.block_on(history::prune(args))),
        Command::Backup(args) => history::backup(&args),
        Command::Restore(args) => runtime().and_then(|runtime| runtime.block_on(history::restore(args))),
        Command::Sim(args) => runtime().and_then(|runtime| runtime.block_on(crate::sim::run(args))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fleetglass: {error:#}");
            ExitCode::from(if error.is::<ConfigError>() { BAD_CONFIG } else { 1 })
        }
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    // Each node needs a socket or two; the usual soft limit of 1024 is soon reached.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    // Only fails when one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Resolves when the process is asked to end (SIGTERM, Ctrl-C).
async fn asked_to_end() {
    let interrupt = async {
        // Without the handler Ctrl-C ends the process as it does any other.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<Option<()>>();
    tokio::select! {
        () = interrupt => {}
        _ = terminate => {}
    }
}
