//! Over the nodes: how many are shown, changes that wait, and how they are sorted, grouped and laid out.

use std::collections::BTreeSet;

use leptos::prelude::*;

use crate::components::icon::{Icon, IconMark};
use crate::components::media::use_screen;
use crate::components::words::{counted, whole};
use crate::state::order::Field;
use crate::state::use_fleet;
use crate::state::view::{Layout, View};

/// The line over the table or the tiles.
#[component]
pub fn Toolbar(
    /// What it changes.
    view: RwSignal<View>,
    /// How many nodes are shown, and of how many.
    shown: Signal<(usize, usize)>,
    /// How many changes of order wait for the reader.
    waiting: Signal<usize>,
    /// Applies them.
    #[prop(into)]
    apply: Callback<()>,
) -> impl IntoView {
    let words = move || match shown.get() {
        (shown, total) if shown == total => counted(total, "node", "nodes"),
        (shown, total) => format!("{} of {}", whole(shown), counted(total, "node", "nodes")),
    };
    let filtered = Memo::new(move |_| view.with(|view| !view.filter.trim().is_empty()));
    view! {
        <div class="toolbar">
            <h2 class="toolbar-title num" aria-live="polite">{words}</h2>
            <Show when=move || filtered.get()>
                <button
                    type="button"
                    class="button button-quiet"
                    on:click=move |_| view.update(|view| view.filter.clear())
                >
                    "Clear filter"
                </button>
            </Show>
            <Show when=move || waiting.get() != 0>
                <button type="button" class="button changes" on:click=move |_| apply.run(())>
                    <span class="num">{move || counted(waiting.get(), "change", "changes")}</span>
                </button>
            </Show>
            <span class="toolbar-space"></span>
            <SortSelect view/>
            <Direction view/>
            <GroupSelect view/>
            <LayoutToggle view/>
        </div>
    }
}

/// The labels that occur in the fleet.
fn labels() -> Memo<Vec<String>> {
    let fleet = use_fleet();
    Memo::new(move |_| {
        fleet.every_node().with(|nodes| {
            let names: BTreeSet<&String> = nodes.iter().flat_map(|node| node.labels.keys()).collect();
            names.into_iter().cloned().collect()
        })
    })
}

#[component]
fn SortSelect(view: RwSignal<View>) -> impl IntoView {
    let labels = labels();
    let fields = move || {
        Field::COLUMNS.into_iter().chain(labels.get().into_iter().map(Field::Label)).collect::<Vec<_>>()
    };
    let now = Memo::new(move |_| view.with(|view| view.sort.to_word()));
    let change = move |word: String| {
        if let Some(field) = Field::parse(&word) {
            view.update(|view| (view.sort, view.descending) = (field, false));
        }
    };
    view! { <Select label="Sort" options=Signal::derive(move || named(fields())) now=now change/> }
}

/// Where no column's head is in sight to press: tiles, and cards on a phone.
#[component]
fn Direction(view: RwSignal<View>) -> impl IntoView {
    let phone = use_screen().phone;
    let descending = Memo::new(move |_| view.with(|view| view.descending));
    view! {
        <Show when=move || phone.get() || view.with(|view| view.layout == Layout::Grid)>
            <button
                type="button"
                class="icon-button"
                aria-label="Turn the order round"
                title="Turn the order round"
                aria-pressed=move || if descending.get() { "true" } else { "false" }
                on:click=move |_| view.update(|view| view.descending = !view.descending)
            >
                <IconMark icon=Signal::derive(move || if descending.get() { Icon::Down } else { Icon::Up })/>
            </button>
        </Show>
    }
}

#[component]
fn GroupSelect(view: RwSignal<View>) -> impl IntoView {
    let labels = labels();
    let options = Signal::derive(move || {
        let fields = Field::GROUPS.into_iter().chain(labels.get().into_iter().map(Field::Label));
        let mut options = named(fields.collect());
        options.insert(0, (String::new(), "None".to_owned()));
        options
    });
    let now =
        Memo::new(move |_| view.with(|view| view.group.as_ref().map(Field::to_word).unwrap_or_default()));
    let change = move |word: String| view.update(|view| view.group = Field::parse(&word));
    view! { <Select label="Group" options now=now change/> }
}

fn named(fields: Vec<Field>) -> Vec<(String, String)> {
    fields.into_iter().map(|field| (field.to_word(), field.title())).collect()
}

/// The browser's own menu: every keyboard and every reader knows it.
#[component]
fn Select(
    label: &'static str,
    options: Signal<Vec<(String, String)>>,
    #[prop(into)] now: Signal<String>,
    #[prop(into)] change: Callback<String>,
) -> impl IntoView {
    let options = Memo::new(move |_| options.get());
    view! {
        <label class="select">
            <span class="select-label">{label}</span>
            <select prop:value=now on:change=move |event| change.run(event_target_value(&event))>
                <For each=move || options.get() key=Clone::clone children=move |(word, title)| {
                    let value = word.clone();
                    view! { <option value=value selected=move || now.with(|now| *now == word)>{title}</option> }
                }/>
            </select>
        </label>
    }
    .into_any()
}

#[component]
fn LayoutToggle(view: RwSignal<View>) -> impl IntoView {
    let button = move |layout: Layout, icon: Icon, label: &'static str| {
        view! {
            <button
                type="button"
                class="toggle-part"
                aria-label=label
                title=label
                aria-pressed=move || if view.with(|view| view.layout == layout) { "true" } else { "false" }
                on:click=move |_| view.update(|view| view.layout = layout)
            >
                <IconMark icon=icon/>
            </button>
        }
    };
    view! {
        <div class="toggle" role="group" aria-label="Layout">
            {button(Layout::Table, Icon::Table, "Table")}
            {button(Layout::Grid, Icon::Grid, "Heat grid")}
        </div>
    }
}
