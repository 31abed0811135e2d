//! How requests reach us: TLS, reverse proxies and what they vouch for, the path they have us under.

use std::{net::IpAddr, path::PathBuf};

use fleetglass_shared::scope::node_selector;
use http::{HeaderName, HeaderValue};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use super::{
    Config,
    error::{Fault, Step},
    validate::fault,
};
use crate::{auth::GroupRole, edge::prefix};

/// Browsers that came over TLS once do not come without it for so long, unless the config says otherwise.
const HSTS: &str = "max-age=31536000";

/// `[server.tls]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate, then those that lead from it to a known issuer, as PEM.
    pub cert_file: PathBuf,
    /// Its private key, as PEM.
    pub key_file: PathBuf,
    /// The oldest version that is spoken.
    #[serde(default)]
    pub min_version: TlsVersion,
    /// `Strict-Transport-Security` of every answer; empty: none.
    #[serde(default = "hsts")]
    pub hsts: String,
}

fn hsts() -> String {
    HSTS.to_owned()
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum TlsVersion {
    /// TLS 1.2, and 1.3 with those who have it.
    #[default]
    #[serde(rename = "1.2")]
    V12,
    /// TLS 1.3 alone.
    #[serde(rename = "1.3")]
    V13,
}

/// Addresses and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether an address is one of these; an IPv4 address in IPv6's clothes is itself.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|network| network.contains(&ip))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let networks = texts.iter().map(|text| network(text).map_err(serde::de::Error::custom));
        networks.collect::<Result<_, _>>().map(Self)
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let read: Option<IpNet> =
        text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical().into()));
    let network = read.ok_or_else(|| {
        format!(
            "`{text}` is no address and no network; write 10.0.0.5 or 10.0.0.0/8 (names are not looked up)"
        )
    })?;
    if network.prefix_len() == 0 {
        return Err(format!("`{text}` is everybody; list the addresses of the reverse proxies"));
    }
    Ok(network.trunc())
}

/// A path under which a reverse proxy has us: empty, or such as `/fleet`, without an end slash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// Empty, or such as `/fleet`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for BasePath {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let read = prefix::read(&text).ok_or_else(|| {
            format!(
                "`{text}` is no path such as /fleet/ (letters, digits and `. _ ~ -` between single slashes)"
            )
        });
        let path = read.map_err(serde::de::Error::custom)?;
        if prefix::is_own(&path) {
            return Err(serde::de::Error::custom(format!(
                "`{text}` begins like an address of the app's own; choose another"
            )));
        }
        Ok(Self(path))
    }
}

/// `[auth.trusted_header]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedHeaderConfig {
    /// The header that names who asks.
    #[serde(default = "user")]
    pub user: String,
    /// The header with their groups, with commas.
    #[serde(default)]
    pub groups: Option<String>,
    /// The reverse proxies whose word it is.
    pub from: Networks,
    /// What the groups may do.
    #[serde(default, rename = "role")]
    pub roles: Vec<GroupRole>,
}

fn user() -> String {
    "X-Forwarded-User".to_owned()
}

impl Config {
    /// Where this server is found when it listens at an address and nobody says otherwise, without a slash at the end.
    pub fn own_url(&self, listen: impl std::fmt::Display) -> String {
        let scheme = if self.server.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{listen}{}", self.server.base_path.as_str())
    }
}

pub(super) fn validate(config: &Config) -> Result<(), Fault> {
    if let Some(tls) = &config.server.tls
        && HeaderValue::from_str(&tls.hsts).is_err()
    {
        return fault(
            ["server", "tls", "hsts"].map(Step::Key),
            "this is no value of a header".to_owned(),
            "such as hsts = \"max-age=31536000\", or \"\" for none",
        );
    }
    let Some(header) = &config.auth.trusted_header else { return Ok(()) };
    let at = |key| ["auth", "trusted_header", key].map(Step::Key);
    for (key, name) in [("user", Some(&header.user)), ("groups", header.groups.as_ref())] {
        let Some(name) = name else { continue };
        let is_taken =
            ["authorization", "connection", "content-length", "cookie", "forwarded", "host", "origin"]
                .contains(&name.to_ascii_lowercase().as_str());
        if is_taken || HeaderName::from_bytes(name.as_bytes()).is_err() {
            let hint = "such as user = \"X-Forwarded-User\", groups = \"X-Forwarded-Groups\"";
            return fault(at(key), format!("`{name}` cannot be that header"), hint);
        }
    }
    if header.groups.as_ref().is_some_and(|groups| groups.eq_ignore_ascii_case(&header.user)) {
        let hint = "the reverse proxy sends each in a header of its own";
        return fault(at("groups"), "the same header cannot name the user and the groups".to_owned(), hint);
    }
    if header.from.is_empty() {
        let hint = "list the addresses of the reverse proxies that check who asks: from = [\"127.0.0.1\"]";
        return fault(at("from"), "nobody's word is taken".to_owned(), hint);
    }
    if header.roles.is_empty() {
        let hint =
            "add [[auth.trusted_header.role]] with role = \"viewer\", and `group` unless it is for everybody";
        return fault(at("role"), "whoever is named may do nothing".to_owned(), hint);
    }
    for (index, rule) in header.roles.iter().enumerate() {
        for text in &rule.select {
            if let Err(error) = node_selector(text) {
                let path = at("role").into_iter().chain([Step::Index(index), Step::Key("select")]);
                return fault(
                    path,
                    error.to_string(),
                    "such as select = ['{team=\"a\"}']; leave it out for the whole fleet",
                );
            }
        }
        if header.groups.is_none() && rule.group.is_some() {
            let path = at("role").into_iter().chain([Step::Index(index), Step::Key("group")]);
            return fault(
                path,
                "no header names groups".to_owned(),
                "say which: groups = \"X-Forwarded-Groups\"",
            );
        }
    }
    Ok(())
}
