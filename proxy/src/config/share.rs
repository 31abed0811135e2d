//! `[share]`: how fast those who look through share links may ask.

use serde::Deserialize;

use super::{
    Config,
    error::{Fault, Step},
};

/// `[share]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShareConfig {
    /// Requests of one address, over all links; ten seconds' worth at once.
    pub requests_per_second: u32,
    /// Requests of all who look through one link; ten seconds' worth at once.
    pub link_requests_per_second: u32,
}

impl Default for ShareConfig {
    fn default() -> Self {
        Self { requests_per_second: 20, link_requests_per_second: 200 }
    }
}

pub(super) fn validate(config: &Config) -> Result<(), Fault> {
    let ShareConfig { requests_per_second, link_requests_per_second } = config.share;
    for (name, value) in
        [("requests_per_second", requests_per_second), ("link_requests_per_second", link_requests_per_second)]
    {
        if value == 0 {
            return Err(Fault {
                path: vec![Step::Key("share"), Step::Key(name)],
                message: format!("`{name}` is 0: nobody could open a link"),
                hint: Some(
                    "leave it out, or write 1 or more; `fleetglass share revoke` closes a link".to_owned(),
                ),
            });
        }
    }
    Ok(())
}
