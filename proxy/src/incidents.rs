//! The incidents now: what `fleetglass_shared::incident` makes of the alerts, the fleet and our own way out. Worked
//! out when one of them changed; what is over in an incident is remembered while it lasts.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use fleetglass_shared::{
    health::{Status, UnixMillis},
    incident::{Failure, Grouped, Member, Phase, Situation, group},
    wire::{self, Alert, AlertIncident, AlertState, EgressState, FamilyInfo},
};
use parking_lot::Mutex;

use crate::{
    alerts::{Alerts, UNREACHABLE},
    egress::{self, Egress},
    fleet::{Fleet, Standing},
};

/// What begins within so long is together, at least; or within two rounds of the slowest node.
const TOGETHER_MS: i64 = 60_000;
/// Nodes change too, if slowly: it is looked anew at least so often.
const AGAIN_MS: i64 = 10_000;

/// The incidents.
#[derive(Default)]
pub struct Incidents {
    changed: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    at: UnixMillis,
    egress: wire::Egress,
    groups: Vec<Grouped>,
    /// Of each alert the place of its incident.
    of: BTreeMap<String, usize>,
}

impl Incidents {
    /// Some alert is not as it was.
    pub fn touch(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    /// Works them out anew, if there is reason to.
    pub fn update(
        &self,
        alerts: &Alerts,
        fleet: &Fleet,
        egress: &Egress,
        families: impl FnOnce() -> Vec<FamilyInfo>,
        now: UnixMillis,
    ) {
        let known = egress.known();
        let mut inner = self.inner.lock();
        let rested = (now - inner.at).abs() < AGAIN_MS && inner.egress == known;
        if !self.changed.swap(false, Ordering::Relaxed) && rested {
            return;
        }
        let alerts: Vec<Alert> =
            alerts.all().into_iter().filter(|alert| alert.state != AlertState::Resolved).collect();
        let standings = if alerts.is_empty() { Vec::new() } else { fleet.standings() };
        let situation = situation(alerts, standings, known.clone(), egress.back_at(), &families(), now);
        let groups = group(&situation, &inner.groups);
        let of = groups
            .iter()
            .enumerate()
            .flat_map(|(index, group)| group.incident.alerts.iter().map(move |alert| (alert.clone(), index)));
        *inner = Inner { at: now, egress: known, of: of.collect(), groups };
    }

    /// All of them.
    pub fn all(&self) -> wire::Incidents {
        let inner = self.inner.lock();
        wire::Incidents {
            at: inner.at,
            egress: inner.egress.clone(),
            incidents: inner.groups.iter().map(|group| group.incident.clone()).collect(),
        }
    }

    /// Those of some alerts and nodes, as if there were no others and as if they had just been seen. Whether we can reach
    /// the network follows from all nodes: it is not told.
    pub fn within(
        alerts: Vec<Alert>,
        standings: Vec<Standing>,
        families: &[FamilyInfo],
        now: UnixMillis,
    ) -> wire::Incidents {
        let egress = wire::Egress::default();
        let alerts = alerts.into_iter().filter(|alert| alert.state != AlertState::Resolved).collect();
        let situation = situation(alerts, standings, egress.clone(), None, families, now);
        let incidents = group(&situation, &[]).into_iter().map(|group| group.incident).collect();
        wire::Incidents { at: now, egress, incidents }
    }

    /// The incident that an alert is part of.
    pub fn of(&self, alert: &str) -> Option<AlertIncident> {
        let inner = self.inner.lock();
        let own = &inner.groups.get(*inner.of.get(alert)?)?.incident;
        Some(AlertIncident {
            id: own.id.clone(),
            cause: own.cause,
            title: own.title.clone(),
            alerts: u32::try_from(own.alerts.len()).unwrap_or(u32::MAX),
        })
    }
}

fn situation(
    alerts: Vec<Alert>,
    standings: Vec<Standing>,
    egress: wire::Egress,
    back_at: Option<UnixMillis>,
    families: &[FamilyInfo],
    now: UnixMillis,
) -> Situation {
    let slowest = standings.iter().map(|standing| standing.interval_ms).max().unwrap_or_default();
    let together_ms = TOGETHER_MS.max(slowest.saturating_mul(2));
    let silent: BTreeMap<&str, UnixMillis> = standings
        .iter()
        .filter(|standing| standing.status == Status::Unreachable)
        .map(|standing| (standing.member.id.as_str(), standing.since))
        .collect();
    let failure = |alert: Alert| {
        // Whatever the rule is called: it began when its node fell silent.
        let fell = alert.node.as_deref().and_then(|node| silent.get(node));
        let with_it = fell.is_some_and(|since| (alert.active_at - since).abs() <= together_ms);
        Failure {
            at: alert.active_at,
            silent: alert.name == UNREACHABLE || with_it,
            family: alert.labels.get("job").or_else(|| alert.labels.get("family")).cloned(),
            node: alert.node,
            name: alert.name,
            id: alert.id,
            severity: alert.severity,
            phase: if alert.state == AlertState::Firing { Phase::Firing } else { Phase::Pending },
        }
    };
    let failures = alerts.into_iter().map(failure).collect();
    let is_back = back_at.is_none_or(|at| now - at > 2 * together_ms);
    let members: Vec<Member> = standings.into_iter().map(|standing| standing.member).collect();
    Situation {
        failures,
        members,
        titles: families.iter().map(|family| (family.name.clone(), family.title.clone())).collect(),
        is_blind: egress.state == EgressState::Down || !is_back,
        egress,
        egress_alert: egress::ALERT,
        together_ms,
    }
}
