//! What happened to the node, on the time of the charts: its state, version, restarts and failed scrapes as lanes,
//! and every event in words.
//!
//! | module | is |
//! |---|---|
//! | `load` | the events of the range shown, and what was before them |
//! | `lanes` | pure: spans of time, told from events |
//! | `words` | pure: a range and a moment in words |
//! | `view`, `list` | the lanes, and the list |

mod lanes;
mod list;
pub mod load;
mod view;
mod words;

use std::sync::Arc;

use leptos::prelude::*;

use self::load::{History, Known};
use super::load::NodeLoad;
use super::{framed, heading, no_answer};
use crate::charts::Board;
use crate::dom::{El, button, div, p};

/// The section; says so where this Fleetglass keeps no events.
pub(super) fn history(load: NodeLoad) -> El {
    let board = Board::expect();
    let again = RwSignal::new(0_u64);
    let known = load::follow(load, again);
    let listed = RwSignal::new(false);
    let ready = move || known.with(|known| ready(known).is_some());
    let is_loading = move || known.with(|known| matches!(known, Known::Loading));
    let is_absent = move || known.with(|known| matches!(known, Known::Absent));
    let choice = move |(list, word): (bool, &'static str)| {
        button("choice")
            .aria("aria-pressed", move || listed.get() == list)
            .on_click(move || listed.set(list))
            .text(word)
    };
    let choices = move || {
        div("choices")
            .attr("role", "group")
            .attr("aria-label", "Shown as")
            .children([(false, "Lanes"), (true, "List")].map(choice))
    };
    let head = div("section-head").child(heading("history-title", "History")).when(ready, choices);
    // What is on the screen is of another range than the one that was chosen.
    let waits = move || {
        let range = board.range();
        known.with(|known| ready_range(known).is_some_and(|held| held != range))
    };
    framed("history-title", head)
        .class(move || if waits() { "card history chart-waits" } else { "card history" })
        .when(is_loading, || p("sr-only").attr("role", "status").text("Loading the history"))
        .when(is_loading, || div("skeleton history-sketch"))
        .when(is_absent, || p("muted").text("This Fleetglass keeps no history of its nodes."))
        .live(move || {
            let Known::Failed(why) = known.get() else { return None };
            let again =
                button("button").on_click(move || again.update(|count| *count += 1)).text("Try again");
            Some(no_answer("chart-failed", "The history did not come.", &format!("{why} ")).child(again))
        })
        .when(move || ready() && !listed.get(), move || view::lanes(known))
        .when(ready, move || list::list(known, listed))
}

fn ready(known: &Known) -> Option<&Arc<History>> {
    match known {
        Known::Ready(history) => Some(history),
        _ => None,
    }
}

fn ready_range(known: &Known) -> Option<crate::charts::Range> {
    ready(known).map(|history| history.range)
}
