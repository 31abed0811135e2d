//! A power cut in the middle of deliveries, twenty times: counts on both ends.

use std::collections::BTreeMap;

use fleetglass_tests::{
    inbox::{Inbox, Letter, Reply},
    node::{Node, Page},
    proxy::Fleetglass,
    wait::eventually,
};

use super::{config, hook};

const KILLS: usize = 20;
const ALERTS: usize = 60;

fn lags(seconds: f64) -> Page {
    let lines: String = (0..ALERTS).map(|n| format!("lag_seconds{{part=\"{n}\"}} {seconds}\n")).collect();
    Page::metrics(&format!("# TYPE lag_seconds gauge\n{lines}"))
}

/// The part that a letter is about, and its status.
fn told(letter: &Letter) -> (String, String) {
    let body = letter.json();
    let alerts = body["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 1, "each alert is a group of its own");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (text(&alerts[0]["labels"]["part"]), text(&alerts[0]["status"]))
}

#[tokio::test]
async fn after_twenty_power_cuts_nothing_is_lost_and_nothing_doubled_but_under_its_own_key() {
    let inbox = Inbox::start().await;
    // Slow, so that cuts come in the middle of a delivery; a failure now and then.
    inbox.always(Reply::Late(std::time::Duration::from_millis(60)));
    let node = Node::start([("/metrics", lags(7.0))]).await;
    let text = config(&[&node], &hook("team", &inbox.url("/")));
    let text = text.replace("group_by = [\"alertname\"]", "group_by = [\"...\"]");
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("rules.yml"), super::RULES).unwrap();
    let mut fleetglass = Fleetglass::start_in(folder, &text, &[]).await;
    for kill in 0..KILLS {
        if kill == KILLS / 2 {
            node.says("/metrics", lags(1.0));
        }
        let before = inbox.letters().len();
        let target = before + 3;
        // Some letters further on, or when there are no more.
        eventually("letters come, or all came", async || {
            let letters = inbox.letters();
            let all = done(&letters[..], kill >= KILLS / 2);
            if letters.len() >= target || all { Ok(()) } else { Err(format!("{} letters", letters.len())) }
        })
        .await;
        inbox.answers([Reply::Status(503, Vec::new(), "")]);
        fleetglass = fleetglass.killed_and_started(&text).await;
    }
    eventually("everything was told", async || {
        let letters = inbox.letters();
        if done(&letters, true) { Ok(()) } else { Err(format!("{} letters", letters.len())) }
    })
    .await;
    let mut by_key: BTreeMap<(String, String), BTreeMap<String, usize>> = BTreeMap::new();
    for letter in inbox.letters().iter().filter(|letter| letter.taken && has_part(letter)) {
        let keys = by_key.entry(told(letter)).or_default();
        *keys.entry(letter.header("idempotency-key").to_owned()).or_default() += 1;
    }
    let mut copies = 0;
    for ((part, status), keys) in &by_key {
        assert_eq!(keys.len(), 1, "part {part} is {status} under {} keys", keys.len());
        copies += keys.values().sum::<usize>() - 1;
    }
    assert_eq!(by_key.len(), 2 * ALERTS, "every begin and every end was told");
    // One letter can be on its way when the power is cut.
    assert!(copies <= KILLS + 1, "{copies} copies after {KILLS} cuts");
    // And on our end: nothing waits, and each message was noted as delivered once.
    let all = eventually("nothing waits", async || {
        let all = fleetglass.json("/api/v1/notifications").await;
        let way = &all["ways"][0];
        if way["queue"] == 0 { Ok(all) } else { Err(way.to_string()) }
    })
    .await;
    let attempts = all["attempts"].as_array().unwrap();
    let delivered = attempts.iter().filter(|attempt| attempt["outcome"] == "delivered").count();
    assert_eq!(delivered, 2 * ALERTS, "of {} attempts", attempts.len());
}

fn has_part(letter: &Letter) -> bool {
    letter.json()["groupLabels"]["part"].is_string()
}

/// Whether every alert was told, and its end too where that is wanted.
fn done(letters: &[Letter], ends: bool) -> bool {
    let told: std::collections::BTreeSet<(String, String)> =
        letters.iter().filter(|letter| letter.taken && has_part(letter)).map(told).collect();
    told.len() >= if ends { 2 * ALERTS } else { ALERTS }
}
