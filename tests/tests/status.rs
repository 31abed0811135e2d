//! Public status pages as their readers, subscribers and writers meet them.

#![allow(clippy::unwrap_used)]

use fleetglass_tests::{
    command::run_in,
    node::{Node, Page},
    proxy::{Answer, Fleetglass, QUICK, http_client},
    wait::eventually,
};
use serde_json::{Value, json};

#[path = "status/days.rs"]
mod days;
#[path = "status/posts.rs"]
mod posts;
#[path = "status/subscribe.rs"]
mod subscribe;

/// Whatever a reader is sent holds none of these.
const SECRET: [&str; 6] = ["out-secret", "in-real", "127.0.0.1:", "box-of", "other-team", "Writer-Name"];

struct Story {
    fleetglass: Fleetglass,
    config: String,
    nodes: Vec<Node>,
}

/// Two nodes inside, one outside; a page for those inside under other names.
async fn story(more: &str) -> Story {
    logged_in(more, "").await
}

async fn logged_in(more: &str, token: &str) -> Story {
    let mut config = format!("{QUICK}\n{more}\n");
    let mut nodes = Vec::new();
    for (id, team, region) in [
        ("in-real-1", "acme", "eu"),
        ("in-real-2", "acme", "us"),
        ("out-secret-1", "other-team", "other-team-region"),
    ] {
        let metrics = Page::metrics("# TYPE paraloom_peer_count gauge\nparaloom_peer_count 7\n");
        let health = Page::json(200, r#"{"status":"ok","version":"1.2.3","uptime_seconds":5}"#);
        let ready = Page::json(200, r#"{"ready":true,"checks":{}}"#);
        let node = Node::start([("/health", health), ("/ready", ready), ("/metrics", metrics)]).await;
        config += &format!(
            "\n[[target]]\nid = \"{id}\"\nfamily = \"paraloom\"\nurl = \"{}\"\nlabels = {{ team = \"{team}\", region = \"{region}\", host = \"box-of-{id}\" }}\n",
            node.url()
        );
        nodes.push(node);
    }
    let mut fleetglass = Fleetglass::serve(&config).await;
    if !token.is_empty() {
        fleetglass.log_in(token);
    }
    for id in ["in-real-1", "in-real-2", "out-secret-1"] {
        fleetglass.node_is(id, "healthy").await;
    }
    Story { fleetglass, config, nodes }
}

/// Makes a page as an operator does; gives the id of its link.
fn made(fleetglass: &Fleetglass, slug: &str, more: &[&str]) -> String {
    let said = create(fleetglass, slug, more);
    assert_eq!(said.code, Some(0), "{said:?}");
    let made: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(made["share"]["slug"], slug);
    made["share"]["id"].as_str().unwrap().to_owned()
}

fn create(fleetglass: &Fleetglass, slug: &str, more: &[&str]) -> fleetglass_tests::command::Said {
    let url = fleetglass.url("");
    let args = ["share", "create", "--title", "For <Acme>", "--by", "Ada", "--json", "--url", &url];
    let args =
        [&args[..], &["--select", "{team=\"acme\"}", "--views", "fleet", "--slug", slug], more].concat();
    run_in(fleetglass.folder(), &args, &[])
}

fn clean(what: &str, text: &str) {
    // The feeds say where the page itself is.
    let own = regexless(text);
    for secret in SECRET {
        assert!(!own.contains(secret), "{what} holds `{secret}`: {text}");
    }
}

/// The text without the addresses of the proxy's own pages.
fn regexless(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("http://127.0.0.1:") {
        out.push_str(&rest[..at]);
        let after = &rest[at + "http://127.0.0.1:".len()..];
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        assert!(
            rest.starts_with("/status/") || rest.starts_with("/n/status/"),
            "another address: {rest:.60}"
        );
    }
    out + rest
}

async fn send(fleetglass: &Fleetglass, method: &str, path: &str, body: &Value) -> Answer {
    let request = http_client().request(method.parse().unwrap(), fleetglass.url(path)).json(body);
    answer(request).await
}

async fn form(fleetglass: &Fleetglass, path: &str, body: &str) -> Answer {
    let kind = "application/x-www-form-urlencoded";
    answer(http_client().post(fleetglass.url(path)).header("content-type", kind).body(body.to_owned())).await
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, body: response.text().await.unwrap() }
}

fn told(answer: &Answer) -> (u16, String, String) {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    (answer.status.as_u16(), headers.join("\n"), answer.body.clone())
}

#[tokio::test]
async fn a_page_shows_the_nodes_of_its_link_and_nothing_else() {
    let story = story("").await;
    let fleetglass = &story.fleetglass;
    let id = made(fleetglass, "acme", &["--aliases", "--drop-label", "team", "--group-by", "region"]);
    let page = eventually("both nodes are up", async || {
        let page = fleetglass.get("/status/acme").await;
        if page.body.contains("All 2 nodes are up") { Ok(page) } else { Err(page.body) }
    })
    .await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.body.contains("For &lt;Acme&gt;"), "{}", page.body);
    assert!(page.body.contains(">eu<") && page.body.contains(">us<"), "{}", page.body);
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert_eq!(page.header("cache-control"), "public, max-age=30");
    let held = fleetglass.request("GET", "/status/acme", &[("if-none-match", page.header("etag"))]).await;
    // Between the two it may have been worked out anew.
    assert!(held.status == 304 || held.header("etag") != page.header("etag"));

    // What is shown is known under other names, whatever is asked; and what is not asked for is not there.
    for path in ["", "/feed.rss", "/feed.json", "/summary.json", "/", "/nodes", "/../acme", "/subscribe"] {
        clean(path, &fleetglass.get(&format!("/status/acme{path}")).await.body);
    }
    let summary = eventually("the summary says so, too", async || {
        let summary = fleetglass.json("/status/acme/summary.json").await;
        if summary["sentence"] == "All 2 nodes are up" { Ok(summary) } else { Err(summary.to_string()) }
    })
    .await;
    assert_eq!(summary["state"], "up");
    let names: Vec<&str> =
        summary["parts"].as_array().unwrap().iter().filter_map(|part| part["name"].as_str()).collect();
    assert_eq!(names, ["eu", "us"]);
    assert!(summary["parts"][0]["nodes"][0]["name"].as_str().unwrap().starts_with("node-"), "{summary}");

    // Whoever looks is counted; feeds are not.
    let share = fleetglass.json(&format!("/api/v1/shares/{id}")).await;
    assert!(share["views"].as_u64().unwrap() >= 1, "{share}");

    // A node that goes down is told.
    let mut nodes = story.nodes;
    drop(nodes.remove(0));
    eventually("the page says so", async || {
        let summary = fleetglass.json("/status/acme/summary.json").await;
        if summary["sentence"] == "1 of 2 nodes is down" { Ok(()) } else { Err(summary.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn groups_alone_hide_the_nodes() {
    let story = story("").await;
    let fleetglass = &story.fleetglass;
    made(fleetglass, "acme", &["--group-by", "region", "--groups-only"]);
    let page = eventually("all groups are up", async || {
        let page = fleetglass.get("/status/acme").await.body;
        if page.contains("All 2 groups are up") { Ok(page) } else { Err(page) }
    })
    .await;
    clean("the page", &page);
    clean("the summary", &fleetglass.get("/status/acme/summary.json").await.body);
}

#[tokio::test]
async fn what_ends_a_link_ends_its_page_and_leaves_no_trace() {
    let story = story("").await;
    let fleetglass = &story.fleetglass;
    let never = told(&fleetglass.get("/status/never").await);
    let id = made(fleetglass, "acme", &[]);
    assert_eq!(fleetglass.get("/status/acme").await.status, 200);
    // A slug is one link's.
    let said = create(fleetglass, "acme", &[]);
    assert!(said.code != Some(0) && said.err.contains("another link has `acme`"), "{said:?}");
    let path = format!("/api/v1/shares/{id}");
    for (body, words) in [
        (json!({"slug": "A b"}), "3 to 40"),
        (json!({"password": "longenough"}), "cannot have a password"),
        (json!({"groups_only": true}), "needs `group_by`"),
        (json!({"group_by": "no label"}), "not a label's name"),
    ] {
        let refused = send(fleetglass, "PATCH", &path, &body).await;
        assert!(refused.status == 400 && refused.body.contains(words), "{body}: {}", refused.body);
    }
    // Another slug: the old one never was.
    assert_eq!(send(fleetglass, "PATCH", &path, &json!({"slug": "other"})).await.status, 200);
    assert_eq!(told(&fleetglass.get("/status/acme").await), never);
    assert_eq!(fleetglass.get("/status/other").await.status, 200);
    assert_eq!(fleetglass.request("DELETE", &path, &[]).await.status, 200);
    for end in ["", "/feed.rss", "/feed.json", "/summary.json"] {
        let gone = told(&fleetglass.get(&format!("/status/other{end}")).await);
        assert_eq!((gone.0, &gone), (404, &never), "{end}");
    }
    assert_eq!(fleetglass.json("/api/v1/status").await["pages"], json!([]));
    // The slug is free again.
    made(fleetglass, "other", &[]);
}
