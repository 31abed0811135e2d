//! Our own way out. When nearly all nodes are out of reach at once, the first suspect is the machine that we run
//! on: we look whether anything out there can be reached before the fleet is blamed.
//!
//! | module | what it is |
//! |---|---|
//! | this file | [`Egress`]: when it is looked, and what is known |
//! | `look` | the looking: connections, requests, questions to name servers |
//! | `routes` | pure: what the system says of its gateways and name servers, and what it all proves |

mod look;
mod routes;

use std::{sync::Arc, time::Duration};

use fleetglass_shared::{
    health::UnixMillis,
    labels::{LabelSet, METRIC_NAME},
    wire::{self, EgressProbe, EgressState},
};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{
    clock,
    config::EgressConfig,
    scrape::Client,
    store::{Store, TargetIdent},
    telemetry::Telemetry,
};

/// The alert that says that it is gone, and quiets that nodes are not reached.
pub const ALERT: &str = "EgressDown";
/// What its rule looks at.
const SERIES: &str = "fleetglass_egress_up";
/// How often it is looked whether there is reason to look.
const TICK: Duration = Duration::from_millis(500);
/// How often what is known is stored once there was reason to look.
const STORE_EVERY_MS: i64 = 5_000;

/// How many nodes do not answer, and of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Those that do not.
    pub silent: usize,
    /// All that we ask and that are not known to have their monitoring switched off.
    pub all: usize,
}

impl Reach {
    fn is_suspicious(self, share: f64) -> bool {
        self.all > 0 && self.silent as f64 >= share * self.all as f64
    }
}

/// What is known of our own way out.
pub struct Egress {
    config: Mutex<EgressConfig>,
    known: Mutex<Known>,
    client: Client,
    store: Arc<Store>,
    telemetry: Arc<Telemetry>,
}

#[derive(Default)]
struct Known {
    egress: wire::Egress,
    back_at: Option<UnixMillis>,
    stored_at: UnixMillis,
}

impl Egress {
    /// There is a way out until something speaks against it.
    pub fn new(config: EgressConfig, client: Client, store: Arc<Store>, telemetry: Arc<Telemetry>) -> Self {
        telemetry.egress(EgressState::Up, false);
        Self { config: Mutex::new(config), known: Mutex::default(), client, store, telemetry }
    }

    /// Looks in another way from now on.
    pub fn set_config(&self, config: EgressConfig) {
        *self.config.lock() = config;
    }

    /// What is known now.
    pub fn known(&self) -> wire::Egress {
        self.known.lock().egress.clone()
    }

    /// Since when there is none, while that is so.
    pub fn down_since(&self) -> Option<UnixMillis> {
        let known = self.known.lock();
        known.egress.since.filter(|_| known.egress.state == EgressState::Down)
    }

    /// When it came back, if it was gone.
    pub fn back_at(&self) -> Option<UnixMillis> {
        self.known.lock().back_at
    }

    /// Looks whenever there is reason to, until it is cancelled. `reach` counts the nodes; it is told whether those
    /// on this machine count: it takes no way out to reach them.
    pub async fn run(self: Arc<Self>, reach: impl Fn(bool) -> Reach + Send, cancel: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let config = self.config.lock().clone();
            let reach = reach(!config.check.is_empty());
            let now = clock::now();
            let before = self.known();
            let suspicious = reach.is_suspicious(config.share);
            let due = before.checked_at.is_none_or(|at| now - at >= config.interval.as_time() || at > now);
            if suspicious && due {
                let probes = look::look(&config, &self.client).await;
                let state = routes::verdict(&probes);
                self.telemetry.egress(state, true);
                let probes = probes.into_iter().map(|(_, probe)| probe).collect();
                self.learn(state, probes, Some(now), clock::now());
            } else if !suspicious && before.state != EgressState::Up {
                let heard = format!("{} of {} answer", reach.all - reach.silent, reach.all);
                let probe = EgressProbe { of: "the nodes".to_owned(), reached: Some(true), text: heard };
                self.telemetry.egress(EgressState::Up, false);
                self.learn(EgressState::Up, vec![probe], before.checked_at, now);
            }
            self.keep(now);
        }
    }

    fn learn(
        &self,
        state: EgressState,
        probes: Vec<EgressProbe>,
        checked_at: Option<UnixMillis>,
        now: UnixMillis,
    ) {
        let mut known = self.known.lock();
        let before = known.egress.state;
        if state != before {
            known.stored_at = 0;
            match state {
                EgressState::Down => tracing::warn!("no way out of this machine: the nodes are not blamed"),
                _ => tracing::info!(?state, "our own way out"),
            }
        }
        if before == EgressState::Down && state != EgressState::Down {
            known.back_at = Some(now);
        }
        let since = match state {
            EgressState::Down => known.egress.since.or(checked_at),
            EgressState::Up | EgressState::Unknown => None,
        };
        known.egress = wire::Egress { state, since, checked_at, probes };
    }

    /// Stores what is known, from the first look on.
    fn keep(&self, now: UnixMillis) {
        let mut known = self.known.lock();
        if known.egress.checked_at.is_none() || (now - known.stored_at).abs() < STORE_EVERY_MS {
            return;
        }
        known.stored_at = now;
        let value = if known.egress.state == EgressState::Down { 0.0 } else { 1.0 };
        drop(known);
        let labels = LabelSet::from_pairs([(METRIC_NAME, SERIES)]);
        self.store.ingest(&TargetIdent::nobody(), vec![(labels, vec![(now, value)])], now);
    }
}
