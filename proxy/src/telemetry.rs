//! Logs, and the metrics of Fleetglass itself.

mod notify;
mod process;
mod remote;
mod state;
mod text;

use std::{collections::BTreeMap, io::IsTerminal, sync::atomic::AtomicU64};

use fleetglass_shared::{health::FailureKind, wire::EgressState};
use parking_lot::Mutex;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

pub use notify::NotifyMetrics;
pub use remote::{RemoteMetrics, SendMetrics};

use crate::{fleet::Counts, store::Stats};

/// The metrics of Fleetglass itself.
#[derive(Debug)]
pub struct Telemetry {
    registry: Registry,
    targets: Family<StatusLabel, Gauge>,
    requests: Family<ResultLabel, Counter>,
    rounds: Counter,
    appended: Counter,
    round_seconds: Histogram,
    series: Gauge,
    samples: Gauge,
    bytes: Gauge,
    disk_bytes: Gauge,
    write_errors: Gauge,
    damaged: Gauge,
    clients: Gauge,
    dropped: Counter,
    dropped_seen: Mutex<u64>,
    reloads: Family<ResultLabel, Counter>,
    reloaded_at: Gauge<f64, AtomicU64>,
    state: state::StateMetrics,
    remote: RemoteMetrics,
    notify: NotifyMetrics,
    egress_up: Gauge,
    egress_checks: Family<ResultLabel, Counter>,
    /// There only where TLS is.
    certificate: Family<Vec<(String, String)>, Gauge<f64, AtomicU64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VersionLabel {
    version: &'static str,
}

impl Default for Telemetry {
    fn default() -> Self {
        let mut telemetry = Self {
            registry: Registry::default(),
            targets: Family::default(),
            requests: Family::default(),
            rounds: Counter::default(),
            appended: Counter::default(),
            round_seconds: Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]),
            series: Gauge::default(),
            samples: Gauge::default(),
            bytes: Gauge::default(),
            disk_bytes: Gauge::default(),
            write_errors: Gauge::default(),
            damaged: Gauge::default(),
            clients: Gauge::default(),
            dropped: Counter::default(),
            dropped_seen: Mutex::default(),
            reloads: Family::default(),
            reloaded_at: Gauge::default(),
            state: state::StateMetrics::default(),
            remote: RemoteMetrics::default(),
            notify: NotifyMetrics::default(),
            egress_up: Gauge::default(),
            egress_checks: Family::default(),
            certificate: Family::default(),
        };
        telemetry.register();
        telemetry
    }
}

impl Telemetry {
    fn register(&mut self) {
        let mut registry = Registry::default();
        let build = Family::<VersionLabel, Gauge>::default();
        build.get_or_create(&VersionLabel { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("fleetglass_build_info", "The version that runs, always 1", build);
        registry.register("fleetglass_nodes", "Nodes by status", self.targets.clone());
        registry.register("fleetglass_requests", "Requests to nodes by result", self.requests.clone());
        registry.register("fleetglass_rounds", "Rounds of all endpoints of a node", self.rounds.clone());
        registry.register("fleetglass_samples_appended", "Samples put into the store", self.appended.clone());
        registry.register(
            "fleetglass_round_duration_seconds",
            "How long a round took, from its first request to its row in the store",
            self.round_seconds.clone(),
        );
        registry.register("fleetglass_store_series", "Series in memory", self.series.clone());
        registry.register("fleetglass_store_samples", "Samples in memory", self.samples.clone());
        registry.register("fleetglass_store_bytes", "Bytes that hold them", self.bytes.clone());
        registry.register("fleetglass_store_disk_bytes", "Bytes of history on disk", self.disk_bytes.clone());
        registry.register(
            "fleetglass_store_write_errors",
            "Writes of history to disk that failed since the start",
            self.write_errors.clone(),
        );
        registry.register(
            "fleetglass_store_damaged",
            "Files and segments of history found damaged, and set aside, since the start",
            self.damaged.clone(),
        );
        registry.register("fleetglass_live_clients", "Open live streams", self.clients.clone());
        registry.register(
            "fleetglass_live_dropped_clients",
            "Live streams ended because the client did not keep up",
            self.dropped.clone(),
        );
        registry.register("fleetglass_config_reloads", "Config reloads by result", self.reloads.clone());
        registry.register(
            "fleetglass_config_last_reload_success_timestamp_seconds",
            "When the config in force was read",
            self.reloaded_at.clone(),
        );
        registry.register(
            "fleetglass_egress_up",
            "0 while this machine itself has no way out, so that nodes cannot be reached",
            self.egress_up.clone(),
        );
        registry.register(
            "fleetglass_egress_checks",
            "Looks for our own way out, by what they showed",
            self.egress_checks.clone(),
        );
        registry.register(
            "fleetglass_tls_certificate_not_after_seconds",
            "When the certificate that is shown runs out, in Unix seconds",
            self.certificate.clone(),
        );
        self.state.register(&mut registry);
        self.remote.register(&mut registry);
        self.notify.register(&mut registry);
        process::register(&mut registry);
        self.registry = registry;
    }

    /// The metrics of remote write.
    pub fn remote(&self) -> &RemoteMetrics {
        &self.remote
    }

    /// The metrics of notifications.
    pub fn notify(&self) -> &NotifyMetrics {
        &self.notify
    }

    /// When the certificate that is shown runs out.
    pub fn certificate(&self, not_after: fleetglass_shared::health::UnixMillis) {
        self.certificate.get_or_create(&Vec::new()).set(not_after as f64 / 1000.0);
    }

    /// What is known of our own way out; `looked` when that is news of a look.
    pub fn egress(&self, state: EgressState, looked: bool) {
        self.egress_up.set(i64::from(state != EgressState::Down));
        if looked {
            let result = match state {
                EgressState::Up => "up",
                EgressState::Down => "down",
                EgressState::Unknown => "unknown",
            };
            self.egress_checks.get_or_create(&ResultLabel { result }).inc();
        }
    }

    /// One request to a node ended: well, or with a failure of this kind.
    pub fn request(&self, failure: Option<FailureKind>) {
        let result = failure.map_or("ok", FailureKind::as_words);
        self.requests.get_or_create(&ResultLabel { result }).inc();
    }

    /// One round of a node ended.
    pub fn round(&self, seconds: f64) {
        self.rounds.inc();
        self.round_seconds.observe(seconds);
    }

    /// A row of a node went into the store, with so many samples.
    pub fn appended(&self, samples: usize) {
        self.appended.inc_by(samples as u64);
    }

    /// The config was read again, at a time, and taken or refused.
    pub fn reload(&self, taken: bool, at: fleetglass_shared::health::UnixMillis) {
        self.reloads.get_or_create(&ResultLabel { result: if taken { "taken" } else { "refused" } }).inc();
        if taken {
            self.reloaded_at.set(at as f64 / 1000.0);
        }
    }

    /// Takes in what others count, just before it is rendered.
    pub fn observe(&self, nodes: &Counts, store: &Stats, clients: usize, dropped: u64) {
        let as_gauge = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let counts: BTreeMap<_, _> = nodes.iter().copied().collect();
        for (status, count) in counts {
            self.targets.get_or_create(&StatusLabel { status: status.as_str() }).set(as_gauge(count));
        }
        self.series.set(as_gauge(store.series));
        self.samples.set(as_gauge(store.samples));
        self.bytes.set(as_gauge(store.bytes));
        self.disk_bytes.set(i64::try_from(store.disk_bytes).unwrap_or(i64::MAX));
        self.write_errors.set(i64::try_from(store.write_errors).unwrap_or(i64::MAX));
        self.damaged.set(i64::try_from(store.damaged).unwrap_or(i64::MAX));
        self.clients.set(as_gauge(clients));
        let mut seen = self.dropped_seen.lock();
        self.dropped.inc_by(dropped.saturating_sub(*seen));
        *seen = dropped;
    }

    /// Takes in what the state file counts, just before it is rendered.
    pub fn observe_state(&self, stats: &crate::state::Stats) {
        self.state.observe(stats);
    }

    /// Everything in Prometheus's text format 0.0.4.
    pub fn render(&self) -> String {
        let mut openmetrics = String::new();
        // Encoding into a String fails only where a metric's own encoder does, and none of ours can.
        let _ = prometheus_client::encoding::text::encode(&mut openmetrics, &self.registry);
        text::from_openmetrics(&openmetrics)
    }
}

/// Starts the log: to standard error, `RUST_LOG` chooses, `json` for machines.
pub fn start_log(json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        // That each new file's tables were made is no news.
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,rusqlite_migration=warn"));
    // Colours are for a person who looks: not for a file or a journal.
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    // A second start, in tests, is no fault.
    let _ = if json { log.json().try_init() } else { log.with_target(false).try_init() };
}
