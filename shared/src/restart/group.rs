//! Nodes that stand in for each other: how many of them may be away at one time.

use std::collections::{BTreeMap, BTreeSet};

use super::{Peer, Policy, is_away, key_of, listed, reason};
use crate::health::Status;
use crate::wire::{NodeSummary, RestartAnswer, RestartGroup, RestartReason};

type Key = BTreeMap<String, String>;

/// Every group of the fleet.
pub(super) struct Groups<'a> {
    policy: &'a Policy,
    members: BTreeMap<Key, Vec<&'a NodeSummary>>,
}

impl<'a> Groups<'a> {
    pub(super) fn of(fleet: &'a [Peer], policy: &'a Policy) -> Self {
        let mut members: BTreeMap<Key, Vec<&NodeSummary>> = BTreeMap::new();
        for peer in fleet {
            members.entry(key_of(&peer.summary, &policy.group_by)).or_default().push(&peer.summary);
        }
        Self { policy, members }
    }

    fn may_be_down(&self, nodes: usize) -> usize {
        // What a vote of two thirds bears.
        self.policy.max_down.unwrap_or_else(|| (nodes.saturating_sub(1) / 3).max(1))
    }

    /// The group of a node, and what it says of the node's going away.
    pub(super) fn one_away(&self, node: &NodeSummary) -> (RestartGroup, Option<RestartReason>) {
        let by = key_of(node, &self.policy.group_by);
        let members = self.members.get(&by).map(Vec::as_slice).unwrap_or_default();
        let others = || members.iter().filter(|other| other.id != node.id);
        let down: Vec<&str> =
            others().filter(|other| is_away(other)).map(|other| other.id.as_str()).collect();
        let blind: Vec<&str> = others()
            .filter(|other| !is_away(other) && other.status == Status::Unknown)
            .map(|other| other.id.as_str())
            .collect();
        let may = self.may_be_down(members.len());
        let group = RestartGroup {
            by,
            nodes: members.len(),
            down: down.iter().map(|&id| id.to_owned()).collect(),
            may_be_down: may,
        };
        let say = |answer, text: String| (group.clone(), Some(reason("group", answer, text)));
        let bears = format!("{may} of the {} of its group may be away at one time", members.len());
        let away = listed(&down);
        if is_away(node) {
            // It is one of those that are away already: nothing more is lost.
            return (group, None);
        }
        if down.len() + 1 > may {
            let verb = if down.len() == 1 { "is" } else { "are" };
            return match down.is_empty() {
                true => say(RestartAnswer::No, format!("None of its group may be away: {bears}")),
                false => say(RestartAnswer::No, format!("{away} {verb} away already, and {bears}")),
            };
        }
        if down.len() + blind.len() + 1 > may && !blind.is_empty() {
            let text = format!("Whether {} work is not known, and {bears}", listed(&blind));
            return say(RestartAnswer::Unknown, text);
        }
        match (members.len(), down.is_empty()) {
            (0 | 1, _) => say(RestartAnswer::Yes, "No other node of its group stands in for it".to_owned()),
            (_, false) => say(RestartAnswer::Yes, format!("Away of its group: {away}; {bears}")),
            _ => (group, None),
        }
    }

    /// What groups say of several of their nodes going away in the same moment.
    pub(super) fn all_at_once(&self, chosen: &BTreeSet<&str>) -> Vec<RestartReason> {
        let is_chosen = |node: &NodeSummary| chosen.contains(node.id.as_str());
        let mut reasons = Vec::new();
        for (by, members) in &self.members {
            let going = members.iter().filter(|node| is_chosen(node)).count();
            let away = members.iter().filter(|node| !is_chosen(node) && is_away(node)).count();
            let may = self.may_be_down(members.len());
            // One of them alone is judged as a node.
            if going < 2 || going + away <= may {
                continue;
            }
            let name: Vec<&str> = by.values().map(String::as_str).filter(|value| !value.is_empty()).collect();
            let already = if away > 0 { format!(", besides {away} that are away") } else { String::new() };
            let text = format!(
                "{going} of the {} of {} would be away{already}, and {may} may be at one time",
                members.len(),
                name.join(", ")
            );
            reasons.push(reason("group", RestartAnswer::No, text));
        }
        reasons
    }
}
