//! The heads of groups: where they lie in the list, and the one that is kept in sight.

use fleetglass_shared::health::Status;
use leptos::prelude::*;

use super::nodes::List;
use super::summary::state_segments;
use super::uptime::GroupUptimes;
use crate::components::segments::segmented_bar;
use crate::components::status_mark::{state_class, status_shape};
use crate::components::words::counted;
use crate::dom::{El, div, span, unseen};
use crate::state::order::Field;
use crate::state::tally::States;
use crate::state::use_fleet;
use crate::state::view::{Layout, View};

/// The head of a group, where it lies in the list: what its nodes share, and their states.
pub fn group_head(
    list: List,
    key: String,
    text: Option<String>,
    view: RwSignal<View>,
    states: Signal<States>,
    uptimes: GroupUptimes,
) -> El {
    let place = list.place(key);
    let table = move || view.with(|view| view.layout == Layout::Table);
    let cell = group_words(text, view, states, uptimes)
        .attr("role", move || table().then_some("gridcell"))
        .attr("aria-colspan", move || table().then_some("9"));
    div("group-head")
        .attr("role", move || table().then_some("row"))
        .attr("aria-rowindex", move || table().then(|| (place.get().index + 2).to_string()))
        .style("height", move || format!("{}px", list.shape.get().head))
        .style("transform", move || format!("translate(0px,{}px)", place.get().y))
        .child(cell)
}

/// The head of the group that is being read, kept in sight. The real one says it to readers.
pub fn stuck_head(
    text: Option<String>,
    view: RwSignal<View>,
    states: Signal<States>,
    uptimes: GroupUptimes,
) -> El {
    div("group-stuck")
        .attr("aria-hidden", "true")
        .child(div("group-head").child(group_words(text, view, states, uptimes)))
}

fn group_words(
    text: Option<String>,
    view: RwSignal<View>,
    states: Signal<States>,
    uptimes: GroupUptimes,
) -> El {
    let fleet = use_fleet();
    let uptime = uptimes.figure(text.clone());
    let title = move || match (&text, view.with(|view| view.group.clone())) {
        (Some(text), Some(Field::Family)) => fleet.family_title(text),
        (Some(text), _) => text.clone(),
        (None, Some(field)) => format!("No {}", field.title().to_lowercase()),
        (None, None) => String::new(),
    };
    let mark = |(status, count): (Status, usize)| {
        span("")
            .class(format!("group-count num {}", state_class(status)))
            .attr("title", status.as_str())
            .child(status_shape(move || status))
            .text(count.to_string())
            .child(unseen(format!(" {}", status.as_str())))
    };
    span("group-cell")
        .child(span("group-title").text(title))
        .child(span("group-total num").text(move || counted(states.get().total(), "node", "nodes")))
        .child(uptime)
        .child(segmented_bar(Signal::derive(move || state_segments(&states.get()))))
        .child(span("group-counts").each(
            move || states.get().present(),
            |(status, count)| format!("{} {count}", status.as_str()),
            mark,
        ))
}
