//! The browsers that are signed in.

use super::parts::{Trial, asks_twice, section};
use super::read::Session;
use crate::client;
use crate::components::age::ago_mark;
use crate::components::notice::empty;
use crate::dom::{El, button, div, el, p, span, with_class};
use crate::pages::node::load::escaped;
use crate::pages::polled::Polled;

/// Asked again after so long.
const AGAIN_MS: i64 = 10_000;

/// The part of the page about sessions.
pub(super) fn sessions() -> El {
    let load = Polled::start(|| "/api/v1/sessions".to_owned(), AGAIN_MS, Session::all);
    let trial = Trial::new();
    let any = move || load.with(|sessions| !sessions.is_empty());
    let list = move || {
        let list = with_class("ul", "silence-list").each(
            move || load.with(Vec::clone),
            |session| format!("{session:?}"),
            move |session| one(session, load, trial),
        );
        let others = move || {
            trial.run(async { client::delete("/api/v1/sessions").await }, move |_| {
                trial.say("All others of yours are signed out.");
                load.again();
            });
        };
        let buttons =
            div("people-buttons").child(button("button").on_click(others).text("Sign out all my others"));
        section("sessions-title", "Signed in", [list, trial.words(), buttons])
    };
    let detail = "A browser that signs in with a name and a password, or an OpenID provider, stands here.";
    div("people-part")
        .child(load.awaited("Sessions"))
        .when(any, list)
        .when(move || load.is_known() && !any(), move || empty("No browser is signed in", detail))
}

fn one(session: Session, load: Polled<Vec<Session>>, trial: Trial) -> El {
    let at = session.last_used_at;
    let id = session.id.clone();
    let revoke = move || {
        let path = format!("/api/v1/sessions/{}", escaped(&id));
        trial.run(async move { client::delete(&path).await }, move |_| load.again());
    };
    let label = format!("{}, {}", session.user, session.browser);
    with_class("li", "silence people-row")
        .child(
            div("silence-words")
                .child(
                    p("silence-about")
                        .child(el("bdi").text(session.user.clone()))
                        .maybe(session.current.then(|| span("chip people-role").text("this browser"))),
                )
                .child(
                    p("silence-why")
                        .text(format!("{} at {}, {}; last used ", session.browser, session.ip, session.via))
                        .child(ago_mark(move || at)),
                ),
        )
        .child(div("people-buttons").child(asks_twice("Sign out", label, "Really sign out", revoke)))
}
