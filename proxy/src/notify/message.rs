//! A message: all that is to be told, without how. It waits in the queue as JSON, and holds no secret.

use crate::letters::hex;
use std::collections::BTreeMap;

use fleetglass_shared::{
    health::UnixMillis,
    route::{Audience, Notice, Why},
    wire::{Alert, AlertState, Outlook, Severity},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The most alerts of a message; the others are counted.
const MOST_ALERTS: usize = 50;

/// Something to tell a receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// The same for every copy of it, and for no other: what a receiver can tell a second copy by.
    pub(crate) key: String,
    /// The receiver's name.
    pub(crate) receiver: String,
    /// Alertmanager's key of the group.
    pub(crate) group_key: String,
    /// What its alerts have alike by `group_by`.
    pub(crate) group_labels: BTreeMap<String, String>,
    /// Why it is told.
    pub(crate) kind: Kind,
    /// When it was made.
    pub(crate) at: UnixMillis,
    /// What it is about, what fires first.
    pub(crate) alerts: Vec<Item>,
    /// How many more there are.
    pub(crate) truncated: usize,
    /// How many alerts of the group fire on, whoever has them.
    pub(crate) left: usize,
    /// How many of those somebody has taken.
    pub(crate) taken: usize,
    /// Title and body of a message that is about no alert.
    pub(crate) words: Option<(String, String)>,
}

/// Why a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Alerts fire that were not told.
    New,
    /// Alerts are over.
    Resolved,
    /// They go on.
    Repeat,
    /// Somebody took them.
    Acknowledged,
    /// Nobody took them.
    Escalated,
    /// The word of the day.
    Summary,
    /// Somebody tries whether it arrives.
    Test,
}

/// An alert of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// As it was.
    pub(crate) alert: Alert,
    /// What is known beyond.
    pub(crate) evidence: Evidence,
}

/// What is known of an alert beyond the alert.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Evidence {
    /// The value that is looked at.
    pub(crate) value: Option<f64>,
    /// What it must not cross.
    pub(crate) bound: Option<f64>,
    /// How to show both.
    pub(crate) unit: String,
    /// Where it is going.
    pub(crate) outlook: Option<Outlook>,
    /// What is at stake, in words.
    pub(crate) meaning: String,
    /// What to do, in words.
    pub(crate) action: String,
    /// PromQL of the value, for a chart.
    pub(crate) query: Option<String>,
}

impl Item {
    /// Whether it fires.
    pub(crate) fn fires(&self) -> bool {
        self.alert.state == AlertState::Firing
    }
}

/// Since when an alert fires.
pub(crate) fn since(alert: &Alert) -> UnixMillis {
    alert.fired_at.unwrap_or(alert.active_at)
}

impl Message {
    /// The message of a notice about a group. `item` tells what is known of an alert.
    pub(crate) fn of(
        notice: Notice,
        receiver: &str,
        group_key: &str,
        group_labels: &BTreeMap<String, String>,
        now: UnixMillis,
        item: impl Fn(Alert) -> Item,
    ) -> Self {
        let kind = match (notice.why, notice.to) {
            (Why::New | Why::Repeat, Audience::Escalation) => Kind::Escalated,
            (Why::New, Audience::Receiver) => Kind::New,
            (Why::Repeat, Audience::Receiver) => Kind::Repeat,
            (Why::Resolved, _) => Kind::Resolved,
            (Why::Acknowledged, _) => Kind::Acknowledged,
        };
        let count = notice.firing.len() + notice.resolved.len();
        let all = notice.firing.iter().chain(&notice.resolved);
        let told: Vec<String> =
            all.map(|alert| format!("{} {} {:?}", alert.id, since(alert), alert.state)).collect();
        let parts =
            [receiver, group_key, &format!("{kind:?}"), &now.to_string(), &told.join("\n")].join("\0");
        let alerts = notice.firing.into_iter().chain(notice.resolved).take(MOST_ALERTS).map(item).collect();
        Self {
            key: hex(&Sha256::digest(parts.as_bytes())[..16]),
            receiver: receiver.to_owned(),
            group_key: group_key.to_owned(),
            group_labels: group_labels.clone(),
            kind,
            at: now,
            alerts,
            truncated: count.saturating_sub(MOST_ALERTS),
            left: notice.left,
            taken: notice.taken,
            words: None,
        }
    }

    /// A message in words alone. Of two of the same `day` a receiver gets one.
    pub(crate) fn of_words(receiver: &str, day: &str, title: String, body: String, now: UnixMillis) -> Self {
        Self {
            key: hex(&Sha256::digest(format!("{receiver}\0summary\0{day}"))[..16]),
            receiver: receiver.to_owned(),
            group_key: format!("{{}}:{{summary=\"{day}\"}}"),
            group_labels: BTreeMap::new(),
            kind: Kind::Summary,
            at: now,
            alerts: Vec::new(),
            truncated: 0,
            left: 0,
            taken: 0,
            words: Some((title, body)),
        }
    }

    /// The message that somebody sends to see whether it arrives: an alert of our own, which fires or is over.
    pub(crate) fn of_test(receiver: &str, fires: bool, now: UnixMillis) -> Self {
        let text = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let labels = text(&[("alertname", "FleetglassTest"), ("severity", "info")]);
        let alert = Alert {
            id: "0000000000000000".to_owned(),
            name: "FleetglassTest".to_owned(),
            state: if fires { AlertState::Firing } else { AlertState::Resolved },
            severity: Severity::Info,
            severity_text: "info".to_owned(),
            node: None,
            labels: labels.clone(),
            annotations: text(&[
                ("summary", "A test of this receiver"),
                ("description", "Somebody asked Fleetglass to try whether messages arrive here."),
                ("action", "Nothing is to be done."),
            ]),
            value: None,
            active_at: now,
            fired_at: Some(now),
            resolved_at: (!fires).then_some(now),
            held: None,
            acknowledged: None,
            silenced_by: Vec::new(),
            inhibited_by: Vec::new(),
            muted_by: Vec::new(),
            flaps: None,
        };
        Self {
            key: hex(&Sha256::digest(format!("{receiver}\0test\0{fires}\0{now}"))[..16]),
            receiver: receiver.to_owned(),
            group_key: "{}:{alertname=\"FleetglassTest\"}".to_owned(),
            group_labels: text(&[("alertname", "FleetglassTest")]),
            kind: Kind::Test,
            at: now,
            alerts: vec![Item { alert, evidence: Evidence::default() }],
            truncated: 0,
            left: usize::from(fires),
            taken: 0,
            words: None,
        }
    }

    /// Whether anything of it fires.
    pub(crate) fn fires(&self) -> bool {
        self.alerts.iter().any(Item::fires)
    }

    /// The worst severity of it.
    pub(crate) fn severity(&self) -> Severity {
        self.alerts.iter().map(|item| item.alert.severity).min().unwrap_or(Severity::Info)
    }

    /// The same for every message about this group, for services that keep one incident a group.
    pub(crate) fn incident(&self) -> String {
        format!("fleetglass-{}", hex(&Sha256::digest(format!("{}\0{}", self.receiver, self.group_key))[..16]))
    }

    /// It without what is over, for those who are not told of it; `None` when nothing is left.
    pub(crate) fn without_resolved(mut self) -> Option<Self> {
        self.alerts.retain(Item::fires);
        (!self.alerts.is_empty() || self.words.is_some()).then_some(self)
    }

    /// What all its alerts have alike of their labels, or of their annotations.
    pub(crate) fn common<'a>(
        &'a self,
        of: impl Fn(&'a Alert) -> &'a BTreeMap<String, String>,
    ) -> BTreeMap<&'a str, &'a str> {
        let mut all = self.alerts.iter().map(|item| of(&item.alert));
        let Some(first) = all.next() else { return BTreeMap::new() };
        let rest: Vec<_> = all.collect();
        let alike = |name: &String, value: &String| rest.iter().all(|other| other.get(name) == Some(value));
        first.iter().filter(|(n, v)| alike(n, v)).map(|(n, v)| (n.as_str(), v.as_str())).collect()
    }
}
