//! deCDN nodes: health and metrics as their operators' document describes them, or as the code
//! answers: other fields, OpenMetrics, on some nodes no health at all.

mod metrics;

use serde_json::json;

use super::super::exposition::Style;
use super::super::faults::Fault;
use super::super::node::{Port, Shape, View};
use super::super::value::mix;
use super::Answer;

pub(super) fn answer(view: &View<'_>, port: Port, path: &str) -> Answer {
    let split = view.node.traits.split;
    match path {
        "/health" if view.node.traits.health && port == Port::Ops => health(view),
        "/metrics" if split == (port == Port::Metrics) => {
            let style = match view.node.shape {
                Shape::Document => Style::Rust,
                Shape::Code => Style::OpenMetrics,
            };
            Answer::metrics(style, metrics::write(view, style))
        }
        _ => Answer::not_found("not found\n"),
    }
}

fn peers(view: &View<'_>) -> u64 {
    view.peers(view.fixed("peer base", 90.0, 190.0)) as u64
}

fn watchtowers(view: &View<'_>) -> u64 {
    let usual = view.fixed("watchtowers", 2.0, 4.99) as u64;
    match view.hit(Fault::WatchtowerLoss) {
        Some(hit) if hit.since > 45.0 && hit.progress < 0.8 => 0,
        Some(_) => 1,
        None => usual,
    }
}

/// Seconds since the last poll of the blacklist: up to half a minute, and to 900 s in an incident.
fn blacklist_lag(view: &View<'_>) -> f64 {
    let usual = (view.moment.t + (view.node.key % 30) as f64).rem_euclid(30.0);
    let late = view.hit(Fault::BlacklistLag).map_or(0.0, |hit| 900.0 * hit.severity(0.8));
    (usual + late).floor()
}

/// One version an hour; a node that does not poll falls behind.
fn blacklist_version(view: &View<'_>) -> (u64, u64) {
    let on_chain = ((view.moment.unix() - 1_780_000_000.0) / 3_600.0) as u64;
    let behind = match blacklist_lag(view) {
        lag if lag > 700.0 => 2,
        lag if lag > 420.0 => 1,
        _ => 0,
    };
    (on_chain - behind, behind)
}

fn channels_open(view: &View<'_>) -> u64 {
    view.gauge("channels", view.fixed("channels base", 6.0, 26.0), 0.35).round().max(1.0) as u64
}

/// Micro-USDC, to the last digit; one treasury node's balance is beyond what a float holds.
fn balance_micro_usdc(view: &View<'_>) -> u64 {
    let spent = view.count("spent", 1_250.0) as u64;
    if view.node.ordinal == 2 {
        return 9_007_199_254_740_993 + 2 * (spent % 1_000_000_000);
    }
    let deposit = 400_000_000 + mix(view.node.key, 0xdeb) % 2_600_000_000;
    deposit - spent % (deposit / 2)
}

fn health(view: &View<'_>) -> Answer {
    let starting = view.uptime() < 6.0;
    let far_behind = blacklist_lag(view) > 600.0;
    let few_peers = peers(view) < 20;
    let word = if starting || far_behind {
        "not_ready"
    } else if watchtowers(view) < 2 || few_peers {
        "degraded"
    } else {
        "ready"
    };
    let status = if word == "not_ready" { 503 } else { 200 };
    let (version, behind) = blacklist_version(view);
    let micro = balance_micro_usdc(view);
    Answer::json(
        status,
        &match view.node.shape {
            Shape::Document => json!({
                "status": word,
                "version": view.version(),
                "peer_count": peers(view),
                "channels_open": channels_open(view),
                "channel_balances_total_usdc": micro.to_string(),
                "blacklist_sync_state": {"version": version, "lag_seconds": blacklist_lag(view) as u64},
                "watchtowers_registered": watchtowers(view),
            }),
            Shape::Code => json!({
                "status": word,
                "node_id": node_id(view),
                "registry_active": true,
                "blacklist_version": version,
                "blacklist_synced": behind == 0 && !starting,
                "rate_bounds_loaded": !starting,
                "peer_table_size": peers(view),
                "channels_open": channels_open(view),
                "channel_deposit_usdc": format!("{}.{:02}", micro / 1_000_000, micro / 10_000 % 100),
                "node_uptime_seconds": view.uptime() as u64,
            }),
        },
    )
}

/// 32 bytes in hex.
fn node_id(view: &View<'_>) -> String {
    (0..4).map(|part| format!("{:016x}", mix(view.node.key, part))).collect()
}
