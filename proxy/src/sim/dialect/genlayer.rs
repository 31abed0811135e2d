//! GenLayer validators: health with named, dated checks; Go's runtime series; from the second release
//! on the node's own series; and beside some nodes a staking exporter.

mod runtime;
mod staking;

use serde_json::{Value, json};

use super::super::exposition::{Exposition, Style};
use super::super::faults::Fault;
use super::super::node::{Port, View};
use super::super::value::{mix, name_key, noise};
use super::{Answer, pad, rounded};

pub(super) fn answer(view: &View<'_>, port: Port, path: &str) -> Answer {
    match (port, path) {
        (Port::Ops, "/health") => health(view),
        (Port::Ops, "/balance") => balance(view),
        (Port::Ops, "/metrics") => metrics(view),
        (Port::Staking, "/metrics") => staking::answer(view),
        _ => Answer::not_found("404 page not found\n"),
    }
}

/// The first release has no series of its own, and stays a first release.
fn node_version(view: &View<'_>) -> String {
    if view.node.traits.rich { view.version() } else { "v0.4.2".to_owned() }
}

fn health(view: &View<'_>) -> Answer {
    let stale = view.hit(Fault::StaleCheck);
    let down = view.hit(Fault::CheckDown);
    let check = |name: &str, interval: f64| {
        let is = |hit: bool, which: &str| hit && name == which;
        // A check runs every few seconds; its timestamp is that of its last run.
        let mut at =
            view.moment.t - interval * noise(mix(view.node.key, name_key(name)), view.moment.t / 7.0);
        if let Some(hit) = stale.filter(|_| is(true, "validating")) {
            at = view.moment.t - hit.since;
        }
        let time = rfc3339(view.moment.unix_of(at.max(view.boot)), nanos(view, name));
        let mut check = json!({"status": "up", "timestamp": time});
        if is(down.is_some(), "zksync-websocket") {
            check["status"] = json!("down");
            check["error"] = json!("websocket: close 1006 (abnormal closure): unexpected EOF");
        }
        check
    };
    let mut checks = serde_json::Map::new();
    for (name, interval) in [("validating", 4.0), ("zksync", 1.5), ("zksync-websocket", 1.5)] {
        checks.insert(name.to_owned(), check(name, interval));
    }
    if view.node.traits.rich && view.node.ordinal % 6 == 1 {
        checks.insert("genvm".to_owned(), check("genvm", 3.0));
    }
    let status = if down.is_some() { (503, "down") } else { (200, "up") };
    Answer::json(
        status.0,
        &json!({
            "checks": Value::Object(checks),
            "genvm_version": if view.node.traits.rich { "v0.2.9" } else { "v0.2.7" },
            "node_version": node_version(view),
            "protocol_version": if view.node.traits.rich { "v0.5:7c41e0aa" } else { "v0.4:1dd08066" },
            "status": status.1,
        }),
    )
}

/// The digits below a microsecond, which a float of Unix seconds has no room for.
fn nanos(view: &View<'_>, name: &str) -> u32 {
    (mix(mix(view.node.key, name_key(name)), (view.moment.t * 10.0) as u64) % 1000) as u32
}

/// A Unix time as RFC 3339 in UTC with nine decimals, the last three given.
fn rfc3339(unix: f64, nanos: u32) -> String {
    let micros = (unix.max(0.0) * 1e6) as u64;
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_micros(micros);
    let text = humantime::format_rfc3339_micros(time).to_string();
    format!("{}{nanos:03}Z", text.trim_end_matches('Z'))
}

fn balance(view: &View<'_>) -> Answer {
    let wei = 1_000_000_000_000_000_000u128 * u128::from(3 + view.node.key % 90) + u128::from(view.node.key);
    let milli = wei / 1_000_000_000_000_000;
    Answer::json(
        200,
        &json!({
            "balance_hex": format!("0x{wei:x}"),
            "balance_wei": wei.to_string(),
            "balance_gen": format!("{}.{:03}", milli / 1000, milli % 1000),
        }),
    )
}

fn metrics(view: &View<'_>) -> Answer {
    let mut expo = Exposition::new(Style::Go);
    if view.node.traits.rich {
        own_series(view, &mut expo);
    }
    runtime::write(view, &mut expo);
    pad(view, &mut expo);
    Answer::metrics(Style::Go, expo)
}

/// What later releases say about the node itself.
fn own_series(view: &View<'_>, expo: &mut Exposition) {
    let node = [("node", view.node.id.as_str())];
    let chain = 4_812_000.0 + (view.moment.unix() - 1_767_000_000.0) / 2.4;
    let behind = view.hit(Fault::BlocksBehind).map_or(0.0, |hit| (hit.severity(0.8) * 240.0).round())
        + view.gauge("behind", 0.7, 0.9).max(0.0).round()
        + (60.0 - view.uptime()).max(0.0).round();
    let gauge = |expo: &mut Exposition, name: &str, help: &str, value: f64| {
        expo.single(name, "gauge", help, value);
    };
    expo.family("genlayer_node_synced", "gauge", "Whether the node has caught up with the chain");
    expo.sample("genlayer_node_synced", &node, f64::from(behind <= 10.0));
    expo.family("genlayer_node_blocks_behind", "gauge", "Blocks between the chain's head and the node's");
    expo.sample("genlayer_node_blocks_behind", &node, behind);
    let latest = chain.floor();
    gauge(expo, "genlayer_node_latest_block", "Latest block of the chain", latest);
    gauge(expo, "genlayer_node_processing_block", "Block in work", latest - behind);
    gauge(expo, "genlayer_node_synced_block", "Last block done", latest - behind - 1.0);
    gauge(
        expo,
        "genlayer_node_uptime_seconds",
        "Seconds since the node was started",
        rounded(view.uptime(), 3),
    );
    usage(view, expo);
    let permits = if view.hit(Fault::PermitsZero).is_some() {
        0.0
    } else {
        view.gauge("permits", 11.0, 0.5).round().clamp(2.0, 16.0)
    };
    gauge(expo, "genlayer_node_genvm_permits_current", "Free permits to run contracts", permits);
    for (name, rate) in [("accepted_synced", 0.31), ("activated", 0.34), ("finalized_synced", 0.3)] {
        let name = format!("genlayer_node_transactions_{name}_total");
        // Declared a gauge by the node, though it counts.
        let value = view.count(&name, rate);
        gauge(expo, &name, "Transactions by stage", value);
    }
    expo.family("genlayer_node_info", "gauge", "What runs (always 1)");
    let version = node_version(view);
    let commit = format!("{:07x}", name_key(&version) >> 36);
    expo.sample(
        "genlayer_node_info",
        &[
            ("commit", &commit),
            ("genvm_version", "v0.2.9"),
            ("network", "asimov"),
            ("protocol_version", "v0.5:7c41e0aa"),
            ("version", &version),
        ],
        1.0,
    );
}

fn usage(view: &View<'_>, expo: &mut Exposition) {
    const COMPONENTS: [(&str, f64, f64, f64); 4] = [
        ("node", 15.5, 5.2e8, 9.1e4),
        ("genvm-llm", 38.0, 2.1e9, 4.4e4),
        ("genvm-web", 12.8, 6.1e8, 2.3e4),
        ("webdriver", 5.3, 3.4e8, 1.2e4),
    ];
    expo.family("genlayer_node_cpu_usage_percent", "gauge", "Current CPU usage percentage (0-100)");
    for (component, cpu, ..) in COMPONENTS {
        let value = view.gauge(component, cpu, 0.7).clamp(0.1, 100.0);
        expo.sample("genlayer_node_cpu_usage_percent", &[("component", component)], rounded(value, 2));
    }
    expo.family("genlayer_node_memory_rss_bytes", "gauge", "Resident memory in bytes");
    for (component, _, rss, _) in COMPONENTS {
        let leaked = if component == "node" { view.leaked() } else { 0.0 };
        let value = view.gauge(component, rss, 0.1) + leaked;
        let pages = (value / 4096.0).floor() * 4096.0;
        expo.sample("genlayer_node_memory_rss_bytes", &[("component", component)], pages);
    }
    for (name, help, factor) in [
        ("genlayer_node_network_rx_bytes_total", "Bytes received", 1.0),
        ("genlayer_node_network_tx_bytes_total", "Bytes sent", 0.6),
    ] {
        expo.family(name, "counter", help);
        for (component, _, _, rate) in COMPONENTS {
            expo.sample(name, &[("component", component)], view.count(component, rate * factor));
        }
    }
    expo.family("genlayer_node_disk_usage_percent", "gauge", "Disk in use (0-100)");
    for (directory, base) in [("/data/node", 46.0), ("/data/genvm", 31.0), ("/var/log", 18.0)] {
        let used = view.fixed(directory, 0.7, 1.5) * base + 2.0 * view.gauge(directory, 0.5, 0.6);
        expo.sample("genlayer_node_disk_usage_percent", &[("directory", directory)], rounded(used, 2));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_have_nine_decimals() {
        assert_eq!(super::rfc3339(1_767_378_769.291_636, 613), "2026-01-02T18:32:49.291636613Z");
    }
}
