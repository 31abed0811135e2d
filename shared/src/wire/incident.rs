//! Incidents, and our own way out, as the API tells them.

use serde::{Deserialize, Serialize};

use super::Severity;
use crate::health::UnixMillis;

/// What the alerts of an incident have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CauseKind {
    /// It is us: Fleetglass cannot reach the network.
    Egress,
    /// One host.
    Host,
    /// One region, zone, data centre or rack.
    Region,
    /// One release of one family.
    Release,
    /// The network of one family.
    Network,
    /// Nearly everything, and nothing narrower explains it.
    Fleet,
    /// One node.
    Node,
    /// Nothing: the alert stands alone.
    Alone,
}

impl CauseKind {
    /// Every one, ourselves first.
    pub const ALL: [Self; 8] = [
        Self::Egress,
        Self::Host,
        Self::Region,
        Self::Release,
        Self::Network,
        Self::Fleet,
        Self::Node,
        Self::Alone,
    ];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Egress => "egress",
            Self::Host => "host",
            Self::Region => "region",
            Self::Release => "release",
            Self::Network => "network",
            Self::Fleet => "fleet",
            Self::Node => "node",
            Self::Alone => "alone",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Alerts of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// 16 hex digits; the same for as long as the cause lasts.
    pub id: String,
    /// What they have in common.
    pub cause: CauseKind,
    /// Which host, region, release, family or node; absent where the kind says it all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// In words.
    pub title: String,
    /// The worst of its alerts.
    pub severity: Severity,
    /// When the first node failed.
    pub since: UnixMillis,
    /// Why this is held to be the cause, a sentence each.
    pub evidence: Vec<String>,
    /// How many nodes failed with it.
    pub nodes: u32,
    /// The first of them, at most 20, in the order in which they failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<Failed>,
    /// The ids of its alerts that fire.
    pub alerts: Vec<String>,
}

/// A node that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Its id.
    pub node: String,
    /// When.
    pub at: UnixMillis,
}

/// `GET /api/v1/incidents`: those whose alerts fire now, the worst first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incidents {
    /// When they were worked out.
    pub at: UnixMillis,
    /// Whether we ourselves can reach the network.
    pub egress: Egress,
    /// The incidents. Each alert that fires is in one.
    pub incidents: Vec<Incident>,
}

/// The incident of an alert, in `GET /api/v1/alerts/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertIncident {
    /// Its id.
    pub id: String,
    /// What they have in common.
    pub cause: CauseKind,
    /// In words.
    pub title: String,
    /// How many alerts it has, this one among them.
    pub alerts: u32,
}

/// Whether there is a way out of the machine that Fleetglass runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EgressState {
    /// There is, or nothing gave reason to look.
    #[default]
    Up,
    /// There is none.
    Down,
    /// It was looked for, and what came back proves neither.
    Unknown,
}

/// Our own way out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Egress {
    /// Whether there is one.
    pub state: EgressState,
    /// When it ceased to be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<UnixMillis>,
    /// When it was last looked for; absent before there was reason to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<UnixMillis>,
    /// What was looked at then, and what came back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<EgressProbe>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressProbe {
    /// What, e.g. `1.1.1.1:443` or `name server 10.0.0.2`.
    pub of: String,
    /// It was reached; absent where that cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<bool>,
    /// What came back, in words: `answered`, `no answer in 3 s`.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_words_of_the_wire() {
        for kind in CauseKind::ALL {
            assert_eq!(serde_json::to_value(kind).ok(), Some(kind.as_str().into()));
            assert_eq!(CauseKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(CauseKind::parse("moon"), None);
    }
}
