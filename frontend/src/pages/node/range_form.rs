//! The form for a range of one's own: two times where the viewer is, or relative words such as `now-3h`.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, HtmlInputElement};

use crate::charts::{Board, read_range, write_range};
use crate::dom::{El, button, div, drawing, el, p, with_class};
use crate::state::use_fleet;

/// From, to, and a button; says in words what it cannot read.
pub(super) fn range_form(board: Board, open: RwSignal<bool>) -> El {
    let now = use_fleet().now();
    let (from, to) = write_range(untrack(|| board.range()), board.zone);
    let (from, to) = (RwSignal::new(from), RwSignal::new(to));
    let trouble = RwSignal::new(None::<&'static str>);
    let submit = move |event: Event| {
        event.prevent_default();
        let (from, to) = (from.get_untracked(), to.get_untracked());
        match read_range(&from, &to, now.get_untracked(), board.zone) {
            Ok(range) => {
                open.set(false);
                board.go(range);
            }
            Err(unclear) => trouble.set(Some(unclear.in_words())),
        }
    };
    let zone = board.zone_name(now.get_untracked());
    el("form")
        .class("range-form")
        .on("submit", submit)
        .child(end_field("range-from", "From", from, trouble))
        .child(end_field("range-to", "To", to, trouble))
        .child(
            p("range-hint")
                .attr("id", "range-hint")
                .text(format!("2026-11-21 13:05, 13:05, or words such as now-3h. Times are {zone}.")),
        )
        .child(
            p("range-trouble")
                .attr("id", "range-trouble")
                .attr("role", "alert")
                .text(move || trouble.get().unwrap_or_default()),
        )
        .child(button("button button-primary").attr("type", "submit").text("Show"))
}

/// A field for words, and the browser's own calendar behind a button.
fn end_field(
    id: &'static str,
    title: &'static str,
    text: RwSignal<String>,
    trouble: RwSignal<Option<&'static str>>,
) -> El {
    let write = move |words: String| {
        trouble.set(None);
        text.set(words);
    };
    // The calendar's field is the next of the button: a listener must not hold it.
    let pick = |event: Event| {
        let button = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
        let field = button.and_then(|button| button.next_element_sibling());
        if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) {
            // A browser without it has the field for words.
            let _ = field.show_picker();
        }
    };
    let words = with_class("input", "field num")
        .attr("id", id)
        .attr("type", "text")
        .attr("autocomplete", "off")
        .attr("autocapitalize", "off")
        .attr("spellcheck", "false")
        .attr("aria-describedby", "range-hint range-trouble")
        .prop("value", text)
        .on("input", move |event: Event| write(event_target_value(&event)));
    let calendar = drawing("icon", "0 0 20 20", "M3.5 5h13v11.5h-13zM3.5 8.5h13M7 3v3.5M13 3v3.5");
    let picker = with_class("input", "range-picker")
        .attr("type", "datetime-local")
        .attr("tabindex", "-1")
        .attr("aria-hidden", "true")
        .on("change", move |event: Event| write(event_target_value(&event).replace('T', " ")));
    div("range-field").child(with_class("label", "field-label").attr("for", id).text(title)).child(
        div("range-entry")
            .child(words)
            .child(
                button("icon-button")
                    .attr("aria-label", format!("{title}: pick from a calendar"))
                    .on("click", pick)
                    .child(calendar),
            )
            .child(picker),
    )
}
