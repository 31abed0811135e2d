//! Nodes that are pushed to us, in the fleet: they come with their first push and go when nothing has come
//! of them for a day. They are kept on the disk too, so that one that fell silent is missed after a new start.

mod kept;
mod node;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use fleetglass_shared::{
    family::{Family, Normalised, Registry},
    health::{Reason, Status, UnixMillis},
    labels::{LabelSet, METRIC_NAME},
    sample::stale_marker,
    wire::Risk,
};
use node::Node;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{
    clock,
    config::RemoteWriteInConfig,
    fleet::{Fleet, Observation},
    round::{RiskMemory, Subject, judge, own_series},
    store::{Sample, Store, TargetIdent},
    target::Target,
};

/// The most nodes that are taken in: beyond it somebody's label is not a node's name.
const MOST_NODES: usize = 20_000;
/// What is kept is written this often, and at once when a node comes or goes.
const KEEP_EVERY_MS: i64 = 60_000;
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The family of nodes of which nothing is known.
const NO_FAMILY: &str = "generic";

/// Tells the families in force.
pub(super) type Families = Box<dyn Fn() -> Arc<Registry> + Send + Sync>;

/// See the module.
pub struct Pushed {
    config: RemoteWriteInConfig,
    fleet: Arc<Fleet>,
    store: Arc<Store>,
    families: Families,
    nodes: Mutex<BTreeMap<String, Node>>,
    /// What was told of their risks.
    memories: Mutex<BTreeMap<String, Told>>,
    /// Where nodes are kept; which were, and when they were written.
    path: Option<PathBuf>,
    written: Mutex<(usize, UnixMillis)>,
}

/// What was told of a node's risks: in words, and the series that go on.
#[derive(Default)]
struct Told {
    risks: RiskMemory,
    told: BTreeSet<LabelSet>,
}

/// A node as it was seen in a look, to be told to the fleet.
struct Seen {
    id: String,
    family: String,
    labels: BTreeMap<String, String>,
    interval_ms: i64,
    arrived: bool,
    status: Status,
    reason: Option<Reason>,
}

impl Pushed {
    /// The nodes that are kept in a data folder; none yet without one.
    pub fn new(
        config: RemoteWriteInConfig,
        data_dir: Option<&Path>,
        fleet: Arc<Fleet>,
        store: Arc<Store>,
        families: Families,
    ) -> Self {
        let path = data_dir.map(kept::path);
        let read = path.as_deref().map_or(Ok(Vec::new()), kept::read).unwrap_or_else(|error| {
            tracing::warn!("the nodes that were pushed are not known until they come again: {error}");
            Vec::new()
        });
        let nodes: BTreeMap<String, Node> = read.into_iter().map(Node::of).collect();
        let written = Mutex::new((nodes.len(), UnixMillis::MIN));
        Self {
            config,
            fleet,
            store,
            families,
            nodes: Mutex::new(nodes),
            memories: Mutex::default(),
            path,
            written,
        }
    }

    /// Whom the series of a node belong to: the target, where it is one that we ask too.
    pub fn ident(&self, id: &str) -> TargetIdent {
        match self.fleet.asked(id) {
            Some((target, job)) => {
                TargetIdent { instance: id.to_owned(), job, labels: target.labels.clone() }
            }
            // All other labels stay the series' own: those of one node need not agree, in `job` least of all.
            None => TargetIdent { instance: id.to_owned(), job: String::new(), labels: BTreeMap::new() },
        }
    }

    /// Whether a node may come, or is here.
    pub fn has_room(&self, id: &str) -> bool {
        let nodes = self.nodes.lock();
        nodes.len() < MOST_NODES || nodes.contains_key(id)
    }

    /// Series of a node came.
    pub fn note(&self, id: &str, series: &[(LabelSet, Vec<Sample>)], now: UnixMillis) {
        let families = (self.families)();
        let mut nodes = self.nodes.lock();
        let node = nodes.entry(id.to_owned()).or_default();
        node.note(&self.config, series, |word| families.get(word).is_some(), now);
    }

    /// Looks at every node once a second.
    pub async fn keep_looking(self: Arc<Self>, cancel: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let this = Arc::clone(&self);
            // Risks are queries. A look that panics has said so, and the next one looks again.
            let _ = tokio::task::spawn_blocking(move || this.look(clock::now())).await;
        }
    }

    /// Tells the fleet how the nodes are that have news, or were not looked at for a while.
    fn look(&self, now: UnixMillis) {
        let forget_ms = self.config.forget_after.as_time();
        let (mut seen, mut gone) = (Vec::new(), Vec::new());
        self.nodes.lock().retain(|id, node| {
            if now - node.arrived_at > forget_ms {
                gone.push(id.clone());
                return false;
            }
            if node.is_due(now) {
                let (status, reason) = node.verdict(&self.config, now);
                let arrived = std::mem::take(&mut node.news);
                node.looked_at = Some(now);
                let (id, family, labels) = (id.clone(), node.family.clone(), node.labels());
                let interval_ms = node.interval_ms();
                seen.push(Seen { id, family, labels, interval_ms, arrived, status, reason });
            }
            true
        });
        for id in gone {
            self.memories.lock().remove(&id);
            // One that we ask is not theirs to end.
            if self.fleet.end_pushed(&id) {
                self.store.remove(&id, now);
            }
        }
        let families = (self.families)();
        for node in seen {
            self.tell(&families, node, now);
        }
        self.keep(now);
    }

    fn keep(&self, now: UnixMillis) {
        let Some(path) = &self.path else { return };
        let mut written = self.written.lock();
        let nodes = {
            let nodes = self.nodes.lock();
            let new = nodes.len() != written.0;
            // Nothing was ever pushed: most have nothing to keep.
            if !new && (nodes.is_empty() || now - KEEP_EVERY_MS < written.1) {
                return;
            }
            nodes.iter().map(|(id, node)| node.kept(id)).collect::<Vec<_>>()
        };
        *written = (nodes.len(), now);
        if let Err(error) = kept::write(path, nodes) {
            tracing::warn!("{} cannot be written: {error}", path.display());
        }
    }

    /// Its risks; what they come to is written beside what is pushed of it.
    fn judge(&self, family: &Family, id: &str, interval_ms: i64, now: UnixMillis) -> Vec<Risk> {
        let subject = Subject { family, instance: id, facts: &[], stake: None, interval_ms };
        let mut memory = self.memories.lock().remove(id).unwrap_or_default();
        let risks = judge(&self.store, &subject, &mut memory.risks, now).risks;
        let own = own_series(id, &risks, now).into_iter().map(|series| {
            let labels = series.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let fixed = [(METRIC_NAME, series.name), ("job", family.name())];
            (LabelSet::from_pairs(fixed.into_iter().chain(labels)), series.value)
        });
        let own: BTreeMap<LabelSet, f64> = own.collect();
        let ended = memory.told.iter().filter(|labels| !own.contains_key(*labels));
        let samples: Vec<_> = (ended.map(|labels| (labels.clone(), vec![(now, stale_marker())])))
            .chain(own.iter().map(|(labels, value)| (labels.clone(), vec![(now, *value)])))
            .collect();
        if !samples.is_empty() {
            self.store.ingest(&self.ident(id), samples, now);
        }
        memory.told = own.into_keys().collect();
        self.memories.lock().insert(id.to_owned(), memory);
        risks
    }

    fn tell(&self, families: &Registry, seen: Seen, now: UnixMillis) {
        let label = &self.config.family_label;
        let (family, family_note) = match families.get(&seen.family) {
            Some(family) => (Some(family), format!("pushed; its label `{label}` names the family")),
            None => {
                let note = format!("pushed; its label `{label}` ({:?}) names no family", seen.family);
                (families.get(NO_FAMILY), note)
            }
        };
        let interval = Duration::from_millis(u64::try_from(seen.interval_ms).unwrap_or_default());
        let target = Arc::new(Target {
            id: seen.id,
            family: family.map_or(NO_FAMILY, |family| family.name()).to_owned(),
            url: String::new(),
            endpoints: BTreeMap::new(),
            labels: seen.labels,
            bounds: BTreeMap::new(),
            stake: None,
            probe_tcp: None,
            interval,
            timeout: interval,
            bearer_token_file: None,
        });
        if !self.fleet.begin_pushed(&target) {
            return; // We ask it ourselves, and know better.
        }
        let risks = family.map_or(Vec::new(), |family| self.judge(family, &target.id, seen.interval_ms, now));
        let normalised = Normalised {
            answered: seen.arrived && seen.status != Status::Unreachable,
            ..nothing_but(seen.status, seen.reason)
        };
        let family = family.cloned();
        let observation =
            Observation { at: now, family, family_note, normalised, endpoints: Vec::new(), risks };
        self.fleet.observe(&target.id, observation);
    }
}

/// A status and its reason, and nothing that an answer of the node itself would say.
fn nothing_but(status: Status, reason: Option<Reason>) -> Normalised {
    Normalised {
        status,
        draining: false,
        reasons: reason.into_iter().collect(),
        facts: Vec::new(),
        checks: Vec::new(),
        peers: None,
        version: None,
        uptime_seconds: None,
        restarts: 0,
        restarted_at: None,
        spark: None,
        series: Vec::new(),
        missing: Vec::new(),
        failures: Vec::new(),
        warnings: Vec::new(),
        answered: false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::state::StateFile;

    fn fleet() -> Arc<Fleet> {
        Arc::new(Fleet::new(Arc::new(StateFile::open(None)), BTreeMap::new()))
    }
    use crate::store::Limits;

    fn pushed() -> Pushed {
        pushed_in(None)
    }

    fn pushed_in(data_dir: Option<&Path>) -> Pushed {
        let families = Arc::new(Registry::built_in());
        Pushed::new(
            RemoteWriteInConfig::default(),
            data_dir,
            fleet(),
            Arc::new(Store::new(Limits::default())),
            Box::new(move || families.clone()),
        )
    }

    fn up(at: i64, value: f64) -> (LabelSet, Vec<Sample>) {
        let labels =
            LabelSet::from_pairs([("__name__", "up"), ("instance", "a"), ("job", "x"), ("region", "eu")]);
        (labels, vec![(at, value)])
    }

    #[test]
    fn a_node_comes_with_its_first_push_and_goes_after_a_day_of_silence() {
        let pushed = pushed();
        pushed.note("a", &[up(1_000, 1.0)], 1_000);
        pushed.look(2_000);
        let detail = pushed.fleet.detail("a").unwrap();
        assert_eq!((detail.summary.status, detail.summary.family.as_str()), (Status::Healthy, "generic"));
        assert_eq!(detail.summary.labels, BTreeMap::from([("region".to_owned(), "eu".to_owned())]));
        assert!(detail.family_note.contains("\"x\""), "{}", detail.family_note);
        pushed.look(120_000);
        assert_eq!(pushed.fleet.detail("a").unwrap().summary.status, Status::Unreachable);
        assert_eq!(pushed.fleet.pushed().len(), 1);
        pushed.look(1_000 + 24 * 3_600_000 + 1);
        assert!(pushed.fleet.detail("a").is_none() && pushed.fleet.pushed().is_empty());
    }

    #[test]
    fn a_new_start_misses_a_node_that_fell_silent() {
        let folder = tempfile::tempdir().unwrap();
        let first = pushed_in(Some(folder.path()));
        first.look(500);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was ever pushed");
        first.note("a", &[up(1_000, 1.0)], 1_000);
        first.look(1_000);
        let second = pushed_in(Some(folder.path()));
        second.look(2_000);
        assert_eq!(second.fleet.detail("a").unwrap().summary.status, Status::Unknown);
        second.look(100_000);
        let summary = second.fleet.detail("a").unwrap().summary;
        assert_eq!((summary.status, summary.labels["region"].as_str()), (Status::Unreachable, "eu"));
        second.look(2 * 24 * 3_600_000);
        let third = pushed_in(Some(folder.path()));
        third.look(2 * 24 * 3_600_000);
        assert!(third.fleet.pushed().is_empty());
    }

    #[test]
    fn a_node_that_we_ask_stays_ours_and_keeps_its_labels() {
        let pushed = pushed();
        let scrape = crate::config::ScrapeConfig::default();
        let mut target = Target::new("a".to_owned(), "generic".to_owned(), "http://a".to_owned(), &scrape);
        target.labels.insert("rack".to_owned(), "1".to_owned());
        pushed.fleet.begin(&Arc::new(target));
        pushed.note("a", &[up(1_000, 0.0)], 1_000);
        pushed.look(2_000);
        assert_eq!(pushed.fleet.detail("a").unwrap().summary.status, Status::Unknown);
        let ident = pushed.ident("a");
        assert_eq!((ident.job.as_str(), ident.labels["rack"].as_str()), ("generic", "1"));
        assert!(pushed.ident("b").label_set().iter().eq([("instance", "b")]));
        // It is asked no more: the next push brings it back as a pushed one.
        pushed.fleet.end("a");
        pushed.note("a", &[up(16_000, 1.0)], 16_000);
        pushed.look(17_000);
        assert_eq!(pushed.fleet.detail("a").unwrap().summary.status, Status::Healthy);
    }
}
