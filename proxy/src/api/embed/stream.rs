//! The live stream of a link for its panels: that something changed, and at which nodes. What it is they ask for
//! themselves, each its own part.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;
use tokio::sync::mpsc;

use crate::{
    api::problem::problem,
    app::App,
    live::Subscription,
    share::{OpenShare, Refused},
};

/// What changes within this is told at once.
const GATHERED: Duration = Duration::from_secs(1);
/// More nodes than this are told as "any".
const MOST_NODES: usize = 40;

pub(super) fn of(app: &App, share: &OpenShare, seen: Option<&str>, now: i64) -> Response {
    match app.shares.subscribe(share, seen, now) {
        Ok(subscription) => streamed(subscription),
        Err(Refused::Closed) => problem(StatusCode::NOT_FOUND, "Not shared", super::GONE).into_response(),
        Err(Refused::TooMany) => {
            let words = "Too many look at this link already; the panel asks now and then instead.";
            problem(StatusCode::SERVICE_UNAVAILABLE, "Too many streams", words).into_response()
        }
    }
}

fn streamed(subscription: Subscription) -> Response {
    let Subscription { first, frames, .. } = subscription;
    let mut news = News::default();
    first.iter().for_each(|frame| news.take(frame));
    // Whoever comes back and missed nothing hears at once that it is heard.
    let hello = stream::iter([news.told()]);
    let later = stream::unfold(
        (frames, tokio::time::Instant::now()),
        async |(mut frames, last): (mpsc::Receiver<Bytes>, _)| {
            let mut news = News::default();
            news.take(&frames.recv().await?);
            tokio::time::sleep_until(last + GATHERED).await;
            while let Ok(frame) = frames.try_recv() {
                news.take(&frame);
            }
            Some((news.told(), (frames, tokio::time::Instant::now())))
        },
    );
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // nginx holds answers back unless told not to.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(hello.chain(later).map(Ok::<_, Infallible>))).into_response()
}

/// What changed since the last event.
#[derive(Debug, Default)]
struct News {
    id: String,
    seq: u64,
    at: i64,
    /// All of it may be other than before.
    is_all: bool,
    nodes: Vec<String>,
    alerts: bool,
    changed: bool,
}

/// As much of a frame as counts here.
#[derive(Deserialize)]
struct Frame {
    seq: u64,
    at: i64,
    #[serde(default)]
    nodes: Option<Nodes>,
    #[serde(default)]
    alerts: Option<IgnoredAny>,
}

/// A list in a snapshot, a map in a delta.
#[derive(Deserialize)]
struct Nodes(BTreeMap<String, IgnoredAny>);

#[derive(Deserialize)]
struct Begun {
    seq: u64,
    at: i64,
}

impl News {
    fn take(&mut self, frame: &[u8]) {
        let Ok(text) = std::str::from_utf8(frame) else { return };
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let (event, data) = (field("event: "), field("data: "));
        if let Some(id) = Some(field("id: ")).filter(|id| !id.is_empty()) {
            id.clone_into(&mut self.id);
        }
        if event == "delta" {
            let Ok(Frame { seq, at, nodes, alerts }) = serde_json::from_str(data) else { return };
            (self.seq, self.at, self.changed) = (seq, at, true);
            self.nodes.extend(nodes.into_iter().flat_map(|Nodes(nodes)| nodes.into_keys()));
            self.alerts |= alerts.is_some();
        } else if let Ok(Begun { seq, at }) = serde_json::from_str(data) {
            (self.seq, self.at) = (seq, at);
            self.is_all |= event == "snapshot";
        }
    }

    fn told(mut self) -> Bytes {
        self.nodes.sort_unstable();
        self.nodes.dedup();
        let is_all = self.is_all || self.nodes.len() > MOST_NODES;
        let event = if self.changed || is_all { "changed" } else { "ping" };
        let data = match event {
            "ping" => json!({"seq": self.seq, "at": self.at}),
            _ if is_all => json!({"seq": self.seq, "at": self.at, "alerts": true}),
            _ => json!({"seq": self.seq, "at": self.at, "nodes": self.nodes, "alerts": self.alerts}),
        };
        let id = if self.id.is_empty() { String::new() } else { format!("id: {}\n", self.id) };
        format!("{id}event: {event}\ndata: {data}\n\n").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(frames: &[&str]) -> String {
        let mut news = News::default();
        frames.iter().for_each(|frame| news.take(frame.as_bytes()));
        String::from_utf8_lossy(&news.told()).into_owned()
    }

    #[test]
    fn changes_are_told_without_what_is_in_them() {
        let snapshot = "id: e-1\nevent: snapshot\ndata: {\"seq\":1,\"at\":5,\"nodes\":[{\"id\":\"a\"}],\"alerts\":[]}\n\n";
        assert_eq!(
            told(&[snapshot]),
            "id: e-1\nevent: changed\ndata: {\"alerts\":true,\"at\":5,\"seq\":1}\n\n"
        );
        let delta = |seq: u64, node: &str| {
            format!(
                "id: e-{seq}\nevent: delta\ndata: {{\"seq\":{seq},\"at\":{seq},\"nodes\":{{\"{node}\":{{\"peers\":4}}}}}}\n\n"
            )
        };
        assert_eq!(
            told(&[&delta(2, "b"), &delta(3, "a"), &delta(4, "b")]),
            "id: e-4\nevent: changed\ndata: {\"alerts\":false,\"at\":4,\"nodes\":[\"a\",\"b\"],\"seq\":4}\n\n"
        );
        let ping = "event: ping\ndata: {\"seq\":4,\"at\":9}\n\n";
        assert_eq!(told(&[ping]), "event: ping\ndata: {\"at\":9,\"seq\":4}\n\n");
        assert!(told(&[]).starts_with("event: ping"), "whoever missed nothing hears something all the same");
        let alert =
            "id: e-5\nevent: delta\ndata: {\"seq\":5,\"at\":9,\"nodes\":{},\"alerts\":{\"x\":null}}\n\n";
        assert!(told(&[alert]).contains("\"alerts\":true"));
    }

    #[test]
    fn many_nodes_are_any() {
        let nodes = (0..60).map(|at| format!("\"n{at}\":null")).collect::<Vec<_>>().join(",");
        let frame = format!("id: e-2\nevent: delta\ndata: {{\"seq\":2,\"at\":2,\"nodes\":{{{nodes}}}}}\n\n");
        assert!(!told(&[&frame]).contains("nodes"));
    }
}
