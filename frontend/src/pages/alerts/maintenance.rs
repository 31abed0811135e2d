//! The maintenance windows: which alerts they mute, and when the next one is. They are made in the config.

use std::sync::Arc;

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::health::UnixMillis;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::client;
use crate::components::icon::{Icon, icon};
use crate::components::words::counted;
use crate::dom::{El, div, effect, el, p, span, with_class};
use crate::json::Json;
use crate::state::use_fleet;

/// Asked again after so long.
const AGAIN_MS: i64 = 30_000;

/// One window.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Window {
    name: String,
    comment: String,
    about: String,
    active: bool,
    starts_at: Option<UnixMillis>,
    ends_at: Option<UnixMillis>,
    muted: usize,
}

impl Window {
    /// When it is, in words: they change as time goes by.
    fn when(&self, now: UnixMillis) -> String {
        match (self.active, self.starts_at, self.ends_at) {
            (true, _, Some(end)) => format!("now, ends in {}", duration_ms(end - now)),
            (true, _, None) => "now, no end is near".to_owned(),
            (false, Some(start), Some(end)) => {
                format!("in {}, for {}", duration_ms(start - now), duration_ms(end - start))
            }
            (false, Some(start), None) => format!("in {}", duration_ms(start - now)),
            (false, None, _) => "not again".to_owned(),
        }
    }
}

fn read(json: &Json) -> Vec<Window> {
    let one = |json: &Json| {
        let at = |name: &str| json.get(name).number().map(|at| at as i64);
        let matchers = json.get("matchers").items().unwrap_or_default();
        let about: Vec<String> = matchers.iter().filter_map(Json::text).collect();
        Some(Window {
            name: json.get("name").text()?,
            comment: json.get("comment").text().unwrap_or_default(),
            about: about.join(", "),
            active: json.get("active").flag().unwrap_or(false),
            starts_at: at("starts_at"),
            ends_at: at("ends_at"),
            muted: json.get("muted").number().unwrap_or_default() as usize,
        })
    };
    json.get("windows").items().unwrap_or_default().iter().filter_map(one).collect()
}

/// All of them in a list; nothing where there is none.
pub(super) fn list() -> El {
    let fleet = use_fleet();
    let windows = RwSignal::new(Arc::<Vec<Window>>::default());
    let turn = Memo::new(move |_| fleet.now().get() / AGAIN_MS);
    effect(move || {
        turn.get();
        spawn_local(async move {
            if let Ok(json) = client::get_value("/api/v1/maintenance").await {
                windows.try_set(Arc::new(read(&json)));
            }
        });
    });
    let key = |window: &Window| format!("{window:?}");
    with_class("section", "silences")
        .attr("aria-labelledby", "maintenance-title")
        .flag("hidden", move || windows.with(|windows| windows.is_empty()))
        .child(el("h2").class("section-title").attr("id", "maintenance-title").text("Maintenance"))
        .child(with_class("ul", "silence-list").each(move || windows.get().to_vec(), key, one))
}

fn one(window: Window) -> El {
    let now = use_fleet().now();
    let why = match window.comment.trim() {
        "" => window.name.clone(),
        comment => format!("{}: {comment}", window.name),
    };
    let muted = window
        .active
        .then(|| span("chip").text(format!("mutes {}", counted(window.muted, "alert", "alerts"))));
    let (about, held) = (window.about.clone(), StoredValue::new(window));
    with_class("li", "silence")
        .child(icon(Icon::BellOff))
        .child(div("silence-words").child(p("silence-about").text(about)).child(p("silence-why").text(why)))
        .child(
            span("silence-until num")
                .text(move || held.with_value(|window| window.when(now.get())))
                .maybe(muted),
        )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn windows_are_read_and_say_when_they_are() {
        let body = r#"{"at": 0, "windows": [
            {"name": "patches", "comment": "weekly", "matchers": ["region=\"eu\"", "severity!=\"P1\""], "active": true,
             "starts_at": -60000, "ends_at": 3600000, "muted": 2},
            {"name": "move", "matchers": ["rack=\"7\""], "active": false, "starts_at": 7200000, "ends_at": 9000000, "muted": 0},
            {"name": "past", "matchers": ["rack=\"7\""], "active": false, "muted": 0},
            {"name": "ever", "matchers": ["rack=\"7\""], "active": true, "muted": 0}]}"#;
        let read = read(&Json::parse(body).unwrap());
        assert_eq!(read[0].about, "region=\"eu\", severity!=\"P1\"");
        assert_eq!((read[0].muted, read[0].comment.as_str()), (2, "weekly"));
        let when: Vec<String> = read.iter().map(|window| window.when(0)).collect();
        assert_eq!(when, ["now, ends in 1 h", "in 2 h, for 30 min", "not again", "now, no end is near"]);
    }
}
