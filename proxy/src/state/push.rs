//! Subscriptions for Web Push in the state file: where a browser is reached, and what it is told of.

use fleetglass_shared::{health::UnixMillis, wire::Severity};
use rusqlite::{Row, params};

use super::{StateError, StateFile};
use crate::config::Secret;

/// The table.
pub(super) const TABLE: &str = "
    -- Browsers that are told of alerts by Web Push.
    CREATE TABLE push_subscription (
        id TEXT PRIMARY KEY,
        endpoint TEXT NOT NULL UNIQUE,        -- whoever knows it can only send what the browser will not decrypt
        p256dh BLOB NOT NULL,                 -- the browser's public key
        auth BLOB NOT NULL,                   -- its authentication secret
        label TEXT NOT NULL,
        owner TEXT NOT NULL,
        severities TEXT NOT NULL,             -- JSON
        selector TEXT NOT NULL,               -- over nodes; empty: all
        within TEXT NOT NULL,                 -- JSON: the part of the fleet that its owner may see; empty: all
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    ";

/// A browser that is told of alerts.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptPush {
    /// Its id, which says nothing of it.
    pub id: String,
    /// Where its push service takes messages.
    pub endpoint: Secret,
    /// Its public key, an uncompressed point.
    pub p256dh: Vec<u8>,
    /// Its authentication secret.
    pub auth: [u8; 16],
    /// What its owner calls it.
    pub label: String,
    /// Whose it is.
    pub owner: String,
    /// Of which alerts it is told.
    pub severities: Vec<Severity>,
    /// Of which nodes; empty: of all.
    pub select: String,
    /// The selectors that its owner is limited to; empty: none.
    pub within: Vec<String>,
    /// Since when.
    pub created_at: UnixMillis,
}

impl std::fmt::Debug for KeptPush {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptPush").field("id", &self.id).field("label", &self.label).finish_non_exhaustive()
    }
}

impl StateFile {
    /// Keeps a subscription as it is now.
    pub fn record_push(&self, push: &KeptPush) -> bool {
        let push = push.clone();
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO push_subscription
                         (id, endpoint, p256dh, auth, label, owner, severities, selector, within, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                )?
                .execute(params![
                    push.id,
                    push.endpoint.reveal(),
                    push.p256dh,
                    push.auth,
                    push.label,
                    push.owner,
                    serde_json::to_string(&push.severities).unwrap_or_default(),
                    push.select,
                    serde_json::to_string(&push.within).unwrap_or_default(),
                    push.created_at,
                ])
                .map(drop)
        })
    }

    /// Takes a subscription away.
    pub fn remove_push(&self, id: &str) -> bool {
        let id = id.to_owned();
        self.write(move |connection| {
            connection.execute("DELETE FROM push_subscription WHERE id = ?1", [&id]).map(drop)
        })
    }

    /// Every subscription. One that cannot be read is left out.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn pushes(&self) -> Result<Vec<KeptPush>, StateError> {
        self.ask(|connection| {
            let mut statement = connection.prepare(
                "SELECT id, endpoint, p256dh, auth, label, owner, severities, selector, within, created_at
                 FROM push_subscription ORDER BY created_at",
            )?;
            let mut found = Vec::new();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                match read(row)? {
                    Some(push) => found.push(push),
                    None => tracing::error!("a push subscription in the state file cannot be read"),
                }
            }
            Ok(found)
        })
        .await
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<KeptPush>> {
    let text = |index: usize| row.get::<_, String>(index);
    let (severities, within) = (serde_json::from_str(&text(6)?), serde_json::from_str(&text(8)?));
    let (Ok(severities), Ok(within)) = (severities, within) else { return Ok(None) };
    Ok(Some(KeptPush {
        id: text(0)?,
        endpoint: Secret::new(text(1)?),
        p256dh: row.get(2)?,
        auth: row.get(3)?,
        label: text(4)?,
        owner: text(5)?,
        severities,
        select: text(7)?,
        within,
        created_at: row.get(9)?,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn a_subscription_is_kept_whole_and_shows_no_secret() {
        let state = StateFile::open(None);
        let push = KeptPush {
            id: "a1".into(),
            endpoint: Secret::new("https://push.example/secret-path"),
            p256dh: vec![4; 65],
            auth: [7; 16],
            label: "phone".into(),
            owner: "ada".into(),
            severities: vec![Severity::Critical, Severity::Warning],
            select: "{region=\"eu\"}".into(),
            within: vec!["{team=\"a\"}".into()],
            created_at: 5,
        };
        assert!(!format!("{push:?}").contains("secret-path"));
        state.record_push(&push);
        state.record_push(&KeptPush { label: "pad".into(), ..push.clone() });
        assert_eq!(state.pushes().await.unwrap(), [KeptPush { label: "pad".into(), ..push.clone() }]);
        state.remove_push("a1");
        assert!(state.pushes().await.unwrap().is_empty());
    }
}
