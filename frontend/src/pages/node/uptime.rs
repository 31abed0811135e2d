//! How much of the time the node was up: four figures, and what stands behind each when it is pointed at or pressed.

use std::cell::Cell;
use std::rc::Rc;

use fleetglass_shared::wire::UptimeWindow;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::load::{NodeLoad, escaped};
use crate::client::{self, ClientError};
use crate::dom::{El, button, div, effect, el, span, unseen, with_class};
use crate::state::uptime::{in_words, percent, title, uptimes};
use crate::state::use_fleet;

/// What is known.
#[derive(Clone)]
enum Known {
    Loading,
    /// This Fleetglass counts none.
    Absent,
    /// It did not come: why.
    Failed(String),
    Ready(Vec<UptimeWindow>),
}

/// A part of the strip below the node's state.
pub(super) fn uptime(load: NodeLoad) -> El {
    let known = follow(load);
    // The window that was pressed, by its name.
    let chosen = RwSignal::new(None::<String>);
    let windows = move || match known.get() {
        Known::Ready(windows) => windows,
        _ => Vec::new(),
    };
    let of = move |name: &str| windows().into_iter().find(|window| window.window == name);
    let figure = move |window: UptimeWindow| {
        let (name, words) = (StoredValue::new(window.window.clone()), title(&window));
        let now = move || name.with_value(|name| of(name));
        let behind = move || now().map(|window| in_words(&window)).unwrap_or_default();
        let pressed = move || name.with_value(|name| chosen.with(|chosen| chosen.as_ref() == Some(name)));
        let press = move || chosen.set(if untrack(pressed) { None } else { Some(name.get_value()) });
        let share = move || now().and_then(|window| percent(&window));
        el("li").child(
            button("uptime")
                .class(move || if share().is_some() { "uptime" } else { "uptime uptime-none" })
                .attr("title", behind)
                .aria("aria-expanded", pressed)
                .on_click(press)
                .child(
                    span("uptime-share num")
                        .text(move || share().unwrap_or_else(|| "no data yet".to_owned())),
                )
                .child(span("uptime-window").text(words))
                .child(unseen(move || format!(", {}", behind()))),
        )
    };
    let note = move || match known.get() {
        Known::Absent => Some("not counted by this Fleetglass".to_owned()),
        Known::Failed(why) => Some(format!("did not come: {why}")),
        _ => None,
    };
    let behind = move || {
        let window = chosen.with(|chosen| of(chosen.as_ref()?))?;
        Some(format!("{}: {}", title(&window), in_words(&window)))
    };
    let value = el("dd")
        .when(move || matches!(known.get(), Known::Loading), || div("skeleton uptime-sketch"))
        .when(
            move || !windows().is_empty(),
            move || with_class("ul", "uptimes").each(windows, |window| window.window.clone(), figure),
        )
        .live(move || note().map(|words| span("muted").text(words)))
        .child(
            el("small")
                .attr("role", "status")
                .flag("hidden", move || behind().is_none())
                .text(move || behind().unwrap_or_default()),
        );
    div("node-strip-uptime").child(el("dt").text("Uptime")).child(value)
}

/// The figures, asked again each minute and when the state changes.
fn follow(load: NodeLoad) -> RwSignal<Known> {
    let fleet = use_fleet();
    let known = RwSignal::new(Known::Loading);
    let minute = Memo::new(move |_| fleet.now().get() / 60_000);
    let status = Memo::new(move |_| load.node().map(|node| node.status));
    let turn = Rc::new(Cell::new(0_u64));
    effect(move || {
        // A memo that nobody reads never tells.
        let _ = (minute.get(), status.get());
        if document().hidden() || known.with_untracked(|known| matches!(known, Known::Absent)) {
            return;
        }
        turn.set(turn.get() + 1);
        let (mine, newest) = (turn.get(), turn.clone());
        let path = format!("/api/v1/uptime?node={}", escaped(&load.id()));
        spawn_local(async move {
            let told = match client::get_value(&path).await {
                Ok(json) => match uptimes(&json) {
                    Ok(all) => Known::Ready(all.into_iter().next().map(|of| of.windows).unwrap_or_default()),
                    Err(error) => Known::Failed(format!("`{}` could not be read", error.0)),
                },
                Err(ClientError::Http { status: 404, .. }) => Known::Absent,
                Err(error) => Known::Failed(error.in_words()),
            };
            if newest.get() == mine {
                known.try_set(told);
            }
        });
    });
    known
}
