//! `[egress]`: how our own way out is looked for.

use std::time::Duration;

use serde::Deserialize;

use super::{
    Config, Span,
    error::{Fault, Step},
    validate::{fault, http_url},
};

/// `[egress]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EgressConfig {
    /// What takes connections out there: `host:port`, or an `http` or `https` URL. With none, the default gateway
    /// and the name servers of this machine are asked.
    pub check: Vec<String>,
    /// It is looked for while at least this share of the nodes does not answer.
    pub share: f64,
    /// How often, while that is so.
    pub interval: Span,
    /// How long each may take to answer.
    pub timeout: Span,
}

impl Default for EgressConfig {
    fn default() -> Self {
        Self {
            check: Vec::new(),
            share: 0.8,
            interval: Span(Duration::from_secs(10)),
            timeout: Span(Duration::from_secs(3)),
        }
    }
}

/// Whether it is an URL to ask, and no address to connect to.
pub(crate) fn is_url(text: &str) -> bool {
    text.contains("://")
}

pub(super) fn validate(config: &Config) -> Result<(), Fault> {
    let egress = &config.egress;
    let at = |key| vec![Step::Key("egress"), Step::Key(key)];
    for (index, text) in egress.check.iter().enumerate() {
        let path = [at("check"), vec![Step::Index(index)]].concat();
        let port = |text: &str| text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        let wrong = match is_url(text) {
            true => http_url(text).err(),
            false if port(text).is_none_or(|port| port == 0) => Some(format!("`{text}` has no port")),
            false => None,
        };
        if let Some(message) = wrong {
            return fault(path, message, "write it as \"1.1.1.1:443\" or \"https://example.org/\"");
        }
    }
    if !(egress.share > 0.0 && egress.share <= 1.0) {
        return fault(
            at("share"),
            format!("a share of {} is none: it is more than 0 and at most 1", egress.share),
            "0.8 is usual",
        );
    }
    for (key, span) in [("interval", egress.interval), ("timeout", egress.timeout)] {
        if span.0.as_millis() < 100 {
            return fault(
                at(key),
                format!("{span} is too short to be looked in"),
                "3s is usual; 100ms is the least",
            );
        }
    }
    Ok(())
}
