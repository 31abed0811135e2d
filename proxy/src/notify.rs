//! Notifications: what alerts say goes to the people who must hear it. Stages in a row, as Alertmanager has them:
//!
//! | stage | module | what it does |
//! |---|---|---|
//! | gather | `gather` | joins alerts with what is known of them: value, bound, time left |
//! | mute, group, dedupe | `dispatch` | by the routing tree; `fleetglass_shared::route` knows what was told |
//! | queue | [`crate::state`] | on the disk, in the same transaction as what counts as told |
//! | deliver | `deliver` | one task a way to somebody: tries until it is taken, refused or too old |
//! | | `resend` | the same for Alertmanagers, which are told again and again |
//!
//! | besides | what it is |
//! |---|---|
//! | [`plan`] | the config, set up |
//! | `push` | browsers that subscribed: each a receiver beside those of the config |
//! | `message`, `words`, `template_data` | what is told, and in which words |
//! | `receiver` | the services, one a file |
//! | `client` | requests: no redirects, time-outs, no secret in what is said of them |
//! | [`link`], [`chart`] | what can be pressed in a message, and its picture |
//! | `heartbeat`, `summary` | a sign of life, and a word a day |
//! | `status`, `trial` | how it goes, and tests |

pub mod chart;
pub(crate) mod client;
mod deliver;
mod dispatch;
mod gather;
mod heartbeat;
pub mod link;
mod message;
pub mod plan;
mod push;
mod receiver;
mod resend;
mod status;
mod summary;
mod template_data;
mod trial;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arc_swap::ArcSwap;
pub use deliver::Outlet;
use fleetglass_shared::wire::{Alert, NotifyHealth, NotifyTest};
use link::Links;
use parking_lot::Mutex;
pub use plan::Plan;
pub use push::{PushError, Reached as PushReached, Wish as PushWish};
pub(crate) use receiver::Email;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
pub use trial::{NoSuchReceiver, alone, try_out};

use crate::{
    alerts::Alerts, config::LoadedConfig, fleet::Fleet, rules::Rules, state::StateFile, store::Store,
    telemetry::Telemetry,
};

/// What notifications read, and what they count.
pub struct Sources {
    /// What is wrong.
    pub alerts: Arc<Alerts>,
    /// What found that.
    pub rules: Arc<Rules>,
    /// What is known of the nodes.
    pub fleet: Arc<Fleet>,
    /// Their values, for charts.
    pub store: Arc<Store>,
    /// What is kept.
    pub state: Arc<StateFile>,
    /// What is counted.
    pub telemetry: Arc<Telemetry>,
}

/// Tells people what alerts say.
pub struct Notify {
    sources: Sources,
    plan: ArcSwap<Plan>,
    pushes: push::Pushes,
    outlet: Arc<Outlet>,
    /// Changes when there may be something to deliver, or another plan.
    woken: watch::Sender<u64>,
    /// The ways that have a task.
    running: Mutex<BTreeSet<String>>,
    health: Mutex<BTreeMap<String, NotifyHealth>>,
    /// What each receiver with an Alertmanager is to know: alerts that fire or ended, not muted.
    routed: ArcSwap<BTreeMap<String, Vec<Alert>>>,
}

impl Notify {
    /// Set up, but nothing is told yet.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub async fn new(sources: Sources, plan: Plan) -> anyhow::Result<Self> {
        let links = Links::open(Arc::clone(&sources.state)).await;
        let links = links
            .map_err(|error| anyhow::anyhow!("the system gives no randomness to sign links with: {error}"))?;
        let pushes = push::Pushes::open(Arc::clone(&sources.state)).await;
        let pushes =
            pushes.map_err(|error| anyhow::anyhow!("the system gives no randomness for a key: {error}"))?;
        let plan = plan.clone().with(pushes.devices(&plan));
        let mut health: BTreeMap<String, NotifyHealth> = BTreeMap::new();
        for attempt in sources.state.attempts().await.unwrap_or_default().iter().rev() {
            status::note(health.entry(attempt.way.clone()).or_default(), attempt);
        }
        Ok(Self {
            outlet: Arc::new(Outlet {
                links,
                store: Arc::clone(&sources.store),
                alerts: Some(Arc::clone(&sources.alerts)),
            }),
            pushes,
            sources,
            plan: ArcSwap::from_pointee(plan),
            woken: watch::Sender::new(0),
            running: Mutex::default(),
            health: Mutex::new(health),
            routed: ArcSwap::default(),
        })
    }

    /// Goes by another config from now on. What waits in queues goes on waiting.
    ///
    /// # Errors
    /// The config cannot be used; the old one stays.
    pub fn set_config(&self, loaded: &LoadedConfig, own: std::net::SocketAddr) -> anyhow::Result<()> {
        let plan = Plan::new(loaded, own)?;
        let devices = self.pushes.devices(&plan);
        self.plan.store(Arc::new(plan.with(devices)));
        self.wake();
        Ok(())
    }

    /// Links that need no login.
    pub fn links(&self) -> &Links {
        &self.outlet.links
    }

    /// Sends a test to every way of a receiver at once.
    ///
    /// # Errors
    /// There is none of that name.
    pub async fn try_out(&self, receiver: &str) -> Result<NotifyTest, NoSuchReceiver> {
        let plan = self.plan();
        let tried = try_out(&self.outlet, &plan, receiver).await?;
        for attempt in tried.attempts.iter().filter(|attempt| attempt.outcome == "gone") {
            if let Some(way) = plan.way(&attempt.way) {
                self.gone(&way);
            }
        }
        Ok(tried)
    }

    /// What is evaluated now.
    pub fn plan(&self) -> Arc<Plan> {
        self.plan.load_full()
    }

    fn wake(&self) {
        self.woken.send_modify(|generation| *generation = generation.wrapping_add(1));
    }

    /// Tells until it is cancelled.
    pub async fn run(self: Arc<Self>, cancel: CancellationToken) {
        let dispatching = tokio::spawn(dispatch::run(Arc::clone(&self), cancel.clone()));
        let beating = tokio::spawn(heartbeat::run(Arc::clone(&self), cancel.clone()));
        let summing = tokio::spawn(summary::run(Arc::clone(&self), cancel.clone()));
        let mut woken = self.woken.subscribe();
        let mut tasks = tokio::task::JoinSet::new();
        loop {
            self.start_ways(&mut tasks, &cancel);
            tokio::select! {
                () = cancel.cancelled() => break,
                changed = woken.changed() => if changed.is_err() { break },
            }
        }
        while tasks.join_next().await.is_some() {}
        // They end by the same token.
        let _ = tokio::join!(dispatching, beating, summing);
    }

    /// Every way of the plan has one task, so that one that is down delays no other.
    fn start_ways(self: &Arc<Self>, tasks: &mut tokio::task::JoinSet<()>, cancel: &CancellationToken) {
        let plan = self.plan.load();
        while tasks.try_join_next().is_some() {}
        for way in plan.ways() {
            if !self.running.lock().insert(way.id.clone()) {
                continue;
            }
            let (notify, id, cancel) = (Arc::clone(self), way.id.clone(), cancel.clone());
            match way.is_alertmanager() {
                true => tasks.spawn(resend::run(notify, id, cancel)),
                false => tasks.spawn(deliver::run(notify, id, cancel)),
            };
        }
    }

    /// A way's task ends because the plan has it no more; `false` when it is back.
    fn ends(&self, way: &str) -> bool {
        let mut running = self.running.lock();
        let ends = self.plan.load().way(way).is_none();
        if ends {
            running.remove(way);
        }
        ends
    }
}
