//! Tokens: what programs come with.

use fleetglass_shared::format::duration_ms;
use leptos::prelude::*;
use serde::Serialize;
use web_sys::SubmitEvent;

use super::parts::{ROLES, Trial, asks_twice, choose, field, section, selectors, submit};
use super::read::{Token, nodes};
use crate::client;
use crate::components::age::ago_mark;
use crate::components::copy::copy_button;
use crate::dom::{El, button, div, el, p, span, with_class};
use crate::json::Json;
use crate::pages::node::load::escaped;
use crate::pages::polled::Polled;
use crate::state::use_fleet;

/// Asked again after so long.
const AGAIN_MS: i64 = 15_000;
const DAY: i64 = 86_400_000;

const LASTS: [(&str, &str); 4] = [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year")];

const SCOPES: [(&str, &str); 8] = [
    ("", "Everything that the role may"),
    ("read", "Read"),
    ("alerts", "Acknowledge and silence"),
    ("marks", "Mark what happened"),
    ("shares", "Share links"),
    ("write", "Send metrics (remote write)"),
    ("history", "Import and prune history"),
    ("people", "Manage people"),
];

#[derive(Serialize)]
struct NewToken {
    name: String,
    role: String,
    select: Vec<String>,
    scopes: Vec<String>,
    expires_at: i64,
}

/// The part of the page about tokens.
pub(super) fn tokens() -> El {
    let load = Polled::start(|| "/api/v1/tokens".to_owned(), AGAIN_MS, Token::all);
    let trial = Trial::new();
    let all = move || load.with(Vec::clone);
    let any = move || load.with(|tokens| !tokens.is_empty());
    let list = move || {
        let list = with_class("ul", "silence-list").each(
            all,
            |token| format!("{token:?}"),
            move |token| one(token, load, trial),
        );
        section("tokens-title", "Tokens", [list, trial.words()])
    };
    div("people-part")
        .child(load.awaited("Tokens"))
        .when(any, list)
        .when(move || load.is_known(), move || making(load))
}

fn one(token: Token, load: Polled<Vec<Token>>, trial: Trial) -> El {
    let now = use_fleet().now();
    let (at, ends) = (token.last_used_at, token.expires_at);
    let used = match at {
        Some(_) => p("silence-why")
            .text("Last used ")
            .child(ago_mark(move || at))
            .text(format!(" from {}", token.last_used_from)),
        None => p("silence-why").text("Not used yet"),
    };
    let may = if token.scopes.is_empty() { "all of it".to_owned() } else { token.scopes.join(", ") };
    let about = format!("{}, {may}; of {}; sees {}", token.role, token.user, nodes(&token.select));
    let end = move || match ends.map(|ends| ends - now.get()) {
        None => String::new(),
        Some(..=0) => "; has ended".to_owned(),
        Some(left) => format!("; ends in {}", duration_ms(left)),
    };
    let id = token.id.clone();
    let revoke = move || {
        let path = format!("/api/v1/tokens/{}", escaped(&id));
        trial.run(async move { client::delete(&path).await }, move |_| load.again());
    };
    with_class("li", "silence people-row")
        .child(
            div("silence-words")
                .child(p("silence-about").text(token.name.clone()))
                .child(p("silence-why").text(about))
                .child(used.child(span("num").text(end))),
        )
        .child(div("people-buttons").child(asks_twice("Revoke", token.name, "Really revoke", revoke)))
}

fn making(load: Polled<Vec<Token>>) -> El {
    let text = |words: &str| RwSignal::new(words.to_owned());
    let (name, select, role, lasts, scope) = (text(""), text(""), text("viewer"), text("90"), text("read"));
    let made = RwSignal::new(None::<String>);
    let trial = Trial::new();
    let now = use_fleet().now();
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let days: i64 = lasts.get_untracked().parse().unwrap_or(90);
        let scope = scope.get_untracked();
        let token = NewToken {
            name: name.get_untracked().trim().to_owned(),
            role: role.get_untracked(),
            select: select.with_untracked(|text| selectors(text)),
            scopes: if scope.is_empty() { Vec::new() } else { vec![scope] },
            expires_at: now.get_untracked() + days * DAY - 60_000,
        };
        made.set(None);
        trial.run(async move { client::post("/api/v1/tokens", &token).await }, move |answer| {
            let secret = Json::parse(&answer).ok().and_then(|json| json.get("token").text());
            made.try_set(secret);
            name.try_set(String::new());
            load.again();
        });
    };
    let form = with_class("form", "people-form")
        .on("submit", send)
        .child(field("token-name", "Name", "text", "off", name, "What it is for: a program, a script."))
        .child(choose("token-role", "Role", ROLES, role))
        .child(choose("token-scope", "May", SCOPES, scope))
        .child(choose("token-lasts", "Ends after", LASTS, lasts))
        .child(field(
            "token-select",
            "Nodes",
            "text",
            "off",
            select,
            "Selectors such as {team=\"a\"}, with ; between them. Empty: what you see.",
        ))
        .child(trial.words())
        .child(div("people-buttons").child(submit(trial, "Make a token")));
    section("make-title", "Make a token", [form])
        .when(move || made.with(Option::is_some), move || shown(made))
}

/// The token itself, this once.
fn shown(made: RwSignal<Option<String>>) -> El {
    let secret = StoredValue::new(made.get_untracked().unwrap_or_default());
    div("people-secret")
        .attr("role", "status")
        .child(p("silence-about").text("Copy it now: it is not shown again."))
        .child(el("code").class("people-token").attr("tabindex", "0").text(secret.get_value()))
        .child(
            div("people-buttons")
                .maybe(copy_button(None, move || secret.get_value()))
                .child(button("button").on_click(move || made.set(None)).text("Done")),
        )
}
