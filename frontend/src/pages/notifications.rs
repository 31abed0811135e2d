//! Who is told of alerts: each way to somebody, how it does, a test of it, and what was tried.
//!
//! | module | is |
//! |---|---|
//! | `read` | pure: the proxy's answer |
//! | `push` | Web Push to this browser and others |

mod push;
mod read;

use leptos::prelude::*;
use leptos::task::spawn_local;

use self::read::{Attempt, State, Told, Way};
use super::polled::Polled;
use crate::client;
use crate::clock::local_hours_minutes;
use crate::components::age::ago_mark;
use crate::components::connection::banners;
use crate::components::frame::top_bar;
use crate::components::notice::empty;
use crate::components::words::counted;
use crate::dom::{El, button, div, el, p, span, with_class};
use crate::json::Json;
use crate::state::use_fleet;

/// Asked again after so long.
const AGAIN_MS: i64 = 5_000;
/// What a test is asked with: there is nothing to say, but it must be JSON.
const NOTHING: [u8; 0] = [];
/// So many attempts are shown.
const SHOWN: usize = 100;

type Load = Polled<Told>;

/// The page at `/notifications`.
pub fn notifications_page() -> El {
    let load = Load::start(|| "/api/v1/notifications".to_owned(), AGAIN_MS, Told::read);
    let known = move || load.is_known();
    let any = move || load.with(|told| !told.ways.is_empty());
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([el("h1").class("page-title alerts-title").text("Notifications")]))
        .child(banners())
        .child(
            div("page-body")
                .child(push::push_part())
                .child(load.awaited("Notifications"))
                .when(
                    move || known() && !any(),
                    || {
                        empty(
                            "Nobody is told of alerts",
                            "Add [notify.route] and a [[receiver]] to the config; docs/notify.md has examples.",
                        )
                    },
                )
                .when(move || known() && any(), move || ways(load))
                .when(move || known() && any(), move || attempts(load)),
        )
}

fn section(id: &'static str, title: &'static str, inside: El) -> El {
    with_class("section", "silences")
        .attr("aria-labelledby", id)
        .child(el("h2").class("section-title").attr("id", id).text(title))
        .child(inside)
}

/// Every way, and the heartbeat.
fn ways(load: Load) -> El {
    let all = move || load.with(|told| told.ways.clone());
    let key = |way: &Way| format!("{way:?}");
    let list = with_class("ul", "silence-list").each(all, key, move |way| one(way, load));
    section("ways-title", "Who is told", list)
}

fn mark(state: State) -> El {
    let class = match state {
        State::Works => "way-state state-healthy",
        State::Fails => "way-state state-unreachable",
        State::Untried => "way-state state-unknown",
    };
    // A shape and a word, never the colour alone.
    span("way-state")
        .class(class)
        .child(span("way-shape").attr("aria-hidden", "true").text(state.shape()))
        .text(state.word())
}

fn one(way: Way, load: Load) -> El {
    let delivered = way.delivered_at;
    let waits = (way.queue > 0).then(|| {
        let count = counted(way.queue, "message waits", "messages wait");
        let oldest = way.oldest;
        p("silence-why way-error").text(format!("{count}, the oldest made ")).child(ago_mark(move || oldest))
    });
    let error = (way.state == State::Fails).then(|| p("silence-why way-error").text(way.error.clone()));
    let tried =
        delivered.map(|_| p("silence-why").text("Last delivered ").child(ago_mark(move || delivered)));
    with_class("li", "silence")
        .child(mark(way.state))
        .child(
            div("silence-words")
                .child(p("silence-about").text(way.name.clone()))
                .maybe(tried)
                .maybe(waits)
                .maybe(error),
        )
        .maybe(way.receiver.map(|receiver| trial(receiver, load)))
}

/// A button that sends a test to a receiver, and what came back.
fn trial(receiver: String, load: Load) -> El {
    let said = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let label = format!("Send a test to {receiver}");
    let press = move || {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        said.set(None);
        let path =
            format!("/api/v1/receivers/{}/test", String::from(js_sys::encode_uri_component(&receiver)));
        spawn_local(async move {
            let words = match client::post(&path, &NOTHING).await {
                Ok(text) => Json::parse(&text).map_or_else(|error| error, |json| read::tried(&json)),
                Err(error) => error.in_words(),
            };
            said.try_set(Some(words));
            busy.try_set(false);
            load.again();
        });
    };
    div("way-trial of-operator")
        .child(
            button("button")
                .attr("aria-label", label)
                .flag("disabled", move || busy.get())
                .on_click(press)
                .text(move || if busy.get() { "Sending" } else { "Send a test" }),
        )
        .child(p("silence-why").attr("role", "status").text(move || said.get().unwrap_or_default()))
}

/// What was tried, the newest first.
fn attempts(load: Load) -> El {
    let all = move || load.with(|told| told.attempts.iter().take(SHOWN).cloned().collect::<Vec<_>>());
    let key = |attempt: &Attempt| format!("{attempt:?}");
    let none = move || load.with(|told| told.attempts.is_empty());
    let list = with_class("ul", "silence-list").each(all, key, attempt);
    section("attempts-title", "What was tried", list)
        .when(none, || p("silence-why").text("Nothing so far: no alert was to be told."))
}

fn attempt(attempt: Attempt) -> El {
    let fleet = use_fleet();
    let at = attempt.at;
    let state = if attempt.delivered { State::Works } else { State::Fails };
    let title = if attempt.title.is_empty() { attempt.way.clone() } else { attempt.title.clone() };
    with_class("li", "silence")
        .child(
            span("way-state")
                .class(if attempt.delivered {
                    "way-state state-healthy"
                } else {
                    "way-state state-unreachable"
                })
                .child(span("way-shape").attr("aria-hidden", "true").text(state.shape()))
                .text(attempt.outcome),
        )
        .child(
            div("silence-words")
                .child(p("silence-about").text(title))
                .child(p("silence-why").text(format!("{}: {}", attempt.way, attempt.text))),
        )
        .child(span("silence-until num").text(move || local_hours_minutes(fleet.to_local(at))))
}
