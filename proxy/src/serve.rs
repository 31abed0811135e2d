//! A running proxy: the scheduler, the publisher, the watcher of the config, and the listener.

mod history;
mod targets;
mod watch;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use arc_swap::ArcSwap;
use fleetglass_shared::wire::{FamilyInfo, ServerInfo};
use history::Keeper;
pub use targets::{Found, find, registry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{self, App},
    auth::{Guard, Tokens},
    clock,
    config::{LoadedConfig, Span, StoreConfig},
    data_dir::{DataDir, DataDirError},
    fleet::Fleet,
    live::Live,
    round::Rounds,
    scrape::{Client, Scheduler},
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
    scheduler: Scheduler<Rounds>,
    /// Ours while the proxy runs; none where it cannot be written to.
    data_dir: Option<DataDir>,
    loaded: LoadedConfig,
    listener: TcpListener,
    cancel: CancellationToken,
}

impl Proxy {
    /// Sets a proxy up for a config.
    ///
    /// # Errors
    /// A family, a token file or the address cannot be used.
    pub async fn new(loaded: LoadedConfig, cancel: CancellationToken) -> anyhow::Result<Self> {
        let config = &loaded.config;
        let registry = targets::registry(&loaded)?;
        let tokens = Tokens::of(&loaded)?;
        let telemetry = Arc::new(Telemetry::default());
        telemetry.reload(true, clock::now());
        let (data_dir, store) = open_store(&loaded)?;
        let fleet = Arc::new(Fleet::default());
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
        ));
        let listener = TcpListener::bind(config.server.listen).await.with_context(|| {
            format!("cannot listen on {}; choose another address with [server] listen", config.server.listen)
        })?;
        Ok(Self {
            scheduler: Scheduler::new(Arc::clone(&rounds), config.scrape.concurrency, cancel.child_token()),
            app: Arc::new(App { fleet, store, live, client, telemetry }),
            guard: Arc::new(Guard {
                tokens: ArcSwap::from_pointee(tokens),
                hosts: config.server.hosts.clone(),
            }),
            rounds,
            data_dir,
            loaded,
            listener,
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

    /// Asks, publishes and serves until it is cancelled. `further` targets come besides the config's.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn run(self, further: Vec<Target>) -> anyhow::Result<()> {
        let Self { app, guard, rounds, scheduler, data_dir, loaded, listener, cancel } = self;
        let retention = retention(&loaded.config.store);
        let keeper =
            data_dir.is_some().then(|| Keeper::start(Arc::clone(&app.store), retention)).transpose()?;
        let router = app::router(&app, &guard, &loaded.config.cors);
        let publisher = tokio::spawn(publish(Arc::clone(&app), Arc::clone(&rounds), cancel.child_token()));
        let watcher = tokio::spawn(watch::watch(watch::Watched {
            loaded,
            further,
            rounds,
            scheduler,
            guard,
            telemetry: Arc::clone(&app.telemetry),
            cancel: cancel.child_token(),
        }));
        let stop = cancel.clone();
        let live = Arc::clone(&app.live);
        let serve = axum::serve(listener, router).with_graceful_shutdown(async move {
            stop.cancelled().await;
            // Open streams would hold the shutdown up for ever.
            live.close();
        });
        let deadline = async {
            cancel.cancelled().await;
            tokio::time::sleep(SHUTDOWN_DEADLINE).await;
        };
        tokio::select! {
            served = serve => served?,
            () = deadline => tracing::warn!("some requests had not ended and were cut off"),
        }
        cancel.cancel();
        let _ = tokio::join!(publisher, watcher);
        if let Some(keeper) = keeper {
            tokio::task::spawn_blocking(|| keeper.stop()).await?;
        }
        drop(data_dir);
        Ok(())
    }
}

/// The store over the config's data folder; in memory alone where that cannot be written to.
fn open_store(loaded: &LoadedConfig) -> anyhow::Result<(Option<DataDir>, Arc<Store>)> {
    let config = &loaded.config;
    let limits = Limits {
        retention_ms: millis(config.store.memory),
        max_series_per_target: config.store.max_series_per_target,
        max_series: config.store.max_series,
    };
    let path = loaded.resolve(&config.server.data_dir);
    let opened = match DataDir::open(&path) {
        Err(taken @ DataDirError::Taken(_)) => return Err(taken.into()),
        Err(unusable) => Err(unusable.to_string()),
        Ok(folder) => {
            let opened = Store::open(limits, folder.path(), clock::now());
            opened.map(|opened| (folder, opened)).map_err(|error| error.to_string())
        }
    };
    match opened {
        Ok((folder, (store, history))) => {
            for lost in &history.lost {
                tracing::warn!("the end of the row log was cut off: {lost}");
            }
            let oldest = history.oldest.map(|oldest| fleetglass_shared::format::utc(oldest / 1000));
            tracing::info!(
                folder = %folder.path().display(), replayed = history.replayed,
                oldest = oldest.unwrap_or_default(), "history opened"
            );
            Ok((Some(folder), Arc::new(store)))
        }
        Err(error) => {
            tracing::error!(
                "{error}; nothing is kept on disk: history is in memory only and ends with this process"
            );
            Ok((None, Arc::new(Store::new(limits))))
        }
    }
}

fn retention(config: &StoreConfig) -> Retention {
    Retention {
        raw_ms: millis(config.retention),
        minutes_ms: millis(config.retention_5m),
        hours_ms: millis(config.retention_1h),
        max_bytes: config.max_size.map(|size| size.0 as u64),
    }
}

fn millis(span: Span) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
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
        app.live.publish(app.fleet.take_changes(), &families, clock::now());
    }
}
