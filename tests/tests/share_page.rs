//! Share links beside what is in them: what chats show of them, who shares them, drafts and previews, how fast viewers
//! may ask, and how soon those who look are cut off.

#![allow(clippy::unwrap_used)]

use fleetglass_tests::{
    node::{Node, Page},
    proxy::{Answer, Fleetglass, QUICK, http_client},
    wait::eventually,
};
use serde_json::{Value, json};

const RULES: &str = "
groups:
  - name: own
    rules:
      - alert: OwnPeers
        expr: paraloom_peer_count > 0
        annotations: {summary: '{{ $labels.instance }} has {{ $value }} peers'}
";
/// The smallest PNG.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

struct Story {
    fleetglass: Fleetglass,
    _nodes: Vec<Node>,
}

async fn story(more: &str) -> Story {
    let mut config =
        format!("{QUICK}\n[rules]\nfiles = [\"rules.yml\"]\nevaluation_interval = \"500ms\"\n{more}");
    let mut nodes = Vec::new();
    for (id, team) in [("in-real-1", "acme"), ("in-real-2", "acme"), ("out-secret-1", "other-team")] {
        let health = Page::json(200, r#"{"status":"ok","version":"1.2.3","uptime_seconds":5}"#);
        let metrics = Page::metrics("# TYPE paraloom_peer_count gauge\nparaloom_peer_count 3\n");
        let node = Node::start([("/health", health), ("/metrics", metrics)]).await;
        config += &format!(
            "\n[[target]]\nid = \"{id}\"\nfamily = \"paraloom\"\nurl = \"{}\"\nlabels = {{ team = \"{team}\" }}\n",
            node.url()
        );
        nodes.push(node);
    }
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("rules.yml"), RULES).unwrap();
    let fleetglass = Fleetglass::start_in(folder, &config, &[]).await;
    fleetglass.ready().await;
    Story { fleetglass, _nodes: nodes }
}

fn wish(more: Value) -> Value {
    let scope = json!({"select": ["{team=\"acme\"}"], "views": ["fleet", "node", "alerts"], "aliases": true});
    let mut wish = json!({"title": "For <Acme>", "by": "Ada", "scope": scope});
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    wish
}

async fn posted(fleetglass: &Fleetglass, path: &str, wish: &Value) -> (u16, Value) {
    let request = http_client().post(fleetglass.url(path)).header("content-type", "application/json");
    let answer = request.body(wish.to_string()).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

/// Makes a link; gives its path and its id.
async fn made(fleetglass: &Fleetglass, more: Value) -> (String, String) {
    let (status, made) = posted(fleetglass, "/api/v1/shares", &wish(more)).await;
    assert_eq!(status, 201, "{made}");
    (
        made["path"].as_str().unwrap().trim_end_matches('/').to_owned(),
        made["share"]["id"].as_str().unwrap().to_owned(),
    )
}

async fn bytes(fleetglass: &Fleetglass, path: &str) -> (u16, String, Vec<u8>) {
    let answer = http_client().get(fleetglass.url(path)).send().await.unwrap();
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let kind = header("content-type").unwrap_or_default();
    assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"), "{path}");
    assert_eq!(header("x-robots-tag").as_deref(), Some("noindex, nofollow"), "{path}");
    (answer.status().as_u16(), kind, answer.bytes().await.unwrap().to_vec())
}

fn same(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.body.clone())
}

#[tokio::test]
async fn a_link_unfurls_within_its_scope_and_says_who_shares_it() {
    let Story { fleetglass, _nodes } = story("").await;
    let (path, id) = made(&fleetglass, json!({"note": "Ask \"us\"\nat any time", "logo": PNG})).await;
    let page = fleetglass.get(&format!("{path}/")).await;
    assert_eq!(page.status, 200);
    let image = format!("content=\"{}{path}/card.png\"", fleetglass.url(""));
    for part in [
        "og:title\" content=\"For &lt;Acme&gt;\"",
        "og:description\" content=\"2 nodes",
        "og:image:width\" content=\"1200\"",
        "twitter:card\" content=\"summary_large_image\"",
        "data-note=\"Ask &quot;us&quot;\nat any time\"",
        "data-logo=\"logo\"",
        &image,
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    for secret in ["out-secret", "in-real", "other-team", "127.0.0.1:9"] {
        assert!(!page.body.contains(secret), "{secret}: {}", page.body);
    }
    let (status, kind, card) = bytes(&fleetglass, &format!("{path}/card.png")).await;
    assert_eq!((status, kind.as_str(), &card[..4]), (200, "image/png", &b"\x89PNG"[..]));
    assert_eq!(card[16..24], [0, 0, 4, 176, 0, 0, 2, 118], "1200 by 630");
    assert_eq!(bytes(&fleetglass, &format!("{path}/card.png")).await.2, card, "it is drawn once a minute");
    let (status, kind, logo) = bytes(&fleetglass, &format!("{path}/logo")).await;
    assert_eq!((status, kind.as_str(), &logo[..4]), (200, "image/png", &b"\x89PNG"[..]));
    let share = fleetglass.json(&format!("/api/v1/shares/{id}")).await;
    assert_eq!((&share["views"], &share["logo"]), (&json!(0), &json!(true)), "none of it is a view: {share}");

    // A password keeps everything of the fleet back, in pictures too.
    let (locked, _) = made(&fleetglass, json!({"password": "open sesame", "logo": PNG})).await;
    let page = fleetglass.get(&format!("{locked}/")).await;
    assert!(page.body.contains("og:description\" content=\"A password is needed.\""), "{}", page.body);
    assert!(!page.body.contains(" nodes"), "{}", page.body);
    assert_ne!(bytes(&fleetglass, &format!("{locked}/card.png")).await.2, card);
    assert_eq!(bytes(&fleetglass, &format!("{locked}/logo")).await.0, 404);

    for (name, text) in [
        ("logo", "PHN2Zz48L3N2Zz4=".to_owned()),
        ("logo", "not base64".to_owned()),
        ("logo", "iVBORw0KGgo".to_owned() + &"A".repeat(90_000)),
        ("note", "x".repeat(501)),
        ("note", "a\u{7}b".to_owned()),
    ] {
        let (status, answer) = posted(&fleetglass, "/api/v1/shares", &wish(json!({name: text}))).await;
        assert_eq!(status, 400, "{name}");
        assert!(answer["detail"].as_str().unwrap().contains(&format!("`{name}`")), "{answer}");
    }
}

#[tokio::test]
async fn a_draft_is_looked_at_as_its_viewers_would_and_is_no_link() {
    let Story { fleetglass, _nodes } = story("").await;
    let (status, draft) =
        posted(&fleetglass, "/api/v1/shares/drafts", &wish(json!({"password": "open sesame"}))).await;
    assert_eq!((status, &draft["nodes"], &draft["password"]), (201, &json!(2), &json!(false)), "{draft}");
    let id = draft["id"].as_str().unwrap();
    assert_eq!(fleetglass.json("/api/v1/shares").await["shares"], json!([]), "it is not listed");
    assert_eq!(fleetglass.get(&format!("/api/v1/shares/{id}")).await.status, 404);
    assert_eq!(fleetglass.get(&format!("/s/{id}/")).await.status, 404);
    let page = fleetglass.get(&format!("/preview/{id}/nodes/x.y")).await;
    assert!(page.status == 200 && page.body.contains(&format!("data-preview=\"{id}\"")), "{}", page.body);
    let told = fleetglass.json(&format!("/preview/{id}/api/v1/share")).await;
    assert_eq!((&told["title"], &told["by"]), (&json!("For <Acme>"), &json!("Ada")));
    let fleet = fleetglass.json(&format!("/preview/{id}/api/v1/fleet")).await;
    assert!(
        fleet["nodes"].as_array().unwrap().len() == 2 && !fleet.to_string().contains("in-real"),
        "{fleet}"
    );
    let live = http_client().get(fleetglass.url(&format!("/preview/{id}/api/v1/live"))).send().await.unwrap();
    assert_eq!(live.status(), 200);

    // Another one in its place ends it.
    let (status, next) =
        posted(&fleetglass, &format!("/api/v1/shares/drafts?instead={id}"), &wish(json!({}))).await;
    assert_eq!(status, 201, "{next}");
    assert_eq!(fleetglass.get(&format!("/preview/{id}/api/v1/fleet")).await.status, 404);

    // A link is looked at without being opened; what is changed of it keeps its aliases.
    let (_, own) = made(&fleetglass, json!({"max_views": 1, "password": "open sesame", "logo": PNG})).await;
    let seen = fleetglass.json(&format!("/preview/{own}/api/v1/fleet")).await;
    let again = fleetglass.json(&format!("/preview/{own}/api/v1/fleet")).await;
    assert_eq!(seen["nodes"][0]["id"], again["nodes"][0]["id"]);
    let logo = fleetglass.json(&format!("/preview/{own}/api/v1/share")).await["logo"].clone();
    assert!(logo.as_str().unwrap().starts_with("data:image/png;base64,"), "{logo}");
    assert_eq!(fleetglass.json(&format!("/api/v1/shares/{own}")).await["views"], 0);
    let wider = json!({"scope": {"select": ["{instance!=\"\"}"], "views": ["fleet"], "aliases": true}});
    let (status, changed) = posted(&fleetglass, &format!("/api/v1/shares/drafts?of={own}"), &wider).await;
    assert_eq!((status, &changed["nodes"]), (201, &json!(3)), "{changed}");
    let wide = fleetglass.json(&format!("/preview/{}/api/v1/fleet", changed["id"].as_str().unwrap())).await;
    assert!(wide.to_string().contains(seen["nodes"][0]["id"].as_str().unwrap()), "{wide}");
    assert_eq!(fleetglass.json(&format!("/api/v1/shares/{own}")).await["nodes"], 2, "the link is as it was");

    for (path, wish, expected) in [
        ("drafts", json!({"title": "x"}), 400),
        ("drafts", wish(json!({"password": "short"})), 400),
        ("drafts", wish(json!({"scope": {"select": ["{"], "views": ["fleet"]}})), 400),
        ("drafts?of=nothing", json!({}), 404),
        ("drafts?else=1", json!({}), 400),
    ] {
        let (status, answer) = posted(&fleetglass, &format!("/api/v1/shares/{path}"), &wish).await;
        assert_eq!(status, expected, "{path}: {answer}");
    }
    for path in ["/preview/no-id!/", "/preview/%22%3E/", "/preview/0000/api/v1/fleet"] {
        assert_eq!(fleetglass.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_alert_s_past_is_told_without_who_and_why() {
    let Story { fleetglass, _nodes } = story("").await;
    let (path, _) = made(&fleetglass, json!({})).await;
    let alert = eventually("a viewer sees an alert", async || {
        let alerts = fleetglass.json(&format!("{path}/api/v1/alerts")).await;
        let own = alerts.as_array().unwrap().iter().find(|alert| alert["name"] == "OwnPeers");
        own.and_then(|own| own["id"].as_str()).map(str::to_owned).ok_or_else(|| alerts.to_string())
    })
    .await;
    let fleet = eventually("the operator sees them all", async || {
        let fleet = fleetglass.json("/api/v1/fleet").await;
        let own = fleet["alerts"].to_string().matches("\"OwnPeers\"").count();
        if own >= 3 { Ok(fleet) } else { Err(fleet["alerts"].to_string()) }
    })
    .await;
    for own in fleet["alerts"].as_array().unwrap().iter().filter(|own| own["name"] == "OwnPeers") {
        let id = own["id"].as_str().unwrap();
        let (status, _) = posted(
            &fleetglass,
            &format!("/api/v1/alerts/{id}/acknowledge"),
            &json!({"by": "Bob", "note": "coffee"}),
        )
        .await;
        assert_eq!(status, 200);
        assert_eq!(
            fleetglass.get(&format!("{path}/api/v1/alerts/{id}")).await.status,
            404,
            "the fleet's id is none"
        );
    }
    let detail = eventually("its past is told", async || {
        let detail = fleetglass.json(&format!("{path}/api/v1/alerts/{alert}")).await;
        let what: Vec<&str> =
            detail["history"].as_array().unwrap().iter().filter_map(|one| one["what"].as_str()).collect();
        if what.contains(&"acknowledged") && what.contains(&"firing") {
            Ok(detail)
        } else {
            Err(detail.to_string())
        }
    })
    .await;
    let text = detail.to_string();
    for secret in ["Bob", "coffee", "in-real", "out-secret", "\"rule\"", "\"others\""] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert_eq!(detail["alert"]["acknowledged"]["by"], "the operator");
}

#[tokio::test]
async fn who_asks_too_fast_waits_whether_the_link_is_one_or_not() {
    let Story { fleetglass, _nodes } = story("[share]\nrequests_per_second = 1\n").await;
    let (path, _) = made(&fleetglass, json!({})).await;
    let mut slowed = None;
    for _ in 0..200 {
        let answer = fleetglass.get(&format!("{path}/api/v1/share")).await;
        if answer.status == 429 {
            slowed = Some(answer);
            break;
        }
    }
    let slowed = slowed.expect("ten at once, and one a second");
    assert!(slowed.header("retry-after").parse::<u64>().unwrap() >= 1);
    let nobody = eventually("a link that is none is slowed alike", async || {
        let answer = fleetglass.get(&format!("/s/{}/api/v1/share", "0".repeat(64))).await;
        if answer.status == 429 { Ok(answer) } else { Err(answer.body) }
    })
    .await;
    assert_eq!(same(&slowed), same(&nobody));
    assert_eq!(fleetglass.get("/api/v1/shares").await.status, 200, "who is logged in is not slowed");
}

#[tokio::test]
async fn a_link_that_is_revoked_is_closed_at_once() {
    let Story { fleetglass, _nodes } = story("").await;
    let (path, id) = made(&fleetglass, json!({})).await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        let mut stream =
            http_client().get(fleetglass.url(&format!("{path}/api/v1/live"))).send().await.unwrap();
        assert!(stream.chunk().await.unwrap().is_some(), "it has begun");
        streams.push(stream);
    }
    let revoked = tokio::time::Instant::now();
    let answer = fleetglass.request("DELETE", &format!("/api/v1/shares/{id}"), &[]).await;
    assert_eq!(answer.status, 200);
    let mut last = revoked.elapsed();
    for mut stream in streams {
        let ends = async { while matches!(stream.chunk().await, Ok(Some(_))) {} };
        tokio::time::timeout(std::time::Duration::from_secs(60), ends).await.expect("the stream has ended");
        last = revoked.elapsed();
    }
    println!("revoked while ten look: the last of them was cut off after {last:?}");
    assert_eq!(fleetglass.get(&format!("{path}/api/v1/live")).await.status, 404);
}
