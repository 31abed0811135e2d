//! What is kept: exact numbers, and series with gaps where nothing was known.

#![allow(clippy::unwrap_used)]

use fleetglass_tests::{
    node::{Node, Page},
    proxy::{Fleetglass, QUICK, fact},
    wait::eventually,
};
use serde_json::Value;

/// The largest integer a double holds, and one more; then beyond 64 bits, and a balance in wei.
const BIG: [&str; 4] =
    ["9007199254740993", "18446744073709551617", "-9223372036854775809", "1000000000000000000000000001"];

fn target(family: &str, node: &Node) -> String {
    format!("\n[[target]]\nid = \"a\"\nfamily = \"{family}\"\nurl = \"{}\"\n", node.url())
}

#[tokio::test]
async fn big_integers_stay_exact_from_the_wire_to_the_api() {
    let body = format!(
        r#"{{"status":"ok","peer_count":3,"plus":{},"wide":{},"deep":{{"minus":{}}},"text":"{}"}}"#,
        BIG[0], BIG[1], BIG[2], BIG[3]
    );
    let metrics = format!("a_total {}\nb {}\nc {}\nd{{unit=\"wei\"}} {}\n", BIG[0], BIG[1], BIG[2], BIG[3]);
    let node =
        Node::start([("/health", Page::json(200, &body)), ("/metrics", Page::metrics(&metrics))]).await;
    let fleetglass = Fleetglass::serve(&format!("{QUICK}{}", target("generic", &node))).await;

    let seen = fleetglass.node_is("a", "healthy").await;
    for (pointer, digits) in
        [("/plus", BIG[0]), ("/wide", BIG[1]), ("/deep/minus", BIG[2]), ("/text", BIG[3])]
    {
        assert_eq!(fact(&seen, pointer), Some(digits), "{pointer}: {}", seen["facts"]);
    }
    for (metric, digits) in [("a_total", BIG[0]), ("b", BIG[1]), ("c", BIG[2]), ("d", BIG[3])] {
        fleetglass.series_when("a", metric, |value| value == digits).await;
    }
}

#[tokio::test]
async fn a_balance_in_micro_usdc_is_never_a_float() {
    let health = format!(
        r#"{{"status":"ready","version":"1.0.0","peer_count":8,"channels_open":3,"channel_balances_total_usdc":"{}",
            "blacklist_sync_state":{{"version":4,"lag_seconds":2}},"watchtowers_registered":3}}"#,
        BIG[0]
    );
    let node = Node::start([
        ("/health", Page::json(200, &health)),
        ("/metrics", Page::metrics("decdn_peer_table_size 8\n")),
    ])
    .await;
    let fleetglass = Fleetglass::serve(&format!("{QUICK}{}", target("decdn", &node))).await;

    let seen =
        fleetglass.node_when("a", "tells its balance", |node| fact(node, "channel_balances").is_some()).await;
    assert_eq!(fact(&seen, "channel_balances"), Some(BIG[0]));
    let facts = seen["facts"].as_array().unwrap();
    let balance = facts.iter().find(|fact| fact["name"] == "channel_balances").unwrap();
    assert_eq!(balance["unit"], "micro-usdc");
}

#[tokio::test]
async fn a_chart_has_a_gap_where_the_node_was_down() {
    let metrics = || [("/metrics", Page::metrics("process_resident_memory_bytes 1048576\n"))];
    let node = Node::start(metrics()).await;
    let quickest = QUICK.replace("500ms", "250ms");
    let fleetglass = Fleetglass::serve(&format!("{quickest}{}", target("generic", &node))).await;

    // The charts of the node are those of its family, asked about this node alone.
    let seen = fleetglass.node_is("a", "healthy").await;
    let panels = seen["panels"].as_array().unwrap();
    let panel = panels.iter().find(|panel| panel["title"] == "Memory").unwrap();
    let query = panel["queries"][0]["expr"].as_str().unwrap().to_owned();
    assert!(query.contains("instance=\"a\""), "{query}");

    // It is up, then down, then up again, each for a while by its own clock.
    let up_at = moment(&seen);
    passes(&fleetglass, up_at + 1500).await;
    let address = node.stop().await;
    let down_at = moment(&fleetglass.node_is("a", "unreachable").await);
    passes(&fleetglass, down_at + 2000).await;
    let gone_until = moment(&fleetglass.node("a").await);
    let _node = Node::start_at(address, metrics()).await;
    let back_at = moment(&fleetglass.node_is("a", "healthy").await);
    passes(&fleetglass, back_at + 1000).await;

    let end = moment(&fleetglass.node("a").await);
    let answer = range(&fleetglass, &query, up_at, end).await;
    assert_eq!(answer["status"], "success", "{answer}");
    assert_eq!(answer["data"]["resultType"], "matrix", "{answer}");
    let result = answer["data"]["result"].as_array().unwrap();
    assert_eq!(result.len(), 1, "{answer}");
    assert_eq!(result[0]["metric"]["instance"], "a");
    let times: Vec<i64> = result[0]["values"].as_array().unwrap().iter().map(point_at).collect();
    assert!(times.iter().any(|&at| at < down_at), "nothing before it went: {times:?}");
    assert!(times.iter().any(|&at| at >= back_at), "nothing after it came back: {times:?}");
    let while_down: Vec<&i64> = times.iter().filter(|&&at| at > down_at && at <= gone_until).collect();
    assert_eq!(while_down, Vec::<&i64>::new(), "values while it was down, {down_at} to {gone_until}");

    let up = range(&fleetglass, "up{instance=\"a\"}", up_at, end).await;
    let values: Vec<&str> = up["data"]["result"][0]["values"].as_array().unwrap().iter().map(value).collect();
    assert!(
        values.contains(&"0") && values.first() == Some(&"1") && values.last() == Some(&"1"),
        "{values:?}"
    );
}

#[tokio::test]
async fn a_query_that_is_none_is_refused_in_prometheus_own_form() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    for (path, word) in [
        ("/api/v1/query_range?query=up%7B&start=1&end=2&step=1", "parse error"),
        ("/api/v1/query_range?query=up&start=2&end=1&step=1", "end"),
        ("/api/v1/query_range?query=up&start=1&end=2&step=0", "step"),
        ("/api/v1/query_range?query=up&start=1&end=99999999&step=1", "points"),
        ("/api/v1/query_range?start=1&end=2&step=1", "query"),
    ] {
        let answer = fleetglass.get(path).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        let error = answer.json();
        assert_eq!(
            (&error["status"], &error["errorType"]),
            (&"error".into(), &"bad_data".into()),
            "{path}: {error}"
        );
        assert!(error["error"].as_str().unwrap().contains(word), "{path}: {error}");
    }
}

async fn range(fleetglass: &Fleetglass, query: &str, start: i64, end: i64) -> Value {
    let query = query.replace('{', "%7B").replace('}', "%7D").replace('"', "%22").replace(' ', "%20");
    let (start, end) = (start as f64 / 1000.0, end as f64 / 1000.0);
    fleetglass.json(&format!("/api/v1/query_range?query={query}&start={start}&end={end}&step=0.25")).await
}

/// When the node was last asked.
fn moment(node: &Value) -> i64 {
    node["summary"]["asked_at"].as_i64().unwrap()
}

/// Waits until the node was asked at this time or later.
async fn passes(fleetglass: &Fleetglass, at: i64) {
    eventually("time passes", async || {
        let now = moment(&fleetglass.node("a").await);
        if now >= at { Ok(()) } else { Err(format!("{} ms to go", at - now)) }
    })
    .await;
}

fn point_at(point: &Value) -> i64 {
    (point[0].as_f64().unwrap() * 1000.0).round() as i64
}

fn value(point: &Value) -> &str {
    point[1].as_str().unwrap()
}
