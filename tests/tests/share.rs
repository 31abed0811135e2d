//! Share links: what somebody sees who has one, and everything that they may try to see more.

#![allow(clippy::unwrap_used)]

use fleetglass_tests::raw::encoded;
use fleetglass_tests::{
    command::run_in,
    node::{Node, Page},
    proxy::{Answer, Fleetglass, QUICK},
    sse::Stream,
    wait::eventually,
};
use serde_json::{Value, json};

const OUTSIDE: [&str; 2] = ["out-secret-1", "out-secret-2"];
const INSIDE: [&str; 2] = ["in-real-1", "in-real-2"];
/// Whatever is answered holds none of these.
const SECRET: [&str; 6] = ["out-secret", "in-real", "127.0.0.1", "box-of", "other-team", "peers_outside"];

const RULES: &str = "
groups:
  - name: own
    rules:
      - {record: 'fleet:peers:sum', expr: 'sum(paraloom_peer_count)'}
      - {record: 'node:peers:share', expr: 'paraloom_peer_count / on() group_left() sum(paraloom_peer_count)'}
      - alert: OwnPeers
        expr: paraloom_peer_count > 0
        annotations: {summary: '{{ $labels.instance }} has {{ $value }} peers'}
      - alert: AsksForOthers
        expr: paraloom_peer_count > 0
        annotations: {summary: 'of {{ with query \"sum(paraloom_peer_count)\" }}{{ . | first | value }}{{ end }} peers in all, out-secret-1 too'}
      - alert: MoreThanOthers
        expr: paraloom_peer_count >= on() group_left() min(paraloom_peer_count)
";

struct Story {
    fleetglass: Fleetglass,
    nodes: Vec<Node>,
}

fn metrics(peers: u32, more: &str) -> Page {
    Page::metrics(&format!(
        "# TYPE paraloom_peer_count gauge\nparaloom_peer_count {peers}\n# TYPE paraloom_link gauge\nparaloom_link{{peer=\"127.0.0.1:4001\"}} 1\n{more}"
    ))
}

async fn story() -> Story {
    let mut config = format!(
        "{QUICK}\n[rules]\nfiles = [\"rules.yml\"]\nevaluation_interval = \"500ms\"\n[share]\nrequests_per_second = 1000\nlink_requests_per_second = 1000\n"
    );
    let mut nodes = Vec::new();
    for (at, id) in INSIDE.iter().chain(&OUTSIDE).enumerate() {
        let more = if at < 2 { "" } else { "# TYPE peers_outside gauge\npeers_outside 7\n" };
        let health =
            Page::json(200, r#"{"status":"ok","version":"1.2.3","uptime_seconds":5,"listen":"127.0.0.1:9"}"#);
        let node = Node::start([("/health", health), ("/metrics", metrics(3 + at as u32, more))]).await;
        let team = if at < 2 { "acme" } else { "other-team" };
        config += &format!(
            "\n[[target]]\nid = \"{id}\"\nfamily = \"paraloom\"\nurl = \"{}\"\nlabels = {{ team = \"{team}\", host = \"box-of-{id}\" }}\n",
            node.url()
        );
        nodes.push(node);
    }
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("rules.yml"), RULES).unwrap();
    let fleetglass = Fleetglass::start_in(folder, &config, &[]).await;
    fleetglass.ready().await;
    Story { fleetglass, nodes }
}

/// Makes a link as an operator does, and gives its path and id.
fn made(fleetglass: &Fleetglass, more: &[&str]) -> (String, String) {
    let url = fleetglass.url("");
    let args = [
        "share",
        "create",
        "--title",
        "For Acme",
        "--by",
        "Ada",
        "--json",
        "--url",
        &url,
        "--select",
        "{team=\"acme\"}",
    ];
    let said = run_in(fleetglass.folder(), &[&args[..], more].concat(), &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let made: Value = serde_json::from_str(&said.out).unwrap();
    let path = made["path"].as_str().unwrap().trim_end_matches('/').to_owned();
    (path, made["share"]["id"].as_str().unwrap().to_owned())
}

fn clean(what: &str, text: &str) {
    for secret in SECRET {
        assert!(!text.contains(secret), "{what} holds `{secret}`: {text}");
    }
}

async fn live(fleetglass: &Fleetglass, path: &str, seen: Option<&str>) -> reqwest::Response {
    let mut request =
        fleetglass_tests::proxy::http_client().get(fleetglass.url(&format!("{path}/api/v1/live")));
    if let Some(seen) = seen {
        request = request.header("last-event-id", seen);
    }
    request.send().await.unwrap()
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
async fn a_link_shows_its_nodes_and_no_trick_shows_another() {
    let story = story().await;
    let fleetglass = &story.fleetglass;
    eventually("the rules have spoken", async || {
        let fleet = fleetglass.fleet().await["alerts"].to_string();
        let count = |name: &str| fleet.matches(&format!("\"name\":\"{name}\"")).count();
        let counts = ["OwnPeers", "AsksForOthers", "MoreThanOthers"].map(count);
        if counts == [4, 4, 4] { Ok(()) } else { Err(format!("{counts:?}: {fleet}")) }
    })
    .await;
    let (path, id) = made(fleetglass, &["--aliases", "--drop-label", "team"]);

    let snapshot = fleetglass.json(&format!("{path}/api/v1/fleet")).await;
    clean("the fleet", &snapshot.to_string());
    let nodes = snapshot["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 2, "{snapshot}");
    let alias = nodes[0]["id"].as_str().unwrap();
    let alerts: Vec<&str> =
        snapshot["alerts"].as_array().unwrap().iter().filter_map(|a| a["name"].as_str()).collect();
    assert!(alerts.contains(&"OwnPeers") && alerts.contains(&"AsksForOthers"), "{alerts:?}");
    assert!(!alerts.contains(&"MoreThanOthers"), "it follows from other nodes: {alerts:?}");

    // What is there holds nothing else.
    let now = snapshot["at"].as_i64().unwrap() / 1000;
    let range = format!("start={}&end={now}&step=15", now - 60);
    for part in [
        "share".to_owned(),
        "alerts".to_owned(),
        "risks".to_owned(),
        "uptime".to_owned(),
        "uptime?by=team".to_owned(),
        format!("uptime?node={alias}"),
        format!("events?node={alias}"),
        format!("nodes/{alias}"),
        format!("nodes/{alias}/series"),
        "labels".to_owned(),
        "label/instance/values".to_owned(),
        "label/__name__/values".to_owned(),
        "series?match[]=%7B__name__%3D~%22.%2B%22%7D".to_owned(),
        "label/team/values".to_owned(),
    ] {
        let answer = fleetglass.get(&format!("{path}/api/v1/{part}")).await;
        assert_eq!(answer.status, 200, "{part}: {}", answer.body);
        clean(&part, &answer.body);
        assert_eq!(answer.header("x-robots-tag"), "noindex, nofollow", "{part}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{part}");
    }
    for trick in [
        "{__name__=~\".+\"}",
        "paraloom_peer_count or {__name__=~\".+\"}",
        "count by (instance) ({__name__=~\".+\"})",
        "absent(paraloom_peer_count{team=\"other-team\"})",
        "label_replace(up, \"a\", \"$1\", \"instance\", \"(.*)\")",
        "max_over_time(paraloom_peer_count[1h:1m] @ end())",
        "fleet:peers:sum",
        "node:peers:share",
        "ALERTS",
        "{instance=\"out-secret-1\"}",
        "count_values(\"v\", up)",
        "{__scope__=~\".*\",__name__!=\"\"}",
        "up[1h]",
        "up * on() group_left(instance) peers_outside",
        "nosuch(out",
        "up{instance=\"in-real-1\"}",
    ] {
        let expr = encoded(trick);
        for part in [
            format!("query?query={expr}"),
            format!("query_range?query={expr}&{range}"),
            format!("chart?query={expr}&{range}"),
        ] {
            let answer = fleetglass.get(&format!("{path}/api/v1/{part}")).await;
            // A mistake is quoted as it was written.
            let body =
                if answer.status == 200 { answer.body.clone() } else { answer.body.replace(trick, "") };
            // What somebody wrote comes back to them, such as in the labels of what is absent.
            for secret in SECRET.iter().filter(|secret| !trick.contains(**secret)) {
                assert!(!body.contains(secret), "{trick} holds `{secret}`: {body}");
            }
            if trick.contains(':') && !trick.contains('[') {
                assert!(body.contains("\"result\":[]"), "{trick}: {body}");
            }
        }
    }
    let sum =
        fleetglass.json(&format!("{path}/api/v1/query?query={}", encoded("sum(paraloom_peer_count)"))).await;
    assert_eq!(sum["data"]["result"][0]["value"][1], "7", "three and four, and none of the others: {sum}");
    let one = format!("paraloom_peer_count{{instance=\"{alias}\"}}");
    let one = fleetglass.json(&format!("{path}/api/v1/query?query={}", encoded(&one))).await;
    assert_eq!(one["data"]["result"][0]["metric"]["instance"], *alias, "{one}");

    // Whatever is not inside is answered like what never was.
    let never = told(&fleetglass.get(&format!("{path}/api/v1/nodes/never-was")).await);
    assert_eq!(never.0, 404);
    for outside in [OUTSIDE[0], INSIDE[0], "%2E%2E%2Ffleet", "%00", "node-0000000000000000", ""] {
        for part in [
            format!("nodes/{outside}"),
            format!("nodes/{outside}/series"),
            format!("nodes/{outside}/risks/x"),
            format!("nodes/{outside}/health"),
            format!("nodes/{outside}/metrics"),
            format!("uptime?node={outside}x"),
            format!("events?node={outside}x"),
        ] {
            assert_eq!(told(&fleetglass.get(&format!("{path}/api/v1/{part}")).await), never, "{part}");
        }
    }
    // What the app has and a link has not, is not there; nothing can be written.
    for part in [
        "incidents",
        "rules",
        "targets",
        "metadata",
        "maintenance",
        "restart-check?match[]=%7Ba%3D%22b%22%7D",
        "shares",
        "export",
        "status/config",
        "status/tsdb",
        "write",
        "alerts/history",
        "notifications",
        "",
        "federate",
        "../fleet",
    ] {
        for method in ["GET", "POST"] {
            let answer = fleetglass.request(method, &format!("{path}/api/v1/{part}"), &[]).await;
            assert!([404, 405].contains(&answer.status.as_u16()), "{method} {part}: {}", answer.body);
            clean(part, &answer.body);
        }
    }
    for method in ["DELETE", "PUT", "PATCH"] {
        let answer = fleetglass.request(method, &format!("{path}/api/v1/fleet"), &[]).await;
        assert_eq!(answer.status, 405, "{method}");
    }

    // The stream: nothing of others in any byte, and no place to go on from but its own.
    let mut bytes = live(fleetglass, &path, None).await;
    let mut said = String::new();
    story.nodes[0].says("/metrics", metrics(50, ""));
    story.nodes[2].says("/metrics", metrics(60, ""));
    while !said.contains("\"peers\":50") {
        said.push_str(&String::from_utf8_lossy(&bytes.chunk().await.unwrap().unwrap()));
    }
    clean("the stream", &said);
    let of_the_fleet = fleetglass.live(None).await.next().await.id;
    for seen in [of_the_fleet.as_str(), "0-1", "out-secret-1"] {
        let first = Stream::of(live(fleetglass, &path, Some(seen)).await).next().await;
        assert_eq!(first.name, "snapshot", "{seen}");
        clean("a stream that begins anew", &first.data.to_string());
    }

    // The operator sees it as the viewer does, and takes it back while somebody looks.
    let preview = fleetglass.json(&format!("/api/v1/shares/{id}/preview/fleet")).await;
    assert_eq!(preview["nodes"].as_array().unwrap().len(), 2);
    let listed = fleetglass.json("/api/v1/shares").await;
    assert!(
        listed["shares"][0]["views"].as_u64().unwrap() >= 2
            && listed["shares"][0]["viewers"].as_u64().unwrap() >= 1,
        "{listed}"
    );
    assert!(!listed.to_string().contains(path.trim_start_matches("/s/")), "the token is told once");
    let url = fleetglass.url("");
    let said = run_in(fleetglass.folder(), &["share", "revoke", &id, "--url", &url], &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    eventually("the open stream has ended", async || match bytes.chunk().await {
        Ok(Some(_)) => Err("it goes on".to_owned()),
        Ok(None) | Err(_) => Ok(()),
    })
    .await;
    let nobody = format!("/s/{}", "0".repeat(64));
    for part in [
        "",
        "/",
        "/nodes/x",
        "/card.png",
        "/logo",
        "/api/v1/fleet",
        "/api/v1/live",
        "/api/v1/alerts/x",
        "/api/v1/query?query=up",
    ] {
        let (closed, never) = (
            fleetglass.get(&format!("{path}{part}")).await,
            fleetglass.get(&format!("{nobody}{part}")).await,
        );
        assert_eq!(told(&closed), told(&never), "{part}");
        assert_eq!(closed.status, 404, "{part}");
    }
    assert!(!fleetglass.log().contains(path.trim_start_matches("/s/")), "the token is in no log");
}

#[tokio::test]
async fn a_link_has_an_end_a_password_views_and_survives_a_restart() {
    let Story { fleetglass, nodes } = story().await;
    std::fs::write(fleetglass.folder().join("pw.txt"), "open sesame\n").unwrap();
    let (path, id) = made(
        &fleetglass,
        &["--password-file", "pw.txt", "--views", "fleet", "--origin", "https://portal.example"],
    );

    let asked = fleetglass.get(&format!("{path}/")).await;
    assert!(
        asked.status == 200 && asked.body.contains("Password") && asked.body.contains("For Acme"),
        "{}",
        asked.body
    );
    assert!(
        asked.header("content-security-policy").contains("frame-ancestors https://portal.example"),
        "{:?}",
        asked.headers
    );
    assert_eq!(asked.header("x-frame-options"), "");
    assert_eq!(fleetglass.get(&format!("{path}/api/v1/fleet")).await.status, 401);
    let http = fleetglass_tests::proxy::http_client();
    let give = async |password: &str| {
        let form = format!("password={}", encoded(password));
        http.post(fleetglass.url(&format!("{path}/password"))).body(form).send().await.unwrap()
    };
    assert_eq!(give("open says me").await.status(), 403);
    let opened = give("open sesame").await;
    assert_eq!(opened.status(), 303);
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly")
            && cookie.contains("SameSite=Strict")
            && cookie.contains(&format!("Path={path}")),
        "{cookie}"
    );
    let session = [("cookie", cookie.split(';').next().unwrap())];
    let fleet = fleetglass.request("GET", &format!("{path}/api/v1/fleet"), &session).await;
    assert_eq!(fleet.status, 200, "{}", fleet.body);
    // Only what the views allow; names are as they are, addresses are not.
    assert!(
        fleet.body.contains("in-real-1")
            && !fleet.body.contains("127.0.0.1")
            && !fleet.body.contains("OwnPeers")
    );
    for part in ["nodes/in-real-1", "query?query=up", "alerts", "risks", "events?node=in-real-1"] {
        assert_eq!(
            fleetglass.request("GET", &format!("{path}/api/v1/{part}"), &session).await.status,
            404,
            "{part}"
        );
    }
    // However long one try takes here, the wait after it grows past that.
    eventually("the next try has to wait for long", async || {
        let answer = give("wrong").await;
        let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        if wait >= Some(8) { Ok(()) } else { Err(format!("{} {wait:?}", answer.status())) }
    })
    .await;
    let slowed = give("open sesame").await;
    assert!(slowed.status() == 429 && slowed.headers().contains_key("retry-after"), "{slowed:?}");

    // Changed by the API: another title, one more view, no password; then an end.
    let change = async |wish: Value| {
        let request = http.patch(fleetglass.url(&format!("/api/v1/shares/{id}")));
        let answer =
            request.header("content-type", "application/json").body(wish.to_string()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.text().await.unwrap())
    };
    assert_eq!(change(json!({"expires_at": 5})).await.0, 400);
    assert_eq!(change(json!({"colour": 5})).await.0, 400);
    let (status, text) = change(json!({"title": "Anew", "password": "", "max_views": 2})).await;
    assert!(status == 200 && text.contains("Anew") && text.contains("\"password\":false"), "{text}");
    assert_eq!(
        fleetglass.request("GET", &format!("{path}/api/v1/fleet"), &[]).await.status,
        200,
        "the second view"
    );
    assert_eq!(fleetglass.get(&format!("{path}/api/v1/fleet")).await.status, 404, "there is no third");
    assert_eq!(fleetglass.get(&format!("{path}/api/v1/live")).await.status, 404);

    let config = std::fs::read_to_string(fleetglass.folder().join("fleetglass.toml")).unwrap();
    let (forever, _) = made(&fleetglass, &["--aliases"]);
    let (_, lost) = made(&fleetglass, &[]);
    let before = fleetglass.json(&format!("{forever}/api/v1/fleet")).await;
    let (short, _) = made(&fleetglass, &["--expires", "1s"]);
    eventually("the link has ended", async || {
        match fleetglass.get(&format!("{short}/api/v1/share")).await.status.as_u16() {
            404 => Ok(()),
            status => Err(status.to_string()),
        }
    })
    .await;
    let taken = ["share", "list", "--data-dir", "fleetglass-data"];
    let said = run_in(fleetglass.folder(), &taken, &[]);
    assert!(said.code == Some(1) && said.err.contains("--url"), "a proxy works there: {said:?}");
    let folder = fleetglass.end("TERM");
    // Without a proxy, in the folder itself.
    let back = run_in(folder.path(), &["share", "revoke", &lost, "--data-dir", "fleetglass-data"], &[]);
    assert_eq!(back.code, Some(0), "{back:?}");
    let said = run_in(folder.path(), &[&taken[..], &["--json"]].concat(), &[]);
    let listed: Value = serde_json::from_str(&said.out).unwrap();
    let own = listed["shares"].as_array().unwrap().iter().find(|share| share["id"] == *lost).unwrap();
    assert!(own["revoked_at"].is_i64() && own["nodes"].is_null(), "{own}");
    let fleetglass = Fleetglass::start_in(folder, &config, &[]).await;
    fleetglass.ready().await;
    let after = eventually("the link is there after a restart", async || {
        let fleet = fleetglass.json(&format!("{forever}/api/v1/fleet")).await;
        if fleet["nodes"].as_array().map_or(0, Vec::len) == 2 { Ok(fleet) } else { Err(fleet.to_string()) }
    })
    .await;
    assert_eq!(before["nodes"][0]["id"], after["nodes"][0]["id"], "aliases stay");
    let state = std::fs::read(fleetglass.folder().join("fleetglass-data/state.db")).unwrap_or_default();
    let wal = std::fs::read(fleetglass.folder().join("fleetglass-data/state.db-wal")).unwrap_or_default();
    for secret in [forever.trim_start_matches("/s/"), "open sesame"] {
        let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!holds(&state) && !holds(&wal), "the state file holds a secret");
    }
    drop(nodes);
}
