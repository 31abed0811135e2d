//! The normalised health of a node: one vocabulary for every family.

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, as every time in Fleetglass is kept and sent.
pub type UnixMillis = i64;

/// How a node is. Ordered from well to worst known, so that `max` is "the worse of the two".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "families", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It answers, and everything it says is well.
    Healthy,
    /// Never asked, asked too long ago, or its monitoring is not enabled.
    Unknown,
    /// It runs, but something it should have is missing.
    Degraded,
    /// It answers that it cannot do its work.
    Unhealthy,
    /// It does not answer.
    Unreachable,
}

impl Status {
    /// Every status, the worst first: the order of a list that a person reads.
    pub const WORST_FIRST: [Self; 5] =
        [Self::Unreachable, Self::Unhealthy, Self::Degraded, Self::Unknown, Self::Healthy];

    /// The word on the screen, in the API and in the filter box.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unknown => "unknown",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
            Self::Unreachable => "unreachable",
        }
    }

    /// The status a word names, if it names one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORST_FIRST.into_iter().find(|status| status.as_str() == word)
    }
}

/// Why a node has the status it has, in words a person understands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable and machine-readable, e.g. `connection-refused`, `peers-low`, `check-down`.
    pub code: String,
    /// One plain sentence without a full stop, e.g. `No answer (connection refused)`.
    pub text: String,
    /// The status this reason alone would give.
    pub status: Status,
}

/// One thing a node said about itself, with the time it was true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The endpoint that said it, e.g. `health`.
    pub endpoint: String,
    /// Stable id in the family, e.g. `blacklist_lag`; the JSON path for a field no mapping names.
    pub name: String,
    /// What a person reads, e.g. `Blacklist lag`.
    pub title: String,
    /// The value digit for digit as the node wrote it (a big integer is never a float).
    pub value: String,
    /// How to show the value; see `docs/family.md` for the words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// When it was true.
    pub at: UnixMillis,
    /// It stopped moving, or its endpoint no longer answers.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stale: bool,
}

/// One named check inside a health answer, e.g. GenLayer-like `checks.zksync`, or a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The endpoint that said it.
    pub endpoint: String,
    /// The check's own name, as sent.
    pub name: String,
    /// What it came to.
    pub status: Status,
    /// The word the node sent, or its error text.
    pub text: String,
    /// When the node says it was checked, else when it was read.
    pub at: UnixMillis,
    /// Its time stopped moving: it may say `up` and mean nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stale: bool,
}

/// Why a scrape of one endpoint gave nothing usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The host's name has no address.
    NameNotFound,
    /// Nothing listens on the port.
    ConnectionRefused,
    /// The node closed the connection before it had answered.
    ConnectionClosed,
    /// No connection within the connect time-out.
    ConnectTimeout,
    /// Connected, but no whole answer within the time-out.
    Timeout,
    /// The certificate or the TLS handshake failed.
    Tls,
    /// An HTTP status this endpoint does not answer with.
    HttpStatus,
    /// The node asks for fewer requests (429); obeyed, not counted against it.
    RateLimited,
    /// The answer is larger than the body limit.
    BodyTooLarge,
    /// The answer points elsewhere; redirects are not followed.
    Redirect,
    /// The body is not the JSON it should be.
    MalformedJson,
    /// The body is not an exposition.
    MalformedExposition,
    /// The body is empty.
    EmptyBody,
    /// More series than the store accepts.
    SeriesLimit,
    /// Nothing listens on the monitoring port, but the node itself lives.
    MonitoringNotEnabled,
    /// Anything else the HTTP client reports.
    Other,
}

impl FailureKind {
    /// The kind in words, as it stands in brackets after "No answer".
    pub fn as_words(self) -> &'static str {
        match self {
            Self::NameNotFound => "name not found",
            Self::ConnectionRefused => "connection refused",
            Self::ConnectionClosed => "connection closed early",
            Self::ConnectTimeout => "no connection in time",
            Self::Timeout => "no answer in time",
            Self::Tls => "TLS failed",
            Self::HttpStatus => "unexpected HTTP status",
            Self::RateLimited => "asked to slow down",
            Self::BodyTooLarge => "answer too large",
            Self::Redirect => "redirected elsewhere",
            Self::MalformedJson => "not valid JSON",
            Self::MalformedExposition => "not a valid exposition",
            Self::EmptyBody => "empty answer",
            Self::SeriesLimit => "too many series",
            Self::MonitoringNotEnabled => "monitoring not enabled",
            Self::Other => "request failed",
        }
    }

    /// Whether the node itself was not reached at all.
    pub fn is_unreachable(self) -> bool {
        matches!(
            self,
            Self::NameNotFound
                | Self::ConnectionRefused
                | Self::ConnectionClosed
                | Self::ConnectTimeout
                | Self::Timeout
                | Self::Tls
                | Self::Other
        )
    }
}

/// One failed scrape of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrapeFailure {
    /// The endpoint that failed.
    pub endpoint: String,
    /// What went wrong.
    pub kind: FailureKind,
    /// What, where and what to do, e.g. `line 12, column 4: expected a value, found "abc"`.
    pub message: String,
    /// When.
    pub at: UnixMillis,
}

fn is_false(flag: &bool) -> bool {
    !flag
}
