//! The forms: a new incident or maintenance, and one more update.

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::{Impact, PostDraft, PostKind, PostState, UpdateDraft};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{Event, SubmitEvent};

use super::Desk;
use super::read::{self, Draft, Post};
use crate::client;
use crate::clock::from_iso;
use crate::dom::{El, button, div, effect, el, p, with_class};

/// What a form holds.
#[derive(Clone, Copy)]
struct Form {
    desk: Desk,
    title: RwSignal<String>,
    text: RwSignal<String>,
    impact: RwSignal<String>,
    state: RwSignal<String>,
    affects: RwSignal<Vec<String>>,
    starts: RwSignal<String>,
    ends: RwSignal<String>,
    trouble: RwSignal<String>,
    busy: RwSignal<bool>,
}

impl Form {
    fn new(desk: Desk, state: PostState) -> Self {
        let empty = || RwSignal::new(String::new());
        Self {
            desk,
            title: empty(),
            text: empty(),
            impact: RwSignal::new(Impact::Minor.as_str().to_owned()),
            state: RwSignal::new(state.as_str().to_owned()),
            affects: RwSignal::new(Vec::new()),
            starts: empty(),
            ends: empty(),
            trouble: empty(),
            busy: RwSignal::new(false),
        }
    }

    fn state_now(self) -> Option<PostState> {
        self.state.with_untracked(|word| PostState::parse(word))
    }

    /// Sends it, and closes the form once it is taken.
    fn send(self, path: String, body: impl serde::Serialize + 'static) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.trouble.set(String::new());
        spawn_local(async move {
            match client::post(&path, &body).await {
                Ok(_) => {
                    self.desk.close();
                    self.desk.retry();
                }
                Err(error) => {
                    self.trouble.try_set(error.in_words());
                }
            }
            self.busy.try_set(false);
        });
    }

    /// The end of a form: what went wrong, and its buttons.
    fn foot(self, verb: &'static str) -> [El; 2] {
        [
            p("range-trouble").attr("role", "alert").text(move || self.trouble.get()),
            div("status-acts")
                .child(
                    button("button button-primary")
                        .attr("type", "submit")
                        .flag("disabled", move || self.busy.get())
                        .text(move || if self.busy.get() { "Sending" } else { verb }),
                )
                .child(button("button").on_click(move || self.desk.close()).text("Cancel")),
        ]
    }
}

/// A form for a new post.
pub(super) fn post_form(desk: Desk, kind: PostKind) -> El {
    let form = Form::new(desk, kind.states()[0]);
    if kind == PostKind::Incident {
        fill(form);
    }
    let (heading, verb) = match kind {
        PostKind::Incident => ("A new incident", "Publish the incident"),
        PostKind::Maintenance => ("Planned maintenance", "Publish the maintenance"),
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let (starts_at, ends_at) = match times(form, kind) {
            Ok(times) => times,
            Err(words) => return form.trouble.set(words.to_owned()),
        };
        let draft = PostDraft {
            kind,
            title: form.title.get_untracked(),
            text: form.text.get_untracked(),
            state: form.state_now(),
            impact: match kind {
                PostKind::Incident => Impact::parse(&form.impact.get_untracked()).unwrap_or_default(),
                PostKind::Maintenance => Impact::None,
            },
            affects: form.affects.get_untracked(),
            starts_at,
            ends_at,
        };
        form.send(format!("/api/v1/status/{}/posts", desk.slug.get_untracked()), draft);
    };
    let body = with_class("form", "status-form")
        .attr("aria-label", heading)
        .on("submit", submit)
        .child(el("h3").class("status-form-title").text(heading))
        .child(line("status-title", "Title", "text", form.title, true));
    let body = match kind {
        PostKind::Incident => body.child(
            div("status-pair")
                .child(choice("status-state", "State", states(kind, true), form.state))
                .child(choice("status-impact", "How much it is felt", impacts(), form.impact)),
        ),
        PostKind::Maintenance => body.child(
            div("status-pair")
                .child(line("status-starts", "Begins, by your clock", "datetime-local", form.starts, false))
                .child(line("status-ends", "Ends", "datetime-local", form.ends, false)),
        ),
    };
    body.child(affected(form))
        .child(words("status-text", "What readers are told", form.text))
        .child(p("sheet-hint").text(
            "Plain text; lines and links are kept. Everybody reads it, and subscribers are told at once.",
        ))
        .children(form.foot(verb))
}

/// A form for one more update.
pub(super) fn update_form(desk: Desk, post: &Post, state: PostState) -> El {
    let form = Form::new(desk, state);
    let (id, kind) = (post.id.clone(), post.kind);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let draft = UpdateDraft { state: form.state_now(), text: form.text.get_untracked() };
        form.send(format!("/api/v1/status/{}/posts/{id}/updates", desk.slug.get_untracked()), draft);
    };
    with_class("form", "status-form status-update")
        .attr("aria-label", format!("Update of {}", post.title))
        .on("submit", submit)
        .child(choice("status-state", "State", states(kind, false), form.state))
        .child(words("status-text", "What readers are told", form.text))
        .children(form.foot("Publish the update"))
}

/// Lays the draft of the alert in the address into the form.
fn fill(form: Form) {
    let Some(alert) = form.desk.alert() else { return };
    let slug = form.desk.slug.get_untracked();
    spawn_local(async move {
        let alert = String::from(js_sys::encode_uri_component(&alert));
        match client::get_value(&format!("/api/v1/status/{slug}/draft?alert={alert}")).await {
            Ok(json) => {
                let Draft { title, text, impact, affects } = read::draft(&json);
                form.title.try_set(title);
                form.text.try_set(text);
                form.impact.try_set(impact.as_str().to_owned());
                form.affects.try_set(affects);
            }
            Err(error) => drop(form.trouble.try_set(error.in_words())),
        }
    });
}

type Times = (Option<UnixMillis>, Option<UnixMillis>);

fn times(form: Form, kind: PostKind) -> Result<Times, &'static str> {
    if kind == PostKind::Incident {
        return Ok((None, None));
    }
    // Without a zone such a text is one of this browser's.
    let read = |text: RwSignal<String>| text.with_untracked(|text| from_iso(text));
    match (read(form.starts), read(form.ends)) {
        (Some(start), Some(end)) if start < end => Ok((Some(start), Some(end))),
        (Some(_), Some(_)) => Err("It ends before it begins."),
        _ => Err("Say when it begins and when it ends."),
    }
}

fn states(kind: PostKind, is_new: bool) -> Vec<(&'static str, &'static str)> {
    let open = kind.states().iter().filter(|state| !(is_new && state.is_over()));
    open.map(|state| (state.as_str(), state.words())).collect()
}

fn impacts() -> Vec<(&'static str, &'static str)> {
    let words = |impact: Impact| match impact {
        Impact::None => "Not at all",
        Impact::Minor => "A little",
        Impact::Major => "Much",
        Impact::Critical => "Nothing works",
    };
    Impact::ALL.into_iter().map(|impact| (impact.as_str(), words(impact))).collect()
}

fn label(id: &'static str, title: &'static str) -> El {
    with_class("label", "field-label").attr("for", id).text(title)
}

fn line(
    id: &'static str,
    title: &'static str,
    kind: &'static str,
    text: RwSignal<String>,
    first: bool,
) -> El {
    let input = with_class("input", "field")
        .attr("id", id)
        .attr("type", kind)
        .attr("maxlength", "200")
        .attr("autocomplete", "off")
        .flag("required", || true)
        .prop("value", text)
        .on("input", move |event: Event| text.set(event_target_value(&event)));
    if first {
        let shown = StoredValue::new(input.clone());
        effect(move || shown.with_value(El::focus));
    }
    div("status-field").child(label(id, title)).child(input)
}

fn words(id: &'static str, title: &'static str, text: RwSignal<String>) -> El {
    div("status-field").child(label(id, title)).child(
        with_class("textarea", "field status-words")
            .attr("id", id)
            .attr("rows", "4")
            .attr("maxlength", "5000")
            .flag("required", || true)
            .prop("value", text)
            .on("input", move |event: Event| text.set(event_target_value(&event))),
    )
}

fn choice(
    id: &'static str,
    title: &'static str,
    all: Vec<(&'static str, &'static str)>,
    chosen: RwSignal<String>,
) -> El {
    let option = |(value, words): (&'static str, &'static str)| {
        el("option")
            .attr("value", value)
            .flag("selected", move || chosen.with(|chosen| chosen == value))
            .text(words)
    };
    div("status-field").child(label(id, title)).child(
        with_class("select", "field")
            .attr("id", id)
            .children(all.into_iter().map(option))
            .on("change", move |event: Event| chosen.set(event_target_value(&event))),
    )
}

/// What of the page it is about: any number of its parts.
fn affected(form: Form) -> El {
    let parts = form.desk.page_now().parts;
    let one = |name: String| {
        let held = StoredValue::new(name.clone());
        let is_in = move || form.affects.with(|all| held.with_value(|name| all.contains(name)));
        let press = move || {
            let name = held.get_value();
            form.affects.update(|all| match all.iter().position(|own| *own == name) {
                Some(at) => drop(all.remove(at)),
                None => all.push(name),
            });
        };
        button("choice").aria("aria-pressed", is_in).on_click(press).text(name)
    };
    div("status-field").child(p("field-label").attr("id", "status-affects").text("What it affects")).child(
        div("choices status-parts")
            .attr("role", "group")
            .attr("aria-labelledby", "status-affects")
            .children(parts.into_iter().map(one)),
    )
}
