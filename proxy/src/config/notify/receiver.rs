//! `[[receiver]]`: the ways to reach somebody, one struct a service. Each secret may stand in a file instead.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

use crate::config::Secret;

/// `[[receiver]]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiverConfig {
    /// What routes call it.
    pub name: String,
    /// Whether it is told of the end too.
    #[serde(default = "yes")]
    pub send_resolved: bool,
    /// Whether a small chart goes along where the service shows one.
    #[serde(default = "yes")]
    pub chart: bool,
    /// A template of the first line.
    #[serde(default)]
    pub title: Option<String>,
    /// A template of the rest.
    #[serde(default)]
    pub body: Option<String>,
    /// Alertmanagers that take alerts.
    #[serde(default)]
    pub alertmanager: Vec<AlertmanagerConfig>,
    /// Web hooks that take Alertmanager's JSON.
    #[serde(default)]
    pub webhook: Vec<WebhookConfig>,
    /// Slack channels.
    #[serde(default)]
    pub slack: Vec<SlackConfig>,
    /// Discord channels.
    #[serde(default)]
    pub discord: Vec<DiscordConfig>,
    /// Telegram chats.
    #[serde(default)]
    pub telegram: Vec<TelegramConfig>,
    /// PagerDuty services.
    #[serde(default)]
    pub pagerduty: Vec<PagerdutyConfig>,
    /// Opsgenie teams.
    #[serde(default)]
    pub opsgenie: Vec<OpsgenieConfig>,
    /// Mailboxes.
    #[serde(default)]
    pub email: Vec<EmailConfig>,
    /// Topics of ntfy.
    #[serde(default)]
    pub ntfy: Vec<NtfyConfig>,
}

fn yes() -> bool {
    true
}

/// `[[receiver.alertmanager]]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertmanagerConfig {
    /// Its base: `http://127.0.0.1:9093`.
    pub url: Option<Secret>,
    /// A file that holds it.
    pub url_file: Option<PathBuf>,
    /// A bearer token to send.
    pub bearer_token: Option<Secret>,
    /// A file that holds it.
    pub bearer_token_file: Option<PathBuf>,
}

/// `[[receiver.webhook]]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookConfig {
    /// Where to post.
    pub url: Option<Secret>,
    /// A file that holds it.
    pub url_file: Option<PathBuf>,
    /// A bearer token to send.
    pub bearer_token: Option<Secret>,
    /// A file that holds it.
    pub bearer_token_file: Option<PathBuf>,
}

/// `[[receiver.slack]]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlackConfig {
    /// An incoming web hook.
    pub webhook_url: Option<Secret>,
    /// A file that holds it.
    pub webhook_url_file: Option<PathBuf>,
}

/// `[[receiver.discord]]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiscordConfig {
    /// A channel's web hook.
    pub webhook_url: Option<Secret>,
    /// A file that holds it.
    pub webhook_url_file: Option<PathBuf>,
}

/// `[[receiver.telegram]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelegramConfig {
    /// The bot's token.
    #[serde(default)]
    pub bot_token: Option<Secret>,
    /// A file that holds it.
    #[serde(default)]
    pub bot_token_file: Option<PathBuf>,
    /// The chat: a number, or `@channel`.
    #[serde(deserialize_with = "number_or_text")]
    pub chat_id: String,
    /// The topic in it, where it has topics.
    #[serde(default)]
    pub message_thread_id: Option<i64>,
    /// Another Bot API server.
    #[serde(default = "telegram")]
    pub api_url: String,
}

fn telegram() -> String {
    "https://api.telegram.org".to_owned()
}

fn number_or_text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match toml::Value::deserialize(from)? {
        toml::Value::Integer(id) => Ok(id.to_string()),
        toml::Value::String(name) if !name.is_empty() => Ok(name),
        _ => {
            Err(serde::de::Error::custom("a chat is a number such as -1001234, or a text such as \"@name\""))
        }
    }
}

/// `[[receiver.pagerduty]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagerdutyConfig {
    /// The integration key of an Events API v2 integration.
    #[serde(default)]
    pub routing_key: Option<Secret>,
    /// A file that holds it.
    #[serde(default)]
    pub routing_key_file: Option<PathBuf>,
    /// Another place to post to, e.g. in Europe.
    #[serde(default = "pagerduty")]
    pub url: String,
}

fn pagerduty() -> String {
    "https://events.pagerduty.com/v2/enqueue".to_owned()
}

/// `[[receiver.opsgenie]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpsgenieConfig {
    /// The key of an API integration.
    #[serde(default)]
    pub api_key: Option<Secret>,
    /// A file that holds it.
    #[serde(default)]
    pub api_key_file: Option<PathBuf>,
    /// Another base, e.g. `https://api.eu.opsgenie.com`.
    #[serde(default = "opsgenie")]
    pub api_url: String,
}

fn opsgenie() -> String {
    "https://api.opsgenie.com".to_owned()
}

/// How mail is kept from others' eyes on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// The connection begins in the clear and must turn to TLS (port 587).
    #[default]
    Starttls,
    /// TLS from the first byte (port 465).
    Implicit,
    /// None: for a mail server on this machine.
    None,
}

/// `[[receiver.email]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailConfig {
    /// To whom.
    pub to: Vec<String>,
    /// From whom: `Fleetglass <alerts@example.org>`.
    pub from: String,
    /// The mail server: `smtp.example.org:587`.
    pub smarthost: String,
    /// How it is kept from others' eyes.
    #[serde(default)]
    pub tls: TlsMode,
    /// A file with certificates that are trusted besides the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Who logs in.
    #[serde(default)]
    pub username: Option<String>,
    /// With what.
    #[serde(default)]
    pub password: Option<Secret>,
    /// A file that holds it.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
}

/// `[[receiver.ntfy]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NtfyConfig {
    /// The server.
    #[serde(default = "ntfy")]
    pub url: String,
    /// The topic; who knows it can read it, so it is a secret where there are no access tokens.
    #[serde(default)]
    pub topic: Option<Secret>,
    /// A file that holds it.
    #[serde(default)]
    pub topic_file: Option<PathBuf>,
    /// An access token.
    #[serde(default)]
    pub token: Option<Secret>,
    /// A file that holds it.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
}

fn ntfy() -> String {
    "https://ntfy.sh".to_owned()
}
