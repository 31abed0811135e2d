//! Opsgenie's Alert API: <https://docs.opsgenie.com/docs/alert-api>. A group of alerts is one of theirs, by its alias.

use fleetglass_shared::wire::Severity;
use serde_json::{Value, json};

use super::{
    Outbound, Outcome, SecretSource,
    pagerduty::{Turn, turn},
    secret,
};
use crate::notify::{client::send, words::cut};

/// Opsgenie's limits, in characters.
const MESSAGE: usize = 130;
const DESCRIPTION: usize = 15_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opsgenie {
    pub(crate) base: String,
    pub(crate) key: SecretSource,
}

impl Opsgenie {
    pub(super) async fn send(&self, out: &Outbound<'_>) -> Result<Outcome, Outcome> {
        let key = secret(&self.key).await?;
        let Some((path, body)) = body(out) else {
            return Ok(Outcome::Delivered("nothing to send: others of the alert fire on".to_owned()));
        };
        let url = format!("{}{path}", self.base.trim_end_matches('/'));
        let request = out.client.json(&url, &body)?;
        let request = request.header(http::header::AUTHORIZATION, format!("GenieKey {}", key.reveal()));
        Ok(send(request, &[&key], out.now).await)
    }
}

/// The path, and what is posted there.
pub(super) fn body(out: &Outbound<'_>) -> Option<(String, Value)> {
    let (message, rendered) = (out.message, out.rendered);
    let alias = message.incident();
    let of = |what: &str| format!("/v2/alerts/{alias}/{what}?identifierType=alias");
    let short = || json!({"source": "Fleetglass", "note": cut(&rendered.title, DESCRIPTION)});
    match turn(out)? {
        Turn::Taken => return Some((of("acknowledge"), short())),
        Turn::Over => return Some((of("close"), short())),
        Turn::Open => {}
    }
    let mut details = message.common(|alert| &alert.labels);
    details.insert("alert", &rendered.link);
    if let Some(url) = &rendered.acknowledge {
        details.insert("acknowledge", url);
    }
    if let Some(url) = &rendered.chart_url {
        details.insert("chart", url);
    }
    let entity = message.alerts.first().and_then(|item| item.alert.node.clone()).unwrap_or_default();
    let priority = match message.severity() {
        Severity::Critical => "P1",
        Severity::Warning => "P3",
        Severity::Info => "P5",
    };
    let body = json!({
        "message": cut(&rendered.title, MESSAGE),
        "alias": alias,
        "description": cut(&rendered.text(), DESCRIPTION),
        "details": details,
        "entity": entity,
        "tags": ["fleetglass", message.severity()],
        "source": "Fleetglass",
        "priority": priority,
    });
    Some(("/v2/alerts".to_owned(), body))
}
