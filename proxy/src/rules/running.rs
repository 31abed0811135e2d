//! One group in force: when it is due, its evaluations, and how they went.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use fleetglass_shared::{
    health::UnixMillis,
    labels::LabelSet,
    promql::EvalError,
    rule::{Active, GroupState, Rule, RuleOutcome, RuleState},
};
use parking_lot::Mutex;

use super::{LoadedGroup, Rules, Seen};
use crate::{alerts::Told, clock, store::TargetIdent};

/// How long one rule may take: half a minute, or its interval if that is longer.
const LONGEST: Duration = Duration::from_secs(30);
/// How long one rule may take for one node.
const LONGEST_FAST: Duration = Duration::from_millis(200);
/// A pending alert of an earlier run goes on as if nothing was after this long at most, as in Prometheus.
const OUTAGE_MS: i64 = 3_600_000;

/// A group that is evaluated.
pub struct Running {
    loaded: LoadedGroup,
    /// What each rule's alerts are kept under.
    keys: Vec<String>,
    /// The rules of risks that can be evaluated for one node alone.
    fast: Vec<usize>,
    inner: Mutex<Inner>,
    timing: Mutex<Timing>,
}

#[derive(Default)]
struct Inner {
    state: GroupState,
    health: Vec<RuleHealth>,
    /// The newest time of an evaluation for one node: none goes back before it.
    newest: UnixMillis,
}

#[derive(Default)]
struct Timing {
    next: Option<UnixMillis>,
    busy: bool,
    missed: u64,
    last: Option<UnixMillis>,
    took: f64,
}

/// How a rule's last evaluation went.
#[derive(Clone, Debug, Default)]
pub struct RuleHealth {
    /// When it was; `None` before the first.
    pub at: Option<UnixMillis>,
    /// How long it took.
    pub took_seconds: f64,
    /// Why it gave nothing.
    pub error: Option<String>,
    /// What may be wrong with what it gave.
    pub warnings: Vec<String>,
}

/// A rule, its alerts, and how it does.
#[derive(Clone)]
pub struct RuleReport {
    /// The rule.
    pub rule: Rule,
    /// What its alerts are kept under.
    pub key: String,
    /// Its alerts.
    pub active: BTreeMap<LabelSet, Active>,
    /// Its last evaluation.
    pub health: RuleHealth,
}

/// A text that is the same for the same rule only.
fn identity(rule: &Rule) -> String {
    format!("{}\u{0}{:?}\u{0}{}\u{0}{:?}", rule.name, rule.kind, rule.query.text(), rule.labels)
}

impl Running {
    /// A group that begins. It takes up the alerts of `old`, or of an earlier run.
    pub(super) fn new(loaded: LoadedGroup, old: Option<&Self>, rules: &Rules, now: UnixMillis) -> Self {
        let alerts = &rules.alerts;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut keys = Vec::new();
        for rule in &loaded.group.rules {
            let count = counts.entry(&rule.name).or_default();
            *count += 1;
            keys.push(format!("{};{};{};{count}", loaded.file, loaded.group.name, rule.name));
        }
        let mut inner = Inner { health: vec![RuleHealth::default(); keys.len()], ..Inner::default() };
        for (rule, key) in loaded.group.rules.iter().zip(&keys) {
            let carried = old.and_then(|old| old.take(rule));
            inner
                .state
                .rules
                .push(carried.unwrap_or_else(|| RuleState::restored(fresh(alerts.take_left(key), now))));
        }
        if let Some(old) = old {
            // What the old group wrote and alerted for rules that are gone ends with it.
            let is_kept = |rule: &Rule| loaded.group.rules.iter().any(|own| identity(own) == identity(rule));
            let gone = old.loaded.group.rules.iter().enumerate().filter(|(_, rule)| !is_kept(rule));
            gone.for_each(|(index, _)| old.end(index, rules, now));
        }
        let is_fast = |rule: &Rule| {
            rule.is_alerting() && rule.labels.contains_key("risk") && rule.query.is_local_to("instance")
        };
        let rules = loaded.group.rules.iter().enumerate();
        let fast = rules.filter(|(_, rule)| is_fast(rule)).map(|(index, _)| index).collect();
        Self { loaded, keys, fast, inner: Mutex::new(inner), timing: Mutex::default() }
    }

    fn take(&self, rule: &Rule) -> Option<RuleState> {
        let index = self.loaded.group.rules.iter().position(|own| identity(own) == identity(rule))?;
        self.inner.lock().state.rules.get_mut(index).map(std::mem::take)
    }

    /// Whether nothing of the group is different.
    pub(super) fn is_same(&self, other: &LoadedGroup) -> bool {
        let of = |group: &LoadedGroup| {
            let rules: Vec<String> = group.group.rules.iter().map(identity).collect();
            let own = &group.group;
            (rules, group.interval_ms, own.limit, own.query_offset_ms, group.overrides.clone())
        };
        of(&self.loaded) == of(other)
    }

    /// The group is gone, and its alerts and series with it.
    pub(super) fn retire(&self, rules: &Rules, now: UnixMillis) {
        (0..self.keys.len()).for_each(|index| self.end(index, rules, now));
    }

    fn end(&self, index: usize, rules: &Rules, now: UnixMillis) {
        let ended = self.inner.lock().state.rules.get_mut(index).map(RuleState::ended).unwrap_or_default();
        let last = self.timing.lock().last.unwrap_or(now);
        write(rules, ended, now.max(last + 1));
        rules.alerts.drop_rule(&self.keys[index], now);
    }

    /// The name of its file.
    pub fn file(&self) -> &str {
        &self.loaded.file
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.loaded.group.name
    }

    /// What it was made from.
    pub fn loaded(&self) -> &LoadedGroup {
        &self.loaded
    }

    /// When it was last evaluated, how long that took in seconds, and how many evaluations were missed.
    pub fn timing(&self) -> (Option<UnixMillis>, f64, u64) {
        let timing = self.timing.lock();
        (timing.last, timing.took, timing.missed)
    }

    /// Its rules.
    pub fn reports(&self) -> Vec<RuleReport> {
        let inner = self.inner.lock();
        let rules = self.loaded.group.rules.iter().zip(&self.keys).enumerate();
        rules
            .map(|(index, (rule, key))| RuleReport {
                rule: rule.clone(),
                key: key.clone(),
                active: inner.state.rules.get(index).map(|state| state.active.clone()).unwrap_or_default(),
                health: inner.health.get(index).cloned().unwrap_or_default(),
            })
            .collect()
    }

    pub(super) fn index_of(&self, key: &str) -> Option<usize> {
        self.keys.iter().position(|own| own == key)
    }

    /// When in its interval it is evaluated: groups are spread, and each is always at the same time.
    fn offset(&self) -> i64 {
        let mut hasher = DefaultHasher::new();
        (self.file(), self.name()).hash(&mut hasher);
        (hasher.finish() % self.loaded.interval_ms as u64) as i64
    }

    /// The time it is to be evaluated for, if that has come. Evaluations that could not be made are counted.
    pub(super) fn due(&self, now: UnixMillis) -> Option<UnixMillis> {
        let (interval, offset) = (self.loaded.interval_ms, self.offset());
        let newest = (now - offset).div_euclid(interval) * interval + offset;
        let mut timing = self.timing.lock();
        // The first comes at once, and a clock that was set back does not stop it.
        let next = timing.next.filter(|next| *next <= newest + interval).unwrap_or(newest);
        if now < next {
            return None;
        }
        if timing.busy {
            if newest > next {
                timing.missed += 1;
                timing.next = Some(newest);
            }
            return None;
        }
        timing.missed += u64::try_from((newest - next) / interval).unwrap_or(0);
        timing.next = Some(newest + interval);
        timing.busy = true;
        Some(newest)
    }

    /// Evaluates every rule of the group in order, whatever its turn.
    pub fn evaluate(&self, rules: &Rules, at: UnixMillis) {
        let begun = clock::monotonic();
        for index in 0..self.keys.len() {
            self.evaluate_rule(rules, index, at);
        }
        let mut timing = self.timing.lock();
        timing.busy = false;
        timing.last = Some(at);
        timing.took = begun.elapsed().as_secs_f64();
    }

    fn evaluate_rule(&self, rules: &Rules, index: usize, at: UnixMillis) {
        let begun = clock::monotonic();
        let most = LONGEST.max(Duration::from_millis(self.loaded.interval_ms.unsigned_abs()));
        let stop = || (begun.elapsed() > most).then_some(EvalError::TimedOut);
        let seen = Seen(&*rules.nodes);
        let context = rules.context(&seen, &stop);
        let mut inner = self.inner.lock();
        let at = at.max(inner.newest);
        let outcome =
            inner.state.evaluate(&self.loaded.group, index, &self.loaded.tuned[index], at, &context);
        self.tell(rules, &mut inner, index, at, outcome, begun.elapsed().as_secs_f64());
    }

    /// What an evaluation gave goes to the store and to the alerts.
    fn tell(
        &self,
        rules: &Rules,
        inner: &mut Inner,
        index: usize,
        at: UnixMillis,
        outcome: RuleOutcome,
        took: f64,
    ) {
        let RuleOutcome { samples, error, warnings } = outcome;
        if let Some(error) = &error
            && inner.health[index].error.as_ref() != Some(error)
        {
            let name = &self.loaded.group.rules[index].name;
            tracing::warn!("{}: group {:?}, rule {name:?}: {error}", self.file(), self.name());
        }
        inner.health[index] = RuleHealth { at: Some(at), took_seconds: took, error, warnings };
        write(rules, samples, at);
        let rule = &self.loaded.group.rules[index];
        if rule.is_alerting() && inner.health[index].error.is_none() {
            let told = Told {
                rule: &self.keys[index],
                name: &rule.name,
                node: &|labels| {
                    labels
                        .get("instance")
                        .filter(|instance| rules.nodes.contains(instance))
                        .map(str::to_owned)
                },
                severity: &|labels| self.loaded.tuned[index].severity(labels).map(str::to_owned),
            };
            rules.alerts.update(&told, &inner.state.rules[index].active, at);
        }
    }

    /// Evaluates its rules of risks for one node, whose round has just ended. They do not wait for their turn;
    /// while they have it, it is soon enough.
    pub(super) fn evaluate_for(&self, rules: &Rules, instance: &str, at: UnixMillis) {
        if self.fast.is_empty() {
            return;
        }
        let Some(mut inner) = self.inner.try_lock() else { return };
        inner.newest = inner.newest.max(at);
        for &index in &self.fast {
            let begun = clock::monotonic();
            let stop = || (begun.elapsed() > LONGEST_FAST).then_some(EvalError::TimedOut);
            let seen = Seen(&*rules.nodes);
            let context = rules.context(&seen, &stop);
            let (group, tuned) = (&self.loaded.group, &self.loaded.tuned[index]);
            let before = inner.alerts_of(index, instance);
            let outcome = inner.state.evaluate_for(group, index, tuned, at, &context, ("instance", instance));
            // Most say each time what they said before: nothing.
            if outcome.error.is_none() && (before > 0 || !outcome.samples.is_empty()) {
                self.tell(rules, &mut inner, index, at, outcome, begun.elapsed().as_secs_f64());
            }
        }
    }
}

/// Puts what rules give into the store.
fn write(rules: &Rules, samples: Vec<(LabelSet, f64)>, at: UnixMillis) {
    if !samples.is_empty() {
        let series = samples.into_iter().map(|(labels, value)| (labels, vec![(at, value)])).collect();
        rules.store.ingest(&TargetIdent::nobody(), series, clock::now());
    }
}

impl Inner {
    fn alerts_of(&self, index: usize, instance: &str) -> usize {
        let of_it = |labels: &&LabelSet| labels.get("instance") == Some(instance);
        self.state.rules.get(index).map_or(0, |state| state.active.keys().filter(of_it).count())
    }
}

/// The alerts of an earlier run that may go on: what pended long ago begins anew.
fn fresh(mut left: BTreeMap<LabelSet, Active>, now: UnixMillis) -> BTreeMap<LabelSet, Active> {
    use fleetglass_shared::rule::AlertState;
    left.retain(|_, alert| match alert.state {
        AlertState::Pending => now - alert.active_at < OUTAGE_MS,
        AlertState::Firing => true,
        AlertState::Resolved => alert
            .resolved_at
            .is_some_and(|resolved| now - resolved < fleetglass_shared::rule::RESOLVED_RETENTION_MS),
    });
    left
}
