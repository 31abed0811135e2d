//! "Safe to restart?" as the API answers it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::health::UnixMillis;

/// Whether a restart is safe, the safest first: of several the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RestartAnswer {
    /// Now.
    Yes,
    /// It cannot be told: what must be known is missing or old.
    Unknown,
    /// Not before a time that is known.
    Wait,
    /// No, until something is done.
    No,
}

impl RestartAnswer {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Unknown => "unknown",
            Self::Wait => "wait",
            Self::No => "no",
        }
    }

    /// The answer of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Yes, Self::Unknown, Self::Wait, Self::No].into_iter().find(|answer| answer.as_str() == word)
    }
}

/// `GET /api/v1/restart-check`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestartCheck {
    /// When it was judged, by the proxy's clock.
    pub at: UnixMillis,
    /// Restarting them one after another, each back before the next goes.
    pub one_by_one: RestartVerdict,
    /// Restarting all of them in the same moment.
    pub at_once: RestartVerdict,
    /// Each of them, in the order in which they should be restarted.
    pub nodes: Vec<NodeRestart>,
}

/// A verdict on several nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartVerdict {
    /// The worst of all that counts.
    pub answer: RestartAnswer,
    /// With `wait`: until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixMillis>,
    /// What is not said of one of the nodes already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<RestartReason>,
}

/// The verdict on one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRestart {
    /// Its id.
    pub node: String,
    /// Its family.
    pub family: String,
    /// Whether it may be restarted.
    pub answer: RestartAnswer,
    /// With `wait`: until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixMillis>,
    /// Why, the weightiest first; what says `yes` is only good to know.
    pub reasons: Vec<RestartReason>,
    /// Nodes that name it as what they depend on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependents: Vec<String>,
    /// Other nodes at its address: a restart of the host takes them along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_host: Vec<String>,
    /// Those that stand in for it meanwhile.
    pub group: RestartGroup,
}

/// A reason for a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartReason {
    /// Stable: the duty's name in its family, or `alert`, `group`, `no-answer`, `dependent`, ….
    pub code: String,
    /// One plain sentence without a full stop.
    pub text: String,
    /// What it alone would answer.
    pub answer: RestartAnswer,
    /// With `wait`: until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixMillis>,
    /// What to do first.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub action: String,
}

/// The nodes that a node is one of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartGroup {
    /// What they share.
    pub by: BTreeMap<String, String>,
    /// How many they are.
    pub nodes: usize,
    /// Those of the others that are away already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub down: Vec<String>,
    /// How many may be away at one time.
    pub may_be_down: usize,
}
