//! Alerts: what the rules found, joined with what people said about it.
//!
//! Rules say what pends, fires and is over ([`Alerts::update`]); people acknowledge and silence; an alert
//! that explains others quiets them. Silences and acknowledgements mute, they never change what is true.
//!
//! | module | what it is |
//! |---|---|
//! | this file | [`Alerts`]: every alert as it stands, what changed, what is kept for the next run |
//! | `silence` | [`Silence`], in Alertmanager's words |
//! | `journal` | what is kept of each change, and the events it makes |
//! | `inhibit` | [`Inhibition`]: which alert quiets which |
//! | `maintenance` | windows of time that mute |

mod inhibit;
mod journal;
mod maintenance;
mod silence;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use fleetglass_shared::{
    health::UnixMillis,
    labels::LabelSet,
    maintenance::Window,
    rule::Active,
    wire::{Acknowledge, Acknowledgement, Alert, AlertState, Held, Severity},
};
pub use inhibit::{Inhibition, UNREACHABLE, built_in};
use journal::{Journal, change_of, kept};
use parking_lot::Mutex;
pub use silence::{Silence, SilenceError, SilenceState, WireMatcher};

use crate::state::{StateError, StateFile};

/// An alert that began to fire so often within [`FLAP_WINDOW_MS`] flaps.
const FLAPS: usize = 4;
const FLAP_WINDOW_MS: i64 = 3_600_000;
/// How long before its end a silence that mutes something warns.
const WARN_BEFORE_MS: i64 = 15 * 60_000;
/// How long an ended silence is still told.
const ENDED_SILENCES_MS: i64 = 5 * 86_400_000;

/// Every alert.
pub struct Alerts {
    inner: Mutex<Inner>,
    state: Arc<StateFile>,
}

#[derive(Default)]
struct Inner {
    /// By id.
    alerts: BTreeMap<String, Entry>,
    /// Of each rule the ids, by the labels.
    of_rule: BTreeMap<String, BTreeMap<LabelSet, String>>,
    acknowledgements: BTreeMap<String, Acknowledgement>,
    silences: BTreeMap<String, Silence>,
    inhibitions: Vec<Inhibition>,
    /// `None` until the config has said which there are.
    maintenance: Option<Vec<Window>>,
    dirty: BTreeSet<String>,
    /// What an earlier run left, until its rule takes it up.
    left: BTreeMap<String, BTreeMap<LabelSet, Active>>,
}

struct Entry {
    /// What it is kept under.
    rule: String,
    labels: LabelSet,
    alert: Alert,
    /// When it began to fire of late.
    firings: VecDeque<UnixMillis>,
}

/// Whose alerts are told, and what is known of them beside the labels.
pub struct Told<'a> {
    /// File, group and name: what an alert is kept under.
    pub rule: &'a str,
    /// The alert's name.
    pub name: &'a str,
    /// The node that labels name, if it is one of the fleet.
    pub node: &'a dyn Fn(&LabelSet) -> Option<String>,
    /// The severity, where it is not the label's.
    pub severity: &'a dyn Fn(&LabelSet) -> Option<String>,
}

/// Why an alert cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such alert; it may have been over for a quarter of an hour")]
pub struct NoSuchAlert;

/// Alertmanager's fingerprint of a label set: what `amtool` and others show.
pub fn fingerprint(labels: &LabelSet) -> u64 {
    let add = |hash: u64, bytes: &[u8]| {
        bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
    };
    labels.iter().fold(0xcbf2_9ce4_8422_2325, |hash, (name, value)| {
        add(add(add(add(hash, name.as_bytes()), &[255]), value.as_bytes()), &[255])
    })
}

impl Alerts {
    /// The alerts, silences and acknowledgements that an earlier run left.
    ///
    /// # Errors
    /// The state file cannot be read.
    pub async fn restore(state: Arc<StateFile>) -> Result<Self, StateError> {
        let (kept, acknowledgements, silences) = state.alerts().await?;
        let mut inner = Inner { acknowledgements, ..Inner::default() };
        for kept in kept {
            let labels = LabelSet::from_pairs(&kept.labels);
            let active = Active {
                state: kept.state,
                annotations: kept.annotations,
                value: kept.value,
                active_at: kept.active_at,
                fired_at: kept.fired_at,
                resolved_at: kept.resolved_at,
                held_since: kept.held_since,
                held: kept.held_since.map(|_| Held::NoData),
            };
            // Known, so that going on is no news.
            let id = inner.free_id(&labels, &kept.rule);
            let told = Told {
                rule: &kept.rule,
                name: labels.get("alertname").unwrap_or_default(),
                node: &|labels| labels.get("instance").map(str::to_owned),
                severity: &|_| None,
            };
            inner.lay(&told, &id, &labels, &active, active.active_at, &mut Journal::default());
            inner.of_rule.entry(kept.rule.clone()).or_default().insert(labels.clone(), id);
            inner.left.entry(kept.rule).or_default().insert(labels, active);
        }
        inner.silences = silences
            .into_iter()
            .filter_map(|kept| Silence::from_kept(&kept).map(|silence| (silence.id.clone(), silence)))
            .collect();
        Ok(Self { inner: Mutex::new(inner), state })
    }

    /// Nothing is known of earlier runs.
    pub fn new(state: Arc<StateFile>) -> Self {
        Self { inner: Mutex::default(), state }
    }

    /// What an earlier run left of a rule's alerts. Given once.
    pub fn take_left(&self, rule: &str) -> BTreeMap<LabelSet, Active> {
        self.inner.lock().left.remove(rule).unwrap_or_default()
    }

    /// Alerts of rules that are no longer there are forgotten; call it when all rules are known.
    pub fn forget_left(&self, now: UnixMillis) {
        let left = std::mem::take(&mut self.inner.lock().left);
        left.into_keys().for_each(|rule| self.drop_rule(&rule, now));
    }

    /// Which alerts quiet which, from the next tick on.
    pub fn set_inhibitions(&self, inhibitions: Vec<Inhibition>) {
        self.inner.lock().inhibitions = inhibitions;
    }

    /// A rule was evaluated: these are its alerts now.
    pub fn update(&self, told: &Told<'_>, active: &BTreeMap<LabelSet, Active>, at: UnixMillis) {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        let mut journal = Journal::default();
        let known = inner.of_rule.remove(told.rule).unwrap_or_default();
        let mut now_known = BTreeMap::new();
        for (labels, alert) in active {
            let id = known.get(labels).cloned().unwrap_or_else(|| inner.free_id(labels, told.rule));
            inner.lay(told, &id, labels, alert, at, &mut journal);
            now_known.insert(labels.clone(), id);
        }
        for (labels, id) in known.into_iter().filter(|(labels, _)| !active.contains_key(labels)) {
            inner.alerts.remove(&id);
            if inner.acknowledgements.remove(&id).is_some() {
                journal.unacknowledged.push(id.clone());
            }
            inner.dirty.insert(id);
            journal.gone.push((told.rule.to_owned(), labels.to_map()));
        }
        if !now_known.is_empty() {
            inner.of_rule.insert(told.rule.to_owned(), now_known);
        }
        if !journal.is_empty() {
            inner.mute(at);
            inner.maintain(at, &mut journal);
        }
        self.keep(journal);
    }

    /// A rule is gone, and its alerts with it.
    pub fn drop_rule(&self, rule: &str, at: UnixMillis) {
        let nothing = |_: &LabelSet| None;
        let told = Told { rule, name: "", node: &nothing, severity: &nothing };
        self.update(&told, &BTreeMap::new(), at);
    }

    fn keep(&self, journal: Journal) {
        if !journal.is_empty() {
            self.state.record_alerts(journal.kept, journal.gone, journal.changes);
            self.state.record(journal.events);
        }
        for id in journal.unacknowledged {
            self.state.record_acknowledgement(&id, None);
        }
    }

    /// What time alone changes: silences that begin and end, acknowledgements that run out.
    pub fn tick(&self, now: UnixMillis) {
        let mut inner = self.inner.lock();
        let mut journal = Journal::default();
        let ended: Vec<String> = inner
            .acknowledgements
            .iter()
            .filter(|(_, taken)| taken.until.is_some_and(|until| until <= now))
            .map(|(id, _)| id.clone())
            .collect();
        for id in ended {
            inner.unacknowledge(&id, now, "its time is over", &mut journal);
        }
        inner.mute(now);
        inner.maintain(now, &mut journal);
        inner.warn(now, &mut journal);
        inner.silences.retain(|_, silence| silence.ends_at > now - ENDED_SILENCES_MS);
        drop(inner);
        self.keep(journal);
    }

    /// What changed since the last call; `None` is gone.
    pub fn take_changes(&self) -> BTreeMap<String, Option<Alert>> {
        let mut inner = self.inner.lock();
        let dirty = std::mem::take(&mut inner.dirty);
        dirty
            .into_iter()
            .map(|id| (id.clone(), inner.alerts.get(&id).map(|entry| entry.alert.clone())))
            .collect()
    }

    /// Every alert, by id.
    pub fn all(&self) -> Vec<Alert> {
        self.inner.lock().alerts.values().map(|entry| entry.alert.clone()).collect()
    }

    /// One alert, and the rule it is of.
    pub fn get(&self, id: &str) -> Option<(Alert, String)> {
        let inner = self.inner.lock();
        let entry = inner.alerts.get(id)?;
        Some((entry.alert.clone(), entry.rule.clone()))
    }

    /// Somebody takes an alert.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn acknowledge(&self, id: &str, by: Acknowledge, now: UnixMillis) -> Result<Alert, NoSuchAlert> {
        let mut inner = self.inner.lock();
        let entry = inner.alerts.get_mut(id).ok_or(NoSuchAlert)?;
        let taken = Acknowledgement { by: by.by, note: by.note, at: now, until: by.until };
        entry.alert.acknowledged = Some(taken.clone());
        let text =
            if taken.note.is_empty() { taken.by.clone() } else { format!("{}: {}", taken.by, taken.note) };
        let change = change_of(&entry.alert, "acknowledged", now, text);
        let alert = entry.alert.clone();
        inner.dirty.insert(id.to_owned());
        inner.acknowledgements.insert(id.to_owned(), taken.clone());
        drop(inner);
        self.state.record_acknowledgement(id, Some(taken));
        self.state.record_alerts(Vec::new(), Vec::new(), vec![change]);
        Ok(alert)
    }

    /// An alert is nobody's again.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn unacknowledge(&self, id: &str, now: UnixMillis) -> Result<Alert, NoSuchAlert> {
        let mut inner = self.inner.lock();
        if !inner.alerts.contains_key(id) {
            return Err(NoSuchAlert);
        }
        let mut journal = Journal::default();
        inner.unacknowledge(id, now, "given back", &mut journal);
        let alert = inner.alerts.get(id).map(|entry| entry.alert.clone());
        drop(inner);
        self.keep(journal);
        alert.ok_or(NoSuchAlert)
    }

    /// Every silence that has not ended long ago.
    pub fn silences(&self) -> Vec<Silence> {
        self.inner.lock().silences.values().cloned().collect()
    }

    /// Makes a silence, or changes the one whose id it has; gives its id.
    ///
    /// # Errors
    /// It makes no sense, or there is none of that id.
    pub fn set_silence(&self, mut silence: Silence, now: UnixMillis) -> Result<String, SilenceError> {
        silence.check(now)?;
        let mut inner = self.inner.lock();
        let before = inner.silences.get(&silence.id).cloned();
        if !silence.id.is_empty() && before.is_none() {
            return Err(SilenceError::NotFound(silence.id));
        }
        let mut replaced = None;
        match before {
            // Alertmanager changes an active silence in place when only its end or its words change.
            Some(before) if before.matchers == silence.matchers && before.ends_at > now => {
                silence.starts_at = before.starts_at.min(silence.starts_at);
            }
            Some(mut before) => {
                before.ends_at = before.ends_at.min(now);
                before.updated_at = now;
                replaced = Some(before);
                silence.id = silence::new_id();
            }
            None => silence.id = silence::new_id(),
        }
        silence.starts_at = if replaced.is_some() { silence.starts_at.max(now) } else { silence.starts_at };
        silence.updated_at = now;
        silence.warned = false;
        let id = silence.id.clone();
        for silence in replaced.into_iter().chain([silence]) {
            self.state.record_silence(silence.to_kept());
            inner.silences.insert(silence.id.clone(), silence);
        }
        inner.mute(now);
        Ok(id)
    }

    /// Ends a silence now.
    ///
    /// # Errors
    /// There is none of that id, or it has ended.
    pub fn expire_silence(&self, id: &str, now: UnixMillis) -> Result<(), SilenceError> {
        let mut inner = self.inner.lock();
        let silence = inner.silences.get_mut(id).ok_or_else(|| SilenceError::NotFound(id.to_owned()))?;
        if silence.ends_at <= now {
            return Err(SilenceError::Ended(id.to_owned()));
        }
        silence.ends_at = now;
        silence.starts_at = silence.starts_at.min(now);
        silence.updated_at = now;
        self.state.record_silence(silence.to_kept());
        inner.mute(now);
        Ok(())
    }
}

impl Inner {
    /// The fingerprint of the labels, with more where another rule's alert has the very same labels.
    fn free_id(&self, labels: &LabelSet, rule: &str) -> String {
        let id = format!("{:016x}", fingerprint(labels));
        if !self.alerts.contains_key(&id) {
            return id;
        }
        let of_rule =
            rule.bytes().fold(7u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
        format!("{id}-{of_rule:08x}")
    }

    fn lay(
        &mut self,
        told: &Told<'_>,
        id: &str,
        labels: &LabelSet,
        active: &Active,
        at: UnixMillis,
        journal: &mut Journal,
    ) {
        let before = self.alerts.get(id);
        let text =
            (told.severity)(labels).or_else(|| labels.get("severity").map(str::to_owned)).unwrap_or_default();
        let mut firings = before.map(|entry| entry.firings.clone()).unwrap_or_default();
        let was = before.map(|entry| entry.alert.clone());
        let turned =
            was.as_ref().is_none_or(|was| was.state != active.state || was.active_at != active.active_at);
        if turned && active.state == AlertState::Firing {
            firings.push_back(active.fired_at.unwrap_or(at));
        }
        while firings.front().is_some_and(|first| *first < at - FLAP_WINDOW_MS) {
            firings.pop_front();
        }
        let mut alert = Alert {
            id: id.to_owned(),
            name: told.name.to_owned(),
            state: active.state,
            severity: Severity::of(&text),
            severity_text: text,
            node: (told.node)(labels),
            labels: labels.to_map(),
            annotations: active.annotations.clone(),
            value: Some(active.value).filter(|value| value.is_finite()),
            active_at: active.active_at,
            fired_at: active.fired_at,
            resolved_at: active.resolved_at,
            held: active.held,
            acknowledged: self.acknowledgements.get(id).cloned(),
            silenced_by: was.as_ref().map(|was| was.silenced_by.clone()).unwrap_or_default(),
            inhibited_by: was.as_ref().map(|was| was.inhibited_by.clone()).unwrap_or_default(),
            muted_by: was.as_ref().map(|was| was.muted_by.clone()).unwrap_or_default(),
            flaps: u32::try_from(firings.len()).ok().filter(|_| firings.len() >= FLAPS),
        };
        if turned && active.state == AlertState::Resolved && alert.acknowledged.is_some() {
            alert.acknowledged = None;
            self.acknowledgements.remove(id);
            journal.unacknowledged.push(id.to_owned());
        }
        if turned {
            journal.turned(&alert, at);
        }
        if was.as_ref() != Some(&alert) {
            let held = was.is_some_and(|was| was.held != alert.held);
            if turned || held {
                journal.kept.push(kept(told.rule, &alert, active));
            }
            self.dirty.insert(id.to_owned());
            self.alerts.insert(
                id.to_owned(),
                Entry { rule: told.rule.to_owned(), labels: labels.clone(), alert, firings },
            );
        }
    }

    fn unacknowledge(&mut self, id: &str, now: UnixMillis, why: &str, journal: &mut Journal) {
        let Some(taken) = self.acknowledgements.remove(id) else { return };
        journal.unacknowledged.push(id.to_owned());
        if let Some(entry) = self.alerts.get_mut(id) {
            entry.alert.acknowledged = None;
            let text = format!("{}'s acknowledgement ended: {why}", taken.by);
            journal.changes.push(change_of(&entry.alert, "unacknowledged", now, text));
            self.dirty.insert(id.to_owned());
        }
    }

    /// Works out anew what is silenced and inhibited.
    fn mute(&mut self, now: UnixMillis) {
        let Self { alerts, silences, inhibitions, dirty, .. } = self;
        let inhibited = inhibit::inhibited(
            inhibitions,
            alerts.iter().map(|(id, entry)| (id.as_str(), &entry.labels, entry.alert.state)),
        );
        for (id, entry) in alerts {
            let mut inhibited_by = inhibited.get(id).cloned().unwrap_or_default();
            inhibited_by.sort();
            let holds = |silence: &&Silence| silence.is_active(now) && silence.matches(&entry.labels);
            let silenced_by: Vec<String> =
                silences.values().filter(holds).map(|silence| silence.id.clone()).collect();
            if entry.alert.silenced_by != silenced_by || entry.alert.inhibited_by != inhibited_by {
                (entry.alert.silenced_by, entry.alert.inhibited_by) = (silenced_by, inhibited_by);
                dirty.insert(id.clone());
            }
        }
    }

    /// Says of a silence that mutes something that it ends soon.
    fn warn(&mut self, now: UnixMillis, journal: &mut Journal) {
        for silence in self.silences.values_mut() {
            let soon = silence.is_active(now) && silence.ends_at - now <= WARN_BEFORE_MS;
            if !soon || silence.warned || silence.ends_at - silence.starts_at <= 2 * WARN_BEFORE_MS {
                continue;
            }
            silence.warned = true;
            let muted = self.alerts.values().filter(|entry| entry.alert.silenced_by.contains(&silence.id));
            for entry in muted {
                let text = format!("the silence of {} ends in a quarter of an hour", silence.created_by);
                journal.changes.push(change_of(&entry.alert, "silence_ends", now, text));
            }
        }
    }
}
