//! The sheet in which a person takes or silences an alert: a name that is remembered, how long, a note. With what
//! stands in it at first a second tap is enough.

use fleetglass_shared::format::duration_ms;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{Event, HtmlDialogElement, SubmitEvent};

use super::desk::{Act, Desk, Matcher, named};
use crate::charts::length;
use crate::client;
use crate::dom::{El, button, div, effect, el, p, with_class};
use crate::kept::{keep, kept};
use crate::state::alerts::{AlertRef, summary};
use crate::state::use_fleet;

const NAME: &str = "fleetglass-name";
const HOUR: i64 = 3_600_000;

/// For how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasts {
    /// Until the alert is resolved.
    Resolved,
    /// For so many milliseconds.
    For(i64),
    /// What stands in the field.
    Custom,
}

impl Lasts {
    fn title(self) -> String {
        match self {
            Self::Resolved => "Until resolved".to_owned(),
            Self::For(millis) => duration_ms(millis),
            Self::Custom => "Other".to_owned(),
        }
    }
}

/// What a silence is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// This alert alone.
    Alert,
    /// All of its name.
    Name,
    /// All of its node.
    Node,
}

/// What the sheet holds.
#[derive(Clone, Copy)]
struct Form {
    desk: Desk,
    act: Act,
    alert: StoredValue<AlertRef>,
    by: RwSignal<String>,
    note: RwSignal<String>,
    lasts: RwSignal<Lasts>,
    custom: RwSignal<String>,
    scope: RwSignal<Scope>,
    trouble: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
    /// By the proxy's clock: a silence begins there.
    now: Signal<i64>,
}

/// A modal sheet: the browser keeps the focus in it, and Esc closes it.
pub fn sheet(desk: Desk, act: Act, alert: AlertRef) -> El {
    let form = Form {
        desk,
        act,
        by: RwSignal::new(kept(NAME).unwrap_or_default()),
        note: RwSignal::new(String::new()),
        lasts: RwSignal::new(if act == Act::Acknowledge { Lasts::Resolved } else { Lasts::For(HOUR) }),
        custom: RwSignal::new("2h".to_owned()),
        scope: RwSignal::new(Scope::Alert),
        trouble: RwSignal::new(None),
        busy: RwSignal::new(false),
        now: use_fleet().now(),
        alert: StoredValue::new(alert.clone()),
    };
    if form.by.with_untracked(String::is_empty) {
        spawn_local(form.sign());
    }
    let dialog = with_class("dialog", "sheet").attr("aria-labelledby", "sheet-title");
    let shown = StoredValue::new(dialog.clone());
    effect(move || {
        let dialog: HtmlDialogElement = shown.with_value(El::as_element);
        // One that the browser cannot show as a modal one is shown all the same.
        if dialog.show_modal().is_err() {
            dialog.set_open(true);
        }
    });
    dialog
        .on("close", move |_: Event| desk.close())
        .on("click", move |event: Event| {
            // The dialog itself is hit outside of what it holds: on the backdrop.
            if event.target() == event.current_target() {
                desk.close();
            }
        })
        .child(form.body(&alert))
}

impl Form {
    /// Whoever has signed in acts under that name, unless they write another.
    async fn sign(self) {
        let Ok(me) = client::get_value("/api/v1/me").await else { return };
        let name = me.get("name").text().filter(|_| me.get("via").text().as_deref() != Some("local"));
        if let Some(name) = name
            && self.by.try_with_untracked(String::is_empty) == Some(true)
        {
            self.by.set(name);
        }
    }

    fn body(self, alert: &AlertRef) -> El {
        let (title, verb) = match self.act {
            Act::Acknowledge => ("Acknowledge", "Acknowledge"),
            Act::Silence => ("Silence", "Silence"),
        };
        let words = move || match (self.act, self.lasts.get()) {
            (Act::Silence, Lasts::For(millis)) => format!("{verb} for {}", duration_ms(millis)),
            _ => verb.to_owned(),
        };
        let hint = match self.act {
            Act::Acknowledge => "It stays in the list under your name, and asks nobody else.",
            Act::Silence => "It goes on being watched, and nobody is told.",
        };
        let unnamed = self.by.with_untracked(String::is_empty);
        let submit = move |event: SubmitEvent| {
            event.prevent_default();
            self.submit();
        };
        with_class("form", "sheet-form")
            .on("submit", submit)
            .child(el("h2").class("sheet-title").attr("id", "sheet-title").text(title))
            .child(
                p("sheet-about")
                    .child(el("strong").text(named(alert)))
                    .text(format!(" · {}", summary(alert))),
            )
            .child(self.durations())
            .when(
                move || self.lasts.get() == Lasts::Custom,
                move || field("sheet-custom", "How long, e.g. 30m, 2h or 3d", self.custom, false),
            )
            .maybe((self.act == Act::Silence).then(|| self.scopes(alert)))
            .child(field("sheet-name", "Your name", self.by, unnamed))
            .child(field("sheet-note", "Note (may be empty)", self.note, false))
            .child(p("sheet-hint").text(hint))
            .child(
                p("range-trouble").attr("role", "alert").text(move || self.trouble.get().unwrap_or_default()),
            )
            .child(
                div("sheet-buttons")
                    .child(button("button").on_click(move || self.desk.close()).text("Cancel"))
                    .child(
                        button("button button-primary")
                            .attr("type", "submit")
                            .attr("autofocus", (!unnamed).then_some(""))
                            .flag("disabled", move || self.busy.get())
                            .text(words),
                    ),
            )
    }

    fn durations(self) -> El {
        let first = (self.act == Act::Acknowledge).then_some(Lasts::Resolved);
        let lengths = [HOUR, 4 * HOUR, 24 * HOUR].map(Lasts::For);
        let all = first.into_iter().chain(lengths).chain([Lasts::Custom]);
        choices("For how long", all.map(|lasts| (lasts.title(), lasts)), self.lasts)
    }

    fn scopes(self, alert: &AlertRef) -> El {
        let mut all = vec![("This alert".to_owned(), Scope::Alert)];
        if let Some(node) = &alert.node {
            all.push((format!("Every {}", alert.name), Scope::Name));
            all.push((format!("All of {node}"), Scope::Node));
        }
        choices("What is silenced", all, self.scope)
    }

    fn submit(self) {
        let (by, note) = (self.by.get_untracked().trim().to_owned(), self.note.get_untracked());
        let now = self.now.get_untracked();
        let lasts = match self.lasts.get_untracked() {
            Lasts::Resolved => Ok(None),
            Lasts::For(millis) => Ok(Some(millis)),
            Lasts::Custom => self.custom.with_untracked(|text| length(text.trim())).map(Some).ok_or(()),
        };
        let trouble = match (by.is_empty(), lasts) {
            (true, _) => Some("Write your name, so that others know whom to ask."),
            (_, Err(())) => Some("Write how long like 30m, 2h or 3d."),
            _ => None,
        };
        if let Some(trouble) = trouble {
            self.trouble.set(Some(trouble.to_owned()));
            return;
        }
        let (until, alert) = (lasts.unwrap_or_default(), self.alert.get_value());
        keep(NAME, &by);
        self.busy.set(true);
        self.trouble.set(None);
        spawn_local(async move {
            let done = match self.act {
                Act::Acknowledge => {
                    self.desk.acknowledge(&alert, by, note, until.map(|millis| now + millis)).await
                }
                Act::Silence => {
                    let matchers = matchers(&alert, self.scope.get_untracked());
                    let span = (now, now + until.unwrap_or(HOUR));
                    self.desk.silence(matchers, by, note, span).await
                }
            };
            match done {
                Ok(()) => self.desk.close(),
                Err(error) => {
                    self.trouble.try_set(Some(error.in_words()));
                    self.busy.try_set(false);
                }
            }
        });
    }
}

fn choices<T: Copy + PartialEq + Send + Sync + 'static>(
    label: &'static str,
    all: impl IntoIterator<Item = (String, T)>,
    chosen: RwSignal<T>,
) -> El {
    let one = |(title, value): (String, T)| {
        button("choice")
            .aria("aria-pressed", move || chosen.get() == value)
            .on_click(move || chosen.set(value))
            .text(title)
    };
    div("choices sheet-choices")
        .attr("role", "group")
        .attr("aria-label", label)
        .children(all.into_iter().map(one))
}

fn field(id: &'static str, title: &'static str, text: RwSignal<String>, first: bool) -> El {
    div("sheet-field").child(with_class("label", "field-label").attr("for", id).text(title)).child(
        with_class("input", "field")
            .attr("id", id)
            .attr("type", "text")
            .attr("autocomplete", "off")
            .attr("autofocus", first.then_some(""))
            .prop("value", text)
            .on("input", move |event: Event| text.set(event_target_value(&event))),
    )
}

/// What a silence of this scope must match.
fn matchers(alert: &AlertRef, scope: Scope) -> Vec<Matcher> {
    let wanted = |name: &str| match scope {
        Scope::Alert => true,
        Scope::Name => name == "alertname",
        Scope::Node => name == "instance",
    };
    let labels = alert.labels.iter().filter(|(name, _)| wanted(name));
    labels
        .map(|(name, value)| Matcher {
            name: name.clone(),
            value: value.clone(),
            is_regex: false,
            is_equal: true,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::alerts::tests::sample;

    #[test]
    fn a_silence_is_as_wide_as_was_chosen() {
        let alert = sample(json!({"labels": {"alertname": "Lag", "instance": "eu-1", "job": "x"}}));
        let names = |scope| matchers(&alert, scope).into_iter().map(|m| m.name).collect::<Vec<_>>();
        assert_eq!(names(Scope::Alert), ["alertname", "instance", "job"]);
        assert_eq!(names(Scope::Name), ["alertname"]);
        assert_eq!(names(Scope::Node), ["instance"]);
    }
}
