//! What roles may, and what a role sees that is limited to a part of the fleet: everything that its holder may try to
//! see more. What was tried is listed in `roles/tried.rs`, one entry an attempt.

#![allow(clippy::unwrap_used)]

#[path = "roles/fleet.rs"]
mod fleet;
#[path = "roles/tried.rs"]
mod tried;

use fleet::{
    ADMIN, INSIDE, LIMITED, LIMITED_ADMIN, LIMITED_OPERATOR, OPERATOR, OUTSIDE, PAIR, Story, VIEWER, clean,
    likeness,
};
use fleetglass_tests::raw::{Raw, encoded};
use fleetglass_tests::wait::eventually;
use serde_json::{Value, json};

/// So many hours after a time, as Alertmanager writes it.
fn later(now: u64, hours: u64) -> String {
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(now + hours * 3_600_000);
    humantime::format_rfc3339_millis(at).to_string()
}

fn silence(now: u64, id: Option<&str>, matchers: &[(&str, &str)]) -> String {
    let matchers: Vec<Value> = matchers
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value, "isRegex": false, "isEqual": true }))
        .collect();
    let mut body = json!({
        "matchers": matchers, "startsAt": later(now, 0), "endsAt": later(now, 2), "createdBy": "ada", "comment": "works",
    });
    if let Some(id) = id {
        body["id"] = json!(id);
    }
    body.to_string()
}

#[tokio::test]
async fn each_role_may_what_its_word_says() {
    let story = Story::begin(&OUTSIDE).await;
    for (method, path, least) in [
        ("GET", "/api/v1/fleet", VIEWER),
        ("GET", "/api/v2/alerts", VIEWER),
        ("GET", "/api/v1/export?match[]=%7Ba%3D%22b%22%7D", VIEWER),
        ("POST", "/api/v1/query?query=up", VIEWER),
        ("POST", "/api/v1/alerts/0/acknowledge", OPERATOR),
        ("DELETE", "/api/v1/alerts/0/acknowledge", OPERATOR),
        ("POST", "/api/v2/silences", OPERATOR),
        ("DELETE", "/api/v2/silence/0", OPERATOR),
        ("POST", "/api/v1/receivers/x/test", OPERATOR),
        ("POST", "/api/v1/events", OPERATOR),
        ("GET", "/api/v1/shares", OPERATOR),
        ("POST", "/api/v1/shares", OPERATOR),
        ("PATCH", "/api/v1/shares/x", OPERATOR),
        ("DELETE", "/api/v1/shares/x", OPERATOR),
        ("GET", "/api/v1/shares/x/preview/fleet", OPERATOR),
        ("POST", "/api/v1/import", ADMIN),
        ("POST", "/api/v1/prune", ADMIN),
        ("POST", "/api/v1/write", ADMIN),
    ] {
        for role in [VIEWER, OPERATOR, ADMIN] {
            let answer = story.ask(role, method, path, "").await;
            let may = [VIEWER, OPERATOR, ADMIN].iter().position(|own| *own == role)
                >= [VIEWER, OPERATOR, ADMIN].iter().position(|own| *own == least);
            assert_eq!(answer.status != 403, may, "{method} {path} as {role}: {answer:?}");
            if !may {
                assert!(
                    answer.body.contains(&format!("needs the role {least}")) && answer.body.contains(role),
                    "{method} {path} as {role}: {answer:?}"
                );
            }
        }
    }
    let silence = story.ask(VIEWER, "POST", "/api/v2/silences", "{}").await;
    assert!(silence.body.starts_with('"'), "Alertmanager's form: {silence:?}");
    let acknowledge = story.ask(VIEWER, "POST", "/api/v1/alerts/0/acknowledge", "{}").await;
    assert!(acknowledge.head.contains("application/problem+json"), "{acknowledge:?}");
    let wrong = story.ask(ADMIN, "PUT", "/api/v1/fleet", "").await;
    assert!(wrong.status == 405 && wrong.head.contains("allow: GET,HEAD"), "{wrong:?}");
}

#[tokio::test]
async fn a_limited_role_sees_a_fleet_with_nothing_else_in_it() {
    let story = Story::begin(&OUTSIDE).await;
    story.has_alerts(&OUTSIDE).await;

    let fleet = story.json(LIMITED, "/api/v1/fleet").await;
    clean("the fleet", &fleet.to_string());
    let ids: Vec<&str> =
        fleet["nodes"].as_array().unwrap().iter().filter_map(|node| node["id"].as_str()).collect();
    assert_eq!(ids, INSIDE);
    let alerts = fleet["alerts"].to_string();
    assert!(alerts.contains("OwnPeers") && !alerts.contains("MoreThanOthers"), "{alerts}");

    // What is there is of the nodes inside, and it is there.
    for (path, holds) in tried::there() {
        let answer = story.ask(LIMITED, "GET", &path, "").await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert!(answer.body.contains(holds), "{path} holds `{holds}`: {answer:?}");
        clean(&path, &answer.body);
        assert!(answer.head.contains("cache-control: no-store"), "{path}: {answer:?}");
    }
    for (expr, value) in tried::VALUES {
        let answer = story.json(LIMITED, &format!("/api/v1/query?query={}", encoded(expr))).await;
        assert_eq!(answer["data"]["result"][0]["value"][1], value, "{expr}: {answer}");
    }

    // By every id that is not inside: the same bytes as for one that never was.
    for (method, template) in tried::BY_ID {
        let never =
            story.ask(LIMITED_OPERATOR, method, &template.replace("{x}", "never-was-one"), "{}").await;
        for id in tried::ids() {
            let path = template.replace("{x}", &id);
            let answer = story.ask(LIMITED_OPERATOR, method, &path, "{}").await;
            assert_eq!(likeness(&answer, &id), likeness(&never, "never-was-one"), "{method} {path}");
        }
    }
    for (path, status) in tried::PATHS {
        let answer = story.ask(LIMITED, "GET", path, "").await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        // What nothing is served at is told with its path.
        clean(path, &answer.body.replace(path, ""));
    }
    for (name, value) in tried::HEADERS {
        for path in ["/api/v1/nodes/out-secret-1", "/api/v1/query?query=count(up)", "/api/v1/fleet"] {
            let with = story.ask_with(LIMITED, "GET", path, &[(name, value)], "").await;
            let without = story.ask(LIMITED, "GET", path, "").await;
            assert_eq!(likeness(&with, ""), likeness(&without, ""), "{name}: {value} at {path}");
        }
    }
    for method in ["HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "POST"] {
        let outside = story.ask(LIMITED, method, "/api/v1/nodes/out-secret-1", "").await;
        let never = story.ask(LIMITED, method, "/api/v1/nodes/never-was-one", "").await;
        assert_eq!(outside, never, "{method}");
    }
    let now = fleet["at"].as_i64().unwrap() / 1000;
    for trick in tried::QUERIES {
        for path in tried::asked(trick, now) {
            for (method, path, body) in [
                ("GET", path.as_str(), ""),
                ("POST", path.split('?').next().unwrap(), path.split('?').nth(1).unwrap_or_default()),
            ] {
                let answer = story.ask(LIMITED, method, path, body).await;
                assert!([200, 400, 422].contains(&answer.status), "{trick} at {path}: {answer:?}");
                // What somebody wrote comes back to them, such as in the labels of what is absent.
                let text = answer.body.replace(&trick.replace('"', "\\\""), "").replace(trick, "");
                let text = if trick.contains("out-secret") { text.replace("out-secret-1", "") } else { text };
                clean(&format!("{trick} at {path}"), &text);
            }
        }
    }

    // The stream: nothing of others in any byte, and no place to go on from but its own.
    let mut bytes = story.stream(LIMITED, None).await;
    let mut said = String::new();
    story.says(INSIDE[0], 50);
    story.says(OUTSIDE[0], 60);
    while !said.contains("\"peers\":50") {
        said.push_str(&String::from_utf8_lossy(&bytes.chunk().await.unwrap().unwrap()));
    }
    clean("the stream", &said);
    let own = said.split("id: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let mut of_all = story.stream(ADMIN, None).await;
    let first = String::from_utf8_lossy(&of_all.chunk().await.unwrap().unwrap()).into_owned();
    let of_all = first.split("id: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    for seen in [of_all.as_str(), "0-1", "out-secret-1", &own.replace('-', "-9"), ""] {
        let mut anew = story.stream(LIMITED, Some(seen)).await;
        let first = String::from_utf8_lossy(&anew.chunk().await.unwrap().unwrap()).into_owned();
        assert!(first.contains("event: snapshot"), "{seen}: {first}");
        clean("a stream that begins anew", &first);
    }

    // What is about the whole fleet is nobody's whose role is limited, whatever that role is.
    for (method, path) in tried::OF_THE_WHOLE {
        let answer = story.ask(LIMITED_ADMIN, method, path, "{}").await;
        assert_eq!(answer.status, 403, "{method} {path}: {answer:?}");
        assert!(answer.body.contains("limited to a part"), "{method} {path}: {answer:?}");
        clean(path, &answer.body);
    }
}

#[tokio::test]
async fn a_limited_operator_acts_on_their_nodes_alone() {
    let story = Story::begin(&OUTSIDE).await;
    story.has_alerts(&OUTSIDE).await;
    let all = story.json(ADMIN, "/api/v1/fleet").await;
    let now = all["at"].as_u64().unwrap();
    let id_of = |name: &str, node: &str| {
        let alerts = all["alerts"].as_array().unwrap();
        let found = alerts.iter().find(|alert| alert["name"] == name && alert["node"] == node).unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    let (own, hidden, other) =
        (id_of("OwnPeers", INSIDE[0]), id_of("MoreThanOthers", INSIDE[0]), id_of("OwnPeers", OUTSIDE[0]));
    let act =
        async |method: &str, path: String, body: &str| story.ask(LIMITED_OPERATOR, method, &path, body).await;

    // Acknowledgements.
    let body = json!({ "by": "Ada", "note": "mine" }).to_string();
    let never = act("POST", "/api/v1/alerts/0000000000000000/acknowledge".into(), &body).await;
    assert_eq!(never.status, 404);
    for id in [&hidden, &other] {
        for method in ["POST", "DELETE"] {
            assert_eq!(act(method, format!("/api/v1/alerts/{id}/acknowledge"), &body).await, never, "{id}");
        }
    }
    let taken = act("POST", format!("/api/v1/alerts/{own}/acknowledge"), &body).await;
    assert!(taken.status == 200 && taken.body.contains("Ada"), "{taken:?}");
    let detail = story.json(LIMITED, &format!("/api/v1/alerts/{own}")).await;
    clean("an alert", &detail.to_string());
    assert_eq!(detail["alert"]["acknowledged"]["note"], "mine");
    assert_eq!(detail["others"], json!({ "nodes": 1, "alike": [INSIDE[1]] }), "of two there is one other");
    let told = story.json(ADMIN, &format!("/api/v1/alerts/{other}")).await;
    assert!(told["alert"]["acknowledged"].is_null(), "{told}");

    // Silences.
    let wide =
        story.ask(ADMIN, "POST", "/api/v2/silences", &silence(now, None, &[("alertname", "OwnPeers")])).await;
    let wide = wide.json()["silenceID"].as_str().unwrap().to_owned();
    let listed = story.json(LIMITED_OPERATOR, "/api/v2/silences").await;
    assert_eq!(listed, json!([]), "it reaches outside");
    for (method, path, body) in [
        ("GET", format!("/api/v2/silence/{wide}"), String::new()),
        ("DELETE", format!("/api/v2/silence/{wide}"), String::new()),
        ("POST", "/api/v2/silences".into(), silence(now, Some(&wide), &[("alertname", "OwnPeers")])),
    ] {
        let answer = act(method, path.clone(), &body).await;
        let nobody = act(method, path.replace(&wide, "no-such"), &body.replace(&wide, "no-such")).await;
        assert_eq!(
            (answer.status, answer.body),
            (404, nobody.body.replace("no-such", &wide)),
            "{method} {path}"
        );
    }
    let kept = story.json(ADMIN, &format!("/api/v2/silence/{wide}")).await;
    assert_eq!(kept["status"]["state"], "active");
    story.ask(ADMIN, "DELETE", &format!("/api/v2/silence/{wide}"), "").await;
    for matchers in [&[("alertname", "OwnPeers")][..], &[("instance", OUTSIDE[0])], &[("team", "other-team")]]
    {
        let made = act("POST", "/api/v2/silences".into(), &silence(now, None, matchers)).await;
        assert_eq!(made.status, 200, "{made:?}");
        let id = made.json()["silenceID"].as_str().unwrap().to_owned();
        let kept = story.json(ADMIN, &format!("/api/v2/silence/{id}")).await;
        assert!(kept["matchers"].to_string().contains("acme"), "{kept}");
        eventually("nothing outside is silenced", async || {
            let alerts = story.json(ADMIN, "/api/v2/alerts").await;
            let silenced: Vec<&Value> = alerts
                .as_array()
                .unwrap()
                .iter()
                .filter(|alert| alert["status"]["silencedBy"].to_string().contains(&id))
                .collect();
            let wrong = silenced.iter().any(|alert| alert["labels"]["team"] != "acme");
            assert!(!wrong, "{silenced:?}");
            if matchers[0].1 != "OwnPeers" || silenced.len() == 2 {
                Ok(())
            } else {
                Err(format!("{silenced:?}"))
            }
        })
        .await;
    }
    assert_eq!(story.json(LIMITED, "/api/v2/silences").await.as_array().unwrap().len(), 3);
    let unclear =
        story.ask(PAIR, "POST", "/api/v2/silences", &silence(now, None, &[("alertname", "OwnPeers")])).await;
    assert!(unclear.status == 403 && unclear.body.contains("one of"), "{unclear:?}");
    let clear = silence(now, None, &[("alertname", "OwnPeers"), ("instance", INSIDE[0])]);
    assert_eq!(story.ask(PAIR, "POST", "/api/v2/silences", &clear).await.status, 200);

    // Marks.
    for (body, status) in tried::MARKS {
        let answer = act("POST", "/api/v1/events".into(), body).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        clean(body, &answer.body);
    }
    eventually("the mark is told, and no other", async || {
        let events = story.json(LIMITED, "/api/v1/events?kind=mark").await;
        let texts: Vec<&str> =
            events["events"].as_array().unwrap().iter().filter_map(|event| event["text"].as_str()).collect();
        if texts == ["mine"] { Ok(()) } else { Err(format!("{texts:?}")) }
    })
    .await;
    assert_eq!(story.json(ADMIN, "/api/v1/events?kind=mark").await["events"].as_array().unwrap().len(), 1);

    // Share links.
    let wish = |select: &str| {
        json!({ "title": "T", "scope": { "select": [select], "views": ["fleet"] } }).to_string()
    };
    let of_all = story.ask(ADMIN, "POST", "/api/v1/shares", &wish("{instance!=\"\"}")).await.json();
    let of_all = of_all["share"]["id"].as_str().unwrap().to_owned();
    let never = act("GET", "/api/v1/shares/none".into(), "").await;
    assert_eq!(never.status, 404);
    for (method, more) in [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/preview/fleet")] {
        let answer = act(method, format!("/api/v1/shares/{of_all}{more}"), &wish("{team=\"acme\"}")).await;
        assert_eq!(answer, never, "{method} {more}");
    }
    assert_eq!(story.json(LIMITED_OPERATOR, "/api/v1/shares").await, json!({ "shares": [] }));
    for select in ["{instance!=\"\"}", "{team=\"other-team\"}", "{instance=~\"out.*\"}"] {
        let made = act("POST", "/api/v1/shares".into(), &wish(select)).await;
        assert_eq!(made.status, 201, "{made:?}");
        let (id, path) =
            (made.json()["share"]["id"].clone(), made.json()["path"].as_str().unwrap().to_owned());
        let id = id.as_str().unwrap().to_owned();
        let shown = story.ask(VIEWER, "GET", &format!("{path}api/v1/fleet"), "").await;
        clean(select, &shown.body);
        let widened = act("PATCH", format!("/api/v1/shares/{id}"), &wish("{instance=~\".+\"}")).await;
        assert!(widened.status == 200 && widened.body.contains("acme"), "{widened:?}");
        let shown = story.ask(VIEWER, "GET", &format!("{path}api/v1/fleet"), "").await;
        clean(select, &shown.body);
        assert_eq!(act("DELETE", format!("/api/v1/shares/{id}"), "").await.status, 200);
    }
}

#[tokio::test]
async fn two_fleets_that_differ_only_outside_answer_the_same() {
    let one = Story::begin(&OUTSIDE).await;
    one.has_alerts(&OUTSIDE).await;
    let other = one.beside(&[]).await;
    other.has_alerts(&[]).await;
    for path in tried::there().into_iter().map(|(path, _)| path).chain(tried::MORE.map(str::to_owned)) {
        let path = path.as_str();
        eventually(&format!("{path} is the same"), async || {
            let (here, there) =
                (one.ask(LIMITED, "GET", path, "").await, other.ask(LIMITED, "GET", path, "").await);
            let (here, there) = (likeness(&here, ""), likeness(&there, ""));
            if here == there { Ok(()) } else { Err(format!("{here:?}\n{there:?}")) }
        })
        .await;
    }
    for trick in tried::QUERIES {
        let path = format!("/api/v1/query?query={}", encoded(trick));
        eventually(&format!("{trick} is the same"), async || {
            let (here, there): (Raw, Raw) =
                (one.ask(LIMITED, "GET", &path, "").await, other.ask(LIMITED, "GET", &path, "").await);
            let (here, there) = (likeness(&here, ""), likeness(&there, ""));
            if here == there { Ok(()) } else { Err(format!("{here:?}\n{there:?}")) }
        })
        .await;
    }
    // The test can see: for whoever sees all, they differ.
    let (here, there) = (
        one.ask(VIEWER, "GET", "/api/v1/fleet", "").await,
        other.ask(VIEWER, "GET", "/api/v1/fleet", "").await,
    );
    assert_ne!(likeness(&here, ""), likeness(&there, ""));
}
