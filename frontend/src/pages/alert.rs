//! The page of one alert: what, since when, its value against the bound, what it means, what to do, whether it is
//! this node's or everyone's, what happened to it, and its rule.
//!
//! | module | is |
//! |---|---|
//! | `load` | its detail, asked anew when the live stream says it changed |
//! | `words` | pure: how it stands, in sentences |
//! | `chart` | the value against its bound |
//! | `parts` | the sections |

mod chart;
mod load;
pub mod parts;
mod words;

use leptos::prelude::*;

use self::load::AlertLoad;
use crate::components::connection::banners;
use crate::components::frame::top_bar;
use crate::components::icon::{Icon, icon};
use crate::components::notice::{empty, failed};
use crate::components::severity_mark::{severity_class, severity_mark};
use crate::dom::{El, button, div, el, group, link, p, with_class};
use crate::pages::alerts::desk::{Act, Desk};
use crate::pages::alerts::silences;
use crate::shared::shared;
use crate::state::alerts::summary;
use crate::state::use_fleet;

/// The page at `/alerts/{id}`.
pub fn alert_page(id: &str) -> El {
    let desk = Desk::new();
    let load = AlertLoad::start(id);
    let back = link("icon-button node-back", "/alerts")
        .attr("aria-label", "Back to the alerts")
        .child(icon(Icon::Back));
    let title = move || load.alert().map_or_else(|| "Alert".to_owned(), |alert| alert.name.clone());
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([back, el("h1").class("page-title").text(title)]))
        .child(banners())
        .child(body(load, desk))
        .child(desk.parts())
}

fn body(load: AlertLoad, desk: Desk) -> El {
    let known = move || load.alert().is_some();
    let gone = move || load.refused.get() && !known();
    let broken = move || load.trouble.with(Option::is_some) && !known() && !gone();
    let waits = move || !known() && !gone() && !broken();
    let why = move || load.trouble.get().unwrap_or_default();
    div("page-body alert-page")
        .when(gone, || {
            empty("There is no such alert any more", "It was resolved some time ago, or its rule is gone.")
                .child(link("button button-primary", "/alerts?show=history").text("Show the history"))
        })
        .when(broken, move || {
            failed("This alert did not come", why)
                .child(button("button").on_click(move || load.again()).text("Try again"))
        })
        .when(waits, || {
            div("loading")
                .attr("aria-busy", "true")
                .child(p("sr-only").attr("role", "status").text("Loading the alert"))
                .child(div("skeleton skeleton-line"))
                .child(div("skeleton skeleton-table"))
        })
        .when(known, move || head(load, desk))
        .when(known, move || parts::told(load))
        .when(move || load.detail().is_some() && shared().is_none(), move || chart::section(load))
        .when(move || load.detail().is_some(), move || parts::others(load))
        .when(move || load.detail().is_some(), move || parts::history(load))
        .when(known, move || parts::labels(load))
        .when(move || load.detail().is_some_and(|detail| detail.rule.is_some()), move || parts::rule(load))
}

/// Three seconds to read: how bad, what, where, since when; and the two buttons.
fn head(load: AlertLoad, desk: Desk) -> El {
    let now = use_fleet().now();
    let all = silences::follow(desk);
    let class = move || load.alert().map_or("alert-head", |alert| severity_class(alert.severity));
    let line = move || load.alert().map(|alert| words::stands(&alert, now.get())).unwrap_or_default();
    let notes = move || {
        let alert = load.alert()?;
        let notes = words::notes(&alert, &all.get(), now.get());
        (!notes.is_empty()).then(|| {
            with_class("ul", "alert-notes").children(notes.into_iter().map(|note| el("li").text(note)))
        })
    };
    let ask = move |act: Act| {
        move || {
            if let Some(alert) = untrack(|| load.alert()) {
                desk.ask(act, alert);
            }
        }
    };
    let live = move || load.alert().is_some_and(|alert| alert.resolved_at.is_none());
    let taken = move || load.alert().is_some_and(|alert| alert.acknowledged.is_some());
    let give_back = move || {
        if let Some(alert) = untrack(|| load.alert()) {
            desk.give_back(alert.id.clone());
        }
    };
    // For readers of a public status page.
    let publish = move || load.alert().map(|alert| format!("/status?alert={}", alert.id)).unwrap_or_default();
    let acts = move || {
        div("alert-head-acts of-operator")
            .when(
                move || !taken(),
                move || button("button button-primary").on_click(ask(Act::Acknowledge)).text("Acknowledge"),
            )
            .when(taken, move || button("button").on_click(give_back).text("Give back"))
            .child(button("button").on_click(ask(Act::Silence)).text("Silence"))
            .child(link("button", publish).text("Status page"))
    };
    el("section")
        .class(move || format!("alert-head {}", class()))
        .attr("aria-label", "State")
        .child(
            div("alert-head-words")
                .child(
                    div("alert-head-line")
                        .live(move || load.alert().map(|alert| severity_mark(&alert)))
                        .child(p("alert-head-stands num").text(line)),
                )
                .child(
                    p("alert-head-summary").text(move || {
                        load.alert().map(|alert| summary(&alert).to_owned()).unwrap_or_default()
                    }),
                )
                .child(group().live(move || {
                    let node = load.alert()?.node.clone()?;
                    Some(parts::node_line(&node))
                }))
                .child(parts::risk_line(load))
                .live(move || load.detail()?.incident.as_ref().and_then(parts::incident_line))
                .live(notes),
        )
        .when(move || live() && shared().is_none(), acts)
}
