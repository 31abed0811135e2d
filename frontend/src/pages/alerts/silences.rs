//! The silences: asked now and then, and when one was made or ended; ending one.

use std::sync::Arc;

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::health::UnixMillis;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::desk::Desk;
use crate::client;
use crate::clock;
use crate::components::icon::{Icon, icon};
use crate::dom::{El, button, div, effect, el, p, span, with_class};
use crate::json::Json;
use crate::shared::shared;
use crate::state::{Link, use_fleet};

/// A silence that ends so soon is warned of.
pub const SOON_MS: i64 = 15 * 60_000;
/// Asked again after so long.
const AGAIN_MS: i64 = 30_000;

/// One silence that mutes, or will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// What it is about, e.g. `alertname=Lag, instance=eu-1`.
    pub about: String,
    /// When it begins.
    pub starts_at: UnixMillis,
    /// When it ends.
    pub ends_at: UnixMillis,
    /// Who made it.
    pub by: String,
    /// Why.
    pub comment: String,
}

impl Silence {
    /// Until when, in words: it changes as time goes by.
    pub fn until(&self, now: UnixMillis) -> String {
        match self.starts_at > now {
            true => format!("begins in {}", duration_ms(self.starts_at - now)),
            false => format!("ends in {}", duration_ms(self.ends_at - now)),
        }
    }

    /// Whether it is about to end.
    pub fn ends_soon(&self, now: UnixMillis) -> bool {
        self.starts_at <= now && self.ends_at - now <= SOON_MS
    }
}

/// Reads the answer; silences that are over are left out. `time` reads a time of it.
pub fn read(json: &Json, time: impl Fn(&str) -> Option<UnixMillis>) -> Vec<Silence> {
    let one = |json: &Json| {
        let text = |name: &str| json.get(name).text().unwrap_or_default();
        let at = |name: &str| time(&text(name));
        if json.get("status").get("state").text().as_deref() == Some("expired") {
            return None;
        }
        let matchers = json.get("matchers").items().unwrap_or_default();
        let about: Vec<String> = matchers.iter().map(matcher).collect();
        Some(Silence {
            id: json.get("id").text()?,
            about: about.join(", "),
            starts_at: at("startsAt")?,
            ends_at: at("endsAt")?,
            by: text("createdBy"),
            comment: text("comment"),
        })
    };
    json.items().unwrap_or_default().iter().filter_map(one).collect()
}

fn matcher(json: &Json) -> String {
    let text = |name: &str| json.get(name).text().unwrap_or_default();
    let sign = match (json.get("isEqual").flag().unwrap_or(true), json.get("isRegex").flag().unwrap_or(false))
    {
        (true, false) => "=",
        (false, false) => "≠",
        (true, true) => "~",
        (false, true) => "≁",
    };
    format!("{} {sign} {}", text("name"), text("value"))
}

/// All that mute or will; kept up to date while the page is there.
pub fn follow(desk: Desk) -> RwSignal<Arc<Vec<Silence>>> {
    let fleet = use_fleet();
    let silences = RwSignal::new(Arc::<Vec<Silence>>::default());
    // That one is quiet is all that a share link tells.
    if shared().is_some() {
        return silences;
    }
    let turn = Memo::new(move |_| fleet.now().get() / AGAIN_MS);
    // A delta that mutes an alert comes with a silence that somebody else may have made.
    let muted = Memo::new(move |_| {
        fleet.alerts().with(|alerts| alerts.iter().map(|alert| alert.silenced_by.len()).sum::<usize>())
    });
    effect(move || {
        let _ = (turn.get(), muted.get());
        desk.changed.track();
        if fleet.link().with_untracked(|link| *link != Link::Live && *link != Link::Connecting) {
            return;
        }
        spawn_local(async move {
            if let Ok(json) = client::get_value("/api/v2/silences").await {
                silences.try_set(Arc::new(read(&json, clock::from_iso)));
            }
        });
    });
    silences
}

/// All of them in a list, each with a button that ends it.
pub fn list(desk: Desk, silences: RwSignal<Arc<Vec<Silence>>>) -> El {
    let any = move || silences.with(|silences| !silences.is_empty());
    with_class("section", "silences")
        .attr("aria-labelledby", "silences-title")
        .flag("hidden", move || !any())
        .child(el("h2").class("section-title").attr("id", "silences-title").text("Silences"))
        .child(with_class("ul", "silence-list").each(
            move || silences.get().to_vec(),
            |silence| format!("{} {}", silence.id, silence.ends_at),
            move |silence| one(desk, silence),
        ))
}

fn one(desk: Desk, silence: Silence) -> El {
    let now = use_fleet().now();
    let held = StoredValue::new(silence.clone());
    let soon = move || held.with_value(|silence| silence.ends_soon(now.get()));
    let id = silence.id.clone();
    let why = match silence.comment.trim() {
        "" => format!("by {}", silence.by),
        comment => format!("by {}: {comment}", silence.by),
    };
    el("li")
        .class(move || if soon() { "silence silence-soon state-degraded" } else { "silence" })
        .child(icon(Icon::BellOff))
        .child(
            div("silence-words")
                .child(p("silence-about").text(silence.about))
                .child(p("silence-why").text(why)),
        )
        .child(
            span("silence-until num")
                .text(move || held.with_value(|silence| silence.until(now.get())))
                .when(soon, || span("chip chip-skew").text("ends soon")),
        )
        .child(
            button("button of-operator")
                .attr("aria-label", "End this silence now")
                .on_click(move || desk.end_silence(id.clone()))
                .text("End now"),
        )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn silences_are_read_and_say_when_they_end() {
        let body = r#"[{"id":"a","status":{"state":"active"},"startsAt":"0","endsAt":"3600000","createdBy":"ada",
            "comment":"rack","matchers":[{"name":"alertname","value":"Lag","isRegex":false,"isEqual":true},
            {"name":"instance","value":"eu.*","isRegex":true,"isEqual":false}]},
            {"id":"b","status":{"state":"expired"},"startsAt":"0","endsAt":"1","createdBy":"","comment":""}]"#;
        let read = read(&Json::parse(body).unwrap(), |text| text.parse().ok());
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].about, "alertname = Lag, instance ≁ eu.*");
        assert_eq!(read[0].until(0), "ends in 1 h");
        assert_eq!((read[0].ends_soon(0), read[0].ends_soon(3_000_000)), (false, true));
        assert_eq!(read[0].until(-60_000), "begins in 1 min");
    }
}
