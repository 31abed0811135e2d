//! An incident in words: its title, and the evidence as sentences with numbers.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Cause, Failure, Grouped, Phase,
    cause::{Count, Explainer},
};
use crate::{
    format::duration_ms,
    health::UnixMillis,
    wire::{Egress, EgressState, Failed, Incident},
};

/// So many of the nodes are named in order.
const NAMED: usize = 20;

/// What a list of failures has in common.
struct Story<'a> {
    explainer: &'a Explainer<'a>,
    cause: &'a Cause,
    /// The alert that most of its nodes have.
    name: &'a str,
    /// That means that they do not answer.
    silent: bool,
    /// The nodes, the first to fail first.
    order: Vec<(UnixMillis, &'a str)>,
    /// How many of them have none of its alerts any more.
    well_again: usize,
    failures: &'a [Failure],
}

/// An incident with its words. `id` is what it was known by before, if it was.
pub(super) fn told(
    explainer: &Explainer<'_>,
    id: Option<&str>,
    cause: Cause,
    failures: Vec<Failure>,
) -> Grouped {
    let story = Story::of(explainer, &cause, &failures);
    let firing = || failures.iter().filter(|own| own.phase == Phase::Firing);
    let since = failures.first().map_or(0, |own| own.at);
    let first = story.order.iter().take(NAMED);
    let incident = Incident {
        id: id.map_or_else(|| fresh_id(&cause, failures.first()), str::to_owned),
        cause: cause.kind(),
        about: about(&cause),
        title: story.title(),
        severity: firing().map(|own| own.severity).min().unwrap_or_default(),
        since,
        evidence: story.evidence(),
        nodes: u32::try_from(story.order.len()).unwrap_or(u32::MAX),
        first: first.map(|(at, node)| Failed { node: (*node).to_owned(), at: *at }).collect(),
        alerts: firing().map(|own| own.id.clone()).collect(),
    };
    Grouped { incident, cause, failures }
}

fn fresh_id(cause: &Cause, first: Option<&Failure>) -> String {
    let text = format!(
        "{}\u{0}{}\u{0}{}\u{0}{}",
        cause.kind().as_str(),
        about(cause),
        first.map_or(0, |own| own.at),
        first.map_or("", |own| own.id.as_str()),
    );
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

fn about(cause: &Cause) -> String {
    match cause {
        Cause::Host(name) | Cause::Node(name) | Cause::Network(name) => name.clone(),
        Cause::Place(_, _, value) => value.clone(),
        Cause::Release(family, version) => format!("{family} {version}"),
        Cause::Alone(_) | Cause::Fleet | Cause::Egress => String::new(),
    }
}

impl<'a> Story<'a> {
    fn of(explainer: &'a Explainer<'a>, cause: &'a Cause, failures: &'a [Failure]) -> Self {
        let mut nodes_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut first: BTreeMap<&str, UnixMillis> = BTreeMap::new();
        let mut ill: BTreeSet<&str> = BTreeSet::new();
        for own in failures {
            let nodes = nodes_of.entry(&own.name).or_default();
            let Some(node) = own.node.as_deref() else { continue };
            nodes.insert(node);
            let at = first.entry(node).or_insert(own.at);
            *at = own.at.min(*at);
            if own.phase != Phase::Over {
                ill.insert(node);
            }
        }
        // Of equally common ones the worst, then the first that began.
        let worst = |name: &str| {
            let of_it = failures.iter().filter(|own| own.name == name);
            of_it.map(|own| (own.severity, own.at)).min()
        };
        let common = nodes_of.iter().min_by_key(|(name, nodes)| (Reverse(nodes.len()), worst(name), **name));
        let name = common.map_or("", |(name, _)| *name);
        let mut order: Vec<(UnixMillis, &str)> = first.iter().map(|(node, at)| (*at, *node)).collect();
        order.sort_unstable();
        let silent = failures.iter().any(|own| own.name == name && own.silent);
        let well_again = order.len() - ill.len();
        Self { explainer, cause, name, silent, order, well_again, failures }
    }

    fn family(&self, family: &str) -> String {
        self.explainer.situation.titles.get(family).cloned().unwrap_or_else(|| family.to_owned())
    }

    /// What the nodes share, after a preposition: `on host 10.0.0.7`.
    fn sharing(&self, cause: &Cause) -> String {
        match cause {
            Cause::Host(host) => format!("on host {host}"),
            Cause::Place(_, label, value) => format!("in {label} {value}"),
            Cause::Release(family, version) => format!("with release {version} of {}", self.family(family)),
            Cause::Network(family) => format!("of {}", self.family(family)),
            Cause::Node(node) => format!("on {node}"),
            Cause::Alone(_) | Cause::Fleet | Cause::Egress => "of the fleet".to_owned(),
        }
    }

    fn title(&self) -> String {
        let name = self.name;
        match self.cause {
            Cause::Egress => "Fleetglass cannot reach the network".to_owned(),
            Cause::Host(host) if self.silent => format!("Host {host} does not answer"),
            Cause::Place(_, label, value) if self.silent => {
                format!("{} {value} does not answer", capital(label))
            }
            Cause::Fleet if self.silent => "Nearly all nodes stopped answering".to_owned(),
            Cause::Fleet => format!("{name} on nearly all nodes"),
            Cause::Network(family) if self.silent => {
                format!("Nodes of {} stopped answering", self.family(family))
            }
            Cause::Network(family) => format!("{name} across the network of {}", self.family(family)),
            Cause::Release(..) if self.silent => format!("Nodes {} do not answer", self.sharing(self.cause)),
            Cause::Node(node) if self.silent => format!("{node} does not answer"),
            Cause::Node(node) => {
                format!(
                    "{} alerts began together on {node}",
                    crate::format::count(self.failures.len() as f64)
                )
            }
            Cause::Alone(_) => match self.order.first() {
                Some((_, node)) => format!("{name} on {node}"),
                None => name.to_owned(),
            },
            cause => format!("{name} {}", self.sharing(cause)),
        }
    }

    fn evidence(&self) -> Vec<String> {
        let mut said = Vec::new();
        match self.cause {
            Cause::Alone(_) => {
                said.push("Nothing else began at the same time that it shares a cause with.".to_owned());
            }
            Cause::Node(node) => {
                let names: BTreeSet<&str> = self.failures.iter().map(|own| own.name.as_str()).collect();
                let names: Vec<&str> = names.into_iter().collect();
                said.push(format!("{} began on {node} {}.", listed(&names), self.within()));
                said.push(
                    "No other node that it shares a host, a region or a release with explains it.".to_owned(),
                );
            }
            Cause::Egress => {
                let all = self.explainer.situation.members.len();
                if !self.order.is_empty() {
                    said.push(format!(
                        "{} of {} stopped answering {}.",
                        self.order.len(),
                        nodes(all),
                        self.within()
                    ));
                }
                said.extend(looked(&self.explainer.situation.egress));
                said.push(
                    "Until it is back nothing is known of the nodes, and that they are not reached is not told of each."
                        .to_owned(),
                );
            }
            _ => self.shared(&mut said),
        }
        if self.well_again > 0 {
            said.push(format!("{} of them {} well again.", self.well_again, are(self.well_again)));
        }
        said
    }

    /// The evidence for a cause that nodes share.
    fn shared(&self, said: &mut Vec<String>) {
        let named: BTreeSet<&str> = self
            .failures
            .iter()
            .filter(|own| own.name == self.name)
            .filter_map(|own| own.node.as_deref())
            .collect();
        let own = self.explainer.count(self.name, self.cause);
        let did = if self.silent { "stopped answering".to_owned() } else { format!("got {}", self.name) };
        said.push(format!(
            "{} of {} {} {did} {}.",
            named.len(),
            nodes(own.all),
            self.sharing(self.cause),
            self.within()
        ));
        let earlier = own.failed.saturating_sub(named.len());
        if earlier > 0 {
            said.push(format!("{earlier} more had it at another time."));
        }
        let rest = self.explainer.rest(self.name, self.cause);
        said.extend(self.elsewhere(rest));
        said.extend(self.began());
        said.extend(self.led());
        said.extend(self.besides(&named));
        let egress = &self.explainer.situation.egress;
        let began = self.failures.first().map_or(0, |own| own.at) - self.explainer.situation.together_ms;
        if self.silent && egress.checked_at.is_some_and(|at| at >= began) {
            said.extend(looked(egress));
        }
    }

    fn elsewhere(&self, rest: Count) -> Option<String> {
        let Count { all, failed } = rest;
        let place = match self.cause {
            Cause::Release(family, _) => format!("of {} with another release", self.family(family)),
            Cause::Network(_) => "of other families".to_owned(),
            Cause::Fleet => return None,
            _ => "elsewhere".to_owned(),
        };
        Some(match all {
            0 => format!("There are no nodes {place} to compare with."),
            _ => format!("{failed} of {} {place} did.", nodes(all)),
        })
    }

    /// How close together they began.
    fn within(&self) -> String {
        let times = || self.failures.iter().map(|own| own.at);
        let span = times().max().unwrap_or(0) - times().min().unwrap_or(0);
        match span {
            ..1000 => "at the same moment".to_owned(),
            _ => format!("within {}", duration_ms((span + 999) / 1000 * 1000)),
        }
    }

    /// Who was first.
    fn began(&self) -> Option<String> {
        let [(first_at, first), (next_at, next), ..] = self.order.as_slice() else { return None };
        Some(match next_at - first_at {
            ..1000 => {
                format!("Which was first cannot be told: {first} and {next} were seen to fail at one moment.")
            }
            ahead => format!("{first} was the first, {} before {next}.", duration_ms(ahead)),
        })
    }

    /// Whether the first to fail were all nodes of something narrower: where it began.
    fn led(&self) -> Option<String> {
        let leader = self.explainer.member(self.order.first()?.1)?;
        let mut narrower = Cause::shared_by(leader);
        narrower.retain(|cause| cause.width() < self.cause.width());
        narrower.sort();
        narrower.into_iter().find_map(|cause| {
            let shares = |(_, node): &&(UnixMillis, &str)| {
                self.explainer.member(node).is_some_and(|member| Cause::shared_by(member).contains(&cause))
            };
            let run = self.order.iter().take_while(shares).count();
            let own = self.explainer.count(self.name, &cause);
            let before_others = self.order.get(run)?.0 > self.order.get(run.checked_sub(1)?)?.0;
            (run >= 2 && run == own.all && before_others)
                .then(|| format!("The first {run} to fail were all nodes {}.", self.sharing(&cause)))
        })
    }

    /// Something wider that the very same nodes share: it cannot be told apart.
    fn besides(&self, named: &BTreeSet<&str>) -> Option<String> {
        let first = self.explainer.member(named.first()?)?;
        let own = self.explainer.count(self.name, self.cause);
        let mut wider = Cause::shared_by(first);
        wider.retain(|cause| cause.width() > self.cause.width() && *cause != Cause::Fleet);
        wider.sort();
        let cause = wider.into_iter().find(|cause| {
            let count = self.explainer.count(self.name, cause);
            let all_share = named.iter().all(|node| {
                self.explainer.member(node).is_some_and(|member| Cause::shared_by(member).contains(cause))
            });
            all_share && count == own && self.explainer.holds(cause, self.name, self.silent)
        })?;
        Some(format!("They are also all nodes {}, so it may be that.", self.sharing(&cause)))
    }
}

/// What was looked at to find our own way out.
fn looked(egress: &Egress) -> Option<String> {
    egress.checked_at?;
    let probes: Vec<String> =
        egress.probes.iter().map(|probe| format!("{}: {}", probe.of, probe.text)).collect();
    let probes = if probes.is_empty() { "nothing could be looked at".to_owned() } else { probes.join("; ") };
    Some(match egress.state {
        EgressState::Up => format!("Our own way out is there ({probes})."),
        EgressState::Down => format!("Our own way out is gone ({probes})."),
        EgressState::Unknown => format!("Whether our own way out is there cannot be told ({probes})."),
    })
}

fn nodes(count: usize) -> String {
    format!("{count} {}", if count == 1 { "node" } else { "nodes" })
}

fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// `A`, `A and B`, `A, B and C`.
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
