//! `[notify]` and `[[receiver]]`: who is told of which alert, and how.
//!
//! | module | what it is |
//! |---|---|
//! | this file | [`NotifyConfig`]: what holds for all of them |
//! | `route` | [`RouteConfig`]: who hears of which alert |
//! | `receiver` | [`ReceiverConfig`]: the ways to reach somebody |
//! | `check` | what the types cannot say |

mod check;
mod receiver;
mod route;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub(super) use check::validate;
use fleetglass_shared::maintenance::{IntervalSpec, TimeInterval};
pub use receiver::{
    AlertmanagerConfig, DiscordConfig, EmailConfig, NtfyConfig, OpsgenieConfig, PagerdutyConfig,
    ReceiverConfig, SlackConfig, TelegramConfig, TlsMode, WebhookConfig,
};
pub use route::RouteConfig;
use serde::Deserialize;

use super::{Config, Secret, Span};

/// `[notify]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotifyConfig {
    /// Where people reach this server, for links in messages; `[rules] external_url` where it is absent.
    pub external_url: Option<String>,
    /// Who hears of which alert; with none nobody does.
    pub route: Option<RouteConfig>,
    /// Times that routes name.
    #[serde(rename = "time_interval")]
    pub time_intervals: Vec<NamedIntervalConfig>,
    /// How long one request may take.
    pub timeout: Span,
    /// A message that could not be delivered for so long is given up.
    pub max_age: Span,
    /// How long the links in messages can be used.
    pub link_lifetime: Span,
    /// A sign of life to somebody who misses it.
    pub heartbeat: Option<HeartbeatConfig>,
    /// A word a day.
    pub summary: Option<SummaryConfig>,
}

impl Default for NotifyConfig {
    fn default() -> Self {
        let minutes = |minutes: u64| Span(std::time::Duration::from_secs(60 * minutes));
        Self {
            external_url: None,
            route: None,
            time_intervals: Vec::new(),
            timeout: Span(std::time::Duration::from_secs(10)),
            max_age: minutes(24 * 60),
            link_lifetime: minutes(24 * 60),
            heartbeat: None,
            summary: None,
        }
    }
}

/// `[[notify.time_interval]]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedIntervalConfig {
    /// What routes call it.
    pub name: String,
    /// As in Alertmanager; any of them will do.
    pub time_intervals: Vec<IntervalSpec>,
}

impl NamedIntervalConfig {
    /// As it is evaluated.
    ///
    /// # Errors
    /// Which of them is wrong, and why.
    pub fn intervals(&self) -> Result<Vec<TimeInterval>, (usize, String)> {
        let all = self.time_intervals.iter().enumerate();
        all.map(|(index, spec)| TimeInterval::new(spec).map_err(|error| (index, error))).collect()
    }
}

/// `[notify.heartbeat]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatConfig {
    /// What is asked, by `GET`; it misses us when that ends.
    #[serde(default)]
    pub url: Option<Secret>,
    /// A file that holds it.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// How often.
    #[serde(default = "a_minute")]
    pub interval: Span,
}

fn a_minute() -> Span {
    Span(std::time::Duration::from_secs(60))
}

/// `[notify.summary]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SummaryConfig {
    /// Who gets it.
    pub receiver: String,
    /// The time of day, `08:00`.
    pub at: String,
    /// Whose clocks count: `UTC`, `+02:00`, `Europe/Berlin`.
    #[serde(default)]
    pub location: String,
}

impl SummaryConfig {
    /// The minute that begins at its time of day.
    ///
    /// # Errors
    /// In words.
    pub fn minute(&self) -> Result<TimeInterval, String> {
        let next = || {
            let (hour, minute) = self.at.split_once(':')?;
            let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
            let next = hour * 60 + minute + 1;
            Some(format!("{:02}:{:02}", next / 60, next % 60))
        };
        let end_time = next().ok_or_else(|| format!("`{}` is no time of day; write 08:00", self.at))?;
        let times =
            vec![fleetglass_shared::maintenance::TimeRangeSpec { start_time: self.at.clone(), end_time }];
        TimeInterval::new(&IntervalSpec { times, location: self.location.clone(), ..IntervalSpec::default() })
    }
}

impl Config {
    /// Where people reach this server, without a slash at the end.
    pub fn external_url(&self) -> String {
        self.named_url().unwrap_or_else(|| self.own_url(self.server.listen))
    }

    /// The same, if it is written.
    pub fn named_url(&self) -> Option<String> {
        let own = self.notify.external_url.as_deref().unwrap_or(&self.rules.external_url);
        Some(own.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty())
    }

    /// Whether the config says under which URL others reach us.
    pub fn has_external_url(&self) -> bool {
        let own = self.notify.external_url.as_deref().unwrap_or(&self.rules.external_url);
        !own.trim_end_matches('/').is_empty()
    }
}
