//! The services that messages go to, one a file. Each makes a body of the form that its public API documents,
//! and says what the answer means.

pub(crate) mod alertmanager;
mod discord;
mod email;
mod ntfy;
mod opsgenie;
mod pagerduty;
pub(crate) mod push;
mod slack;
mod telegram;
#[cfg(test)]
mod tests;
mod webhook;

use fleetglass_shared::{health::UnixMillis, wire::Severity};

pub(crate) use email::Email;

use super::{
    client::{Client, Outcome},
    message::Message,
    words::{Rendered, Words},
};
use crate::config::{LoadedConfig, ReceiverConfig, Secret, SecretSource};

/// A service, set up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Service {
    Alertmanager(alertmanager::Alertmanager),
    Webhook(webhook::Webhook),
    Slack(slack::Slack),
    Discord(discord::Discord),
    Telegram(telegram::Telegram),
    Pagerduty(pagerduty::Pagerduty),
    Opsgenie(opsgenie::Opsgenie),
    Email(Box<email::Email>),
    Ntfy(ntfy::Ntfy),
    Push(Box<push::Push>),
}

/// A message on its way out.
pub(crate) struct Outbound<'a> {
    pub(crate) client: &'a Client,
    pub(crate) message: &'a Message,
    pub(crate) rendered: &'a Rendered,
    /// A PNG.
    pub(crate) chart: Option<&'a [u8]>,
    pub(crate) words: &'a Words<'a>,
    /// How many alerts fire in all, and nobody has them; where that is known.
    pub(crate) firing: Option<usize>,
    pub(crate) now: UnixMillis,
}

impl Service {
    /// The services of a receiver, in the order of the config, with which of its kind each is.
    pub(crate) fn of(receiver: &ReceiverConfig, loaded: &LoadedConfig) -> Vec<(usize, Self)> {
        let from = |here: &Option<Secret>, file: &Option<std::path::PathBuf>| {
            SecretSource::of(here.as_ref(), file.as_ref(), loaded)
        };
        // A service without its secret was refused when the config was validated.
        let needed = |here: &Option<Secret>, file: &Option<std::path::PathBuf>| {
            from(here, file).unwrap_or_else(|| SecretSource::Here(Secret::new("")))
        };
        let mut all: Vec<(usize, Self)> = Vec::new();
        let r = receiver;
        all.extend(r.alertmanager.iter().enumerate().map(|(index, own)| {
            let url = needed(&own.url, &own.url_file);
            let token = from(&own.bearer_token, &own.bearer_token_file);
            (index, Self::Alertmanager(alertmanager::Alertmanager { url, token }))
        }));
        all.extend(r.webhook.iter().enumerate().map(|(index, own)| {
            let url = needed(&own.url, &own.url_file);
            let token = from(&own.bearer_token, &own.bearer_token_file);
            (index, Self::Webhook(webhook::Webhook { url, token }))
        }));
        all.extend(r.slack.iter().enumerate().map(|(index, own)| {
            (index, Self::Slack(slack::Slack { url: needed(&own.webhook_url, &own.webhook_url_file) }))
        }));
        all.extend(r.discord.iter().enumerate().map(|(index, own)| {
            (index, Self::Discord(discord::Discord { url: needed(&own.webhook_url, &own.webhook_url_file) }))
        }));
        all.extend(r.telegram.iter().enumerate().map(|(index, own)| {
            let token = needed(&own.bot_token, &own.bot_token_file);
            (index, Self::Telegram(telegram::Telegram::new(own, token)))
        }));
        all.extend(r.pagerduty.iter().enumerate().map(|(index, own)| {
            let key = needed(&own.routing_key, &own.routing_key_file);
            (index, Self::Pagerduty(pagerduty::Pagerduty { url: own.url.clone(), key }))
        }));
        all.extend(r.opsgenie.iter().enumerate().map(|(index, own)| {
            let (base, key) = (own.api_url.clone(), needed(&own.api_key, &own.api_key_file));
            (index, Self::Opsgenie(opsgenie::Opsgenie { base, key }))
        }));
        all.extend(r.email.iter().enumerate().map(|(index, own)| {
            let ca_file = own.ca_file.as_ref().map(|file| loaded.resolve(file));
            let password = from(&own.password, &own.password_file);
            (index, Self::Email(Box::new(email::Email { config: own.clone(), ca_file, password })))
        }));
        all.extend(r.ntfy.iter().enumerate().map(|(index, own)| {
            let (topic, token) = (needed(&own.topic, &own.topic_file), from(&own.token, &own.token_file));
            (index, Self::Ntfy(ntfy::Ntfy { url: own.url.clone(), topic, token }))
        }));
        all
    }

    /// Its name, as the config has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Alertmanager(_) => "alertmanager",
            Self::Webhook(_) => "webhook",
            Self::Slack(_) => "slack",
            Self::Discord(_) => "discord",
            Self::Telegram(_) => "telegram",
            Self::Pagerduty(_) => "pagerduty",
            Self::Opsgenie(_) => "opsgenie",
            Self::Email(_) => "email",
            Self::Ntfy(_) => "ntfy",
            Self::Push(_) => "push",
        }
    }

    /// Whether it keeps an incident open, so that it must hear who has it, and of the end.
    pub(crate) fn keeps_incidents(&self) -> bool {
        matches!(self, Self::Pagerduty(_) | Self::Opsgenie(_))
    }

    /// Whether a chart is sent along with the message.
    pub(crate) fn takes_pictures(&self) -> bool {
        matches!(self, Self::Discord(_) | Self::Telegram(_) | Self::Email(_))
    }

    /// Sends a message once.
    pub(crate) async fn deliver(&self, out: &Outbound<'_>) -> Outcome {
        let sent = match self {
            Self::Alertmanager(own) => own.send_message(out).await,
            Self::Webhook(own) => own.send(out).await,
            Self::Slack(own) => own.send(out).await,
            Self::Discord(own) => own.send(out).await,
            Self::Telegram(own) => own.send(out).await,
            Self::Pagerduty(own) => own.send(out).await,
            Self::Opsgenie(own) => own.send(out).await,
            Self::Email(own) => own.send(out).await,
            Self::Ntfy(own) => own.send(out).await,
            Self::Push(own) => own.send(out).await,
        };
        sent.unwrap_or_else(|outcome| outcome)
    }
}

/// A secret, or why there can be no attempt just now.
async fn secret(source: &SecretSource) -> Result<Secret, Outcome> {
    source.read().await.map_err(|words| Outcome::Again(words, None))
}

/// The same of one that there need not be.
async fn maybe(source: Option<&SecretSource>) -> Result<Option<Secret>, Outcome> {
    match source {
        Some(source) => secret(source).await.map(Some),
        None => Ok(None),
    }
}

/// The colour of a message, where a service has one.
fn colour(message: &Message) -> u32 {
    match message.severity() {
        _ if !message.fires() => 0x2e_a043,
        Severity::Critical => 0xd1_242f,
        Severity::Warning => 0xd4_a72c,
        Severity::Info => 0x09_69da,
    }
}
