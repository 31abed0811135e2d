//! A field for words that filter, and a row of choices: what the lists share.

use leptos::prelude::*;
use web_sys::{Event, KeyboardEvent};

use crate::components::icon::{Icon, icon};
use crate::components::typing;
use crate::components::words::whole;
use crate::dom::{El, button, div, el, on_window, span, with_class};

/// A field that filters while it is typed in; `/` goes to it, Esc empties it.
pub fn search(
    label: &'static str,
    text: impl Fn() -> String + Clone + 'static,
    set: impl Fn(String) + Clone + 'static,
) -> El {
    let (write, empty, none) = (set.clone(), set, text.clone());
    let field = with_class("input", "filter-field")
        .attr("type", "search")
        .attr("enterkeyhint", "search")
        .attr("autocomplete", "off")
        .attr("spellcheck", "false")
        .attr("placeholder", label)
        .attr("aria-label", label)
        .attr("aria-keyshortcuts", "/")
        .prop("value", text)
        .on("input", move |event: Event| write(event_target_value(&event)))
        .on("keydown", move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.prevent_default();
                empty(String::new());
            }
        });
    let held = StoredValue::new(field.clone());
    on_window("keydown", move |event: KeyboardEvent| {
        if event.key() == "/" && !event.ctrl_key() && !event.meta_key() && !typing(&event) {
            event.prevent_default();
            held.with_value(El::focus);
        }
    });
    div("filter-box").attr("role", "search").child(icon(Icon::Search)).child(field).when(
        move || none().is_empty(),
        || with_class("kbd", "filter-key").attr("aria-hidden", "true").text("/"),
    )
}

/// The browser's own menu over fixed choices: word and title.
pub fn menu(
    label: &'static str,
    all: impl IntoIterator<Item = (&'static str, &'static str)>,
    now: impl Fn() -> &'static str + Clone + 'static,
    set: impl Fn(String) + 'static,
) -> El {
    let option = |(word, title): (&'static str, &'static str)| {
        let now = now.clone();
        el("option").attr("value", word).flag("selected", move || now() == word).text(title)
    };
    let menu = el("select").children(all.into_iter().map(option).collect::<Vec<_>>());
    let menu = menu.on("change", move |event: Event| set(event_target_value(&event)));
    with_class("label", "select").child(span("select-label").text(label)).child(menu)
}

/// The same over choices that may change.
pub fn menu_of(
    label: &'static str,
    all: impl Fn() -> Vec<(String, String)> + 'static,
    now: impl Fn() -> String + Copy + 'static,
    set: impl Fn(String) + 'static,
) -> El {
    let option = move |(word, title): (String, String)| {
        let own = word.clone();
        el("option").attr("value", word).flag("selected", move || now() == own).text(title)
    };
    let menu = el("select")
        .attr("aria-label", label)
        .each(all, |(word, title)| format!("{word}\n{title}"), option)
        .prop("value", now)
        .on("change", move |event: Event| set(event_target_value(&event)));
    with_class("label", "select").child(menu)
}

/// One of several choices in a row, with how many it has.
pub fn choice(
    title: &'static str,
    count: impl Fn() -> Option<usize> + 'static,
    chosen: impl Fn() -> bool + 'static,
    choose: impl Fn() + 'static,
) -> El {
    button("choice")
        .aria("aria-pressed", chosen)
        .on_click(choose)
        .text(title)
        .child(span("choice-count num").text(move || count().map(whole)))
}
