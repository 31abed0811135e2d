//! "Safe to restart?" as a script asks it: by the exit code, of one node and of a group.

#![allow(clippy::unwrap_used)]

use fleetglass_tests::{
    command::{Said, run},
    node::{Node, Page},
    proxy::{Fleetglass, QUICK},
    wait::eventually,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const FAMILY: &str = r#"
name = "orchard"
endpoint = [{ name = "status", kind = "json", role = "health", path = "/health" }]
status = [{ endpoint = "status", pointer = "/state", map = { ok = "healthy" } }]
fact = [
  { name = "held", title = "Held", pointer = "/held", unit = "count" },
  { name = "due", title = "Next deadline", pointer = "/due" },
]

[[duty]]
name = "holds"
fact = "held"
above = 0
reason = "{value} are held"
action = "Drain it."

[[duty]]
name = "deadline"
fact = "due"
due = "at"
optional = true
reason = "A deadline is near"
"#;

fn says(body: &Value) -> Page {
    Page::json(200, &body.to_string())
}

fn well() -> Page {
    says(&json!({"state": "ok", "held": 0}))
}

async fn fleet(nodes: &[(&str, &Node)], more: &str) -> Fleetglass {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir_all(folder.path().join("families/orchard")).unwrap();
    std::fs::write(folder.path().join("families/orchard/family.toml"), FAMILY).unwrap();
    let fleetglass = Fleetglass::start_in(folder, &config(nodes, more), &[]).await;
    fleetglass.ready().await;
    fleetglass
}

fn config(nodes: &[(&str, &Node)], more: &str) -> String {
    let target = |(id, node): &(&str, &Node)| {
        format!("\n[[target]]\nid = \"{id}\"\nfamily = \"orchard\"\nurl = \"{}\"\n", node.url())
    };
    let targets: String = nodes.iter().map(target).collect();
    format!("{QUICK}\n[rules]\nbuilt_in = false\n[families]\ndir = \"families\"\n{more}\n{targets}")
}

fn asked(fleetglass: &Fleetglass, args: &[&str]) -> Said {
    let url = fleetglass.url("");
    let all: Vec<&str> = ["restart-check", "--url", &url].into_iter().chain(args.iter().copied()).collect();
    run(&all)
}

/// Asks until the exit code is this one.
async fn ends_with(fleetglass: &Fleetglass, args: &[&str], code: i32) -> Said {
    eventually(&format!("{args:?} ends with {code}"), async || {
        let said = asked(fleetglass, args);
        if said.code == Some(code) { Ok(said) } else { Err(format!("{said:?}")) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_tells_a_script_whether_a_node_may_be_restarted() {
    let node = Node::start([("/health", well())]).await;
    let fleetglass = fleet(&[("a", &node)], "").await;
    let yes = ends_with(&fleetglass, &["a"], 0).await;
    assert!(yes.out.starts_with("a: yes\n"), "{yes:?}");

    node.says("/health", says(&json!({"state": "ok", "held": 3})));
    let no = ends_with(&fleetglass, &["a"], 1).await;
    assert!(no.out.contains("a: no\n") && no.out.contains("3 are held. Drain it."), "{no:?}");

    let now = fleetglass.fleet().await["at"].as_i64().unwrap() / 1000;
    node.says("/health", says(&json!({"state": "ok", "held": 0, "due": now + 120})));
    let wait = ends_with(&fleetglass, &["{instance=\"a\"}"], 3).await;
    assert!(wait.out.contains("a: wait until 2") && wait.out.contains("A deadline is near"), "{wait:?}");
    let answer: Value = serde_json::from_str(&asked(&fleetglass, &["a", "--json"]).out).unwrap();
    assert_eq!(answer["one_by_one"], json!({"answer": "wait", "until": (now + 120) * 1000}));
    assert_eq!(answer["nodes"][0]["reasons"][0]["code"], "deadline");

    node.says("/health", says(&json!({"state": "ok"})));
    let unknown = ends_with(&fleetglass, &["a"], 4).await;
    assert!(unknown.out.contains("It does not tell “Held”"), "{unknown:?}");
    node.says("/health", well());
    ends_with(&fleetglass, &["a"], 0).await;
    node.stop().await;
    let silent = ends_with(&fleetglass, &["a"], 4).await;
    assert!(silent.out.contains("It does not answer"), "{silent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_neither_yes_nor_no() {
    let node = Node::start([("/health", well())]).await;
    let fleetglass = fleet(&[("a", &node)], "").await;
    for (args, words) in [
        (&["nobody"][..], "no node of the fleet"),
        (&["{region=eu}"], "expected a quoted string"),
        (&["{region=~\".*\"}"], "at least one matcher"),
        (&["up{instance=\"a\"}"], "no metric"),
        (&["a", "--nonsense"], "--nonsense"),
        (&[], "SELECTOR"),
    ] {
        let said = asked(&fleetglass, args);
        assert_eq!(said.code, Some(2), "{args:?}: {said:?}");
        assert!(said.err.contains(words), "{args:?}: {said:?}");
    }
    let nobody = run(&["restart-check", "a", "--url", "http://127.0.0.1:9"]);
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
    assert!(nobody.err.contains("is `fleetglass serve` running there?"), "{nobody:?}");
    assert_eq!(fleetglass.get("/api/v1/restart-check").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_bears_only_so_many_away_and_a_reload_says_how_many() {
    let nodes = [
        Node::start([("/health", well())]).await,
        Node::start([("/health", well())]).await,
        Node::start([("/health", well())]).await,
    ];
    let named: Vec<(&str, &Node)> = ["a", "b", "c"].into_iter().zip(&nodes).collect();
    let fleetglass = fleet(&named, "").await;
    let all = "family=\"orchard\"";
    let one_by_one = ends_with(&fleetglass, &[all], 0).await;
    assert!(one_by_one.out.contains("one after another, in this order: yes"), "{one_by_one:?}");
    let at_once = ends_with(&fleetglass, &[all, "--at-once"], 1).await;
    assert!(at_once.out.contains("3 of the 3 of orchard would be away"), "{at_once:?}");

    nodes[2].says("/health", says(&json!({"state": "broken", "held": 0})));
    let unknown = ends_with(&fleetglass, &["a"], 4).await;
    assert!(unknown.out.contains("Whether c work"), "{unknown:?}");
    let more = config(&named, "[restart]\nmax_down = 2\n");
    fleetglass.write("fleetglass.toml", &more);
    ends_with(&fleetglass, &["a"], 0).await;
}
