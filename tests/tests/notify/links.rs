//! The link that takes an alert: a preview cannot press it, a person can, once, and without a login.

use fleetglass_tests::{inbox::Inbox, proxy::http_client, wait::eventually};

use super::{hook, lag, node, nodes_of, proxy};

#[tokio::test]
async fn a_look_at_the_link_changes_nothing_pressing_it_takes_the_alert_and_works_once() {
    let (inbox, lags) = (Inbox::start().await, node(7.0).await);
    // With a token, so that everything else is closed.
    let token = "[[auth.token]]\nname = \"me\"\nhash = \"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"\n";
    let config = super::config(&[&lags], &format!("{}\n{token}", hook("team", &inbox.url("/"))));
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("rules.yml"), super::RULES).unwrap();
    let mut fleetglass = fleetglass_tests::proxy::Fleetglass::start_in(folder, &config, &[]).await;
    fleetglass.log_in("test");
    let letter = inbox.letter("it fires", |letter| nodes_of(letter, "firing") == ["n0"]).await;
    let url = letter.json()["alerts"][0]["fleetglass"]["acknowledgeURL"].as_str().unwrap().to_owned();
    assert!(url.starts_with(&fleetglass.url("/n/ack/")), "{url}");
    let http = http_client();
    let id = letter.json()["alerts"][0]["fingerprint"].as_str().unwrap().to_owned();
    let taken = async || {
        let detail = fleetglass.json(&format!("/api/v1/alerts/{id}")).await;
        detail["alert"]["acknowledged"]["by"].as_str().map(str::to_owned)
    };
    for _ in 0..3 {
        let page = http.get(&url).send().await.unwrap();
        assert_eq!(page.status(), 200);
        let header = |name: &str| page.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(
            (header("cache-control"), header("referrer-policy")),
            ("no-store".into(), "no-referrer".into())
        );
        let text = page.text().await.unwrap();
        assert!(
            text.contains("<form method=\"post\">") && text.contains("Lag") && !text.contains("<script"),
            "{text}"
        );
    }
    assert_eq!(http.head(&url).send().await.unwrap().status(), 200);
    assert_eq!(taken().await, None, "a look changes nothing");
    // A link that was changed, or is for something else, opens nothing.
    let changed = url.replacen("/n/ack/", "/n/ack/x", 1);
    assert_eq!(http.post(&changed).send().await.unwrap().status(), 404);
    let chart = url.replacen("/n/ack/", "/n/chart/", 1);
    assert_eq!(http.get(&chart).send().await.unwrap().status(), 404);

    let pressed = http.post(&url).body("by=Ada+%3Cb%3E").send().await.unwrap();
    assert_eq!(pressed.status(), 200);
    assert!(pressed.text().await.unwrap().contains("Ada &lt;b&gt;'s now"));
    assert_eq!(taken().await.as_deref(), Some("Ada <b>"));
    assert_eq!(http.post(&url).body("by=Eve").send().await.unwrap().status(), 410);
    assert_eq!(http.get(&url).send().await.unwrap().status(), 410);

    // Given back, and the proxy started anew: it still works no second time.
    fleetglass.request("DELETE", &format!("/api/v1/alerts/{id}/acknowledge"), &[]).await;
    let path = url[fleetglass.url("").len()..].to_owned();
    let mut fleetglass = fleetglass.killed_and_started(&config).await;
    fleetglass.log_in("test");
    eventually("it fires still", async || {
        let fleet = fleetglass.json("/api/v1/fleet").await;
        if fleet["alerts"][0]["state"] == "firing" { Ok(()) } else { Err(fleet["alerts"].to_string()) }
    })
    .await;
    let again = http.post(fleetglass.url(&path)).body("by=Eve").send().await.unwrap();
    assert_eq!(again.status(), 410);
    assert!(again.text().await.unwrap().contains("used before"));
}

#[tokio::test]
async fn a_link_is_about_one_firing_and_not_the_next() {
    let (inbox, lags) = (Inbox::start().await, node(7.0).await);
    let _fleetglass = proxy(&[&lags], &hook("team", &inbox.url("/"))).await;
    let letter = inbox.letter("it fires", |letter| nodes_of(letter, "firing") == ["n0"]).await;
    let url = letter.json()["alerts"][0]["fleetglass"]["acknowledgeURL"].as_str().unwrap().to_owned();
    lags.says("/metrics", lag(1.0));
    inbox.letter("it is over", |letter| nodes_of(letter, "resolved") == ["n0"]).await;
    assert_eq!(http_client().post(&url).send().await.unwrap().status(), 410);
}
