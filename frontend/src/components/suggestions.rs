//! What the filter box offers while it is typed in, from [`crate::state::complete`]: a listbox below its field.

use leptos::prelude::*;
use web_sys::Event;

use super::filter_box::Combobox;
use crate::dom::{El, span, with_class};
use crate::state::complete::{Offer, Suggestion, Vocabulary};
use crate::state::use_fleet;

/// The list; the field knows from now on what is in it.
pub fn suggestions(combobox: Combobox) -> El {
    let fleet = use_fleet();
    let offer = Memo::new(move |_| {
        if !combobox.open.get() {
            return Offer::default();
        }
        let vocabulary = fleet.every_node().with(|nodes| Vocabulary::of(nodes));
        combobox.text.with(|text| vocabulary.offer(text, combobox.cursor.get().min(text.len())))
    });
    combobox.offer.set(Some(Callback::new(move |()| offer.get())));
    with_class("ul", "filter-options")
        .attr("id", "filter-options")
        .attr("role", "listbox")
        .attr("aria-label", "Suggestions")
        .flag("hidden", move || offer.with(|offer| offer.suggestions.is_empty()))
        .each(
            move || offer.with(|offer| offer.suggestions.iter().cloned().enumerate().collect()),
            |(index, suggestion)| format!("{index} {}", suggestion.insert),
            move |item| option(combobox, item),
        )
}

fn option(combobox: Combobox, (index, suggestion): (usize, Suggestion)) -> El {
    with_class("li", "filter-option")
        .attr("id", format!("filter-option-{index}"))
        .attr("role", "option")
        .aria("aria-selected", move || combobox.chosen.get() == Some(index))
        // Before the field loses the focus.
        .on("pointerdown", move |event: Event| {
            event.prevent_default();
            combobox.take(index);
        })
        .child(span("filter-option-text").text(suggestion.insert))
        .child(span("filter-option-count num").text(suggestion.count.map(|count| count.to_string())))
}
