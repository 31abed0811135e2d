//! Targets come and go while it runs: `file_sd` documents, the config itself, SIGHUP.

#![allow(clippy::unwrap_used)]

use fleetglass_tests::{
    node::{Node, Page},
    proxy::{Fleetglass, QUICK},
    wait::eventually,
};
use serde_json::{Value, json};
use tempfile::TempDir;

async fn node() -> Node {
    Node::start([("/health", Page::json(200, r#"{"status":"ok","peer_count":3}"#))]).await
}

fn target(id: &str, node: &Node) -> String {
    format!("\n[[target]]\nid = \"{id}\"\nfamily = \"generic\"\nurl = \"{}\"\n", node.url())
}

fn document(nodes: &[(&str, &Node)]) -> String {
    let group = |(id, node): &(&str, &Node)| json!({"targets": [node.address().to_string()], "labels": {"instance": id, "family": "generic", "region": "eu"}});
    Value::Array(nodes.iter().map(group).collect()).to_string()
}

async fn fleet_is(fleetglass: &Fleetglass, wanted: &[&str]) {
    eventually(&format!("the fleet is {wanted:?}"), async || {
        let ids = fleetglass.ids().await;
        if ids == wanted { Ok(()) } else { Err(format!("{ids:?}")) }
    })
    .await;
}

async fn log_says(fleetglass: &Fleetglass, words: &str) {
    eventually(&format!("the log says `{words}`"), async || {
        let log = fleetglass.log();
        if log.contains(words) { Ok(()) } else { Err(log) }
    })
    .await;
}

/// A fleet of the nodes that `targets/*.json` names.
async fn discovering(first: &str) -> Fleetglass {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("targets")).unwrap();
    std::fs::write(folder.path().join("targets/a.json"), first).unwrap();
    let config = format!("{QUICK}\n[[discovery]]\nfile_sd = [\"targets/*.json\"]\n");
    Fleetglass::start_in(folder, &config, &[]).await
}

#[tokio::test]
async fn a_target_file_that_changes_changes_the_fleet_and_leaves_the_rest_alone() {
    let (one, two, three) = (node().await, node().await, node().await);
    let fleetglass = discovering(&document(&[("one", &one), ("two", &two)])).await;
    fleet_is(&fleetglass, &["one", "two"]).await;
    let before = fleetglass.node_is("one", "healthy").await;
    assert_eq!(before["summary"]["labels"], json!({"region": "eu"}));

    fleetglass.write("targets/a.json", &document(&[("one", &one), ("three", &three)]));
    fleet_is(&fleetglass, &["one", "three"]).await;
    fleetglass.node_is("three", "healthy").await;
    assert_eq!(fleetglass.get("/api/v1/nodes/two").await.status, 404);

    let after = fleetglass.node("one").await;
    assert_eq!(after["summary"]["since"], before["summary"]["since"], "an unchanged target keeps its state");

    // A further file of the pattern, then none of it.
    fleetglass.write("targets/b.json", &document(&[("two", &two)]));
    fleet_is(&fleetglass, &["one", "three", "two"]).await;
    std::fs::remove_file(fleetglass.folder().join("targets/a.json")).unwrap();
    fleet_is(&fleetglass, &["two"]).await;
}

#[tokio::test]
async fn a_target_whose_labels_change_keeps_its_history() {
    let one = node().await;
    let fleetglass = discovering(&document(&[("one", &one)])).await;
    let before = fleetglass.node_is("one", "healthy").await;

    fleetglass.write("targets/a.json", &document(&[("one", &one)]).replace("\"eu\"", "\"us\""));
    let after = fleetglass
        .node_when("one", "has the new label", |node| node["summary"]["labels"]["region"] == "us")
        .await;

    assert_eq!(after["summary"]["since"], before["summary"]["since"]);
    assert_eq!(after["summary"]["status"], "healthy", "it is not unknown again only because a label changed");
}

#[tokio::test]
async fn a_target_file_that_is_bad_keeps_the_targets_it_named() {
    let (one, two) = (node().await, node().await);
    let fleetglass = discovering(&document(&[("one", &one)])).await;
    let before = fleetglass.node_is("one", "healthy").await;

    for (bad, words) in [
        ("[{\"targets\": [\"127.0.0.1:1\"", "targets/a.json"),
        ("{\"targets\": []}", "expected a JSON list"),
        ("[{\"targets\": [\"no port or host here\"]}]", "no port or host here"),
    ] {
        fleetglass.write("targets/a.json", bad);
        log_says(&fleetglass, words).await;
        log_says(&fleetglass, "stay as they were").await;
        assert_eq!(fleetglass.ids().await, ["one"], "after {bad}");
    }
    assert_eq!(fleetglass.node("one").await["summary"]["since"], before["summary"]["since"]);

    fleetglass.write("targets/a.json", &document(&[("one", &one), ("two", &two)]));
    fleet_is(&fleetglass, &["one", "two"]).await;
}

#[tokio::test]
async fn a_config_that_changes_is_taken_and_a_bad_one_is_refused() {
    let (one, two) = (node().await, node().await);
    let good = format!("{QUICK}{}", target("one", &one));
    let fleetglass = Fleetglass::serve(&good).await;
    let before = fleetglass.node_is("one", "healthy").await;
    let taken = "fleetglass_config_reloads_total{result=\"taken\"}";
    let refused = "fleetglass_config_reloads_total{result=\"refused\"}";
    assert_eq!(fleetglass.own_metric(taken).await, Some(1.0));
    let read_at =
        fleetglass.own_metric("fleetglass_config_last_reload_success_timestamp_seconds").await.unwrap();

    fleetglass.write("fleetglass.toml", &format!("{good}{}", target("two", &two)));
    fleet_is(&fleetglass, &["one", "two"]).await;
    assert_eq!(fleetglass.own_metric(taken).await, Some(2.0));
    let again =
        fleetglass.own_metric("fleetglass_config_last_reload_success_timestamp_seconds").await.unwrap();
    assert!(again > read_at);

    for (count, bad) in [
        "this is not TOML".to_owned(),
        good.replace("[scrape]", "[scrapes]"),
        good.replace("127.0.0.1:0", "0.0.0.0:0"),
        good.replace("\"generic\"", "\"unheard-of\""),
    ]
    .iter()
    .enumerate()
    {
        fleetglass.write("fleetglass.toml", bad);
        eventually("the bad config is refused", async || {
            let seen = fleetglass.own_metric(refused).await;
            if seen == Some(count as f64 + 1.0) { Ok(()) } else { Err(format!("{seen:?} refused")) }
        })
        .await;
        assert_eq!(fleetglass.ids().await, ["one", "two"], "after\n{bad}");
    }
    assert_eq!(fleetglass.node("one").await["summary"]["since"], before["summary"]["since"]);
    assert!(fleetglass.log().contains("fleetglass.toml:1:"), "the log does not say where");
}

#[tokio::test]
async fn a_hangup_reads_everything_again() {
    let one = node().await;
    let fleetglass = Fleetglass::serve(&format!("{QUICK}{}", target("one", &one))).await;
    let before = fleetglass.node_is("one", "healthy").await;
    let taken = "fleetglass_config_reloads_total{result=\"taken\"}";

    fleetglass.signal("HUP");

    eventually("the config was read again", async || {
        let seen = fleetglass.own_metric(taken).await;
        if seen == Some(2.0) { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
    assert_eq!(fleetglass.node("one").await["summary"]["since"], before["summary"]["since"]);
}

#[tokio::test]
async fn a_token_that_is_taken_out_opens_no_more() {
    let made: Value =
        serde_json::from_str(&fleetglass_tests::command::run(&["token", "new", "--json"]).out).unwrap();
    let kept: Value =
        serde_json::from_str(&fleetglass_tests::command::run(&["token", "new", "--json"]).out).unwrap();
    let lines = |token: &Value| format!("\n[[auth.token]]\nname = \"x\"\nhash = {}\n", token["hash"]);
    let mut fleetglass = Fleetglass::start(&format!("{QUICK}{}{}", lines(&made), lines(&kept)), &[]).await;
    fleetglass.log_in(made["token"].as_str().unwrap());
    assert_eq!(fleetglass.get("/api/v1/fleet").await.status, 200);

    fleetglass.write("fleetglass.toml", &format!("{QUICK}{}", lines(&kept)));
    eventually("the token is refused", async || {
        let status = fleetglass.get("/api/v1/fleet").await.status;
        if status == 401 { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    fleetglass.log_in(kept["token"].as_str().unwrap());
    assert_eq!(fleetglass.get("/api/v1/fleet").await.status, 200);
}
