//! Groups over time: whatever happens to samples, rules and the process, no alert is stuck, lost, doubled, or
//! resolved without evidence.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use fleetglass_shared::{rule::Override, wire::AlertState};
use proptest::prelude::*;

use super::*;
use crate::{
    alerts::Silence,
    state::{AlertQuery, StateFile},
    store::{Limits, Put, TargetIdent},
};

const MINUTE: i64 = 60_000;
const START: i64 = 1_700_000_000_000 / MINUTE * MINUTE;
const RULE: &str =
    "groups: [{name: g, interval: 1m, rules: [{alert: Lag, expr: lag > 5, for: 2m, labels: {risk: lag}}]}]";

struct OneNode(AtomicBool);

impl Nodes for OneNode {
    fn contains(&self, instance: &str) -> bool {
        instance == "a"
    }

    fn answers(&self, _: &str) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn all_asked(&self) -> bool {
        true
    }
}

fn set(text: &str) -> RuleSet {
    RuleSet { files: vec![LoadedFile::read("rules.yml", text, &[], MINUTE)] }
}

/// A proxy's rules and alerts, over a state file that outlives them.
struct World {
    state: Arc<StateFile>,
    store: Arc<Store>,
    nodes: Arc<OneNode>,
    rules: Rules,
}

impl World {
    async fn start(folder: &Path, store: Arc<Store>, text: &str, now: i64) -> Self {
        let state = Arc::new(StateFile::open(Some(folder)));
        let alerts = Arc::new(Alerts::restore(Arc::clone(&state)).await.unwrap());
        let nodes = Arc::new(OneNode(AtomicBool::new(true)));
        let own: Arc<dyn Nodes> = nodes.clone();
        let rules = Rules::new(Arc::clone(&store), alerts, own, String::new(), BTreeMap::new());
        rules.apply(set(text), now);
        Self { state, store, nodes, rules }
    }

    /// The node says something, or nothing, and every group is evaluated.
    fn step(&self, at: i64, value: Option<f64>, landed: bool) {
        let ident = TargetIdent { instance: "a".into(), job: "x".into(), labels: BTreeMap::new() };
        let mut row = self.store.begin(&ident, at).unwrap();
        row.put(&Put::gauge("up", f64::from(value.is_some()), "")).unwrap();
        if let Some(value) = value {
            row.put(&Put::gauge("lag", value, "")).unwrap();
        }
        row.commit();
        self.nodes.0.store(value.is_some(), Ordering::Relaxed);
        if landed {
            self.rules.landed("a", at);
        }
        self.rules.groups().iter().for_each(|group| group.evaluate(&self.rules, at));
        self.rules.alerts.tick(at);
    }

    /// Where the alert stands.
    fn alert(&self) -> Option<AlertState> {
        let mut all = self.rules.alerts.all();
        all.retain(|alert| alert.name == "Lag");
        assert!(all.len() <= 1, "doubled: {all:?}");
        all.first().map(|alert| alert.state)
    }

    /// How often it was told to be in each state.
    async fn told(&self) -> [usize; 3] {
        let query = AlertQuery { alert: None, node: None, since: 0, until: i64::MAX, limit: 100_000 };
        let history = self.state.alert_history(query).await.unwrap();
        ["pending", "firing", "resolved"].map(|what| {
            history.changes.iter().filter(|change| change.what == what && change.name == "Lag").count()
        })
    }
}

#[derive(Clone, Copy, Debug)]
enum Happens {
    Over,
    Under,
    Silent,
    Restart,
    Reload,
    Silence,
}

/// What should be: by the rule's words alone.
#[derive(Default)]
struct Truth {
    since: Option<i64>,
    firing: bool,
    resolved_at: Option<i64>,
    told: [usize; 3],
}

impl Truth {
    fn step(&mut self, at: i64, value: Option<f64>) {
        match value.map(|value| value > 5.0) {
            // What cannot be seen is as it was; what is resolved is forgotten in time all the same.
            None => {}
            Some(true) if self.since.is_none() => {
                self.since = Some(at);
                self.resolved_at = None;
                self.told[0] += 1;
            }
            Some(true) if !self.firing && at - self.since.unwrap() >= 2 * MINUTE => {
                self.firing = true;
                self.told[1] += 1;
            }
            Some(true) => {}
            Some(false) => {
                if std::mem::take(&mut self.firing) {
                    self.resolved_at = Some(at);
                    self.told[2] += 1;
                }
                self.since = None;
            }
        }
    }

    fn alert(&self, at: i64) -> Option<AlertState> {
        match (self.since, self.firing) {
            (Some(_), true) => Some(AlertState::Firing),
            (Some(_), false) => Some(AlertState::Pending),
            (None, _) => {
                self.resolved_at.filter(|resolved| at - resolved <= 15 * MINUTE).map(|_| AlertState::Resolved)
            }
        }
    }
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => Just(Happens::Over),
        4 => Just(Happens::Under),
        3 => Just(Happens::Silent),
        1 => Just(Happens::Restart),
        1 => Just(Happens::Reload),
        1 => Just(Happens::Silence),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_alert_is_stuck_lost_doubled_or_resolved_without_evidence(
        story in proptest::collection::vec((happens(), 1i64..4, any::<bool>()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let store = Arc::new(Store::new(Limits::default()));
            let mut world = World::start(folder.path(), Arc::clone(&store), RULE, START).await;
            let mut truth = Truth::default();
            let mut text = RULE.to_owned();
            let mut at = START;
            for (what, minutes, landed) in story {
                at += minutes * MINUTE;
                let value = match what {
                    Happens::Over => Some(9.0),
                    Happens::Under => Some(1.0),
                    Happens::Silent => None,
                    Happens::Restart => {
                        drop(world);
                        world = World::start(folder.path(), Arc::clone(&store), &text, at).await;
                        continue;
                    }
                    Happens::Reload => {
                        text = if text == RULE { RULE.replace("rules: [", "rules: [{record: r, expr: lag}, ") } else { RULE.to_owned() };
                        world.rules.apply(set(&text), at);
                        continue;
                    }
                    Happens::Silence => {
                        let matchers = serde_json::from_str(r#"[{"name":"alertname","value":"Lag"}]"#).unwrap();
                        let silence = Silence::new(String::new(), matchers, (at, at + 5 * MINUTE), "x".into(), String::new());
                        world.rules.alerts.set_silence(silence.unwrap(), at).unwrap();
                        continue;
                    }
                };
                world.step(at, value, landed);
                truth.step(at, value);
                assert_eq!(world.alert(), truth.alert(at), "at minute {}", (at - START) / MINUTE);
            }
            assert_eq!(world.told().await, truth.told);
        });
    }
}

#[tokio::test]
async fn groups_are_evaluated_once_an_interval_and_what_was_missed_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path(), Arc::new(Store::new(Limits::default())), RULE, START).await;
    let group = &world.rules.groups()[0];
    let first = group.due(START).unwrap();
    assert!((START - MINUTE..=START).contains(&first));
    // It is still at work when its next turn comes, and the one after that.
    assert_eq!((group.due(first + MINUTE), group.timing().2), (None, 0));
    assert_eq!((group.due(first + 2 * MINUTE), group.timing().2), (None, 1));
    group.evaluate(&world.rules, first);
    assert_eq!(group.due(first + 2 * MINUTE + 1), Some(first + 2 * MINUTE));
    group.evaluate(&world.rules, first + 2 * MINUTE);
    assert_eq!(group.due(first + 3 * MINUTE - 1), None);
    // A clock that was set back does not stop it, and one that was set forward costs what it skipped.
    assert!(group.due(first - 100 * MINUTE).is_some());
    group.evaluate(&world.rules, first);
    let missed = group.timing().2;
    assert_eq!(group.due(first + 10 * MINUTE), Some(first + 10 * MINUTE));
    assert!(group.timing().2 > missed);
}

#[test]
fn a_bad_override_is_a_fault_of_its_file_and_the_rule_is_as_it_was() {
    let wrong =
        Override { alert: "Lag".into(), threshold: Some(1.0), instead_of: Some(99.0), ..Override::default() };
    let file = LoadedFile::read("rules.yml", RULE, &[wrong], MINUTE);
    assert_eq!(file.groups[0].group.rules.len(), 1);
    assert!(file.faults[0].message.contains("compares with 5, not with 99"), "{:?}", file.faults);
}

#[tokio::test]
async fn the_series_of_a_rule_that_is_gone_end_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::new(Limits::default()));
    // Samples of long ago are not taken from rules.
    let now = clock::now() / MINUTE * MINUTE;
    let both = "groups: [{name: g, interval: 1m, rules: [{alert: Lag, expr: lag > 5}, {record: twice, expr: lag * 2}]}]";
    let world = World::start(folder.path(), Arc::clone(&store), both, now).await;
    let count = |expr: &str| crate::query::evaluate_instant(&store, expr, now + 5_000).unwrap().len();
    world.step(now, Some(9.0), false);
    assert_eq!([count("ALERTS"), count("twice")], [1, 1]);

    world.rules.apply(set("groups: [{name: g, interval: 1m, rules: [{alert: Lag, expr: lag > 5}]}]"), now);
    assert_eq!([count("ALERTS"), count("twice")], [1, 0], "what is in both goes on");
    world.rules.apply(set("groups: []"), now);
    assert_eq!([count("ALERTS"), count("ALERTS_FOR_STATE")], [0, 0]);
}
