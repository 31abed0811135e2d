//! The live stream: a snapshot, then numbered deltas that hold only what changed.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use fleetglass_shared::{
    patch,
    wire::{FleetSnapshot, LiveDelta},
};
use fleetglass_tests::{
    node::{Node, Page},
    proxy::{Fleetglass, QUICK},
    sse::Event,
    wait::{eventually, within},
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpSocket};

fn health(peers: u32) -> Page {
    Page::json(200, &json!({"status": "ok", "peer_count": peers, "version": "1.2.3"}).to_string())
}

fn targets(node: &Node, ids: impl IntoIterator<Item = String>) -> String {
    let target =
        |id: String| format!("\n[[target]]\nid = \"{id}\"\nfamily = \"generic\"\nurl = \"{}\"\n", node.url());
    ids.into_iter().map(target).collect()
}

fn names(nodes: &Value) -> Vec<&String> {
    nodes.as_object().unwrap().keys().collect()
}

#[tokio::test]
async fn a_snapshot_then_deltas_that_together_are_the_fleet() {
    let node = Node::start([("/health", health(5))]).await;
    let config = format!("{QUICK}{}", targets(&node, ["a".into(), "b".into()]));
    let fleetglass = Fleetglass::serve(&config).await;
    fleetglass.node_is("a", "healthy").await;
    fleetglass.node_is("b", "healthy").await;

    let mut stream = fleetglass.live(None).await;
    let first = stream.next().await;
    assert_eq!(first.name, "snapshot");
    let snapshot: FleetSnapshot = serde_json::from_value(first.data.clone()).unwrap();
    assert_eq!(snapshot.nodes.len(), 2);
    assert_eq!(first.id, format!("{}-{}", snapshot.server.epoch, snapshot.seq));

    // One node's peers change; what the client holds follows, delta by delta.
    node.says("/health", health(4));
    let mut held: Vec<Value> = first.data["nodes"].as_array().unwrap().clone();
    let mut seq = snapshot.seq;
    loop {
        let event = stream.next_named("delta").await;
        let delta: LiveDelta = serde_json::from_value(event.data.clone()).unwrap();
        seq += 1;
        assert_eq!(delta.seq, seq, "deltas are numbered one by one");
        assert_eq!(event.id, format!("{}-{seq}", snapshot.server.epoch));
        for (id, change) in &delta.nodes {
            let own = held.iter_mut().find(|node| node["id"] == id.as_str()).unwrap();
            assert!(
                change.get("id").is_none() && change.get("labels").is_none(),
                "{id} did not change so: {change}"
            );
            let mut change = change.clone();
            change.as_object_mut().unwrap().remove("spark");
            for (key, value) in change.as_object().unwrap() {
                assert_ne!(own.get(key), Some(value), "{id}: `{key}` is sent though it is as it was");
            }
            patch::merge(own, &change);
        }
        if held.iter().all(|node| node["peers"] == 4) {
            break;
        }
    }

    // A node goes, another comes.
    fleetglass.write("fleetglass.toml", &format!("{QUICK}{}", targets(&node, ["b".into(), "c".into()])));
    let (mut gone, mut came) = (false, false);
    while !(gone && came) {
        let event = stream.next_named("delta").await;
        gone |= event.data["nodes"].get("a") == Some(&Value::Null);
        came |= event.data["nodes"].get("c").is_some_and(|node| node["id"] == "c");
    }
}

#[tokio::test]
async fn a_client_that_comes_back_gets_exactly_what_it_missed() {
    let node = Node::start([("/health", health(5))]).await;
    let config = format!("{QUICK}{}", targets(&node, ["a".into(), "b".into()]));
    let fleetglass = Fleetglass::serve(&config).await;

    let mut stays = fleetglass.live(None).await;
    let mut leaves = fleetglass.live(None).await;
    let last = leaves.next_named("delta").await;
    drop(leaves);

    // The one that stayed tells what there was to miss.
    let mut missed: Vec<Event> = Vec::new();
    while missed.len() < 4 {
        let event = stays.next_named("delta").await;
        if event.seq() > last.seq() {
            missed.push(event);
        }
    }
    let mut back = fleetglass.live(Some(&last.id)).await;
    for event in missed {
        assert_eq!(back.next_named("delta").await, event);
    }

    let epoch = last.id.rsplit_once('-').unwrap().0.to_owned();
    for unknown in
        ["another-3".to_owned(), format!("{epoch}-99999999"), "nonsense".to_owned(), format!("{epoch}-x")]
    {
        let first = fleetglass.live(Some(&unknown)).await.next().await;
        assert_eq!(first.name, "snapshot", "{unknown}");
    }
}

#[tokio::test]
async fn after_a_restart_the_old_place_is_unknown_and_a_snapshot_comes() {
    let node = Node::start([("/health", health(5))]).await;
    let config = format!("{QUICK}{}", targets(&node, ["a".into()]));
    let before = Fleetglass::serve(&config).await;
    let last = before.live(None).await.next_named("delta").await;
    drop(before);

    let after = Fleetglass::serve(&config).await;
    let first = after.live(Some(&last.id)).await.next().await;
    assert_eq!(first.name, "snapshot");
    let epoch = first.data["server"]["epoch"].as_str().unwrap();
    assert!(!last.id.starts_with(epoch), "two runs have the same epoch {epoch}");
}

#[tokio::test]
async fn a_quiet_fleet_says_that_it_lives() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    let mut stream = fleetglass.live(None).await;
    assert_eq!(stream.next().await.name, "snapshot");
    let ping = stream.next_named("ping").await;
    assert_eq!(ping.id, "", "a ping is no change, so it has no place of its own");
    assert!(ping.data["at"].as_i64().unwrap() > 0);
}

#[tokio::test]
async fn at_most_four_batches_a_second_however_much_changes() {
    let node = Node::start([("/health", health(5))]).await;
    let quickest = QUICK.replace("500ms", "250ms");
    let fleetglass =
        Fleetglass::serve(&format!("{quickest}{}", targets(&node, (0..40).map(|n| format!("n{n}"))))).await;

    let mut stream = fleetglass.live(None).await;
    let mut times = Vec::new();
    while times.len() < 13 {
        times.push(stream.next_named("delta").await.data["at"].as_i64().unwrap());
    }
    // By the proxy's own clock: a busy machine only makes these longer. 20 ms for the clock's grain.
    for second in times.windows(5) {
        assert!(second[4] - second[0] >= 980, "five batches within {} ms: {times:?}", second[4] - second[0]);
    }
}

#[tokio::test]
async fn a_client_that_never_reads_is_dropped_and_the_others_go_on() {
    let node = Node::start([("/health", health(5))]).await;
    let quickest = QUICK.replace("500ms", "250ms");
    // Long labels make a long snapshot, which fills the pipes to the one who does not read.
    let label = format!("labels = {{ long = \"{}\" }}\n", "x".repeat(300_000));
    let nodes: String = (0..20).map(|n| targets(&node, [format!("n{n}")]) + &label).collect();
    let fleetglass = Fleetglass::start(&format!("{quickest}{nodes}"), &[]).await;
    eventually("all nodes are in the snapshot", async || {
        let fleet = fleetglass.get("/api/v1/fleet").await.body;
        if fleet.len() > 6_000_000 { Ok(()) } else { Err(format!("{} bytes", fleet.len())) }
    })
    .await;

    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut slow = socket.connect(fleetglass.address()).await.unwrap();
    let request = format!("GET /api/v1/live HTTP/1.1\r\nhost: {}\r\n\r\n", fleetglass.address());
    slow.write_all(request.as_bytes()).await.unwrap();

    let mut quick = fleetglass.live(None).await;
    let mut seq = quick.next().await.seq();
    within(Duration::from_secs(150), "the slow client is dropped", async || {
        let event = quick.next().await;
        if event.name == "delta" {
            seq += 1;
            assert_eq!(event.seq(), seq, "the quick client missed something");
            assert!(!names(&event.data["nodes"]).is_empty() || event.data.get("families").is_some());
        }
        let dropped = fleetglass.own_metric("fleetglass_live_dropped_clients_total").await;
        if dropped == Some(1.0) { Ok(()) } else { Err(format!("{dropped:?} dropped, at {seq}")) }
    })
    .await;

    for _ in 0..4 {
        let event = quick.next_named("delta").await;
        seq += 1;
        assert_eq!(event.seq(), seq, "the quick client goes on without a gap");
    }
    assert_eq!(fleetglass.own_metric("fleetglass_live_clients").await, Some(1.0));
}
