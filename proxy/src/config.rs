//! The configuration: one TOML file, environment overrides on top, read once into typed structs.
//!
//! Every error names the file, the line and column where there is one, and what to do.

mod auth;
mod edge;
mod egress;
mod env;
mod error;
mod maintenance;
mod notify;
mod oidc;
mod push;
mod remote;
mod restart;
mod rules;
mod secret;
mod share;
mod stake;
mod status;
#[cfg(test)]
mod tests;
mod units;
mod validate;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

pub use auth::{AuthConfig, TokenConfig};
pub use edge::{BasePath, Networks, TlsConfig, TlsVersion, TrustedHeaderConfig};
pub use egress::EgressConfig;
pub(crate) use egress::is_url;
pub use error::ConfigError;
pub use maintenance::{MaintenanceConfig, WindowConfig};
pub use notify::{
    AlertmanagerConfig, DiscordConfig, EmailConfig, HeartbeatConfig, NamedIntervalConfig, NotifyConfig,
    NtfyConfig, OpsgenieConfig, PagerdutyConfig, ReceiverConfig, RouteConfig, SlackConfig, SummaryConfig,
    TelegramConfig, TlsMode, WebhookConfig,
};
pub use oidc::{OidcConfig, OidcRoleConfig};
pub use push::PushConfig;
pub use remote::{LongTermConfig, RemoteWriteConfig, RemoteWriteInConfig, Shards};
pub use restart::RestartConfig;
pub(crate) use rules::matchers;
pub use rules::{InhibitConfig, OverrideConfig, RulesConfig};
pub use secret::{Secret, SecretSource};
use serde::Deserialize;
pub use share::ShareConfig;

pub use stake::StakeConfig;
pub use status::StatusConfig;
pub use units::{ByteSize, Span};
pub use validate::{http_url, is_label_name};

/// Everything a `fleetglass serve` reads at its start and on reload.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen and to keep data.
    pub server: ServerConfig,
    /// Who may ask.
    pub auth: AuthConfig,
    /// Which other origins' pages may ask.
    pub cors: CorsConfig,
    /// How nodes are asked.
    pub scrape: ScrapeConfig,
    /// How our own way out is looked for.
    pub egress: EgressConfig,
    /// How much is kept.
    pub store: StoreConfig,
    /// What others may push.
    pub remote_write_in: RemoteWriteInConfig,
    /// Other stores that everything is sent to.
    #[serde(rename = "remote_write")]
    pub remote_writes: Vec<RemoteWriteConfig>,
    /// Another store that has the far past.
    pub long_term: LongTermConfig,
    /// Folders of further families, each with a `family.toml`.
    pub families: FamiliesConfig,
    /// What is found wrong, and when.
    pub rules: RulesConfig,
    /// Which alert quiets which.
    #[serde(rename = "inhibit")]
    pub inhibits: Vec<InhibitConfig>,
    /// When which alerts are muted.
    #[serde(rename = "maintenance")]
    pub maintenances: Vec<MaintenanceConfig>,
    /// Who is told of which alert.
    pub notify: NotifyConfig,
    /// The ways to reach somebody.
    #[serde(rename = "receiver")]
    pub receivers: Vec<ReceiverConfig>,
    /// Messages to browsers.
    pub push: PushConfig,
    /// When a node may be restarted.
    pub restart: RestartConfig,
    /// How fast those who look through share links may ask.
    pub share: ShareConfig,
    /// How subscribers of status pages are told.
    pub status: StatusConfig,
    /// Nodes named one by one.
    #[serde(rename = "target")]
    pub targets: Vec<TargetConfig>,
    /// Documents that name nodes and are watched.
    pub discovery: Vec<DiscoveryConfig>,
}

/// `[server]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// The address to listen on; anything but loopback needs a way to log in.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// Where history and state are kept.
    pub data_dir: PathBuf,
    /// Further host names by which browsers reach a listener without login (a guard against DNS rebinding).
    pub hosts: Vec<String>,
    /// The reverse proxies that are believed what they say of a request.
    pub trusted_proxies: Networks,
    /// The path under which a reverse proxy has us.
    pub base_path: BasePath,
    /// TLS of our own.
    pub tls: Option<TlsConfig>,
}

fn address<'de, D: serde::Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|_| {
        serde::de::Error::custom(format!(
            "`{text}` is not an address with a port; write one such as 127.0.0.1:8080 (names are not looked up)"
        ))
    })
}

/// `[cors]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CorsConfig {
    /// Origins such as `https://portal.example`, or `*`. Empty: no other origin may ask.
    pub origins: Vec<String>,
    /// Whether browsers may send credentials along; refused with `*`.
    pub credentials: bool,
}

/// `[scrape]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScrapeConfig {
    /// How often each node is asked.
    pub interval: Span,
    /// How often a node is asked of which a value is close to the bound of a slash risk.
    pub close_interval: Span,
    /// How long a whole answer may take.
    pub timeout: Span,
    /// How long a connection may take.
    pub connect_timeout: Span,
    /// The largest answer, after decompression.
    pub body_limit: ByteSize,
    /// How many nodes are asked at one time.
    pub concurrency: usize,
}

/// `[store]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// How long samples are kept in memory, where they are read fastest.
    pub memory: Span,
    /// How long every sample is kept on disk.
    pub retention: Span,
    /// How long values of five minutes are kept.
    pub retention_5m: Span,
    /// How long values of an hour are kept.
    pub retention_1h: Span,
    /// The most bytes of all history on disk; the oldest goes first.
    pub max_size: Option<ByteSize>,
    /// How long events are kept.
    pub events_retention: Span,
    /// The most series of one target.
    pub max_series_per_target: usize,
    /// The most series in all.
    pub max_series: usize,
}

/// `[families]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FamiliesConfig {
    /// A folder whose sub-folders each hold a `family.toml`; relative to the config file.
    pub dir: Option<PathBuf>,
}

/// `[[target]]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// Unique in the fleet; the `instance` label of its series.
    pub id: String,
    /// A family's name, or `auto`.
    #[serde(default = "auto")]
    pub family: String,
    /// `http://host[:port]`; the family's default ports apply where it says none.
    pub url: String,
    /// Whole URLs of single endpoints that are elsewhere, by their name in the family.
    #[serde(default)]
    pub endpoints: BTreeMap<String, String>,
    /// Labels of the node and of all its series.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Other bounds than the family's, by the name of a risk or condition of the family.
    #[serde(default)]
    pub bounds: BTreeMap<String, f64>,
    /// What it has staked, where it does not tell.
    #[serde(default)]
    pub stake: Option<StakeConfig>,
    /// Another sign of life than the monitoring endpoints.
    #[serde(default)]
    pub probe: ProbeConfig,
    /// Other than `[scrape] interval`.
    #[serde(default)]
    pub interval: Option<Span>,
    /// Other than `[scrape] timeout`.
    #[serde(default)]
    pub timeout: Option<Span>,
    /// A file that holds a bearer token to send.
    #[serde(default)]
    pub bearer_token_file: Option<PathBuf>,
}

/// `probe` of a target
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProbeConfig {
    /// A TCP port on which the node itself listens, e.g. for gossip. When it answers and the monitoring
    /// port refuses, monitoring is not enabled and the node is not dead.
    pub tcp: Option<u16>,
}

/// `[[discovery]]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiscoveryConfig {
    /// Prometheus `file_sd` documents, with `*` and `?` in the last part of the path; watched.
    pub file_sd: Vec<String>,
    /// The family of their targets where a document names none.
    pub family: Option<String>,
}

/// A read configuration, and where it came from.
#[derive(Clone, Debug)]
pub struct LoadedConfig {
    /// The settings.
    pub config: Config,
    /// The file they were read from.
    pub path: PathBuf,
    /// Its text; empty when the settings are not from a file.
    pub text: String,
}

impl LoadedConfig {
    /// Reads and validates a file, with overrides from `environment` (`FLEETGLASS__SECTION__KEY`).
    ///
    /// # Errors
    /// The file cannot be read, is not valid TOML, names unknown settings, or its settings contradict.
    pub fn read(
        path: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::unreadable(path, &source))?;
        Self::parse(path, &text, environment)
    }

    /// As [`Self::read`], of a text that is already there.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(
        path: &Path,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut config: Config = toml::from_str(text).map_err(|e| ConfigError::toml(path, text, &e))?;
        if let Some(overridden) = env::overlay(path, text, environment)? {
            config = overridden;
        }
        validate::validate(&config).map_err(|fault| fault.at(path, text))?;
        Ok(Self { config, path: path.to_owned(), text: text.to_owned() })
    }

    /// The error that something is wrong with a setting of a target, found where more is known than here.
    pub fn target_fault(&self, index: usize, key: &'static str, message: String, hint: &str) -> ConfigError {
        use error::Step;
        let path = vec![Step::Key("target"), Step::Index(index), Step::Key(key)];
        error::Fault { path, message, hint: (!hint.is_empty()).then(|| hint.to_owned()) }
            .at(&self.path, &self.text)
    }

    /// The error that others can reach the listener and nobody could be asked who they are.
    pub fn nobody_can_log_in(&self) -> ConfigError {
        auth::nobody_can_log_in(&self.config, &self.resolve(&self.config.server.data_dir))
            .at(&self.path, &self.text)
    }

    /// A path of the config, taken from the config file's folder.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data_dir: "fleetglass-data".into(),
            hosts: Vec::new(),
            trusted_proxies: Networks::default(),
            base_path: BasePath::default(),
            tls: None,
        }
    }
}

impl Default for ScrapeConfig {
    fn default() -> Self {
        Self {
            interval: Span(Duration::from_secs(15)),
            close_interval: Span(Duration::from_secs(3)),
            timeout: Span(Duration::from_secs(10)),
            connect_timeout: Span(Duration::from_secs(3)),
            body_limit: ByteSize(16 << 20),
            concurrency: 256,
        }
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            memory: Span(Duration::from_secs(3600)),
            retention: Span(Duration::from_secs(15 * 86_400)),
            retention_5m: Span(Duration::from_secs(100 * 86_400)),
            retention_1h: Span(Duration::from_secs(800 * 86_400)),
            max_size: None,
            events_retention: Span(Duration::from_secs(400 * 24 * 3600)),
            max_series_per_target: 20_000,
            max_series: 2_000_000,
        }
    }
}

fn auto() -> String {
    "auto".to_owned()
}
