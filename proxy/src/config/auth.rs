//! `[auth]`: who may ask.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use fleetglass_shared::scope::node_selector;
use serde::Deserialize;

use super::{
    Config, OidcConfig, Span, TrustedHeaderConfig,
    error::{Fault, Step},
    oidc,
    validate::fault,
};
use crate::auth::Role;

/// `[auth]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// Everybody is asked who they are, also while there is neither a token nor a user.
    pub login: bool,
    /// A session that nobody uses ends after so long.
    pub session_idle: Span,
    /// Each session ends after so long.
    pub session_max: Span,
    /// Who makes or changes users or tokens signed in no longer ago than this.
    pub fresh_login: Span,
    /// How long the audit log is kept.
    pub audit_retention: Span,
    /// An OpenID provider that people sign in with.
    pub oidc: Option<OidcConfig>,
    /// The bearer tokens that are accepted.
    #[serde(rename = "token")]
    pub tokens: Vec<TokenConfig>,
    /// A reverse proxy's word for who asks.
    pub trusted_header: Option<TrustedHeaderConfig>,
}

impl Default for AuthConfig {
    fn default() -> Self {
        let hours = |hours: u64| Span(Duration::from_secs(hours * 3600));
        Self {
            login: false,
            session_idle: hours(12),
            session_max: hours(7 * 24),
            fresh_login: Span(Duration::from_secs(15 * 60)),
            audit_retention: hours(400 * 24),
            oidc: None,
            tokens: Vec::new(),
            trusted_header: None,
        }
    }
}

impl AuthConfig {
    /// Whether the config alone has everybody asked who they are. Users are in the state file.
    pub fn asks(&self) -> bool {
        self.login || self.oidc.is_some() || !self.tokens.is_empty() || self.trusted_header.is_some()
    }
}

/// `[[auth.token]]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// Who holds it; stands in the log.
    pub name: String,
    /// `sha256:` and 64 hex digits, as `fleetglass token new` prints it.
    #[serde(default)]
    pub hash: Option<String>,
    /// A file that holds such a hash.
    #[serde(default)]
    pub hash_file: Option<PathBuf>,
    /// What its holder may do.
    #[serde(default = "admin")]
    pub role: Role,
    /// Which nodes there are for its holder, by selectors; all, with none.
    #[serde(default)]
    pub select: Vec<String>,
}

fn admin() -> Role {
    Role::Admin
}

pub(super) fn validate(config: &Config) -> Result<(), Fault> {
    tokens(config)?;
    config.auth.oidc.as_ref().map_or(Ok(()), oidc::validate)?;
    let &AuthConfig { session_idle, session_max, fresh_login, audit_retention, .. } = &config.auth;
    for (name, span) in [
        ("fresh_login", fresh_login),
        ("session_idle", session_idle),
        ("session_max", session_max),
        ("audit_retention", audit_retention),
    ] {
        if span.0 < Duration::from_secs(1) {
            let why = format!("`{name}` is {span}: nothing would last");
            return fault(
                [Step::Key("auth"), Step::Key(name)],
                why,
                "12h is usual for a session without use",
            );
        }
    }
    Ok(())
}

/// Others can reach the listener, and there is neither a token nor a user.
pub(super) fn nobody_can_log_in(config: &Config, data_dir: &Path) -> Fault {
    let listen = config.server.listen;
    Fault {
        path: vec![Step::Key("server"), Step::Key("listen")],
        message: format!("listening on {listen}, which others can reach, needs at least one token or user"),
        hint: Some(format!(
            "run `fleetglass token new --name me` and add the [[auth.token]] it prints, or \
             `fleetglass user add me --role admin --data-dir {}`, or listen on 127.0.0.1",
            data_dir.display()
        )),
    }
}

fn tokens(config: &Config) -> Result<(), Fault> {
    for (index, token) in config.auth.tokens.iter().enumerate() {
        let path = [Step::Key("auth"), Step::Key("token"), Step::Index(index)];
        match (&token.hash, &token.hash_file) {
            (Some(hash), None) if crate::auth::TokenHash::parse(hash).is_none() => {
                return fault(
                    path.into_iter().chain([Step::Key("hash")]),
                    format!("the hash of token `{}` is not `sha256:` and 64 hex digits", token.name),
                    "`fleetglass token new` prints a token and its hash; the config holds the hash only",
                );
            }
            (Some(_), None) | (None, Some(_)) => {}
            _ => {
                return fault(
                    path,
                    format!("token `{}` needs either `hash` or `hash_file`", token.name),
                    "`fleetglass token new` prints the lines to add",
                );
            }
        }
        for text in &token.select {
            if let Err(error) = node_selector(text) {
                return fault(
                    path.into_iter().chain([Step::Key("select")]),
                    error.to_string(),
                    "such as select = ['{team=\"a\"}']; leave it out for the whole fleet",
                );
            }
        }
    }
    Ok(())
}
