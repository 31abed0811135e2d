//! A target: one node, where it is asked and what its series are labelled with.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use crate::config::{LoadedConfig, ScrapeConfig, StakeConfig, TargetConfig};

/// One node to ask. Two equal targets are the same node asked in the same way, so a reload leaves it alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Unique in the fleet; the `instance` label.
    pub id: String,
    /// A family's name, or `auto`.
    pub family: String,
    /// The base URL.
    pub url: String,
    /// Whole URLs of endpoints that are elsewhere.
    pub endpoints: BTreeMap<String, String>,
    /// Labels of the node and its series.
    pub labels: BTreeMap<String, String>,
    /// Other bounds than the family's, by the name of a risk or condition.
    pub bounds: BTreeMap<String, f64>,
    /// What it has staked, where it does not tell.
    pub stake: Option<StakeConfig>,
    /// Another port that shows that the node lives.
    pub probe_tcp: Option<u16>,
    /// How often it is asked.
    pub interval: Duration,
    /// How long a whole answer may take.
    pub timeout: Duration,
    /// A file that holds a bearer token to send; read anew for each round.
    pub bearer_token_file: Option<PathBuf>,
}

impl Target {
    /// The target that a `[[target]]` names.
    pub fn from_config(config: &TargetConfig, loaded: &LoadedConfig) -> Self {
        let scrape = &loaded.config.scrape;
        let interval = config.interval.unwrap_or(scrape.interval).0;
        Self {
            id: config.id.clone(),
            family: config.family.clone(),
            url: config.url.clone(),
            endpoints: config.endpoints.clone(),
            labels: config.labels.clone(),
            bounds: config.bounds.clone(),
            stake: config.stake.clone(),
            probe_tcp: config.probe.tcp,
            interval,
            timeout: config.timeout.unwrap_or(scrape.timeout).0.min(interval),
            bearer_token_file: config.bearer_token_file.as_deref().map(|file| loaded.resolve(file)),
        }
    }

    /// A target with the pace of `[scrape]` and nothing else set.
    pub fn new(id: String, family: String, url: String, scrape: &ScrapeConfig) -> Self {
        Self {
            id,
            family,
            url,
            endpoints: BTreeMap::new(),
            labels: BTreeMap::new(),
            bounds: BTreeMap::new(),
            stake: None,
            probe_tcp: None,
            interval: scrape.interval.0,
            timeout: scrape.timeout.0.min(scrape.interval.0),
            bearer_token_file: None,
        }
    }

    /// The host of the base URL, for [`Self::probe_tcp`].
    pub fn host(&self) -> Option<String> {
        let url = reqwest::Url::parse(&self.url).ok()?;
        Some(url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned())
    }

    /// The bearer token to send, if the target has one and its file can be read.
    pub fn bearer_token(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.bearer_token_file.as_ref()?).ok()?;
        Some(text.trim().to_owned()).filter(|token| !token.is_empty())
    }
}
