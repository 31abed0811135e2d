//! A running proxy: the scheduler, the publisher, the watcher of the config, and the listener.

mod causes;
mod data;
mod history;
mod nodes;
mod observing;
mod targets;
mod watch;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use arc_swap::ArcSwap;
use fleetglass_shared::wire::{FamilyInfo, ServerInfo};
use history::Keeper;
pub use targets::{Found, find, registry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    alerts::{self, Alerts, Inhibition},
    app::{self, App},
    auth::{Guard, People, Tokens, oidc::Oidc},
    clock,
    config::{self, LoadedConfig, StoreConfig},
    data_dir::DataDir,
    edge::{self, Edge, Tls},
    egress::Egress,
    fleet::Fleet,
    live::Live,
    long_term::LongTerm,
    notify::{self, Notify},
    query::ViewerQueries,
    remote::{Pushed, Receiver, Sending},
    round::Rounds,
    rules::{Rules, Sources},
    scrape::{Client, Scheduler},
    share::{self, Shares},
    state::StateFile,
    status::{self, StatusPages},
    store::{Limits, Retention, Store},
    target::Target,
    telemetry::Telemetry,
};

/// At most four batches of changes a second.
const PUBLISH_EVERY: Duration = Duration::from_millis(250);
/// How long open requests may take to end at a shutdown.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(3);

/// A proxy that is set up and listens, but does not ask or answer yet.
pub struct Proxy {
    app: Arc<App>,
    guard: Arc<Guard>,
    rounds: Arc<Rounds>,
    pushed: Arc<Pushed>,
    scheduler: Scheduler<Rounds>,
    loaded: LoadedConfig,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    cancel: CancellationToken,
    /// Ours until the end; `None` where nothing can be written.
    data_dir: Option<Arc<DataDir>>,
}

impl Proxy {
    /// Sets a proxy up for a config.
    ///
    /// # Errors
    /// A family, a token file or the address cannot be used, or another process has the data folder.
    pub async fn new(loaded: LoadedConfig, cancel: CancellationToken) -> anyhow::Result<Self> {
        let config = &loaded.config;
        let registry = targets::registry(&loaded)?;
        let tokens = Tokens::of(&loaded)?;
        let tls = Tls::of(&loaded)?.map(Arc::new);
        let data_dir = data::open(&loaded)?;
        let state = Arc::new(StateFile::open(data_dir.as_ref().map(|folder| folder.path())));
        let people = Arc::new(People::restore(Arc::clone(&state), config).await);
        if let Some(folder) = &data_dir {
            people.look_for_lost(folder.path());
        }
        if !config.server.listen.ip().is_loopback() && !config.auth.asks() && !people.has_users() {
            return Err(loaded.nobody_can_log_in().into());
        }
        let known = state.known().await.unwrap_or_else(|error| {
            tracing::warn!("what was known of the nodes is lost: {error}");
            BTreeMap::new()
        });
        let telemetry = Arc::new(Telemetry::default());
        telemetry.reload(true, clock::now());
        let store = open_store(&loaded, data_dir.as_deref());
        let fleet = Arc::new(Fleet::new(Arc::clone(&state), known));
        let alerts = match Alerts::restore(Arc::clone(&state)).await {
            Ok(alerts) => Arc::new(alerts),
            Err(error) => {
                tracing::warn!("what was known of alerts is lost: {error}");
                Arc::new(Alerts::new(Arc::clone(&state)))
            }
        };
        alerts.set_inhibitions(inhibitions(&loaded));
        alerts.set_maintenance(config.maintenance_windows(), clock::now());
        let rules = Arc::new(Rules::new(
            Arc::clone(&store),
            Arc::clone(&alerts),
            Arc::new(nodes::FleetNodes::new(Arc::clone(&fleet))),
            config.external_url(),
            config.rules.external_labels.clone(),
        ));
        rules.apply(Sources { loaded: &loaded }.read(), clock::now());
        let client = Client::new(&config.scrape)?;
        let started_at = clock::now();
        let live = Arc::new(Live::new(ServerInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            epoch: format!("{started_at:x}"),
            started_at,
        }));
        let rounds = Arc::new(Rounds::new(
            client.clone(),
            Arc::clone(&store),
            Arc::clone(&fleet),
            Arc::clone(&telemetry),
            registry,
            Arc::clone(&rules),
        ));
        let long_term = LongTerm::of(&loaded).context("the HTTP client cannot start")?.map(Arc::new);
        let families = Arc::clone(&rounds);
        let pushed = Arc::new(Pushed::new(
            config.remote_write_in.clone(),
            data_dir.as_deref().map(DataDir::path),
            Arc::clone(&fleet),
            Arc::clone(&store),
            Box::new(move || families.registry()),
        ));
        let receiver = Arc::new(Receiver::new(
            config.remote_write_in.clone(),
            Arc::clone(&store),
            Arc::clone(&pushed),
            telemetry.remote().clone(),
        ));
        let egress = Arc::new(Egress::new(
            config.egress.clone(),
            client.clone(),
            Arc::clone(&store),
            Arc::clone(&telemetry),
        ));
        let listener = TcpListener::bind(config.server.listen).await.with_context(|| {
            format!("cannot listen on {}; choose another address with [server] listen", config.server.listen)
        })?;
        let plan = notify::Plan::new(&loaded, listener.local_addr()?)?;
        let sources = notify::Sources {
            alerts: Arc::clone(&alerts),
            rules: Arc::clone(&rules),
            fleet: Arc::clone(&fleet),
            store: Arc::clone(&store),
            state: Arc::clone(&state),
            telemetry: Arc::clone(&telemetry),
        };
        let notify = Arc::new(Notify::new(sources, plan).await?);
        let (pushes, renewed) = (Arc::clone(&notify), Arc::clone(&notify));
        people.when_gone(
            move |who| pushes.forget_pushes_of(who),
            move |who| renewed.renew_pushes_of(who, clock::now()),
        );
        let shares = Shares::restore(
            Arc::clone(&state),
            Arc::clone(&fleet),
            Arc::clone(&alerts),
            Arc::clone(&rules),
            clock::now(),
        );
        let shares = Arc::new(shares.await);
        let sources = status::Sources {
            state: Arc::clone(&state),
            fleet: Arc::clone(&fleet),
            shares: Arc::clone(&shares),
            egress: Arc::clone(&egress),
            notify: Arc::clone(&notify),
        };
        let status = Arc::new(StatusPages::restore(sources, config.status.clone()).await?);
        Ok(Self {
            scheduler: Scheduler::new(
                Arc::clone(&rounds),
                config.scrape.concurrency,
                config.scrape.close_interval.0,
                cancel.child_token(),
            ),
            app: Arc::new(App {
                shares,
                share_limits: share::Limits::new(config.share.clone()),
                external_url: config.named_url(),
                status,
                viewer_queries: ViewerQueries::new(Arc::clone(&store)),
                is_https: config.external_url().starts_with("https://"),
                fleet,
                store,
                state,
                long_term,
                alerts,
                rules,
                egress,
                incidents: Arc::default(),
                notify,
                restart: ArcSwap::from_pointee(config.restart.policy()),
                live,
                client,
                receiver,
                telemetry,
            }),
            guard: {
                let guard = Guard::new(tokens, people, config);
                guard.set_oidc(Oidc::of(&loaded).context("the HTTP client cannot start")?);
                Arc::new(guard)
            },
            rounds,
            pushed,
            loaded,
            data_dir,
            listener,
            tls,
            cancel,
        })
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The same as a URL, with the base path.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn url(&self) -> std::io::Result<String> {
        Ok(self.loaded.config.own_url(self.address()?))
    }

    /// Asks, publishes and serves until it is cancelled. `further` targets come besides the config's.
    ///
    /// # Errors
    /// The listener fails, or the machine gives no thread for a remote write queue.
    pub async fn run(self, further: Vec<Target>) -> anyhow::Result<()> {
        let Self { app, guard, rounds, pushed, scheduler, data_dir, loaded, listener, tls, cancel } = self;
        let retention = retention(&loaded.config.store);
        let keeper =
            data_dir.is_some().then(|| Keeper::start(Arc::clone(&app.store), retention)).transpose()?;
        let edge = Edge::new(&loaded.config.server, Arc::clone(&guard));
        let router = app::router(&app, &guard, edge, &loaded.config.cors);
        // Before the first round, so that it goes out too.
        let folder = data_dir.as_deref().map(DataDir::path);
        let sending = Sending::start(&loaded, folder, &app.store, app.telemetry.remote())?;
        let looking = tokio::spawn(pushed.keep_looking(cancel.child_token()));
        let state = Arc::clone(&app.state);
        let observing =
            observing::Observing::begin(state, loaded.config.store.events_retention, clock::now()).await;
        tokio::spawn(Arc::clone(&guard.people).keep_watch(cancel.child_token()));
        let egress = Arc::clone(&app.egress);
        let observing = tokio::spawn(observing.go_on(move || egress.down_since(), cancel.child_token()));
        let publisher = tokio::spawn(publish(Arc::clone(&app), Arc::clone(&rounds), cancel.child_token()));
        let evaluator = tokio::spawn(Arc::clone(&app.rules).run(cancel.child_token()));
        let telling = tokio::spawn(Arc::clone(&app.status).run(cancel.child_token()));
        let notifying = tokio::spawn(Arc::clone(&app.notify).run(cancel.child_token()));
        let own = listener.local_addr()?;
        let causes = tokio::spawn(causes::keep(Arc::clone(&app), Arc::clone(&rounds), cancel.child_token()));
        let watcher = tokio::spawn(watch::watch(watch::Watched {
            app: Arc::clone(&app),
            loaded,
            further,
            rounds,
            scheduler,
            guard,
            own,
            tls: tls.clone(),
            telemetry: Arc::clone(&app.telemetry),
            state: Arc::clone(&app.state),
            cancel: cancel.child_token(),
        }));
        let serve = edge::serve(listener, router, tls, cancel.clone());
        let (live, shares) = (Arc::clone(&app.live), Arc::clone(&app.shares));
        let close = async {
            cancel.cancelled().await;
            // Open streams would hold the shutdown up for ever.
            live.close();
            shares.close();
        };
        let serve = async { tokio::join!(serve, close) };
        let deadline = async {
            cancel.cancelled().await;
            tokio::time::sleep(SHUTDOWN_DEADLINE).await;
        };
        tokio::select! {
            _ = serve => {}
            () = deadline => tracing::warn!("some requests had not ended and were cut off"),
        }
        cancel.cancel();
        let _ = tokio::join!(publisher, watcher, looking, evaluator, causes, notifying, telling);
        sending.end().await;
        if let Some(keeper) = keeper {
            tokio::task::spawn_blocking(|| keeper.stop()).await?;
        }
        if let Ok(observing) = observing.await {
            observing.end(clock::now()).await;
        }
        drop(data_dir);
        Ok(())
    }
}

/// Which alert quiets which: what is built in, and the config's.
fn inhibitions(loaded: &LoadedConfig) -> Vec<Inhibition> {
    let own = loaded.config.inhibits.iter().map(|own| Inhibition {
        // They were read when the config was validated.
        source: config::matchers(&own.source_matchers).unwrap_or_default(),
        target: config::matchers(&own.target_matchers).unwrap_or_default(),
        equal: own.equal.clone(),
    });
    alerts::built_in().into_iter().chain(own).collect()
}

/// The store over the data folder; in memory alone where that cannot be written to.
fn open_store(loaded: &LoadedConfig, folder: Option<&DataDir>) -> Arc<Store> {
    let config = &loaded.config.store;
    let limits = Limits {
        retention_ms: config.memory.as_time(),
        max_series_per_target: config.max_series_per_target,
        max_series: config.max_series,
    };
    let Some(folder) = folder else { return Arc::new(Store::new(limits)) };
    match Store::open(limits, folder.path(), clock::now()) {
        Ok((store, history)) => {
            for lost in &history.lost {
                tracing::warn!("the end of the row log was cut off: {lost}");
            }
            let oldest = history.oldest.map(|oldest| fleetglass_shared::format::utc(oldest / 1000));
            tracing::info!(
                folder = %folder.path().display(), replayed = history.replayed,
                oldest = oldest.unwrap_or_default(), "history opened"
            );
            Arc::new(store)
        }
        Err(error) => {
            tracing::error!(
                "{error}; no samples are kept on disk: history is in memory only and ends with this process"
            );
            Arc::new(Store::new(limits))
        }
    }
}

fn retention(config: &StoreConfig) -> Retention {
    Retention {
        raw_ms: config.retention.as_time(),
        minutes_ms: config.retention_5m.as_time(),
        hours_ms: config.retention_1h.as_time(),
        max_bytes: config.max_size.map(|size| size.0 as u64),
    }
}

async fn publish(app: Arc<App>, rounds: Arc<Rounds>, cancel: CancellationToken) {
    let mut ticks = tokio::time::interval(PUBLISH_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let families: Vec<FamilyInfo> = rounds.families();
        let alerts = app.alerts.take_changes();
        if !alerts.is_empty() {
            app.incidents.touch();
        }
        let (changes, now) = (app.fleet.take_changes(), clock::now());
        app.shares.publish(&changes, &alerts, &families, now);
        app.live.publish(changes, alerts, &families, now);
    }
}
