//! The real world: Prometheus, Alertmanager and VictoriaMetrics as nodes, and a Prometheus that scrapes us.

#![allow(clippy::unwrap_used)]

use fleetglass_tests::{
    node::{Node, Page},
    peers::{self, Peer, promtool_check_metrics},
    proxy::{Fleetglass, QUICK, http_client},
    wait::eventually,
};
use serde_json::{Value, json};

const GENLAYER_SEVEN: [&str; 7] = [
    "genlayer_health_up",
    "genlayer_validating_up",
    "genlayer_zksync_rpc_up",
    "genlayer_zksync_ws_up",
    "genlayer_node_version_info",
    "genlayer_genvm_version_info",
    "genlayer_protocol_version_info",
];

#[tokio::test]
async fn the_usual_monitoring_servers_are_nodes_like_any_other() {
    if peers::are_skipped() {
        return;
    }
    let nothing = "global: { scrape_interval: 1s }\nscrape_configs: []\n";
    let prometheus = Peer::prometheus(nothing).await;
    let alertmanager = Peer::alertmanager().await;
    let victoria = Peer::victoria_metrics().await;
    let all = [("prometheus", &prometheus), ("alertmanager", &alertmanager), ("victoria", &victoria)];

    let mut config = QUICK.replace("500ms", "1s");
    for (name, peer) in all {
        for family in ["generic", "auto"] {
            let url = peer.url("");
            config +=
                &format!("\n[[target]]\nid = \"{name}-{family}\"\nfamily = \"{family}\"\nurl = \"{url}\"\n");
        }
    }
    let fleetglass = Fleetglass::serve(&config).await;

    for (name, _) in all {
        for family in ["generic", "auto"] {
            let id = format!("{name}-{family}");
            let node = fleetglass.node_is(&id, "healthy").await;
            assert_eq!(node["summary"]["family"], "generic", "{id}: {}", node["family_note"]);
            // Debian builds its VictoriaMetrics without a version in it.
            if name != "victoria" {
                let version = node["summary"]["version"].as_str().unwrap_or_default();
                assert!(version.contains(|c: char| c.is_ascii_digit()), "{id} has no version: `{version}`");
            }
            assert!(!node["facts"].as_array().unwrap().is_empty(), "{id} has no facts");
            assert_eq!(node["failures"], json!([]), "{id}");
            let series = fleetglass.json(&format!("/api/v1/nodes/{id}/series")).await;
            let series = series["series"].as_array().unwrap();
            assert!(series.len() > 60, "{id} has only {} series", series.len());
            fleetglass.series_when(&id, "up", |value| value == "1").await;
            fleetglass
                .series_when(&id, "process_resident_memory_bytes", |value| {
                    value.parse().is_ok_and(|n: f64| n > 1e6)
                })
                .await;
        }
    }
    let auto = fleetglass.node("prometheus-auto").await;
    assert!(
        !auto["family_note"].as_str().unwrap_or_default().is_empty(),
        "it does not say how it was recognised"
    );
}

#[tokio::test]
async fn a_prometheus_that_scrapes_us_sees_a_node_that_only_speaks_json() {
    if peers::are_skipped() {
        return;
    }
    let health = json!({
        "status": "up",
        "checks": {
            "validating": {"status": "up", "timestamp": "NOW"},
            "zksync": {"status": "up", "timestamp": "NOW"},
            "zksync-websocket": {"status": "down", "timestamp": "NOW", "error": "socket closed"},
        },
        "node_version": "v0.4.2", "genvm_version": "v0.2.4", "protocol_version": "v0.1.0",
    });
    let node = Node::start([("/health", Page::Moving(health.to_string()))]).await;
    let target = |id: &str| {
        format!(
            "\n[[target]]\nid = \"{id}\"\nfamily = \"genlayer\"\nurl = \"{}\"\nlabels = {{ region = \"eu\" }}\n",
            node.url()
        )
    };
    let fleetglass = Fleetglass::serve(&format!("{QUICK}{}{}", target("val-1"), target("val-2"))).await;
    eventually("the seven series are exposed", async || {
        let text = fleetglass.get("/metrics/nodes").await.body;
        let missing: Vec<_> =
            GENLAYER_SEVEN.iter().filter(|name| !text.contains(&format!("\n{name}{{"))).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("no {missing:?} in\n{text}")) }
    })
    .await;

    for path in ["/metrics", "/metrics/nodes"] {
        let answer = fleetglass.get(path).await;
        assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"), "{path}");
        promtool_check_metrics(&answer.body)
            .unwrap_or_else(|said| panic!("{path}: promtool says\n{said}\nof\n{}", answer.body));
    }

    let address = fleetglass.address();
    let prometheus = Peer::prometheus(&format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n\
         - {{ job_name: fleetglass, static_configs: [{{ targets: ['{address}'] }}] }}\n\
         - {{ job_name: nodes, metrics_path: /metrics/nodes, honor_labels: true, static_configs: [{{ targets: ['{address}'] }}] }}\n"
    ))
    .await;

    for (query, value) in [
        ("up{job=\"fleetglass\"}", "1"),
        ("count(fleetglass_build_info)", "1"),
        (
            "fleetglass_nodes{status=\"degraded\"} + ignoring(status) fleetglass_nodes{status=\"unhealthy\"}",
            "2",
        ),
        ("genlayer_health_up{instance=\"val-1\",job=\"genlayer\",region=\"eu\"}", "1"),
        ("genlayer_validating_up{instance=\"val-1\"}", "1"),
        ("genlayer_zksync_rpc_up{instance=\"val-1\"}", "1"),
        ("genlayer_zksync_ws_up{instance=\"val-1\"}", "0"),
        ("count(genlayer_zksync_ws_up == 0)", "2"),
        ("genlayer_node_version_info{instance=\"val-2\",version=\"v0.4.2\"}", "1"),
        ("genlayer_genvm_version_info{instance=\"val-2\",version=\"v0.2.4\"}", "1"),
        ("genlayer_protocol_version_info{instance=\"val-2\",version=\"v0.1.0\"}", "1"),
    ] {
        eventually(&format!("Prometheus answers {value} to {query}"), async || {
            let answer = ask(&prometheus, query).await;
            let result = answer["data"]["result"].as_array().cloned().unwrap_or_default();
            if result.len() == 1 && result[0]["value"][1] == value { Ok(()) } else { Err(answer.to_string()) }
        })
        .await;
    }
    let targets = http_client().get(prometheus.url("/api/v1/targets")).send().await.unwrap();
    let targets: Value = targets.json().await.unwrap();
    for target in targets["data"]["activeTargets"].as_array().unwrap() {
        assert_eq!((&target["health"], &target["lastError"]), (&"up".into(), &"".into()), "{target}");
    }
}

async fn ask(prometheus: &Peer, query: &str) -> Value {
    let answer =
        http_client().get(prometheus.url("/api/v1/query")).query(&[("query", query)]).send().await.unwrap();
    answer.json().await.unwrap()
}
