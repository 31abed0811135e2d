//! The alerts of the fleet: read from the live stream, and what the banner says of them. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetglass_shared::wire::{Acknowledgement, Alert, AlertState, Held, Severity};

use crate::json::{Json, Malformed};

/// One alert, shared between the model and the lists.
pub type AlertRef = Arc<Alert>;

/// A whole alert.
pub fn alert(json: &Json) -> Result<Alert, Malformed> {
    let text = |name: &str| json.get(name).text();
    let time = |name: &str| json.get(name).number().map(|at| at as i64);
    let ids = |name: &str| -> Vec<String> {
        json.get(name).items().unwrap_or_default().iter().filter_map(Json::text).collect()
    };
    let taken = json.get("acknowledged");
    let acknowledged = (!taken.is_null()).then(|| Acknowledgement {
        by: taken.get("by").text().unwrap_or_default(),
        note: taken.get("note").text().unwrap_or_default(),
        at: taken.get("at").number().unwrap_or_default() as i64,
        until: taken.get("until").number().map(|at| at as i64),
    });
    Ok(Alert {
        id: json.text_of("id")?,
        name: json.text_of("name")?,
        state: AlertState::parse(&json.text_of("state")?).ok_or(Malformed("state"))?,
        severity: Severity::of(&json.text_of("severity")?),
        severity_text: text("severity_text").unwrap_or_default(),
        node: text("node"),
        labels: texts(&json.get("labels")),
        annotations: texts(&json.get("annotations")),
        value: json.get("value").number(),
        active_at: json.number_of("active_at")? as i64,
        fired_at: time("fired_at"),
        resolved_at: time("resolved_at"),
        held: match text("held").as_deref() {
            Some("no_data") => Some(Held::NoData),
            Some(_) => Some(Held::KeepFiring),
            None => None,
        },
        acknowledged,
        silenced_by: ids("silenced_by"),
        inhibited_by: ids("inhibited_by"),
        muted_by: ids("muted_by"),
        flaps: json.get("flaps").number().map(|count| count as u32),
    })
}

/// The members of an object that are texts.
fn texts(json: &Json) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (name, value) in json.members().unwrap_or_default() {
        if let Some(text) = value.text() {
            texts.insert(name, text);
        }
    }
    texts
}

/// What it says in one line: its summary, else its name.
pub fn summary(alert: &Alert) -> &str {
    alert.annotations.get("summary").filter(|text| !text.trim().is_empty()).unwrap_or(&alert.name)
}

/// The open alerts in short.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Open {
    /// How many of each severity, the worst first.
    pub counts: [usize; 3],
    /// The worst; of equally bad ones the newest.
    pub worst: Option<AlertRef>,
}

impl Open {
    /// Counts those that ask for somebody.
    pub fn of(alerts: &[AlertRef]) -> Self {
        let mut open = Self::default();
        for alert in alerts.iter().filter(|alert| alert.is_open()) {
            open.counts[alert.severity as usize] += 1;
            let worse = open.worst.as_ref().is_none_or(|worst| {
                alert.severity < worst.severity
                    || (alert.severity == worst.severity && alert.active_at > worst.active_at)
            });
            if worse {
                open.worst = Some(alert.clone());
            }
        }
        open
    }

    /// All of them.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Those for which somebody must act.
    pub fn urgent(&self) -> usize {
        self.counts[0] + self.counts[1]
    }

    /// `2 critical, 1 warning`.
    pub fn in_words(&self) -> String {
        let some = Severity::ALL.into_iter().zip(self.counts).filter(|(_, count)| *count > 0);
        some.map(|(severity, count)| format!("{count} {}", severity.as_str())).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
pub mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    /// An alert that fires, with members of its own.
    pub fn sample(own: Value) -> AlertRef {
        let mut whole = json!({
            "id": "1", "name": "Lag", "state": "firing", "severity": "warning", "labels": {}, "active_at": 5,
        });
        for (name, value) in own.as_object().unwrap() {
            whole[name] = value.clone();
        }
        Arc::new(serde_json::from_value(whole).unwrap())
    }

    #[test]
    fn an_alert_is_read_as_the_proxy_wrote_it() {
        let whole = json!({
            "id": "0123456789abcdef", "name": "Lag", "state": "pending", "severity": "critical",
            "severity_text": "P1", "node": "eu-1", "labels": {"alertname": "Lag", "instance": "eu-1"},
            "annotations": {"summary": "It lags"}, "value": 1.5, "active_at": 5, "fired_at": 6,
            "resolved_at": 7, "held": "no_data",
            "acknowledged": {"by": "ada", "note": "on it", "at": 8, "until": 9},
            "silenced_by": ["s"], "inhibited_by": ["i", "j"], "flaps": 12,
        });
        let least = json!({
            "id": "1", "name": "N", "state": "firing", "severity": "info", "labels": {}, "active_at": 0,
        });
        for json in [whole, least] {
            let expected: Alert = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&expected).unwrap(), json, "the example says all members");
            assert_eq!(alert(&Json(json)).unwrap(), expected);
        }
        assert_eq!(alert(&Json(json!({"id": "1"}))).err(), Some(Malformed("name")));
    }

    #[test]
    fn what_nobody_took_is_open_and_the_worst_leads() {
        let alerts = [
            sample(json!({"id": "old", "severity": "critical", "active_at": 1})),
            sample(json!({"id": "new", "severity": "critical", "active_at": 2})),
            sample(json!({"id": "warn", "active_at": 9})),
            sample(json!({"id": "mine", "acknowledged": {"by": "a", "at": 1}})),
            sample(json!({"id": "quiet", "silenced_by": ["x"]})),
            sample(json!({"id": "soon", "state": "pending"})),
        ];
        let open = Open::of(&alerts);
        assert_eq!((open.counts, open.total(), open.urgent()), ([2, 1, 0], 3, 3));
        assert_eq!(open.worst.as_ref().unwrap().id, "new");
        assert_eq!(open.in_words(), "2 critical, 1 warning");
        assert_eq!(Open::of(&[]), Open::default());
    }
}
