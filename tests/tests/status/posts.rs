//! What an operator writes: published, escaped, gone on with, taken away; maintenance that turns by itself.

use fleetglass_tests::samples::now;

use super::*;

const POSTS: &str = "/api/v1/status/acme/posts";

fn incident(title: &str, text: &str) -> Value {
    json!({"kind": "incident", "title": title, "text": text, "impact": "major", "affects": ["eu"]})
}

#[tokio::test]
async fn an_incident_is_written_gone_on_with_and_taken_away() {
    let story = logged_in(
        &format!("[[auth.token]]\nname = \"Writer-Name\"\nhash = \"{}\"\nrole = \"admin\"\n", hash()),
        TOKEN,
    )
    .await;
    let fleetglass = &story.fleetglass;
    made_by_api(fleetglass).await;
    let post = send_as(
        fleetglass,
        "POST",
        POSTS,
        &incident("Slow <b>", "Look:\nhttps://x.example/?a=1&b=2 <script>alert(1)</script>"),
    )
    .await;
    assert_eq!(post.status, 201, "{}", post.body);
    let post = post.json();
    let path = format!("{POSTS}/{}", post["id"].as_str().unwrap());
    assert_eq!((&post["state"], &post["updates"][0]["by"]), (&json!("investigating"), &json!("Writer-Name")));
    let more = json!({"state": "identified", "text": "It is the disk."});
    assert_eq!(send_as(fleetglass, "POST", &format!("{path}/updates"), &more).await.status, 201);
    let page = fleetglass.get("/status/acme").await.body;
    clean("the page", &page);
    for words in [
        "Slow &lt;b&gt;",
        "Look:<br><a href=\"https://x.example/?a=1&amp;b=2\" rel=\"nofollow noopener noreferrer\">",
        "&lt;script&gt;alert(1)",
        "Identified",
        "Major impact",
        "Affects eu.",
        "one incident is open",
    ] {
        assert!(page.contains(words), "no `{words}` in {page}");
    }
    assert!(!page.contains("<script>alert"));

    // The feeds are what they say they are, and tell the same.
    let answer = fleetglass.get("/status/acme/feed.rss").await;
    clean("the feed", &answer.body);
    let feed = roxmltree::Document::parse(&answer.body).unwrap();
    let text = |name: &str| {
        feed.descendants()
            .find(|node| node.has_tag_name(name))
            .and_then(|node| node.text())
            .unwrap_or_default()
    };
    let titles: Vec<&str> = feed
        .descendants()
        .filter(|node| node.has_tag_name("item"))
        .filter_map(|item| item.children().find(|node| node.has_tag_name("title"))?.text())
        .collect();
    assert_eq!(titles, ["[Identified] Slow <b>", "[Investigating] Slow <b>"]);
    assert!(
        text("guid").starts_with("fleetglass:status:") && text("pubDate").ends_with(" GMT"),
        "{}",
        answer.body
    );
    let own = feed
        .descendants()
        .find(|node| node.tag_name().namespace() == Some("http://www.w3.org/2005/Atom"))
        .unwrap();
    assert_eq!(
        (own.attribute("rel"), own.attribute("href")),
        (Some("self"), Some(fleetglass.url("/status/acme/feed.rss").as_str()))
    );
    let since = fleetglass
        .request("GET", "/status/acme/feed.rss", &[("if-modified-since", answer.header("last-modified"))])
        .await;
    assert_eq!((since.status.as_u16(), since.body.as_str()), (304, ""));
    let held =
        fleetglass.request("GET", "/status/acme/feed.rss", &[("if-none-match", answer.header("etag"))]).await;
    assert_eq!(held.status, 304);
    let feed = fleetglass.json("/status/acme/feed.json").await;
    clean("the feed", &feed.to_string());
    assert_eq!(
        (&feed["version"], feed["items"].as_array().unwrap().len()),
        (&json!("https://jsonfeed.org/version/1.1"), 2)
    );

    // What readers do not know is not written by mistake.
    for (body, words) in [
        (incident("in-real-1 is slow", "x"), "names `in-real-1`"),
        (incident("x", "ask out-secret-1"), "names `out-secret-1`"),
        (
            json!({"kind": "incident", "title": "x", "text": "x", "affects": ["in-real-1"]}),
            "is not on this page",
        ),
        (json!({"kind": "incident", "title": "x", "text": "x", "colour": "red"}), "unknown field"),
        (json!({"kind": "maintenance", "title": "x", "text": "x"}), "needs `starts_at`"),
    ] {
        let refused = send_as(fleetglass, "POST", POSTS, &body).await;
        assert!(refused.status == 400 || refused.status == 422, "{body}: {}", refused.status);
        assert!(refused.body.contains(words), "{body}: {}", refused.body);
    }
    assert_eq!(
        send_as(fleetglass, "PATCH", &path, &json!({"title": "Slower"})).await.json()["title"],
        "Slower"
    );
    assert_eq!(send_as(fleetglass, "DELETE", &path, &json!(null)).await.status, 204);
    assert_eq!(send_as(fleetglass, "DELETE", &path, &json!(null)).await.status, 404);
    assert!(!fleetglass.get("/status/acme").await.body.contains("Slower"));
    // Nobody writes without a login.
    assert_eq!(send(fleetglass, "POST", POSTS, &incident("x", "x")).await.status, 401);
}

const TOKEN: &str = "fgt_abcdefghijklmnopqrstuvwxyz0123456789";

fn hash() -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(TOKEN.as_bytes());
    format!("sha256:{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

async fn send_as(fleetglass: &Fleetglass, method: &str, path: &str, body: &Value) -> Answer {
    let request = http_client().request(method.parse().unwrap(), fleetglass.url(path)).bearer_auth(TOKEN);
    answer(if body.is_null() { request } else { request.json(body) }).await
}

async fn made_by_api(fleetglass: &Fleetglass) {
    let scope = json!({"select": ["{team=\"acme\"}"], "views": ["fleet"], "aliases": true});
    let body = json!({"title": "Acme", "by": "Ada", "scope": scope, "slug": "acme", "group_by": "region"});
    let made = send_as(fleetglass, "POST", "/api/v1/shares", &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
}

#[tokio::test]
async fn a_maintenance_begins_and_ends_by_itself_though_the_proxy_was_killed_between() {
    let story = story("").await;
    made(&story.fleetglass, "acme", &["--group-by", "region"]);
    let start = now() + 3_000;
    let body = json!({
        "kind": "maintenance", "title": "New kernel", "text": "Each restarts once.", "affects": ["eu"],
        "starts_at": start, "ends_at": start + 20_000,
    });
    let post = send(&story.fleetglass, "POST", POSTS, &body).await;
    assert_eq!((post.status.as_u16(), &post.json()["state"]), (201, &json!("scheduled")), "{}", post.body);
    let fleetglass = story.fleetglass.killed_and_started(&story.config).await;
    let states = |posts: &Value| -> Vec<String> {
        let updates = posts["posts"][0]["updates"].as_array().unwrap().iter();
        updates.map(|update| update["state"].as_str().unwrap().to_owned()).collect()
    };
    let come = async |wanted: &[&str]| {
        eventually("its time has come", async || {
            let posts = fleetglass.json(POSTS).await;
            if states(&posts) == wanted { Ok(()) } else { Err(posts.to_string()) }
        })
        .await;
    };
    come(&["in_progress", "scheduled"]).await;
    let summary = fleetglass.json("/status/acme/summary.json").await;
    assert_eq!(
        (&summary["parts"][0]["state"], &summary["maintenances"][0]["state"]),
        (&json!("maintenance"), &json!("in_progress")),
        "{summary}"
    );
    come(&["completed", "in_progress", "scheduled"]).await;
    let page = fleetglass.get("/status/acme").await.body;
    assert!(page.contains("The maintenance is over.") && !page.contains("Planned maintenance"), "{page}");
}

#[tokio::test]
async fn an_alert_is_drafted_with_the_names_that_readers_know() {
    let rules = "groups:\n  - name: own\n    rules:\n      - alert: OwnPeers\n        expr: paraloom_peer_count > 0\n        labels: {severity: critical}\n        annotations: {summary: '{{ $labels.instance }} has {{ $value }} peers'}\n";
    let story = story("[rules]\nfiles = [\"rules.yml\"]\nevaluation_interval = \"500ms\"\n").await;
    let fleetglass = &story.fleetglass;
    fleetglass.write("rules.yml", rules);
    made(fleetglass, "acme", &["--aliases"]);
    let alert = |node: &'static str| async move {
        eventually("the alert is there", async || {
            let fleet = fleetglass.fleet().await;
            let alerts = fleet["alerts"].as_array().unwrap().clone();
            let found = alerts.iter().find(|alert| alert["node"] == node && alert["name"] == "OwnPeers");
            found
                .map(|alert| alert["id"].as_str().unwrap().to_owned())
                .ok_or_else(|| fleet["alerts"].to_string())
        })
        .await
    };
    let draft =
        fleetglass.json(&format!("/api/v1/status/acme/draft?alert={}", alert("in-real-1").await)).await;
    clean("the draft", &draft.to_string());
    assert!(draft["title"].as_str().unwrap().starts_with("Trouble with node-"), "{draft}");
    // The page does not show alerts, so it says no more than that.
    assert_eq!(draft["text"], "We are investigating.");
    assert_eq!(draft["impact"], "major");
    assert_eq!(send(fleetglass, "POST", POSTS, &draft).await.status, 201);
    let outside =
        fleetglass.get(&format!("/api/v1/status/acme/draft?alert={}", alert("out-secret-1").await)).await;
    assert_eq!(outside.status, 404);
}

#[tokio::test]
async fn windows_of_the_config_are_shown_within_the_page_and_no_further() {
    let at = |seconds: i64| {
        let time =
            std::time::UNIX_EPOCH + std::time::Duration::from_millis((now() + seconds * 1000).unsigned_abs());
        humantime::format_rfc3339_millis(time).to_string()
    };
    let window = |name: &str, matcher: &str, (from, until): (i64, i64), more: &str| {
        format!(
            "[[maintenance]]\nname = \"{name}-other-team\"\ncomment = \"box-of-in-real-1 moves\"\nmatchers = ['{matcher}']\n\
             windows = [{{ starts_at = \"{}\", ends_at = \"{}\" }}]\n{more}\n",
            at(from),
            at(until)
        )
    };
    let soon = (86_400, 90_000);
    let config = [
        window("now", "region=\"eu\"", (-60, 3_600), "status_text = \"New routers.\""),
        window("soon", "region=~\"us|other.*\"", soon, "status_text = \"Ask about out-secret-1.\""),
        window("late", "region=\"us\"", (86_400 * 20, 86_400 * 21), ""),
        window("off", "region=\"us\"", soon, "status_pages = false"),
        window("foreign", "team=\"other-team\"", soon, ""),
        window("chosen", "alertname=\"NodeDegraded\"", soon, ""),
    ]
    .concat();
    let story = story(&config).await;
    let fleetglass = &story.fleetglass;
    made(fleetglass, "acme", &["--aliases", "--group-by", "region"]);
    let summary = eventually("the windows are on the page", async || {
        let summary = fleetglass.json("/status/acme/summary.json").await;
        let is = (&summary["parts"][0]["state"], &summary["parts"][1]["state"]);
        if is == (&json!("maintenance"), &json!("up")) { Ok(summary) } else { Err(summary.to_string()) }
    })
    .await;
    let planned = summary["maintenances"].as_array().unwrap();
    let told: Vec<(&Value, &Value, &Value)> = planned
        .iter()
        .map(|post| {
            (&post["state"], &post["affects"], &post["updates"].as_array().unwrap().last().unwrap()["text"])
        })
        .collect();
    assert_eq!(
        told,
        [
            (&json!("in_progress"), &json!(["eu"]), &json!("New routers.")),
            // What names a node outside is not said; that there is a window is.
            (&json!("scheduled"), &json!(["us"]), &json!("Maintenance is planned.")),
        ],
        "{summary}"
    );
    for path in ["", "/feed.rss", "/feed.json", "/summary.json"] {
        let answer = fleetglass.get(&format!("/status/acme{path}")).await;
        clean(path, &answer.body);
        assert!(answer.body.contains("Planned maintenance"), "{path}: {}", answer.body);
    }
    let ids: std::collections::BTreeSet<&str> =
        planned.iter().filter_map(|post| post["id"].as_str()).collect();
    assert_eq!(ids.len(), 2, "each has an id of its own: {planned:?}");
    assert_eq!(fleetglass.json(POSTS).await["posts"], json!([]), "nobody wrote them");
}
