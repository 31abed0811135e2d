//! State: what is known of every node now. Rounds write it, the API reads it, the publisher takes what changed.

mod change;
mod node;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use fleetglass_shared::{
    health::Status,
    restart::{Peer, Subject},
    risk::worst_first,
    wire::{EndpointDetail, NodeDetail, NodeRisk, NodeSummary, Panel, Risk},
};
use node::Node;
pub use node::{Observation, Risky, Standing};
use parking_lot::Mutex;

use crate::{
    clock,
    egress::Reach,
    live::Change,
    state::{Known, StateFile},
    target::Target,
};

/// How many nodes have each status.
pub type Counts = Vec<(Status, usize)>;

/// Every node of the fleet. What happens to one is told to the state file as an event, here and nowhere else.
#[derive(Debug)]
pub struct Fleet {
    inner: Mutex<Inner>,
    state: Arc<StateFile>,
}

#[derive(Debug, Default)]
struct Inner {
    /// How many nodes the targets name.
    expected: Option<usize>,
    nodes: BTreeMap<String, Node>,
    /// What events are told against; of a node that is not begun yet, what an earlier run knew of it.
    known: BTreeMap<String, Known>,
    /// Those of them that we do not ask: what is known of them is pushed to us.
    pushed: BTreeSet<String>,
    dirty: BTreeSet<String>,
    gone: BTreeSet<String>,
}

/// An endpoint to pass through.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whose it is.
    pub target: Arc<Target>,
    /// What to ask.
    pub url: String,
    /// It answers with an exposition.
    pub is_metrics: bool,
}

impl Fleet {
    /// No nodes so far; `known` is what an earlier run knew of those it had.
    pub fn new(state: Arc<StateFile>, known: BTreeMap<String, Known>) -> Self {
        Self { inner: Mutex::new(Inner { known, ..Inner::default() }), state }
    }

    /// A target begins (again): its node is unknown until it was asked, unless it was here before.
    pub fn begin(&self, target: &Arc<Target>) {
        let mut inner = self.inner.lock();
        inner.pushed.remove(&target.id);
        self.begin_in(&mut inner, target);
    }

    /// A node that is pushed to us begins, or is as this target from now on. False when it is one that we
    /// ask: it stays that.
    pub fn begin_pushed(&self, target: &Arc<Target>) -> bool {
        let mut inner = self.inner.lock();
        if inner.nodes.contains_key(&target.id) && !inner.pushed.contains(&target.id) {
            return false;
        }
        inner.pushed.insert(target.id.clone());
        self.begin_in(&mut inner, target);
        true
    }

    fn begin_in(&self, inner: &mut Inner, target: &Arc<Target>) {
        let id = &target.id;
        inner.gone.remove(id);
        inner.dirty.insert(id.clone());
        match inner.nodes.get_mut(id) {
            Some(node) => node.retarget(target),
            None => {
                let now = clock::now();
                inner.nodes.insert(id.clone(), Node::new(target, now));
                if !inner.known.contains_key(id) {
                    let known = Known::default();
                    self.state.record_node(id, &known, vec![change::added(id, now)]);
                    inner.known.insert(id.clone(), known);
                }
            }
        }
    }

    /// A target is no longer in the fleet.
    pub fn end(&self, id: &str) {
        self.end_in(&mut self.inner.lock(), id);
    }

    fn end_in(&self, inner: &mut Inner, id: &str) {
        inner.pushed.remove(id);
        if inner.nodes.remove(id).is_some() {
            inner.dirty.remove(id);
            inner.gone.insert(id.to_owned());
        }
        self.forget(inner, id);
    }

    /// A node that was pushed to us is no longer in the fleet. False for one that we ask: it stays.
    pub fn end_pushed(&self, id: &str) -> bool {
        let mut inner = self.inner.lock();
        let pushed = inner.pushed.contains(id);
        if pushed {
            self.end_in(&mut inner, id);
        }
        pushed
    }

    /// The ids of the nodes that are pushed to us.
    pub fn pushed(&self) -> BTreeSet<String> {
        self.inner.lock().pushed.clone()
    }

    /// The target and the family of a node that we ask.
    pub fn asked(&self, id: &str) -> Option<(Arc<Target>, String)> {
        let inner = self.inner.lock();
        let node = inner.nodes.get(id).filter(|_| !inner.pushed.contains(id))?;
        Some((node.endpoints().0, node.summary().family.clone()))
    }

    /// A round of a node ended.
    pub fn observe(&self, id: &str, observation: Observation) {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        let (Some(node), Some(known)) = (inner.nodes.get_mut(id), inner.known.get_mut(id)) else { return };
        let (after, drafts) = change::after(id, known, &observation);
        if !drafts.is_empty() || !after.is_kept_as(known) {
            self.state.record_node(id, &after, drafts);
        }
        *known = after;
        node.observe(observation);
        inner.dirty.insert(id.to_owned());
    }

    fn forget(&self, inner: &mut Inner, id: &str) {
        if inner.known.remove(id).is_some() {
            self.state.record_removed(id, vec![change::removed(id, clock::now())]);
        }
    }

    /// What changed since the last call, with the version each node's family mostly runs worked out.
    pub fn take_changes(&self) -> Vec<Change> {
        let mut inner = self.inner.lock();
        if inner.dirty.is_empty() && inner.gone.is_empty() {
            return Vec::new();
        }
        inner.mark_version_skew();
        let mut changes: Vec<Change> =
            std::mem::take(&mut inner.gone).into_iter().map(|id| (id, None)).collect();
        for id in std::mem::take(&mut inner.dirty) {
            if let Some(node) = inner.nodes.get(&id) {
                changes.push((id, Some(node.summary().clone())));
            }
        }
        changes
    }

    /// Everything known of one node.
    pub fn detail(&self, id: &str) -> Option<NodeDetail> {
        self.inner.lock().nodes.get(id).map(Node::detail)
    }

    /// How many risks there are that `wanted` takes, by node and family, and the worst `limit` of them.
    pub fn risks(
        &self,
        limit: usize,
        wanted: impl Fn(&NodeSummary, &Risk) -> bool,
    ) -> (usize, Vec<NodeRisk>) {
        let inner = self.inner.lock();
        let own = |node| Node::risks(node).iter().map(|risk| (node.summary(), risk));
        let mut found: Vec<(&NodeSummary, &Risk)> =
            inner.nodes.values().flat_map(own).filter(|(node, risk)| wanted(node, risk)).collect();
        let order = |a: &(&NodeSummary, &Risk), b: &(&NodeSummary, &Risk)| {
            worst_first(a.1, b.1).then_with(|| a.0.id.cmp(&b.0.id))
        };
        let total = found.len();
        // A large fleet has tens of thousands: only those that are told are sorted and copied.
        if (1..total).contains(&limit) {
            found.select_nth_unstable_by(limit - 1, order);
        }
        found.truncate(limit);
        found.sort_by(order);
        let told = found.into_iter().map(|(node, risk)| NodeRisk {
            node: node.id.clone(),
            family: node.family.clone(),
            risk: risk.clone(),
        });
        (total, told.collect())
    }

    /// A node's family, and its risks as they were judged last.
    pub fn risky(&self, id: &str) -> Option<Risky> {
        self.inner.lock().nodes.get(id).map(Node::risky)
    }

    /// Every node as the others see it.
    pub fn peers(&self) -> Vec<Peer> {
        self.inner.lock().nodes.values().map(Node::peer).collect()
    }

    /// What a node says about itself.
    pub fn subject(&self, id: &str) -> Option<Subject> {
        self.inner.lock().nodes.get(id).map(Node::subject)
    }

    /// Whether there is such a node.
    pub fn contains(&self, id: &str) -> bool {
        self.inner.lock().nodes.contains_key(id)
    }

    /// Whether a node answered when it was last asked, or last pushed to us; `None` for none of the fleet.
    pub fn answers(&self, id: &str) -> Option<bool> {
        let inner = self.inner.lock();
        let status = inner.nodes.get(id)?.summary().status;
        Some(!matches!(status, Status::Unreachable | Status::Unknown))
    }

    /// Whether every node that we ask was asked at least once.
    pub fn all_asked(&self) -> bool {
        let inner = self.inner.lock();
        let asked =
            |(id, node): (&String, &Node)| inner.pushed.contains(id) || node.summary().asked_at.is_some();
        inner.expected.is_some_and(|expected| inner.nodes.len() >= expected) && inner.nodes.iter().all(asked)
    }

    /// The endpoint of a node that plays a role (`health`, `ready`, `metrics`) or has that name.
    pub fn endpoint(&self, id: &str, role: &str) -> Option<Asked> {
        self.inner.lock().nodes.get(id)?.endpoint(role)
    }

    /// Every node's target, and how its endpoints answered.
    pub fn targets(&self) -> Vec<(Arc<Target>, Vec<EndpointDetail>)> {
        self.inner.lock().nodes.values().map(Node::endpoints).collect()
    }

    /// How many nodes have each status.
    pub fn counts(&self) -> Counts {
        let inner = self.inner.lock();
        Status::WORST_FIRST
            .map(|status| {
                (status, inner.nodes.values().filter(|node| node.summary().status == status).count())
            })
            .to_vec()
    }

    /// Says which nodes there will be, now that the targets are known. The first time, those that only an
    /// earlier run knew have left the fleet.
    pub fn expect(&self, ids: &BTreeSet<&str>) {
        let mut inner = self.inner.lock();
        if inner.expected.replace(ids.len()).is_none() {
            let left: Vec<String> = (inner.known.keys())
                .filter(|id| !ids.contains(id.as_str()) && !inner.pushed.contains(*id))
                .cloned()
                .collect();
            left.iter().for_each(|id| self.forget(&mut inner, id));
        }
    }

    /// Every node in short, and the host that it is asked at.
    pub fn members(&self) -> Vec<(NodeSummary, Option<String>)> {
        let inner = self.inner.lock();
        inner.nodes.values().map(|node| (node.summary().clone(), node.host())).collect()
    }

    /// What `found` makes of each node and of the host that it is asked at.
    pub fn select<T>(&self, found: impl Fn(&NodeSummary, Option<&str>) -> Option<T>) -> Vec<T> {
        let inner = self.inner.lock();
        inner.nodes.values().filter_map(|node| found(node.summary(), node.host().as_deref())).collect()
    }

    /// The host that a node is asked at.
    pub fn host(&self, id: &str) -> Option<String> {
        self.inner.lock().nodes.get(id)?.host()
    }

    /// A node's charts, in which it has another name.
    pub fn panels_as(&self, id: &str, name: &str) -> Vec<Panel> {
        self.inner.lock().nodes.get(id).map(|node| node.panels_as(name)).unwrap_or_default()
    }

    /// The id of each node.
    pub fn ids(&self) -> Vec<String> {
        self.inner.lock().nodes.keys().cloned().collect()
    }

    /// Each node's value of a label, `family` among them; empty where it has none.
    pub fn values_of(&self, label: &str) -> Vec<(String, String)> {
        let inner = self.inner.lock();
        let value = |node: &Node| match label {
            "family" => node.summary().family.clone(),
            _ => node.summary().labels.get(label).cloned().unwrap_or_default(),
        };
        inner.nodes.iter().map(|(id, node)| (id.clone(), value(node))).collect()
    }

    /// How each node stands, and what it shares with others.
    pub fn standings(&self) -> Vec<Standing> {
        self.inner.lock().nodes.values().map(Node::standing).collect()
    }

    /// How many of the nodes that we ask do not answer; those on this machine count where `own` says so.
    pub fn reach(&self, own: bool) -> Reach {
        let inner = self.inner.lock();
        let mut reach = Reach::default();
        for (id, node) in inner.nodes.iter().filter(|(_, node)| own || !node.is_on_this_machine()) {
            let status = node.summary().status;
            if status != Status::Unknown && !inner.pushed.contains(id) {
                reach.all += 1;
                reach.silent += usize::from(status == Status::Unreachable);
            }
        }
        reach
    }

    /// How many nodes there will be; `None` before the targets are known.
    pub fn expected(&self) -> Option<usize> {
        self.inner.lock().expected
    }
}

impl Inner {
    fn mark_version_skew(&mut self) {
        let mut counts: HashMap<&str, BTreeMap<&str, usize>> = HashMap::new();
        for summary in self.nodes.values().map(Node::summary) {
            if let Some(version) = &summary.version {
                *counts.entry(&summary.family).or_default().entry(version).or_default() += 1;
            }
        }
        let majorities: HashMap<String, String> = counts
            .into_iter()
            .filter_map(|(family, versions)| Some((family.to_owned(), majority(&versions)?.to_owned())))
            .collect();
        for (id, node) in &mut self.nodes {
            let summary = node.summary();
            let skew = majorities
                .get(&summary.family)
                .filter(|majority| summary.version.as_ref().is_some_and(|version| version != *majority));
            if summary.version_majority.as_ref() != skew {
                let skew = skew.cloned();
                node.summary_mut().version_majority = skew;
                self.dirty.insert(id.clone());
            }
        }
    }
}

/// The version that more nodes run than any other; the greater name where two are level, so that the
/// answer does not flicker half way through a roll-out.
fn majority<'a>(versions: &BTreeMap<&'a str, usize>) -> Option<&'a str> {
    versions.iter().max_by_key(|&(version, count)| (count, version)).map(|(version, _)| *version)
}
