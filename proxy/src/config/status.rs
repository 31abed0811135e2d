//! `[status]`: how subscribers of public status pages are told.

use serde::Deserialize;

use super::{
    Config,
    error::{Fault, Step},
};

/// `[status]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatusConfig {
    /// The receiver whose mail server and sender the mails go through; without one nobody can subscribe by mail.
    pub mail: Option<String>,
    /// Web hooks may be at private addresses, and without TLS.
    pub allow_private: bool,
}

pub(super) fn validate(config: &Config) -> Result<(), Fault> {
    let Some(name) = &config.status.mail else { return Ok(()) };
    let receiver = config.receivers.iter().find(|receiver| receiver.name == *name);
    if receiver.is_some_and(|receiver| !receiver.email.is_empty()) {
        return Ok(());
    }
    let message = match receiver {
        None => format!("there is no receiver `{name}`"),
        Some(_) => format!("the receiver `{name}` has no [[receiver.email]]"),
    };
    let hint = "name a [[receiver]] that has one: its smarthost and its `from` are used, not its `to`";
    let path = vec![Step::Key("status"), Step::Key("mail")];
    Err(Fault { path, message, hint: Some(hint.to_owned()) })
}
