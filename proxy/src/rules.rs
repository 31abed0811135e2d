//! Rules: when they are evaluated, and what becomes of what they give. What a rule means is
//! `fleetglass_shared::rule`'s; here are the clock, the threads and the files.
//!
//! | module | what it is |
//! |---|---|
//! | this file | [`Rules`]: the groups in force |
//! | `source` | [`RuleSet`]: the files, the families' and the config's |
//! | `running` | one group, and how its evaluations went |

mod running;
mod source;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use fleetglass_shared::{
    health::UnixMillis,
    labels::LabelSet,
    promql::{EvalError, Options},
    rule::{Context, Evidence, RuleFault, RuleKind},
    wire::AlertRule,
};
use parking_lot::RwLock;
pub use running::{RuleHealth, RuleReport, Running};
pub use source::{LoadedFile, LoadedGroup, RuleSet, Sources};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{alerts::Alerts, clock, store::Store};

/// So many groups are evaluated at once: the rest of the machine is for scrapes and readers.
const AT_ONCE: usize = 2;
/// How often it is looked what is due.
const TICK: Duration = Duration::from_millis(100);

/// What rules must know of the fleet, which is a later stage's.
pub trait Nodes: Send + Sync {
    /// Whether there is such a node.
    fn contains(&self, instance: &str) -> bool;
    /// Whether what the node last said is of the last rounds: it answers.
    fn answers(&self, instance: &str) -> bool;
    /// Whether every node was asked at least once, so that silence means something.
    fn all_asked(&self) -> bool;
}

/// The rules in force.
pub struct Rules {
    pub(crate) store: Arc<Store>,
    pub(crate) alerts: Arc<Alerts>,
    nodes: Arc<dyn Nodes>,
    groups: RwLock<Vec<Arc<Running>>>,
    faults: RwLock<Vec<(String, RuleFault)>>,
    external_url: String,
    external_labels: LabelSet,
    permits: Arc<Semaphore>,
}

/// A node that does not answer shows nothing: its alerts are not over by that.
struct Seen<'a>(&'a dyn Nodes);

impl Evidence for Seen<'_> {
    fn is_seen(&self, labels: &LabelSet) -> bool {
        match labels.get("instance") {
            Some(instance) if self.0.contains(instance) => self.0.answers(instance),
            _ => true,
        }
    }
}

impl Rules {
    /// No rules yet.
    pub fn new(
        store: Arc<Store>,
        alerts: Arc<Alerts>,
        nodes: Arc<dyn Nodes>,
        external_url: String,
        external_labels: BTreeMap<String, String>,
    ) -> Self {
        Self {
            store,
            alerts,
            nodes,
            groups: RwLock::default(),
            faults: RwLock::default(),
            external_url,
            external_labels: LabelSet::from_pairs(&external_labels),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    fn context<'a>(&'a self, seen: &'a Seen<'a>, stop: &'a dyn Fn() -> Option<EvalError>) -> Context<'a> {
        Context {
            storage: &*self.store,
            external_labels: &self.external_labels,
            external_url: &self.external_url,
            evidence: seen,
            options: Options { stop, ..Options::default() },
        }
    }

    /// Takes other rules. A group that was there before keeps the alerts of the rules that are in both.
    pub fn apply(&self, set: RuleSet, now: UnixMillis) {
        let mut groups = self.groups.write();
        let mut before: BTreeMap<(String, String), Arc<Running>> = groups
            .drain(..)
            .map(|group| ((group.file().to_owned(), group.name().to_owned()), group))
            .collect();
        for file in &set.files {
            for group in &file.groups {
                let old = before.remove(&(file.name.clone(), group.group.name.clone()));
                match old {
                    Some(old) if old.is_same(group) => groups.push(old),
                    old => groups.push(Arc::new(Running::new(group.clone(), old.as_deref(), self, now))),
                }
            }
        }
        for old in before.into_values() {
            old.retire(self, now);
        }
        *self.faults.write() = set
            .files
            .iter()
            .flat_map(|file| file.faults.iter().map(|fault| (file.name.clone(), fault.clone())))
            .collect();
        drop(groups);
        self.alerts.forget_left(now);
    }

    /// The groups, in the order of their files.
    pub fn groups(&self) -> Vec<Arc<Running>> {
        self.groups.read().clone()
    }

    /// What cannot be used, with the name of its file.
    pub fn faults(&self) -> Vec<(String, RuleFault)> {
        self.faults.read().clone()
    }

    /// The rule of a key, as [`crate::alerts::Alerts::get`] gives it.
    pub fn find(&self, key: &str) -> Option<(Arc<Running>, usize)> {
        self.groups().into_iter().find_map(|group| {
            let index = group.index_of(key)?;
            Some((group, index))
        })
    }

    /// The rules that record, by the metrics that they give.
    pub fn recorded(&self) -> BTreeSet<String> {
        let groups = self.groups();
        let rules = groups.iter().flat_map(|group| &group.loaded().group.rules);
        rules.filter(|rule| rule.kind == RuleKind::Recording).map(|rule| rule.name.clone()).collect()
    }

    /// The rule of a key, and what it compares for an alert of these labels.
    pub fn alert_rule(&self, key: &str, labels: &BTreeMap<String, String>) -> Option<AlertRule> {
        let (group, index) = self.find(key)?;
        let rule = group.loaded().group.rules.get(index)?;
        let for_seconds = match rule.kind {
            RuleKind::Alerting { for_ms, .. } => for_ms as f64 / 1000.0,
            RuleKind::Recording => 0.0,
        };
        let (chart, bound) = rule.query.compared().map_or((None, None), |(compared, bound)| {
            let compared = match labels.get("instance") {
                Some(instance) => compared.with_equal("instance", instance),
                None => compared.text().to_owned(),
            };
            (Some(compared), Some(bound))
        });
        Some(AlertRule {
            file: group.file().to_owned(),
            group: group.name().to_owned(),
            query: rule.query.text().trim().to_owned(),
            chart,
            bound,
            for_seconds,
        })
    }

    /// Evaluates what is due until it is cancelled.
    pub async fn run(self: Arc<Self>, cancel: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut second = 0;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let now = clock::now();
            if now / 1000 != second {
                second = now / 1000;
                self.alerts.tick(now);
            }
            if self.nodes.all_asked() {
                for group in self.groups() {
                    if let Some(at) = group.due(now) {
                        self.spawn(group, at);
                    }
                }
            }
        }
    }

    fn spawn(self: &Arc<Self>, group: Arc<Running>, at: UnixMillis) {
        let rules = Arc::clone(self);
        tokio::spawn(async move {
            let Ok(permit) = Arc::clone(&rules.permits).acquire_owned().await else { return };
            let task = tokio::task::spawn_blocking(move || {
                group.evaluate(&rules, at);
                drop(permit);
            });
            if let Err(error) = task.await {
                tracing::error!("a group of rules stopped: {error}");
            }
        });
    }

    /// A round of a node has ended: the rules of risks look at it at once, and not on their next turn.
    pub fn landed(&self, instance: &str, at: UnixMillis) {
        for group in self.groups() {
            group.evaluate_for(self, instance, at);
        }
    }
}
