//! What a status page shows, worked out from the nodes that its link lets out and from nothing else.

use std::collections::{BTreeMap, BTreeSet};

use fleetglass_shared::{
    health::{Status, UnixMillis},
    maintenance::Window,
    scope::{Inside, Scope},
    status::{DAY_MS, DAYS, DayTally, day_of, state_at},
    wire::{NodeSummary, PostKind, PostState, StatusPart, StatusPost},
};

use super::planned::planned as by_config;
use crate::{share::OpenShare, state::uptime::History};

/// What nodes without the label of the groups are called together.
const REST: &str = "Other";
/// Posts that are over are shown for as long as days are.
const PAST_MS: i64 = DAYS as i64 * DAY_MS;
const MOST_PAST: usize = 50;

/// How a node or a group does, as a reader reads it. The worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Health {
    Up,
    Maintenance,
    Unknown,
    Degraded,
    /// Some nodes of a group are down.
    Partly,
    Down,
}

impl Health {
    fn of(status: Status, is_offline: bool) -> Self {
        match status {
            Status::Healthy => Self::Up,
            Status::Degraded => Self::Degraded,
            // Whoever has no network knows nothing of others.
            Status::Unreachable if is_offline => Self::Unknown,
            Status::Unhealthy | Status::Unreachable => Self::Down,
            Status::Unknown => Self::Unknown,
        }
    }

    fn of_all(nodes: &[Part]) -> Self {
        let any = |health: Self| nodes.iter().any(|node| node.health == health);
        let all = |health: Self| !nodes.is_empty() && nodes.iter().all(|node| node.health == health);
        match () {
            () if all(Self::Down) => Self::Down,
            () if any(Self::Down) => Self::Partly,
            () if any(Self::Degraded) => Self::Degraded,
            () if any(Self::Up) => Self::Up,
            () if any(Self::Maintenance) => Self::Maintenance,
            () => Self::Unknown,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Up => "Up",
            Self::Maintenance => "Maintenance",
            Self::Unknown => "No data",
            Self::Degraded => "Degraded",
            Self::Partly => "Partly down",
            Self::Down => "Down",
        }
    }

    /// Its name in `summary.json`, and its class in the style sheet.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Maintenance => "maintenance",
            Self::Unknown => "unknown",
            Self::Degraded => "degraded",
            Self::Partly => "partly",
            Self::Down => "down",
        }
    }

    pub(super) fn shape(self) -> &'static str {
        match self {
            Self::Up => "●",
            Self::Maintenance => "◆",
            Self::Unknown => "○",
            Self::Degraded => "▲",
            Self::Partly => "◐",
            Self::Down => "■",
        }
    }
}

/// A node or a group.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) health: Health,
    /// From [`Board::first_day`] on.
    pub(super) days: Vec<DayTally>,
    /// How many nodes it stands for.
    pub(super) count: usize,
    /// The nodes of a group, where they are shown.
    pub(super) nodes: Vec<Part>,
}

impl Part {
    pub(super) fn total(&self) -> DayTally {
        self.days.iter().copied().fold(DayTally::default(), DayTally::plus)
    }
}

/// A whole page.
#[derive(Clone, Debug)]
pub(super) struct Board {
    pub(super) slug: String,
    pub(super) title: String,
    pub(super) by: String,
    pub(super) at: UnixMillis,
    pub(super) first_day: i64,
    /// The worst of it: the colour of the sentence.
    pub(super) health: Health,
    pub(super) sentence: String,
    pub(super) is_grouped: bool,
    pub(super) parts: Vec<Part>,
    /// Incidents that are not over, the newest first.
    pub(super) open: Vec<StatusPost>,
    /// Maintenances that are not over, the next first.
    pub(super) planned: Vec<StatusPost>,
    /// What is over, the newest first.
    pub(super) past: Vec<StatusPost>,
}

/// What a page is worked out from.
pub(super) struct Facts<'a> {
    pub(super) share: &'a OpenShare,
    /// Every node of the fleet, with its host.
    pub(super) members: Vec<(NodeSummary, Option<String>)>,
    pub(super) history: &'a History,
    pub(super) posts: &'a [StatusPost],
    /// The maintenance windows of the config.
    pub(super) windows: &'a [Window],
    /// Since when we have no network ourselves.
    pub(super) offline_since: Option<UnixMillis>,
    pub(super) now: UnixMillis,
}

impl Board {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let Facts { share, history, now, .. } = *facts;
        let scope = share.scope();
        let floor = ((day_of(now) - DAYS as i64 + 1) * DAY_MS).max(scope.oldest(now));
        let (_, groups_only) = share.grouping();
        let mut parts =
            parts(share, &facts.members, now, facts.offline_since.is_some(), |id| history.days(id, floor));
        let is_grouped = share.grouping().0.is_some();
        let known = names_in(&parts);
        let told = told(facts.posts, &known, scope, now);
        let is = |kind: PostKind, over: bool| {
            move |post: &&StatusPost| post.kind == kind && post.state.is_over() == over
        };
        let open: Vec<_> = told.iter().filter(is(PostKind::Incident, false)).cloned().collect();
        let mut planned: Vec<_> = told.iter().filter(is(PostKind::Maintenance, false)).cloned().collect();
        let by_config = by_config(facts, &parts);
        planned.extend(by_config.iter().map(|own| own.post.clone()));
        planned.sort_by_key(|post| post.starts_at);
        let mut past: Vec<_> = told.into_iter().filter(|post| post.state.is_over()).collect();
        past.truncate(MOST_PAST);
        let worked_on: BTreeSet<&String> = planned
            .iter()
            .filter(|post| post.state == PostState::InProgress)
            .filter(|post| by_config.iter().all(|own| own.post.id != post.id))
            .flat_map(|post| &post.affects)
            .chain(
                by_config
                    .iter()
                    .filter(|own| own.post.state == PostState::InProgress)
                    .flat_map(|own| &own.nodes),
            )
            .collect();
        parts.iter_mut().for_each(|part| mark(part, &worked_on));
        let sentence = sentence(&parts, groups_only, facts.offline_since, open.len());
        let worst = parts.iter().map(|part| part.health).max().unwrap_or(Health::Unknown);
        let health = match () {
            () if facts.offline_since.is_some() => Health::Unknown,
            () if worst == Health::Up && !open.is_empty() => Health::Degraded,
            () => worst,
        };
        if groups_only {
            parts.iter_mut().for_each(|part| part.nodes.clear());
        }
        let told_with = share.shared_with();
        Self {
            slug: share.slug().unwrap_or_default().to_owned(),
            title: told_with.title,
            by: told_with.by,
            at: now,
            first_day: day_of(floor),
            health,
            sentence,
            is_grouped,
            parts,
            open,
            planned,
            past,
        }
    }

    /// Every post that is shown.
    pub(super) fn posts(&self) -> impl Iterator<Item = &StatusPost> {
        self.open.iter().chain(&self.planned).chain(&self.past)
    }
}

/// The parts of a page by name, as readers know them.
pub(super) fn names(
    share: &OpenShare,
    members: &[(NodeSummary, Option<String>)],
    now: UnixMillis,
) -> Vec<StatusPart> {
    let groups_only = share.grouping().1;
    let named = |part: Part| StatusPart {
        name: part.name,
        nodes: if groups_only { Vec::new() } else { part.nodes.into_iter().map(|node| node.name).collect() },
    };
    parts(share, members, now, false, |_| Vec::new()).into_iter().map(named).collect()
}

/// The name of each node inside, by its id.
pub(super) fn shown(
    share: &OpenShare,
    members: &[(NodeSummary, Option<String>)],
) -> BTreeMap<String, Inside> {
    let inside = |(node, host): &(NodeSummary, Option<String>)| share.scope().inside(node, host.as_deref());
    members.iter().filter_map(inside).map(|node| (node.id.clone(), node)).collect()
}

fn names_in(parts: &[Part]) -> BTreeSet<String> {
    parts
        .iter()
        .flat_map(|part| std::iter::once(part).chain(&part.nodes))
        .map(|part| part.name.clone())
        .collect()
}

fn parts(
    share: &OpenShare,
    members: &[(NodeSummary, Option<String>)],
    now: UnixMillis,
    is_offline: bool,
    days: impl Fn(&str) -> Vec<DayTally>,
) -> Vec<Part> {
    let (scope, (group_by, _)) = (share.scope(), share.grouping());
    let mut nodes: Vec<(Option<String>, Part)> = Vec::new();
    for (node, host) in members {
        let Some(inside) = scope.inside(node, host.as_deref()) else { continue };
        let cut = scope.summary(&inside, node, now);
        let group = group_by.map(|label| match label {
            "family" => cut.family.clone(),
            _ => cut.labels.get(label).cloned().unwrap_or_default(),
        });
        let part = Part {
            name: cut.id,
            health: Health::of(cut.status, is_offline),
            days: days(&inside.id),
            count: 1,
            nodes: Vec::new(),
        };
        nodes.push((group, part));
    }
    nodes.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    let mut groups: BTreeMap<(bool, String), Vec<Part>> = BTreeMap::new();
    let mut alone = Vec::new();
    for (group, part) in nodes {
        match group {
            None => alone.push(part),
            // Those without a group come last.
            Some(name) => groups.entry((name.is_empty(), name)).or_default().push(part),
        }
    }
    let group = |((_, name), nodes): ((bool, String), Vec<Part>)| Part {
        name: if name.is_empty() { REST.to_owned() } else { name },
        health: Health::of_all(&nodes),
        days: summed(&nodes),
        count: nodes.len(),
        nodes,
    };
    alone.into_iter().chain(groups.into_iter().map(group)).collect()
}

fn summed(nodes: &[Part]) -> Vec<DayTally> {
    let longest = nodes.iter().map(|node| node.days.len()).max().unwrap_or_default();
    let mut sum = vec![DayTally::default(); longest];
    for node in nodes {
        for (sum, day) in sum.iter_mut().zip(&node.days) {
            *sum = sum.plus(*day);
        }
    }
    sum
}

/// Who is worked on is neither up nor down, and of a group that is worked on all nodes are.
fn mark(part: &mut Part, worked_on: &BTreeSet<&String>) {
    if worked_on.contains(&part.name) {
        part.health = Health::Maintenance;
        part.nodes.iter_mut().for_each(|node| node.health = Health::Maintenance);
    } else if !part.nodes.is_empty() {
        part.nodes.iter_mut().for_each(|node| mark(node, worked_on));
        part.health = Health::of_all(&part.nodes);
    }
}

/// Posts as readers may read them: by the state that they are in now, with the names that are on the page.
pub(super) fn told(
    posts: &[StatusPost],
    known: &BTreeSet<String>,
    scope: &Scope,
    now: UnixMillis,
) -> Vec<StatusPost> {
    let oldest = scope.oldest(now).max(now - PAST_MS);
    let cut = |post: &StatusPost| {
        let state = state_at(post, now);
        let at = post.updates.first().map_or(post.created_at, |update| update.at);
        let is_shown = !state.is_over() || at >= oldest;
        is_shown.then(|| {
            let mut post = post.clone();
            post.state = state;
            post.affects.retain(|name| known.contains(name));
            post.updates.iter_mut().for_each(|update| update.by.clear());
            post
        })
    };
    posts.iter().filter_map(cut).collect()
}

fn sentence(parts: &[Part], groups_only: bool, offline_since: Option<UnixMillis>, open: usize) -> String {
    if let Some(since) = offline_since {
        let since = fleetglass_shared::status::moment_name(since);
        return format!(
            "The monitoring itself has no network since {since}; nothing is known of the time after"
        );
    }
    let leaves: Vec<Health> = match groups_only {
        true => parts.iter().map(|part| part.health).collect(),
        false => parts
            .iter()
            .flat_map(|part| if part.nodes.is_empty() { std::slice::from_ref(part) } else { &part.nodes })
            .map(|part| part.health)
            .collect(),
    };
    let (one, many) = if groups_only { ("group", "groups") } else { ("node", "nodes") };
    let all = leaves.len();
    let count = |health: Health| leaves.iter().filter(|leaf| **leaf == health).count();
    let (down, partly, degraded) = (count(Health::Down), count(Health::Partly), count(Health::Degraded));
    let (unknown, maintenance) = (count(Health::Unknown), count(Health::Maintenance));
    let of = |n: usize, word: &str| {
        let verb = if n == 1 { "is" } else { "are" };
        format!("{n} of {all} {many} {verb} {word}")
    };
    let mut words = match () {
        () if all == 0 => return "There is nothing to show yet".to_owned(),
        () if unknown == all => return "Nothing is known yet".to_owned(),
        () if all == 1 && down == 1 => format!("The {one} is down"),
        () if all == 1 && partly == 1 => format!("The {one} is partly down"),
        () if all == 1 && degraded == 1 => format!("The {one} is degraded"),
        () if all == 1 && maintenance == 1 => format!("The {one} is in maintenance"),
        () if all == 1 => format!("The {one} is up"),
        () if down == all => format!("All {all} {many} are down"),
        () if down > 0 => of(down, "down"),
        () if partly > 0 => of(partly, "partly down"),
        () if degraded > 0 => of(degraded, "degraded"),
        () if unknown > 0 => {
            format!("{} of {all} {many} are up, nothing is known of the others", all - unknown)
        }
        () if maintenance == all => format!("All {all} {many} are in maintenance"),
        () if maintenance > 0 => {
            format!("{} of {all} {many} are up, {maintenance} in maintenance", all - maintenance)
        }
        () => format!("All {all} {many} are up"),
    };
    if down > 0 && down < all && partly + degraded > 0 {
        words += &format!(", {} degraded", partly + degraded);
    }
    match open {
        0 => words,
        1 => words + "; one incident is open",
        n => words + &format!("; {n} incidents are open"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(health: Health) -> Part {
        Part { name: "n".to_owned(), health, days: Vec::new(), count: 1, nodes: Vec::new() }
    }

    fn say(healths: &[Health], open: usize) -> String {
        let parts: Vec<Part> = healths.iter().map(|health| node(*health)).collect();
        sentence(&parts, false, None, open)
    }

    #[test]
    fn one_sentence_says_how_it_is() {
        use Health::{Degraded, Down, Unknown, Up};
        assert_eq!(say(&[], 0), "There is nothing to show yet");
        assert_eq!(say(&[Unknown, Unknown], 3), "Nothing is known yet");
        assert_eq!(say(&[Up], 0), "The node is up");
        assert_eq!(say(&[Up, Up], 0), "All 2 nodes are up");
        assert_eq!(say(&[Up, Up], 1), "All 2 nodes are up; one incident is open");
        assert_eq!(say(&[Up, Down, Up], 0), "1 of 3 nodes is down");
        assert_eq!(
            say(&[Up, Down, Degraded, Down], 2),
            "2 of 4 nodes are down, 1 degraded; 2 incidents are open"
        );
        assert_eq!(say(&[Up, Unknown, Up], 0), "2 of 3 nodes are up, nothing is known of the others");
        assert_eq!(say(&[Up, Health::Maintenance], 0), "1 of 2 nodes are up, 1 in maintenance");
        assert_eq!(say(&[Down, Down], 0), "All 2 nodes are down");
    }

    #[test]
    fn a_group_is_down_when_all_of_it_is() {
        use Health::{Degraded, Down, Partly, Unknown, Up};
        let of = |healths: &[Health]| {
            Health::of_all(&healths.iter().map(|health| node(*health)).collect::<Vec<_>>())
        };
        assert_eq!(of(&[Down, Down]), Down);
        assert_eq!(of(&[Down, Up]), Partly);
        assert_eq!(of(&[Degraded, Up, Unknown]), Degraded);
        assert_eq!(of(&[Unknown, Up]), Up);
        assert_eq!(of(&[]), Unknown);
    }
}
