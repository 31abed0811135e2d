//! The life of an alert: pending, firing, resolved, as in Prometheus, and never resolved without evidence.

use std::collections::BTreeMap;

use crate::labels::LabelSet;
use crate::wire::{AlertState, Held};

/// How long a resolved alert is still told to others, as in Prometheus.
pub const RESOLVED_RETENTION_MS: i64 = 15 * 60_000;

/// Whether there is something to see of what an alert is about. An alert whose series are gone since its
/// node does not answer is not resolved by that.
pub trait Evidence {
    /// Whether what these labels name could be seen at the time of the evaluation.
    fn is_seen(&self, labels: &LabelSet) -> bool;
}

/// Everything is seen, as Prometheus takes it.
impl Evidence for () {
    fn is_seen(&self, _: &LabelSet) -> bool {
        true
    }
}

/// One alert of a rule. Times are of evaluations, in Unix milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Active {
    /// Where it stands.
    pub state: AlertState,
    /// Its annotations, expanded.
    pub annotations: BTreeMap<String, String>,
    /// The value of the expression, the last one it had.
    pub value: f64,
    /// Since when the expression is true.
    pub active_at: i64,
    /// Since when it fires.
    pub fired_at: Option<i64>,
    /// When it was resolved.
    pub resolved_at: Option<i64>,
    /// Since when the expression gives nothing though it is kept.
    pub held_since: Option<i64>,
    /// Why it is kept then.
    pub held: Option<Held>,
}

/// What an expression gave for one alert.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// Moves the alerts of a rule on to `at`. `seen` is what is true now; `times` says of an alert how long it pends and
/// how long it goes on firing. What was resolved long enough ago goes.
pub(super) fn advance(
    active: &mut BTreeMap<LabelSet, Active>,
    mut seen: BTreeMap<LabelSet, Seen>,
    at: i64,
    times: &dyn Fn(&LabelSet) -> (i64, i64),
    evidence: &dyn Evidence,
) {
    active.retain(|labels, alert| {
        match seen.remove(labels) {
            Some(now) if alert.state != AlertState::Resolved => {
                alert.value = now.value;
                alert.annotations = now.annotations;
                (alert.held, alert.held_since) = (None, None);
            }
            Some(now) => *alert = begun(now, at),
            None => return go_on_without(alert, labels, at, times(labels).1, evidence),
        }
        true
    });
    active.extend(seen.into_iter().map(|(labels, now)| (labels, begun(now, at))));
    for (labels, alert) in active.iter_mut() {
        if alert.state == AlertState::Pending
            && alert.held.is_none()
            && at - alert.active_at >= times(labels).0
        {
            alert.state = AlertState::Firing;
            alert.fired_at = Some(at);
        }
    }
}

fn begun(now: Seen, at: i64) -> Active {
    Active {
        state: AlertState::Pending,
        annotations: now.annotations,
        value: now.value,
        active_at: at,
        fired_at: None,
        resolved_at: None,
        held_since: None,
        held: None,
    }
}

/// An alert whose expression gives nothing for it; whether it stays.
fn go_on_without(
    alert: &mut Active,
    labels: &LabelSet,
    at: i64,
    keep_firing_for_ms: i64,
    evidence: &dyn Evidence,
) -> bool {
    if alert.state == AlertState::Resolved {
        return alert.resolved_at.is_some_and(|resolved| at - resolved <= RESOLVED_RETENTION_MS);
    }
    let since = *alert.held_since.get_or_insert(at);
    if alert.state == AlertState::Firing && at - since < keep_firing_for_ms {
        alert.held = Some(Held::KeepFiring);
        return true;
    }
    if !evidence.is_seen(labels) {
        alert.held = Some(Held::NoData);
        return true;
    }
    (alert.held, alert.held_since) = (None, None);
    if alert.state == AlertState::Pending {
        return false;
    }
    alert.state = AlertState::Resolved;
    alert.resolved_at = Some(at);
    true
}
