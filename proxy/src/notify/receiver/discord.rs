//! Discord's web hooks: <https://discord.com/developers/docs/resources/webhook#execute-webhook>.

use serde_json::{Value, json};

use super::{Outbound, Outcome, SecretSource, colour, secret};
use crate::{
    clock::rfc3339,
    notify::{
        client::{Form, send},
        words::cut,
    },
};

/// Discord's limits of an embed, in characters.
const TITLE: usize = 256;
const DESCRIPTION: usize = 4000;
const PICTURE: &str = "chart.png";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Discord {
    pub(crate) url: SecretSource,
}

impl Discord {
    pub(super) async fn send(&self, out: &Outbound<'_>) -> Result<Outcome, Outcome> {
        let url = secret(&self.url).await?;
        // Without it Discord answers before it has looked.
        let sign = if url.reveal().contains('?') { '&' } else { '?' };
        let asked = format!("{}{sign}wait=true", url.reveal());
        let body = body(out);
        let request = match out.chart {
            None => out.client.json(&asked, &body)?,
            Some(chart) => {
                let form = Form::new(&out.message.key)
                    .with("payload_json", None, "application/json", body.to_string().as_bytes())
                    .with("files[0]", Some(PICTURE), "image/png", chart);
                let (kind, bytes) = form.done();
                out.client.post(&asked, &kind, bytes)?
            }
        };
        Ok(send(request, &[&url], out.now).await)
    }
}

pub(super) fn body(out: &Outbound<'_>) -> Value {
    let mut embed = json!({
        "title": cut(&out.rendered.title, TITLE),
        "url": out.rendered.link,
        "description": cut(&out.rendered.text(), DESCRIPTION),
        "color": colour(out.message),
        "timestamp": rfc3339(Some(out.message.at)),
    });
    if out.chart.is_some() {
        embed["image"] = json!({"url": format!("attachment://{PICTURE}")});
    }
    // What alerts say mentions nobody.
    json!({"embeds": [embed], "allowed_mentions": {"parse": []}})
}
