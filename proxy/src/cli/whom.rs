//! The token that commands send to a running proxy.

use std::path::PathBuf;

use anyhow::Context;
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
