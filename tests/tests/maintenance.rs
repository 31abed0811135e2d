//! Maintenance windows as an operator meets them: what they mute, what goes on after them, and a reload.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use fleetglass_tests::{
    command::run_in,
    node::{Node, Page},
    proxy::{Fleetglass, QUICK},
    samples,
    wait::eventually,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const RULES: &str =
    "groups: [{name: g, rules: [{alert: Lag, expr: lag_seconds > 5, labels: {severity: P1}}]}]\n";

fn lag(seconds: f64) -> Page {
    Page::metrics(&format!("# TYPE lag_seconds gauge\nlag_seconds {seconds}\n"))
}

fn config(node: &Node, maintenance: &str) -> String {
    format!(
        "{QUICK}\n[rules]\nfiles = [\"rules.yml\"]\nevaluation_interval = \"500ms\"\nbuilt_in = false\n{maintenance}
[[target]]\nid = \"a\"\nfamily = \"generic\"\nurl = \"{}\"\nlabels = {{ region = \"eu\" }}\n",
        node.url()
    )
}

/// A window from a minute ago until some seconds from now.
fn until(seconds: i64) -> String {
    let now = samples::now() / 1000;
    let text = |at: i64| fleetglass_shared::format::utc(at).replace(" UTC", "Z").replace(' ', "T");
    format!(
        "[[maintenance]]\nname = \"patches\"\ncomment = \"kernel\"\nmatchers = ['region=\"eu\"']\nwindows = [{{ starts_at = \"{}\", ends_at = \"{}\" }}]\n",
        text(now - 60),
        text(now + seconds),
    )
}

async fn start(config: &str) -> Fleetglass {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("rules.yml"), RULES).unwrap();
    let fleetglass = Fleetglass::start_in(folder, config, &[]).await;
    fleetglass.ready().await;
    fleetglass
}

async fn alert_when(fleetglass: &Fleetglass, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || {
        let alert = fleetglass.fleet().await["alerts"][0].clone();
        if wanted(&alert) { Ok(alert) } else { Err(alert.to_string()) }
    })
    .await
}

async fn whats(fleetglass: &Fleetglass) -> Vec<String> {
    let answer = fleetglass.json("/api/v1/alerts/history?limit=100").await;
    let mut all: Vec<String> = answer["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            format!("{} {}", change["what"].as_str().unwrap(), change["text"].as_str().unwrap_or(""))
        })
        .collect();
    all.reverse();
    all
}

#[tokio::test]
async fn what_fires_in_a_window_is_muted_and_told_when_it_goes_on_after_it() {
    let node = Node::start([("/metrics", lag(9.0))]).await;
    let fleetglass = start(&config(&node, &until(8))).await;
    let muted = alert_when(&fleetglass, "it fires, muted", |alert| alert["state"] == "firing").await;
    assert_eq!(muted["muted_by"], json!(["patches"]));
    let told = fleetglass.json("/api/v2/alerts").await;
    assert_eq!(told[0]["status"]["state"], "suppressed");
    assert_eq!(told[0]["status"]["mutedBy"], json!(["patches"]));
    assert_eq!(fleetglass.json("/api/v2/alerts?muted=false").await, json!([]));
    let windows = fleetglass.json("/api/v1/maintenance").await;
    let window = &windows["windows"][0];
    assert_eq!(
        (&window["name"], &window["active"], &window["muted"]),
        (&json!("patches"), &json!(true), &json!(1))
    );
    assert_eq!(window["matchers"], json!(["region=\"eu\""]));
    assert!(window["ends_at"].as_i64().unwrap() > windows["at"].as_i64().unwrap());

    let after = alert_when(&fleetglass, "the window is over", |alert| alert.get("muted_by").is_none()).await;
    assert_eq!((&after["state"], &after["active_at"]), (&json!("firing"), &muted["active_at"]));
    let whats = whats(&fleetglass).await;
    let from = whats.iter().position(|what| what.starts_with("firing")).unwrap();
    assert_eq!(
        whats[from + 1..],
        ["muted maintenance patches", "unmuted maintenance patches is over, and it goes on"]
    );
    assert_eq!(fleetglass.json("/api/v1/maintenance").await["windows"][0]["active"], false);
}

#[tokio::test]
async fn a_window_of_a_reload_mutes_what_matches_and_nothing_else() {
    let node = Node::start([("/metrics", lag(9.0))]).await;
    let fleetglass = start(&config(&node, "")).await;
    alert_when(&fleetglass, "it fires", |alert| alert["state"] == "firing").await;
    assert_eq!(fleetglass.json("/api/v1/maintenance").await["windows"], json!([]));

    let windows = |region: &str| {
        format!(
            "[[maintenance]]\nname = \"always\"\nmatchers = ['region=\"{region}\"', 'severity=~\"P.\"']\ntime_intervals = [{{ location = \"Europe/Berlin\" }}]\n"
        )
    };
    fleetglass.write("fleetglass.toml", &config(&node, &windows("eu")));
    alert_when(&fleetglass, "it is muted", |alert| alert["muted_by"] == json!(["always"])).await;
    // A bad config is refused, and the window stays.
    fleetglass.write("fleetglass.toml", &config(&node, &windows("eu").replace("Berlin", "Berln")));
    tokio::time::sleep(Duration::from_secs(1)).await;
    alert_when(&fleetglass, "it stays muted", |alert| alert["muted_by"] == json!(["always"])).await;
    fleetglass.write("fleetglass.toml", &config(&node, &windows("us")));
    alert_when(&fleetglass, "it is heard again", |alert| {
        alert["state"] == "firing" && alert.get("muted_by").is_none()
    })
    .await;
    // What ends within a window has ended.
    fleetglass.write("fleetglass.toml", &config(&node, &windows("eu")));
    alert_when(&fleetglass, "it is muted again", |alert| alert["muted_by"] == json!(["always"])).await;
    node.says("/metrics", lag(1.0));
    alert_when(&fleetglass, "it is over", |alert| alert["state"] == "resolved").await;
}

#[test]
fn a_window_that_makes_no_sense_is_refused_with_its_place() {
    let head = "[[maintenance]]\nname = \"w\"\nmatchers = ['a=\"b\"']\n";
    let cases = [
        (
            format!(
                "{head}time_intervals = [{{ times = [{{ start_time = \"22:00\", end_time = \"02:00\" }}] }}]\n"
            ),
            ":4:",
            "over midnight",
        ),
        (format!("{head}time_intervals = [{{ location = \"Mars/Base\" }}]\n"), ":4:", "no time zone"),
        (
            format!("{head}windows = [{{ starts_at = \"2026-12-01\", ends_at = \"2026-12-02\" }}]\n"),
            ":4:",
            "2026-12-01T02:00:00Z",
        ),
        (head.to_owned(), ":1:", "is never"),
        (format!("{}time_intervals = [{{}}]\n", head.replace("a=\"b\"", "a=b")), ":3:", "write it like"),
        (format!("{}time_intervals = [{{}}]\n", head.replace("['a=\"b\"']", "[]")), ":3:", "no matchers"),
        (
            format!("{head}time_intervals = [{{}}]\n{head}time_intervals = [{{}}]\n"),
            ":6:",
            "no name of its own",
        ),
        (
            format!("{head}time_intervals = [{{ weekday = [\"monday\"] }}]\n"),
            ":4:",
            "did you mean `weekdays`?",
        ),
    ];
    for (config, place, words) in cases {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("fleet.toml"), &config).unwrap();
        let said = run_in(folder.path(), &["check", "--config", "fleet.toml"], &[]);
        assert_eq!(said.code, Some(2), "{config}: {said:?}");
        assert!(said.err.contains(&format!("fleet.toml{place}")), "{config}: no {place} in\n{}", said.err);
        assert!(said.err.contains(words), "{config}: no `{words}` in\n{}", said.err);
    }
}
