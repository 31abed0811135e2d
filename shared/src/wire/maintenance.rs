//! Maintenance windows as the API tells them.

use serde::{Deserialize, Serialize};

use crate::health::UnixMillis;

/// `GET /api/v1/maintenance`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// When it was asked, by the proxy's clock.
    pub at: UnixMillis,
    /// Those that are now first, then by when they are next.
    pub windows: Vec<MaintenanceWindow>,
}

/// One window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceWindow {
    /// Its name; stands in `muted_by` of the alerts that it mutes.
    pub name: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// What an alert must pass, e.g. `region="eu"`.
    pub matchers: Vec<String>,
    /// It is now.
    pub active: bool,
    /// When it began, or begins next; absent when it began long ago, or is never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<UnixMillis>,
    /// When it ends; absent when no end of it is near, or it is never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<UnixMillis>,
    /// How many alerts it mutes.
    pub muted: usize,
}
