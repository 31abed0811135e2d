//! DataMgmt nodes: an internal and an external API, each with a health answer of its own, network
//! statistics behind a rate limit, and on some nodes the metrics that their operator has added.

use serde_json::json;

use super::super::exposition::{Exposition, Style};
use super::super::faults::Fault;
use super::super::node::{Port, Shape, View};
use super::super::value::{mix, unit};
use super::{Answer, pad, rounded};

const SERVER: &str = "Python/3.11 aiohttp/3.9.5";

pub(super) fn answer(view: &View<'_>, port: Port, path: &str) -> Answer {
    let mut answer = match (port, path) {
        (Port::Internal, "/health") => internal_health(view),
        (Port::External, "/health") => external_health(view),
        (Port::External, _) if view.hit(Fault::RateLimit).is_some() => too_many(view),
        (Port::External, "/network/stats") => stats(view),
        (Port::External, "/network/peers") => peer_list(view),
        (Port::Metrics, "/metrics") => return metrics(view),
        (Port::Metrics, _) => return Answer::not_found("404 Not Found"),
        _ => Answer::not_found("404: Not Found"),
    };
    answer.headers.push(("server", SERVER.to_owned()));
    if answer.content_type == "application/json" {
        answer.content_type = "application/json; charset=utf-8";
    }
    answer
}

fn total_peers(view: &View<'_>) -> u64 {
    view.peers(view.fixed("peer base", 11.0, 22.0)) as u64
}

fn healthy_peers(view: &View<'_>) -> u64 {
    let share = view.gauge("healthy share", 0.86, 0.12).min(1.0);
    (total_peers(view) as f64 * share).round() as u64
}

fn connected(view: &View<'_>) -> bool {
    view.hit(Fault::Disagree).is_none() && view.hit(Fault::Unhealthy).is_none()
}

fn running(view: &View<'_>) -> bool {
    total_peers(view) > 0
}

fn internal_health(view: &View<'_>) -> Answer {
    if view.hit(Fault::Unhealthy).is_some() {
        let error = "HTTPConnectionPool(host='127.0.0.1', port=8545): Max retries exceeded with url: / \
                     (Caused by NewConnectionError: [Errno 111] Connection refused)";
        return Answer::json(503, &json!({"status": "unhealthy", "error": error}));
    }
    let well = connected(view) && running(view);
    Answer::json(
        200,
        &json!({
            "status": if well { "healthy" } else { "degraded" },
            "components": {
                "blockchain": if connected(view) { "connected" } else { "disconnected" },
                "p2p_network": if running(view) { "running" } else { "stopped" },
                "encryption": "initialized",
            },
            "version": view.version(),
        }),
    )
}

fn external_health(view: &View<'_>) -> Answer {
    let status = if running(view) { "healthy" } else { "degraded" };
    Answer::json(
        200,
        &json!({"status": status, "p2p": {"running": running(view), "peers": healthy_peers(view)}}),
    )
}

fn too_many(view: &View<'_>) -> Answer {
    let wait = rounded(view.gauge("retry", 6.0, 0.6), 1);
    let mut answer = Answer::json(429, &json!({"error": "Rate limit exceeded", "retry_after": wait}));
    answer.headers.push(("retry-after", format!("{}", wait.ceil())));
    answer
}

fn stats(view: &View<'_>) -> Answer {
    let (total, healthy) = (total_peers(view), healthy_peers(view));
    let body = match view.node.shape {
        Shape::Document => json!({
            "total_peers": total,
            "healthy_peers": healthy,
            "data_sent": view.count("data_sent", 184_000.0) as u64,
            "data_received": view.count("data_received", 97_000.0) as u64,
            "uptime": view.uptime() as u64,
        }),
        Shape::Code => json!({
            "total_peers": total,
            "healthy_peers": healthy,
            "active_peers": healthy.saturating_sub(1),
            "bootstrap_nodes": 2,
            "avg_latency_ms": rounded(view.gauge("latency", 900.0 * view.node.place.latency + 12.0, 0.4), 1),
        }),
    };
    Answer::json(200, &body)
}

fn peer_list(view: &View<'_>) -> Answer {
    let (total, healthy) = (total_peers(view), healthy_peers(view));
    let peers: Vec<_> = (0..total)
        .map(|n| {
            let key = mix(view.node.key, n);
            json!({
                "host": format!("10.{}.{}.{}", key % 200, (key >> 8) % 250, 1 + (key >> 16) % 250),
                "port": 8000,
                "node_id": format!("{key:016x}"),
                "last_seen": rounded(view.moment.unix() - 30.0 * unit(key), 3),
                "latency_ms": rounded(view.gauge(&format!("peer {n}"), 20.0 + (key % 90) as f64, 0.3), 1),
                "success_rate": rounded(0.9 + 0.1 * unit(mix(key, 1)), 3),
                "healthy": n < healthy,
            })
        })
        .collect();
    Answer::json(200, &json!({"peers": peers, "count": total}))
}

/// As `generate_latest` of Python's client writes them: every counter has its `_created` time.
fn metrics(view: &View<'_>) -> Answer {
    let mut expo = Exposition::new(Style::Python);
    let created = view.moment.unix_of(view.boot);
    expo.single(
        "datamgmt_health_status",
        "gauge",
        "Health of the node (1 is healthy)",
        f64::from(connected(view) && running(view)),
    );
    expo.single("datamgmt_peers_connected", "gauge", "Connected peers", healthy_peers(view) as f64);
    expo.single(
        "datamgmt_blockchain_connected",
        "gauge",
        "Connection to the blockchain",
        f64::from(connected(view)),
    );
    let counter = |expo: &mut Exposition, base: &str, help: &str, label: &str, rates: &[(&str, f64)]| {
        let (total, stamp) = (format!("{base}_total"), format!("{base}_created"));
        expo.family(&total, "counter", help);
        for (value, rate) in rates {
            expo.sample(&total, &[(label, value)], view.count(value, *rate));
        }
        expo.family(&stamp, "gauge", help);
        for (value, _) in rates {
            expo.sample(&stamp, &[(label, value)], created);
        }
    };
    counter(
        &mut expo,
        "datamgmt_requests",
        "Total requests",
        "endpoint",
        &[
            ("/health", 0.2),
            ("/network/stats", 0.08),
            ("/data/share", 1.4),
            ("/data/retrieve", 3.1),
            ("/data/verify", 0.6),
        ],
    );
    counter(
        &mut expo,
        "datamgmt_data_operations",
        "Data operations",
        "type",
        &[("share", 1.3), ("retrieve", 3.0), ("verify", 0.55)],
    );
    let failing = view.suffered(Fault::Unhealthy) + view.suffered(Fault::Disagree);
    expo.family("datamgmt_errors_total", "counter", "Errors by type");
    for (kind, rate) in [("blockchain", 0.0008), ("p2p", 0.002), ("encryption", 0.00003)] {
        let more = if kind == "blockchain" { (0.7 * failing).floor() } else { 0.0 };
        expo.sample("datamgmt_errors_total", &[("type", kind)], view.count(kind, rate) + more);
    }
    expo.single(
        "process_resident_memory_bytes",
        "gauge",
        "Resident memory size in bytes.",
        (view.gauge("rss", 1.9e8, 0.12) / 4096.0).floor() * 4096.0,
    );
    expo.single("process_start_time_seconds", "gauge", "Start time of the process.", rounded(created, 2));
    expo.single(
        "process_cpu_seconds_total",
        "counter",
        "CPU time spent.",
        rounded(view.total("cpu", 0.11), 2),
    );
    pad(view, &mut expo);
    Answer::metrics(Style::Python, expo)
}
