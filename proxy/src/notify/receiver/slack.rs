//! Slack's incoming web hooks: <https://api.slack.com/messaging/webhooks>, with blocks in a coloured attachment.

use serde_json::{Value, json};

use super::{Outbound, Outcome, SecretSource, colour, secret};
use crate::notify::{
    client::send,
    words::{Part, cut},
};

/// Slack's limits: characters of a title and of a section, and how many sections we fill.
const TITLE: usize = 150;
const SECTION: usize = 2900;
const SECTIONS: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slack {
    pub(crate) url: SecretSource,
}

impl Slack {
    pub(super) async fn send(&self, out: &Outbound<'_>) -> Result<Outcome, Outcome> {
        let url = secret(&self.url).await?;
        let chart = out.rendered.chart_url.as_deref();
        let sent = send(out.client.json(url.reveal(), &body(out, chart))?, &[&url], out.now).await;
        match sent {
            // Slack refuses a whole message when it cannot fetch its picture.
            Outcome::Refused(_) if chart.is_some() => {
                Ok(send(out.client.json(url.reveal(), &body(out, None))?, &[&url], out.now).await)
            }
            sent => Ok(sent),
        }
    }
}

pub(super) fn body(out: &Outbound<'_>, chart: Option<&str>) -> Value {
    let rendered = out.rendered;
    let mut blocks = vec![json!({
        "type": "header",
        "text": {"type": "plain_text", "text": cut(&rendered.title, TITLE)},
    })];
    blocks.extend(
        rendered
            .parts
            .iter()
            .take(SECTIONS)
            .map(|part| json!({"type": "section", "text": {"type": "mrkdwn", "text": section(part)}})),
    );
    blocks.extend(chart.map(|url| {
        json!({"type": "image", "image_url": url, "alt_text": "the value of the last hour against its bound"})
    }));
    json!({
        "text": rendered.title,
        "unfurl_links": false,
        "attachments": [{
            "color": format!("#{:06x}", colour(out.message)),
            "fallback": rendered.title,
            "blocks": blocks,
        }],
    })
}

fn section(part: &Part) -> String {
    let head = Some(&part.head).filter(|head| !head.is_empty()).map(|head| format!("*{}*", escaped(head)));
    let lines = part.lines.iter().map(|line| escaped(line));
    let text = cut(&head.into_iter().chain(lines).collect::<Vec<_>>().join("\n"), SECTION / 2);
    let links: Vec<String> = part.links.iter().map(|(words, url)| format!("<{url}|{words}>")).collect();
    let text = if links.is_empty() { text } else { format!("{text}\n{}", links.join(" · ")) };
    if text.is_empty() { " ".to_owned() } else { text }
}

/// The three characters that Slack reads.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
