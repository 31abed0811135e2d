//! Each service against a receiver that puts it off before it takes the message: rate limits, faults, silence.

use fleetglass_tests::{
    inbox::{Inbox, Letter, Reply},
    mail::{MailServer, authority},
    wait::eventually,
};
use serde_json::Value;

use super::{lag, node, proxy};

/// A receiver of every service that speaks HTTP, each at an inbox of its own.
struct Services {
    slack: Inbox,
    discord: Inbox,
    telegram: Inbox,
    pagerduty: Inbox,
    opsgenie: Inbox,
    ntfy: Inbox,
}

impl Services {
    async fn start() -> Self {
        Self {
            slack: Inbox::start().await,
            discord: Inbox::start().await,
            telegram: Inbox::start().await,
            pagerduty: Inbox::start().await,
            opsgenie: Inbox::start().await,
            ntfy: Inbox::start().await,
        }
    }

    fn all(&self) -> [(&'static str, &Inbox); 6] {
        [
            ("slack", &self.slack),
            ("discord", &self.discord),
            ("telegram", &self.telegram),
            ("pagerduty", &self.pagerduty),
            ("opsgenie", &self.opsgenie),
            ("ntfy", &self.ntfy),
        ]
    }

    fn config(&self) -> String {
        format!(
            "[[receiver]]\nname = \"team\"\n\
             [[receiver.slack]]\nwebhook_url = \"{}\"\n\
             [[receiver.discord]]\nwebhook_url = \"{}\"\n\
             [[receiver.telegram]]\nbot_token = \"42:hunter2\"\nchat_id = -1001\napi_url = \"{}\"\n\
             [[receiver.pagerduty]]\nrouting_key = \"hunter2-key\"\nurl = \"{}\"\n\
             [[receiver.opsgenie]]\napi_key = \"hunter2-genie\"\napi_url = \"{}\"\n\
             [[receiver.ntfy]]\ntopic = \"hunter2-topic\"\ntoken = \"hunter2-token\"\nurl = \"{}\"\n",
            self.slack.url("/services/T/B/hunter2"),
            self.discord.url("/api/webhooks/1/hunter2"),
            self.telegram.url(""),
            self.pagerduty.url("/v2/enqueue"),
            self.opsgenie.url(""),
            self.ntfy.url("/"),
        )
    }
}

/// The parts of a form with a file, as text.
fn part(letter: &Letter, name: &str) -> String {
    let text = letter.text();
    let (_, rest) =
        text.split_once(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no {name} in {text}"));
    let (_, rest) = rest.split_once("\r\n\r\n").unwrap();
    rest.split("\r\n--fleetglass-").next().unwrap().to_owned()
}

#[tokio::test]
async fn every_service_is_put_off_and_gets_its_message_in_its_documented_form_all_the_same() {
    let services = Services::start().await;
    // A receiver may say what it was asked with.
    let echoes = [
        "out of order: hunter2",
        "out of order: hunter2",
        "out of order: 42:hunter2",
        "out of order: hunter2-key",
        "out of order: hunter2-genie",
        "out of order: hunter2-token",
    ];
    for ((name, inbox), echo) in services.all().into_iter().zip(echoes) {
        inbox.answers([
            Reply::Status(429, vec![("retry-after", "2")], "{\"parameters\":{\"retry_after\":2}}"),
            Reply::Status(500, Vec::new(), echo),
            Reply::Silence,
        ]);
        assert!(inbox.letters().is_empty(), "{name}");
    }
    let lags = node(7.0).await;
    let fleetglass = proxy(&[&lags], &services.config()).await;
    let mut first = Vec::new();
    for (name, inbox) in services.all() {
        let letters = inbox.count(4).await;
        let waited = letters[1].at - letters[0].at;
        assert!(waited.as_millis() >= 2000, "{name} asked for 2 s and got {waited:?}");
        assert!(letters[3].taken, "{name}");
        first.push(letters[3].clone());
    }
    let [slack, discord, telegram, pagerduty, opsgenie, ntfy] = first.try_into().unwrap();

    let blocks = slack.json()["attachments"][0]["blocks"].clone();
    assert_eq!(blocks[0]["text"]["text"], "[CRITICAL] Lag · n0: It lags 7 s");
    assert!(blocks[1]["text"]["text"].as_str().unwrap().contains("|Acknowledge>"));
    assert!(blocks[2]["image_url"].as_str().unwrap().ends_with(".png"));

    assert_eq!(discord.line, "POST /api/webhooks/1/hunter2?wait=true");
    let payload: Value = serde_json::from_str(&part(&discord, "payload_json")).unwrap();
    assert_eq!(payload["embeds"][0]["image"]["url"], "attachment://chart.png");
    assert!(discord.body.windows(8).any(|bytes| bytes == b"\x89PNG\r\n\x1a\n"), "the chart is a PNG");

    assert_eq!(telegram.line, "POST /bot42:hunter2/sendPhoto");
    assert_eq!((part(&telegram, "chat_id"), part(&telegram, "parse_mode")), ("-1001".into(), "HTML".into()));
    assert!(part(&telegram, "caption").starts_with("<b>[CRITICAL] Lag · n0"));

    let event = pagerduty.json();
    assert_eq!((&event["routing_key"], &event["event_action"]), (&"hunter2-key".into(), &"trigger".into()));
    assert_eq!(
        (&event["payload"]["source"], &event["payload"]["severity"]),
        (&"n0".into(), &"critical".into())
    );

    assert_eq!(
        (opsgenie.line.as_str(), opsgenie.header("authorization")),
        ("POST /v2/alerts", "GenieKey hunter2-genie")
    );
    assert_eq!(opsgenie.json()["priority"], "P1");

    assert_eq!(ntfy.header("authorization"), "Bearer hunter2-token");
    assert_eq!((&ntfy.json()["topic"], &ntfy.json()["priority"]), (&"hunter2-topic".into(), &5.into()));

    lags.says("/metrics", lag(1.0));
    let over =
        services.pagerduty.letter("the incident ends", |l| l.json()["event_action"] == "resolve").await;
    assert_eq!(over.json()["dedup_key"], event["dedup_key"]);
    let alias = opsgenie.json()["alias"].as_str().unwrap().to_owned();
    let close = format!("POST /v2/alerts/{alias}/close?identifierType=alias");
    services.opsgenie.letter("the alert is closed", |letter| letter.line == close).await;
    services
        .slack
        .letter("its end", |letter| letter.json()["text"].as_str().unwrap().starts_with("[RESOLVED]"))
        .await;

    // Neither the log nor the API shows a secret, nor what a receiver said of one.
    let said = fleetglass.json("/api/v1/notifications").await.to_string() + &fleetglass.log();
    assert!(said.contains("out of order"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn mail_goes_through_starttls_with_a_login_and_again_when_it_is_put_off() {
    let (server, lags) = (MailServer::start().await, node(7.0).await);
    server.is_busy(1);
    let receiver = format!(
        "[[receiver]]\nname = \"team\"\n[[receiver.email]]\nto = [\"ops@example.org\"]\n\
         from = \"Fleetglass <alerts@example.org>\"\nsmarthost = \"localhost:{}\"\nca_file = \"{}\"\n\
         username = \"u\"\npassword_file = \"smtp.password\"\n",
        server.port(),
        authority().display()
    );
    let fleetglass = proxy(&[&lags], &receiver).await;
    // The secret is read when it is needed: until then the message waits.
    eventually("the file is missed", async || {
        let way = super::way(&fleetglass, "team/email/0").await;
        let error = way["health"]["error"].as_str().unwrap_or_default().to_owned();
        if error.contains("smtp.password cannot be read") { Ok(()) } else { Err(way.to_string()) }
    })
    .await;
    fleetglass.write("smtp.password", "hunter2\n");
    let talk =
        eventually("a mail came", async || server.talks().first().cloned().ok_or_else(String::new)).await;
    assert!(talk.in_tls, "it was given in the clear");
    assert!(talk.said.iter().any(|line| line.starts_with("AUTH PLAIN")), "{:?}", talk.said);
    assert!(talk.said.contains(&"RCPT TO:<ops@example.org>".to_owned()), "{:?}", talk.said);
    for wanted in ["Subject: [CRITICAL] Lag", "Message-ID: <", "image/png", "multipart/alternative"] {
        assert!(talk.mail.contains(wanted), "no `{wanted}` in {}", talk.mail);
    }
    assert!(!fleetglass.log().contains("hunter2"));
}

#[tokio::test]
async fn a_chart_is_shown_to_whom_the_link_was_sent_and_to_nobody_else() {
    let (inbox, lags) = (Inbox::start().await, node(7.0).await);
    let fleetglass = proxy(&[&lags], &super::hook("team", &inbox.url("/"))).await;
    let letter = inbox.letter("it fires", |letter| super::nodes_of(letter, "firing") == ["n0"]).await;
    let chart = letter.json()["fleetglass"]["chartURL"].as_str().unwrap().to_owned();
    assert!(chart.starts_with(&fleetglass.url("/n/chart/")), "{chart}");
    let answer = fleetglass.get(&chart[fleetglass.url("").len()..]).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "image/png"));
    let changed = chart[fleetglass.url("").len()..].replacen("/n/chart/", "/n/chart/x", 1);
    assert_eq!(fleetglass.get(&changed).await.status, 404);
}
