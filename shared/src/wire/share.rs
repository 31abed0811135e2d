//! Share links as the API takes and tells them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::health::UnixMillis;

/// A part of the app that a link may show. What is not named is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// The list of nodes, live, and how much of the time they were up.
    Fleet,
    /// A node's page: what it says of itself, how it was asked, what happened to it.
    Node,
    /// Its series: charts and queries.
    Charts,
    /// What is wrong with it.
    Alerts,
    /// How near it is to a slash, and what that would cost.
    Risks,
}

impl View {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Fleet, Self::Node, Self::Charts, Self::Alerts, Self::Risks];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fleet => "fleet",
            Self::Node => "node",
            Self::Charts => "charts",
            Self::Alerts => "alerts",
            Self::Risks => "risks",
        }
    }

    /// The view of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.as_str() == word)
    }
}

/// What a link shows, as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeSpec {
    /// Which nodes: selectors over `instance`, `job`, `family` and the nodes' labels; a node is shown that any selects.
    pub select: Vec<String>,
    /// What of them.
    pub views: BTreeSet<View>,
    /// Nothing older than so many seconds; everything, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_seconds: Option<u64>,
    /// Show addresses, and labels such as `host`.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub addresses: bool,
    /// Labels that are not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop_labels: Vec<String>,
    /// Name the nodes by aliases, the same for as long as the link lives.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub aliases: bool,
    /// Metrics whose values are not shown: names, or their beginnings with a `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hide_metrics: Vec<String>,
}

/// The body of `POST /api/v1/shares`, and of `PATCH /api/v1/shares/{id}`, where what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareChange {
    /// What the viewer reads at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeSpec>,
    /// When it ends; 0: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixMillis>,
    /// A password to ask for; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// It may be opened so many times; 0: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_views: Option<u64>,
    /// Pages that may embed it, e.g. `https://portal.example`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origins: Option<Vec<String>>,
    /// Who shares it, as the viewer reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// A few plain words to the viewer; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// A picture beside them, PNG, JPEG or WebP, in base64; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// A public status page at `/status/{slug}`; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// The label whose values are the groups of the status page; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<String>,
    /// Show the groups on the status page, not their nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_only: Option<bool>,
}

/// A link, as those who may make some see it. The token is in none of these: it is told once, when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Its id, which opens nothing.
    pub id: String,
    /// What the viewer reads at the top.
    pub title: String,
    /// What it shows.
    pub scope: ScopeSpec,
    /// How many nodes that is now; absent while no proxy runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<usize>,
    /// Who shares it.
    pub by: String,
    /// A few words to the viewer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Whether there is a picture beside them.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub logo: bool,
    /// Whether it asks for a password.
    pub password: bool,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixMillis>,
    /// How many times it may be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_views: Option<u64>,
    /// Pages that may embed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it was opened last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewed_at: Option<UnixMillis>,
    /// How many times it was opened.
    pub views: u64,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<UnixMillis>,
    /// How many look at it now.
    pub viewers: usize,
    /// Its public status page is at `/status/{slug}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// The label whose values are the groups of that page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<String>,
    /// That page shows groups, not nodes.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub groups_only: bool,
}

/// The answer to `POST /api/v1/shares`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareMade {
    /// The link.
    pub share: Share,
    /// Its secret, told this once.
    pub token: String,
    /// The path to open, with the token in it.
    pub path: String,
}

/// `GET /api/v1/shares`: the newest first, those among them that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    /// The links.
    pub shares: Vec<Share>,
}

/// `GET /s/{token}/api/v1/share`: what the viewer may know of the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedWith {
    /// What it is called.
    pub title: String,
    /// Who shares it.
    pub by: String,
    /// A few words from them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Where the picture beside them is: a path, or in a preview the picture itself as a `data:` URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// What it shows.
    pub views: BTreeSet<View>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixMillis>,
}
