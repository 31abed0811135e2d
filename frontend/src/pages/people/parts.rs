//! What the parts of the page share: sections, fields, what was tried, a button that asks twice.

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::Event;

use crate::client::ClientError;
use crate::dom::{El, button, div, el, p, with_class};

/// The roles there are: as they are written, and in words.
pub const ROLES: [(&str, &str); 3] = [
    ("viewer", "Viewer: looks"),
    ("operator", "Operator: acknowledges, silences, shares"),
    ("admin", "Admin: everything"),
];

/// Something that is being tried, or was: on its way, and what went wrong or well.
#[derive(Clone, Copy)]
pub struct Trial {
    busy: RwSignal<bool>,
    said: RwSignal<Option<(bool, String)>>,
}

impl Trial {
    pub fn new() -> Self {
        Self { busy: RwSignal::new(false), said: RwSignal::new(None) }
    }

    pub fn is_busy(self) -> bool {
        self.busy.get()
    }

    /// Tries it, unless it is being tried.
    pub fn run(
        self,
        trial: impl Future<Output = Result<String, ClientError>> + 'static,
        done: impl FnOnce(String) + 'static,
    ) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.said.set(None);
        self.go(Box::pin(trial), Box::new(done));
    }

    fn go(
        self,
        trial: std::pin::Pin<Box<dyn Future<Output = Result<String, ClientError>>>>,
        done: Box<dyn FnOnce(String)>,
    ) {
        spawn_local(async move {
            let answer = trial.await;
            if self.busy.try_set(false).is_some() {
                // The page is gone.
                return;
            }
            match answer {
                Ok(text) => done(text),
                Err(error) => self.fail(error.in_words()),
            }
        });
    }

    /// Says what went wrong.
    pub fn fail(self, words: String) {
        self.said.try_set(Some((false, words)));
    }

    /// Says what went well.
    pub fn say(self, words: impl Into<String>) {
        self.said.try_set(Some((true, words.into())));
    }

    /// The words, as they come.
    pub fn words(self) -> El {
        let is_well = move || self.said.with(|said| said.as_ref().is_none_or(|said| said.0));
        let words =
            move || self.said.with(|said| said.as_ref().map(|said| said.1.clone())).unwrap_or_default();
        p("people-said")
            .class(move || if is_well() { "people-said" } else { "people-said people-failed" })
            .attr("role", move || if is_well() { "status" } else { "alert" })
            .text(words)
    }
}

/// A titled part of the page.
pub fn section(id: &'static str, title: &'static str, inside: impl IntoIterator<Item = El>) -> El {
    with_class("section", "silences")
        .attr("aria-labelledby", id)
        .child(el("h2").class("section-title").attr("id", id).text(title))
        .children(inside)
}

/// A field with its name above it, and perhaps what to write.
pub fn field(
    id: &'static str,
    title: &'static str,
    kind: &'static str,
    complete: &'static str,
    text: RwSignal<String>,
    help: &'static str,
) -> El {
    let help_id = format!("{id}-help");
    let described = (!help.is_empty()).then(|| help_id.clone());
    div("people-field")
        .child(with_class("label", "field-label").attr("for", id).text(title))
        .child(
            with_class("input", "field")
                .attr("id", id)
                .attr("type", kind)
                .attr("autocomplete", complete)
                .attr("spellcheck", "false")
                .attr("aria-describedby", described)
                .prop("value", text)
                .on("input", move |event: Event| text.set(event_target_value(&event))),
        )
        .maybe((!help.is_empty()).then(|| p("people-help").attr("id", help_id).text(help)))
}

/// A choice with its name above it.
pub fn choose(
    id: &'static str,
    title: &'static str,
    all: impl IntoIterator<Item = (&'static str, &'static str)>,
    chosen: RwSignal<String>,
) -> El {
    let option = |(word, title): (&'static str, &'static str)| {
        let is_chosen = move || chosen.with(|chosen| chosen == word);
        el("option").attr("value", word).flag("selected", is_chosen).text(title)
    };
    let menu = with_class("select", "field")
        .attr("id", id)
        .children(all.into_iter().map(option))
        .prop("value", chosen)
        .on("change", move |event: Event| chosen.set(event_target_value(&event)));
    div("people-field").child(with_class("label", "field-label").attr("for", id).text(title)).child(menu)
}

/// A button that sends a form.
pub fn submit(trial: Trial, words: &'static str) -> El {
    button("button button-primary")
        .attr("type", "submit")
        .flag("disabled", move || trial.is_busy())
        .text(words)
}

/// A button that takes something away: pressed once it asks, pressed again it does so.
pub fn asks_twice(words: &'static str, label: String, sure: &'static str, act: impl Fn() + 'static) -> El {
    let asked = RwSignal::new(false);
    let press = move || {
        if asked.get_untracked() {
            asked.set(false);
            act();
        } else {
            asked.set(true);
        }
    };
    let name = move || if asked.get() { format!("{sure} {label}") } else { format!("{words}: {label}") };
    button("button")
        .class(move || if asked.get() { "button people-sure" } else { "button" })
        .attr("aria-label", name)
        .on("blur", move |_: Event| {
            let _ = asked.try_set(false);
        })
        .on_click(press)
        .text(move || if asked.get() { sure } else { words })
}

/// Selectors as they were typed: one a line or between semicolons; none is the whole fleet.
pub fn selectors(text: &str) -> Vec<String> {
    let parts = text.split(['\n', ';']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::selectors;

    #[test]
    fn selectors_are_one_a_line_or_between_semicolons() {
        assert_eq!(selectors(" {a=\"b\"} ; {c=\"d\",e=\"f\"}\n"), ["{a=\"b\"}", "{c=\"d\",e=\"f\"}"]);
        assert!(selectors(" ; ").is_empty());
    }
}
