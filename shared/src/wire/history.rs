//! What happened when, and how much of the time a node was up.

use serde::{Deserialize, Serialize};

use crate::health::UnixMillis;

/// `GET /api/v1/events`: in order of time, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// The newest of those asked for.
    pub events: Vec<Event>,
    /// There are older ones: ask again with `until` before the first.
    pub more: bool,
}

/// Something that happened, to the scrape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Goes up with each event of this data folder.
    pub id: u64,
    /// When it was seen.
    pub at: UnixMillis,
    /// Whose it is; absent for Fleetglass's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What kind of thing.
    pub kind: EventKind,
    /// What was before: a status, a version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// What is from here on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub to: String,
    /// What happened, in words a person understands.
    pub text: String,
}

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A node's status changed; `from` and `to` are statuses.
    State,
    /// It began, or ceased, to drain; `to` is `draining` or empty.
    Draining,
    /// It runs another version.
    Version,
    /// It was started anew.
    Restart,
    /// An endpoint cannot be asked or read any more; `to` is the kind of failure.
    ScrapeFailure,
    /// An endpoint that failed answers again; `from` is the kind of failure.
    ScrapeRecovery,
    /// The node came into the fleet.
    Added,
    /// The node left the fleet.
    Removed,
    /// Fleetglass started.
    Start,
    /// Fleetglass stopped, or was last seen to run.
    Stop,
    /// Fleetglass took another config, or refused one.
    Reload,
    /// An alert fires or is over; `from` is its severity, `to` its state.
    Alert,
    /// Something that was told to us: a release, a vote, a repair.
    Mark,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::State,
        Self::Draining,
        Self::Version,
        Self::Restart,
        Self::ScrapeFailure,
        Self::ScrapeRecovery,
        Self::Added,
        Self::Removed,
        Self::Start,
        Self::Stop,
        Self::Reload,
        Self::Alert,
        Self::Mark,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Draining => "draining",
            Self::Version => "version",
            Self::Restart => "restart",
            Self::ScrapeFailure => "scrape_failure",
            Self::ScrapeRecovery => "scrape_recovery",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Reload => "reload",
            Self::Alert => "alert",
            Self::Mark => "mark",
        }
    }

    /// What a word on the wire means.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// `GET /api/v1/uptime`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Uptimes {
    /// What the figures are up to.
    pub at: UnixMillis,
    /// One for each node, or for each value of the label asked for.
    pub of: Vec<Uptime>,
}

/// How much of the time something was up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Uptime {
    /// The node's id, or the label's value.
    pub name: String,
    /// How many nodes it is about.
    pub nodes: usize,
    /// 24 h, 7 d, 30 d and 90 d.
    pub windows: Vec<UptimeWindow>,
}

/// One span of time up to now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UptimeWindow {
    /// `24h`, `7d`, `30d` or `90d`.
    pub window: String,
    /// `up_ms / (up_ms + down_ms)`; absent when nothing was observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// How long it was healthy or degraded.
    pub up_ms: u64,
    /// How long it was unhealthy or unreachable.
    pub down_ms: u64,
    /// How long nobody knows: Fleetglass did not run, or the node's state was unknown.
    pub unknown_ms: u64,
    /// How many times it went down.
    pub outages: u32,
}
