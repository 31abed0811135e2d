//! One round of a node: ask all its endpoints, parse and normalise what they said, put it into the
//! store as one row, and tell the fleet.

mod ask;
mod exposed;
mod read;
mod risks;
mod row;
mod unrecognised;

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use ask::Reply;
use fleetglass_shared::{
    family::{EndpointAnswer, Family, Memory, Registry, Round, normalise},
    health::{FailureKind, ScrapeFailure, UnixMillis},
    wire::{EndpointDetail, FamilyInfo},
};
use read::Read;
pub use risks::{Judged, OneRisk, OwnSeries, RiskMemory, Subject, judge, of_node, own_series, paced};

use crate::{
    clock,
    fleet::{Fleet, Observation},
    rules::Rules,
    scrape::{Client, Pace, RoundHandler},
    store::{Put, Store, TargetIdent},
    target::Target,
    telemetry::Telemetry,
};

/// Runs rounds; all that they share.
pub struct Rounds {
    client: Client,
    store: Arc<Store>,
    fleet: Arc<Fleet>,
    telemetry: Arc<Telemetry>,
    registry: ArcSwap<Registry>,
    rules: Arc<Rules>,
}

/// What is kept of a node between its rounds.
#[derive(Debug)]
pub struct NodeState {
    /// `None` while an `auto` node was not recognised.
    family: Option<Arc<Family>>,
    family_note: String,
    /// The target's, or another port of the family at which an `auto` node was found.
    base_url: String,
    memory: Memory,
    risks: RiskMemory,
    endpoints: BTreeMap<String, EndpointState>,
}

#[derive(Debug, Default)]
struct EndpointState {
    answered_at: Option<UnixMillis>,
    /// It asked not to be asked before this.
    not_before: UnixMillis,
    /// What was read over when its exposition was last read for its meaning.
    warnings: Vec<ScrapeFailure>,
}

impl Rounds {
    /// Rounds over these parts.
    pub fn new(
        client: Client,
        store: Arc<Store>,
        fleet: Arc<Fleet>,
        telemetry: Arc<Telemetry>,
        registry: Registry,
        rules: Arc<Rules>,
    ) -> Self {
        Self { client, store, fleet, telemetry, registry: ArcSwap::from_pointee(registry), rules }
    }

    /// The families in force.
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.load_full()
    }

    /// Takes other families; nodes use them from when they are next begun.
    pub fn set_registry(&self, registry: Registry) {
        self.registry.store(Arc::new(registry));
    }

    /// Says which nodes there will be.
    pub fn expect(&self, targets: &[Target]) {
        self.fleet.expect(&targets.iter().map(|target| target.id.as_str()).collect());
    }

    /// The families, as the browser knows them.
    pub fn families(&self) -> Vec<FamilyInfo> {
        self.registry.load().all().map(|family| family.info()).collect()
    }

    async fn ask_and_tell(&self, target: &Arc<Target>, state: &mut NodeState) -> Pace {
        let mut pace = Pace::Usual;
        let at = clock::now();
        let started = clock::monotonic();
        let bearer = target.bearer_token();
        if state.family.is_none() {
            let search = ask::recognise(&self.client, target, &self.registry(), bearer.as_deref()).await;
            self.count(&search.replies);
            match search.found {
                Some((family, note, base_url)) => {
                    let family = with_bounds(&family, target);
                    (state.family, state.family_note, state.base_url) = (Some(family), note, base_url);
                }
                None => self.fleet.observe(&target.id, unrecognised::observation(&search.replies, at)),
            }
        }
        if let Some(family) = state.family.clone() {
            // The URLs were checked when the target was taken in.
            let endpoints = family.endpoints_for(&state.base_url, &target.endpoints).unwrap_or_default();
            let waits = |name: &str| state.endpoints.get(name).is_some_and(|known| known.not_before > at);
            let replies = ask::all(&self.client, target, endpoints, bearer.as_deref(), waits).await;
            self.count(&replies);
            pace = self.tell(target, state, &family, &replies, at, started.elapsed().as_secs_f64());
        }
        self.telemetry.round(started.elapsed().as_secs_f64());
        pace
    }

    fn count(&self, replies: &[Reply]) {
        for reply in replies {
            self.telemetry.request(reply.outcome.as_ref().err().map(|failure| failure.kind));
        }
    }

    fn tell(
        &self,
        target: &Arc<Target>,
        state: &mut NodeState,
        family: &Arc<Family>,
        replies: &[Reply],
        at: UnixMillis,
        took: f64,
    ) -> Pace {
        let ident = TargetIdent {
            instance: target.id.clone(),
            job: family.name().to_owned(),
            labels: target.labels.clone(),
        };
        let mut row = self.store.begin(&ident, at);
        let mut read: Vec<Read<'_>> =
            replies.iter().map(|reply| Read::of(reply, row.as_mut().ok(), at)).collect();
        read.iter_mut().for_each(|read| state.keep_warnings(read, at));
        let answers: Vec<EndpointAnswer<'_>> = read.iter().map(|read| read.answer(at)).collect();
        let round = Round { at, interval_ms: millis(target), answers: &answers };
        let mut normalised = normalise(family, &round, &mut state.memory);
        if let Err(error) = &row {
            normalised.warnings.push(ScrapeFailure {
                endpoint: String::new(),
                kind: FailureKind::Other,
                message: error.to_string(),
                at,
            });
        }
        for read in &read {
            normalised.warnings.extend(read.warnings.iter().cloned());
        }
        let endpoints: Vec<_> = read
            .iter()
            .map(|read| (read.reply.endpoint.role, state.detail(read, &normalised.failures, at)))
            .collect();
        let open = row.ok().map(|mut row| {
            let known = row::Known {
                samples: read.iter().map(|read| read.samples()).sum(),
                took,
                clock_skew: replies.iter().find_map(|reply| reply.outcome.as_ref().ok()?.clock_skew),
                certificates: replies
                    .iter()
                    .filter_map(|reply| {
                        let not_after = reply.outcome.as_ref().ok()?.certificate_not_after?;
                        Some((reply.endpoint.name.clone(), not_after))
                    })
                    .collect(),
            };
            row::put_round(&mut row, &normalised, &endpoints, &known, at);
            row.commit_open()
        });
        let subject = Subject {
            family,
            instance: &target.id,
            facts: &normalised.facts,
            stake: target.stake.as_ref(),
            interval_ms: i64::try_from(millis(target)).unwrap_or(i64::MAX),
        };
        // What the risks come to belongs to the row that they were worked out from.
        let Judged { risks, near } = judge(&self.store, &subject, &mut state.risks, at);
        if let Some(row) = open {
            let own = own_series(&target.id, &risks, at);
            let puts: Vec<Put<'_>> = own.iter().map(OwnSeries::put).collect();
            self.telemetry.appended(row.close(&puts).samples);
        }
        self.fleet.observe(
            &target.id,
            Observation {
                at,
                family: state.family.clone(),
                family_note: state.family_note.clone(),
                normalised,
                endpoints,
                risks,
            },
        );
        self.rules.landed(&target.id, at);
        if near { Pace::Close } else { Pace::Usual }
    }
}

impl RoundHandler for Rounds {
    type State = NodeState;

    fn begin(&self, target: &Arc<Target>) -> NodeState {
        self.fleet.begin(target);
        let family = self.registry.load().get(&target.family).map(|family| with_bounds(family, target));
        NodeState {
            family,
            family_note: String::new(),
            base_url: target.url.clone(),
            memory: Memory::default(),
            risks: RiskMemory::default(),
            endpoints: BTreeMap::new(),
        }
    }

    async fn round(&self, target: &Arc<Target>, state: &mut NodeState) -> Pace {
        self.ask_and_tell(target, state).await
    }

    fn end(&self, target: &Arc<Target>) {
        self.fleet.end(&target.id);
        self.store.remove(&target.id, clock::now());
    }
}

impl NodeState {
    /// A body that is as the last one was still has that one's faults.
    fn keep_warnings(&mut self, read: &mut Read<'_>, at: UnixMillis) {
        let Some(exposed) = &read.exposed else { return };
        let known = self.endpoints.entry(read.reply.endpoint.name.clone()).or_default();
        if exposed.checks_meaning() {
            known.warnings.clone_from(&read.warnings);
        } else {
            read.warnings =
                known.warnings.iter().cloned().map(|warning| ScrapeFailure { at, ..warning }).collect();
        }
    }

    fn detail(&mut self, read: &Read<'_>, failures: &[ScrapeFailure], at: UnixMillis) -> EndpointDetail {
        let fleetglass_shared::family::ResolvedEndpoint { name, url, kind, .. } = &read.reply.endpoint;
        let known = self.endpoints.entry(name.clone()).or_default();
        let answer = read.reply.outcome.as_ref().ok();
        if let Some(wait) = answer.and_then(|answer| answer.retry_after).filter(|_| is_turned_away(answer)) {
            known.not_before = at + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2).min(600_000);
        }
        let failure = read
            .failure
            .clone()
            .or_else(|| failures.iter().find(|failure| failure.endpoint == *name).cloned());
        if failure.is_none() && answer.is_some() {
            known.answered_at = Some(at);
        }
        EndpointDetail {
            name: name.clone(),
            url: url.clone(),
            kind: kind.as_str().to_owned(),
            asked_at: Some(at),
            answered_at: known.answered_at,
            http_status: answer.map(|answer| answer.status),
            duration_seconds: answer.map(|answer| answer.duration.as_secs_f64()),
            samples: read.exposed.as_ref().map(|exposed| exposed.len() as u64),
            failure,
        }
    }
}

/// A family with the bounds of a target; their names were checked when it was taken in, but for those of `auto`.
fn with_bounds(family: &Arc<Family>, target: &Target) -> Arc<Family> {
    if target.bounds.is_empty() {
        return Arc::clone(family);
    }
    family.with_bounds(&target.bounds).map_or_else(|_| Arc::clone(family), Arc::new)
}

fn is_turned_away(answer: Option<&crate::scrape::Reply>) -> bool {
    answer.is_some_and(|answer| matches!(answer.status, 429 | 503))
}

fn millis(target: &Target) -> u64 {
    u64::try_from(target.interval.as_millis()).unwrap_or(u64::MAX)
}
