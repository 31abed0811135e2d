//! Maintenance windows of the config on status pages: when, and which nodes of the page. What they are called and why is
//! for those who work here; readers are told what the config says for them.

use std::collections::BTreeSet;

use fleetglass_shared::{
    health::UnixMillis,
    labels::LabelSet,
    maintenance::{Span, Window},
    wire::{Impact, NodeSummary, PostKind, PostState, StatusPost, StatusUpdate},
};

use super::{
    board::{Facts, Part},
    post::{Names, tells_no_more},
};

/// A window is shown from so long before it begins.
const AHEAD_MS: i64 = 14 * 86_400_000;
const MOST_AFFECTED: usize = 100;
const TITLE: &str = "Planned maintenance";

/// A window as readers read it.
pub(super) struct Planned {
    pub(super) post: StatusPost,
    /// The nodes of the page that it is about, as readers know them.
    pub(super) nodes: BTreeSet<String>,
}

/// The windows that are about nodes of a page, now or soon.
pub(super) fn planned(facts: &Facts<'_>, parts: &[Part]) -> Vec<Planned> {
    let Facts { share, now, .. } = *facts;
    let scope = share.scope();
    let inside: Vec<(String, LabelSet)> = facts
        .members
        .iter()
        .filter_map(|(node, host)| Some((scope.inside(node, host.as_deref())?.shown, labels(node))))
        .collect();
    let shown = |window: &Window| {
        let span = window.next(now).filter(|_| window.on_status_pages)?;
        if span.start.is_some_and(|start| start > now.saturating_add(AHEAD_MS)) {
            return None;
        }
        let about = inside.iter().filter(|(_, labels)| window.covers(labels));
        let nodes: BTreeSet<String> = about.map(|(name, _)| name.clone()).collect();
        (!nodes.is_empty()).then(|| Planned { post: post(facts, parts, window, span, &nodes), nodes })
    };
    facts.windows.iter().filter_map(shown).collect()
}

/// The labels that alerts about a node have of it.
fn labels(node: &NodeSummary) -> LabelSet {
    let own = node.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    LabelSet::from_pairs([("instance", node.id.as_str()), ("job", &node.family)].into_iter().chain(own))
}

fn post(
    facts: &Facts<'_>,
    parts: &[Part],
    window: &Window,
    span: Span,
    nodes: &BTreeSet<String>,
) -> StatusPost {
    let (now, Span { start, end }) = (facts.now, span);
    // Its name may tell more than readers may know, so nothing is made of it that leads back to it.
    let id = facts.share.scope().alert_id(&format!("maintenance {} {start:?}", window.name));
    let has_begun = start.is_none_or(|start| start <= now);
    let text = readable(facts, parts, &window.status_text);
    let update = |number: u8, at: UnixMillis, state: PostState, text: String| StatusUpdate {
        id: format!("{id}{number}"),
        at,
        state,
        text,
        by: String::new(),
    };
    let mut updates = Vec::new();
    if let Some(start) = start {
        let words = if text.is_empty() { "Maintenance is planned.".to_owned() } else { text };
        updates.push(update(0, start.saturating_sub(AHEAD_MS), PostState::Scheduled, words));
        if has_begun {
            let words = "The maintenance has begun.".to_owned();
            updates.insert(0, update(1, start, PostState::InProgress, words));
        }
    }
    StatusPost {
        kind: PostKind::Maintenance,
        title: TITLE.to_owned(),
        impact: Impact::None,
        affects: affected(parts, nodes, facts.share.grouping().1),
        state: if has_begun { PostState::InProgress } else { PostState::Scheduled },
        starts_at: start,
        ends_at: end,
        created_at: updates.last().map_or(now, |first| first.at),
        updates,
        id,
    }
}

/// Groups of which all nodes are meant, and single nodes; where nodes are not shown, groups of which any is.
fn affected(parts: &[Part], nodes: &BTreeSet<String>, groups_only: bool) -> Vec<String> {
    let mut names = Vec::new();
    for part in parts {
        let meant = part.nodes.iter().filter(|node| nodes.contains(&node.name));
        if part.nodes.is_empty() {
            names.extend(Some(&part.name).filter(|name| nodes.contains(*name)).cloned());
        } else if meant.clone().count() == part.nodes.len() || groups_only && meant.clone().next().is_some() {
            names.push(part.name.clone());
        } else if !groups_only {
            names.extend(meant.map(|node| node.name.clone()));
        }
    }
    names.truncate(MOST_AFFECTED);
    names
}

/// What the config says to readers; nothing where it names a node that those of this page do not know.
fn readable(facts: &Facts<'_>, parts: &[Part], text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let groups_only = facts.share.grouping().1;
    let known: BTreeSet<&String> = parts
        .iter()
        .flat_map(|part| std::iter::once(part).chain(part.nodes.iter().filter(|_| !groups_only)))
        .map(|part| &part.name)
        .collect();
    let ids = facts.members.iter().map(|(node, _)| node.id.clone());
    let names = Names { parts: Vec::new(), hidden: ids.filter(|id| !known.contains(id)).collect() };
    tells_no_more("status_text", text, &names).map_or_else(|_| String::new(), |()| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{super::board::Health, *};

    fn part(name: &str, nodes: &[&str]) -> Part {
        let nodes: Vec<Part> = nodes.iter().map(|name| part(name, &[])).collect();
        Part { name: name.to_owned(), health: Health::Up, days: Vec::new(), count: nodes.len().max(1), nodes }
    }

    #[test]
    fn groups_stand_for_their_nodes_where_all_are_meant_or_none_is_shown() {
        let parts = [part("eu", &["a", "b"]), part("us", &["c", "d"]), part("e", &[])];
        let names = |nodes: &[&str], groups_only| {
            affected(&parts, &nodes.iter().map(|&name| name.to_owned()).collect(), groups_only).join(" ")
        };
        assert_eq!(names(&["a", "b", "c"], false), "eu c");
        assert_eq!(names(&["a", "c"], true), "eu us");
        assert_eq!(names(&["e"], false), "e");
        assert_eq!(names(&["z"], false), "");
    }
}
