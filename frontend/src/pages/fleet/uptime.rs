//! How much of the time each group of the fleet was up: asked once a grouping, and again each minute.

use fleetglass_shared::wire::{Uptime, UptimeWindow};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::client;
use crate::dom::{El, effect, span};
use crate::state::order::Field;
use crate::state::uptime::{in_words, percent, title, uptimes};
use crate::state::use_fleet;
use crate::state::view::View;

/// The window that stands in the head of a group: long enough to mean something, short enough to be filled soon.
const SHOWN: &str = "30d";

/// The figures of the groups; empty while there are none.
#[derive(Clone, Copy)]
pub struct GroupUptimes(RwSignal<Vec<Uptime>>);

impl GroupUptimes {
    /// Follows the grouping of a view. Nothing waits for it; what does not come is not shown.
    pub fn follow(view: RwSignal<View>) -> Self {
        let of = Self(RwSignal::new(Vec::new()));
        let fleet = use_fleet();
        let by = Memo::new(move |_| match view.with(|view| view.group.clone()) {
            Some(Field::Family) => Some("family".to_owned()),
            Some(Field::Label(name)) => Some(name),
            // Uptime is not of a state or a version: nodes come and go there.
            _ => None,
        });
        let minute = Memo::new(move |_| fleet.now().get() / 60_000);
        let mut shown = None;
        effect(move || {
            // A memo that nobody reads never tells.
            let _ = minute.get();
            let by = by.get();
            if shown != by {
                shown.clone_from(&by);
                of.0.set(Vec::new());
            }
            let Some(name) = by.filter(|_| !document().hidden()) else { return };
            spawn_local(async move {
                let path = format!("/api/v1/uptime?by={}", String::from(js_sys::encode_uri_component(&name)));
                let told = client::get_value(&path).await.ok().and_then(|json| uptimes(&json).ok());
                // Another grouping may have been chosen, or another page opened, meanwhile.
                let asked = view.try_with_untracked(|view| match &view.group {
                    Some(Field::Family) => name == "family",
                    Some(Field::Label(label)) => name == *label,
                    _ => false,
                });
                if let (Some(told), Some(true)) = (told, asked) {
                    of.0.set(told);
                }
            });
        });
        of
    }

    /// The figure of one group, with all windows in its title.
    pub fn figure(self, text: Option<String>) -> El {
        let text = text.unwrap_or_default();
        span("group-uptime num").live(move || {
            self.0.with(|all| {
                let of = all.iter().find(|of| of.name == text)?;
                let shown = percent(of.windows.iter().find(|window| window.window == SHOWN)?)?;
                let line = |window: &UptimeWindow| match percent(window) {
                    Some(share) => format!("{}: {share}, {}", title(window), in_words(window)),
                    None => format!("{}: {}", title(window), in_words(window)),
                };
                let lines: Vec<String> = of.windows.iter().map(line).collect();
                let muted = |words: &'static str| span("group-window").text(words);
                let figure = span("").attr("title", lines.join("\n")).child(muted("up "));
                Some(figure.text(shown).child(muted(" in 30 d")))
            })
        })
    }
}
