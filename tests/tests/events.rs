//! What happened, kept over restarts and kills, and how much of the time a node was up.

#![allow(clippy::unwrap_used)]

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use fleetglass_tests::{
    command,
    node::{Node, Page},
    proxy::{Fleetglass, QUICK, free_port},
    wait::eventually,
};
use serde_json::Value;
use tempfile::TempDir;

fn health(status: &str, version: &str) -> Page {
    Page::json(200, &format!(r#"{{"status":"{status}","version":"{version}","peer_count":3}}"#))
}

fn target(id: &str, node: &Node) -> String {
    let url = node.url();
    format!(
        "\n[[target]]\nid = \"{id}\"\nfamily = \"generic\"\nurl = \"{url}\"\nlabels = {{ region = \"eu\" }}\n"
    )
}

/// The events of a query, each as `kind from→to`, with their times.
async fn events(fleetglass: &Fleetglass, query: &str) -> Vec<(String, i64)> {
    let answer = fleetglass.json(&format!("/api/v1/events?{query}")).await;
    let line = |event: &Value| {
        let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let line = match (word("from"), word("to")) {
            (from, to) if from.is_empty() && to.is_empty() => word("kind"),
            (from, to) => format!("{} {from}→{to}", word("kind")),
        };
        (line, event["at"].as_i64().unwrap())
    };
    answer["events"].as_array().unwrap().iter().map(line).collect()
}

fn words(events: &[(String, i64)]) -> Vec<&str> {
    events.iter().map(|(line, _)| line.as_str()).collect()
}

/// The first window of the first figure, and up to when it is.
async fn day(fleetglass: &Fleetglass, query: &str) -> (Value, i64) {
    let uptime = fleetglass.json(&format!("/api/v1/uptime?{query}")).await;
    let at = uptime["at"].as_i64().unwrap();
    (uptime["of"][0]["windows"][0].clone(), at)
}

fn since(node: &Value) -> i64 {
    node["summary"]["since"].as_i64().unwrap()
}

/// Waits until the node was asked so many milliseconds after it was first seen to be.
async fn time_passes(fleetglass: &Fleetglass, milliseconds: i64) {
    let asked = |node: &Value| node["summary"]["asked_at"].as_i64().unwrap_or_default();
    let from = asked(&fleetglass.node("a").await);
    fleetglass.node_when("a", "is asked on and on", |node| asked(node) >= from + milliseconds).await;
}

fn set_aside(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("fleetglass-data")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("state.corrupt-")).collect()
}

#[tokio::test]
async fn an_outage_is_two_events_at_the_times_of_the_scrapes_and_the_uptime_follows() {
    let node = Node::start([("/health", health("ok", "1.0.0"))]).await;
    let fleetglass = Fleetglass::serve(&format!("{QUICK}{}", target("a", &node))).await;
    let well = since(&fleetglass.node_is("a", "healthy").await);
    let address = node.stop().await;
    let down = since(&fleetglass.node_is("a", "unreachable").await);
    time_passes(&fleetglass, 1_000).await;
    let _node = Node::start_at(address, [("/health", health("ok", "1.0.0"))]).await;
    let back = since(&fleetglass.node_is("a", "healthy").await);
    time_passes(&fleetglass, 1_000).await;

    let story = events(&fleetglass, "node=a&kind=state").await;
    let expected = [
        ("state unknown→healthy".to_owned(), well),
        ("state healthy→unreachable".to_owned(), down),
        ("state unreachable→healthy".to_owned(), back),
    ];
    assert_eq!(story, expected);
    let all = events(&fleetglass, "node=a&own=false").await;
    assert_eq!(
        words(&all),
        [
            "added",
            "state unknown→healthy",
            "scrape_failure →connection-refused",
            "state healthy→unreachable",
            "scrape_recovery connection-refused→",
            "state unreachable→healthy"
        ]
    );
    assert!(words(&events(&fleetglass, "node=a").await)[0].starts_with("start →"));

    for query in ["node=a", "by=family", "by=region", ""] {
        let (day, at) = day(&fleetglass, query).await;
        let up = at - back + down - well;
        assert_eq!(day["down_ms"], back - down, "{query}: {day}");
        assert_eq!(day["up_ms"], up, "{query}: {day}");
        assert_eq!(day["unknown_ms"], 24 * 3_600_000 - up - (back - down), "{query}: {day}");
        assert_eq!((&day["window"], &day["outages"]), (&"24h".into(), &1.into()), "{query}: {day}");
        let ratio = up as f64 / (up + back - down) as f64;
        assert!((day["ratio"].as_f64().unwrap() - ratio).abs() < 1e-9, "{query}: {day}");
    }
    let by = fleetglass.json("/api/v1/uptime?by=region").await;
    assert_eq!((&by["of"][0]["name"], &by["of"][0]["nodes"]), (&"eu".into(), &1.into()));

    assert_eq!(fleetglass.own_metric("fleetglass_events_total{kind=\"state\"}").await, Some(3.0));
    assert_eq!(fleetglass.own_metric("fleetglass_state_in_memory").await, Some(0.0));
    assert_eq!(fleetglass.own_metric("fleetglass_state_write_errors_total").await, Some(0.0));
}

#[tokio::test]
async fn a_kill_loses_no_event_and_the_time_nobody_looked_is_unknown() {
    let node = Node::start([("/health", health("ok", "1.0.0"))]).await;
    let config = format!("{QUICK}{}", target("a", &node));
    let fleetglass = Fleetglass::serve(&config).await;
    let well = since(&fleetglass.node_is("a", "healthy").await);
    // Longer than until the next commit, and than until it is next kept how long it has observed.
    time_passes(&fleetglass, 6_000).await;
    let before = fleetglass.json("/api/v1/events").await["events"].clone();
    let folder = fleetglass.end("KILL");
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;

    let fleetglass = Fleetglass::start_in(folder, &config, &[]).await;
    fleetglass.ready().await;
    time_passes(&fleetglass, 1_000).await;
    let answer = fleetglass.json("/api/v1/events").await;
    let after = answer["events"].as_array().unwrap();
    let before = before.as_array().unwrap();
    assert_eq!(&after[..before.len()], before.as_slice());
    let [stop, start] = &after[before.len()..] else { panic!("not only a stop and a start: {answer}") };
    assert_eq!((&stop["kind"], &start["kind"]), (&"stop".into(), &"start".into()));
    assert!(stop["text"].as_str().unwrap().contains("without saying so"), "{stop}");
    let (stop, start) = (stop["at"].as_i64().unwrap(), start["at"].as_i64().unwrap());
    assert!(start - stop >= 2_000 && start - stop < 60_000, "{stop} to {start}");

    let (day, at) = day(&fleetglass, "node=a").await;
    assert_eq!(day["up_ms"], stop - well + at - start, "{day}");
    assert_eq!((&day["down_ms"], &day["outages"]), (&0.into(), &0.into()), "{day}");
}

#[tokio::test]
async fn what_changed_while_nobody_looked_is_one_event_and_what_did_not_is_none() {
    let node = Node::start([("/health", health("ok", "1.0.0"))]).await;
    let other = Node::start([("/health", health("ok", "2.0.0"))]).await;
    let config = format!("{QUICK}{}", target("a", &node));
    let both = format!("{config}{}", target("gone", &other));
    let fleetglass = Fleetglass::serve(&both).await;
    fleetglass.node_is("a", "healthy").await;
    let folder = fleetglass.end("TERM");

    // Nothing changed.
    let fleetglass = Fleetglass::start_in(folder, &both, &[]).await;
    fleetglass.ready().await;
    time_passes(&fleetglass, 1_000).await;
    let story = events(&fleetglass, "node=a&own=false").await;
    assert_eq!(words(&story), ["added", "state unknown→healthy"]);
    let own = fleetglass.json("/api/v1/events?kind=stop").await;
    assert_eq!(own["events"][0]["text"], "Fleetglass stopped", "{own}");
    // A change that is seen.
    node.says("/health", health("ok", "1.1.0"));
    fleetglass.node_when("a", "is updated", |node| node["summary"]["version"] == "1.1.0").await;
    let folder = fleetglass.end("TERM");

    // Another version, draining, and a node that is not in the config any more.
    node.says("/health", health("draining", "1.2.0"));
    let fleetglass = Fleetglass::start_in(folder, &config, &[]).await;
    let first = since(&fleetglass.node_is("a", "degraded").await);
    time_passes(&fleetglass, 1_000).await;
    let story = events(&fleetglass, "node=a&own=false").await;
    assert_eq!(
        words(&story),
        [
            "added",
            "state unknown→healthy",
            "version 1.0.0→1.1.0",
            "version 1.1.0→1.2.0",
            "state healthy→degraded",
            "draining →draining"
        ]
    );
    assert!(story[3..].iter().all(|(_, at)| *at == first), "not in the first round: {story:?}");
    assert_eq!(
        words(&events(&fleetglass, "node=gone&own=false").await),
        ["added", "state unknown→healthy", "removed"]
    );
    let (day, _) = day(&fleetglass, "node=a").await;
    assert_eq!(day["down_ms"], 0, "draining and degraded are not down: {day}");
}

#[tokio::test]
async fn configs_that_are_taken_or_refused_and_nodes_that_come_and_go_are_events() {
    let (one, two) = (Node::start([("/health", health("ok", "1"))]).await, Node::start([]).await);
    let config = format!("{QUICK}{}", target("one", &one));
    let fleetglass = Fleetglass::serve(&config).await;
    let has = async |query: &str, wanted: &[&str]| {
        eventually(&format!("{query} gives {wanted:?}"), async || {
            let seen = events(&fleetglass, query).await;
            if words(&seen) == wanted { Ok(()) } else { Err(format!("{seen:?}")) }
        })
        .await;
    };
    fleetglass.write("fleetglass.toml", &format!("{config}{}", target("two", &two)));
    has("kind=reload", &["reload →taken"]).await;
    has("node=two&kind=added", &["added"]).await;
    fleetglass.write("fleetglass.toml", "this is not TOML");
    has("kind=reload", &["reload →taken", "reload →refused"]).await;
    fleetglass.write("fleetglass.toml", &config);
    has("node=two&own=false&kind=added,removed", &["added", "removed"]).await;
    assert_eq!(fleetglass.get("/api/v1/uptime?node=two").await.status, 404);
}

#[tokio::test]
async fn a_parameter_that_is_wrong_is_a_problem() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    for (path, words) in [
        ("/api/v1/events?kind=status", "the kinds are state, draining"),
        ("/api/v1/events?since=yesterday", "not a whole number"),
        ("/api/v1/events?limit=0", "between 1 and"),
        ("/api/v1/events?own=perhaps", "neither true nor false"),
        ("/api/v1/events?from=1", "not a parameter"),
        ("/api/v1/uptime?node=a&by=family", "exclude each other"),
        ("/api/v1/uptime?by=a-b", "not a label's name"),
    ] {
        let answer = fleetglass.get(path).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        let problem = answer.json();
        assert!(problem["detail"].as_str().unwrap().contains(words), "{path}: {problem}");
    }
}

#[tokio::test]
async fn a_data_folder_has_one_process() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    let second = command::run_in(fleetglass.folder(), &["serve", "--config", "fleetglass.toml"], &[]);
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.err.contains("another fleetglass works in fleetglass-data"), "{}", second.err);
    assert!(second.err.contains("[server] data_dir"), "{}", second.err);
    assert_eq!(fleetglass.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_state_file_that_cannot_be_read_is_set_aside() {
    let folder = Arc::new(TempDir::new().unwrap());
    let state = folder.path().join("fleetglass-data/state.db");
    std::fs::create_dir(state.parent().unwrap()).unwrap();
    std::fs::write(&state, "this was a database once").unwrap();
    let fleetglass = Fleetglass::start_in(Arc::clone(&folder), QUICK, &[]).await;
    let [kept] = set_aside(folder.path()).try_into().unwrap();
    assert!(fleetglass.log().contains(&kept), "{}", fleetglass.log());
    let kept = std::fs::read_to_string(folder.path().join("fleetglass-data").join(kept)).unwrap();
    assert_eq!(kept, "this was a database once");
    assert_eq!(fleetglass.own_metric("fleetglass_state_in_memory").await, Some(0.0));
    assert!(words(&events(&fleetglass, "").await)[0].starts_with("start →"));
}

#[tokio::test]
async fn where_nothing_can_be_written_it_goes_on_in_memory() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let config = QUICK.replace("[server]", "[server]\ndata_dir = \"file/data\"");
    let fleetglass = Fleetglass::start_in(folder, &config, &[]).await;
    assert!(fleetglass.log().contains("cannot write to the data folder"), "{}", fleetglass.log());
    assert_eq!(fleetglass.own_metric("fleetglass_state_in_memory").await, Some(1.0));
    assert!(words(&events(&fleetglass, "").await)[0].starts_with("start →"));
}

#[tokio::test]
async fn a_demo_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let left = || std::fs::read_dir(folder.path()).unwrap().count();
    let port = free_port().to_string();
    let mut demo = command::fleetglass(&["demo", "--nodes", "2", "--port", &port]);
    demo.current_dir(folder.path()).env("TMPDIR", folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut demo = demo.spawn().unwrap();
    eventually("the demo has a folder", async || if left() == 1 { Ok(()) } else { Err(left().to_string()) })
        .await;
    // It handles signals once it serves.
    eventually("the demo serves", async || {
        let answer = status_of(&format!("http://127.0.0.1:{port}/readyz")).await;
        if answer == Some(200) { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    Command::new("kill").arg(demo.id().to_string()).status().unwrap();
    demo.wait().unwrap();
    assert_eq!(left(), 0);
}

async fn status_of(url: &str) -> Option<u16> {
    Some(fleetglass_tests::proxy::http_client().get(url).send().await.ok()?.status().as_u16())
}
