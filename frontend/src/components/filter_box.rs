//! The filter box. What it understands: [`crate::state::filter`]; what it offers: `components::suggestions`, which comes
//! with the rest of the app, asked for as soon as the field has the focus: until then it filters, and offers nothing.
//! A combobox as the ARIA authoring practices have it: the focus stays in the field.

use leptos::prelude::*;
use web_sys::{Event, HtmlInputElement, KeyboardEvent};

use super::icon::{Icon, icon};
use super::typing;
use crate::dom::{El, button, div, on_window, with_class};
use crate::pages::later::{Later, later};
use crate::rest::{Rest, use_rest};
use crate::state::complete::{Offer, accept};

/// What the box knows while it is typed in.
#[derive(Clone, Copy)]
pub struct Combobox {
    /// What stands in it.
    pub text: Signal<String>,
    set_text: Callback<String>,
    field: StoredValue<El>,
    /// Whether it is to offer something.
    pub open: RwSignal<bool>,
    /// Where the cursor stands, in bytes.
    pub cursor: RwSignal<usize>,
    /// Which of the suggestions.
    pub chosen: RwSignal<Option<usize>>,
    /// What it offers; none is known before the rest of the app is there.
    pub offer: RwSignal<Option<Callback<(), Offer>>>,
}

impl Combobox {
    fn field(self) -> HtmlInputElement {
        self.field.with_value(El::as_element)
    }

    fn offer(self) -> Offer {
        self.offer.get().map(|offer| offer.run(())).unwrap_or_default()
    }

    fn offers(self) -> bool {
        !self.offer().suggestions.is_empty()
    }

    /// Takes over what stands in the field.
    fn read(self) {
        let field = self.field();
        let value = field.value();
        let units = field.selection_start().ok().flatten().unwrap_or(u32::MAX) as usize;
        self.cursor.set(bytes_of(&value, units));
        self.chosen.set(None);
        self.open.set(true);
        self.set_text.run(value);
    }

    /// Puts a suggestion in place of the word at the cursor.
    pub fn take(self, index: usize) {
        let offer = untrack(|| self.offer());
        let Some(suggestion) = offer.suggestions.get(index) else { return };
        let (value, at) = self.text.with_untracked(|text| accept(text, &offer.word, &suggestion.insert));
        let field = self.field();
        field.set_value(&value);
        let units = value[..at].encode_utf16().count() as u32;
        let _ = field.set_selection_range(units, units);
        let _ = field.focus();
        self.cursor.set(at);
        self.chosen.set(None);
        self.set_text.run(value);
    }

    fn step(self, by: isize) {
        let count = untrack(|| self.offer()).suggestions.len() as isize;
        if count > 0 {
            let first = if by > 0 { 0 } else { count - 1 };
            let next = self.chosen.get_untracked().map_or(first, |at| at as isize + by);
            self.chosen.set(Some(next.rem_euclid(count) as usize));
        }
    }

    fn on_key(self, event: &KeyboardEvent) {
        let shown = untrack(|| self.offers());
        match (event.key().as_str(), self.chosen.get_untracked()) {
            ("ArrowDown", _) => {
                event.prevent_default();
                self.open.set(true);
                self.step(1);
            }
            ("ArrowUp", _) if shown => {
                event.prevent_default();
                self.step(-1);
            }
            ("Enter" | "Tab", Some(index)) if shown => {
                event.prevent_default();
                self.take(index);
            }
            ("Enter", None) => self.open.set(false),
            ("Escape", _) if shown => self.open.set(false),
            ("Escape", _) if !self.text.with_untracked(String::is_empty) => {
                self.open.set(false);
                self.set_text.run(String::new());
            }
            ("Escape", _) => drop(self.field().blur()),
            _ => {}
        }
    }
}

/// A field that filters while it is typed in; `/` goes to it, Esc clears it, then leaves it.
/// `set_text` is called at every change.
pub fn filter_box(text: Signal<String>, set_text: Callback<String>) -> El {
    let rest = use_rest();
    let open = RwSignal::new(false);
    let field = with_class("input", "filter-field");
    let combobox = Combobox {
        text,
        set_text,
        field: StoredValue::new(field.clone()),
        open,
        cursor: RwSignal::new(0),
        chosen: RwSignal::new(None),
        offer: RwSignal::new(None),
    };
    on_window("keydown", move |event: KeyboardEvent| {
        if event.key() == "/" && !event.ctrl_key() && !event.meta_key() && !typing(&event) {
            event.prevent_default();
            let _ = combobox.field().focus();
            combobox.field().select();
        }
    });
    let clear = move || {
        set_text.run(String::new());
        let _ = combobox.field().focus();
    };
    let active = move || combobox.chosen.get().map(|index| format!("filter-option-{index}"));
    let field = field
        .attr("type", "text")
        .attr("inputmode", "search")
        .attr("enterkeyhint", "search")
        .attr("autocomplete", "off")
        .attr("autocapitalize", "off")
        .attr("spellcheck", "false")
        .attr("placeholder", "Filter: state:degraded region:eu text")
        .attr("role", "combobox")
        .attr("aria-label", "Filter the nodes, e.g. state:degraded region:eu")
        .attr("aria-autocomplete", "list")
        .attr("aria-haspopup", "listbox")
        .aria("aria-expanded", move || combobox.offers())
        .attr("aria-controls", "filter-options")
        .attr("aria-activedescendant", active)
        .attr("aria-keyshortcuts", "/")
        .prop("value", text)
        .on("input", move |_: Event| combobox.read())
        .on_click(move || combobox.read())
        .on("keydown", move |event| combobox.on_key(&event))
        .on("focus", move |_: Event| rest.fetch())
        .on("blur", move |_: Event| open.set(false));
    div("filter-box")
        .attr("role", "search")
        .child(icon(Icon::Search))
        .child(field)
        .when(move || rest.state() == Rest::There, move || later(Later::Suggestions(combobox)))
        .when(
            move || text.with(String::is_empty),
            || with_class("kbd", "filter-key").attr("aria-hidden", "true").text("/"),
        )
        .when(
            move || !text.with(String::is_empty),
            move || {
                button("filter-clear")
                    .attr("aria-label", "Clear the filter")
                    .attr("title", "Clear the filter")
                    .on_click(clear)
                    .child(icon(Icon::Close))
            },
        )
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
