//! Everything that can go wrong between Fleetglass and a node, from real sockets, in words.

#![allow(clippy::unwrap_used)]

use std::process::Command;

use fleetglass_tests::{
    node::{Node, Page},
    proxy::{Fleetglass, QUICK, failure_kinds, free_port, reasons},
    wait::eventually,
};
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket};

const HEALTHY: &str = r#"{"status":"ready","version":"1.0.0","peer_count":8,"channels_open":3,
    "channel_balances_total_usdc":"1","blacklist_sync_state":{"version":4,"lag_seconds":2},"watchtowers_registered":3}"#;

fn target(id: &str, family: &str, url: &str) -> String {
    format!("\n[[target]]\nid = \"{id}\"\nfamily = \"{family}\"\nurl = \"{url}\"\n")
}

/// Waits until a node's last failure is of a kind, and gives the node.
async fn fails_with(fleetglass: &Fleetglass, id: &str, kind: &str) -> Value {
    let what = format!("fails with {kind}");
    let node =
        fleetglass.node_when(id, &what, |node| failure_kinds(node).iter().any(|seen| seen == kind)).await;
    let failures = node["failures"].as_array().unwrap();
    let failure = failures.iter().find(|failure| failure["kind"] == kind).unwrap();
    assert!(failure["message"].as_str().unwrap().len() > 8, "{id}: the failure says nothing: {failure}");
    assert!(failure["at"].as_i64().unwrap() > 0 && failure["endpoint"].is_string(), "{id}: {failure}");
    node
}

#[tokio::test]
async fn a_node_that_gives_no_answer_is_unreachable_and_the_reason_is_named() {
    let silent = Node::start([("/health", Page::Silent), ("/metrics", Page::Silent)]).await;
    let early = Node::start([("/health", Page::CloseEarly), ("/metrics", Page::CloseEarly)]).await;
    let cut = Node::start([("/health", Page::CloseInBody), ("/metrics", Page::CloseInBody)]).await;
    let drips = Node::start([("/health", Page::Drip), ("/metrics", Page::Drip)]).await;
    let plain = Node::start([]).await;
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let https = plain.url().replace("http:", "https:");
    // Two connections fill this queue; the system then drops those that knock.
    let full = TcpSocket::new_v4().unwrap();
    full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = full.listen(1).unwrap();
    let _waiting = fill(&full).await;

    let cases = [
        ("refused", nobody.clone(), "connection-refused", "connection refused"),
        ("silent", silent.url(), "timeout", "no answer in time"),
        ("drips", drips.url(), "timeout", "no answer in time"),
        ("early", early.url(), "connection-closed", "connection closed early"),
        ("cut", cut.url(), "connection-closed", "connection closed early"),
        ("tls", https, "tls", "TLS failed"),
        ("name", "http://no-such-host.invalid:9090".to_owned(), "name-not-found", "name not found"),
        (
            "full",
            format!("http://{}", full.local_addr().unwrap()),
            "connect-timeout",
            "no connection in time",
        ),
    ];
    let config: String = cases.iter().map(|(id, url, ..)| target(id, "decdn", url)).collect();
    let head = QUICK.replace("500ms", "1s").replace("[scrape]", "[scrape]\nconnect_timeout = \"400ms\"");
    let fleetglass = Fleetglass::serve(&format!("{head}{config}")).await;

    for (id, _, kind, words) in &cases {
        fails_with(&fleetglass, id, kind).await;
        let node = fleetglass.node_is(id, "unreachable").await;
        let reason = node["summary"]["reasons"][0]["text"].as_str().unwrap();
        assert!(reason.contains(words), "{id}: `{reason}` does not say `{words}`");
        assert!(node["summary"].get("fact_at").is_none(), "{id} never said anything, so it has no facts");
    }
}

/// Connects until the system takes no more, and holds those connections.
async fn fill(listener: &TcpListener) -> Vec<tokio::net::TcpStream> {
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(std::time::Duration::from_millis(300), tokio::net::TcpStream::connect(address))
            .await
    {
        held.push(stream);
        assert!(held.len() < 64, "the queue of {address} never fills");
    }
    held
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_says_why() {
    let html = b"<html><body><h1>502 Bad Gateway</h1></body></html>";
    let decdn =
        |health: Page| [("/health", health), ("/metrics", Page::metrics("decdn_peer_table_size 8\n"))];
    let page = |page: Page| [("/health", Page::json(200, HEALTHY)), ("/metrics", page)];
    let nodes = [
        ("html", Node::start(decdn(Page::of(200, "text/html", html))).await, "malformed-json"),
        ("half", Node::start(decdn(Page::json(200, &HEALTHY[..60]))).await, "malformed-json"),
        ("empty", Node::start(decdn(Page::json(200, ""))).await, "empty-body"),
        ("gateway", Node::start(decdn(Page::of(502, "text/html", html))).await, "http-status"),
        ("moved", Node::start(decdn(Page::json(302, "").with("location", "/elsewhere"))).await, "redirect"),
        (
            "large",
            Node::start(decdn(Page::json(200, &format!("{{\"x\":\"{}\"}}", "y".repeat(70_000))))).await,
            "body-too-large",
        ),
        (
            "liar",
            Node::start(page(Page::metrics("decdn_ok 1\nthis is not an exposition {\n"))).await,
            "malformed-exposition",
        ),
        ("page", Node::start(page(Page::of(200, "text/html", html))).await, "malformed-exposition"),
        ("nothing", Node::start(page(Page::metrics(""))).await, "empty-body"),
        ("crowd", Node::start(page(Page::metrics(&many_series(200)))).await, "series-limit"),
    ];
    let config: String = nodes.iter().map(|(id, node, _)| target(id, "decdn", &node.url())).collect();
    let head = QUICK.replace("[scrape]", "[scrape]\nbody_limit = \"64KiB\"");
    let limits = "\n[store]\nmax_series_per_target = 150\n";
    let fleetglass = Fleetglass::serve(&format!("{head}{limits}{config}")).await;

    for (id, _, kind) in &nodes {
        let node = fails_with(&fleetglass, id, kind).await;
        assert_ne!(node["summary"]["status"], "healthy", "{id} is not well while part of it cannot be read");
        assert_ne!(node["summary"]["status"], "unreachable", "{id} was reached");
    }
    let liar = fleetglass.node("liar").await;
    assert!(liar["failures"][0]["message"].as_str().unwrap().contains("line 2"), "{}", liar["failures"][0]);
    let moved = fleetglass.node("moved").await;
    assert!(
        moved["failures"][0]["message"].as_str().unwrap().contains("/elsewhere"),
        "{}",
        moved["failures"][0]
    );
    let asked_elsewhere: usize = nodes.iter().map(|(_, node, _)| node.asked("/elsewhere")).sum();
    assert_eq!(asked_elsewhere, 0, "a redirect was followed");
}

fn many_series(count: usize) -> String {
    (0..count).map(|n| format!("decdn_many{{n=\"{n}\"}} {n}\n")).collect()
}

#[tokio::test]
async fn a_503_that_can_be_read_is_an_answer() {
    let health = HEALTHY.replace("\"ready\"", "\"not_ready\"");
    let node = Node::start([
        ("/health", Page::json(503, &health)),
        ("/metrics", Page::metrics("decdn_peer_table_size 8\n")),
    ])
    .await;
    let fleetglass = Fleetglass::serve(&format!("{QUICK}{}", target("a", "decdn", &node.url()))).await;

    let seen = fleetglass.node_is("a", "unhealthy").await;
    assert_eq!(seen["summary"]["draining"], true);
    assert_eq!(seen["summary"]["peers"], 8);
    assert_eq!(failure_kinds(&seen), Vec::<String>::new(), "{}", seen["failures"]);
    let health =
        seen["endpoints"].as_array().unwrap().iter().find(|endpoint| endpoint["name"] == "health").unwrap();
    assert_eq!(health["http_status"], 503);
    fleetglass.series_when("a", "up", |value| value == "1").await;
}

#[tokio::test]
async fn a_node_that_asks_for_fewer_requests_is_obeyed() {
    let stats =
        Page::json(429, r#"{"error":"rate limit exceeded","retry_after":3600}"#).with("retry-after", "3600");
    let healthy = r#"{"status":"healthy","components":{"blockchain":"connected","p2p_network":"running",
        "encryption":"initialized"},"version":"0.1.0"}"#;
    let external = Node::start([
        ("/health", Page::json(200, r#"{"status":"healthy","p2p":{"running":true,"peers":7}}"#)),
        ("/network/stats", stats),
    ])
    .await;
    let internal = Node::start([("/health", Page::json(200, healthy))]).await;
    let endpoints = format!(
        "endpoints = {{ external = \"{0}/health\", network = \"{0}/network/stats\", metrics = \"{1}/metrics\" }}\n",
        external.url(),
        internal.url()
    );
    let config = format!("{QUICK}{}{endpoints}", target("a", "datamgmt", &internal.url()));
    let fleetglass = Fleetglass::serve(&config).await;

    fails_with(&fleetglass, "a", "rate-limited").await;
    eventually("many rounds went by", async || {
        let rounds = internal.asked("/health");
        if rounds >= 8 { Ok(()) } else { Err(format!("{rounds} rounds")) }
    })
    .await;

    assert_eq!(external.asked("/network/stats"), 1, "it was asked again within the hour");
    let node = fleetglass.node_is("a", "healthy").await;
    assert_eq!(reasons(&node), Vec::<String>::new(), "being asked to slow down is not held against a node");
}

#[tokio::test]
async fn a_living_node_without_monitoring_is_not_called_dead() {
    let gossip = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ops = format!("http://127.0.0.1:{}", free_port());
    let config = format!(
        "{QUICK}{}probe = {{ tcp = {} }}\n{}probe = {{ tcp = {} }}\n",
        target("quiet", "paraloom", &ops),
        gossip.local_addr().unwrap().port(),
        target("dead", "paraloom", &ops),
        free_port(),
    );
    let fleetglass = Fleetglass::serve(&config).await;

    fails_with(&fleetglass, "quiet", "monitoring-not-enabled").await;
    let quiet = fleetglass.node_is("quiet", "unknown").await;
    let reason = quiet["summary"]["reasons"][0]["text"].as_str().unwrap().to_lowercase();
    assert!(reason.contains("monitoring") && reason.contains("not enabled"), "{reason}");
    fails_with(&fleetglass, "dead", "connection-refused").await;
    fleetglass.node_is("dead", "unreachable").await;
}

#[tokio::test]
async fn a_body_that_unpacks_to_far_more_is_bounded() {
    let bomb =
        Command::new("sh").args(["-c", "head -c 268435456 /dev/zero | gzip -1"]).output().unwrap().stdout;
    assert!((100_000..8_000_000).contains(&bomb.len()), "{} bytes", bomb.len());
    let packed = Page::of(200, "application/json", &bomb).with("content-encoding", "gzip");
    let node = Node::start([("/health", packed.clone()), ("/metrics", packed)]).await;
    let head = QUICK.replace("[scrape]", "[scrape]\nbody_limit = \"2MiB\"");
    let fleetglass = Fleetglass::serve(&format!("{head}{}", target("a", "decdn", &node.url()))).await;

    fails_with(&fleetglass, "a", "body-too-large").await;

    let peak = peak_memory(fleetglass.pid());
    assert!(peak < 150 << 20, "the proxy held {} MiB at its peak", peak >> 20);
}

/// The most memory that a process ever held, in bytes.
fn peak_memory(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}

#[tokio::test]
async fn a_node_that_recovers_is_well_again_and_its_failures_are_remembered() {
    let node = Node::start([("/health", Page::json(200, r#"{"status":"ok","peer_count":3}"#))]).await;
    let fleetglass = Fleetglass::serve(&format!("{QUICK}{}", target("a", "generic", &node.url()))).await;
    let well = fleetglass.node_is("a", "healthy").await;

    let address = node.stop().await;
    let gone = fleetglass.node_is("a", "unreachable").await;
    let peers =
        gone["facts"].as_array().unwrap().iter().find(|fact| fact["name"] == "peers").cloned().unwrap();
    assert_eq!(
        (&peers["value"], &peers["stale"]),
        (&"3".into(), &true.into()),
        "what it last said is kept, as old"
    );
    assert!(gone["summary"]["fact_at"].as_i64() >= well["summary"]["fact_at"].as_i64());
    assert!(gone["summary"]["since"].as_i64() > well["summary"]["since"].as_i64());

    let _node =
        Node::start_at(address, [("/health", Page::json(200, r#"{"status":"ok","peer_count":4}"#))]).await;
    let back = fleetglass.node_is("a", "healthy").await;
    assert_eq!(back["summary"]["peers"], 4);
    assert!(failure_kinds(&back).contains(&"connection-refused".to_owned()));
}
