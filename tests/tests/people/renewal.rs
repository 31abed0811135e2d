//! A push service gives a browser another subscription while nobody is signed in.

use fleetglass_tests::{
    inbox::Inbox,
    proxy::{Fleetglass, QUICK},
};
use serde_json::{Value, json};

use crate::browser::{Browser, PASSWORD, signed_in, with_ada};

/// The two public keys and the secret of RFC 8291's example.
const KEY: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const OTHER_KEY: &str =
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
const SECRET: &str = "BTBZMqHH6r4Tts7J_aSIgg";
const OTHER_SECRET: &str = "AAAAAAAAAAAAAAAAAAAAAA";

#[tokio::test]
async fn a_browser_renews_its_subscription_by_its_secret_and_nobody_else_does() {
    let fleetglass = Fleetglass::start(&format!("{QUICK}[push]\nallow_private = true\n"), &[]).await;
    with_ada(&fleetglass).await;
    let (inbox, ada) = (Inbox::start().await, signed_in(&fleetglass, "ada", PASSWORD).await);
    let endpoint = |name: &str| inbox.url(&format!("/{name}"));
    let keys = |key: &str, secret: &str| json!({"p256dh": key, "auth": secret});
    let wish = json!({
        "endpoint": endpoint("old"), "keys": keys(KEY, SECRET), "label": "phone", "severities": ["critical"],
        "select": "{region=\"eu\"}",
    });
    let made = ada.ask("POST", "/api/v1/push/subscriptions", wish).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let before = made.json();

    // Nobody is signed in: it is the worker of the browser that asks.
    let worker = Browser::new(&fleetglass);
    let renew = |old: &str, secret: &str, key: &str| {
        let old = json!({"endpoint": endpoint(old), "auth": secret});
        json!({"old": old, "endpoint": endpoint("new"), "keys": keys(key, OTHER_SECRET)})
    };
    let no_secret = worker.ask("POST", "/n/push", renew("old", OTHER_SECRET, OTHER_KEY)).await;
    let no_endpoint = worker.ask("POST", "/n/push", renew("else", SECRET, OTHER_KEY)).await;
    assert_eq!((no_secret.status.as_u16(), no_endpoint.status.as_u16()), (404, 404));
    assert_eq!(no_secret.body, no_endpoint.body, "what was wrong is told to nobody");
    for (wrong, words) in [
        (renew("old", "no base64", OTHER_KEY), "old.auth"),
        (renew("old", SECRET, "AAAA"), "p256dh"),
        (json!({"endpoint": endpoint("new")}), "body"),
        (
            json!({"old": {"endpoint": endpoint("old"), "auth": SECRET}, "endpoint": "ftp://x", "keys": keys(KEY, SECRET)}),
            "endpoint",
        ),
    ] {
        let answer = worker.ask("POST", "/n/push", wrong.clone()).await;
        assert!(answer.status == 400 && answer.body.contains(words), "{wrong}: {}", answer.body);
    }
    let kept = async || ada.get("/api/v1/push/subscriptions").await.json()["subscriptions"].clone();
    assert_eq!(kept().await, json!([before]), "nothing of that changed anything");

    assert_eq!(worker.ask("POST", "/n/push", renew("old", SECRET, OTHER_KEY)).await.status, 204);
    let mut after = before.clone();
    after["key"] = Value::from(OTHER_KEY);
    assert_eq!(kept().await, json!([after]), "it is the same browser, reached in another way");
    assert_eq!(worker.ask("POST", "/n/push", renew("old", SECRET, OTHER_KEY)).await.status, 404, "once");

    let id = before["id"].as_str().unwrap();
    let tried = ada.ask("POST", &format!("/api/v1/push/subscriptions/{id}/test"), json!([])).await;
    assert_eq!(tried.json()["ok"], true, "{}", tried.body);
    inbox.letter("the message comes the new way", |letter| letter.line.starts_with("POST /new")).await;

    // Kept over a restart, and gone with whom it belongs to.
    let fleetglass = fleetglass.killed_and_started(&format!("{QUICK}[push]\nallow_private = true\n")).await;
    let ada = signed_in(&fleetglass, "ada", PASSWORD).await;
    assert_eq!(ada.get("/api/v1/push/subscriptions").await.json()["subscriptions"], json!([after]));
}
