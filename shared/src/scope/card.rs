//! The picture of a link, as a chat shows it before anybody opens it: what will be drawn, and the same in words.

use super::{Inside, Scope};
use crate::health::{Status, UnixMillis};
use crate::wire::{NodeSummary, View};

/// So many nodes are named.
const NAMED: usize = 3;

/// What is drawn. Every text in it is as the viewer may read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// What the link is called.
    pub title: String,
    /// Who shares it; absent where a password is asked for.
    pub by: Option<String>,
    /// The nodes, if the link shows them.
    pub nodes: Option<CardNodes>,
}

/// How the nodes are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardNodes {
    /// How many are in each state, the worst first; none is 0.
    pub counts: Vec<(Status, usize)>,
    /// Those that are worst off, if any is not well.
    pub worst: Vec<CardNode>,
}

/// A node that is not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardNode {
    /// As the viewer knows it.
    pub name: String,
    /// Its state.
    pub status: Status,
    /// Why.
    pub words: String,
}

/// How bad a state is: the worst first.
fn place(status: Status) -> usize {
    [Status::Unreachable, Status::Unhealthy, Status::Degraded, Status::Unknown, Status::Healthy]
        .iter()
        .position(|own| *own == status)
        .unwrap_or(0)
}

impl Scope {
    /// The card of a link that anybody may open.
    pub fn card(&self, title: &str, by: &str, nodes: &[(Inside, NodeSummary)], now: UnixMillis) -> Card {
        let is_told = self.shows(View::Fleet) || self.shows(View::Node);
        Card {
            title: title.to_owned(),
            by: Some(by.to_owned()),
            nodes: is_told.then(|| {
                CardNodes::of(nodes.iter().map(|(node, summary)| self.summary(node, summary, now)).collect())
            }),
        }
    }
}

impl CardNodes {
    /// Of nodes that were cut.
    fn of(mut nodes: Vec<NodeSummary>) -> Self {
        nodes.sort_by(|a, b| (place(a.status), &a.id).cmp(&(place(b.status), &b.id)));
        let mut counts: Vec<(Status, usize)> = Vec::new();
        for node in &nodes {
            match counts.last_mut() {
                Some((status, count)) if *status == node.status => *count += 1,
                _ => counts.push((node.status, 1)),
            }
        }
        let sick = nodes.into_iter().filter(|node| node.status != Status::Healthy);
        let worst = sick.take(NAMED).map(|node| CardNode {
            name: node.id,
            status: node.status,
            words: node.reasons.into_iter().next().map(|reason| reason.text).unwrap_or_default(),
        });
        Self { counts, worst: worst.collect() }
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.counts.iter().map(|(_, count)| count).sum()
    }
}

impl Card {
    /// The card of a link that asks for a password: it tells nothing of the fleet.
    pub fn locked(title: &str) -> Self {
        Self { title: title.to_owned(), by: None, nodes: None }
    }

    /// What it says, in a sentence or two.
    pub fn in_words(&self) -> String {
        let Some(by) = &self.by else { return "A password is needed.".to_owned() };
        let shared = format!("Shared by {by}, read-only.");
        let Some(nodes) = &self.nodes else { return shared };
        let counts: Vec<String> =
            nodes.counts.iter().map(|(status, count)| format!("{count} {}", status.as_str())).collect();
        let total = match nodes.total() {
            1 => "1 node".to_owned(),
            total => format!("{total} nodes"),
        };
        match counts.as_slice() {
            [] => format!("No node just now. {shared}"),
            [_] if nodes.worst.is_empty() => format!("{total}, all well. {shared}"),
            counts => format!("{total}: {}. {shared}", counts.join(", ")),
        }
    }
}
