//! One cause, one incident: what failed together is told together, and we are the first suspect.

use std::net::SocketAddr;

use fleetglass_tests::{
    node::{Node, Page},
    proxy::{Fleetglass, QUICK},
    wait::eventually,
};
use serde_json::{Value, json};

use super::{lag, target};

/// The rules of any node, quick enough for a story.
const SOON: &str = "
[rules]
evaluation_interval = \"500ms\"
[[rules.override]]
alert = \"NodeUnreachable\"
for = \"2s\"
[[rules.override]]
alert = \"EgressDown\"
keep_firing_for = \"0s\"
";

/// A node at an address of its own host: all of 127/8 is this machine.
async fn node_on(host: u8) -> Node {
    Node::start_at(SocketAddr::from(([127, 0, 0, host], 0)), [("/metrics", lag(0.0))]).await
}

/// The incidents, as soon as they are as wanted.
async fn incidents_when(
    fleetglass: &Fleetglass,
    what: &str,
    wanted: impl Fn(&[Value]) -> bool,
) -> Vec<Value> {
    eventually(what, async || {
        let answer = fleetglass.json("/api/v1/incidents").await;
        let all = answer["incidents"].as_array().cloned().unwrap_or_default();
        if wanted(&all) { Ok(all) } else { Err(format!("{answer:#}")) }
    })
    .await
}

/// The nodes that the alerts of an incident are about, sorted.
async fn nodes_of(fleetglass: &Fleetglass, incident: &Value) -> Vec<String> {
    let fleet = fleetglass.fleet().await;
    let all = fleet["alerts"].as_array().unwrap();
    let mut nodes: Vec<String> = all
        .iter()
        .filter(|alert| incident["alerts"].as_array().unwrap().contains(&alert["id"]))
        .filter_map(|alert| alert["node"].as_str().map(str::to_owned))
        .collect();
    nodes.sort();
    nodes
}

#[tokio::test]
async fn nodes_of_one_host_that_fall_silent_together_are_one_incident() {
    let mut config = format!("{QUICK}{SOON}");
    let mut nodes = Vec::new();
    for (host, id) in [(2, "a1"), (2, "a2"), (3, "b1"), (3, "b2"), (4, "c1"), (4, "c2")] {
        let node = node_on(host).await;
        config += &target(id, &node);
        nodes.push(node);
    }
    let fleetglass = Fleetglass::serve(&config).await;
    let answer = fleetglass.json("/api/v1/incidents").await;
    assert_eq!((&answer["incidents"], &answer["egress"]["state"]), (&json!([]), &json!("up")), "{answer:#}");

    let rest = nodes.split_off(2);
    let mut gone = Vec::new();
    for node in nodes {
        gone.push(node.stop().await);
    }
    let both = |all: &[Value]| {
        all.iter().any(|own| own["cause"] == "host" && own["alerts"].as_array().unwrap().len() == 2)
    };
    let all = incidents_when(&fleetglass, "the host is blamed", both).await;
    let own = all.iter().find(|own| own["cause"] == "host").unwrap();
    assert_eq!(
        (&own["about"], &own["title"]),
        (&json!("127.0.0.2"), &json!("Host 127.0.0.2 does not answer"))
    );
    assert_eq!(nodes_of(&fleetglass, own).await, ["a1", "a2"]);
    let evidence: Vec<&str> = own["evidence"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(evidence[0].starts_with("2 of 2 nodes on host 127.0.0.2 stopped answering "), "{evidence:?}");
    assert_eq!(evidence[1], "0 of 4 nodes elsewhere did.");
    assert_eq!(own["first"].as_array().unwrap().len(), 2);
    // An alert says which incident it is part of.
    let alert = own["alerts"][0].as_str().unwrap();
    let detail = fleetglass.json(&format!("/api/v1/alerts/{alert}")).await;
    assert_eq!(
        detail["incident"],
        json!({"id": own["id"], "cause": "host", "title": own["title"], "alerts": 2})
    );

    // One is back: what is left is the same incident still.
    let back = Node::start_at(gone[0], [("/metrics", lag(0.0))]).await;
    let one = |all: &[Value]| {
        all.iter().any(|now| now["id"] == own["id"] && now["alerts"].as_array().unwrap().len() == 1)
    };
    let all = incidents_when(&fleetglass, "one is well again", one).await;
    assert!(
        all.iter()
            .any(|now| now["evidence"].as_array().unwrap().contains(&json!("1 of them is well again."))),
        "{all:#?}"
    );
    drop((rest, back));
}

#[tokio::test]
async fn when_our_own_way_out_is_gone_the_fleet_is_not_blamed() {
    // What stands for the world out there: a port that takes connections, until it does not.
    let world = Node::start([("/", Page::json(200, "{}"))]).await;
    let mut config = format!(
        "{QUICK}{SOON}\n[egress]\ncheck = [\"{}\"]\ninterval = \"500ms\"\ntimeout = \"500ms\"\n",
        world.address()
    );
    let mut nodes = Vec::new();
    for (host, id) in [(2, "a1"), (2, "a2"), (3, "b1"), (4, "c1")] {
        let node = node_on(host).await;
        config += &target(id, &node);
        nodes.push(node);
    }
    let fleetglass = Fleetglass::serve(&config).await;
    assert_eq!(fleetglass.own_metric("fleetglass_egress_up").await, Some(1.0));
    let world = world.stop().await;
    let mut gone = Vec::new();
    for node in nodes {
        gone.push(node.stop().await);
    }
    let blind = |all: &[Value]| matches!(all, [own] if own["cause"] == "egress" && own["alerts"].as_array().unwrap().len() == 5);
    let all = incidents_when(&fleetglass, "we are to blame, for everything", blind).await;
    assert_eq!(all[0]["title"], "Fleetglass cannot reach the network");
    assert_eq!(nodes_of(&fleetglass, &all[0]).await, ["a1", "a2", "b1", "c1"]);
    let evidence = all[0]["evidence"].to_string();
    assert!(evidence.contains("4 of 4 nodes stopped answering"), "{evidence}");
    assert!(evidence.contains(&format!("{world}: refused the connection")), "{evidence}");
    assert_eq!(fleetglass.own_metric("fleetglass_egress_up").await, Some(0.0));
    eventually("that nodes are not reached is quiet", async || {
        let fleet = fleetglass.fleet().await;
        let all = fleet["alerts"].as_array().unwrap().clone();
        let firing = || all.iter().filter(|alert| alert["state"] == "firing");
        let blind = firing().find(|alert| alert["name"] == "EgressDown").ok_or("no EgressDown")?;
        let quiet = firing()
            .filter(|alert| alert["name"] == "NodeUnreachable")
            .filter(|alert| alert["inhibited_by"] == json!([blind["id"]]))
            .count();
        if quiet == 4 && blind.get("inhibited_by").is_none() {
            Ok(())
        } else {
            Err(fleet["alerts"].to_string())
        }
    })
    .await;

    // The way out is back, and one node is not: that is its own affair then.
    let _world = Node::start_at(world, []).await;
    let mut back = Vec::new();
    for address in &gone[1..] {
        back.push(Node::start_at(*address, [("/metrics", lag(0.0))]).await);
    }
    eventually("the way out is back", async || match fleetglass.own_metric("fleetglass_egress_up").await {
        Some(1.0) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    eventually("only the node that is gone is told of, and aloud", async || {
        let fleet = fleetglass.fleet().await;
        let all = fleet["alerts"].as_array().unwrap().clone();
        let firing: Vec<&Value> = all.iter().filter(|alert| alert["state"] == "firing").collect();
        match firing.as_slice() {
            [one] if one["node"] == "a1" && one.get("inhibited_by").is_none() => Ok(()),
            other => Err(format!("{other:#?}")),
        }
    })
    .await;
}
