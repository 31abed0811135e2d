//! What was last known of each node, so that a start of Fleetglass makes no false events.

use std::collections::BTreeMap;

use fleetglass_shared::health::{FailureKind, Status, UnixMillis};
use rusqlite::{Connection, params};

/// What events are told against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// How it was.
    pub status: Status,
    /// It asked to be taken out of traffic.
    pub draining: bool,
    /// The version it said last.
    pub version: Option<String>,
    /// Each endpoint that ever answered, and how it fails now, if it does.
    pub endpoints: BTreeMap<String, Option<FailureKind>>,
    /// Nobody has looked at its process since this time: Fleetglass did not run. Not kept in the file.
    pub away_since: Option<UnixMillis>,
}

impl Known {
    /// Whether the file says the same of both.
    pub fn is_kept_as(&self, other: &Self) -> bool {
        let kept = |known: &Self| (known.status, known.draining);
        kept(self) == kept(other) && self.version == other.version && self.endpoints == other.endpoints
    }
}

impl Default for Known {
    /// A node that was never asked.
    fn default() -> Self {
        Self {
            status: Status::Unknown,
            draining: false,
            version: None,
            endpoints: BTreeMap::new(),
            away_since: None,
        }
    }
}

/// Every node, each away since the last time that anything was observed.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Known>> {
    let seen: Option<UnixMillis> =
        connection
            .query_row("SELECT (SELECT until FROM seen ORDER BY id DESC LIMIT 1)", [], |row| row.get(0))?;
    let mut statement = connection.prepare("SELECT id, status, draining, version, endpoints FROM node")?;
    let nodes = statement.query_map([], |row| {
        let (status, endpoints): (String, String) = (row.get(1)?, row.get(4)?);
        let known = Known {
            status: Status::parse(&status).unwrap_or(Status::Unknown),
            draining: row.get(2)?,
            version: row.get(3)?,
            // A kind of failure that only a newer version knows is as good as none known.
            endpoints: serde_json::from_str(&endpoints).unwrap_or_default(),
            away_since: seen,
        };
        Ok((row.get(0)?, known))
    })?;
    nodes.collect()
}

pub(super) fn save(connection: &Connection, id: &str, known: &Known) -> rusqlite::Result<()> {
    let endpoints = serde_json::to_string(&known.endpoints).unwrap_or_else(|_| "{}".to_owned());
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO node (id, status, draining, version, endpoints)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![id, known.status.as_str(), known.draining, known.version, endpoints])
        .map(drop)
}

pub(super) fn remove(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM node WHERE id = ?1", [id]).map(drop)
}
