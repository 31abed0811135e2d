//! Telegram's Bot API: <https://core.telegram.org/bots/api#sendmessage> and `sendPhoto`.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Outbound, Outcome, SecretSource, secret};
use crate::{
    config::TelegramConfig,
    notify::{
        client::{Form, judged, reply, struck},
        words::{Part, cut},
    },
};

/// Telegram's limits, in characters: of a text, and of what stands under a picture.
const TEXT: usize = 4096;
const CAPTION: usize = 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Telegram {
    base: String,
    token: SecretSource,
    chat: String,
    thread: Option<i64>,
}

impl Telegram {
    pub(super) fn new(config: &TelegramConfig, token: SecretSource) -> Self {
        let base = config.api_url.trim_end_matches('/').to_owned();
        Self { base, token, chat: config.chat_id.clone(), thread: config.message_thread_id }
    }

    pub(super) async fn send(&self, out: &Outbound<'_>) -> Result<Outcome, Outcome> {
        let token = secret(&self.token).await?;
        let url = |method: &str| format!("{}/bot{}/{method}", self.base, token.reveal());
        let request = match out.chart.filter(|_| length(out) <= CAPTION) {
            None => out.client.json(&url("sendMessage"), &self.body(out))?,
            Some(chart) => {
                let mut form = Form::new(&out.message.key);
                for (name, value) in self.fields(out) {
                    form = form.with(name, None, "text/plain; charset=utf-8", value.as_bytes());
                }
                let (kind, bytes) = form.with("photo", Some("chart.png"), "image/png", chart).done();
                out.client.post(&url("sendPhoto"), &kind, bytes)?
            }
        };
        let reply = reply(request, out.now).await;
        let reply = reply.map_err(|words| Outcome::Again(struck(&words, &[&token]), None))?;
        // Telegram says in the body how long to wait.
        let body: Value = serde_json::from_str(&reply.text).unwrap_or_default();
        let asked = body["parameters"]["retry_after"].as_u64().map(Duration::from_secs);
        Ok(match judged(&reply, &[&token]) {
            Outcome::Again(words, wait) => Outcome::Again(words, wait.or(asked)),
            outcome => outcome,
        })
    }

    /// Of `sendMessage`.
    pub(super) fn body(&self, out: &Outbound<'_>) -> Value {
        let mut body = json!({
            "chat_id": self.chat,
            "text": html(out, TEXT),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": true},
        });
        if let Some(thread) = self.thread {
            body["message_thread_id"] = json!(thread);
        }
        body
    }

    /// Of `sendPhoto`, but for the picture.
    fn fields(&self, out: &Outbound<'_>) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("chat_id", self.chat.clone()),
            ("caption", html(out, CAPTION)),
            ("parse_mode", "HTML".to_owned()),
        ];
        fields.extend(self.thread.map(|thread| ("message_thread_id", thread.to_string())));
        fields
    }
}

/// The length that Telegram counts: without the marks and the addresses.
fn length(out: &Outbound<'_>) -> usize {
    let of = |part: &Part| {
        let lines: usize = part.lines.iter().map(|line| line.chars().count() + 1).sum();
        part.head.chars().count() + lines + part.links.len() * 16 + 2
    };
    out.rendered.title.chars().count() + out.rendered.parts.iter().map(of).sum::<usize>()
}

/// The message in Telegram's HTML, in which only so many characters are seen. Whole parts are left out: a cut through
/// a mark would have all of it refused.
fn html(out: &Outbound<'_>, most: usize) -> String {
    let mut text = format!("<b>{}</b>", escaped(&cut(&out.rendered.title, 200)));
    let mut seen = out.rendered.title.chars().count().min(200);
    for (at, part) in out.rendered.parts.iter().enumerate() {
        let words = [std::slice::from_ref(&part.head), part.lines.as_slice()].concat().join("\n");
        let words = cut(words.trim(), 900);
        seen += words.chars().count() + 40;
        if seen > most {
            text += &format!("\n\nand {} more", out.rendered.parts.len() - at);
            break;
        }
        let links = part.links.iter().map(|(name, url)| format!("<a href=\"{}\">{name}</a>", escaped(url)));
        let links: Vec<String> = links.collect();
        text += &format!("\n\n{}", escaped(&words));
        if !links.is_empty() {
            text += &format!("\n{}", links.join(" · "));
        }
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
