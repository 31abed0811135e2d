//! A running proxy that a command asks: the token to send, and what goes wrong on the way.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use serde::{Serialize, de::DeserializeOwned};

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

/// Whom to ask, and how to print.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// The proxy to ask.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    #[command(flatten)]
    token: Token,
    /// The data folder to work in while no proxy runs, in place of a proxy.
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub(super) data_dir: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

impl Asked {
    /// The proxy's address, without an end slash.
    pub(super) fn base(&self) -> &str {
        self.url.trim_end_matches('/')
    }

    /// What the proxy answers to a request, whose body is JSON.
    ///
    /// # Errors
    /// As [`heard`]; the proxy refuses, with its words.
    pub(super) async fn answer<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> anyhow::Result<T> {
        let base = self.base();
        let url =
            reqwest::Url::parse(&format!("{base}{path}")).with_context(|| format!("`{base}` is no URL"))?;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        let mut request = client.request(method.parse()?, url);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(serde_json::to_string(body)?);
        }
        let (status, text) = heard(request, self.token.read()?.as_deref(), base).await?;
        if !status.is_success() {
            let problem: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            bail!(
                "{base} answered {status}: {}",
                problem["detail"].as_str().unwrap_or("not as Fleetglass does")
            );
        }
        serde_json::from_str(&text).with_context(|| format!("{base} did not answer as Fleetglass does"))
    }
}

/// A text as one part of a path.
pub(super) fn segment(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out += &format!("%{byte:02X}"),
        }
        out
    })
}
