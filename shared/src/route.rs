//! Who hears of which alert, and when: Alertmanager's routing tree, and what a group of alerts was told. Pure:
//! the alerts and the time come in.
//!
//! | module | is |
//! |---|---|
//! | this file | [`Tree`]: which routes an alert takes, and which group of each it belongs to |
//! | `group` | [`Group`]: what was told of a group, and what is to be told now |

mod group;
#[cfg(test)]
mod group_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use group::{Alerts, Audience, Group, Log, Notice, Pace, Told, Why};

use crate::labels::{LabelSet, Matcher};

/// In `group_by` it means all labels: every alert alone.
pub const ALL_LABELS: &str = "...";

/// A route as it is written. Of what is `None` the parent's holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spec {
    /// Who is told.
    pub receiver: Option<String>,
    /// What an alert must pass, all of it.
    pub matchers: Vec<Matcher>,
    /// Whether the routes beside it, further down, are tried too.
    pub goes_on: bool,
    /// Labels that the alerts of a group have alike.
    pub group_by: Option<Vec<String>>,
    /// How long a new group waits for more.
    pub wait_ms: Option<i64>,
    /// How long it is at least from one message about a group to the next with news.
    pub interval_ms: Option<i64>,
    /// After how long a message without news is repeated.
    pub repeat_ms: Option<i64>,
    /// Names of the times in which nothing is told; not the parent's.
    pub mute: Vec<String>,
    /// Names of the times outside of which nothing is told; not the parent's.
    pub active: Vec<String>,
    /// Who is told when nobody takes an alert.
    pub escalation: Option<Escalation>,
    /// Routes that are tried before this one.
    pub routes: Vec<Spec>,
}

/// Who is told when nobody takes an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// How long after it was told.
    pub after_ms: i64,
    /// Who.
    pub receiver: String,
}

/// A route, with all that holds for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Alertmanager's name of it: the matchers on the way to it.
    pub key: String,
    /// Who is told.
    pub receiver: String,
    /// Labels that the alerts of a group have alike; `None` is all.
    pub group_by: Option<Vec<String>>,
    /// How fast.
    pub pace: Pace,
    /// Names of the times in which nothing is told.
    pub mute: Vec<String>,
    /// Names of the times outside of which nothing is told.
    pub active: Vec<String>,
    /// Who is told when nobody takes an alert.
    pub escalation: Option<Escalation>,
    matchers: Vec<Matcher>,
    goes_on: bool,
    routes: Vec<Route>,
}

/// The routing tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    root: Route,
}

impl Tree {
    /// The tree of its root, which takes every alert that no route below it takes.
    pub fn new(root: &Spec) -> Self {
        let above = Route {
            key: String::new(),
            receiver: String::new(),
            group_by: Some(Vec::new()),
            pace: Pace::default(),
            mute: Vec::new(),
            active: Vec::new(),
            escalation: None,
            matchers: Vec::new(),
            goes_on: false,
            routes: Vec::new(),
        };
        Self { root: Route::new(root, &above, "") }
    }

    /// The routes of an alert, as Alertmanager finds them: the deepest that match, and of routes beside each
    /// other the first, unless that one says to go on.
    pub fn find(&self, labels: &LabelSet) -> Vec<&Route> {
        let mut found = Vec::new();
        self.root.find(labels, &mut found);
        found
    }

    /// Every route, a parent before its children.
    pub fn routes(&self) -> Vec<&Route> {
        let mut all = vec![&self.root];
        let mut at = 0;
        while let Some(route) = all.get(at) {
            all.extend(&route.routes);
            at += 1;
        }
        all
    }
}

impl Route {
    fn new(spec: &Spec, parent: &Self, double: &str) -> Self {
        let matchers: Vec<String> = spec.matchers.iter().map(ToString::to_string).collect();
        let own = format!("{{{}}}{double}", matchers.join(","));
        let key = if parent.key.is_empty() { own } else { format!("{}/{own}", parent.key) };
        let group_by = match &spec.group_by {
            None => parent.group_by.clone(),
            Some(labels) if labels.iter().any(|label| label == ALL_LABELS) => None,
            Some(labels) => {
                let mut labels = labels.clone();
                labels.sort();
                labels.dedup();
                Some(labels)
            }
        };
        let mut route = Self {
            key,
            receiver: spec.receiver.clone().unwrap_or_else(|| parent.receiver.clone()),
            group_by,
            pace: Pace {
                wait_ms: spec.wait_ms.unwrap_or(parent.pace.wait_ms),
                interval_ms: spec.interval_ms.unwrap_or(parent.pace.interval_ms),
                repeat_ms: spec.repeat_ms.unwrap_or(parent.pace.repeat_ms),
            },
            mute: spec.mute.clone(),
            active: spec.active.clone(),
            escalation: spec.escalation.clone().or_else(|| parent.escalation.clone()),
            matchers: spec.matchers.clone(),
            goes_on: spec.goes_on,
            routes: Vec::new(),
        };
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for child in &spec.routes {
            // The key names the groups from one run to the next, so it must be one's own, and bear a route more.
            let count = seen.entry(format!("{:?}", child.matchers)).or_default();
            *count += 1;
            let double = if *count == 1 { String::new() } else { format!("#{count}") };
            let child = Self::new(child, &route, &double);
            route.routes.push(child);
        }
        route
    }

    fn find<'a>(&'a self, labels: &LabelSet, found: &mut Vec<&'a Self>) -> bool {
        if !self.matchers.iter().all(|matcher| matcher.matches_set(labels)) {
            return false;
        }
        let before = found.len();
        for route in &self.routes {
            if route.find(labels, found) && !route.goes_on {
                break;
            }
        }
        if found.len() == before {
            found.push(self);
        }
        true
    }

    /// The labels that an alert shares with the others of its group.
    pub fn group_labels(&self, labels: &LabelSet) -> BTreeMap<String, String> {
        let by = |name: &str| self.group_by.as_ref().is_none_or(|by| by.iter().any(|own| own == name));
        labels.iter().filter(|(name, _)| by(name)).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    }

    /// Alertmanager's key of the group of these labels.
    pub fn group_key(&self, labels: &BTreeMap<String, String>) -> String {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        format!("{}:{{{}}}", self.key, labels.join(", "))
    }
}
