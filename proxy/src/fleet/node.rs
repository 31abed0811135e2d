//! One node: what its rounds said, laid over what was known before.

use std::{collections::VecDeque, net::IpAddr, sync::Arc};

use fleetglass_shared::{
    family::{EndpointRole, Family, Normalised},
    health::{Check, Fact, Reason, ScrapeFailure, Status, UnixMillis},
    incident::{Member, PLACES},
    restart::{Peer, Subject},
    risk::worst_first,
    wire::{EndpointDetail, NodeDetail, NodeSummary, Panel, Risk, Spark},
};

use super::Asked;
use crate::target::Target;

const KEPT_FAILURES: usize = 50;
const MINUTE: UnixMillis = 60_000;

/// What one round of a node came to.
#[derive(Debug)]
pub struct Observation {
    /// When the round began.
    pub at: UnixMillis,
    /// The node's family; `None` while nothing recognised it.
    pub family: Option<Arc<Family>>,
    /// How the family came about, for `auto`.
    pub family_note: String,
    /// What the answers mean.
    pub normalised: Normalised,
    /// How each endpoint answered.
    pub endpoints: Vec<(EndpointRole, EndpointDetail)>,
    /// The family's slash risks against this node.
    pub risks: Vec<Risk>,
}

/// How a node stands, for who looks at what failed together.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What it shares with others.
    pub member: Member,
    /// How it is.
    pub status: Status,
    /// Since when.
    pub since: UnixMillis,
    /// How often it is asked.
    pub interval_ms: i64,
}

/// A node's risks, and what they were judged by.
#[derive(Clone, Debug)]
pub struct Risky {
    /// Its family; `None` while nothing recognised it.
    pub family: Option<Arc<Family>>,
    /// Every risk of the family, as it was judged last.
    pub risks: Vec<Risk>,
    /// When that was.
    pub asked_at: Option<UnixMillis>,
    /// How often it is asked.
    pub interval_ms: i64,
}

#[derive(Debug)]
pub(super) struct Node {
    target: Arc<Target>,
    host: Option<String>,
    family: Option<Arc<Family>>,
    family_note: String,
    summary: NodeSummary,
    endpoints: Vec<(EndpointRole, EndpointDetail)>,
    facts: Vec<Fact>,
    checks: Vec<Check>,
    missing: Vec<String>,
    risks: Vec<Risk>,
    failures: VecDeque<ScrapeFailure>,
    warnings: Vec<ScrapeFailure>,
}

impl Node {
    pub(super) fn new(target: &Arc<Target>, at: UnixMillis) -> Self {
        let (id, family) = (target.id.clone(), target.family.clone());
        let mut summary = NodeSummary::new(id, family, Status::Unknown, at, millis(target));
        summary.labels.clone_from(&target.labels);
        summary.reasons.push(Reason {
            code: "not-asked".to_owned(),
            text: "Not asked yet".to_owned(),
            status: Status::Unknown,
        });
        Self {
            target: Arc::clone(target),
            host: target.host(),
            family: None,
            family_note: String::new(),
            summary,
            endpoints: Vec::new(),
            facts: Vec::new(),
            checks: Vec::new(),
            missing: Vec::new(),
            risks: Vec::new(),
            failures: VecDeque::new(),
            warnings: Vec::new(),
        }
    }

    /// The same id is asked in another way now.
    pub(super) fn retarget(&mut self, target: &Arc<Target>) {
        self.summary.labels.clone_from(&target.labels);
        self.summary.interval_ms = millis(target);
        self.target = Arc::clone(target);
        self.host = target.host();
    }

    /// What it shares with others. A `host` label goes before the host of the URL: many hosts may stand behind one
    /// name.
    pub(super) fn standing(&self) -> Standing {
        let summary = &self.summary;
        let label = |name: &str| summary.labels.get(name).filter(|value| !value.is_empty()).cloned();
        let place = |name: &&str| label(name).map(|value| ((*name).to_owned(), value));
        Standing {
            member: Member {
                id: summary.id.clone(),
                family: summary.family.clone(),
                host: label("host").or_else(|| self.host.clone()),
                places: PLACES.iter().filter_map(place).collect(),
                version: summary.version.clone(),
                is_known: summary.status != Status::Unknown,
            },
            status: summary.status,
            since: summary.since,
            interval_ms: i64::try_from(summary.interval_ms).unwrap_or(i64::MAX),
        }
    }

    /// It takes no way out to reach it.
    pub(super) fn is_on_this_machine(&self) -> bool {
        let host = self.host.as_deref().unwrap_or_default();
        host.parse::<IpAddr>().map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |ip| ip.is_loopback())
    }

    pub(super) fn summary(&self) -> &NodeSummary {
        &self.summary
    }

    pub(super) fn summary_mut(&mut self) -> &mut NodeSummary {
        &mut self.summary
    }

    pub(super) fn observe(&mut self, observation: Observation) {
        let Observation { at, family, family_note, normalised, endpoints, risks } = observation;
        let failed: Vec<&str> =
            endpoints.iter().filter(|(_, e)| e.failure.is_some()).map(|(_, e)| e.name.as_str()).collect();
        self.facts =
            kept(&self.facts, normalised.facts, |fact| &fact.endpoint, |fact| fact.stale = true, &failed);
        self.checks = kept(
            &self.checks,
            normalised.checks,
            |check| &check.endpoint,
            |check| check.stale = true,
            &failed,
        );
        for (_, endpoint) in &endpoints {
            if let Some(failure) = endpoint.failure.as_ref().filter(|failure| failure.at == at) {
                self.failures.push_front(failure.clone());
            }
        }
        self.failures.truncate(KEPT_FAILURES);

        let summary = &mut self.summary;
        if let Some(family) = &family {
            summary.family = family.name().to_owned();
        }
        if summary.status != normalised.status {
            summary.status = normalised.status;
            summary.since = at;
        }
        summary.draining = normalised.draining;
        summary.reasons = normalised.reasons;
        summary.asked_at = Some(at);
        if normalised.answered {
            summary.fact_at = Some(at);
            summary.peers = normalised.peers;
            summary.uptime_seconds = normalised.uptime_seconds;
            // A node that has just come back may not say its version yet.
            summary.version = normalised.version.or(summary.version.take());
        }
        summary.restarts = normalised.restarts;
        summary.restarted_at = normalised.restarted_at;
        let value = normalised.spark.map(|value| value as f32);
        summary.spark.advance(&Spark { minute: at.div_euclid(MINUTE), values: vec![value] });
        // What is not exposed stands on the node's page: here it would hide what is known.
        summary.worst_risk =
            risks.iter().filter(|risk| risk.value.is_some()).min_by(|a, b| worst_first(a, b)).cloned();

        self.family = family;
        self.family_note = family_note;
        self.endpoints = endpoints;
        self.missing = normalised.missing;
        self.warnings = normalised.warnings;
        self.risks = risks;
    }

    pub(super) fn detail(&self) -> NodeDetail {
        NodeDetail {
            summary: self.summary.clone(),
            family_note: self.family_note.clone(),
            endpoints: self.endpoints.iter().map(|(_, endpoint)| endpoint.clone()).collect(),
            facts: self.facts.clone(),
            checks: self.checks.clone(),
            missing: self.missing.clone(),
            risks: self.risks.clone(),
            panels: self.panels_as(&self.target.id),
            failures: self.failures.iter().cloned().collect(),
            warnings: self.warnings.clone(),
        }
    }

    /// Its risks, as they were judged last.
    pub(super) fn risks(&self) -> &[Risk] {
        &self.risks
    }

    pub(super) fn risky(&self) -> Risky {
        Risky {
            family: self.family.clone(),
            risks: self.risks.clone(),
            asked_at: self.summary.asked_at,
            interval_ms: i64::try_from(self.summary.interval_ms).unwrap_or(i64::MAX),
        }
    }

    pub(super) fn host(&self) -> Option<String> {
        self.host.clone()
    }

    /// Its charts, with another name of it in their expressions.
    pub(super) fn panels_as(&self, name: &str) -> Vec<Panel> {
        self.family.as_ref().map_or(Vec::new(), |family| family.panels_for(name))
    }

    /// As other nodes see it.
    pub(super) fn peer(&self) -> Peer {
        // Of those at loopback nobody knows where they are.
        let host = self.host.clone().filter(|_| !self.is_on_this_machine()).unwrap_or_default();
        Peer { summary: NodeSummary { spark: Spark::default(), ..self.summary.clone() }, host }
    }

    /// What it says about itself.
    pub(super) fn subject(&self) -> Subject {
        Subject { family: self.family.clone(), facts: self.facts.clone() }
    }

    pub(super) fn endpoints(&self) -> (Arc<Target>, Vec<EndpointDetail>) {
        let endpoints = self.endpoints.iter().map(|(_, endpoint)| endpoint.clone()).collect();
        (Arc::clone(&self.target), endpoints)
    }

    pub(super) fn endpoint(&self, role: &str) -> Option<Asked> {
        let plays = |wanted: EndpointRole| wanted.as_str() == role;
        let (_, endpoint) = self
            .endpoints
            .iter()
            .find(|(own, _)| plays(*own))
            .or_else(|| self.endpoints.iter().find(|(_, endpoint)| endpoint.name == role))?;
        Some(Asked {
            target: Arc::clone(&self.target),
            url: endpoint.url.clone(),
            is_metrics: endpoint.kind == "metrics",
        })
    }
}

/// What was said now, and, marked as old, what endpoints that failed now had said before.
fn kept<T: Clone>(
    before: &[T],
    mut now: Vec<T>,
    endpoint: impl Fn(&T) -> &String,
    mark: impl Fn(&mut T),
    failed: &[&str],
) -> Vec<T> {
    let said: Vec<String> = now.iter().map(|item| endpoint(item).clone()).collect();
    for old in before {
        let name = endpoint(old);
        if failed.contains(&name.as_str()) && !said.contains(name) {
            let mut old = old.clone();
            mark(&mut old);
            now.push(old);
        }
    }
    now
}

fn millis(target: &Target) -> u64 {
    u64::try_from(target.interval.as_millis()).unwrap_or(u64::MAX)
}
