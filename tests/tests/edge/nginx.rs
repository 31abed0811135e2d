//! Behind the nginx of the system, with TLS, under a path: with the path taken away and without.

use std::collections::BTreeSet;

use fleetglass_tests::{
    inbox::Inbox,
    node::{Node, Page},
    peers::{self, Peer},
    proxy::{Fleetglass, http_client},
    sse::Stream,
    tls::Certificate,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const TOKEN: &str = "fg_00000000000000000000000000000000000000000000000000000000000000aa";

const RULES: &str = "groups: [{name: g, rules: [{alert: Always, expr: vector(1)}]}]\n";

/// What `docs/reverse-proxy.md` says nginx is to be told; where it passes requests on to and how it says the path differ.
fn location(to: &str, more: &str) -> String {
    format!(
        "location /fleet/ {{
           proxy_pass {to};
           proxy_http_version 1.1;
           proxy_set_header Connection \"\";
           proxy_set_header Host $host;
           proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
           proxy_set_header X-Forwarded-Proto $scheme;
           proxy_set_header X-Forwarded-Host $http_host;
           proxy_set_header Forwarded \"\";
           proxy_read_timeout 1h;
           {more}
         }}
         location / {{ return 418; }}"
    )
}

fn config(node: &Node, inbox: &Inbox, server: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash: String = Sha256::digest(TOKEN).iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\ntrusted_proxies = [\"127.0.0.1\"]\n{server}\n\
         [[auth.token]]\nname = \"ops\"\nhash = \"sha256:{hash}\"\n\
         [scrape]\ninterval = \"500ms\"\ntimeout = \"500ms\"\n\
         [[target]]\nid = \"a\"\nfamily = \"generic\"\nurl = \"{}\"\n\
         [rules]\nfiles = [\"rules.yml\"]\nbuilt_in = false\nevaluation_interval = \"500ms\"\n\
         [notify]\nexternal_url = \"https://fleet.example/fleet/\"\n[notify.route]\nreceiver = \"team\"\ngroup_wait = \"0s\"\n\
         [[receiver]]\nname = \"team\"\n[[receiver.webhook]]\nurl = \"{}\"\n",
        node.url(),
        inbox.url("/")
    )
}

#[tokio::test]
async fn everything_works_under_a_path_of_nginx_with_tls() {
    if peers::are_skipped() {
        return;
    }
    let prefix = "proxy_set_header X-Forwarded-Prefix /fleet;";
    // nginx takes the path away and says so; takes it away and the config says so; leaves it.
    for (server, rest, more) in
        [("", "/", prefix), ("base_path = \"/fleet/\"", "/", ""), ("base_path = \"/fleet/\"", "", "")]
    {
        let node = Node::start([("/health", Page::json(200, r#"{"status":"ok"}"#))]).await;
        let inbox = Inbox::start().await;
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("rules.yml"), RULES).unwrap();
        let mut fleetglass = Fleetglass::start_in(folder, &config(&node, &inbox, server), &[]).await;
        fleetglass.log_in(TOKEN);
        let to = format!("http://{}{rest}", fleetglass.address());
        let certificate = Certificate::of(&["localhost"], 2040);
        let nginx = Peer::nginx_tls(&location(&to, more), &certificate).await;
        story(&nginx, &fleetglass, &node).await;
        acknowledged(&nginx, &inbox).await;
    }
}

async fn story(nginx: &Peer, fleetglass: &Fleetglass, node: &Node) {
    let http = http_client();
    let get = async |path: &str| http.get(nginx.url(path)).bearer_auth(TOKEN).send().await.unwrap();

    let moved = get("/fleet").await;
    assert!(moved.status().is_redirection(), "{moved:?}");
    let to = moved.headers()["location"].to_str().unwrap();
    assert!(to == "/fleet/" || to == nginx.url("/fleet/"), "{to}");

    // The page and all that it names.
    let page = get("/fleet/").await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self'"), "{policy}");
    let etag = page.headers()["etag"].to_str().unwrap().to_owned();
    let html = page.text().await.unwrap();
    let files = paths(&html);
    for end in [".svg", ".webmanifest", ".png", ".js", "_bg.wasm", "_rest.wasm", ".css"] {
        assert!(files.iter().any(|file| file.ends_with(end)), "no {end} in {files:?}");
    }
    for file in &files {
        assert!(file.starts_with("/fleet/"), "{file} is asked elsewhere");
        assert_eq!(get(file).await.status(), 200, "{file}");
    }
    let manifest: Value = get("/fleet/manifest.webmanifest").await.json().await.unwrap();
    assert_eq!((&manifest["start_url"], &manifest["scope"]), (&json!("./"), &json!("./")));
    let again = http.get(nginx.url("/fleet/nodes/a")).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    let at_root = fleetglass.request("GET", "/", &[]).await;
    if at_root.body != html {
        assert_ne!(at_root.header("etag"), etag, "what differs is not the same");
    }

    // The API, and errors of it.
    let fleet = get("/fleet/api/v1/fleet").await;
    assert_eq!(fleet.status(), 200);
    assert_eq!(get("/fleet/api/v1/nodes/none").await.status(), 404);
    assert_eq!(http.get(nginx.url("/fleet/api/v1/fleet")).send().await.unwrap().status(), 401);

    // The live stream: each event as it happens. Were it held back, nothing would come before it ends.
    let live = get("/fleet/api/v1/live").await;
    let mut stream = Stream::of(live);
    assert_eq!(stream.next().await.name, "snapshot");
    for status in ["unhealthy", "ok", "unhealthy"] {
        let code = if status == "ok" { 200 } else { 503 };
        node.says("/health", Page::json(code, &json!({"status": status}).to_string()));
        let wanted = if status == "ok" { "\"healthy\"" } else { "\"unhealthy\"" };
        let mut heard = String::new();
        while !heard.contains(wanted) {
            heard = stream.next_named("delta").await.data.to_string();
        }
    }

    // A share link.
    let wish = json!({"title": "For Acme", "password": "correct horse battery", "scope": {"select": ["{instance=\"a\"}"], "views": ["fleet", "node"]}});
    let made = http.post(nginx.url("/fleet/api/v1/shares")).bearer_auth(TOKEN).json(&wish);
    let made: Value = made.send().await.unwrap().json().await.unwrap();
    let path = made["path"].as_str().unwrap_or_else(|| panic!("{made}"));
    assert!(path.starts_with("/fleet/s/"), "{path}");
    let ask = http.get(nginx.url(path)).send().await.unwrap().text().await.unwrap();
    assert!(ask.contains(&format!("action=\"{path}password\"")), "{ask}");
    let opening = http
        .post(nginx.url(&format!("{path}password")))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("password=correct+horse+battery");
    let opened = opening.send().await.unwrap();
    assert_eq!((opened.status().as_u16(), opened.headers()["location"].to_str().unwrap()), (303, path));
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().to_owned();
    let attributes: BTreeSet<&str> = cookie.split("; ").skip(1).collect();
    let place = format!("Path={}", path.trim_end_matches('/'));
    assert_eq!(
        attributes,
        BTreeSet::from(["HttpOnly", "SameSite=Strict", "Secure", place.as_str()]),
        "{cookie}"
    );
    let secret = cookie.split(';').next().unwrap();
    let seen = async |below: &str| {
        let answer =
            http.get(nginx.url(&format!("{path}{below}"))).header("cookie", secret).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, page) = seen("").await;
    assert!(status == 200 && page.contains("fleetglass-share"), "{status}: {page}");
    let files = paths(&page);
    // All that is the link's own is what it is called where it is installed.
    let manifest = format!("{path}manifest.webmanifest");
    let placed = |file: &&str| file.starts_with("/fleet/") && (!file.starts_with(path) || **file == manifest);
    assert!(files.iter().all(|file| placed(&file.as_str())), "{files:?}");
    assert_eq!(seen("api/v1/fleet").await.0, 200);
    assert_eq!(http.get(nginx.url(&format!("{path}api/v1/fleet"))).send().await.unwrap().status(), 401);

    // The command prints the link as it is reached. It trusts no certificate of a test, so it asks the proxy itself.
    let url = fleetglass.url("");
    let args =
        ["share", "create", "--url", &url, "--token", TOKEN, "--title", "T", "--select", "{instance=\"a\"}"];
    let said = fleetglass_tests::command::run(&args);
    assert_eq!(said.code, Some(0), "{said:?}");
    let link = said.out.lines().last().unwrap().trim().to_owned();
    assert!(link.starts_with(&format!("{url}/s/")), "{link}");
    assert_eq!(http.get(&link).send().await.unwrap().status(), 200, "{link}");
}

/// The link of a message is below the path too, and so is what its form is sent to.
async fn acknowledged(nginx: &Peer, inbox: &Inbox) {
    let letter = inbox.letter("it fires", |letter| letter.json()["status"] == "firing").await;
    let url = letter.json()["alerts"][0]["fleetglass"]["acknowledgeURL"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("https://fleet.example").unwrap_or_else(|| panic!("{url}"));
    assert!(path.starts_with("/fleet/n/ack/"), "{path}");
    let http = http_client();
    let asked = http.get(nginx.url(path)).send().await.unwrap();
    assert_eq!(asked.status(), 200);
    assert!(asked.text().await.unwrap().contains("<form method=\"post\">"), "it is sent to where it stands");
    let taken = http.post(nginx.url(path)).body("by=Ada").send().await.unwrap();
    assert!(taken.text().await.unwrap().contains("Ada's now"));
}

/// The addresses in the head of a page.
fn paths(html: &str) -> Vec<String> {
    let (head, _) = html.split_once("</head>").unwrap();
    // What stands in the page itself is no markup: up to the tag's end it is.
    let head = ["<script", "<style"].iter().fold(head.to_owned(), |head, begin| {
        let mut pieces = head.split(*begin);
        let first = pieces.next().unwrap().to_owned();
        pieces.fold(first, |left, piece| {
            let (tag, after) = piece.split_once('>').unwrap();
            format!("{left}{tag} {}", after.split_once("</").unwrap().1)
        })
    });
    let attributes = ["href=", "src=", "data-js=", "data-wasm=", "data-rest=", "data-sheets="];
    let values = attributes.iter().flat_map(|name| head.split(*name).skip(1)).map(|rest| {
        match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap(),
            None => rest.split([' ', '>']).next().unwrap(),
        }
    });
    values.flat_map(|value| value.split(' ')).filter(|path| !path.is_empty()).map(str::to_owned).collect()
}
