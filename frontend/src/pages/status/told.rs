//! Who is told of a status page, and a button that takes each of them away.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Desk;
use super::read::{self, Subscriber};
use crate::client;
use crate::dom::{El, button, div, effect, el, p, with_class};

#[derive(Clone, Copy)]
struct Told {
    desk: Desk,
    all: RwSignal<Option<Arc<Vec<Subscriber>>>>,
    trouble: RwSignal<String>,
    again: RwSignal<u64>,
}

/// The list, asked for when it is opened: addresses are nobody's business until then.
pub(super) fn told(desk: Desk) -> El {
    let told = Told {
        desk,
        all: RwSignal::new(None),
        trouble: RwSignal::new(String::new()),
        again: RwSignal::new(0),
    };
    effect(move || {
        told.again.track();
        let slug = desk.slug.get();
        spawn_local(async move {
            match client::get_value(&format!("/api/v1/status/{slug}/subscribers")).await {
                Ok(json) => {
                    told.all.try_set(Some(Arc::new(read::subscribers(&json))));
                    told.trouble.try_set(String::new());
                }
                Err(error) => drop(told.trouble.try_set(error.in_words())),
            }
        });
    });
    let none = move || told.all.with(|all| all.as_ref().is_some_and(|all| all.is_empty()));
    with_class("section", "status-told")
        .attr("aria-labelledby", "status-told-title")
        .child(el("h3").class("status-form-title").attr("id", "status-told-title").text("Who is told"))
        .child(p("range-trouble").attr("role", "alert").text(move || told.trouble.get()))
        .when(none, || p("silence-why").text("Nobody has subscribed."))
        .child(with_class("ul", "silence-list").each(
            move || told.all.get().map(|all| all.to_vec()).unwrap_or_default(),
            |one| format!("{one:?}"),
            move |subscriber| one(told, subscriber),
        ))
}

fn one(told: Told, subscriber: Subscriber) -> El {
    let id = StoredValue::new(subscriber.id.clone());
    let remove = move || {
        let path =
            format!("/api/v1/status/{}/subscribers/{}", told.desk.slug.get_untracked(), id.get_value());
        spawn_local(async move {
            if let Err(error) = client::delete(&path).await {
                told.trouble.try_set(error.in_words());
            }
            told.again.try_update(|again| *again += 1);
            told.desk.retry();
        });
    };
    let state = match (subscriber.confirmed, subscriber.waiting) {
        (false, _) => "has not confirmed it".to_owned(),
        (true, 0) => "is told".to_owned(),
        (true, n) => format!("is told, {n} on the way"),
    };
    with_class("li", "silence")
        .child(
            div("silence-words")
                .child(p("silence-about").text(subscriber.address.clone()))
                .child(p("silence-why").text(format!("{}, {state}", subscriber.kind))),
        )
        .child(
            button("button")
                .attr("aria-label", format!("Remove {}", subscriber.address))
                .on_click(remove)
                .text("Remove"),
        )
}
