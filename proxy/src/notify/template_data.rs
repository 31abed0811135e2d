//! What a receiver's own templates find: Alertmanager's data, and what we know beyond.

use fleetglass_shared::template::{Time, Value};

use super::{
    message::{Item, Message, since},
    words::{Rendered, Words, left, measured},
};

/// The dot of a template.
pub(super) fn of(message: &Message, words: &Words<'_>, rendered: &Rendered) -> Value {
    let texts = |map: &std::collections::BTreeMap<String, String>| {
        Value::key_value(map.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    };
    let all: Vec<(bool, Value)> =
        message.alerts.iter().map(|item| (item.fires(), alert(item, message, words))).collect();
    let of = |fires: bool| {
        Value::list(all.iter().filter(|(own, _)| *own == fires).map(|(_, value)| value.clone()))
    };
    let parts = [("Firing".to_owned(), of(true)), ("Resolved".to_owned(), of(false))];
    Value::record(
        "template.Data",
        vec![
            ("Receiver", message.receiver.as_str().into()),
            ("Status", status(message.fires()).into()),
            ("Alerts", Value::list_with_parts(all.iter().map(|(_, value)| value.clone()), parts)),
            ("GroupLabels", texts(&message.group_labels)),
            ("CommonLabels", Value::key_value(message.common(|alert| &alert.labels))),
            ("CommonAnnotations", Value::key_value(message.common(|alert| &alert.annotations))),
            ("ExternalURL", words.external_url.into()),
            ("GroupKey", message.group_key.as_str().into()),
            ("TruncatedAlerts", i64::try_from(message.truncated).unwrap_or(i64::MAX).into()),
            ("Title", rendered.title.as_str().into()),
            ("ChartURL", rendered.chart_url.as_deref().unwrap_or_default().into()),
        ],
    )
}

/// Alertmanager's word.
pub(super) fn status(fires: bool) -> &'static str {
    if fires { "firing" } else { "resolved" }
}

fn alert(item: &Item, message: &Message, words: &Words<'_>) -> Value {
    let alert = &item.alert;
    let texts = |map: &std::collections::BTreeMap<String, String>| {
        Value::key_value(map.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    };
    let taken = alert.acknowledged.as_ref().map(|taken| taken.by.as_str());
    let link = if item.fires() { words.acknowledge(message, alert) } else { String::new() };
    Value::record(
        "template.Alert",
        vec![
            ("Status", status(item.fires()).into()),
            ("Labels", texts(&alert.labels)),
            ("Annotations", texts(&alert.annotations)),
            ("StartsAt", Time::from_unix_ms(since(alert)).into()),
            ("EndsAt", alert.resolved_at.map_or_else(Time::zero, Time::from_unix_ms).into()),
            ("GeneratorURL", words.page(alert).into()),
            ("Fingerprint", alert.id.as_str().into()),
            ("Name", alert.name.as_str().into()),
            ("Node", alert.node.as_deref().unwrap_or_default().into()),
            ("Severity", alert.severity.as_str().into()),
            ("Value", Value::Float(item.evidence.value.or(alert.value).unwrap_or(f64::NAN))),
            ("Bound", Value::Float(item.evidence.bound.unwrap_or(f64::NAN))),
            ("Measured", measured(&item.evidence).unwrap_or_default().into()),
            ("TimeLeft", left(&item.evidence, words.now).unwrap_or_default().into()),
            ("Meaning", item.evidence.meaning.as_str().into()),
            ("Action", item.evidence.action.as_str().into()),
            ("TakenBy", taken.unwrap_or_default().into()),
            ("AcknowledgeURL", link.into()),
        ],
    )
}
