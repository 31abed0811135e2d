//! PagerDuty's Events API v2: <https://developer.pagerduty.com/docs/events-api-v2/overview/>. A group of alerts is an
//! incident, whose `dedup_key` makes a second copy of an event none.

use serde_json::{Value, json};

use super::{Outbound, Outcome, SecretSource, secret};
use crate::{
    clock::rfc3339,
    notify::{
        client::send,
        message::{Kind, since},
        words::cut,
    },
};

/// PagerDuty's limit of a summary, in characters.
const SUMMARY: usize = 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pagerduty {
    pub(crate) url: String,
    pub(crate) key: SecretSource,
}

impl Pagerduty {
    pub(super) async fn send(&self, out: &Outbound<'_>) -> Result<Outcome, Outcome> {
        let key = secret(&self.key).await?;
        let Some(mut body) = body(out) else {
            return Ok(Outcome::Delivered("nothing to send: others of the incident fire on".to_owned()));
        };
        body["routing_key"] = json!(key.reveal());
        Ok(send(out.client.json(&self.url, &body)?, &[&key], out.now).await)
    }
}

/// What becomes of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Open,
    Taken,
    Over,
}

/// What a message means for the incident of its group; `None` is nothing.
pub(super) fn turn(out: &Outbound<'_>) -> Option<Turn> {
    let message = out.message;
    match message.kind {
        Kind::Acknowledged => (message.taken == message.left).then_some(Turn::Taken),
        _ if message.fires() || message.words.is_some() => Some(Turn::Open),
        _ => (message.left == 0).then_some(Turn::Over),
    }
}

/// The event, but for the key that says whose it is.
pub(super) fn body(out: &Outbound<'_>) -> Option<Value> {
    let (message, rendered) = (out.message, out.rendered);
    let action = match turn(out)? {
        Turn::Open => "trigger",
        Turn::Taken => "acknowledge",
        Turn::Over => "resolve",
    };
    let mut body = json!({"event_action": action, "dedup_key": message.incident()});
    if action != "trigger" {
        return Some(body);
    }
    let first = message.alerts.first().map(|item| &item.alert);
    let source = first.and_then(|alert| alert.node.as_deref()).unwrap_or("fleetglass");
    let mut links = vec![json!({"href": rendered.link, "text": "The alert in Fleetglass"})];
    links.extend(
        rendered.acknowledge.iter().map(|url| json!({"href": url, "text": "Acknowledge in Fleetglass"})),
    );
    body["client"] = json!("Fleetglass");
    body["client_url"] = json!(rendered.link);
    body["links"] = json!(links);
    body["payload"] = json!({
        "summary": cut(&rendered.title, SUMMARY),
        "source": source,
        "severity": message.severity(),
        "timestamp": rfc3339(Some(first.map_or(message.at, since))),
        "component": source,
        "group": message.group_key,
        "class": first.map(|alert| alert.name.as_str()),
        "custom_details": {
            "text": rendered.text(),
            "labels": message.common(|alert| &alert.labels),
        },
    });
    // PagerDuty shows pictures by https alone.
    if let Some(chart) = rendered.chart_url.as_ref().filter(|url| url.starts_with("https://")) {
        body["images"] =
            json!([{"src": chart, "href": rendered.link, "alt": "the last hour against its bound"}]);
    }
    Some(body)
}
