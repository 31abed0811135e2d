//! What was told of a group of alerts, and what is to be told now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::health::UnixMillis;
use crate::wire::{Alert, AlertState};

/// How fast a group is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long new alerts wait for more.
    pub wait_ms: i64,
    /// How long it is at least from one message to the next with news.
    pub interval_ms: i64,
    /// After how long a message without news is repeated.
    pub repeat_ms: i64,
}

impl Default for Pace {
    /// Alertmanager's.
    fn default() -> Self {
        Self { wait_ms: 30_000, interval_ms: 5 * 60_000, repeat_ms: 4 * 3_600_000 }
    }
}

/// A group of alerts that are told together: what was told of it so far. All that it must know after a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// What the receiver was told.
    pub told: Log,
    /// What the one was told who is told when nobody takes an alert.
    pub escalated: Log,
}

/// What one receiver was told of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// When it was told last.
    pub last_at: UnixMillis,
    /// The alerts that it believes to fire, by id.
    pub alerts: BTreeMap<String, Told>,
}

/// An alert that somebody was told of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// As it was when it last fired: it may be forgotten by the time that its end is told.
    pub alert: Alert,
    /// When it was first told.
    pub at: UnixMillis,
    /// Whether it was told that somebody has it.
    pub acknowledged: bool,
}

/// To whom something is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The route's receiver.
    Receiver,
    /// The one who is told when nobody takes an alert.
    Escalation,
}

/// Why something is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Alerts fire that were not told.
    New,
    /// Alerts are over, and none is new.
    Resolved,
    /// They go on, and nobody has taken them.
    Repeat,
    /// Somebody took them.
    Acknowledged,
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// To whom.
    pub to: Audience,
    /// Why.
    pub why: Why,
    /// What fires and nobody has taken or muted; in an acknowledgement what was taken.
    pub firing: Vec<Alert>,
    /// Which of those were not told before, by id.
    pub new: Vec<String>,
    /// What is over.
    pub resolved: Vec<Alert>,
    /// How many that were told fire on after this, whoever has them.
    pub left: usize,
    /// How many of those somebody has taken.
    pub taken: usize,
}

/// Since when an alert fires: with its id what tells one firing from the next.
fn since(alert: &Alert) -> UnixMillis {
    alert.fired_at.unwrap_or(alert.active_at)
}

/// Whether an alert is the same firing as another.
fn goes_on(now: Option<&&Alert>, before: &Alert) -> bool {
    now.is_some_and(|now| now.state == AlertState::Firing && since(now) == since(before))
}

/// Alerts of a group, by id.
pub type Alerts<'a> = BTreeMap<&'a str, &'a Alert>;

impl Group {
    /// What is to be told now; it counts as told from then on. `alerts` are all of the group, whatever their
    /// state; `escalate_after_ms` is how long nobody may take them.
    pub fn step(
        &mut self,
        alerts: &Alerts<'_>,
        pace: Pace,
        escalate_after_ms: Option<i64>,
        now: UnixMillis,
    ) -> Vec<Notice> {
        let open: Vec<&Alert> = alerts.values().copied().filter(|alert| alert.is_open()).collect();
        let escalation = |notice| Notice { to: Audience::Escalation, ..notice };
        let taken = self.told.acknowledged(alerts).into_iter();
        let mut notices: Vec<Notice> =
            taken.chain(self.escalated.acknowledged(alerts).map(escalation)).collect();
        notices.extend(self.told.look(&open, alerts, pace, now));
        // Looked at also where nobody is to be told any more: who was told of the begin is told of the end.
        let late: Vec<&Alert> = match escalate_after_ms {
            None => Vec::new(),
            Some(after) => {
                let late = |alert: &&Alert| {
                    let told = self.told.alerts.get(&alert.id);
                    told.is_some_and(|told| goes_on(Some(alert), &told.alert) && told.at + after <= now)
                };
                open.into_iter().filter(late).collect()
            }
        };
        let at_once = Pace { wait_ms: 0, interval_ms: 0, ..pace };
        let escalated = self.escalated.look(&late, alerts, at_once, now);
        notices.extend(escalated.map(escalation));
        notices
    }

    /// As [`Self::step`] for a group whose route is gone: only what is over is told.
    pub fn close(&mut self, alerts: &Alerts<'_>, now: UnixMillis) -> Vec<Notice> {
        let never = Pace { wait_ms: 0, interval_ms: 0, repeat_ms: i64::MAX };
        let told = self.told.look(&[], alerts, never, now);
        let escalated = self.escalated.look(&[], alerts, never, now);
        told.into_iter()
            .chain(escalated.map(|notice| Notice { to: Audience::Escalation, ..notice }))
            .collect()
    }

    /// Whether nobody believes anything to fire.
    pub fn is_over(&self) -> bool {
        self.told.alerts.is_empty() && self.escalated.alerts.is_empty()
    }

    /// Whether an alert is known here by its receiver.
    pub fn knows(&self, id: &str) -> bool {
        self.told.alerts.contains_key(id)
    }

    /// Takes over what another group told the same receivers of an alert.
    pub fn adopt(&mut self, from: &mut Self, id: &str) {
        for (own, other) in [(&mut self.told, &mut from.told), (&mut self.escalated, &mut from.escalated)] {
            if let Some(told) = other.alerts.remove(id) {
                own.last_at = own.last_at.max(other.last_at);
                own.alerts.entry(id.to_owned()).or_insert(told);
            }
        }
    }
}

impl Log {
    /// What somebody took since the last look. It is told at once: others would act for nothing.
    fn acknowledged(&mut self, alerts: &Alerts<'_>) -> Option<Notice> {
        let mut taken = Vec::new();
        for (id, told) in &mut self.alerts {
            let Some(now) = alerts.get(id.as_str()) else { continue };
            if !goes_on(Some(now), &told.alert) {
                continue;
            }
            let is_taken = now.acknowledged.is_some();
            if is_taken && !told.acknowledged {
                taken.push((*now).clone());
            }
            told.acknowledged = is_taken;
        }
        let notice = self.notice(Why::Acknowledged, taken, Vec::new(), Vec::new());
        (!notice.firing.is_empty()).then_some(notice)
    }

    /// What is to be told, of which `candidates` are what may be told anew.
    fn look(
        &mut self,
        candidates: &[&Alert],
        alerts: &Alerts<'_>,
        pace: Pace,
        now: UnixMillis,
    ) -> Option<Notice> {
        let told =
            |alert: &Alert| self.alerts.get(&alert.id).is_some_and(|t| goes_on(Some(&alert), &t.alert));
        let new: Vec<&Alert> = candidates.iter().copied().filter(|alert| !told(alert)).collect();
        let over = |told: &&Told| {
            let id = told.alert.id.as_str();
            // What fires anew within the interval goes on, as far as others are concerned.
            !goes_on(alerts.get(id), &told.alert) && !new.iter().any(|alert| alert.id == id)
        };
        let over: Vec<Alert> =
            self.alerts.values().filter(over).map(|t| ended(&t.alert, alerts, now)).collect();
        let first = self.alerts.is_empty();
        let may = first || now.saturating_sub(self.last_at) >= pace.interval_ms;
        let waited = new.iter().any(|alert| now.saturating_sub(since(alert)) >= pace.wait_ms);
        let goes = |t: &&Told| alerts.get(t.alert.id.as_str()).is_some_and(|now| now.is_open() && told(now));
        let going: Vec<&Alert> = self.alerts.values().filter(goes).map(|t| &t.alert).collect();
        let repeat = !going.is_empty() && now.saturating_sub(self.last_at) >= pace.repeat_ms;
        if !((may && (waited || !over.is_empty())) || repeat) {
            return None;
        }
        let why = match () {
            () if !new.is_empty() => Why::New,
            () if !over.is_empty() => Why::Resolved,
            () => Why::Repeat,
        };
        let mut firing: Vec<Alert> = going
            .iter()
            .filter_map(|alert| alerts.get(alert.id.as_str()))
            .chain(&new)
            .map(|alert| (*alert).clone())
            .collect();
        firing.sort_by(|a, b| (a.severity, since(a), &a.id).cmp(&(b.severity, since(b), &b.id)));
        let new: Vec<String> = new.into_iter().map(|alert| alert.id.clone()).collect();
        for alert in &over {
            self.alerts.remove(&alert.id);
        }
        for alert in &firing {
            let told = Told { alert: alert.clone(), at: now, acknowledged: false };
            let held = self.alerts.entry(alert.id.clone()).or_insert_with(|| told.clone());
            if new.contains(&alert.id) {
                *held = told;
            } else {
                held.alert = alert.clone();
            }
        }
        self.last_at = now;
        Some(self.notice(why, firing, new, over))
    }

    fn notice(&self, why: Why, firing: Vec<Alert>, new: Vec<String>, resolved: Vec<Alert>) -> Notice {
        let taken = self.alerts.values().filter(|told| told.acknowledged).count();
        Notice { to: Audience::Receiver, why, firing, new, resolved, left: self.alerts.len(), taken }
    }
}

/// An alert that is over, as far as it is known when.
fn ended(told: &Alert, alerts: &Alerts<'_>, now: UnixMillis) -> Alert {
    let same = alerts.get(told.id.as_str()).filter(|now| {
        now.state == AlertState::Resolved && now.fired_at.is_none_or(|fired| Some(fired) == told.fired_at)
    });
    let mut alert = same.map_or_else(|| told.clone(), |now| (*now).clone());
    alert.state = AlertState::Resolved;
    alert.acknowledged = None;
    alert.resolved_at = alert.resolved_at.or(Some(now));
    alert
}
