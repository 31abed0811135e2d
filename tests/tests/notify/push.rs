//! Web Push as a push service meets it: RFC 8030, 8291 and 8292 from outside. What is inside a message is read by the
//! story of the browser in `tests/browser/phone.test.mjs`.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fleetglass_tests::{
    inbox::{Inbox, Letter, Reply},
    node::Node,
    proxy::{Answer, Fleetglass, http_client},
    samples,
    wait::eventually,
};
use serde_json::{Value, json};

use super::{config, hook, lag, node};

/// The keys of RFC 8291's example.
const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
const SUBSCRIPTIONS: &str = "/api/v1/push/subscriptions";
/// Push services within, and somebody they may write to.
const OWN: &str = "\n[push]\nallow_private = true\ncontact = \"mailto:ops@example.org\"\n";

fn rules(summary: &str) -> String {
    format!(
        "groups: [{{name: g, rules: [{{alert: Lag, expr: lag_seconds > 5, labels: {{severity: critical}}, \
         annotations: {{summary: '{summary}'}}}}]}}]\n"
    )
}

/// Where nobody takes what the team is told.
const NOBODY: &str = "http://127.0.0.1:9/";

async fn proxy(nodes: &[&Node], summary: &str, team: &str, more: &str) -> Fleetglass {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("rules.yml"), rules(summary)).unwrap();
    let fleetglass =
        Fleetglass::start_in(folder, &config(nodes, &format!("{}{more}", hook("team", team))), &[]).await;
    fleetglass.ready().await;
    fleetglass
}

async fn post(to: &Fleetglass, path: &str, body: &Value) -> Answer {
    let request = http_client().post(to.url(path)).header("content-type", "application/json");
    let response = request.body(body.to_string()).send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, body: response.text().await.unwrap() }
}

fn wish(endpoint: &str, severity: &str, select: &str) -> Value {
    json!({
        "endpoint": endpoint, "keys": {"p256dh": P256DH, "auth": AUTH}, "label": "a phone",
        "severities": [severity], "select": select,
    })
}

async fn subscribe(to: &Fleetglass, endpoint: &str, severity: &str, select: &str) -> String {
    let made = post(to, SUBSCRIPTIONS, &wish(endpoint, severity, select)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made: Value = serde_json::from_str(&made.body).unwrap();
    made["id"].as_str().unwrap().to_owned()
}

async fn subscribed(at: &Fleetglass) -> usize {
    at.json(SUBSCRIPTIONS).await["subscriptions"].as_array().unwrap().len()
}

/// The claims of the token that a message came with.
fn claims(letter: &Letter) -> Value {
    let token = letter.header("authorization").strip_prefix("vapid t=").unwrap().split(',').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn each_device_is_told_of_its_nodes_and_severities_in_the_form_of_the_standards() {
    let (first, second) = (node(1.0).await, node(1.0).await);
    // Longer than any push service takes, in letters of four bytes.
    let fleetglass = proxy(&[&first, &second], &"\u{1f525}".repeat(3_000), NOBODY, OWN).await;
    let (one, other, calm) = (Inbox::start().await, Inbox::start().await, Inbox::start().await);
    for inbox in [&one, &other, &calm] {
        inbox.always(Reply::Status(201, Vec::new(), ""));
    }
    subscribe(&fleetglass, &one.url("/push/one"), "critical", "").await;
    subscribe(&fleetglass, &other.url("/push/other"), "critical", "{instance=\"n1\"}").await;
    subscribe(&fleetglass, &calm.url("/push/calm"), "warning", "").await;
    assert_eq!(subscribed(&fleetglass).await, 3);

    first.says("/metrics", lag(7.0));
    let letter = one.letter("it fires", |letter| letter.header("urgency") == "high").await;
    assert_eq!(letter.line, "POST /push/one");
    assert_eq!(letter.header("content-encoding"), "aes128gcm");
    assert!(letter.body.len() <= 4096, "RFC 8030 wants no more to be taken: {}", letter.body.len());
    assert!(letter.body.len() > 500, "but it says something: {}", letter.body.len());
    assert!(letter.header("ttl").parse::<u32>().unwrap() > 0);
    let topic = letter.header("topic");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    assert!((1..=32).contains(&topic.len()) && topic.chars().all(is_plain), "{topic}");
    let (claims, now) = (claims(&letter), samples::now() as u64 / 1000);
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!(one.url("")), &json!("mailto:ops@example.org")));
    let expires = claims["exp"].as_u64().unwrap();
    assert!(expires > now && expires <= now + 86_400, "RFC 8292 allows a day");

    second.says("/metrics", lag(7.0));
    other.letter("its own node fires", |letter| letter.header("urgency") == "high").await;
    let told = other.letters().len();
    assert!(told == 1 && one.letters().len() <= 2, "the first node is no matter of the other");
    assert!(calm.letters().is_empty(), "nothing is of its severity");
}

#[tokio::test]
async fn a_push_service_is_obeyed_and_a_browser_that_is_gone_is_forgotten() {
    let lags = node(1.0).await;
    let fleetglass = proxy(&[&lags], "It lags", NOBODY, OWN).await;
    let (inbox, elsewhere) = (Inbox::start().await, Inbox::start().await);
    subscribe(&fleetglass, &inbox.url("/push/one"), "critical", "").await;
    let wait = || vec![("retry-after", "3")];
    inbox.answers([Reply::Status(429, wait(), "slow down"), Reply::Status(503, wait(), "")]);
    lags.says("/metrics", lag(7.0));
    let tries = inbox.count(3).await;
    for pair in tries[..3].windows(2) {
        let between = pair[1].at - pair[0].at;
        assert!(between >= Duration::from_millis(2_900), "it asked for 3 s: {between:?}");
    }
    assert!(tries[2].taken, "and then it takes it");

    // A test says what came back, and nothing is sent on to anywhere else.
    let id = subscribe(&fleetglass, &inbox.url("/push/two"), "critical", "").await;
    let place = Box::leak(elsewhere.url("/").into_boxed_str());
    inbox.answers([Reply::Status(307, vec![("location", place)], "")]);
    let tried = post(&fleetglass, &format!("{SUBSCRIPTIONS}/{id}/test"), &json!([])).await;
    assert!(tried.body.contains("redirects are not followed"), "{}", tried.body);
    assert!(!tried.body.contains("/push/two"), "the endpoint is told to nobody: {}", tried.body);
    assert!(elsewhere.letters().is_empty());

    for gone in [404, 410] {
        let before = subscribed(&fleetglass).await;
        inbox.answers([Reply::Status(gone, Vec::new(), "gone")]);
        let id = subscribe(&fleetglass, &inbox.url(&format!("/push/{gone}")), "critical", "").await;
        post(&fleetglass, &format!("{SUBSCRIPTIONS}/{id}/test"), &json!([])).await;
        eventually("it is forgotten, and nobody else", async || {
            let now = subscribed(&fleetglass).await;
            if now == before { Ok(()) } else { Err(now.to_string()) }
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_no_push_service_out_there_is_refused_in_words_without_its_address() {
    let lags = node(1.0).await;
    let fleetglass = proxy(&[&lags], "It lags", NOBODY, "").await;
    for endpoint in [
        "http://push.example/hunter2",
        "https://127.0.0.1/hunter2",
        "https://2130706433/hunter2",
        "https://0x7f.1/hunter2",
        "https://localhost/hunter2",
        "https://localhost./hunter2",
        "https://a.localhost/hunter2",
        "https://10.0.0.1/hunter2",
        "https://169.254.169.254/hunter2",
        "https://[::1]/hunter2",
        "https://[::ffff:127.0.0.1]/hunter2",
        "https://[64:ff9b::7f00:1]/hunter2",
        "https://[fd00::1]/hunter2",
        "file:///hunter2",
        "",
    ] {
        let answer = post(&fleetglass, SUBSCRIPTIONS, &wish(endpoint, "critical", "")).await;
        assert_eq!(answer.status, 400, "{endpoint}: {}", answer.body);
        assert!(!answer.body.contains("hunter2"), "{}", answer.body);
    }
    let good = wish("https://push.example/x", "critical", "");
    let mut wrong = vec![wish("https://push.example/x", "critical", "{")];
    for (key, value) in [
        ("p256dh", "AAAA"),
        ("p256dh", "not base64"),
        // No point of the curve.
        (
            "p256dh",
            "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ),
        ("auth", "AAAA"),
        ("auth", ""),
    ] {
        let mut one = good.clone();
        one["keys"][key] = json!(value);
        wrong.push(one);
    }
    for one in wrong {
        let answer = post(&fleetglass, SUBSCRIPTIONS, &one).await;
        assert_eq!(answer.status, 400, "{one}: {}", answer.body);
    }
    assert_eq!(subscribed(&fleetglass).await, 0);
}

#[tokio::test]
async fn a_browser_asks_whether_it_is_known_and_a_press_gives_the_number_for_its_icon() {
    let (lags, other) = (node(7.0).await, node(7.0).await);
    let inbox = Inbox::start().await;
    let fleetglass = proxy(&[&lags, &other], "It lags", &inbox.url("/hook"), OWN).await;
    let endpoint = inbox.url("/push/one");
    let id = subscribe(&fleetglass, &endpoint, "warning", "").await;
    let asks = |auth: &str| json!({"old": {"endpoint": endpoint, "auth": auth}, "endpoint": endpoint, "keys": {"p256dh": P256DH, "auth": AUTH}});
    assert_eq!(post(&fleetglass, "/n/push", &asks(AUTH)).await.status, 204);
    assert_eq!(post(&fleetglass, "/n/push", &asks("AAAAAAAAAAAAAAAAAAAAAA")).await.status, 404);
    fleetglass.request("DELETE", &format!("{SUBSCRIPTIONS}/{id}"), &[]).await;
    assert_eq!(post(&fleetglass, "/n/push", &asks(AUTH)).await.status, 404, "it is told no more");

    let both =
        |letter: &Letter| letter.line.ends_with("/hook") && super::nodes_of(letter, "firing").len() == 2;
    let letter = inbox.letter("both fire", both).await;
    let url = letter.json()["alerts"][0]["fleetglass"]["acknowledgeURL"].as_str().unwrap().to_owned();
    let press = || http_client().post(&url).header("accept", "application/json").body("by=Ada");
    let told: Value = serde_json::from_str(&press().send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(told, json!({"acknowledged": "Ada", "firing": 1}));
    assert_eq!(press().send().await.unwrap().status(), 410);
}
