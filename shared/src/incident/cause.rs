//! The causes that an incident can have, and which of them explains a burst of failures.
//!
//! A cause explains nodes that share something and all have one kind of alert. It is held to be contradicted when
//! nodes that share it too are well: any of a host, more than one in ten of a region or a release, more than one
//! in five of a network. A release is suspected only when nearly all nodes of the family's other releases are
//! well, a place only when there are nodes elsewhere and most of them are.

use std::collections::{BTreeMap, BTreeSet};

use super::{Failure, Member, PLACES, Situation};
use crate::wire::CauseKind;

/// A cause. Ordered from narrow to wide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// An alert alone, by its id.
    Alone(String),
    /// One node.
    Node(String),
    /// One host.
    Host(String),
    /// A place: how narrow it is among the labels of places, the label, its value.
    Place(usize, String, String),
    /// One release of a family.
    Release(String, String),
    /// A family's network.
    Network(String),
    /// Nearly everything.
    Fleet,
    /// Our own way out.
    Egress,
}

impl Cause {
    /// Its kind on the wire.
    pub fn kind(&self) -> CauseKind {
        match self {
            Self::Alone(_) => CauseKind::Alone,
            Self::Node(_) => CauseKind::Node,
            Self::Host(_) => CauseKind::Host,
            Self::Place(..) => CauseKind::Region,
            Self::Release(..) => CauseKind::Release,
            Self::Network(_) => CauseKind::Network,
            Self::Fleet => CauseKind::Fleet,
            Self::Egress => CauseKind::Egress,
        }
    }

    /// How much of the fleet such a cause is about; more is wider.
    pub(super) fn width(&self) -> (u8, usize) {
        match self {
            Self::Alone(_) => (0, 0),
            Self::Node(_) => (1, 0),
            Self::Host(_) => (2, 0),
            Self::Place(narrow, ..) => (3, *narrow),
            Self::Release(..) => (4, 0),
            Self::Network(_) => (5, 0),
            Self::Fleet => (6, 0),
            Self::Egress => (7, 0),
        }
    }

    /// The causes that a node may share with others.
    pub(super) fn shared_by(member: &Member) -> Vec<Self> {
        let mut causes = vec![Self::Network(member.family.clone()), Self::Fleet];
        causes.extend(member.host.clone().map(Self::Host));
        causes.extend(member.version.clone().map(|version| Self::Release(member.family.clone(), version)));
        causes.extend(member.places.iter().map(|(label, value)| {
            let narrow = PLACES.iter().position(|place| place == label).unwrap_or(PLACES.len());
            Self::Place(narrow, label.clone(), value.clone())
        }));
        causes
    }

    /// The wider cause whose other nodes it is held against.
    fn around(&self) -> Self {
        match self {
            Self::Release(family, _) => Self::Network(family.clone()),
            _ => Self::Fleet,
        }
    }
}

/// Failures and what explains them.
pub(super) struct Found {
    pub(super) cause: Cause,
    pub(super) failures: Vec<Failure>,
}

/// How many nodes have an alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Those that bear witness.
    pub(super) all: usize,
    /// Those that have the alert.
    pub(super) failed: usize,
}

impl Count {
    fn well(self) -> usize {
        self.all - self.failed
    }
}

/// What the whole fleet bears witness to.
pub(super) struct Explainer<'a> {
    pub(super) situation: &'a Situation,
    members: BTreeMap<&'a str, &'a Member>,
    /// How many nodes that know how they are share a cause.
    known: BTreeMap<Cause, usize>,
    /// Of those that share a cause, how many have an alert of a name, and how many of these do not know how
    /// they are otherwise.
    failed: BTreeMap<&'a str, BTreeMap<Cause, (usize, usize)>>,
}

/// Something that may explain: the nodes of the burst it would explain, as long as they are free.
struct Candidate<'a> {
    cause: Cause,
    nodes: BTreeSet<&'a str>,
}

impl<'a> Explainer<'a> {
    /// `failures` are all there are, whatever incident they belong to.
    pub(super) fn new(situation: &'a Situation, failures: &'a [Failure]) -> Self {
        let members: BTreeMap<&str, &Member> =
            situation.members.iter().map(|member| (member.id.as_str(), member)).collect();
        let mut known: BTreeMap<Cause, usize> = BTreeMap::new();
        for member in members.values().filter(|member| member.is_known) {
            for cause in Cause::shared_by(member) {
                *known.entry(cause).or_default() += 1;
            }
        }
        let mut nodes: BTreeSet<(&str, &str)> = BTreeSet::new();
        let mut failed: BTreeMap<&str, BTreeMap<Cause, (usize, usize)>> = BTreeMap::new();
        for own in failures {
            let Some(member) = own.node.as_deref().and_then(|node| members.get(node)) else { continue };
            if nodes.insert((&own.name, &member.id)) {
                let of_name = failed.entry(&own.name).or_default();
                for cause in Cause::shared_by(member) {
                    let count = of_name.entry(cause).or_default();
                    count.0 += 1;
                    count.1 += usize::from(!member.is_known);
                }
            }
        }
        Self { situation, members, known, failed }
    }

    /// Every failure of a burst with what explains it.
    pub(super) fn explain(&self, burst: &[Failure]) -> Vec<Found> {
        let mut free: BTreeSet<&str> = burst
            .iter()
            .filter_map(|own| own.node.as_deref())
            .filter(|node| self.members.contains_key(node))
            .collect();
        let mut candidates = self.candidates(burst);
        let mut cause_of: BTreeMap<&str, Cause> = BTreeMap::new();
        loop {
            for candidate in &mut candidates {
                candidate.nodes.retain(|node| free.contains(node));
            }
            candidates.retain(|candidate| candidate.nodes.len() >= least(&candidate.cause));
            let Some(best) = best(&candidates) else { break };
            for node in &best.nodes {
                free.remove(node);
                cause_of.insert(node, best.cause.clone());
            }
        }
        let mut found: BTreeMap<Cause, Vec<Failure>> = BTreeMap::new();
        let mut of_node: BTreeMap<&str, usize> = BTreeMap::new();
        for node in burst.iter().filter_map(|own| own.node.as_deref()) {
            *of_node.entry(node).or_default() += 1;
        }
        let shared: BTreeSet<&Cause> = cause_of.values().collect();
        for own in burst {
            let cause = match own.node.as_deref() {
                Some(node) => match cause_of.get(node) {
                    Some(cause) => cause.clone(),
                    None if of_node.get(node).is_some_and(|count| *count > 1) => Cause::Node(node.to_owned()),
                    None => Cause::Alone(own.id.clone()),
                },
                // It says of a family what others of the burst say of its nodes.
                None => own
                    .family
                    .clone()
                    .map(Cause::Network)
                    .filter(|cause| shared.contains(cause))
                    .unwrap_or_else(|| Cause::Alone(own.id.clone())),
            };
            found.entry(cause).or_default().push(own.clone());
        }
        found.into_iter().map(|(cause, failures)| Found { cause, failures }).collect()
    }

    fn candidates<'b>(&self, burst: &'b [Failure]) -> Vec<Candidate<'b>>
    where
        'a: 'b,
    {
        let mut nodes: BTreeMap<(&str, Cause), BTreeSet<&str>> = BTreeMap::new();
        let mut silent: BTreeSet<&str> = BTreeSet::new();
        for own in burst {
            let Some(member) = own.node.as_deref().and_then(|node| self.members.get(node)) else { continue };
            if own.silent {
                silent.insert(&own.name);
            }
            for cause in Cause::shared_by(member) {
                nodes.entry((&own.name, cause)).or_default().insert(&member.id);
            }
        }
        nodes
            .into_iter()
            .filter(|((name, cause), nodes)| {
                nodes.len() >= least(cause) && self.holds(cause, name, silent.contains(name))
            })
            .map(|((_, cause), nodes)| Candidate { cause, nodes })
            .collect()
    }

    /// Whether healthy nodes leave a cause standing.
    pub(super) fn holds(&self, cause: &Cause, name: &str, silent: bool) -> bool {
        let (own, rest) = (self.count(name, cause), self.rest(name, cause));
        match cause {
            Cause::Host(_) => own.well() == 0,
            Cause::Place(..) => own.well() * 10 <= own.all && rest.failed * 2 < rest.all,
            Cause::Release(..) => own.well() * 10 <= own.all && rest.all > 0 && rest.failed * 10 <= rest.all,
            // Nodes that are silent are no sign of trouble in their network, unless others are heard.
            Cause::Network(_) => {
                own.well() * 5 <= own.all && (!silent || (rest.all > 0 && rest.failed * 2 < rest.all))
            }
            Cause::Fleet => own.well() * 5 <= own.all,
            Cause::Alone(_) | Cause::Node(_) | Cause::Egress => false,
        }
    }

    /// How many of the nodes that share a cause have an alert of this name.
    pub(super) fn count(&self, name: &str, cause: &Cause) -> Count {
        let of_name = self.failed.get(name);
        let (failed, unknown) = of_name.and_then(|counts| counts.get(cause)).copied().unwrap_or_default();
        Count { all: self.known.get(cause).copied().unwrap_or_default() + unknown, failed }
    }

    /// The same of those that do not share it but could.
    pub(super) fn rest(&self, name: &str, cause: &Cause) -> Count {
        let (own, around) = (self.count(name, cause), self.count(name, &cause.around()));
        Count { all: around.all - own.all, failed: around.failed - own.failed }
    }

    /// The node of an id.
    pub(super) fn member(&self, id: &str) -> Option<&'a Member> {
        self.members.get(id).copied()
    }
}

/// So many nodes make a pattern.
fn least(cause: &Cause) -> usize {
    if matches!(cause, Cause::Network(_) | Cause::Fleet) { 3 } else { 2 }
}

/// The cause that explains most, or a narrower one that explains nearly as much: more is then chance.
fn best<'c, 'a>(candidates: &'c [Candidate<'a>]) -> Option<&'c Candidate<'a>> {
    let most = candidates.iter().map(|candidate| candidate.nodes.len()).max()?;
    let enough = candidates.iter().filter(|candidate| candidate.nodes.len() >= most - most / 10);
    enough.min_by(|a, b| {
        let width = a.cause.width().cmp(&b.cause.width());
        width.then_with(|| b.nodes.len().cmp(&a.nodes.len())).then_with(|| a.cause.cmp(&b.cause))
    })
}
