//! ntfy, published as JSON: <https://docs.ntfy.sh/publish/#publish-as-json>.

use fleetglass_shared::wire::Severity;
use serde_json::{Value, json};

use super::{Outbound, Outcome, SecretSource, maybe, secret};
use crate::notify::{client::send, words::cut};

/// Beyond 4,096 bytes ntfy makes a file of a text.
const TEXT: usize = 1300;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ntfy {
    pub(crate) url: String,
    pub(crate) topic: SecretSource,
    pub(crate) token: Option<SecretSource>,
}

impl Ntfy {
    pub(super) async fn send(&self, out: &Outbound<'_>) -> Result<Outcome, Outcome> {
        let (topic, token) = (secret(&self.topic).await?, maybe(self.token.as_ref()).await?);
        let mut body = body(out);
        body["topic"] = json!(topic.reveal());
        let mut request = out.client.json(&self.url, &body)?;
        if let Some(token) = &token {
            request = request.bearer_auth(token.reveal());
        }
        let secrets: Vec<_> = [&topic].into_iter().chain(&token).collect();
        Ok(send(request, &secrets, out.now).await)
    }
}

/// The message, but for the topic.
pub(super) fn body(out: &Outbound<'_>) -> Value {
    let (message, rendered) = (out.message, out.rendered);
    let (priority, tag) = match message.severity() {
        _ if !message.fires() => (2, "white_check_mark"),
        Severity::Critical => (5, "rotating_light"),
        Severity::Warning => (4, "warning"),
        Severity::Info => (3, "information_source"),
    };
    let mut actions = vec![json!({"action": "view", "label": "Alert", "url": rendered.link})];
    // It opens the page that asks again; an action of ntfy's own could be pressed by mistake.
    actions.extend(
        rendered.acknowledge.iter().map(|url| json!({"action": "view", "label": "Acknowledge", "url": url})),
    );
    let text: Vec<String> = rendered
        .parts
        .iter()
        .map(|part| {
            [std::slice::from_ref(&part.head), part.lines.as_slice()].concat().join("\n").trim().to_owned()
        })
        .collect();
    let mut body = json!({
        "title": cut(&rendered.title, 250),
        "message": cut(&text.join("\n\n"), TEXT),
        "priority": priority,
        "tags": [tag],
        "click": rendered.link,
        "actions": actions,
    });
    if let Some(chart) = &rendered.chart_url {
        body["attach"] = json!(chart);
        body["filename"] = json!("chart.png");
    }
    body
}
