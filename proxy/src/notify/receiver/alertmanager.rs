//! Alertmanager's API v2: <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>. It groups, silences
//! and repeats by itself, so it is told what fires again and again, as Prometheus does, and what ended.

use fleetglass_shared::health::UnixMillis;
use serde_json::{Value, json};

use super::{Outbound, Outcome, SecretSource, maybe, secret};
use crate::{
    clock::rfc3339,
    config::Secret,
    notify::{
        client::{Client, send},
        message::{Item, since},
        words::{left, measured},
    },
};

/// After so long without a word an alert is over for Alertmanager; as Prometheus, four times what lies between words.
const LASTS_MS: i64 = 4 * RESEND_MS;
/// How often what fires is told again.
pub(crate) const RESEND_MS: i64 = 60_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alertmanager {
    pub(crate) url: SecretSource,
    pub(crate) token: Option<SecretSource>,
}

impl Alertmanager {
    pub(super) async fn send_message(&self, out: &Outbound<'_>) -> Result<Outcome, Outcome> {
        let items: Vec<&Item> = out.message.alerts.iter().collect();
        self.send(out.client, &items, &|item| out.words.page(&item.alert), out.now).await
    }

    /// Tells it of some alerts.
    pub(crate) async fn send(
        &self,
        client: &Client,
        items: &[&Item],
        page: &(dyn Fn(&Item) -> String + Sync),
        now: UnixMillis,
    ) -> Result<Outcome, Outcome> {
        let (url, token) = (secret(&self.url).await?, maybe(self.token.as_ref()).await?);
        let body: Vec<Value> = items.iter().map(|item| alert(item, page(item), now)).collect();
        let path = format!("{}/api/v2/alerts", url.reveal().trim_end_matches('/'));
        let mut request = client.json(&path, &json!(body))?;
        if let Some(token) = &token {
            request = request.bearer_auth(token.reveal());
        }
        let secrets: Vec<&Secret> = [&url].into_iter().chain(&token).collect();
        Ok(send(request, &secrets, now).await)
    }
}

/// An alert in Alertmanager's form. What we know beyond it are annotations, so that its own templates have it.
pub(super) fn alert(item: &Item, page: String, now: UnixMillis) -> Value {
    let alert = &item.alert;
    let mut annotations = alert.annotations.clone();
    let known = [
        ("measured", measured(&item.evidence)),
        ("time_left", left(&item.evidence, now)),
        ("action", Some(item.evidence.action.clone()).filter(|action| !action.is_empty())),
    ];
    for (name, text) in known.into_iter().filter(|_| item.fires()) {
        if let Some(text) = text {
            annotations.entry(name.to_owned()).or_insert(text);
        }
    }
    let ends = if item.fires() { now + LASTS_MS } else { alert.resolved_at.unwrap_or(now).min(now) };
    json!({
        "labels": alert.labels,
        "annotations": annotations,
        "startsAt": rfc3339(Some(since(alert))),
        "endsAt": rfc3339(Some(ends)),
        "generatorURL": page,
    })
}
