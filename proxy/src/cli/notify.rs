//! `fleetglass notify`: tries a receiver, and says who would be told of an alert.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use fleetglass_shared::wire::NotifyTest;
use tokio::runtime::Runtime;

use super::whom::{Token, heard};
use crate::{
    config::LoadedConfig,
    notify::{self, Plan},
};

const TEST: &str = "Examples:\n  \
    fleetglass notify test pager\n  \
    fleetglass notify test team --config fleetglass.toml\n\n\
    Exit codes:\n  \
    0  all of it was taken\n  \
    1  something was not\n  \
    2  it could not be tried: a bad config, no such receiver, no answer, a token that is missing";

const ROUTE: &str = "Example:\n  \
    fleetglass notify route --config fleetglass.toml --labels severity=critical,region=eu\n\n\
    Prints the receivers as `amtool config routes test` does. With --verify the exit code is 1 when they are others.";

/// It could not be tried.
const NOT_TRIED: u8 = 2;

#[derive(Debug, Subcommand)]
pub(super) enum NotifyCommand {
    /// Send a test message to a receiver, and print what was sent where and what came back.
    #[command(after_help = TEST)]
    Test(TestArgs),
    /// Print the receivers that an alert with some labels would go to.
    #[command(after_help = ROUTE)]
    Route(RouteArgs),
}

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// The receiver's name.
    receiver: String,
    /// The running proxy that sends it.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    #[command(flatten)]
    token: Token,
    /// Send it from here, with this config, without a running proxy.
    #[arg(long, short, value_name = "FILE", conflicts_with = "url")]
    config: Option<PathBuf>,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RouteArgs {
    /// The config file.
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    /// The alert's labels.
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    labels: Vec<String>,
    /// The receivers that it must be, with commas between them.
    #[arg(long, value_name = "RECEIVERS")]
    verify: Option<String>,
}

/// Runs a command, and ends with its code.
pub(super) fn run(command: &NotifyCommand, runtime: anyhow::Result<Runtime>) -> ExitCode {
    let ended = match command {
        NotifyCommand::Route(args) => route(args),
        NotifyCommand::Test(args) => runtime.and_then(|runtime| runtime.block_on(test(args))),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("fleetglass: {error:#}");
            ExitCode::from(NOT_TRIED)
        }
    }
}

/// Where nothing listens; only links in messages would show it.
fn nowhere(loaded: &LoadedConfig) -> SocketAddr {
    loaded.config.server.listen
}

async fn test(args: &TestArgs) -> anyhow::Result<bool> {
    let tried = match &args.config {
        Some(config) => {
            let loaded = LoadedConfig::read(config, std::env::vars())?;
            let plan = Arc::new(Plan::new(&loaded, nowhere(&loaded))?);
            notify::try_out(&notify::alone().await?, &plan, &args.receiver).await?
        }
        None => asked(args).await?,
    };
    if args.json {
        println!("{}", serde_json::to_string(&tried)?);
        return Ok(tried.ok);
    }
    for attempt in &tried.attempts {
        println!("{}: {}: {} ({} ms)", attempt.way, attempt.outcome, attempt.text, attempt.took_ms);
        println!("  {}", attempt.title);
    }
    Ok(tried.ok)
}

async fn asked(args: &TestArgs) -> anyhow::Result<NotifyTest> {
    let base = args.url.trim_end_matches('/');
    let mut url = reqwest::Url::parse(base).with_context(|| format!("`{base}` is no URL"))?;
    url.path_segments_mut()
        .map_err(|()| anyhow::anyhow!("`{base}` is no URL of a server"))?
        .pop_if_empty()
        .extend(["api", "v1", "receivers", &args.receiver, "test"]);
    let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(120)).build()?;
    let token = args.token.read()?;
    let (status, text) = heard(client.post(url), token.as_deref(), base).await?;
    if !status.is_success() {
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        bail!("{base} answered {status}: {}", problem["detail"].as_str().unwrap_or("not as Fleetglass does"));
    }
    serde_json::from_str(&text).with_context(|| format!("{base} did not answer as Fleetglass does"))
}

fn route(args: &RouteArgs) -> anyhow::Result<bool> {
    let loaded = LoadedConfig::read(&args.config, std::env::vars())?;
    let plan = Plan::new(&loaded, nowhere(&loaded))?;
    let receivers = plan.receivers_of(&labels(&args.labels)?).join(",");
    if receivers.is_empty() {
        bail!("the config has no [notify.route], so nobody is told");
    }
    println!("{receivers}");
    match &args.verify {
        Some(wanted) if *wanted != receivers => {
            eprintln!("fleetglass: these are not the receivers {wanted}");
            Ok(false)
        }
        _ => Ok(true),
    }
}

/// Labels such as `severity=critical`; the value may stand in quotes.
fn labels(texts: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let one = |text: &String| {
        let (name, value) =
            text.split_once('=').with_context(|| format!("`{text}` is no label; write name=value"))?;
        let value = value.trim();
        let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        Ok((name.trim().to_owned(), bare.to_owned()))
    };
    texts.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn labels_are_read_with_and_without_quotes() {
        let read = labels(&["a=b".to_owned(), " c=\"d e\"".to_owned(), "e=".to_owned()]).unwrap();
        let pairs: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("a", "b"), ("c", "d e"), ("e", "")]);
        assert!(labels(&["severity".to_owned()]).unwrap_err().to_string().contains("name=value"));
    }
}
