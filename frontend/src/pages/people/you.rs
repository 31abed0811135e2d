//! Who looks at this page, how they came in, and their password.

use leptos::prelude::*;
use serde::Serialize;
use web_sys::SubmitEvent;

use super::parts::{Trial, field, section, submit};
use super::read::{Me, nodes};
use crate::client::{self, forget_token, has_token, try_now};
use crate::dom::{El, button, div, el, p, span, with_class};
use crate::pages::polled::Polled;
use crate::shared::placed;

#[derive(Serialize)]
struct NewPassword {
    old: String,
    new: String,
}

/// The part of the page about you.
pub(super) fn you(me: Polled<Me>) -> El {
    let name = move || me.with(|me| me.name.clone()).unwrap_or_else(|| "Nobody".to_owned());
    let role = move || me.with(|me| me.role.clone());
    let came = move || me.with(Me::came);
    let sees = move || me.with(|me| format!("Sees {}.", nodes(&me.select)));
    let card = div("people-you")
        .child(
            div("silence-words")
                .child(
                    p("people-name")
                        .text(name)
                        .when(move || !role().is_empty(), move || span("chip people-role").text(role)),
                )
                .child(p("silence-why").text(move || format!("{}. {}", came(), sees()))),
        )
        .when(move || me.with(Me::has_session), sign_out)
        .when(move || me.with(|me| me.via == "token") && has_token(), forget)
        .when(move || me.with(|me| me.name.is_none() && me.can_sign_in), sign_in);
    div("people-part")
        .child(section("you-title", "You", [card]))
        .when(move || me.with(|me| me.via == "password"), password)
}

/// A form of the browser's own: it works whatever state this page is in.
fn sign_out() -> El {
    el("form")
        .attr("method", "post")
        .attr("action", placed("/logout"))
        .child(button("button").attr("type", "submit").text("Sign out"))
}

fn sign_in() -> El {
    with_class("a", "button")
        .attr("href", placed("/login?next=/people"))
        .attr("rel", "external")
        .text("Sign in")
}

fn forget() -> El {
    let press = || {
        forget_token();
        try_now();
    };
    button("button").on_click(press).text("Forget the token")
}

fn password() -> El {
    let (old, new, again) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let trial = Trial::new();
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if new.get_untracked() != again.get_untracked() {
            trial.fail("The new password was not typed the same twice.".to_owned());
            return;
        }
        let body = NewPassword { old: old.get_untracked(), new: new.get_untracked() };
        trial.run(async move { client::post("/api/v1/me/password", &body).await }, move |_| {
            for text in [old, new, again] {
                text.try_set(String::new());
            }
            trial.say("Your password is changed; other browsers of yours are signed out.");
        });
    };
    let form = with_class("form", "people-form")
        .on("submit", send)
        .child(field("old", "Password now", "password", "current-password", old, ""))
        .child(field("new", "New password", "password", "new-password", new, "12 characters or more."))
        .child(field("again", "New password, again", "password", "new-password", again, ""))
        .child(trial.words())
        .child(div("people-buttons").child(submit(trial, "Change the password")));
    section("password-title", "Password", [form])
}
