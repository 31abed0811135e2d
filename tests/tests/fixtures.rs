//! An nginx that serves every recorded answer of every family: through real HTTP each comes to what its
//! reviewed snapshot says.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use fleetglass_shared::family::Registry;
use fleetglass_tests::{
    fixtures::{self, Meaning},
    peers::{self, Peer},
    proxy::Fleetglass,
};
use serde_json::Value;

/// Each node is asked once: a second round could tell more than one answer does.
const ONCE: &str = "
[server]
listen = \"127.0.0.1:0\"

[scrape]
interval = \"10m\"
timeout = \"10s\"
";

#[tokio::test]
async fn every_recorded_answer_comes_to_what_was_agreed() {
    if peers::are_skipped() {
        return;
    }
    let fixtures = fixtures::all();
    let families: BTreeSet<&str> = fixtures.iter().map(|fixture| fixture.family.as_str()).collect();
    let registry = Registry::built_in();
    assert_eq!(families.into_iter().collect::<Vec<_>>(), registry.names().collect::<Vec<_>>());
    let nginx = Peer::nginx(&fixtures.iter().map(fixtures::Fixture::locations).collect::<String>()).await;
    let base = nginx.url("");
    let targets: String = fixtures.iter().map(|fixture| fixture.target(&base, nginx.port())).collect();

    let fleetglass = Fleetglass::serve(&format!("{ONCE}{targets}")).await;

    let fleet = fleetglass.fleet().await;
    let nodes = fleet["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), fixtures.len());
    let mut wrong = Vec::new();
    for fixture in &fixtures {
        let node = nodes.iter().find(|node| node["id"] == fixture.id()).unwrap();
        let (agreed, came_to) = (fixture.meaning(), meaning(node));
        if agreed != came_to {
            wrong.push(format!("{}:\n  agreed   {agreed:?}\n  came to  {came_to:?}", fixture.id()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), fixtures.len(), wrong.join("\n"));
}

#[tokio::test]
async fn a_node_of_every_family_is_recognised_by_what_it_says() {
    if peers::are_skipped() {
        return;
    }
    let registry = Registry::built_in();
    let healthy: Vec<_> = fixtures::all().into_iter().filter(|fixture| fixture.name == "healthy").collect();
    assert!(healthy.len() >= 6);
    let mut running = Vec::new();
    let mut config = ONCE.to_owned();
    for fixture in &healthy {
        // The family's own paths, on one port of their own.
        let mut server = fixture.locations();
        let mut seen = BTreeSet::new();
        for endpoint in &registry.get(&fixture.family).unwrap().spec().endpoint {
            let recorded = format!("location = /{}/{}/{} ", fixture.family, fixture.name, endpoint.name);
            if server.contains(&recorded) && seen.insert(endpoint.path.clone()) {
                server = server.replace(&recorded, &format!("location = {} ", endpoint.path));
            }
        }
        let nginx = Peer::nginx(&server).await;
        let family = &fixture.family;
        config +=
            &format!("\n[[target]]\nid = \"{family}\"\nfamily = \"auto\"\nurl = \"{}\"\n", nginx.url(""));
        running.push(nginx);
    }

    let fleetglass = Fleetglass::serve(&config).await;

    for fixture in &healthy {
        let node = fleetglass.node(&fixture.family).await;
        assert_eq!(node["summary"]["family"], fixture.family.as_str(), "{}", node["family_note"]);
        assert!(node["family_note"].as_str().is_some_and(|note| note.len() > 5), "{}", node["family_note"]);
    }
}

fn meaning(node: &Value) -> Meaning {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let reasons = node["reasons"].as_array().cloned().unwrap_or_default();
    Meaning {
        status: text(&node["status"]),
        draining: node["draining"] == true,
        reasons: reasons
            .iter()
            .map(|reason| (text(&reason["status"]), text(&reason["code"]), text(&reason["text"])))
            .collect(),
        peers: node["peers"].as_u64(),
        version: node["version"].as_str().map(str::to_owned),
    }
}
