//! A reader of server-sent events that shows each event as it came.

use std::time::Duration;

use serde_json::Value;

/// How long to wait for one event; the proxy says something every five seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open live stream.
#[derive(Debug)]
pub struct Stream {
    response: reqwest::Response,
    unread: String,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id; empty where it has none.
    pub id: String,
    /// `snapshot`, `delta` or `ping`.
    pub name: String,
    /// What it says.
    pub data: Value,
}

impl Stream {
    /// The events of an answer.
    ///
    /// # Panics
    /// When the answer is no event stream.
    pub fn of(response: reqwest::Response) -> Self {
        let kind =
            response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        assert!(
            response.status() == 200 && kind.starts_with("text/event-stream"),
            "not a live stream: {response:?}"
        );
        Self { response, unread: String::new() }
    }

    /// The next event, or `None` when the stream ended.
    ///
    /// # Panics
    /// When nothing comes for long.
    pub async fn try_next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let event = Event::parse(event);
                self.unread = rest.to_owned();
                return Some(event);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk =
                chunk.unwrap_or_else(|_| panic!("the live stream was silent for {} s", PATIENCE.as_secs()));
            self.unread.push_str(std::str::from_utf8(&chunk.ok()??).unwrap_or("\u{fffd}"));
        }
    }

    /// The next event.
    ///
    /// # Panics
    /// When the stream ended, or nothing comes for long.
    pub async fn next(&mut self) -> Event {
        self.try_next().await.expect("the live stream goes on")
    }

    /// The next event with this name; others are passed over.
    ///
    /// # Panics
    /// As [`Self::next`].
    pub async fn next_named(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await;
            if event.name == name {
                return event;
            }
        }
    }
}

impl Event {
    fn parse(text: &str) -> Self {
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.unwrap_or_default().to_owned()
        };
        let data = field("data");
        let parsed = serde_json::from_str(&data);
        Self {
            id: field("id"),
            name: field("event"),
            data: parsed.unwrap_or_else(|error| panic!("an event that is not JSON ({error}): {text}")),
        }
    }

    /// The number of the change it holds.
    ///
    /// # Panics
    /// When it has none.
    pub fn seq(&self) -> u64 {
        self.data["seq"].as_u64().unwrap_or_else(|| panic!("no seq in {}", self.data))
    }
}
