//! People: who asks, who may log in, tokens for programs, sessions, and who did what.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::health::UnixMillis;

/// `GET /api/v1/me`: who asks, and how they might log in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// Nobody: they are not logged in.
    pub name: Option<String>,
    /// `viewer`, `operator`, `admin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Which nodes there are for them, by selectors; all, with none.
    #[serde(default)]
    pub select: Vec<String>,
    /// How they came in: `local`, `token`, `password`, `oidc`, `header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// How one can log in.
    pub ways: Ways,
    /// Whether everybody is asked who they are.
    pub login_needed: bool,
    /// What they may do.
    pub can: Can,
}

/// How one can log in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ways {
    /// With a name and a password, at `/login`.
    pub password: bool,
    /// At an OpenID provider, by the words of its link.
    pub oidc: Option<String>,
}

/// What somebody may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Can {
    /// Acknowledge, silence, mark, test a receiver.
    pub alerts: bool,
    /// Make and take back share links.
    pub shares: bool,
    /// Import, prune, push.
    pub history: bool,
    /// See and change users, all sessions, the audit log.
    pub people: bool,
    /// Make tokens of their own.
    pub tokens: bool,
    /// Change their own password.
    pub password: bool,
}

/// `GET /api/v1/users`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    /// By name.
    pub users: Vec<User>,
}

/// Somebody with a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// What they log in with.
    pub name: String,
    /// `viewer`, `operator`, `admin`.
    pub role: String,
    /// Which nodes there are for them, by selectors; all, with none.
    pub select: Vec<String>,
    /// They may not log in.
    pub disabled: bool,
    /// Who made them.
    pub created_by: String,
    /// When.
    pub created_at: UnixMillis,
    /// When the password was set.
    pub password_at: UnixMillis,
    /// When they logged in last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_login_at: Option<UnixMillis>,
}

/// The body of `POST /api/v1/users`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What they log in with.
    pub name: String,
    /// The first password.
    pub password: String,
    /// `viewer`, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Which nodes there are for them; all, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<Vec<String>>,
}

/// The body of `PATCH /api/v1/users/{name}`: what is absent stays as it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// `viewer`, `operator`, `admin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Which nodes there are for them, by selectors; all, with none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<Vec<String>>,
    /// Another password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Whether they may not log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// The body of `POST /api/v1/me/password`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The one until now.
    pub old: String,
    /// The one from now on.
    pub new: String,
}

/// `GET /api/v1/tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// The newest first.
    pub tokens: Vec<Token>,
}

/// A token for a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id, which opens nothing.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Who made it.
    pub user: String,
    /// How they had come in.
    pub via: String,
    /// The most that it may do.
    pub role: String,
    /// Which nodes there are for it, by selectors; all, with none.
    pub select: Vec<String>,
    /// What it may be used for; everything that its role may, with none.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it ends.
    pub expires_at: UnixMillis,
    /// When it was used last; kept once a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<UnixMillis>,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_from: Option<String>,
}

/// The body of `POST /api/v1/tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// `viewer`, if left out; not above the maker's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Which nodes there are for it, within those of the maker; all of these, with none.
    #[serde(default)]
    pub select: Vec<String>,
    /// What it may be used for; everything that its role may, with none.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// When it ends; at most a year from now.
    pub expires_at: UnixMillis,
}

/// The answer to `POST /api/v1/tokens`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenMade {
    /// What is told of it from now on.
    pub made: Token,
    /// The token itself, told this once.
    pub token: String,
}

/// `GET /api/v1/sessions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    /// The newest first.
    pub sessions: Vec<Session>,
}

/// Somebody who is logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id, which opens nothing.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// How they came in.
    pub via: String,
    /// What they may do.
    pub role: String,
    /// When they logged in.
    pub created_at: UnixMillis,
    /// When it was used last.
    pub last_used_at: UnixMillis,
    /// When it ends at the latest.
    pub expires_at: UnixMillis,
    /// From where they logged in.
    pub ip: String,
    /// With what, as it says itself.
    pub user_agent: String,
    /// It is the one that asks.
    pub current: bool,
}

/// `GET /api/v1/audit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The newest first.
    pub entries: Vec<AuditEntry>,
    /// There are older ones: ask again with `before` the last id.
    pub more: bool,
}

/// Somebody did something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Each is greater than the one before.
    pub id: i64,
    /// When.
    pub at: UnixMillis,
    /// Who, or the name that was tried.
    pub who: String,
    /// How they had come in; empty: they had not.
    pub via: String,
    /// From where.
    pub ip: String,
    /// What: `login`, `share_made`, …
    pub what: String,
    /// Of what.
    pub of: String,
    /// `ok`, or why not.
    pub outcome: String,
}

macro_rules! without_secrets {
    ($($kept:ident { $($field:ident)* })+) => {$(
        impl fmt::Debug for $kept {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($kept))$(.field(stringify!($field), &self.$field))*.finish_non_exhaustive()
            }
        }
    )+};
}
without_secrets! {
    NewUser { name role select }
    UserChange { role select disabled }
    NewPassword {}
    TokenMade { made }
}
