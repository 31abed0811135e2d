//! "Safe to restart?": what a node owes in the next minutes, what depends on it, who of its group is away
//! already. Pure: the time and what is known come in. Never `yes` on what is missing or old.
//!
//! | module | is |
//! |---|---|
//! | this file | the verdict on one node, and on several: one after another, and all at once |
//! | `duty` | what a node owes, by the `[[duty]]` tables of its family |
//! | `group` | the nodes that stand in for each other |

mod duty;
mod group;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::family::Family;
use crate::health::{Fact, Status, UnixMillis};
use crate::wire::{
    Alert, AlertState, NodeRestart, NodeSummary, RestartAnswer, RestartCheck, RestartReason, RestartVerdict,
    Severity,
};
use group::Groups;

/// Nodes named in one sentence.
const NAMED: usize = 5;

/// How groups are made, and what they bear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Nodes alike in these labels stand in for each other; `family` is one of them.
    pub group_by: Vec<String>,
    /// How many of a group may be away at one time; a third of it, and at least one, when it is not said.
    pub max_down: Option<usize>,
    /// Labels in which a node names others that it depends on.
    pub depends_on: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self { group_by: words(&["family"]), max_down: None, depends_on: words(&["depends_on", "upstream"]) }
    }
}

/// A node of the fleet, as the others see it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// How it is.
    pub summary: NodeSummary,
    /// The host it is asked at; empty where that says nothing, as of loopback.
    pub host: String,
}

/// A node's own words.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its family, unless nothing recognised it.
    pub family: Option<Arc<Family>>,
    /// What it says about itself.
    pub facts: Vec<Fact>,
}

/// All that is known.
pub struct Known<'a> {
    /// When it is judged.
    pub at: UnixMillis,
    /// Every node.
    pub fleet: &'a [Peer],
    /// The words of one of them.
    pub subject: &'a dyn Fn(&str) -> Option<Subject>,
    /// Every alert.
    pub alerts: &'a [Alert],
    /// How groups are made.
    pub policy: &'a Policy,
}

/// Judges the nodes of these ids; ids that the fleet does not have are left out.
pub fn check(ids: &[String], known: &Known<'_>) -> RestartCheck {
    let groups = Groups::of(known.fleet, known.policy);
    let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let chosen: Vec<&Peer> =
        known.fleet.iter().filter(|peer| ids.contains(peer.summary.id.as_str())).collect();
    let mut nodes: Vec<(bool, NodeRestart)> =
        chosen.iter().map(|peer| (is_away(&peer.summary), judge(peer, known, &groups))).collect();
    // Those that can go now first, those that are away already before them; what others need stays longest.
    nodes.sort_by_key(|(away, node)| (node.answer, !away, node.until, node.dependents.len()));
    let nodes: Vec<NodeRestart> = nodes.into_iter().map(|(_, node)| node).collect();
    let mut at_once: Vec<RestartReason> = groups.all_at_once(&ids);
    at_once.sort_by_key(|reason| std::cmp::Reverse(reason.answer));
    let each = || nodes.iter().map(|node| (node.answer, node.until));
    let together = at_once.iter().map(|reason| (reason.answer, reason.until)).chain(each());
    let (answer, until) = worst(together);
    let one_by_one = worst(each());
    RestartCheck {
        at: known.at,
        one_by_one: RestartVerdict { answer: one_by_one.0, until: one_by_one.1, reasons: Vec::new() },
        at_once: RestartVerdict { answer, until, reasons: at_once },
        nodes,
    }
}

/// The worst of all; of those that wait the last time.
fn worst(
    all: impl Iterator<Item = (RestartAnswer, Option<UnixMillis>)>,
) -> (RestartAnswer, Option<UnixMillis>) {
    let (answer, until) = all.fold((RestartAnswer::Yes, None), |(answer, until), (next, when)| {
        (answer.max(next), until.max(when))
    });
    (answer, until.filter(|_| answer == RestartAnswer::Wait))
}

/// Whether a node does no work now: nothing is lost by a restart of it, and its group has it no more.
fn is_away(node: &NodeSummary) -> bool {
    node.draining || matches!(node.status, Status::Unreachable | Status::Unhealthy)
}

fn judge(peer: &Peer, known: &Known<'_>, groups: &Groups<'_>) -> NodeRestart {
    let node = &peer.summary;
    let mut reasons = own_reasons(node, known);
    reasons.extend(alerts_of(node, known.alerts));
    let dependents = dependents_of(node, known);
    reasons.extend(of_dependents(&dependents, known));
    let (group, reason) = groups.one_away(node);
    reasons.extend(reason);
    reasons.sort_by_key(|reason| std::cmp::Reverse((reason.answer, reason.until)));
    let (answer, until) = worst(reasons.iter().map(|reason| (reason.answer, reason.until)));
    let neighbours = known
        .fleet
        .iter()
        .filter(|other| !peer.host.is_empty() && other.host == peer.host && other.summary.id != node.id);
    NodeRestart {
        node: node.id.clone(),
        family: node.family.clone(),
        answer,
        until,
        reasons,
        dependents: dependents.iter().map(|node| node.id.clone()).collect(),
        same_host: neighbours.map(|peer| peer.summary.id.clone()).collect(),
        group,
    }
}

fn reason(code: &str, answer: RestartAnswer, text: impl Into<String>) -> RestartReason {
    RestartReason { code: code.to_owned(), text: text.into(), answer, until: None, action: String::new() }
}

/// What a node owes itself, or why that is not known.
fn own_reasons(node: &NodeSummary, known: &Known<'_>) -> Vec<RestartReason> {
    let blind = |code: &str, text: &str| vec![reason(code, RestartAnswer::Unknown, text)];
    match node.status {
        _ if node.asked_at.is_none() => return blind("not-asked", "It was not asked yet"),
        Status::Unreachable => {
            return blind("no-answer", "It does not answer: what it owes cannot be known");
        }
        Status::Unknown => {
            return blind("no-answer", "It says nothing that can be read: what it owes cannot be known");
        }
        Status::Healthy | Status::Degraded | Status::Unhealthy => {}
    }
    let Some(Subject { family: Some(family), facts }) = (known.subject)(&node.id) else {
        return blind("no-family", "What kind of node it is has not been recognised");
    };
    // The next round may be on its way still.
    let oldest = known.at - i64::try_from(2 * node.interval_ms).unwrap_or(i64::MAX).max(5_000);
    let duties = &family.spec().duty;
    let mut reasons: Vec<RestartReason> =
        duties.iter().filter_map(|duty| duty::owed(duty, family.spec(), &facts, known.at, oldest)).collect();
    // Two duties of one fact that is missing are one question.
    reasons.dedup_by(|later, earlier| later.text == earlier.text);
    if node.fact_at.is_none_or(|at| at < oldest) {
        reasons.push(reason("old", RestartAnswer::Unknown, "What it said last is old"));
    }
    if duties.is_empty() {
        reasons.push(reason("no-duties", RestartAnswer::Yes, "Its family names nothing that it could owe"));
    }
    if node.draining {
        reasons.push(reason("draining", RestartAnswer::Yes, "It is draining: it gets no new work"));
    }
    reasons
}

/// What fires for a node. Something critical that nobody has taken is looked at first: a restart wipes its
/// traces. A node that does not answer has little to lose.
fn alerts_of(node: &NodeSummary, alerts: &[Alert]) -> Vec<RestartReason> {
    let answers = !matches!(node.status, Status::Unreachable | Status::Unknown);
    let own = alerts.iter().filter(|alert| {
        alert.state == AlertState::Firing
            && alert.node.as_ref() == Some(&node.id)
            && alert.inhibited_by.is_empty()
    });
    own.map(|alert| {
        let summary =
            alert.annotations.get("summary").map(|text| format!(": {}", text.trim_end_matches('.')));
        let summary = summary.unwrap_or_default();
        let text = format!("{} fires ({}){summary}", alert.name, alert.severity.as_str());
        if answers && alert.severity == Severity::Critical && alert.is_open() {
            let action = "Look at it first; acknowledge it if the restart is what mends it".to_owned();
            RestartReason { action, ..reason("alert", RestartAnswer::No, text) }
        } else {
            reason("alert", RestartAnswer::Yes, text)
        }
    })
    .collect()
}

/// The nodes that name this one in a label as what they depend on.
fn dependents_of<'a>(node: &NodeSummary, known: &Known<'a>) -> Vec<&'a NodeSummary> {
    let names = |other: &&NodeSummary| {
        known
            .policy
            .depends_on
            .iter()
            .filter_map(|label| other.labels.get(label))
            .any(|ids| ids.split([',', ' ']).any(|id| id == node.id))
    };
    known.fleet.iter().map(|peer| &peer.summary).filter(|other| other.id != node.id).filter(names).collect()
}

/// What nodes owe that need this one to do it.
fn of_dependents(dependents: &[&NodeSummary], known: &Known<'_>) -> Vec<RestartReason> {
    let mut reasons = Vec::new();
    for dependent in dependents {
        let owes = own_reasons(dependent, known)
            .into_iter()
            .filter(|own| matches!(own.answer, RestartAnswer::No | RestartAnswer::Wait));
        reasons.extend(owes.map(|own| RestartReason {
            code: "dependent".to_owned(),
            text: format!("{}, which depends on it: {}", dependent.id, own.text),
            ..own
        }));
    }
    if !dependents.is_empty() {
        let ids: Vec<&str> = dependents.iter().map(|node| node.id.as_str()).collect();
        let verb = if ids.len() == 1 { "depends" } else { "depend" };
        reasons.push(reason("dependents", RestartAnswer::Yes, format!("{} {verb} on it", listed(&ids))));
    }
    reasons
}

/// `a, b, c and 4 more`.
fn listed(ids: &[&str]) -> String {
    match ids.len().checked_sub(NAMED).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", ids[..NAMED].join(", ")),
        None => ids.join(", "),
    }
}

/// The labels that make a node's group.
fn key_of(node: &NodeSummary, by: &[String]) -> BTreeMap<String, String> {
    let value = |label: &String| match label.as_str() {
        "family" => node.family.clone(),
        label => node.labels.get(label).cloned().unwrap_or_default(),
    };
    by.iter().map(|label| (label.clone(), value(label))).collect()
}
