//! Who can sign in with a password.

use leptos::prelude::*;
use serde::Serialize;
use web_sys::{Event, SubmitEvent};

use super::parts::{ROLES, Trial, asks_twice, choose, field, section, selectors, submit};
use super::read::{User, nodes};
use crate::client;
use crate::components::age::ago_mark;
use crate::components::notice::empty;
use crate::dom::{El, button, div, el, p, span, with_class};
use crate::pages::node::load::escaped;
use crate::pages::polled::Polled;

/// Asked again after so long.
const AGAIN_MS: i64 = 15_000;

#[derive(Serialize)]
struct NewUser {
    name: String,
    role: String,
    select: Vec<String>,
    password: String,
}

#[derive(Default, Serialize)]
struct Change {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<bool>,
}

/// The part of the page about users.
pub(super) fn users() -> El {
    let load = Polled::start(|| "/api/v1/users".to_owned(), AGAIN_MS, User::all);
    let all = move || load.with(Vec::clone);
    let none = move || load.is_known() && load.with(Vec::is_empty);
    let trial = Trial::new();
    let list = move || {
        let list = with_class("ul", "silence-list").each(
            all,
            |user| format!("{user:?}"),
            move |user| one(user, load, trial),
        );
        section("users-title", "Users", [list, trial.words()])
    };
    let detail =
        "Whoever gets a name and a password here signs in at /login; with the first one, everybody must.";
    div("people-part")
        .child(load.awaited("Users"))
        .when(none, move || empty("No users", detail))
        .when(move || load.with(|users| !users.is_empty()), list)
        .when(move || load.is_known(), move || adding(load))
}

fn path(name: &str) -> String {
    format!("/api/v1/users/{}", escaped(name))
}

fn change(load: Polled<Vec<User>>, trial: Trial, name: &str, change: Change) {
    let path = path(name);
    trial.run(async move { client::patch(&path, &change).await }, move |_| load.again());
}

fn one(user: User, load: Polled<Vec<User>>, trial: Trial) -> El {
    let (role, at) = (user.role.clone(), user.last_login_at);
    let option = |(word, _): (&'static str, &'static str)| {
        let role = role.clone();
        el("option").attr("value", word).flag("selected", move || role == word).text(word)
    };
    let name = user.name.clone();
    let roles = el("select").attr("aria-label", format!("Role of {name}")).children(ROLES.map(option)).on(
        "change",
        move |event: Event| {
            let role = Some(event_target_value(&event));
            change(load, trial, &name, Change { role, ..Change::default() });
        },
    );
    let (name, disabled) = (user.name.clone(), user.disabled);
    let press = move || {
        change(load, trial, &name, Change { disabled: Some(!disabled), ..Change::default() });
    };
    let (verb, gone) = if disabled { ("Enable", user.name.clone()) } else { ("Disable", user.name.clone()) };
    let name = user.name.clone();
    let remove = move || {
        let path = path(&name);
        trial.run(async move { client::delete(&path).await }, move |_| load.again());
    };
    let seen = match at {
        Some(_) => p("silence-why").text("Last signed in ").child(ago_mark(move || at)),
        None => p("silence-why").text("Has not signed in yet"),
    };
    with_class("li", "silence people-row")
        .child(
            div("silence-words")
                .child(
                    p("silence-about")
                        .child(el("bdi").text(user.name.clone()))
                        .maybe(user.disabled.then(|| span("chip people-role").text("disabled"))),
                )
                .child(p("silence-why").text(format!("Sees {}", nodes(&user.select))))
                .child(seen),
        )
        .child(
            div("people-buttons")
                .child(with_class("label", "select").child(roles))
                .child(
                    button("button").attr("aria-label", format!("{verb} {gone}")).on_click(press).text(verb),
                )
                .child(asks_twice("Remove", user.name, "Really remove", remove)),
        )
}

fn adding(load: Polled<Vec<User>>) -> El {
    let text = || RwSignal::new(String::new());
    let (name, password, select, role) = (text(), text(), text(), RwSignal::new("viewer".to_owned()));
    let trial = Trial::new();
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let user = NewUser {
            name: name.get_untracked().trim().to_owned(),
            role: role.get_untracked(),
            select: select.with_untracked(|text| selectors(text)),
            password: password.get_untracked(),
        };
        let words = format!("{} can sign in now.", user.name);
        trial.run(async move { client::post("/api/v1/users", &user).await }, move |_| {
            for text in [name, password, select] {
                text.try_set(String::new());
            }
            trial.say(words);
            load.again();
        });
    };
    let form = with_class("form", "people-form")
        .on("submit", send)
        .child(field("user-name", "Name", "text", "off", name, ""))
        .child(field(
            "user-password",
            "First password",
            "password",
            "new-password",
            password,
            "12 characters or more; they change it under You.",
        ))
        .child(choose("user-role", "Role", ROLES, role))
        .child(field(
            "user-select",
            "Nodes",
            "text",
            "off",
            select,
            "Selectors such as {team=\"a\"}, with ; between them. Empty: the whole fleet.",
        ))
        .child(trial.words())
        .child(div("people-buttons").child(submit(trial, "Add")));
    section("add-title", "Add a user", [form])
}
