//! `[remote_write_in]`, `[[remote_write]]` and `[long_term]`: what comes from other stores, what goes to them,
//! and where the far past is.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer, de};

use super::{
    ByteSize, Config, Span,
    error::{Fault, Step},
    validate::{fault, http_url, is_label_name},
};

/// `[remote_write_in]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RemoteWriteInConfig {
    /// Whether anything is taken.
    pub enabled: bool,
    /// The largest body, before and after decompression.
    pub body_limit: ByteSize,
    /// The label that names the node.
    pub node_label: String,
    /// The label that names its family, where it names one.
    pub family_label: String,
    /// The labels that the node has in the fleet; none: those that all its series share.
    pub labels: Vec<String>,
    /// A node of which nothing has come for so long is unreachable; none: three times its interval, and at
    /// least a minute.
    pub stale_after: Option<Span>,
    /// A node of which nothing has come for so long leaves the fleet.
    pub forget_after: Span,
}

impl Default for RemoteWriteInConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            body_limit: ByteSize(16 << 20),
            node_label: "instance".to_owned(),
            family_label: "job".to_owned(),
            labels: Vec::new(),
            stale_after: None,
            forget_after: Span(Duration::from_secs(24 * 3600)),
        }
    }
}

/// `[[remote_write]]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteWriteConfig {
    /// Names it in metrics, in the log and in the data folder.
    pub name: String,
    /// Where to write.
    pub url: String,
    /// A file that holds a bearer token to send; read anew for each request.
    #[serde(default)]
    pub bearer_token_file: Option<PathBuf>,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Labels for every series that has none of that name.
    #[serde(default)]
    pub external_labels: BTreeMap<String, String>,
    /// How much may wait.
    #[serde(default = "queue_size")]
    pub queue_size: ByteSize,
    /// How many requests are under way at one time.
    #[serde(default)]
    pub shards: Shards,
    /// The most samples of one request.
    #[serde(default = "samples_per_send")]
    pub max_samples_per_send: usize,
    /// How long one request may take.
    #[serde(default = "half_a_minute")]
    pub timeout: Span,
}

fn queue_size() -> ByteSize {
    ByteSize(64 << 20)
}

fn samples_per_send() -> usize {
    2000
}

fn half_a_minute() -> Span {
    Span(Duration::from_secs(30))
}

/// How many requests are under way at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shards {
    /// As many as there is work for, up to eight.
    #[default]
    Auto,
    /// So many, where there is work for them.
    Fixed(usize),
}

/// The most requests to one receiver at one time.
const MAX_SHARDS: usize = 64;
const AUTO_SHARDS: usize = 8;

impl Shards {
    /// The most requests at one time.
    pub fn most(self) -> usize {
        match self {
            Self::Auto => AUTO_SHARDS,
            Self::Fixed(shards) => shards,
        }
    }
}

impl<'de> Deserialize<'de> for Shards {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl de::Visitor<'_> for Words {
            type Value = Shards;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "\"auto\" or a number from 1 to {MAX_SHARDS}")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Shards, E> {
                if word == "auto" {
                    return Ok(Shards::Auto);
                }
                Err(E::invalid_value(de::Unexpected::Str(word), &self))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Shards, E> {
                let shards = usize::try_from(number).ok().filter(|shards| (1..=MAX_SHARDS).contains(shards));
                shards
                    .map(Shards::Fixed)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(number), &self))
            }
        }
        deserializer.deserialize_any(Words)
    }
}

/// `[long_term]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LongTermConfig {
    /// The base of a Prometheus API; none: there is no far past.
    pub query_url: Option<String>,
    /// A file that holds a bearer token to send; read anew for each request.
    pub bearer_token_file: Option<PathBuf>,
    /// How long reading it may hold a query up.
    pub timeout: Span,
    /// Labels that its series have and ours do not.
    pub external_labels: BTreeMap<String, String>,
}

impl Default for LongTermConfig {
    fn default() -> Self {
        let timeout = half_a_minute();
        Self { query_url: None, bearer_token_file: None, timeout, external_labels: BTreeMap::new() }
    }
}

/// A queue must hold a few segments.
const LEAST_QUEUE: usize = 256 << 10;

pub(super) fn validate(config: &Config) -> Result<(), Fault> {
    let remote = &config.remote_write_in;
    let section = |key| [Step::Key("remote_write_in"), Step::Key(key)];
    for (key, name) in [("node_label", &remote.node_label), ("family_label", &remote.family_label)] {
        if !is_label_name(name) {
            return fault(section(key), format!("`{name}` is not a label"), "usual is `instance` or `job`");
        }
    }
    if remote.body_limit.0 == 0 {
        return fault(section("body_limit"), "`body_limit` is 0".to_owned(), "16MiB is usual");
    }
    for (index, remote) in config.remote_writes.iter().enumerate() {
        let earlier = &config.remote_writes[..index];
        sender(remote, earlier, &|key| vec![Step::Key("remote_write"), Step::Index(index), Step::Key(key)])?;
    }
    let long_term = &config.long_term;
    let at = |key| vec![Step::Key("long_term"), Step::Key(key)];
    if let Some(url) = &long_term.query_url {
        http_url(url).map_err(|message| Fault {
            path: at("query_url"),
            message,
            hint: Some("write it as `http://victoria:8428`, without /api/v1".to_owned()),
        })?;
    }
    not_zero(long_term.timeout, at("timeout"))?;
    labels(&long_term.external_labels, at("external_labels"))
}

fn sender(
    remote: &RemoteWriteConfig,
    earlier: &[RemoteWriteConfig],
    at: &dyn Fn(&'static str) -> Vec<Step>,
) -> Result<(), Fault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if remote.name.is_empty() || remote.name.len() > 64 || !remote.name.chars().all(plain) {
        return fault(
            at("name"),
            format!("`{}` cannot name a folder and a metric's label", remote.name),
            "letters, digits, _ and -, at most 64",
        );
    }
    if earlier.iter().any(|other| other.name == remote.name) {
        return fault(
            at("name"),
            format!("the name `{}` is taken already", remote.name),
            "each has a queue of its own, by its name",
        );
    }
    http_url(&remote.url).map_err(|message| Fault {
        path: at("url"),
        message,
        hint: Some("write it whole: `http://victoria:8428/api/v1/write`".to_owned()),
    })?;
    for (name, value) in &remote.headers {
        let path = at("headers").into_iter().chain([Step::Name(name.clone())]);
        let ours = ["content-type", "content-encoding", "content-length", "host"];
        if ours.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            return fault(path, format!("the header `{name}` is set by the protocol"), "leave it out");
        }
        if name.parse::<http::HeaderName>().is_err() || value.parse::<http::HeaderValue>().is_err() {
            return fault(
                path,
                format!("`{name}` is not a header"),
                "e.g. headers = { X-Scope-OrgID = \"1\" }",
            );
        }
    }
    if remote.queue_size.0 < LEAST_QUEUE {
        return fault(
            at("queue_size"),
            "a queue of less than 256KiB holds nothing".to_owned(),
            "64MiB is usual",
        );
    }
    if !(1..=100_000).contains(&remote.max_samples_per_send) {
        return fault(
            at("max_samples_per_send"),
            format!("{} samples in a request", remote.max_samples_per_send),
            "1 to 100000; 2000 is usual",
        );
    }
    not_zero(remote.timeout, at("timeout"))?;
    labels(&remote.external_labels, at("external_labels"))
}

fn not_zero(timeout: Span, path: Vec<Step>) -> Result<(), Fault> {
    if timeout.0.is_zero() {
        return fault(path, "the time-out is 0".to_owned(), "30s is usual");
    }
    Ok(())
}

fn labels(labels: &BTreeMap<String, String>, path: Vec<Step>) -> Result<(), Fault> {
    match labels.keys().find(|name| !is_label_name(name)) {
        None => Ok(()),
        Some(name) => fault(
            path.into_iter().chain([Step::Name(name.clone())]),
            format!("`{name}` cannot be a label"),
            "letters, digits and _ only, not a digit first, not __ first",
        ),
    }
}
