//! Every event of the range in words, the newest first: a list for those who want to read, and a table for readers
//! that do not see the lanes.

use std::sync::Arc;

use fleetglass_shared::wire::Event;
use leptos::prelude::*;

use super::load::{History, Known};
use super::ready;
use crate::charts::{Board, Sign, clock_label, date_label, sign_mark};
use crate::dom::{El, button, div, el, head_cell, p, with_class};

/// Rows shown at first, and added by each press.
const ROWS: usize = 20;

/// The list; while the lanes are shown it is there for readers only.
pub(super) fn list(known: RwSignal<Known>, listed: RwSignal<bool>) -> El {
    let limit = RwSignal::new(ROWS);
    let read =
        move |read: fn(&History) -> usize| known.with(|known| ready(known).map_or(0, |held| read(held)));
    let count = move || read(|history| history.events.len());
    let rows = move || {
        let history: Option<Arc<History>> = known.with(|known| ready(known).cloned());
        let newest = history.iter().flat_map(|history| history.events.iter().rev());
        newest.take(limit.get()).cloned().collect()
    };
    let left = move || count().saturating_sub(limit.get());
    let table =
        with_class("table", "table events")
            .child(with_class("caption", "sr-only").text("What happened in this range, the newest first"))
            .child(el("thead").child(
                el("tr").children(
                    ["Time", "Event", "What happened"].map(|title| head_cell("col", "").text(title)),
                ),
            ))
            .child(el("tbody").each(rows, |event: &Event| event.id.to_string(), one_event));
    div("")
        .class(move || if listed.get() { "event-list" } else { "sr-only" })
        .when(move || count() > 0, move || table.clone())
        .when(move || count() == 0, || p("muted events-none").text("Nothing happened in this range."))
        .when(
            move || listed.get() && left() > 0,
            move || {
                button("button")
                    .on_click(move || limit.update(|limit| *limit += ROWS * 2))
                    .text(move || format!("Show more ({} left)", left()))
            },
        )
        .when(
            move || read(|history| usize::from(history.more)) == 1,
            || {
                p("card-note")
                    .text("Only the newest events are here. Choose a shorter range to see the others.")
            },
        )
}

fn one_event(event: Event) -> El {
    let zone = Board::expect().zone;
    let sign = Sign::of(&event);
    let time = format!("{} {}", date_label(event.at, zone), clock_label(event.at, zone(event.at), true));
    el("tr")
        .child(with_class("td", "event-time num").child(el("time").text(time)))
        .child(with_class("td", "event-sign").child(sign_mark(sign)).text(sign.word()))
        .child(with_class("td", "event-words").text(event.text))
}
