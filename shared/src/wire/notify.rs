//! Notifications, as the API answers them: who is told, how it goes, and what was tried.

use serde::{Deserialize, Serialize};

use crate::health::UnixMillis;

/// `GET /api/v1/notifications`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notifications {
    /// When this was so.
    pub at: UnixMillis,
    /// Every way to somebody that the config has, in its order.
    pub ways: Vec<NotifyWay>,
    /// The heartbeat, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<NotifyHealth>,
    /// The last attempts of all ways, the newest first.
    pub attempts: Vec<NotifyAttempt>,
}

/// A way to somebody: one service of a receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyWay {
    /// Its name: receiver, service, and which of them.
    pub way: String,
    /// The receiver's name.
    pub receiver: String,
    /// The service: `slack`, `email`, ….
    pub integration: String,
    /// How it does.
    pub health: NotifyHealth,
    /// Messages that wait for it.
    pub queue: u64,
    /// When the oldest of them was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<UnixMillis>,
}

/// How deliveries went of late.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyHealth {
    /// Whether the last attempt went well; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<bool>,
    /// When something was last delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<UnixMillis>,
    /// When an attempt last failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<UnixMillis>,
    /// Why it did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// An attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyAttempt {
    /// The way.
    pub way: String,
    /// When.
    pub at: UnixMillis,
    /// How long it took.
    pub took_ms: i64,
    /// `delivered`, `again` (it failed and is tried again), `refused`, `given_up`.
    pub outcome: String,
    /// The first line of the message.
    pub title: String,
    /// What the receiver said.
    pub text: String,
}

/// The answer of `POST /api/v1/receivers/{name}/test`: what was sent where, and what came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyTest {
    /// Whether all of it was taken.
    pub ok: bool,
    /// Each attempt, in order.
    pub attempts: Vec<NotifyAttempt>,
}
