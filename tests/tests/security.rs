//! Who may ask, from where, and what a browser is told to keep out.

#![allow(clippy::unwrap_used)]

use fleetglass_tests::{
    command::{run, run_in},
    node::{Node, Page},
    proxy::{Fleetglass, QUICK},
};
use serde_json::Value;
use tempfile::TempDir;

/// What needs a login where there is one.
const GUARDED: [&str; 15] = [
    "/api/v1/fleet",
    "/api/v1/nodes/a",
    "/api/v1/glance",
    "/api/v1/live",
    "/api/v1/push/key",
    "/api/v1/push/subscriptions",
    "/api/v1/shares",
    "/api/v1/shares/x/preview/fleet",
    "/api/v1/users",
    "/api/v1/tokens",
    "/api/v1/sessions",
    "/api/v1/audit",
    "/api/v1/audit/export",
    "/metrics",
    "/metrics/nodes",
];

/// A token as a person makes it, and the config with the lines that were printed for it.
fn with_token(name: &str) -> (String, String) {
    let made = run(&["token", "new", "--name", name]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let (text, lines) = made.out.split_once("[[auth.token]]").unwrap();
    let token = text.split_whitespace().find(|word| word.starts_with("fg_")).unwrap();
    (token.to_owned(), format!("{QUICK}\n[[auth.token]]{lines}"))
}

#[test]
fn listening_to_others_without_a_token_is_refused_with_the_way_to_make_one() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.7:8080"] {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("open.toml"), format!("[server]\nlisten = \"{address}\"\n"))
            .unwrap();
        let said = run_in(folder.path(), &["serve", "--config", "open.toml"], &[]);
        assert_eq!(said.code, Some(2), "{address}: {said:?}");
        assert!(said.err.contains("open.toml:2:10:"), "{address}: {said:?}");
        assert!(said.err.contains("hint: run `fleetglass token new"), "{address}: {said:?}");
    }
}

#[tokio::test]
async fn a_token_made_by_the_command_opens_a_listener_that_others_can_reach() {
    let (token, config) = with_token("ops \"night\"");
    let config = config.replace("127.0.0.1:0", "0.0.0.0:0");
    let mut fleetglass = Fleetglass::start(&config, &[]).await;

    for path in GUARDED {
        let refused = fleetglass.get(path).await;
        assert_eq!(refused.status, 401, "{path} without a token: {}", refused.body);
        assert!(refused.header("www-authenticate").starts_with("Bearer"), "{path}: {:?}", refused.headers);
        assert_eq!(refused.header("content-type"), "application/problem+json", "{path}");
        assert!(refused.json()["detail"].as_str().unwrap().contains("fleetglass token new"), "{path}");
        for wrong in
            ["Bearer fg_0000", "Bearer", "Bearer ", &format!("Basic {token}"), &format!("Bearer {token}0")]
        {
            let refused = fleetglass.request("GET", path, &[("authorization", wrong)]).await;
            assert_eq!(refused.status, 401, "{path} with `{wrong}`");
        }
    }
    // A page must load before anyone can type a token into it, and a probe has none.
    assert_eq!(fleetglass.get("/healthz").await.status, 200);
    let ready = fleetglass.get("/readyz").await;
    assert_eq!(
        (ready.status.as_u16(), ready.body.as_str()),
        (200, "ready\n"),
        "how many nodes there are is not told"
    );

    fleetglass.log_in(&token);
    for path in ["/api/v1/fleet", "/metrics", "/metrics/nodes"] {
        assert_eq!(fleetglass.get(path).await.status, 200, "{path} with the token");
    }
    assert_eq!(fleetglass.get("/api/v1/nodes/a").await.status, 404);
    assert_eq!(fleetglass.live(None).await.next().await.name, "snapshot");
}

#[tokio::test]
async fn neither_a_token_nor_its_hash_is_ever_logged() {
    let (token, config) = with_token("ops");
    let hash = config.split("sha256:").nth(1).unwrap()[..64].to_owned();
    let mut fleetglass = Fleetglass::start(&config, &[("RUST_LOG", "trace")]).await;

    fleetglass.get("/api/v1/fleet").await;
    fleetglass.log_in(&token);
    assert_eq!(fleetglass.get("/api/v1/fleet").await.status, 200);
    fleetglass.signal("HUP");
    fleetglass_tests::wait::eventually("the config is read again", async || {
        let log = fleetglass.log();
        if log.contains("config read again") { Ok(()) } else { Err(log) }
    })
    .await;

    let log = fleetglass.log();
    assert!(!log.contains(&token[3..]), "the token is in the log");
    assert!(!log.contains(&hash), "the hash is in the log");
}

#[tokio::test]
async fn a_token_may_be_in_a_file_of_its_own() {
    let made = run(&["token", "new", "--json"]);
    let made: Value = serde_json::from_str(&made.out).unwrap();
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("ops.hash"), format!("{}\n", made["hash"].as_str().unwrap())).unwrap();
    let config = format!("{QUICK}\n[[auth.token]]\nname = \"ops\"\nhash_file = \"ops.hash\"\n");
    let mut fleetglass = Fleetglass::start_in(folder, &config, &[]).await;

    assert_eq!(fleetglass.get("/api/v1/fleet").await.status, 401);
    fleetglass.log_in(made["token"].as_str().unwrap());
    assert_eq!(fleetglass.get("/api/v1/fleet").await.status, 200);
}

#[tokio::test]
async fn a_name_that_was_rebound_to_this_machine_gets_nothing() {
    let config = QUICK.replace("[scrape]", "hosts = [\"fleet.lan\"]\n[scrape]");
    let fleetglass = Fleetglass::start(&config, &[]).await;
    let port = fleetglass.address().port();

    for (host, status) in [
        ("evil.example".to_owned(), 421),
        (format!("evil.example:{port}"), 421),
        (format!("localhost.evil.example:{port}"), 421),
        (format!("192.0.2.7:{port}"), 421),
        (format!("localhost:{port}"), 200),
        (format!("127.0.0.1:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        (format!("fleet.lan:{port}"), 200),
    ] {
        for path in ["/api/v1/fleet", "/metrics"] {
            let answer = fleetglass.request("GET", path, &[("host", &host)]).await;
            assert_eq!(answer.status, status, "{path} of {host}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn no_other_origin_may_read_until_it_is_listed() {
    let origin = [("origin", "https://portal.example")];
    let preflight = [
        ("origin", "https://portal.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization"),
    ];

    let closed = Fleetglass::start(QUICK, &[]).await;
    let answer = closed.request("GET", "/api/v1/fleet", &origin).await;
    assert_eq!(answer.header("access-control-allow-origin"), "", "CORS is off until origins are listed");
    let answer = closed.request("OPTIONS", "/api/v1/fleet", &preflight).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");

    // With a login too: a preflight request never carries a token.
    let (token, config) = with_token("portal");
    let mut listed =
        Fleetglass::start(&format!("{config}\n[cors]\norigins = [\"https://portal.example\"]\n"), &[]).await;
    let answer = listed.request("OPTIONS", "/api/v1/fleet", &preflight).await;
    assert!(answer.status.is_success(), "{}", answer.status);
    assert_eq!(answer.header("access-control-allow-origin"), "https://portal.example");
    assert!(answer.header("access-control-allow-methods").contains("GET"));
    assert!(answer.header("access-control-allow-headers").to_lowercase().contains("authorization"));
    listed.log_in(&token);
    let answer = listed.request("GET", "/api/v1/fleet", &origin).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "https://portal.example");
    let answer = listed.request("GET", "/api/v1/fleet", &[("origin", "https://other.example")]).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[test]
fn a_wildcard_with_credentials_is_refused_at_the_start() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("wide.toml"), "[cors]\norigins = [\"*\"]\ncredentials = true\n")
        .unwrap();
    let said = run_in(folder.path(), &["serve", "--config", "wide.toml"], &[]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("wide.toml:2:11:") && said.err.contains("hint:"), "{said:?}");
}

#[tokio::test]
async fn pages_and_api_tell_the_browser_what_to_keep_out() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;

    let page = fleetglass.request("GET", "/", &[("accept", "text/html")]).await;
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self' 'sha256-",
        " 'wasm-unsafe-eval'; style-src 'self' 'sha256-",
        "frame-ancestors 'none'",
        "base-uri",
    ] {
        assert!(policy.contains(part), "no `{part}` in `{policy}`");
    }
    assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"), "{policy}");
    // A browser goes by the headers of the last answer, also of one that says that it has the page.
    let again = fleetglass
        .request("GET", "/", &[("accept", "text/html"), ("if-none-match", page.header("etag"))])
        .await;
    assert_eq!((again.status.as_u16(), again.header("content-security-policy")), (304, policy));
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(page.header("permissions-policy").contains("camera=()"));

    let api = fleetglass.get("/api/v1/fleet").await;
    assert!(api.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(api.header("cache-control"), "no-store");

    for answer in [page, api, fleetglass.get("/metrics").await, fleetglass.get("/api/v1/nodes/none").await] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
}

#[tokio::test]
async fn what_a_node_says_is_never_a_page_of_ours() {
    let html = "<!doctype html><script>alert(document.domain)</script>";
    let node = Node::start([
        ("/health", Page::of(200, "text/html", html.as_bytes())),
        ("/metrics", Page::of(200, "text/html; charset=utf-8", html.as_bytes())),
    ])
    .await;
    let config = format!("{QUICK}\n[[target]]\nid = \"a\"\nfamily = \"generic\"\nurl = \"{}\"\n", node.url());
    let fleetglass = Fleetglass::serve(&config).await;

    for path in ["/api/v1/nodes/a/health", "/api/v1/nodes/a/metrics"] {
        let answer = fleetglass.get(path).await;
        assert_eq!(answer.body, html, "{path}");
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.header("content-security-policy").contains("sandbox"), "{path}");
    }
    node.says("/health", Page::json(503, r#"{"status":"down"}"#));
    let answer = fleetglass.get("/api/v1/nodes/a/health").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (503, "application/json"));
    assert_eq!(fleetglass.get("/api/v1/nodes/a/secrets").await.status, 404);
    assert_eq!(fleetglass.get("/api/v1/nodes/b/health").await.status, 404);

    node.stop().await;
    let gone = fleetglass.get("/api/v1/nodes/a/health").await;
    assert_eq!(gone.status, 502);
    assert!(gone.json()["detail"].as_str().unwrap().contains("connection refused"), "{}", gone.body);
}
