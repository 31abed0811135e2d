//! Reload: on SIGHUP and when the config or a target file changes. A bad config is refused and the
//! old one kept; a bad target file keeps the targets it named before.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use fleetglass_shared::wire::EventKind;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{inhibitions, targets};
use crate::{
    app::App,
    auth::{Guard, Tokens, Via, oidc::Oidc},
    clock,
    config::{Config, InhibitConfig, LoadedConfig, RulesConfig},
    edge::{self, Look, Tls},
    round::Rounds,
    rules::Sources,
    scrape::Scheduler,
    state::{Draft, StateFile},
    target::Target,
    telemetry::Telemetry,
};

/// Editors write a file in several steps; they are taken as one.
const SETTLE: Duration = Duration::from_millis(300);
/// Where the system reports no changes (some network file systems), they are seen this late.
const POLL: Duration = Duration::from_secs(30);

/// What a reload changes.
pub(super) struct Watched {
    pub(super) app: Arc<App>,
    pub(super) loaded: LoadedConfig,
    pub(super) further: Vec<Target>,
    pub(super) rounds: Arc<Rounds>,
    pub(super) scheduler: Scheduler<Rounds>,
    pub(super) guard: Arc<Guard>,
    /// Where we listen.
    pub(super) own: std::net::SocketAddr,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) state: Arc<StateFile>,
    pub(super) cancel: CancellationToken,
}

/// Applies the targets now, and again whenever a file changes.
pub(super) async fn watch(mut watched: Watched) {
    let (sender, mut changed) = mpsc::channel(1);
    let mut watcher = notifier(sender);
    let mut hangup = hangups();
    let mut documents = HashMap::new();
    let mut seen = watched.loaded.text.clone();
    let mut seen_rules = RuleSources::of(&watched.loaded);
    watched.apply(&mut documents).await;
    watched.look_at_certificate(false);
    loop {
        watch_folders(watcher.as_mut(), &watched.loaded);
        let forced = tokio::select! {
            () = watched.cancel.cancelled() => return,
            () = hangup.recv() => true,
            Some(()) = changed.recv() => {
                tokio::time::sleep(SETTLE).await;
                let _ = changed.try_recv();
                false
            }
            () = tokio::time::sleep(POLL) => false,
        };
        let text = std::fs::read_to_string(&watched.loaded.path).unwrap_or_default();
        if forced || text != seen {
            seen = text;
            watched.reload();
        }
        watched.look_at_certificate(forced);
        let rules = RuleSources::of(&watched.loaded);
        if forced || rules != seen_rules {
            seen_rules = rules;
            watched.app.alerts.set_inhibitions(inhibitions(&watched.loaded));
            watched.app.rules.apply(Sources { loaded: &watched.loaded }.read(), clock::now());
        }
        watched.apply(&mut documents).await;
    }
}

impl Watched {
    /// Reads the config again; keeps the old one when it is bad.
    fn reload(&mut self) {
        if self.loaded.text.is_empty() {
            return; // a config that is not from a file
        }
        let read = LoadedConfig::read(&self.loaded.path, std::env::vars()).map_err(anyhow::Error::from);
        let outcome = read.and_then(|loaded| {
            let registry = targets::registry(&loaded)?;
            let (tokens, oidc) = (Tokens::of(&loaded)?, Oidc::of(&loaded)?);
            Ok((loaded, registry, tokens, oidc))
        });
        match outcome {
            Ok((loaded, registry, tokens, oidc)) => {
                let (old, new) = (&self.loaded.config, &loaded.config);
                let remotes =
                    |c: &Config| (c.remote_write_in.clone(), c.remote_writes.clone(), c.long_term.clone());
                if old.server != new.server
                    || old.cors != new.cors
                    || old.store != new.store
                    || remotes(old) != remotes(new)
                {
                    tracing::warn!(
                        "[server], [cors], [store], [remote_write_in], [[remote_write]] and [long_term] are taken \
                         at the next start"
                    );
                }
                let others_reach = |c: &Config| !c.server.listen.ip().is_loopback();
                let asks = new.auth.asks() || self.guard.people.has_users();
                if !asks && (others_reach(old) || others_reach(new)) {
                    return self.refuse(&loaded.nobody_can_log_in().to_string());
                }
                if let Err(error) = self.app.notify.set_config(&loaded, self.own) {
                    return self.refuse(&format!("{error:#}"));
                }
                self.guard.set(new, tokens);
                self.guard.set_oidc(oidc);
                self.app.alerts.set_maintenance(new.maintenance_windows(), clock::now());
                self.app.restart.store(Arc::new(new.restart.policy()));
                self.rounds.set_registry(registry);
                self.app.egress.set_config(loaded.config.egress.clone());
                self.app.status.set_config(loaded.config.status.clone());
                self.loaded = loaded;
                self.tell(true, "Another config was taken".to_owned());
                tracing::info!("config read again");
            }
            Err(error) => self.refuse(&format!("{error:#}")),
        }
    }

    /// Shows another certificate where its files changed, and says when the one that is shown runs out.
    fn look_at_certificate(&self, again: bool) {
        let Some(tls) = &self.tls else { return };
        match tls.look(again) {
            Look::Same => {}
            Look::Taken(until) => {
                let until = fleetglass_shared::format::utc(until / 1000);
                tracing::info!(until, "another certificate is shown from now on");
                self.event(true, "Another certificate is shown".to_owned());
            }
            Look::Refused(error) => {
                tracing::error!("certificate refused, the old one stays: {error}");
                self.event(
                    false,
                    "A certificate was refused, and the old one stays; the log says why".to_owned(),
                );
            }
        }
        self.telemetry.certificate(tls.not_after());
        if let Some(words) = tls.untimely(clock::now()) {
            tracing::warn!("{words}; renew it: it is taken as soon as its files change");
        }
    }

    fn refuse(&self, why: &str) {
        tracing::error!("config refused, the old one stays: {why}");
        // The words may show what stands in the file, and more people read events than the log.
        self.tell(false, "A config was refused, and the old one stays; the log says why".to_owned());
    }

    fn tell(&self, taken: bool, text: String) {
        self.telemetry.reload(taken, clock::now());
        self.event(taken, text);
    }

    fn event(&self, taken: bool, text: String) {
        let now = clock::now();
        let to = if taken { "taken" } else { "refused" };
        let outcome = if taken { "ok" } else { "refused" };
        self.guard.people.note("the operator", Some(Via::Local), "", "config_reloaded", "", outcome);
        self.state.record(vec![Draft::own(now, EventKind::Reload, to, text)]);
    }

    /// Makes the targets of the config and its documents the fleet.
    async fn apply(&mut self, documents: &mut HashMap<PathBuf, Vec<Target>>) {
        let registry = self.rounds.registry();
        let found = targets::find(&self.loaded, &registry, documents, &self.further);
        for error in &found.errors {
            tracing::warn!("{error}; its targets stay as they were");
        }
        self.rounds.expect(&found.targets);
        let applied = self.scheduler.apply(found.targets).await;
        if applied.started + applied.stopped > 0 {
            tracing::info!(
                started = applied.started,
                stopped = applied.stopped,
                unchanged = applied.unchanged,
                "targets"
            );
        }
    }
}

/// All that rules are made from.
#[derive(PartialEq)]
struct RuleSources {
    rules: RulesConfig,
    inhibits: Vec<InhibitConfig>,
    /// The rule files and what stands in them.
    files: Vec<(PathBuf, String)>,
}

impl RuleSources {
    fn of(loaded: &LoadedConfig) -> Self {
        let paths = Sources { loaded }.paths().into_iter();
        let files = paths.map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap_or_default()));
        let config = &loaded.config;
        Self { rules: config.rules.clone(), inhibits: config.inhibits.clone(), files: files.collect() }
    }
}

fn notifier(sender: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // One waiting notice is enough.
            let _ = sender.try_send(());
        }
    });
    watcher.inspect_err(|error| tracing::warn!("files are looked at every 30 s: {error}")).ok()
}

fn watch_folders(watcher: Option<&mut RecommendedWatcher>, loaded: &LoadedConfig) {
    let Some(watcher) = watcher else { return };
    for folder in targets::folders(loaded).into_iter().chain(edge::folders(loaded)) {
        // A folder that is watched already is watched on; one that is missing is looked for again later.
        let _ = watcher.watch(&folder, RecursiveMode::NonRecursive);
    }
}

/// SIGHUP, where the system has it.
struct Hangups(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

fn hangups() -> Hangups {
    Hangups(
        #[cfg(unix)]
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok(),
    )
}

impl Hangups {
    async fn recv(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.0
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}
