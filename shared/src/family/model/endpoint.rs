//! What a node is asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an endpoint answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EndpointKind {
    /// A JSON object.
    Json,
    /// JSON if it is JSON, else any text: then the HTTP status alone decides.
    Text,
    /// A Prometheus or OpenMetrics exposition.
    Metrics,
}

impl EndpointKind {
    /// The word in `family.toml` and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Metrics => "metrics",
        }
    }
}

/// What an endpoint is for, in the words of the pass-through API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EndpointRole {
    /// Is it alive and well?
    Health,
    /// Should it get traffic?
    Ready,
    /// Its metrics.
    Metrics,
    /// Anything else.
    Other,
}

impl EndpointRole {
    /// The word in `family.toml` and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Ready => "ready",
            Self::Metrics => "metrics",
            Self::Other => "other",
        }
    }
}

/// One endpoint.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointSpec {
    /// Its name, which mappings, `[target.endpoints]` and reasons use.
    pub name: String,
    /// What a person reads in a reason, e.g. `Internal API`; the path, if left out.
    #[serde(default)]
    pub title: String,
    /// What it answers with.
    pub kind: EndpointKind,
    /// What it is for.
    pub role: EndpointRole,
    /// The path asked, e.g. `/health`.
    pub path: String,
    /// Its default port. None: the port of the target's `url`.
    #[serde(default)]
    pub port: Option<u16>,
    /// Further ports on which `family = "auto"` looks for it.
    #[serde(default)]
    pub other_ports: Vec<u16>,
    /// It is asked only where the target gives its URL under `[target.endpoints]`.
    #[serde(default)]
    pub needs_url: bool,
    /// Not every node has it: its silence counts only once it has answered.
    #[serde(default)]
    pub optional: bool,
    /// The HTTP statuses whose body is an answer.
    #[serde(default = "accepted_by_default")]
    pub accepts: Vec<u16>,
    /// The HTTP statuses that mean "this node does not have this endpoint".
    #[serde(default)]
    pub absent: Vec<u16>,
    /// An answer that takes longer is a finding (degraded).
    #[serde(default)]
    pub slow_seconds: Option<f64>,
}

fn accepted_by_default() -> Vec<u16> {
    vec![200]
}
