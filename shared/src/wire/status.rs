//! Status pages as the API takes and tells them to those who write on them.

use serde::{Deserialize, Serialize};

use crate::health::UnixMillis;

/// What a post is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostKind {
    /// Something is wrong.
    Incident,
    /// Something will be worked on.
    Maintenance,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostState {
    /// Incident: nobody knows yet what it is.
    Investigating,
    /// Incident: the cause is known.
    Identified,
    /// Incident: it is mended, and watched.
    Monitoring,
    /// Incident: it is over.
    Resolved,
    /// Maintenance: it has not begun.
    Scheduled,
    /// Maintenance: it goes on.
    InProgress,
    /// Maintenance: it is over.
    Completed,
}

/// How much an incident is felt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Not at all.
    None,
    /// A little.
    #[default]
    Minor,
    /// Much.
    Major,
    /// Nothing works.
    Critical,
}

impl PostKind {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Maintenance => "maintenance",
        }
    }

    /// The states that a post of this kind goes through, in order.
    pub fn states(self) -> &'static [PostState] {
        match self {
            Self::Incident => {
                &[PostState::Investigating, PostState::Identified, PostState::Monitoring, PostState::Resolved]
            }
            Self::Maintenance => &[PostState::Scheduled, PostState::InProgress, PostState::Completed],
        }
    }
}

impl PostState {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Investigating,
        Self::Identified,
        Self::Monitoring,
        Self::Resolved,
        Self::Scheduled,
        Self::InProgress,
        Self::Completed,
    ];

    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
            Self::Scheduled => "scheduled",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
        }
    }

    /// As a reader reads it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Investigating => "Investigating",
            Self::Identified => "Identified",
            Self::Monitoring => "Monitoring",
            Self::Resolved => "Resolved",
            Self::Scheduled => "Scheduled",
            Self::InProgress => "In progress",
            Self::Completed => "Completed",
        }
    }

    /// The state of a word of the API.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether nothing more is expected.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Resolved | Self::Completed)
    }
}

impl Impact {
    /// Every one, the least first.
    pub const ALL: [Self; 4] = [Self::None, Self::Minor, Self::Major, Self::Critical];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }

    /// The impact of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|impact| impact.as_str() == word)
    }
}

/// What is said of an incident or a maintenance at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusUpdate {
    /// Its id.
    pub id: String,
    /// When it was written.
    pub at: UnixMillis,
    /// How far it was then.
    pub state: PostState,
    /// Plain text; lines and links are kept.
    pub text: String,
    /// Who wrote it. Readers of the page are not told.
    pub by: String,
}

/// An incident or a maintenance on a status page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPost {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: PostKind,
    /// One line.
    pub title: String,
    /// How much an incident is felt.
    pub impact: Impact,
    /// Groups and nodes, by the names that readers know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affects: Vec<String>,
    /// How far it is now.
    pub state: PostState,
    /// When a maintenance begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<UnixMillis>,
    /// When a maintenance ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<UnixMillis>,
    /// When it was written.
    pub created_at: UnixMillis,
    /// What was said, the newest first.
    pub updates: Vec<StatusUpdate>,
}

/// The body of `POST /api/v1/status/{slug}/posts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostDraft {
    /// What it is.
    pub kind: PostKind,
    /// One line.
    pub title: String,
    /// What is said first.
    pub text: String,
    /// How far it is; an incident is being investigated, a maintenance scheduled, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<PostState>,
    /// How much an incident is felt.
    #[serde(default)]
    pub impact: Impact,
    /// Groups and nodes, by the names that readers know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affects: Vec<String>,
    /// When a maintenance begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<UnixMillis>,
    /// When a maintenance ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<UnixMillis>,
}

/// The body of `PATCH /api/v1/status/{slug}/posts/{id}`: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostChange {
    /// One line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How much an incident is felt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<Impact>,
    /// Groups and nodes, by the names that readers know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affects: Option<Vec<String>>,
    /// When a maintenance begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<UnixMillis>,
    /// When a maintenance ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<UnixMillis>,
}

/// The body of `POST /api/v1/status/{slug}/posts/{id}/updates`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateDraft {
    /// How far it is now; as before, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<PostState>,
    /// What is said.
    pub text: String,
}

/// A group or a node of a status page, by the name that readers know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPart {
    /// Its name.
    pub name: String,
    /// The nodes of a group that readers see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
}

/// A status page, as those see it who may write on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPage {
    /// Where it is: `/status/{slug}`.
    pub slug: String,
    /// The id of its share.
    pub share: String,
    /// What readers read at the top.
    pub title: String,
    /// What it shows.
    pub parts: Vec<StatusPart>,
    /// Posts that are not over.
    pub open: usize,
    /// Whether readers can subscribe by e-mail.
    pub mail: bool,
    /// How many have subscribed and confirmed it.
    pub subscribers: u64,
}

/// The answer of `GET /api/v1/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPages {
    /// By slug.
    pub pages: Vec<StatusPage>,
}

/// The answer of `GET /api/v1/status/{slug}/posts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPosts {
    /// The newest first.
    pub posts: Vec<StatusPost>,
}

/// How somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriberKind {
    /// By mail.
    Email,
    /// By a request to their server.
    Webhook,
}

impl SubscriberKind {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }
}

/// Somebody who is told of every update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriber {
    /// Its id.
    pub id: String,
    /// How they are told.
    pub kind: SubscriberKind,
    /// Where.
    pub address: String,
    /// When they asked for it.
    pub created_at: UnixMillis,
    /// When they confirmed it; absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<UnixMillis>,
    /// How much waits to be delivered.
    pub waiting: u64,
}

/// The answer of `GET /api/v1/status/{slug}/subscribers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribers {
    /// The newest first.
    pub subscribers: Vec<Subscriber>,
}
