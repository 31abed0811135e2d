//! Every body, against a picture of it. What a service limits is cut, and what it reads is escaped.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fleetglass_shared::{
    route::{Audience, Notice, Why},
    template::Template,
    wire::{Acknowledgement, Alert, AlertState, Outlook, Severity, Trend},
};
use serde_json::{Value, json};

use super::*;
use crate::{
    config::{EmailConfig, TelegramConfig, TlsMode},
    notify::{
        link::Links,
        message::{Evidence, Item},
    },
    state::StateFile,
};

const NOW: i64 = 1_780_000_000_000;
const MINUTE: i64 = 60_000;

fn alert(node: &str, state: AlertState) -> Alert {
    let texts = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    Alert {
        id: format!("id-of-{node}"),
        name: "BlacklistLag".to_owned(),
        state,
        severity: Severity::Critical,
        severity_text: "P1".to_owned(),
        node: Some(node.to_owned()),
        labels: texts(&[("alertname", "BlacklistLag"), ("instance", node), ("severity", "P1")]),
        annotations: texts(&[
            ("summary", "The blacklist lags <behind> & \"grows\""),
            ("action", "Restart the sync."),
            ("runbook_url", "https://runbooks.example/lag"),
        ]),
        value: Some(720.0),
        active_at: NOW - 10 * MINUTE,
        fired_at: Some(NOW - 5 * MINUTE),
        resolved_at: (state == AlertState::Resolved).then_some(NOW - MINUTE),
        held: None,
        acknowledged: None,
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        muted_by: Vec::new(),
        flaps: None,
    }
}

fn item(alert: Alert) -> Item {
    let outlook = Outlook {
        trend: Trend::Approaching,
        slope: Some(0.5),
        breach_at: Some(NOW + 6 * MINUTE),
        earliest: Some(NOW + 4 * MINUTE),
        latest: Some(NOW + 9 * MINUTE),
        exact: false,
    };
    let evidence = Evidence {
        value: Some(720.0),
        bound: Some(900.0),
        unit: "seconds".to_owned(),
        outlook: Some(outlook),
        meaning: "Deliveries to blacklisted peers are slashed.".to_owned(),
        action: "Look at the sync.".to_owned(),
        query: Some("lag{instance=\"eu-1\"}".to_owned()),
    };
    Item { alert, evidence }
}

fn message(why: Why, firing: &[&str], resolved: &[&str]) -> Message {
    let mut all: Vec<Alert> = firing.iter().map(|node| alert(node, AlertState::Firing)).collect();
    if why == Why::Acknowledged {
        for alert in &mut all {
            let by = Acknowledgement { by: "Ada".to_owned(), note: String::new(), at: NOW, until: None };
            alert.acknowledged = Some(by);
        }
    }
    let notice = Notice {
        to: Audience::Receiver,
        why,
        new: firing.iter().map(|node| format!("id-of-{node}")).collect(),
        left: firing.len(),
        taken: if why == Why::Acknowledged { firing.len() } else { 0 },
        firing: all,
        resolved: resolved.iter().map(|node| alert(node, AlertState::Resolved)).collect(),
    };
    let labels = BTreeMap::from([("alertname".to_owned(), "BlacklistLag".to_owned())]);
    Message::of(notice, "team", "{}:{alertname=\"BlacklistLag\"}", &labels, NOW, item)
}

/// What a test of a body works on.
struct Desk {
    links: Links,
    client: Client,
    title: Option<Template>,
    body: Option<Template>,
}

impl Desk {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let state = Arc::new(StateFile::open(None));
        // Links are the same in every run.
        state.keep("link_key", &"07".repeat(32));
        let links = Links::open(state).await.unwrap();
        Self { links, client: Client::new(Duration::from_secs(1)).unwrap(), title: None, body: None }
    }

    fn with<T>(&self, message: &Message, chart: Option<&[u8]>, read: impl FnOnce(&Outbound<'_>) -> T) -> T {
        let words = Words {
            external_url: "https://fleet.example",
            links: &self.links,
            link_ms: 3_600_000,
            title: self.title.as_ref(),
            body: self.body.as_ref(),
            now: NOW,
        };
        let rendered = words.render(message);
        let out = Outbound {
            client: &self.client,
            message,
            rendered: &rendered,
            chart,
            words: &words,
            firing: None,
            now: NOW,
        };
        read(&out)
    }
}

/// JSON to look at: signed links are long, and say nothing.
fn picture(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap();
    let token = regex::Regex::new(r"/n/(ack|chart)/[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+").unwrap();
    token.replace_all(&text, "/n/$1/TOKEN").into_owned()
}

#[tokio::test]
async fn a_web_hook_gets_alertmanagers_form_of_version_4() {
    let desk = Desk::new().await;
    insta::assert_snapshot!(picture(&desk.with(
        &message(Why::New, &["eu-1"], &["eu-2"]),
        None,
        webhook::body
    )));
}

#[tokio::test]
async fn alertmanager_gets_what_fires_with_an_end_and_what_ended() {
    let page = |node: &str| format!("https://fleet.example/alerts/id-of-{node}");
    let [one, two] = [("eu-1", AlertState::Firing), ("eu-2", AlertState::Resolved)]
        .map(|(node, state)| alertmanager::alert(&item(alert(node, state)), page(node), NOW));
    insta::assert_snapshot!(picture(&json!([one, two])));
}

#[tokio::test]
async fn slack_gets_blocks() {
    let desk = Desk::new().await;
    let message = message(Why::New, &["eu-1"], &[]);
    insta::assert_snapshot!(picture(
        &desk.with(&message, None, |out| { slack::body(out, out.rendered.chart_url.as_deref()) })
    ));
}

#[tokio::test]
async fn discord_gets_an_embed_with_its_picture() {
    let desk = Desk::new().await;
    let message = message(Why::Resolved, &[], &["eu-1"]);
    insta::assert_snapshot!(picture(&desk.with(&message, Some(b"png"), discord::body)));
}

#[tokio::test]
async fn telegram_gets_html() {
    let desk = Desk::new().await;
    let config = TelegramConfig {
        bot_token: None,
        bot_token_file: None,
        chat_id: "-1001".to_owned(),
        message_thread_id: Some(4),
        api_url: "https://api.telegram.org/".to_owned(),
    };
    let telegram = telegram::Telegram::new(&config, SecretSource::Here(Secret::new("1:x")));
    insta::assert_snapshot!(picture(
        &desk.with(&message(Why::New, &["eu-1"], &[]), None, |out| telegram.body(out))
    ));
    let many: Vec<String> = (0..50).map(|n| format!("eu-{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let body = desk.with(&message(Why::New, &many, &[]), None, |out| telegram.body(out));
    let text = body["text"].as_str().unwrap();
    assert!(text.ends_with("more"), "{text}");
    let seen = regex::Regex::new("<[^>]*>").unwrap().replace_all(text, "");
    let seen = regex::Regex::new("&[a-z]+;").unwrap().replace_all(&seen, "x").chars().count();
    assert!(seen <= 4096, "{seen} characters are seen");
}

#[tokio::test]
async fn pagerduty_opens_takes_and_ends_an_incident() {
    let desk = Desk::new().await;
    let opened = desk.with(&message(Why::New, &["eu-1"], &[]), None, pagerduty::body).unwrap();
    insta::assert_snapshot!(picture(&opened));
    let body = |message: &Message| desk.with(message, None, pagerduty::body);
    let taken = body(&message(Why::Acknowledged, &["eu-1"], &[])).unwrap();
    let over = body(&message(Why::Resolved, &[], &["eu-1"])).unwrap();
    assert_eq!((&taken["event_action"], &over["event_action"]), (&json!("acknowledge"), &json!("resolve")));
    assert!([&taken, &over].iter().all(|event| event["dedup_key"] == opened["dedup_key"]));
    // Of two alerts of an incident one is taken or over.
    let half = Message { left: 2, ..message(Why::Acknowledged, &["eu-1"], &[]) };
    assert_eq!(body(&half), None);
    assert_eq!(body(&Message { left: 1, ..message(Why::Resolved, &[], &["eu-1"]) }), None);
}

#[tokio::test]
async fn opsgenie_creates_takes_and_closes_by_alias() {
    let desk = Desk::new().await;
    let body = |message: &Message| desk.with(message, None, opsgenie::body).unwrap();
    let (path, created) = body(&message(Why::New, &["eu-1"], &[]));
    insta::assert_snapshot!(format!("POST {path}\n{}", picture(&created)));
    let alias = created["alias"].as_str().unwrap();
    let (taken, _) = body(&message(Why::Acknowledged, &["eu-1"], &[]));
    let (closed, _) = body(&message(Why::Resolved, &[], &["eu-1"]));
    assert_eq!(taken, format!("/v2/alerts/{alias}/acknowledge?identifierType=alias"));
    assert_eq!(closed, format!("/v2/alerts/{alias}/close?identifierType=alias"));
    assert!(created["message"].as_str().unwrap().chars().count() <= 130);
}

#[tokio::test]
async fn ntfy_gets_json_with_what_can_be_pressed() {
    let desk = Desk::new().await;
    insta::assert_snapshot!(picture(&desk.with(&message(Why::New, &["eu-1"], &[]), None, ntfy::body)));
}

#[tokio::test]
async fn mail_has_text_a_page_and_the_chart_in_it() {
    let desk = Desk::new().await;
    let config = EmailConfig {
        to: vec!["ops@example.org".to_owned(), "Boss <boss@example.org>".to_owned()],
        from: "Fleetglass <alerts@example.org>".to_owned(),
        smarthost: "smtp.example.org:587".to_owned(),
        tls: TlsMode::Starttls,
        ca_file: None,
        username: None,
        password: None,
        password_file: None,
    };
    let mail = |message: &Message| {
        desk.with(message, Some(b"png"), |out| email::mail(&config, out)).unwrap().formatted()
    };
    let one = message(Why::New, &["eu-1"], &[]);
    let text = String::from_utf8(mail(&one)).unwrap();
    for wanted in [
        "From: Fleetglass <alerts@example.org>",
        "To: ops@example.org, Boss <boss@example.org>",
        &format!("Message-ID: <{}@fleetglass>", one.key),
        &format!("References: <{}@fleetglass>", one.incident()),
        "Content-Type: multipart/alternative",
        "Content-Type: text/plain",
        "Content-Type: text/html",
        "Content-ID: <chart>",
        "Content-Type: image/png",
    ] {
        assert!(text.contains(wanted), "no `{wanted}` in\n{text}");
    }
    // A title cannot make another header.
    let mut odd = one.clone();
    odd.alerts[0].alert.annotations.insert("summary".to_owned(), "x\r\nBcc: all@example.org".to_owned());
    let text = String::from_utf8(mail(&odd)).unwrap();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
}

#[tokio::test]
async fn a_receiver_has_its_own_words_in_alertmanagers_names_and_ours() {
    let mut desk = Desk::new().await;
    desk.title = Some(
        Template::parse(
            "title",
            "{{ .Status | toUpper }} {{ .CommonLabels.alertname }} ({{ .Alerts.Firing | len }})",
        )
        .unwrap(),
    );
    desk.body = Some(
        Template::parse(
            "body",
            "{{ range .Alerts }}{{ .Node }}: {{ .Value | humanizeDuration }} of {{ .Bound | humanizeDuration }}. {{ .TimeLeft }}. {{ .StartsAt.Format \"15:04\" }} {{ .GeneratorURL }}\n{{ end }}",
        )
        .unwrap(),
    );
    let message = message(Why::New, &["eu-1", "eu-2"], &[]);
    let (title, text) = desk.with(&message, None, |out| (out.rendered.title.clone(), out.rendered.text()));
    assert_eq!(title, "FIRING BlacklistLag (2)");
    let first = text.lines().next().unwrap();
    assert_eq!(
        first,
        "eu-1: 12m 0s of 15m 0s. Time left: about 6 min, between 4 min and 9 min. 20:21 https://fleet.example/alerts/id-of-eu-1"
    );
    // One that fails says so, and the message goes out all the same.
    desk.body = Some(Template::parse("body", "{{ .Nothing }}").unwrap());
    let text = desk.with(&message, None, |out| out.rendered.text());
    assert!(
        text.contains("CRITICAL BlacklistLag · eu-1") && text.contains("template of this receiver fails"),
        "{text}"
    );
}

#[tokio::test]
async fn titles_say_what_and_how_many() {
    let desk = Desk::new().await;
    let title = |message: Message| desk.with(&message, None, |out| out.rendered.title.clone());
    let one = title(message(Why::New, &["eu-1"], &[]));
    assert_eq!(one, "[CRITICAL] BlacklistLag · eu-1: The blacklist lags <behind> & \"grows\"");
    assert_eq!(title(message(Why::New, &["a", "b"], &["c"])), "[CRITICAL 2, 1 over] BlacklistLag");
    assert_eq!(title(message(Why::Resolved, &[], &["a", "b"])), "[RESOLVED] 2 × BlacklistLag");
    let escalated =
        Message { kind: crate::notify::message::Kind::Escalated, ..message(Why::New, &["a"], &[]) };
    assert!(title(escalated).starts_with("[NOBODY HAS TAKEN THIS] BlacklistLag · a"));
}
