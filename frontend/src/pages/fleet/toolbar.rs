//! Over the nodes: how many are shown, changes that wait, and how they are sorted, grouped and laid out.

use std::collections::BTreeMap;

use leptos::prelude::*;
use web_sys::Event;

use crate::components::icon::{Icon, icon, live_icon};
use crate::components::media::use_screen;
use crate::components::words::{counted, whole};
use crate::dom::{El, button, div, el, link, span, with_class};
use crate::shared::shared;
use crate::state::order::Field;
use crate::state::use_fleet;
use crate::state::view::{Layout, View};

/// The line over the table or the tiles: how many nodes are shown and of how many, how many changes of
/// order wait for the reader, and what changes the view.
pub fn toolbar(
    view: RwSignal<View>,
    shown: impl Fn() -> (usize, usize) + 'static,
    waiting: Memo<usize>,
    apply: impl Fn() + Copy + 'static,
) -> El {
    let words = move || match shown() {
        (shown, total) if shown == total => counted(total, "node", "nodes"),
        (shown, total) => format!("{} of {}", whole(shown), counted(total, "node", "nodes")),
    };
    div("toolbar")
        .child(el("h2").class("toolbar-title num").attr("aria-live", "polite").text(words))
        .when(
            move || view.with(|view| !view.filter.trim().is_empty()),
            move || {
                button("button button-quiet")
                    .on_click(move || view.update(|view| view.filter.clear()))
                    .text("Clear filter")
            },
        )
        .when(
            move || waiting.get() != 0,
            move || {
                button("button changes")
                    .on_click(apply)
                    .child(span("num").text(move || counted(waiting.get(), "change", "changes")))
            },
        )
        .child(span("toolbar-space"))
        .maybe(shared().is_none().then(|| share(view)))
        .child(sort_select(view))
        .when(
            // Where no column's head is in sight to press: tiles, and cards on a phone.
            move || use_screen().phone.get() || view.with(|view| view.layout == Layout::Grid),
            move || direction(view),
        )
        .child(group_select(view))
        .child(
            div("toggle")
                .attr("role", "group")
                .attr("aria-label", "Layout")
                .child(layout_button(view, Layout::Table, Icon::Table, "Table"))
                .child(layout_button(view, Layout::Grid, Icon::Grid, "Heat grid")),
        )
}

/// The way to a link that shows what is filtered.
fn share(view: RwSignal<View>) -> El {
    let to = move || {
        let filter = view.with(|view| String::from(js_sys::encode_uri_component(&view.filter)));
        format!("/shares?new=fleet&filter={filter}")
    };
    link("icon-button", to).attr("aria-label", "Share").attr("title", "Share").child(icon(Icon::Share))
}

/// The labels that occur in the fleet.
fn labels() -> impl Fn() -> Vec<Field> + Copy {
    let fleet = use_fleet();
    let names = Memo::new(move |_| {
        fleet.every_node().with(|nodes| {
            let mut names = BTreeMap::new();
            for name in nodes.iter().flat_map(|node| node.labels.keys()) {
                names.insert(name, ());
            }
            names.into_keys().cloned().collect::<Vec<_>>()
        })
    });
    move || names.get().into_iter().map(Field::Label).collect()
}

fn sort_select(view: RwSignal<View>) -> El {
    let labels = labels();
    let options = move || named(Field::COLUMNS.into_iter().chain(labels()));
    let now = Memo::new(move |_| view.with(|view| view.sort.to_word()));
    let change = move |word: String| {
        if let Some(field) = Field::parse(&word) {
            view.update(|view| (view.sort, view.descending) = (field, false));
        }
    };
    select("Sort", Box::new(options), now, Box::new(change))
}

fn direction(view: RwSignal<View>) -> El {
    let descending = move || view.with(|view| view.descending);
    button("icon-button")
        .attr("aria-label", "Turn the order round")
        .attr("title", "Turn the order round")
        .aria("aria-pressed", descending)
        .on_click(move || view.update(|view| view.descending = !view.descending))
        .child(live_icon(move || if descending() { Icon::Down } else { Icon::Up }))
}

fn group_select(view: RwSignal<View>) -> El {
    let labels = labels();
    let options = move || {
        let mut options = named(Field::GROUPS.into_iter().chain(labels()));
        options.insert(0, (String::new(), "None".to_owned()));
        options
    };
    let now =
        Memo::new(move |_| view.with(|view| view.group.as_ref().map(Field::to_word).unwrap_or_default()));
    let change = move |word: String| view.update(|view| view.group = Field::parse(&word));
    select("Group", Box::new(options), now, Box::new(change))
}

/// Words and titles of fields.
type Options = Vec<(String, String)>;

fn named(fields: impl Iterator<Item = Field>) -> Options {
    fields.map(|field| (field.to_word(), field.title())).collect()
}

/// The browser's own menu: every keyboard and every reader knows it.
fn select(
    label: &'static str,
    options: Box<dyn Fn() -> Options>,
    now: Memo<String>,
    change: Box<dyn Fn(String)>,
) -> El {
    let menu = el("select").each(
        options,
        |(word, title)| format!("{word}={title}"),
        move |(word, title)| {
            let value = word.clone();
            let chosen = move || now.with(|now| *now == word);
            el("option").attr("value", value).flag("selected", chosen).text(title)
        },
    );
    let menu = menu.prop("value", now).on("change", move |event: Event| change(event_target_value(&event)));
    with_class("label", "select").child(span("select-label").text(label)).child(menu)
}

fn layout_button(view: RwSignal<View>, layout: Layout, mark: Icon, label: &'static str) -> El {
    button("toggle-part")
        .attr("aria-label", label)
        .attr("title", label)
        .aria("aria-pressed", move || view.with(|view| view.layout == layout))
        .on_click(move || view.update(|view| view.layout = layout))
        .child(icon(mark))
}
