//! A request byte by byte, with no client in between that tidies paths up, and every byte of its answer.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// An answer, every byte of it but the date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// The status.
    pub status: u16,
    /// The headers, sorted.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Raw {
    /// Asks as somebody with this token, or as nobody.
    pub async fn asked(
        address: SocketAddr,
        token: Option<&str>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Self {
        let kind =
            if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
        let login = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let text = format!(
            "{method} {path} HTTP/1.0\r\nHost: {address}\r\n{login}{more}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("the proxy listens");
        stream.write_all(text.as_bytes()).await.expect("the request is sent");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("the answer is read");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let (first, head) = head.split_once("\r\n").unwrap_or((head, ""));
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut head: Vec<&str> = head.lines().filter(|line| !line.starts_with("date:")).collect();
        head.sort_unstable();
        Self {
            status: status.unwrap_or_else(|| panic!("{method} {path}: {text}")),
            head: head.join("\n"),
            body: body.to_owned(),
        }
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Every byte of a text as an address may hold it.
pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
