//! A running proxy that a command asks: the token to send, and what goes wrong on the way.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

/// A bearer token, from the command line, the environment or a file.
#[derive(Debug, Args)]
pub(super) struct Token {
    /// The bearer token to send. Better in a file: a command line is seen by others.
    #[arg(long, env = "FLEETGLASS_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// A file that holds it.
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
}

impl Token {
    /// The token, if there is one.
    pub(super) fn read(&self) -> anyhow::Result<Option<String>> {
        let Some(file) = &self.token_file else { return Ok(self.token.clone()) };
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Some(text.trim().to_owned()))
    }
}

/// Sends a request to the proxy at `whom`; gives the status and the text of its answer.
///
/// # Errors
/// When nothing answers, the answer breaks off, or a token is missing.
pub(super) async fn heard(
    request: reqwest::RequestBuilder,
    token: Option<&str>,
    whom: &str,
) -> anyhow::Result<(reqwest::StatusCode, String)> {
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let reply = request.send().await.with_context(|| {
        format!("no answer from {whom}; is `fleetglass serve` running there? Name another address with --url")
    })?;
    let status = reply.status();
    let text = reply.text().await.context("the answer broke off")?;
    if status == reqwest::StatusCode::UNAUTHORIZED {
        bail!("{whom} wants a token: give it with --token-file, or FLEETGLASS_TOKEN");
    }
    Ok((status, text))
}
