//! `[notify.route]` and the routes below it.

use fleetglass_shared::route::{Escalation, Spec};
use serde::Deserialize;

use crate::config::{Span, matchers};

/// A route: Alertmanager's, and who is told when nobody takes an alert.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouteConfig {
    /// Who is told; the parent's where it is absent.
    pub receiver: Option<String>,
    /// What an alert must pass: matchers such as `severity="critical"`.
    pub matchers: Vec<String>,
    /// Whether the routes beside it, further down, are tried too.
    #[serde(rename = "continue")]
    pub goes_on: bool,
    /// Labels that the alerts of a group have alike; `...` is all.
    pub group_by: Option<Vec<String>>,
    /// How long a new group waits for more.
    pub group_wait: Option<Span>,
    /// How long it is at least from one message about a group to the next with news.
    pub group_interval: Option<Span>,
    /// After how long a message without news is repeated.
    pub repeat_interval: Option<Span>,
    /// Names of the times in which nothing is told.
    pub mute_time_intervals: Vec<String>,
    /// Names of the times outside of which nothing is told.
    pub active_time_intervals: Vec<String>,
    /// How long nobody may take an alert before somebody else is told.
    pub escalate_after: Option<Span>,
    /// Who that is.
    pub escalate_to: Option<String>,
    /// Routes that are tried before this one.
    pub routes: Vec<RouteConfig>,
}

impl RouteConfig {
    /// As it is evaluated. What is wrong with it was refused when the config was validated.
    pub fn spec(&self) -> Spec {
        let escalation = self.escalate_after.zip(self.escalate_to.clone());
        Spec {
            receiver: self.receiver.clone(),
            matchers: matchers(&self.matchers).unwrap_or_default(),
            goes_on: self.goes_on,
            group_by: self.group_by.clone(),
            wait_ms: self.group_wait.map(Span::as_time),
            interval_ms: self.group_interval.map(Span::as_time),
            repeat_ms: self.repeat_interval.map(Span::as_time),
            mute: self.mute_time_intervals.clone(),
            active: self.active_time_intervals.clone(),
            escalation: escalation
                .map(|(after, receiver)| Escalation { after_ms: after.as_time(), receiver }),
            routes: self.routes.iter().map(Self::spec).collect(),
        }
    }
}
