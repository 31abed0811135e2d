//! A web hook that takes Alertmanager's JSON, version 4: <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>.

use serde_json::{Value, json};

use super::{Outbound, Outcome, SecretSource, maybe, secret};
use crate::{
    clock::rfc3339,
    notify::{
        client::send,
        message::{Item, since},
        template_data::status,
        words::left,
    },
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Webhook {
    pub(crate) url: SecretSource,
    pub(crate) token: Option<SecretSource>,
}

impl Webhook {
    pub(super) async fn send(&self, out: &Outbound<'_>) -> Result<Outcome, Outcome> {
        let (url, token) = (secret(&self.url).await?, maybe(self.token.as_ref()).await?);
        let mut request =
            out.client.json(url.reveal(), &body(out))?.header("Idempotency-Key", &out.message.key);
        if let Some(token) = &token {
            request = request.bearer_auth(token.reveal());
        }
        let secrets: Vec<_> = [&url].into_iter().chain(&token).collect();
        Ok(send(request, &secrets, out.now).await)
    }
}

/// Alertmanager's form; what we know beyond it is each alert's `fleetglass`.
pub(super) fn body(out: &Outbound<'_>) -> Value {
    let message = out.message;
    json!({
        "version": "4",
        "groupKey": message.group_key,
        "truncatedAlerts": message.truncated,
        "status": status(message.fires()),
        "receiver": message.receiver,
        "groupLabels": message.group_labels,
        "commonLabels": message.common(|alert| &alert.labels),
        "commonAnnotations": message.common(|alert| &alert.annotations),
        "externalURL": out.words.external_url,
        "alerts": message.alerts.iter().map(|item| alert(item, out)).collect::<Vec<_>>(),
        "fleetglass": {
            "kind": message.kind,
            "title": out.rendered.title,
            "text": out.rendered.text(),
            "chartURL": out.rendered.chart_url,
        },
    })
}

fn alert(item: &Item, out: &Outbound<'_>) -> Value {
    let (alert, evidence) = (&item.alert, &item.evidence);
    let outlook = evidence.outlook.as_ref();
    let takes = item.fires() && alert.acknowledged.is_none();
    json!({
        "status": status(item.fires()),
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": rfc3339(Some(since(alert))),
        "endsAt": rfc3339(alert.resolved_at.filter(|_| !item.fires())),
        "generatorURL": out.words.page(alert),
        "fingerprint": alert.id,
        "fleetglass": {
            "node": alert.node,
            "severity": alert.severity,
            "value": evidence.value.or(alert.value),
            "bound": evidence.bound,
            "unit": evidence.unit,
            "breachAt": outlook.and_then(|outlook| outlook.breach_at).map(|at| rfc3339(Some(at))),
            "timeLeft": left(evidence, out.now),
            "meaning": evidence.meaning,
            "action": evidence.action,
            "acknowledgedBy": alert.acknowledged.as_ref().map(|taken| &taken.by),
            "acknowledgeURL": takes.then(|| out.words.acknowledge(out.message, alert)),
        },
    })
}
