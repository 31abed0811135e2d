//! `fleetglass check`: a config, its families and its target files, read as `serve` would read them.

use std::{collections::HashMap, path::PathBuf, process::ExitCode};

use clap::Args;

use super::BAD_CONFIG;
use crate::{
    auth::Tokens,
    config::LoadedConfig,
    serve::{Found, find, registry},
    state::has_users,
};

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The config file.
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CheckArgs) -> ExitCode {
    match read(args) {
        Ok(found) if found.errors.is_empty() => {
            report(args, true, &[], found.targets.len());
            ExitCode::SUCCESS
        }
        Ok(found) => {
            report(args, false, &found.errors, found.targets.len());
            ExitCode::from(BAD_CONFIG)
        }
        Err(error) => {
            report(args, false, &[format!("{error:#}")], 0);
            ExitCode::from(BAD_CONFIG)
        }
    }
}

fn read(args: &CheckArgs) -> anyhow::Result<Found> {
    let loaded = LoadedConfig::read(&args.config, std::env::vars())?;
    let registry = registry(&loaded)?;
    Tokens::of(&loaded)?;
    let config = &loaded.config;
    if !config.server.listen.ip().is_loopback()
        && !config.auth.asks()
        && !has_users(&loaded.resolve(&config.server.data_dir))
    {
        return Err(loaded.nobody_can_log_in().into());
    }
    Ok(find(&loaded, &registry, &mut HashMap::new(), &[]))
}

fn report(args: &CheckArgs, good: bool, errors: &[String], targets: usize) {
    if args.json {
        println!("{}", serde_json::json!({"valid": good, "targets": targets, "errors": errors}));
        return;
    }
    for error in errors {
        eprintln!("{error}");
    }
    if good {
        println!("{} is valid: {targets} targets", args.config.display());
    }
}
