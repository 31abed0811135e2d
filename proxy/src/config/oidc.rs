//! `[auth.oidc]`: an OpenID provider that people sign in with, and what its groups may do here.

use std::path::PathBuf;

use fleetglass_shared::scope::node_selector;
use serde::Deserialize;

use super::{
    Secret,
    error::{Fault, Step},
    validate::fault,
};
use crate::auth::Role;

/// `[auth.oidc]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    /// The provider's URL, to the letter as its discovery document has it.
    pub issuer: String,
    /// What the provider calls us.
    pub client_id: String,
    /// What we prove that with; none for a public client.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// A file that holds it.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// What is asked of the provider beside `openid`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// Where the provider sends people back to; by the external URL, if it is left out.
    #[serde(default)]
    pub redirect_url: Option<String>,
    /// The claim that has somebody's groups.
    #[serde(default = "groups_claim")]
    pub groups_claim: String,
    /// The claim that has somebody's name; then `email`, then `sub`.
    #[serde(default = "name_claim")]
    pub name_claim: String,
    /// The words of the link on the sign-in page: `Sign in with …`.
    #[serde(default = "label")]
    pub label: String,
    /// Whether somebody who signs out is offered to sign out at the provider.
    #[serde(default = "yes")]
    pub end_session: bool,
    /// Who may do what.
    #[serde(default, rename = "role")]
    pub roles: Vec<OidcRoleConfig>,
}

/// `[[auth.oidc.role]]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcRoleConfig {
    /// For whom: those in this group; everybody whom the provider signs in, if it is left out.
    #[serde(default)]
    pub group: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Which nodes there are for them, by selectors; all, with none.
    #[serde(default)]
    pub select: Vec<String>,
}

fn scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).into()
}

fn groups_claim() -> String {
    "groups".to_owned()
}

fn name_claim() -> String {
    "preferred_username".to_owned()
}

fn label() -> String {
    "OpenID Connect".to_owned()
}

fn yes() -> bool {
    true
}

/// Over TLS, or on this machine.
fn is_safe(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.scheme() == "https" || url.scheme() == "http" && is_here
}

pub(super) fn validate(config: &OidcConfig) -> Result<(), Fault> {
    let at = |name: &'static str| [Step::Key("auth"), Step::Key("oidc"), Step::Key(name)];
    if !is_safe(&config.issuer) {
        return fault(
            at("issuer"),
            format!("`{}` is no https:// URL", config.issuer),
            "it is the `issuer` of the provider's /.well-known/openid-configuration; http:// only on this machine",
        );
    }
    if let Some(url) = config.redirect_url.as_ref().filter(|url| !is_safe(url)) {
        return fault(
            at("redirect_url"),
            format!("`{url}` is no https:// URL"),
            "such as https://fleet.example/login/oidc/callback, as the provider knows it",
        );
    }
    if config.client_secret.is_some() && config.client_secret_file.is_some() {
        return fault(
            at("client_secret_file"),
            "`client_secret` and `client_secret_file` exclude each other".to_owned(),
            "keep the file, and leave the other out",
        );
    }
    if config.client_id.trim().is_empty() {
        return fault(at("client_id"), "`client_id` is empty".to_owned(), "the provider gives one out");
    }
    if config.roles.is_empty() {
        return fault(
            at("role"),
            "no [[auth.oidc.role]]: nobody could do anything".to_owned(),
            "such as group = \"sre\", role = \"operator\"; without `group` it is for everybody of the provider",
        );
    }
    for (index, role) in config.roles.iter().enumerate() {
        let path = at("role").into_iter().chain([Step::Index(index)]);
        if role.group.as_ref().is_some_and(|group| group.trim().is_empty()) {
            return fault(
                path.chain([Step::Key("group")]),
                "`group` is empty".to_owned(),
                "leave it out for everybody of the provider",
            );
        }
        for text in &role.select {
            if let Err(error) = node_selector(text) {
                return fault(
                    path.chain([Step::Key("select")]),
                    error.to_string(),
                    "such as select = ['{team=\"a\"}']; leave it out for the whole fleet",
                );
            }
        }
    }
    Ok(())
}
