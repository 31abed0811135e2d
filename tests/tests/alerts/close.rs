//! A node near danger is asked more often, so that crossing a bound is seen at once.

use fleetglass_tests::{node::Node, proxy::Fleetglass, wait::eventually};

use super::{lag, target, told, until};

/// The usual round is an hour away, and so is the rules' next turn.
const SLOW: &str = "
[server]
listen = \"127.0.0.1:0\"

[scrape]
interval = \"1h\"
timeout = \"2s\"
close_interval = \"250ms\"

[families]
dir = \"families\"

[rules]
files = [\"rules.yml\"]
built_in = false
";

const FAMILY: &str = "
name = \"orchard\"
title = \"Orchard\"
summary = \"Nodes that lag.\"

[[endpoint]]
name = \"metrics\"
title = \"/metrics\"
kind = \"metrics\"
role = \"metrics\"
path = \"/metrics\"
port = 9100

[[risk]]
name = \"lag\"
title = \"Lag\"
severity = \"critical\"
expr = \"lag_seconds\"
bound = 100
meaning = \"Late nodes are slashed.\"
action = \"Look at its uplink.\"
";

const RULES: &str = "groups: [{name: g, interval: 1h, rules: [{alert: Lag, expr: lag_seconds > 100, labels: {risk: lag}}]}]\n";

#[tokio::test]
async fn a_node_near_its_bound_is_asked_more_often_and_its_crossing_is_seen() {
    let (near, far) =
        (Node::start([("/metrics", lag(90.0))]).await, Node::start([("/metrics", lag(10.0))]).await);
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::create_dir_all(folder.path().join("families/orchard")).unwrap();
    std::fs::write(folder.path().join("families/orchard/family.toml"), FAMILY).unwrap();
    std::fs::write(folder.path().join("rules.yml"), RULES).unwrap();
    let targets = [target("near", &near), target("far", &far)].concat().replace("generic", "orchard");
    let fleetglass = Fleetglass::start_in(folder, &format!("{SLOW}{targets}"), &[]).await;
    fleetglass.ready().await;
    eventually("the one that is near is asked again and again", async || match near.asked("/metrics") {
        0..4 => Err(near.asked("/metrics").to_string()),
        _ => Ok(()),
    })
    .await;
    assert_eq!(told(&fleetglass).await, Vec::<String>::new());
    near.says("/metrics", lag(101.0));
    until(&fleetglass, &["Lag near firing"]).await;
    assert!(far.asked("/metrics") <= 2, "its place in the hour may be at once: {}", far.asked("/metrics"));

    // It has crossed its bound and is told: now it is asked as seldom as any.
    let settled = near.asked("/metrics");
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert!(near.asked("/metrics") <= settled + 2, "{settled} and then {}", near.asked("/metrics"));
}
