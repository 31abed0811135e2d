//! A running proxy, asked over HTTP.

use std::io::Write;

use anyhow::{Context, bail};
use fleetglass_shared::health::UnixMillis;
use reqwest::header::CONTENT_TYPE;

use crate::transfer::Imported;

/// Well below the largest body that a proxy reads.
const PIECE: usize = 512 << 10;
const OPEN_METRICS: &str = "application/openmetrics-text";

/// See the module.
pub(super) struct Server {
    url: String,
    token: Option<String>,
    client: reqwest::Client,
}

impl Server {
    pub(super) fn new(url: &str, token: Option<String>) -> anyhow::Result<Self> {
        Ok(Self { url: url.trim_end_matches('/').to_owned(), token, client: reqwest::Client::new() })
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let reply = request
            .send()
            .await
            .with_context(|| format!("no answer from {}; is `fleetglass serve` running there?", self.url))?;
        let status = reply.status();
        if !status.is_success() {
            let body = reply.text().await.unwrap_or_default();
            let detail = serde_json::from_str::<serde_json::Value>(&body)
                .ok()
                .and_then(|problem| problem["detail"].as_str().map(str::to_owned));
            bail!("{} says {status}: {}", self.url, detail.unwrap_or(body));
        }
        Ok(reply)
    }

    pub(super) async fn export(
        &self,
        selectors: &[String],
        start: UnixMillis,
        end: UnixMillis,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let mut url = reqwest::Url::parse(&format!("{}/api/v1/export", self.url))
            .with_context(|| format!("`{}` is no URL", self.url))?;
        for selector in selectors {
            url.query_pairs_mut().append_pair("match[]", selector);
        }
        let seconds = |ms: UnixMillis| format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000));
        url.query_pairs_mut().append_pair("start", &seconds(start)).append_pair("end", &seconds(end));
        let mut reply = self.send(self.client.get(url)).await?;
        while let Some(piece) = reply.chunk().await.context("the export broke off")? {
            out.write_all(&piece)?;
        }
        out.flush()?;
        Ok(())
    }

    /// Sends a text in pieces that a proxy reads; the first that it refuses ends it.
    pub(super) async fn import(&self, text: &[u8]) -> anyhow::Result<Imported> {
        let text = std::str::from_utf8(text).context("the text is not UTF-8")?;
        let mut pieces = Pieces::default();
        let mut all = pieces.push(text);
        all.extend(pieces.rest());
        let mut imported = Imported::default();
        for piece in all {
            let request = self.client.post(format!("{}/api/v1/import", self.url));
            let reply = self.send(request.header(CONTENT_TYPE, OPEN_METRICS).body(piece)).await?;
            let told: serde_json::Value = serde_json::from_slice(&reply.bytes().await?)?;
            let number = |name: &str| told[name].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
            imported.samples += number("samples");
            imported.series += number("series");
        }
        Ok(imported)
    }

    pub(super) async fn prune(&self, before: UnixMillis) -> anyhow::Result<()> {
        let request = self.client.post(format!("{}/api/v1/prune", self.url));
        let body = serde_json::json!({"before": before}).to_string();
        self.send(request.header(CONTENT_TYPE, "application/json").body(body)).await?;
        Ok(())
    }
}

/// Cuts a text at ends of lines, and makes each piece whole again.
#[derive(Default)]
pub(super) struct Pieces {
    left: String,
}

impl Pieces {
    /// The pieces that are full after this text.
    pub(super) fn push(&mut self, text: &str) -> Vec<String> {
        let mut full = Vec::new();
        for line in text.split_inclusive('\n') {
            if line.trim_end() == "# EOF" {
                continue;
            }
            self.left.push_str(line);
            if self.left.len() >= PIECE && line.ends_with('\n') {
                full.extend(self.rest());
            }
        }
        full
    }

    /// What is left.
    pub(super) fn rest(&mut self) -> Option<String> {
        let mut piece = std::mem::take(&mut self.left);
        if piece.trim().is_empty() {
            return None;
        }
        if !piece.ends_with('\n') {
            piece.push('\n');
        }
        piece.push_str("# EOF\n");
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_becomes_pieces_that_are_each_whole() {
        let mut pieces = Pieces::default();
        let line = format!("x{{a=\"{}\"}} 1 2\n", "b".repeat(1000));
        let mut all = pieces.push(&format!("{}# EOF\n", line.repeat(1200)));
        all.extend(pieces.rest());
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|piece| piece.ends_with("\n# EOF\n") && piece.len() < PIECE + 2000));
        assert_eq!(all.iter().map(|piece| piece.matches("x{").count()).sum::<usize>(), 1200);
        assert_eq!(Pieces::default().rest(), None);
    }
}
