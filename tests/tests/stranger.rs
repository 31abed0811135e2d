//! What a stranger tried: to find out, by any answer, what a share link, an embed, a status
//! page or a limited role keeps back. What was tried is listed in `stranger/tried.rs`, one entry an attempt.

#![allow(clippy::unwrap_used)]

#[path = "stranger/tried.rs"]
mod tried;
#[path = "stranger/world.rs"]
mod world;

use fleetglass_tests::raw::encoded;
use fleetglass_tests::wait::eventually;
use serde_json::{Value, json};
use world::{ADMIN, Link, NOBODY, ONE, OPERATOR, OTHER, VIEWER, World, clean, likeness};

const SLUG: &str = "acme";

/// The path of an attempt.
fn path(template: &str, link: &Link) -> String {
    let part = |part: &str| match part.split_once(['?', '%', ';']) {
        None if part == "T" => Some(link.token.clone()),
        None if part == "I" => Some(link.id.clone()),
        None if part == "U" => Some(link.token.to_uppercase()),
        None if part == "S" => Some(SLUG.to_owned()),
        Some(("T", _)) => Some(part.replacen('T', &link.token, 1)),
        _ => None,
    };
    let (before, query) = template.split_once('?').map_or((template, None), |(a, b)| (a, Some(b)));
    let parts: Vec<String> =
        before.split('/').map(|own| part(own).unwrap_or_else(|| own.to_owned())).collect();
    let query = query.map_or(String::new(), |query| {
        format!("?{}", query.replace("token=T", &format!("token={}", link.token)))
    });
    parts.join("/") + &query
}

#[tokio::test]
async fn no_answer_tells_what_a_link_keeps_back() {
    let (one, other) = (World::begin(ONE).await, World::begin(OTHER).await);
    let slug = json!({ "slug": SLUG });
    let (here, there) = (one.link(slug.clone()).await, other.link(slug).await);
    let own = one.fleetglass.address().to_string();
    let expressions = tried::ORACLES.iter().flat_map(|expr| {
        let expr = encoded(expr);
        [
            format!("/s/T/api/v1/query?query={expr}"),
            format!("/s/T/api/v1/query?query={expr}&stats=all&limit=1"),
            format!("/embed/T/api/v1/panel.json?view=chart&query={expr}"),
        ]
    });
    for template in tried::EVERYWHERE.map(str::to_owned).into_iter().chain(expressions) {
        eventually(&format!("{template} is the same"), async || {
            let (a, b) = (
                one.ask(NOBODY, "GET", &path(&template, &here), "").await,
                other.ask(NOBODY, "GET", &path(&template, &there), "").await,
            );
            let (a, b) = (likeness(&one, &here, &a), likeness(&other, &there, &b));
            if a == b { Ok(()) } else { Err(format!("{a:?}\n{b:?}")) }
        })
        .await;
        // What somebody wrote comes back to them; what they did not write does not come.
        if !template.contains("query=") {
            clean(&template, &one.ask(NOBODY, "GET", &path(&template, &here), "").await, &own);
        }
    }
    // The test can see: a link that keeps nothing back tells it.
    let open = json!({ "scope": {
        "select": ["{team=\"acme\"}"], "views": ["fleet", "node", "charts", "alerts", "risks"], "addresses": true,
    } });
    let (a, b) = (one.link(open.clone()).await, other.link(open).await);
    for template in ["/s/T/api/v1/fleet", "/s/T/api/v1/alerts", "/s/T/api/v1/label/customer/values"] {
        let (a, b) = (
            likeness(&one, &a, &one.ask(NOBODY, "GET", &path(template, &a), "").await),
            likeness(&other, &b, &other.ask(NOBODY, "GET", &path(template, &b), "").await),
        );
        assert_ne!(a, b, "{template}");
    }
}

#[tokio::test]
async fn what_a_link_does_not_have_is_like_what_never_was_by_every_door() {
    let world = World::begin(ONE).await;
    let link = world.link(json!({ "slug": SLUG })).await;
    let own = world.fleetglass.address().to_string();
    let at = |template: &str| path(template, &link);
    for method in ["GET", "HEAD", "POST"] {
        let never = world.ask(NOBODY, method, &at("/s/T/api/v1/never-was"), "").await;
        assert_eq!(never.status, 404, "{never:?}");
        for template in tried::NOT_THERE {
            assert_eq!(world.ask(NOBODY, method, &at(template), "").await, never, "{method} {template}");
        }
    }
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"] {
        let never = world.ask(NOBODY, method, &at("/s/T/api/v1/never-was"), "").await;
        for template in ["/s/T/api/v1/fleet", "/s/T/api/v1/shares", "/s/T/api/v1/nodes/out-secret-1"] {
            assert_eq!(world.ask(NOBODY, method, &at(template), "").await, never, "{method} {template}");
        }
    }
    for template in tried::DOORS {
        for method in ["GET", "HEAD", "POST"] {
            let answer = world.ask(NOBODY, method, &at(template), "").await;
            // What is no route is the app's, which shows whoever has no login nothing.
            let is_app = answer.status == 200 && answer.head.contains("content-type: text/html");
            assert!(is_app || (400..500).contains(&answer.status), "{method} {template}: {answer:?}");
            assert!(!answer.body.contains("in-1"), "{method} {template}: {answer:?}");
            clean(template, &answer, &own);
        }
    }

    // No header makes it another answer: neither a part of it, nor that somebody has it already.
    for (name, value) in tried::HEADERS {
        for template in
            ["/s/T/api/v1/share", "/s/T/api/v1/nodes/out-secret-1", "/s/T/api/v1/query?query=count(up)"]
        {
            let with = world.ask_with(NOBODY, "GET", &at(template), &[(name, value)], "").await;
            let without = world.ask(NOBODY, "GET", &at(template), "").await;
            let (with, without) = (likeness(&world, &link, &with), likeness(&world, &link, &without));
            assert_eq!(with, without, "{name}: {value} at {template}");
        }
    }

    // By whichever name: a badge, a panel and its fragment of what is outside are those of nothing.
    for name in tried::NAMES {
        for template in [
            "/s/T/badge/NAME.svg",
            "/s/T/badge/NAME.svg?of=alerts",
            "/s/T/badge/NAME.svg?of=uptime-30d&style=flat-square",
            "/embed/T?view=node&node=NAME",
            "/embed/T/panel?view=uptime&node=NAME",
            "/embed/T/api/v1/panel.json?view=alerts&node=NAME",
            "/embed/T/api/v1/panel.json?view=chart&node=NAME&panel=Peers",
        ] {
            let asked = world.ask(NOBODY, "GET", &at(&template.replace("NAME", name)), "").await;
            let never = world.ask(NOBODY, "GET", &at(&template.replace("NAME", "never-was")), "").await;
            let told = asked
                .body
                .replace(name, "NAME")
                .replace(&name.replace("%2f", "/").replace("%2e", "."), "NAME");
            assert_eq!(
                (asked.status, told),
                (never.status, never.body.replace("never-was", "NAME")),
                "{name} {template}"
            );
        }
    }

    // A link with a password tells nothing by the ways that have no place for one.
    let locked = world.link(json!({ "password": "open sesame", "title": "Secret title" })).await;
    for template in [
        "/s/T/api/v1/fleet",
        "/s/T/api/v1/share",
        "/s/T/api/v1/live",
        "/s/T/logo",
        "/s/T/manifest.webmanifest",
        "/s/T/badge/status.svg",
        "/s/T/badge/in-1.svg",
        "/embed/T",
        "/embed/T/panel",
        "/embed/T/live",
        "/embed/T/api/v1/panel.json?view=alerts",
    ] {
        let answer = world.ask(NOBODY, "GET", &path(template, &locked), "").await;
        assert!((400..500).contains(&answer.status), "{template}: {answer:?}");
        assert!(
            !answer.body.contains("in-1") && !answer.body.contains("Secret title"),
            "{template}: {answer:?}"
        );
    }
    let url = encoded(&format!("http://{own}/s/{}/", locked.token));
    let pasted = world.ask(NOBODY, "GET", &format!("/oembed?url={url}"), "").await;
    assert!(pasted.status == 401 && !pasted.body.contains("Secret title"), "{pasted:?}");
    for url in [
        format!("http://elsewhere.example/s/{}/", link.token),
        format!("http://{own}@elsewhere.example/s/{}/", link.token),
        format!("http://{own}/preview/{}/", link.id),
        format!("http://{own}/s/{}/", link.id),
        format!("http://{own}/status/{SLUG}"),
        format!("http://{own}/api/v1/fleet"),
        format!("file:///s/{}/", link.token),
    ] {
        let answer = world.ask(NOBODY, "GET", &format!("/oembed?url={}", encoded(&url)), "").await;
        assert_eq!(answer.status, 404, "{url}: {answer:?}");
        clean(&url, &answer, &own);
    }
}

#[tokio::test]
async fn a_limited_role_learns_of_nobody_by_labels_rules_filters_or_pages() {
    let world = World::begin(ONE).await;
    let outside = |what: &str, text: &str| {
        for secret in ["out-secret", "other-team", "peers_outside", "AmongMany"] {
            assert!(!text.contains(secret), "{what} holds `{secret}`: {text}");
        }
    };
    for path in tried::LIMITED {
        let who = if ["/api/v1/status", "/api/v1/shares"].contains(&path) { OPERATOR } else { VIEWER };
        let answer = world.ask(who, "GET", path, "").await;
        assert!([200, 404].contains(&answer.status), "{path}: {answer:?}");
        outside(path, &answer.body);
    }
    let alerts = world.ask(VIEWER, "GET", "/api/v1/alerts", "").await.json();
    let alerts = alerts["data"]["alerts"].as_array().unwrap();
    let own = alerts.iter().find(|alert| alert["labels"]["alertname"] == "OwnPeers").unwrap();
    let summary = own["annotations"]["summary"].as_str().unwrap();
    assert!(summary.contains("of acme-corp waits for [hidden]"), "{summary}");

    // Status pages: theirs is written on, and of others' there is nothing.
    let scope = |select: &str| json!({ "select": [select], "views": ["fleet"] });
    let theirs = json!({ "slug": SLUG, "scope": scope("{team=\"acme\"}") });
    let others = json!({ "slug": "others", "scope": scope("{team=\"other-team\"}") });
    let all = json!({ "slug": "everybody", "scope": scope("{instance!=\"\"}") });
    for wish in [theirs, others, all] {
        world.link(wish).await;
    }
    let act = async |method: &str, path: &str, body: &Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        world.ask(OPERATOR, method, path, &body).await
    };
    let pages = act("GET", "/api/v1/status", &Value::Null).await;
    let slugs: Vec<Value> =
        pages.json()["pages"].as_array().unwrap().iter().map(|page| page["slug"].clone()).collect();
    assert_eq!(slugs, [json!(SLUG)], "{pages:?}");
    outside("the pages", &pages.body);
    let post = |text: &str| json!({ "kind": "incident", "title": "Slow", "text": text, "affects": ["in-1"] });
    let made = act("POST", &format!("/api/v1/status/{SLUG}/posts"), &post("We look into it.")).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let more = json!({ "state": "identified", "text": "A cable." });
    assert_eq!(act("POST", &format!("/api/v1/status/{SLUG}/posts/{id}/updates"), &more).await.status, 201);
    assert_eq!(
        act("PATCH", &format!("/api/v1/status/{SLUG}/posts/{id}"), &json!({ "impact": "major" }))
            .await
            .status,
        200
    );
    eventually("readers read it", async || {
        let page = world.ask(NOBODY, "GET", &format!("/status/{SLUG}"), "").await.body;
        if page.contains("A cable.") && page.contains("Major impact") { Ok(()) } else { Err(page) }
    })
    .await;
    // What is refused tells which nodes there are: of those outside nothing is refused.
    for text in ["out-secret-1 is down", "never-was-one is down"] {
        let answer = act("POST", &format!("/api/v1/status/{SLUG}/posts"), &post(text)).await;
        assert_eq!(answer.status, 201, "{text}: {answer:?}");
    }
    let tell = async |slug: &str, body: Value| {
        world.ask(ADMIN, "POST", &format!("/api/v1/status/{slug}/posts"), &body.to_string()).await
    };
    assert_eq!(tell(SLUG, post("out-secret-1 is down")).await.status, 400, "whoever sees it is told");
    let foreign = tell("others", json!({ "kind": "incident", "title": "T", "text": "t" })).await;
    let foreign = foreign.json()["id"].as_str().unwrap().to_owned();
    for (method, template, body) in [
        ("GET", "/api/v1/status/SLUG/posts", Value::Null),
        ("POST", "/api/v1/status/SLUG/posts", post("x")),
        ("PATCH", "/api/v1/status/SLUG/posts/ID", json!({ "title": "Mine" })),
        ("DELETE", "/api/v1/status/SLUG/posts/ID", Value::Null),
        ("POST", "/api/v1/status/SLUG/posts/ID/updates", more.clone()),
        ("GET", "/api/v1/status/SLUG/draft?alert=0", Value::Null),
        ("GET", "/api/v1/status/SLUG/subscribers", Value::Null),
        ("DELETE", "/api/v1/status/SLUG/subscribers/x", Value::Null),
    ] {
        let never = act(method, &template.replace("SLUG", "never-was").replace("ID", "0"), &body).await;
        assert_eq!(never.status, 404, "{method} {template}: {never:?}");
        for slug in ["others", "everybody"] {
            let at = template.replace("SLUG", slug).replace("ID", &foreign);
            assert_eq!(act(method, &at, &body).await, never, "{method} {at}");
        }
        // Nor by their own page.
        if template.contains("ID") {
            let at = template.replace("SLUG", SLUG).replace("ID", &foreign);
            let none = template.replace("SLUG", SLUG).replace("ID", "0");
            assert_eq!(act(method, &at, &body).await, act(method, &none, &body).await, "{method} {at}");
        }
    }
    // A draft of an alert inside is there, of one outside it is as of none.
    let fleet = world.ask(ADMIN, "GET", "/api/v1/fleet", "").await.json();
    let id_of = |name: &str, node: &str| {
        let alerts = fleet["alerts"].as_array().unwrap().iter();
        let found = alerts.clone().find(|alert| alert["name"] == name && alert["node"] == node);
        found.map_or("0".to_owned(), |alert| alert["id"].as_str().unwrap().to_owned())
    };
    let draft =
        async |id: &str| act("GET", &format!("/api/v1/status/{SLUG}/draft?alert={id}"), &Value::Null).await;
    let none = draft("0").await;
    assert_eq!(draft(&id_of("OwnPeers", "out-secret-1")).await, none);
    assert_eq!(draft(&id_of("AmongMany", "in-1")).await, none);
    let known = act("GET", "/api/v2/alerts?filter=instance%3D%22in-1%22", &Value::Null).await.json();
    let known = known[0]["fingerprint"].as_str().unwrap().to_owned();
    let told = draft(&known).await;
    assert!(told.status == 200 && told.body.contains("Trouble with in-1"), "{told:?}");
    // Previews of others' links, and browsers that are told of alerts, are not there.
    let foreign = world.link(json!({ "scope": scope("{instance!=\"\"}") })).await;
    let never = act("GET", "/preview/0000000000000000/api/v1/fleet", &Value::Null).await;
    assert_eq!(act("GET", &format!("/preview/{}/api/v1/fleet", foreign.id), &Value::Null).await, never);
    for (method, path) in [
        ("GET", "/api/v1/push/subscriptions"),
        ("GET", "/api/v1/push/subscriptions?of=everybody"),
        ("POST", "/api/v1/push/subscriptions"),
        ("DELETE", "/api/v1/push/subscriptions/x"),
        ("POST", "/api/v1/push/subscriptions/x/test"),
    ] {
        assert_eq!(act(method, path, &json!({})).await.status, 403, "{method} {path}");
    }
}

#[tokio::test]
async fn a_browser_of_somebody_who_came_back_with_less_is_told_no_more() {
    let world = World::with(
        ONE,
        "[auth.trusted_header]\ngroups = \"X-Forwarded-Groups\"\nfrom = [\"127.0.0.1\"]\n[[auth.trusted_header.role]]\ngroup = \"ops\"\nrole = \"operator\"\n\
         [[auth.trusted_header.role]]\nrole = \"viewer\"\n",
    )
    .await;
    let subscribe = json!({
        "endpoint": "https://push.example/bob", "severities": ["critical"], "label": "phone",
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    });
    let bob = async |groups: &str, method: &str, path: &str, body: &str| {
        let headers =
            [("X-Forwarded-User", "bob"), ("X-Forwarded-Groups", groups), ("Sec-Fetch-Site", "same-origin")];
        world.ask_with(NOBODY, method, path, &headers, body).await
    };
    let all = async || {
        let told = world.ask(ADMIN, "GET", "/api/v1/push/subscriptions?of=everybody", "").await;
        assert_eq!(told.status, 200, "{told:?}");
        told.json()["subscriptions"].as_array().unwrap().clone()
    };
    const PATH: &str = "/api/v1/push/subscriptions";
    let made = bob("ops", "POST", PATH, &subscribe.to_string()).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(bob("ops", "GET", "/api/v1/me", "").await.status, 200);
    let told = all().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["owner"], "header:bob");
    let week = told[0]["until"].as_i64().unwrap() - told[0]["created_at"].as_i64().unwrap();
    assert_eq!(week, 7 * 86_400_000, "a session lasts no longer");
    assert_eq!(bob("ops", "GET", "/api/v1/push/subscriptions?of=everybody", "").await.status, 403);
    // The proxy says that he is in the group no more.
    assert_eq!(bob("", "GET", "/api/v1/me", "").await.status, 200);
    assert_eq!(all().await, [] as [Value; 0]);
    // An admin takes away what is somebody else's.
    assert_eq!(bob("ops", "POST", PATH, &subscribe.to_string()).await.status, 201);
    let id = all().await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.ask(ADMIN, "DELETE", &format!("{PATH}/{id}"), "").await.status, 204);
    assert_eq!(all().await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_body_that_does_not_say_that_it_is_json_is_not_read() {
    let world = World::begin(ONE).await;
    for (who, method, path) in [
        (ADMIN, "POST", "/api/v1/shares"),
        (ADMIN, "POST", "/api/v1/shares/drafts"),
        (ADMIN, "PATCH", "/api/v1/shares/x"),
        (OPERATOR, "POST", "/api/v1/shares"),
        (ADMIN, "POST", "/api/v1/users"),
        (ADMIN, "POST", "/api/v1/tokens"),
        (ADMIN, "POST", "/api/v1/push/subscriptions"),
        (ADMIN, "POST", "/api/v1/status/acme/posts"),
    ] {
        // With a blank before it, it is sent as a form is.
        let answer = world.ask(who, method, path, " {\"title\": 1}").await;
        assert_eq!(answer.status, 415, "{who} {method} {path}: {answer:?}");
        let answer = world.ask(who, method, path, "{\"title\"").await;
        assert_eq!(answer.status, 400, "{who} {method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn a_back_test_of_a_limited_role_is_over_their_nodes_as_if_there_were_no_others() {
    let (one, other) = (World::begin(ONE).await, World::begin(OTHER).await);
    let tested = async |world: &World, who: &str, query: &str| {
        let now = world.ask(VIEWER, "GET", "/api/v1/fleet", "").await.json()["at"].as_i64().unwrap();
        let body = json!({ "query": query, "start": now - 600_000, "end": now, "step_seconds": 15.0, "for_seconds": 0.0 });
        world.ask(who, "POST", "/api/v1/rules/backtest", &body.to_string()).await
    };
    for (query, series) in [
        ("paraloom_peer_count > 0", 2),
        ("sum(paraloom_peer_count) > 7", 0),
        ("sum(paraloom_peer_count) == 7", 1),
        ("peers_outside > 0", 0),
        ("up{instance=~\"out.*\"} > 0", 0),
        ("up unless on () peers_outside", 2),
        ("{__name__=~\"peers_.*\"} > 0 or ALERTS{team!=\"acme\"}", 0),
        ("absent(peers_outside)", 1),
    ] {
        for world in [&one, &other] {
            eventually(&format!("{query} is told"), async || {
                let told = tested(world, VIEWER, query).await;
                assert_eq!(told.status, 200, "{query}: {told:?}");
                assert!(!told.body.contains("out-secret") && !told.body.contains("other-team"), "{told:?}");
                if told.json()["series"] == series { Ok(()) } else { Err(format!("{told:?}")) }
            })
            .await;
        }
    }
    assert_eq!(tested(&one, ADMIN, "peers_outside > 0").await.json()["series"], 1, "whoever sees all");
    assert_eq!(tested(&one, VIEWER, "sum(").await.status, 400);
}
