//! Who asks.

use serde::{Deserialize, Serialize};

/// What somebody may do. Each may do what those before it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks.
    #[default]
    Viewer,
    /// Acknowledges, silences, shares.
    Operator,
    /// Everything: people, history, what is pushed.
    Admin,
}

impl Role {
    /// The roles, the one that may least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The role of a word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// How somebody came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// The listener asks nobody: it is reached from this machine alone.
    Local,
    /// A bearer token.
    Token,
    /// A password.
    Password,
    /// An OpenID provider.
    Oidc,
    /// A reverse proxy's word.
    Header,
}

impl Via {
    const ALL: [Self; 5] = [Self::Local, Self::Token, Self::Password, Self::Oidc, Self::Header];

    /// The way of a word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|via| via.as_str() == text)
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Token => "token",
            Self::Password => "password",
            Self::Oidc => "oidc",
            Self::Header => "header",
        }
    }
}

/// Who asks: in the extensions of every request that the guard lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The user, or the token.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Selectors over nodes, of which one is enough: there is no other node for them. Empty: all.
    pub select: Vec<String>,
    /// How they came in.
    pub via: Via,
}

impl Who {
    /// Whoever is at this machine, where no login is needed.
    pub fn local() -> Self {
        Self { name: "the operator".to_owned(), role: Role::Admin, select: Vec::new(), via: Via::Local }
    }

    /// Tells them from somebody of the same name who came in another way.
    pub fn key(&self) -> String {
        Self::key_of(self.via, &self.name)
    }

    /// The same of a name.
    pub fn key_of(via: Via, name: &str) -> String {
        format!("{}:{name}", via.as_str())
    }

    /// Whether only somebody else knows what they may do: an OpenID provider, or a reverse proxy.
    pub fn is_vouched_for(&self) -> bool {
        matches!(self.via, Via::Oidc | Via::Header)
    }

    /// Whether they see a part of the fleet only.
    pub fn is_limited(&self) -> bool {
        !self.select.is_empty()
    }
}
