//! Paraloom validators: `/health`, `/ready` and four gauges; the document and the code differ in
//! field names and in what `ready` means.

use serde_json::json;

use super::super::exposition::{Exposition, Style};
use super::super::faults::Fault;
use super::super::node::{Shape, View};
use super::{Answer, pad};

/// A validator has finished its start-up after so many seconds.
const STARTUP: f64 = 8.0;

pub(super) fn answer(view: &View<'_>, path: &str) -> Answer {
    match path {
        "/health" => health(view),
        "/ready" => ready(view),
        "/metrics" => metrics(view),
        _ => Answer::not_found(""),
    }
}

fn peers(view: &View<'_>) -> f64 {
    view.peers(view.fixed("peer base", 8.0, 15.0))
}

/// One validator wants more peers than the others, and so is not ready while they are.
fn min_peers(view: &View<'_>) -> f64 {
    if view.node.ordinal % 16 == 7 { 7.0 } else { 3.0 }
}

fn started(view: &View<'_>) -> bool {
    view.uptime() >= STARTUP
}

fn health(view: &View<'_>) -> Answer {
    let stalled = view.hit(Fault::LoopStalled).is_some();
    let (status, word) = if stalled { (503, "stalled") } else { (200, "ok") };
    let uptime = view.uptime() as u64;
    Answer::json(
        status,
        &match view.node.shape {
            Shape::Document => json!({"status": word, "uptime_secs": uptime, "version": view.version()}),
            Shape::Code => json!({"status": word, "version": view.version(), "uptime_seconds": uptime}),
        },
    )
}

fn ready(view: &View<'_>) -> Answer {
    let peers = peers(view);
    let enough = peers >= min_peers(view);
    let ready = started(view) && enough;
    let status = if ready { 200 } else { 503 };
    if view.node.shape == Shape::Document {
        return Answer::json(status, &json!({"ready": ready, "peer_count": peers as u64}));
    }
    let mut failed = Vec::new();
    if !started(view) {
        failed.push("startup_not_complete");
    }
    if !enough {
        failed.push("peer_count_below_threshold");
    }
    Answer::json(
        status,
        &json!({
            "status": if ready { "ready" } else { "not_ready" },
            // The code's flag is about the start-up alone: the status is what counts.
            "ready": started(view),
            "peer_count": peers as u64,
            "min_peers_for_ready": min_peers(view) as u64,
            "failed_checks": failed,
        }),
    )
}

fn metrics(view: &View<'_>) -> Answer {
    let ready = match view.node.shape {
        Shape::Document => started(view) && peers(view) >= min_peers(view),
        Shape::Code => started(view),
    };
    let mut expo = Exposition::new(Style::Rust);
    expo.single("paraloom_uptime_seconds", "gauge", "Process uptime in seconds.", view.uptime().floor());
    expo.single("paraloom_peer_count", "gauge", "Current libp2p peer count.", peers(view));
    expo.single("paraloom_ready", "gauge", "Whether the node has joined the network.", f64::from(ready));
    expo.family("paraloom_build_info", "gauge", "Build identification labels (value is always 1).");
    expo.sample("paraloom_build_info", &[("version", &view.version())], 1.0);
    pad(view, &mut expo);
    Answer::metrics(Style::Rust, expo)
}
