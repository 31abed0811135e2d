//! Share links in the state file. Of a token there is only its hash, of a password what argon2id makes of it.

use std::{collections::BTreeMap, sync::Arc};

use fleetglass_shared::{health::UnixMillis, wire::ScopeSpec};
use rusqlite::{Connection, Row, params};

use super::{StateError, StateFile};

/// The table, with all that a link says.
pub(super) const TABLE: &str = "
    -- Nothing was ever written into the first one.
    DROP TABLE share;
    CREATE TABLE share (
        id TEXT PRIMARY KEY,
        token_hash BLOB NOT NULL UNIQUE,      -- SHA-256: the token itself is nowhere
        title TEXT NOT NULL,
        scope TEXT NOT NULL,                  -- JSON: wire::ScopeSpec
        alias_key BLOB NOT NULL,              -- 32 random bytes: what aliases are made with
        password TEXT,                        -- argon2id in PHC form; NULL: none is asked for
        created_by TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,                   -- NULL: never
        revoked_at INTEGER,
        max_views INTEGER,                    -- NULL: any number
        origins TEXT NOT NULL,                -- JSON: pages that may embed it
        views INTEGER NOT NULL DEFAULT 0,
        viewed_at INTEGER
    ) STRICT, WITHOUT ROWID;
    ";

/// A word from whoever shares it, and their picture.
pub(super) const NOTE: &str = "
    ALTER TABLE share ADD COLUMN note TEXT NOT NULL DEFAULT '';
    ALTER TABLE share ADD COLUMN logo BLOB; -- PNG, JPEG or WebP; NULL: none
    ";

/// What a public status page needs of it.
pub(super) const STATUS_COLUMNS: &str = "
    ALTER TABLE share ADD COLUMN slug TEXT;        -- NULL: it has no public page
    ALTER TABLE share ADD COLUMN group_by TEXT;    -- the label whose values are that page's groups
    ALTER TABLE share ADD COLUMN groups_only INTEGER NOT NULL DEFAULT 0;
    ";

/// A share link.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptShare {
    /// Its id, which opens nothing.
    pub id: String,
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// What the viewer reads at the top.
    pub title: String,
    /// What it shows.
    pub scope: ScopeSpec,
    /// What its aliases are made with.
    pub alias_key: [u8; 32],
    /// What argon2id made of its password.
    pub password: Option<String>,
    /// Who shares it, as the viewer reads it.
    pub by: String,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it ends by itself.
    pub expires_at: Option<UnixMillis>,
    /// When it was taken back.
    pub revoked_at: Option<UnixMillis>,
    /// How many times it may be opened.
    pub max_views: Option<u64>,
    /// Pages that may embed it.
    pub origins: Vec<String>,
    /// How many times it was opened.
    pub views: u64,
    /// When that was last.
    pub viewed_at: Option<UnixMillis>,
    /// A few words to the viewer.
    pub note: String,
    /// A picture beside them.
    pub logo: Option<Arc<[u8]>>,
    /// Where its public status page is.
    pub slug: Option<String>,
    /// The label whose values are the groups of that page.
    pub group_by: Option<String>,
    /// That page shows groups, not nodes.
    pub groups_only: bool,
}

impl KeptShare {
    /// A link that shows something and of which nothing else is known yet: open to whoever has its token, for good.
    pub fn blank(scope: ScopeSpec, alias_key: [u8; 32]) -> Self {
        Self {
            id: String::new(),
            token_hash: [0; 32],
            title: String::new(),
            scope,
            alias_key,
            password: None,
            by: String::new(),
            created_at: 0,
            expires_at: None,
            revoked_at: None,
            max_views: None,
            origins: Vec::new(),
            views: 0,
            viewed_at: None,
            note: String::new(),
            logo: None,
            slug: None,
            group_by: None,
            groups_only: false,
        }
    }
}

impl std::fmt::Debug for KeptShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptShare").field("id", &self.id).field("title", &self.title).finish_non_exhaustive()
    }
}

impl StateFile {
    /// Keeps a share link as it is now.
    pub fn record_share(&self, share: &KeptShare) -> bool {
        let share = share.clone();
        self.write(move |connection| save(connection, &share))
    }

    /// Keeps how often a share link was opened.
    pub fn record_share_views(&self, id: &str, views: u64, viewed_at: UnixMillis) {
        let id = id.to_owned();
        let views = i64::try_from(views).unwrap_or(i64::MAX);
        self.write(move |connection| {
            connection
                .prepare_cached("UPDATE share SET views = ?2, viewed_at = ?3 WHERE id = ?1")?
                .execute(params![id, views, viewed_at])
                .map(drop)
        });
    }

    /// Takes away share links that ended before a time.
    pub fn prune_shares(&self, before: UnixMillis) {
        self.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM share WHERE revoked_at < ?1 OR expires_at < ?1")?
                .execute(params![before])
                .map(drop)
        });
    }

    /// Every share link, by id. One that cannot be read is left out: it opens nothing.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn shares(&self) -> Result<BTreeMap<String, KeptShare>, StateError> {
        self.ask(|connection| {
            let mut statement = connection.prepare(
                "SELECT id, token_hash, title, scope, alias_key, password, created_by, created_at, expires_at,
                        revoked_at, max_views, origins, views, viewed_at, note, logo, slug, group_by, groups_only
                 FROM share",
            )?;
            let mut found = BTreeMap::new();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                match read(row)? {
                    Some(share) => drop(found.insert(share.id.clone(), share)),
                    None => {
                        tracing::error!("a share link in the state file cannot be read, and opens nothing")
                    }
                }
            }
            Ok(found)
        })
        .await
    }
}

fn save(connection: &Connection, share: &KeptShare) -> rusqlite::Result<()> {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO share (id, token_hash, title, scope, alias_key, password, created_by, created_at,
                 expires_at, revoked_at, max_views, origins, views, viewed_at, note, logo, slug, group_by, groups_only)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
        )?
        .execute(params![
            share.id,
            share.token_hash,
            share.title,
            serde_json::to_string(&share.scope).unwrap_or_default(),
            share.alias_key,
            share.password,
            share.by,
            share.created_at,
            share.expires_at,
            share.revoked_at,
            share.max_views.map(count),
            serde_json::to_string(&share.origins).unwrap_or_default(),
            count(share.views),
            share.viewed_at,
            share.note,
            share.logo.as_deref(),
            share.slug,
            share.group_by,
            share.groups_only,
        ])
        .map(drop)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<KeptShare>> {
    let (scope, origins): (String, String) = (row.get(3)?, row.get(11)?);
    let (Ok(scope), Ok(origins)) = (serde_json::from_str(&scope), serde_json::from_str(&origins)) else {
        return Ok(None);
    };
    Ok(Some(KeptShare {
        id: row.get(0)?,
        token_hash: row.get(1)?,
        title: row.get(2)?,
        scope,
        alias_key: row.get(4)?,
        password: row.get(5)?,
        by: row.get(6)?,
        created_at: row.get(7)?,
        expires_at: row.get(8)?,
        revoked_at: row.get(9)?,
        max_views: row.get::<_, Option<i64>>(10)?.map(i64::unsigned_abs),
        origins,
        views: row.get::<_, i64>(12)?.unsigned_abs(),
        viewed_at: row.get(13)?,
        note: row.get(14)?,
        logo: row.get::<_, Option<Vec<u8>>>(15)?.map(Arc::from),
        slug: row.get(16)?,
        group_by: row.get(17)?,
        groups_only: row.get(18)?,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_link_is_kept_as_it_is_and_goes_when_it_ended_long_ago() {
        let folder = tempfile::tempdir().unwrap();
        let scope = serde_json::from_str(r#"{"select":["{a=\"b\"}"],"views":["fleet"]}"#).unwrap();
        let share = KeptShare {
            id: "s1".into(),
            token_hash: [1; 32],
            title: "T".into(),
            scope,
            alias_key: [2; 32],
            password: Some("$argon2id$secret".into()),
            by: "Ada".into(),
            created_at: 1,
            expires_at: Some(50),
            revoked_at: None,
            max_views: Some(3),
            origins: vec!["https://a.example".into()],
            views: 0,
            viewed_at: None,
            note: "Ask us".into(),
            logo: Some(Arc::from(*b"picture")),
            slug: Some("acme".into()),
            group_by: Some("region".into()),
            groups_only: true,
        };
        let state = StateFile::open(Some(folder.path()));
        assert!(state.record_share(&share));
        state.record_share_views("s1", 2, 9);
        state.flush().await.unwrap();
        drop(state);
        let state = StateFile::open(Some(folder.path()));
        let kept = state.shares().await.unwrap().remove("s1").unwrap();
        assert_eq!(kept, KeptShare { views: 2, viewed_at: Some(9), ..share });
        assert!(!format!("{kept:?}").contains("argon2id"));
        state.prune_shares(50);
        assert_eq!(state.shares().await.unwrap().len(), 1);
        state.prune_shares(51);
        assert!(state.shares().await.unwrap().is_empty());
    }
}
