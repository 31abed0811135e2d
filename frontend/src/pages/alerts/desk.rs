//! What a person does to alerts: takes one, silences one, and takes either back.

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::Acknowledge;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;

use super::sheet::sheet;
use crate::client::{self, ClientError};
use crate::clock;
use crate::dom::{El, button, div, group, p};
use crate::json::Json;
use crate::pages::node::load::escaped;
use crate::state::alerts::AlertRef;

/// A word stays for so long after something was done.
const TOAST_MS: i32 = 10_000;

/// What is asked of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Take an alert.
    Acknowledge,
    /// Have nobody told of it.
    Silence,
}

/// What takes back what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Undo {
    Acknowledged(String),
    Silenced(String),
}

/// What was done, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Toast {
    turn: u64,
    words: String,
    undo: Option<Undo>,
    failed: bool,
}

/// A matcher in Alertmanager's form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Matcher {
    /// The label.
    pub name: String,
    /// What it must be.
    pub value: String,
    /// Not here.
    pub is_regex: bool,
    /// Always here.
    pub is_equal: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewSilence {
    matchers: Vec<Matcher>,
    starts_at: String,
    ends_at: String,
    created_by: String,
    comment: String,
}

/// The desk of a page; copied into every row.
#[derive(Clone, Copy)]
pub struct Desk {
    open: RwSignal<Option<(Act, AlertRef)>>,
    toast: RwSignal<Option<Toast>>,
    /// Goes up when silences have changed.
    pub changed: RwSignal<u64>,
}

impl Desk {
    /// Nothing is asked yet.
    pub fn new() -> Self {
        Self { open: RwSignal::new(None), toast: RwSignal::new(None), changed: RwSignal::new(0) }
    }

    /// Asks how to act on an alert.
    pub fn ask(self, act: Act, alert: AlertRef) {
        self.open.set(Some((act, alert)));
    }

    /// Asks no more.
    pub fn close(self) {
        self.open.try_set(None);
    }

    /// The sheet and what was done, for the end of the page.
    pub fn parts(self) -> El {
        let asked = move || self.open.get().into_iter().collect();
        let key = |(act, alert): &(Act, AlertRef)| format!("{act:?} {}", alert.id);
        group().each(asked, key, move |(act, alert)| sheet(self, act, alert)).child(
            div("toasts").attr("role", "status").each(
                move || self.toast.get().into_iter().collect(),
                |toast| toast.turn.to_string(),
                move |toast| self.toast(toast),
            ),
        )
    }

    fn toast(self, toast: Toast) -> El {
        let undo = toast.undo.clone();
        div(if toast.failed { "toast toast-failed" } else { "toast" })
            .child(p("toast-words").text(toast.words))
            .maybe(undo.map(|undo| {
                button("button button-quiet").on_click(move || self.undo(undo.clone())).text("Undo")
            }))
            .child(
                button("icon-button")
                    .attr("aria-label", "Dismiss")
                    .on_click(move || self.toast.set(None))
                    .child(crate::components::icon::icon(crate::components::icon::Icon::Close)),
            )
    }

    fn say(self, words: String, undo: Option<Undo>, failed: bool) {
        let Some(turn) =
            self.toast.try_with_untracked(|toast| toast.as_ref().map_or(1, |toast| toast.turn + 1))
        else {
            return;
        };
        self.toast.set(Some(Toast { turn, words, undo, failed }));
        spawn_local(async move {
            clock::sleep(TOAST_MS).await;
            let same = |toast: &Option<Toast>| toast.as_ref().is_some_and(|toast| toast.turn == turn);
            if self.toast.try_with_untracked(same) == Some(true) && !failed {
                self.toast.set(None);
            }
        });
    }

    /// Takes an alert in somebody's name.
    pub async fn acknowledge(
        self,
        alert: &AlertRef,
        by: String,
        note: String,
        until: Option<UnixMillis>,
    ) -> Result<(), ClientError> {
        let path = format!("/api/v1/alerts/{}/acknowledge", escaped(&alert.id));
        client::post(&path, &Acknowledge { by, note, until }).await?;
        self.say(format!("You took {}", named(alert)), Some(Undo::Acknowledged(alert.id.clone())), false);
        Ok(())
    }

    /// Silences what matches until a time.
    pub async fn silence(
        self,
        matchers: Vec<Matcher>,
        by: String,
        comment: String,
        (from, until): (UnixMillis, UnixMillis),
    ) -> Result<(), ClientError> {
        let comment = if comment.trim().is_empty() { "silenced in the app".to_owned() } else { comment };
        let silence = NewSilence {
            matchers,
            starts_at: clock::iso(from),
            ends_at: clock::iso(until),
            created_by: by,
            comment,
        };
        let answer = client::post("/api/v2/silences", &silence).await?;
        let id = Json::parse(&answer).ok().and_then(|json| json.get("silenceID").text());
        let length = fleetglass_shared::format::duration_ms(until - from);
        self.say(format!("Silenced for {length}"), id.map(Undo::Silenced), false);
        self.changed.try_update(|count| *count += 1);
        Ok(())
    }

    /// Gives an alert back.
    pub fn give_back(self, id: String) {
        self.run(format!("/api/v1/alerts/{}/acknowledge", escaped(&id)), "Nobody has it now");
    }

    /// Ends a silence.
    pub fn end_silence(self, id: String) {
        self.run(format!("/api/v2/silence/{}", escaped(&id)), "The silence has ended");
    }

    fn undo(self, undo: Undo) {
        match undo {
            Undo::Acknowledged(id) => self.give_back(id),
            Undo::Silenced(id) => self.end_silence(id),
        }
    }

    fn run(self, path: String, done: &'static str) {
        spawn_local(async move {
            match client::delete(&path).await {
                Ok(_) => self.say(done.to_owned(), None, false),
                Err(error) => self.say(error.in_words(), None, true),
            }
            self.changed.try_update(|count| *count += 1);
        });
    }
}

/// An alert in a sentence: `Lag on eu-1`.
pub fn named(alert: &AlertRef) -> String {
    match &alert.node {
        Some(node) => format!("{} on {node}", alert.name),
        None => alert.name.clone(),
    }
}
