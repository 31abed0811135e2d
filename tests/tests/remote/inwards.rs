//! Others push to us.

use std::time::Duration;

use fleetglass_tests::{
    peers::{self, Peer},
    proxy::{Fleetglass, QUICK, reasons},
    push::{push, stale},
    samples::{EXACT, count, now, of, same, samples},
    wait::eventually,
};

use super::{moving_node, with_token};

#[tokio::test]
async fn a_node_that_prometheus_pushes_is_in_the_fleet_with_exactly_its_samples() {
    if peers::are_skipped() {
        return;
    }
    let (token, config) = with_token();
    let mut fleetglass = Fleetglass::serve(&config).await;
    fleetglass.log_in(&token);
    let (node, moving) = moving_node().await;
    let prometheus = Peer::prometheus(&format!(
        "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms }}\n\
         remote_write: [{{ url: '{}', authorization: {{ credentials: '{token}' }}, queue_config: {{ batch_send_deadline: 500ms }} }}]\n\
         scrape_configs: [{{ job_name: generic, static_configs: [{{ targets: ['{}'], labels: {{ instance: n1, region: eu }} }}] }}]\n",
        fleetglass.url("/api/v1/write"),
        node.address(),
    ))
    .await;

    let detail = fleetglass.node_is("n1", "healthy").await;
    assert_eq!(detail["summary"]["family"], "generic");
    assert_eq!(detail["summary"]["labels"], serde_json::json!({ "region": "eu" }));
    tokio::time::sleep(Duration::from_secs(6)).await;
    let until = now();
    // Its own answer may move while it scrapes what lies before `until`.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let there = samples(&prometheus.url(""), "{instance=\"n1\"}", until, &[]).await.unwrap();
    eventually("we have what Prometheus has", async || {
        let time = until as f64 / 1000.0;
        let query = format!("/api/v1/query?query=%7Binstance%3D%22n1%22%7D%5B10m%5D&time={time}");
        same(&there, &of(&fleetglass.json(&query).await, &[])?, EXACT)
    })
    .await;
    assert!(count(&there) > 200, "{}", count(&there));

    // Prometheus cannot reach it any more: its `up` says so.
    moving.abort();
    let _ = moving.await;
    std::sync::Arc::into_inner(node).unwrap().stop().await;
    let detail = fleetglass.node_is("n1", "unreachable").await;
    assert_eq!(reasons(&detail), ["up-is-0"]);
}

#[tokio::test]
async fn an_agent_behind_a_nat_pushes_and_its_silence_is_seen() {
    if peers::are_skipped() {
        return;
    }
    let config = format!(
        "{QUICK}\n[remote_write_in]\nnode_label = \"node\"\nlabels = [\"rack\"]\nstale_after = \"3s\"\n"
    );
    let fleetglass = Fleetglass::serve(&config).await;
    let (node, _moving) = moving_node().await;
    let mut agent = Peer::prometheus_agent(&format!(
        "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms }}\n\
         remote_write: [{{ url: '{}', queue_config: {{ batch_send_deadline: 500ms }} }}]\n\
         scrape_configs: [{{ job_name: x, static_configs: [{{ targets: ['{}'], labels: {{ node: eu-1, rack: r2 }} }}] }}]\n",
        fleetglass.url("/api/v1/write"),
        node.address(),
    ))
    .await;
    let detail = fleetglass.node_is("eu-1", "healthy").await;
    assert_eq!(detail["summary"]["labels"], serde_json::json!({ "rack": "r2" }));
    // The label that it had is kept beside the one that names the node.
    let found = fleetglass.json("/api/v1/query?query=a_total").await;
    let labels = &found["data"]["result"][0]["metric"];
    assert_eq!(
        (&labels["instance"], &labels["exported_instance"]),
        (&"eu-1".into(), &node.address().to_string().into())
    );
    agent.stop();
    let detail = fleetglass.node_is("eu-1", "unreachable").await;
    assert_eq!(reasons(&detail), ["nothing-pushed"]);
    let text = detail["summary"]["reasons"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("Nothing was pushed for "), "{text}");
    agent.start_again().await;
    fleetglass.node_is("eu-1", "healthy").await;
    assert_eq!(fleetglass.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn late_samples_find_their_place_and_a_stale_marker_ends_a_series() {
    let fleetglass = Fleetglass::serve(QUICK).await;
    let end = now() - 60_000;
    let labels = [("__name__", "m"), ("instance", "a"), ("job", "x")];
    let at = |back: i64| end - back * 1000;
    for samples in [
        &[(at(50), 1.0), (at(10), 5.0)][..],
        // Late, one of them known already, and the end.
        &[(at(40), 2.0), (at(50), 1.0), (at(30), 3.0)],
        &[(at(20), f64::NAN), (at(0), stale())],
    ] {
        let answer = push(&fleetglass, &[(&labels, samples)]).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
    }
    let here = samples(&fleetglass.url(""), "m", now(), &[]).await.unwrap();
    let expected = [(50, 1.0), (40, 2.0), (30, 3.0), (10, 5.0)].map(|(back, value)| (at(back), value));
    assert_eq!(here.values().next().unwrap(), &expected);
    for (time, there) in [(at(1), true), (at(0), false), (now(), false)] {
        let query = format!("/api/v1/query?query=m&time={}", time as f64 / 1000.0);
        let found = fleetglass.json(&query).await;
        assert_eq!(found["data"]["result"].as_array().unwrap().len() == 1, there, "{found}");
    }
}
