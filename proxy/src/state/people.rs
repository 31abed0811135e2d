//! People in the state file: users, who is logged in, tokens. Of a password there is only what argon2id makes of
//! it, of a cookie or a token only the hash.

use fleetglass_shared::health::UnixMillis;
use rusqlite::{Connection, Row, params, types::Type};

use super::{StateError, StateFile};
use crate::auth::{Role, Via};

/// The tables, and that of the audit log.
pub(super) const TABLES: &str = "
    -- Those who have a password.
    CREATE TABLE user (
        name TEXT PRIMARY KEY,
        role TEXT NOT NULL,                   -- viewer, operator, admin
        selectors TEXT NOT NULL,              -- JSON: the part of the fleet; [] is all of it
        password TEXT NOT NULL,               -- argon2id in PHC form
        created_by TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        password_at INTEGER NOT NULL,         -- when it was set
        disabled_at INTEGER,                  -- NULL: may log in
        login_at INTEGER                      -- the last time
    ) STRICT, WITHOUT ROWID;

    -- Nothing was ever written into the first one.
    DROP TABLE session;
    -- People who are logged in.
    CREATE TABLE session (
        token_hash BLOB PRIMARY KEY,          -- SHA-256 of the cookie
        id TEXT NOT NULL UNIQUE,              -- opens nothing
        name TEXT NOT NULL,
        via TEXT NOT NULL,                    -- password, oidc, ...
        subject TEXT,                         -- what the provider calls them
        role TEXT NOT NULL,
        selectors TEXT NOT NULL,              -- JSON
        created_at INTEGER NOT NULL,
        used_at INTEGER NOT NULL,
        ip TEXT NOT NULL,
        agent TEXT NOT NULL                   -- User-Agent, cut
    ) STRICT, WITHOUT ROWID;

    -- Tokens that people made for programs.
    CREATE TABLE api_token (
        id TEXT PRIMARY KEY,                  -- opens nothing
        token_hash BLOB NOT NULL UNIQUE,      -- SHA-256
        name TEXT NOT NULL,
        owner TEXT NOT NULL,                  -- who made it
        owner_via TEXT NOT NULL,
        owner_role TEXT NOT NULL,             -- as it was then; that of a user is looked up
        owner_selectors TEXT NOT NULL,        -- JSON
        role TEXT NOT NULL,
        selectors TEXT NOT NULL,              -- JSON: within those of the owner
        scopes TEXT NOT NULL,                 -- JSON: what it may be used for; [] is all that its role may
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        used_at INTEGER,
        used_from TEXT
    ) STRICT, WITHOUT ROWID;

    -- Who did what. Rows come, and go when they are old; none is ever changed.
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        who TEXT NOT NULL,
        via TEXT NOT NULL,
        ip TEXT NOT NULL,
        what TEXT NOT NULL,
        target TEXT NOT NULL,
        outcome TEXT NOT NULL                 -- ok, or why not
    ) STRICT;
    CREATE INDEX audit_by_time ON audit (at);
    CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
    ";

/// A user.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptUser {
    /// What they log in with.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Which nodes there are for them, by selectors; all, with none.
    pub select: Vec<String>,
    /// What argon2id made of the password.
    pub password: String,
    /// Who made them.
    pub created_by: String,
    /// When they were made.
    pub created_at: UnixMillis,
    /// When the password was set.
    pub password_at: UnixMillis,
    /// Since when they may not log in.
    pub disabled_at: Option<UnixMillis>,
    /// When they logged in last.
    pub login_at: Option<UnixMillis>,
}

/// Somebody who is logged in.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptSession {
    /// SHA-256 of the cookie.
    pub token_hash: [u8; 32],
    /// Its id, which opens nothing.
    pub id: String,
    /// Who.
    pub name: String,
    /// How they came in.
    pub via: Via,
    /// What the provider calls them.
    pub subject: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Which nodes there are for them.
    pub select: Vec<String>,
    /// When they logged in.
    pub created_at: UnixMillis,
    /// When it was used last.
    pub used_at: UnixMillis,
    /// From where they logged in.
    pub ip: String,
    /// With what.
    pub agent: String,
}

/// A token that somebody made for a program.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptToken {
    /// Its id, which opens nothing.
    pub id: String,
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// What it is for.
    pub name: String,
    /// Who made it.
    pub owner: String,
    /// How they had come in.
    pub owner_via: Via,
    /// What they might do then. That of users and of tokens of the config is looked up.
    pub owner_role: Role,
    /// Which nodes there were for them then.
    pub owner_select: Vec<String>,
    /// The most that it may do.
    pub role: Role,
    /// Which nodes there are for it, of those of its owner; all of these, with none.
    pub select: Vec<String>,
    /// What it may be used for; everything that its role may, with none.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it ends.
    pub expires_at: UnixMillis,
    /// When it was used last.
    pub used_at: Option<UnixMillis>,
    /// From where.
    pub used_from: Option<String>,
}

macro_rules! names_only {
    ($($kept:ident $label:ident),+) => {$(
        impl std::fmt::Debug for $kept {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($kept)).field(stringify!($label), &self.$label).finish_non_exhaustive()
            }
        }
    )+};
}
names_only!(KeptUser name, KeptSession id, KeptToken id);

impl StateFile {
    /// Keeps a user as they are now.
    pub fn record_user(&self, user: &KeptUser) -> bool {
        let user = user.clone();
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO user (name, role, selectors, password, created_by, created_at, password_at,
                         disabled_at, login_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                )?
                .execute(params![
                    user.name,
                    user.role.as_str(),
                    json(&user.select),
                    user.password,
                    user.created_by,
                    user.created_at,
                    user.password_at,
                    user.disabled_at,
                    user.login_at,
                ])
                .map(drop)
        })
    }

    /// Takes a user away.
    pub fn remove_user(&self, name: &str) -> bool {
        self.delete("DELETE FROM user WHERE name = ?1", name)
    }

    /// Every user.
    ///
    /// # Errors
    /// As [`Self::ask`]. One that cannot be read is an error too: nobody is let in by what is missing.
    pub async fn users(&self) -> Result<Vec<KeptUser>, StateError> {
        self.all(
            "SELECT name, role, selectors, password, created_by, created_at, password_at, disabled_at, login_at
             FROM user ORDER BY name",
            |row| {
                Ok(KeptUser {
                    name: row.get(0)?,
                    role: role(row, 1)?,
                    select: list(row, 2)?,
                    password: row.get(3)?,
                    created_by: row.get(4)?,
                    created_at: row.get(5)?,
                    password_at: row.get(6)?,
                    disabled_at: row.get(7)?,
                    login_at: row.get(8)?,
                })
            },
        )
        .await
    }

    /// Keeps a session as it is now.
    pub fn record_session(&self, session: &KeptSession) -> bool {
        let session = session.clone();
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO session (token_hash, id, name, via, subject, role, selectors, created_at,
                         used_at, ip, agent) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                )?
                .execute(params![
                    session.token_hash,
                    session.id,
                    session.name,
                    session.via.as_str(),
                    session.subject,
                    session.role.as_str(),
                    json(&session.select),
                    session.created_at,
                    session.used_at,
                    session.ip,
                    session.agent,
                ])
                .map(drop)
        })
    }

    /// Keeps when a session was used.
    pub fn record_session_use(&self, id: &str, at: UnixMillis) -> bool {
        let id = id.to_owned();
        self.write(move |connection| {
            connection
                .prepare_cached("UPDATE session SET used_at = ?2 WHERE id = ?1")?
                .execute(params![id, at])
                .map(drop)
        })
    }

    /// Takes a session away.
    pub fn remove_session(&self, id: &str) -> bool {
        self.delete("DELETE FROM session WHERE id = ?1", id)
    }

    /// Every session.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn sessions(&self) -> Result<Vec<KeptSession>, StateError> {
        self.all(
            "SELECT token_hash, id, name, via, subject, role, selectors, created_at, used_at, ip, agent FROM session",
            |row| {
                Ok(KeptSession {
                    token_hash: row.get(0)?,
                    id: row.get(1)?,
                    name: row.get(2)?,
                    via: via(row, 3)?,
                    subject: row.get(4)?,
                    role: role(row, 5)?,
                    select: list(row, 6)?,
                    created_at: row.get(7)?,
                    used_at: row.get(8)?,
                    ip: row.get(9)?,
                    agent: row.get(10)?,
                })
            },
        )
        .await
    }

    /// Keeps a token as it is now.
    pub fn record_token(&self, token: &KeptToken) -> bool {
        let token = token.clone();
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO api_token (id, token_hash, name, owner, owner_via, owner_role, owner_selectors,
                         role, selectors, scopes, created_at, expires_at, used_at, used_from)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                )?
                .execute(params![
                    token.id,
                    token.token_hash,
                    token.name,
                    token.owner,
                    token.owner_via.as_str(),
                    token.owner_role.as_str(),
                    json(&token.owner_select),
                    token.role.as_str(),
                    json(&token.select),
                    json(&token.scopes),
                    token.created_at,
                    token.expires_at,
                    token.used_at,
                    token.used_from,
                ])
                .map(drop)
        })
    }

    /// Keeps when and from where a token was used.
    pub fn record_token_use(&self, id: &str, at: UnixMillis, from: &str) -> bool {
        let (id, from) = (id.to_owned(), from.to_owned());
        self.write(move |connection| {
            connection
                .prepare_cached("UPDATE api_token SET used_at = ?2, used_from = ?3 WHERE id = ?1")?
                .execute(params![id, at, from])
                .map(drop)
        })
    }

    /// Takes a token away.
    pub fn remove_token(&self, id: &str) -> bool {
        self.delete("DELETE FROM api_token WHERE id = ?1", id)
    }

    /// Every token.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn tokens(&self) -> Result<Vec<KeptToken>, StateError> {
        self.all(
            "SELECT id, token_hash, name, owner, owner_via, owner_role, owner_selectors, role, selectors, scopes,
                    created_at, expires_at, used_at, used_from FROM api_token",
            |row| {
                Ok(KeptToken {
                    id: row.get(0)?,
                    token_hash: row.get(1)?,
                    name: row.get(2)?,
                    owner: row.get(3)?,
                    owner_via: via(row, 4)?,
                    owner_role: role(row, 5)?,
                    owner_select: list(row, 6)?,
                    role: role(row, 7)?,
                    select: list(row, 8)?,
                    scopes: list(row, 9)?,
                    created_at: row.get(10)?,
                    expires_at: row.get(11)?,
                    used_at: row.get(12)?,
                    used_from: row.get(13)?,
                })
            },
        )
        .await
    }

    fn delete(&self, sql: &'static str, key: &str) -> bool {
        let key = key.to_owned();
        self.write(move |connection: &Connection| {
            connection.prepare_cached(sql)?.execute(params![key]).map(drop)
        })
    }

    async fn all<T: Send + 'static>(
        &self,
        sql: &'static str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Vec<T>, StateError> {
        self.ask(move |connection| connection.prepare(sql)?.query_map([], |row| read(row))?.collect()).await
    }
}

fn json(list: &[String]) -> String {
    serde_json::to_string(list).unwrap_or_default()
}

/// Written as text; what it is not is never taken for everything, or for an admin.
fn list(row: &Row<'_>, at: usize) -> rusqlite::Result<Vec<String>> {
    let text: String = row.get(at)?;
    serde_json::from_str(&text).map_err(|error| unread(at, error.to_string()))
}

fn role(row: &Row<'_>, at: usize) -> rusqlite::Result<Role> {
    let text: String = row.get(at)?;
    Role::parse(&text).ok_or_else(|| unread(at, format!("`{text}` is no role")))
}

fn via(row: &Row<'_>, at: usize) -> rusqlite::Result<Via> {
    let text: String = row.get(at)?;
    Via::parse(&text).ok_or_else(|| unread(at, format!("`{text}` is no way in")))
}

fn unread(at: usize, words: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(at, Type::Text, words.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::state::has_users;

    #[tokio::test]
    async fn people_are_kept_as_they_are_and_show_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let user = KeptUser {
            name: "ada".into(),
            role: Role::Operator,
            select: vec!["{team=\"a\"}".into()],
            password: "$argon2id$secret".into(),
            created_by: "root".into(),
            created_at: 1,
            password_at: 2,
            disabled_at: Some(3),
            login_at: None,
        };
        let session = KeptSession {
            token_hash: [1; 32],
            id: "s".into(),
            name: "ada".into(),
            via: Via::Oidc,
            subject: Some("x".into()),
            role: Role::Viewer,
            select: Vec::new(),
            created_at: 1,
            used_at: 2,
            ip: "::1".into(),
            agent: "b".into(),
        };
        let token = KeptToken {
            id: "t".into(),
            token_hash: [2; 32],
            name: "ci".into(),
            owner: "ada".into(),
            owner_via: Via::Password,
            owner_role: Role::Admin,
            owner_select: vec!["{a=\"b\"}".into()],
            role: Role::Admin,
            select: Vec::new(),
            scopes: vec!["read".into()],
            created_at: 1,
            expires_at: 9,
            used_at: None,
            used_from: None,
        };
        let state = StateFile::open(Some(folder.path()));
        assert!(state.record_user(&user) && state.record_session(&session) && state.record_token(&token));
        assert!(state.record_session_use("s", 7) && state.record_token_use("t", 8, "::2"));
        state.flush().await.unwrap();
        assert!(has_users(folder.path()) && !has_users(&folder.path().join("none")));
        drop(state);
        let state = StateFile::open(Some(folder.path()));
        let session = KeptSession { used_at: 7, ..session };
        let token = KeptToken { used_at: Some(8), used_from: Some("::2".into()), ..token };
        assert_eq!(format!("{user:?}"), "KeptUser { name: \"ada\", .. }");
        assert_eq!(state.users().await.unwrap(), [user]);
        assert_eq!(state.sessions().await.unwrap(), [session]);
        assert_eq!(state.tokens().await.unwrap(), [token]);
        assert!(state.remove_user("ada") && state.remove_session("s") && state.remove_token("t"));
        assert!(state.users().await.unwrap().is_empty() && state.sessions().await.unwrap().is_empty());
        assert!(state.tokens().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_role_that_is_none_is_an_error_and_no_audit_line_changes() {
        let state = StateFile::open(None);
        let put = "INSERT INTO user VALUES ('x', 'root', '[]', 'p', 'x', 1, 1, NULL, NULL)";
        state.ask(move |connection| connection.execute(put, [])).await.unwrap();
        assert!(state.users().await.unwrap_err().to_string().contains("`root` is no role"));
        let put =
            "INSERT INTO audit (at, who, via, ip, what, target, outcome) VALUES (1, '', '', '', '', '', '')";
        state.ask(move |connection| connection.execute(put, [])).await.unwrap();
        let changed = state.ask(|connection| connection.execute("UPDATE audit SET who = 'x'", [])).await;
        assert!(changed.unwrap_err().to_string().contains("never changed"));
    }
}
