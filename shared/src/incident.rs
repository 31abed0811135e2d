//! Incidents: alerts collapse by what caused them, worked out from what failed together and in which order.
//!
//! What began together is a burst. In a burst the narrowest cause is sought that explains most of one kind of
//! alert and that no healthy node contradicts; what nothing explains is its node's own affair, or stands alone.
//! An incident that is there keeps its alerts until the last of them is over, unless something new shows a wider
//! cause: nodes that come back one by one do not make a new incident of the rest. Pure: the time, the fleet, the
//! alerts and the incidents of before come in.
//!
//! | module | what it is |
//! |---|---|
//! | this file | [`group`]: every alert into one incident, each with the identity it had |
//! | `cause` | [`Cause`], and which of them explains a burst |
//! | `words` | titles and evidence |

mod cause;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};

pub use cause::Cause;
use cause::{Explainer, Found};

use crate::{
    health::UnixMillis,
    wire::{Egress, EgressState, Incident, Severity},
};

/// The labels that say where a node stands, the narrowest first.
pub const PLACES: [&str; 4] = ["rack", "zone", "datacenter", "region"];

/// Where an alert stands, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It fires.
    Firing,
    /// It is true, and shows that its node failed; it is not told yet.
    Pending,
    /// It is over, but others of its incident fire on.
    Over,
}

/// Something that failed: an alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// Since when.
    pub at: UnixMillis,
    /// The node, where it is about one.
    pub node: Option<String>,
    /// The alert's name.
    pub name: String,
    /// The alert's id.
    pub id: String,
    /// The family that its labels name, where it is about no node.
    pub family: Option<String>,
    /// How bad.
    pub severity: Severity,
    /// Where it stands.
    pub phase: Phase,
    /// Its node does not answer.
    pub silent: bool,
}

/// A node of the fleet: what it shares with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: String,
    /// Its family.
    pub family: String,
    /// The host it runs on.
    pub host: Option<String>,
    /// Where it stands: a label of [`PLACES`] and its value.
    pub places: Vec<(String, String)>,
    /// What it runs.
    pub version: Option<String>,
    /// How it is is known: it can bear witness.
    pub is_known: bool,
}

/// What is known at a time.
#[derive(Clone, Debug, Default)]
pub struct Situation {
    /// The alerts, pending ones too.
    pub failures: Vec<Failure>,
    /// The fleet.
    pub members: Vec<Member>,
    /// What a person reads of a family, by its name.
    pub titles: BTreeMap<String, String>,
    /// Our own way out.
    pub egress: Egress,
    /// It is gone, or came back so short ago that no node had the time to be heard.
    pub is_blind: bool,
    /// The alert that says that our own way out is gone.
    pub egress_alert: &'static str,
    /// What begins within so long is together: nodes are asked one after another.
    pub together_ms: i64,
}

/// An incident, and what is remembered of it until the next time.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouped {
    /// As it is told.
    pub incident: Incident,
    /// Its cause.
    pub cause: Cause,
    /// Its failures in order, those that are over too.
    pub failures: Vec<Failure>,
}

/// Which failures are one incident, before it has words.
struct Part {
    cause: Cause,
    failures: Vec<Failure>,
}

impl Part {
    fn firing(&self) -> BTreeSet<&str> {
        firing(&self.failures)
    }
}

fn firing(failures: &[Failure]) -> BTreeSet<&str> {
    failures.iter().filter(|own| own.phase == Phase::Firing).map(|own| own.id.as_str()).collect()
}

/// Puts every alert that fires into one incident. `before` is what this gave the last time.
pub fn group(situation: &Situation, before: &[Grouped]) -> Vec<Grouped> {
    let before = carried(situation, before);
    let known: BTreeSet<&str> = before.iter().flat_map(|(_, part)| part.firing()).collect();
    let mut failures: Vec<Failure> = situation.failures.clone();
    failures.extend(before.iter().flat_map(|(_, part)| part.failures.clone()));
    failures.sort();
    let mut seen = BTreeSet::new();
    failures.retain(|own| seen.insert(own.id.clone()));

    let explainer = Explainer::new(situation, &failures);
    // What stays as it was leaves the others to be looked at without it.
    let mut stays: Vec<bool> = vec![false; before.len()];
    let fresh = loop {
        let held: BTreeSet<&str> = before
            .iter()
            .zip(&stays)
            .filter(|(_, stays)| **stays)
            .flat_map(|((_, part), _)| part.failures.iter().map(|own| own.id.as_str()))
            .collect();
        let free: Vec<Failure> =
            failures.iter().filter(|own| !held.contains(own.id.as_str())).cloned().collect();
        let fresh = found(&explainer, free);
        let mut settled = true;
        for ((_, old), stays) in before.iter().zip(&mut stays).filter(|(_, stays)| !**stays) {
            if !goes_on(old, &fresh, &known) {
                *stays = true;
                settled = false;
            }
        }
        if settled {
            break fresh;
        }
    };

    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let mut parts: Vec<(Option<&str>, Part)> = Vec::new();
    for ((id, part), _) in before.iter().zip(&stays).filter(|(_, stays)| **stays) {
        taken.insert(id);
        parts.push((Some(id), Part { cause: part.cause.clone(), failures: part.failures.clone() }));
    }
    for part in fresh {
        let own: BTreeSet<&str> = part.failures.iter().map(|own| own.id.as_str()).collect();
        let shared = |old: &Part| old.failures.iter().filter(|old| own.contains(old.id.as_str())).count();
        let heir = before
            .iter()
            .filter(|(id, old)| old.cause == part.cause && !taken.contains(id.as_str()) && shared(old) > 0)
            .max_by(|a, b| shared(&a.1).cmp(&shared(&b.1)).then_with(|| b.0.cmp(&a.0)));
        let id = heir.map(|(id, _)| id.as_str());
        taken.extend(id);
        parts.push((id, part));
    }
    let mut told: Vec<Grouped> = parts
        .into_iter()
        .filter(|(_, part)| !part.firing().is_empty())
        .map(|(id, part)| words::told(&explainer, id, part.cause, part.failures))
        .collect();
    told.sort_by(|a, b| {
        let (a, b) = (&a.incident, &b.incident);
        (a.severity, a.cause != crate::wire::CauseKind::Egress)
            .cmp(&(b.severity, b.cause != crate::wire::CauseKind::Egress))
            .then_with(|| b.alerts.len().cmp(&a.alerts.len()))
            .then_with(|| b.since.cmp(&a.since))
            .then_with(|| a.id.cmp(&b.id))
    });
    told
}

/// The incidents of before of which some alert fires on: what is over in them stays known while they last.
fn carried(situation: &Situation, before: &[Grouped]) -> Vec<(String, Part)> {
    let now: BTreeMap<&str, &Failure> = situation.failures.iter().map(|own| (own.id.as_str(), own)).collect();
    let members: BTreeSet<&str> = situation.members.iter().map(|member| member.id.as_str()).collect();
    let mut carried = Vec::new();
    for group in before.iter().filter(|group| group.cause != Cause::Egress || situation.is_blind) {
        let is_here = |own: &Failure| own.node.as_ref().is_none_or(|node| members.contains(node.as_str()));
        let mut failures: Vec<Failure> = group
            .failures
            .iter()
            .filter_map(|old| match now.get(old.id.as_str()) {
                // One that began anew meanwhile is another failure.
                Some(now) if now.at == old.at || old.phase == Phase::Over => Some((*now).clone()),
                Some(_) => None,
                None if old.phase != Phase::Pending && is_here(old) => {
                    Some(Failure { phase: Phase::Over, ..old.clone() })
                }
                None => None,
            })
            .collect();
        failures.sort();
        let part = Part { cause: group.cause.clone(), failures };
        if !part.firing().is_empty() {
            carried.push((group.incident.id.clone(), part));
        }
    }
    carried
}

/// Whether an incident goes on as one of those found now: as the same, or as part of a wider one that something
/// new has shown.
fn goes_on(old: &Part, fresh: &[Part], known: &BTreeSet<&str>) -> bool {
    let own = old.firing();
    let Some(into) = fresh.iter().find(|part| !part.firing().is_disjoint(&own)) else { return false };
    let all = into.firing();
    if !own.is_subset(&all) {
        return false;
    }
    let has_news = !all.is_subset(known);
    match has_news {
        true => into.cause == old.cause || into.cause.width() > old.cause.width(),
        false => into.cause == old.cause && all == own,
    }
}

/// The incidents that failures look like, whatever was before.
fn found(explainer: &Explainer<'_>, free: Vec<Failure>) -> Vec<Part> {
    let situation = explainer.situation;
    let (ours, free): (Vec<_>, Vec<_>) = free.into_iter().partition(|own| is_ours(situation, own));
    let mut parts = Vec::new();
    if !ours.is_empty() {
        parts.push(Part { cause: Cause::Egress, failures: ours });
    }
    for burst in free.chunk_by(|a, b| b.at - a.at <= situation.together_ms) {
        for Found { cause, failures } in explainer.explain(burst) {
            parts.push(Part { cause, failures });
        }
    }
    parts
}

/// Whether a failure says no more than that we cannot see.
fn is_ours(situation: &Situation, own: &Failure) -> bool {
    if !situation.egress_alert.is_empty() && own.name == situation.egress_alert {
        return true;
    }
    let Some(since) = situation.egress.since.filter(|_| situation.egress.state == EgressState::Down) else {
        return false;
    };
    own.silent && own.node.is_some() && own.at >= since - situation.together_ms
}
