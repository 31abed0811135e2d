//! `[push]`: messages to browsers, through the services of their makers.

use serde::Deserialize;

use super::{
    Config,
    error::{Fault, Step},
    validate::fault,
};

/// `[push]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PushConfig {
    /// Whom a push service writes to when something is wrong: `mailto:` or `https:`. Where it is absent, the address of
    /// this server, if that is `https`.
    pub contact: Option<String>,
    /// Push services may be on this machine or in a private network, and without TLS on this machine. Whoever may
    /// subscribe could then have Fleetglass ask what only it can reach.
    pub allow_private: bool,
}

pub(super) fn validate(config: &Config) -> Result<(), Fault> {
    let contact = config.push.contact.as_deref().unwrap_or("https:");
    if contact.starts_with("mailto:") || contact.starts_with("https:") {
        return Ok(());
    }
    fault(
        [Step::Key("push"), Step::Key("contact")],
        format!("`{contact}` is neither a mailto: nor an https: address"),
        "such as contact = \"mailto:ops@example.org\"",
    )
}
