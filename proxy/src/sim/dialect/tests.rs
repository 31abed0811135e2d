//! Every dialect's answers are what they claim to be: JSON, expositions, counters that only rise.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;
use crate::sim::faults::{schedule, spec};
use crate::sim::fleet;

const EPOCH: f64 = 1_795_000_000.0;

fn moment(t: f64) -> Moment {
    Moment { t, epoch: EPOCH, speed: 1.0 }
}

fn fleet_with(spec: &str) -> Vec<NodeModel> {
    let mut nodes = fleet::build(60, 1, 0);
    schedule::plan(&spec::parse(spec).unwrap(), &mut nodes, 1).unwrap();
    nodes
}

fn node(nodes: &[NodeModel], family: Family, ordinal: u32) -> &NodeModel {
    nodes.iter().find(|node| node.family == family && node.ordinal == ordinal).unwrap()
}

fn ask(node: &NodeModel, t: f64, port: Port, path: &str) -> Answer {
    answer(node, moment(t), port, path)
}

fn body(node: &NodeModel, t: f64, port: Port, path: &str) -> (u16, Value) {
    let answer = ask(node, t, port, path);
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

/// Where a node's metrics are, if it has any.
fn metrics_port(node: &NodeModel) -> Option<Port> {
    let has = |port| node.ports().contains(&port);
    match node.family {
        Family::DataMgmt => has(Port::Metrics).then_some(Port::Metrics),
        _ if has(Port::Metrics) => Some(Port::Metrics),
        _ => Some(Port::Ops),
    }
}

/// The samples of an exposition, by name and labels; enough of a parser for what we write.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(key, v)| (key.to_owned(), v.parse().unwrap()))
        .collect()
}

/// The names of all samples that only rise: of counters, and of the parts of histograms.
fn counters(text: &str) -> Vec<String> {
    let typed = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"));
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let observed = kinds.filter(|(_, kind)| matches!(*kind, "histogram" | "summary"));
    typed
        .flat_map(|name| [name.to_owned(), format!("{name}_total")])
        .chain(observed.flat_map(|(name, _)| ["bucket", "sum", "count"].map(|part| format!("{name}_{part}"))))
        .collect()
}

#[test]
fn health_answers_are_json() {
    let paths = ["/health", "/ready", "/network/stats", "/network/peers", "/balance"];
    for node in &fleet_with("all") {
        for (port, path) in node.ports().iter().flat_map(|port| paths.map(|path| (*port, path))) {
            let answer = ask(node, 40.0, port, path);
            let spoiled = node.at(moment(40.0)).hit(Fault::Malformed).is_some();
            if answer.content_type.starts_with("application/json") && !spoiled {
                serde_json::from_str::<Value>(&answer.body)
                    .unwrap_or_else(|error| panic!("{} {path}: {error}: {}", node.id, answer.body));
            }
        }
    }
}

#[test]
fn counters_rise_and_histograms_hold_together() {
    for node in &fleet_with("none") {
        let Some(port) = metrics_port(node) else { continue };
        let mut last = BTreeMap::new();
        for step in 0..40 {
            let text = ask(node, f64::from(step) * 7.3, port, "/metrics").body;
            let counters = counters(&text);
            let now = samples(&text);
            for (key, value) in &now {
                let name = key.split('{').next().unwrap();
                let rises = counters.iter().any(|counter| counter == name);
                if let Some(&before) = last.get(key).filter(|_| rises) {
                    assert!(*value >= before, "{} {key}: {before} then {value}", node.id);
                }
                assert!(value.is_finite(), "{} {key}: {value}", node.id);
            }
            for (key, value) in now.iter().filter(|(key, _)| key.contains("le=\"+Inf\"")) {
                let count =
                    key.replace("_bucket", "_count").replace(",le=\"+Inf\"", "").replace("{le=\"+Inf\"}", "");
                assert_eq!(now.get(&count), Some(value), "{} {key}", node.id);
            }
            last = now;
        }
    }
}

#[test]
fn something_moves_between_two_scrapes() {
    for node in &fleet_with("none") {
        let Some(port) = metrics_port(node) else { continue };
        let at = |t| ask(node, t, port, "/metrics").body;
        assert_ne!(at(100.0), at(115.0), "{}", node.id);
        assert_eq!(at(100.0), at(100.0), "{}", node.id);
    }
}

#[test]
fn a_block_node_has_several_hundred_series() {
    let nodes = fleet_with("none");
    let series = samples(&ask(node(&nodes, Family::TheBlock, 1), 1.0, Port::Ops, "/any").body).len();
    assert!((500..1_500).contains(&series), "{series}");
    let document = ask(node(&nodes, Family::TheBlock, 2), 1.0, Port::Ops, "/metrics").body;
    assert!(document.contains("\nSETTLE_APPLIED_TOTAL "));
}

#[test]
fn a_restart_starts_uptime_and_counters_anew() {
    let nodes = fleet_with("decdn-03:down@10s+5s");
    let node = node(&nodes, Family::Decdn, 3);
    let at = |t| samples(&ask(node, t, Port::Ops, "/metrics").body);
    let (before, after) = (at(9.0), at(17.0));
    assert!(before["decdn_node_uptime_seconds"] > 7_000.0);
    assert_eq!(after["decdn_node_uptime_seconds"], 2.0);
    assert!(after["decdn_bytes_served_total"] < before["decdn_bytes_served_total"]);
}

#[test]
fn blacklist_lag_climbs_past_both_bounds_and_recovers() {
    let nodes = fleet_with("decdn-03:blacklist-lag@10s+120s");
    let node = node(&nodes, Family::Decdn, 3);
    let lag = |t| samples(&ask(node, t, Port::Ops, "/metrics").body)["decdn_blacklist_sync_lag_seconds"];
    assert!(lag(9.0) < 31.0 && lag(140.0) < 31.0);
    assert!(lag(60.0) > 300.0 && lag(100.0) > 600.0);
    assert_eq!(body(node, 100.0, Port::Ops, "/health").1["status"], "not_ready");
    assert_eq!(ask(node, 100.0, Port::Ops, "/health").status, 503);
    assert_eq!(body(node, 140.0, Port::Ops, "/health").1["status"], "ready");
}

#[test]
fn a_balance_beyond_what_a_float_holds_is_a_string_of_digits() {
    let nodes = fleet_with("none");
    let (_, health) = body(node(&nodes, Family::Decdn, 2), 5.0, Port::Ops, "/health");
    let balance: u64 = health["channel_balances_total_usdc"].as_str().unwrap().parse().unwrap();
    assert!(balance > (1 << 53) && balance as f64 as u64 != balance);
}

#[test]
fn the_shapes_of_document_and_code_are_both_there() {
    let nodes = fleet_with("none");
    let paraloom = |n| body(node(&nodes, Family::Paraloom, n), 5.0, Port::Ops, "/health").1;
    assert!(paraloom(2)["uptime_secs"].is_u64() && paraloom(1)["uptime_seconds"].is_u64());
    let headless = node(&nodes, Family::Decdn, 4);
    assert_eq!(ask(headless, 5.0, Port::Ops, "/health").status, 404);
    let metrics = ask(headless, 5.0, Port::Ops, "/metrics");
    assert!(metrics.content_type.starts_with("application/openmetrics-text"));
    assert!(
        metrics.body.ends_with("# EOF\n") && metrics.body.contains("# TYPE decdn_bytes_served counter\n")
    );
    assert!(!metrics.body.contains("decdn_blacklist_sync_lag_seconds"));
    let first = ask(node(&nodes, Family::GenLayer, 4), 5.0, Port::Ops, "/metrics").body;
    assert!(!first.contains("genlayer_") && first.contains("go_goroutines"));
    let later = ask(node(&nodes, Family::GenLayer, 1), 5.0, Port::Ops, "/metrics").body;
    assert!(later.contains("genlayer_node_blocks_behind{node="));
    let stats = |n| body(node(&nodes, Family::DataMgmt, n), 5.0, Port::External, "/network/stats").1;
    assert!(stats(1)["data_sent"].is_u64() && stats(2)["avg_latency_ms"].is_number());
}

#[test]
fn a_validator_without_peers_names_the_failed_check_while_its_flag_says_ready() {
    let nodes = fleet_with("paraloom-01:peer-loss@0s+100s");
    let (status, ready) = body(node(&nodes, Family::Paraloom, 1), 50.0, Port::Ops, "/ready");
    assert_eq!((status, ready["ready"].as_bool()), (503, Some(true)));
    assert_eq!(ready["failed_checks"][0], "peer_count_below_threshold");
}

#[test]
fn a_stale_check_says_up_with_a_time_that_stands_still() {
    let nodes = fleet_with("genlayer-01:stale-check@10s+100s");
    let check = |t| {
        body(node(&nodes, Family::GenLayer, 1), t, Port::Ops, "/health").1["checks"]["validating"].clone()
    };
    assert_eq!(check(50.0)["status"], "up");
    let second = |t| check(t)["timestamp"].as_str().unwrap()[..19].to_owned();
    assert_eq!(second(50.0), second(90.0));
    assert_ne!(second(115.0), second(135.0));
}

#[test]
fn the_two_apis_disagree_and_one_asks_for_patience() {
    let nodes = fleet_with("datamgmt-01:disagree,datamgmt-02:rate-limit");
    let one = node(&nodes, Family::DataMgmt, 1);
    assert_eq!(body(one, 5.0, Port::Internal, "/health").1["status"], "degraded");
    assert_eq!(body(one, 5.0, Port::External, "/health").1["status"], "healthy");
    let two = node(&nodes, Family::DataMgmt, 2);
    let limited = ask(two, 5.0, Port::External, "/network/stats");
    assert_eq!(limited.status, 429);
    assert!(
        limited.headers.iter().any(|(name, value)| *name == "retry-after" && value.parse::<u32>().is_ok())
    );
    assert_eq!(ask(two, 5.0, Port::External, "/health").status, 200);
}

#[test]
fn a_leak_grows_and_ends_with_a_restart() {
    let nodes = fleet_with("genlayer-01:leak@0s+100s");
    let at = |t| samples(&ask(node(&nodes, Family::GenLayer, 1), t, Port::Ops, "/metrics").body);
    let alloc = |t| at(t)["go_memstats_alloc_bytes"];
    assert!(alloc(95.0) > alloc(50.0) + 5e8 && alloc(50.0) > alloc(1.0) + 5e8);
    assert!(at(110.0)["genlayer_node_uptime_seconds"] < 10.0);
}

#[test]
fn padding_adds_as_many_series_as_asked() {
    let plain = fleet::build(5, 1, 0);
    let padded = fleet::build(5, 1, 1_000);
    for (plain, padded) in plain.iter().zip(&padded) {
        let Some(port) = metrics_port(plain) else { continue };
        let count = |node| samples(&ask(node, 3.0, port, "/metrics").body).len();
        assert_eq!(count(padded) - count(plain), 1_000, "{}", plain.id);
    }
}

#[test]
fn promtool_accepts_the_expositions_but_for_their_names() {
    for node in fleet_with("none").iter().take(30) {
        let Some(port) = metrics_port(node) else { continue };
        let answer = ask(node, 30.0, port, "/metrics");
        if answer.content_type.starts_with("application/openmetrics") {
            continue; // promtool reads the older format only.
        }
        let promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut promtool) = promtool else {
            eprintln!("promtool is not here; skipped");
            return;
        };
        promtool.stdin.take().unwrap().write_all(answer.body.as_bytes()).unwrap();
        let output = promtool.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("error while linting") && !said.contains("parsing"), "{}: {said}", node.id);
    }
}

#[test]
fn a_malformed_exposition_is_one_and_health_stays_well() {
    let nodes = fleet_with("decdn-03:malformed");
    let node = node(&nodes, Family::Decdn, 3);
    assert!(ask(node, 5.0, Port::Ops, "/metrics").body.contains("process_open_fds{pool=\"main} 12\n"));
    assert_eq!(body(node, 5.0, Port::Ops, "/health").0, 200);
}
