//! The filter box. What it understands: [`crate::state::filter`]; what it offers: [`crate::state::complete`].
//! A combobox as the ARIA authoring practices have it: the focus stays in the field.

use leptos::ev::KeyboardEvent;
use leptos::html::Input;
use leptos::prelude::*;

use super::icon::{Icon, IconMark};
use super::typing;
use crate::state::complete::{Offer, Suggestion, Vocabulary, accept};
use crate::state::use_fleet;

/// A field that filters while it is typed in; `/` goes to it, Esc clears it, then leaves it.
#[component]
pub fn FilterBox(
    /// What stands in it.
    #[prop(into)]
    text: Signal<String>,
    /// Called at every change.
    #[prop(into)]
    set_text: SignalSetter<String>,
) -> impl IntoView {
    let fleet = use_fleet();
    let field = NodeRef::<Input>::new();
    let open = RwSignal::new(false);
    let cursor = RwSignal::new(0_usize);
    let chosen = RwSignal::new(None::<usize>);
    let offer = Memo::new(move |_| {
        if !open.get() {
            return Offer::default();
        }
        let vocabulary = fleet.every_node().with(|nodes| Vocabulary::of(nodes));
        text.with(|text| vocabulary.offer(text, cursor.get().min(text.len())))
    });
    let shown = Memo::new(move |_| offer.with(|offer| !offer.suggestions.is_empty()));

    let slash = window_event_listener(leptos::ev::keydown, move |event| {
        if event.key() == "/" && !event.ctrl_key() && !event.meta_key() && !typing(&event) {
            event.prevent_default();
            if let Some(field) = field.get_untracked() {
                let _ = field.focus();
                field.select();
            }
        }
    });
    on_cleanup(move || slash.remove());

    let read = move || {
        let Some(field) = field.get_untracked() else { return };
        let value = field.value();
        let units = field.selection_start().ok().flatten().unwrap_or(u32::MAX) as usize;
        cursor.set(bytes_of(&value, units));
        chosen.set(None);
        open.set(true);
        set_text.set(value);
    };
    let take = move |index: usize| {
        let taken = offer.with_untracked(|offer| {
            let insert = &offer.suggestions.get(index)?.insert;
            Some(text.with_untracked(|text| accept(text, &offer.word, insert)))
        });
        let (Some((value, at)), Some(field)) = (taken, field.get_untracked()) else { return };
        field.set_value(&value);
        let units = value[..at].encode_utf16().count() as u32;
        let _ = field.set_selection_range(units, units);
        let _ = field.focus();
        cursor.set(at);
        chosen.set(None);
        set_text.set(value);
    };
    let step = move |by: isize| {
        let count = offer.with_untracked(|offer| offer.suggestions.len()) as isize;
        if count > 0 {
            let next =
                chosen.get_untracked().map_or(if by > 0 { 0 } else { count - 1 }, |at| at as isize + by);
            chosen.set(Some(next.rem_euclid(count) as usize));
        }
    };
    let on_key = move |event: KeyboardEvent| match (event.key().as_str(), chosen.get_untracked()) {
        ("ArrowDown", _) => {
            event.prevent_default();
            open.set(true);
            step(1);
        }
        ("ArrowUp", _) if shown.get_untracked() => {
            event.prevent_default();
            step(-1);
        }
        ("Enter" | "Tab", Some(index)) if shown.get_untracked() => {
            event.prevent_default();
            take(index);
        }
        ("Enter", None) => open.set(false),
        ("Escape", _) if shown.get_untracked() => open.set(false),
        ("Escape", _) if !text.with_untracked(String::is_empty) => set_text.set(String::new()),
        ("Escape", _) => drop(field.get_untracked().map(|field| field.blur())),
        _ => {}
    };
    let item = move |(index, suggestion): (usize, Suggestion)| {
        let selected = Memo::new(move |_| chosen.get() == Some(index));
        view! {
            <li
                id=format!("filter-option-{index}")
                class="filter-option"
                role="option"
                aria-selected=move || if selected.get() { "true" } else { "false" }
                // Before the field loses the focus.
                on:pointerdown=move |event| {
                    event.prevent_default();
                    take(index);
                }
            >
                <span class="filter-option-text">{suggestion.insert}</span>
                <span class="filter-option-count num">{suggestion.count}</span>
            </li>
        }
        .into_any()
    };
    view! {
        <div class="filter-box" role="search">
            <IconMark icon=Icon::Search/>
            <input
                node_ref=field
                class="filter-field"
                type="text"
                inputmode="search"
                enterkeyhint="search"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                placeholder="Filter: state:degraded region:eu text"
                role="combobox"
                aria-label="Filter the nodes, e.g. state:degraded region:eu"
                aria-autocomplete="list"
                aria-haspopup="listbox"
                aria-expanded=move || if shown.get() { "true" } else { "false" }
                aria-controls="filter-options"
                aria-activedescendant=move || chosen.get().map(|index| format!("filter-option-{index}"))
                aria-keyshortcuts="/"
                prop:value=text
                on:input=move |_| read()
                on:click=move |_| read()
                on:keydown=on_key
                on:blur=move |_| open.set(false)
            />
            <ul
                id="filter-options"
                class="filter-options"
                role="listbox"
                aria-label="Suggestions"
                hidden=move || !shown.get()
            >
                <For
                    each=move || offer.get().suggestions.into_iter().enumerate()
                    key=|(index, suggestion)| (*index, suggestion.insert.clone())
                    children=item
                />
            </ul>
            <Show
                when=move || !text.with(String::is_empty)
                fallback=|| view! { <kbd class="filter-key" aria-hidden="true">"/"</kbd> }
            >
                <button
                    type="button"
                    class="filter-clear"
                    aria-label="Clear the filter"
                    title="Clear the filter"
                    on:click=move |_| {
                        set_text.set(String::new());
                        let _ = field.get_untracked().map(|field| field.focus());
                    }
                >
                    <IconMark icon=Icon::Close/>
                </button>
            </Show>
        </div>
    }
}

/// The browser counts in UTF-16 units, Rust in bytes.
fn bytes_of(text: &str, units: usize) -> usize {
    let mut seen = 0;
    text.char_indices()
        .find(|(_, char)| {
            let here = seen >= units;
            seen += char.len_utf16();
            here
        })
        .map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::bytes_of;

    #[test]
    fn cursors_are_told_in_bytes() {
        assert_eq!(bytes_of("añ😀b", 0), 0);
        assert_eq!(bytes_of("añ😀b", 2), 3);
        assert_eq!(bytes_of("añ😀b", 4), 7);
        assert_eq!(bytes_of("añ😀b", 99), 8);
    }
}
