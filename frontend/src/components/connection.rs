//! How this page is connected, always in sight; and what to do when it is not.

use fleetglass_shared::format::duration_ms;
use leptos::prelude::*;

use super::alert_banner::alert_banner;
use super::icon::{Icon, icon};
use super::share_banner::share_banner;
use crate::client::{Trouble, try_now};
use crate::clock::{local_hours_minutes, local_now};
use crate::dom::{El, button, div, group, p, span};
use crate::shared::shared;
use crate::state::{Fleet, Link, use_fleet};

fn silence(fleet: Fleet) -> String {
    duration_ms(fleet.now().get() - fleet.heard_at().get())
}

fn countdown(fleet: Fleet, retry_at: i64) -> String {
    // The clock's tick is what makes this count down.
    fleet.now().track();
    duration_ms((retry_at - local_now() + 999).max(0))
}

/// A dot and one or two words.
pub fn connection() -> El {
    let fleet = use_fleet();
    let class = move || {
        fleet.link().with(|link| match link {
            Link::Connecting => "connection connection-connecting",
            Link::Live => "connection connection-live",
            Link::Stale => "connection connection-stale",
            Link::Retrying(_) | Link::Waiting { .. } | Link::Unauthorized => "connection connection-lost",
        })
    };
    let words = move || match fleet.link().get() {
        Link::Connecting => "connecting".to_owned(),
        Link::Live => "live".to_owned(),
        Link::Stale => format!("stale, {} old", silence(fleet)),
        Link::Retrying(_) => "reconnecting".to_owned(),
        Link::Waiting { retry_at, .. } => format!("reconnecting in {}", countdown(fleet, retry_at)),
        Link::Unauthorized => "token needed".to_owned(),
    };
    span("")
        .class(class)
        .child(span("connection-dot").attr("aria-hidden", "true"))
        .child(span("connection-word num").text(words))
}

/// What may stand between the bar and the body of every page: what is wrong with the connection, and the open
/// alerts.
pub fn banners() -> El {
    group().maybe(shared().map(share_banner)).child(connection_banner()).child(alert_banner())
}

/// Says in a full sentence what is wrong with the connection, and that it is us and not the fleet.
/// An empty box while nothing is wrong.
fn connection_banner() -> El {
    let fleet = use_fleet();
    let trouble = move || match fleet.link().get() {
        Link::Waiting { trouble, .. } | Link::Retrying(trouble) => Some(trouble),
        _ => None,
    };
    let broken = move || !matches!(fleet.link().get(), Link::Connecting | Link::Live | Link::Unauthorized);
    let from_before = move || fleet.is_from_before().get();
    let sentence = move || match trouble() {
        Some(trouble) if from_before() => {
            let why = if trouble == Trouble::Offline { "Offline" } else { "Fleetglass does not answer" };
            let at = local_hours_minutes(fleet.to_local(fleet.heard_at().get()));
            format!("{why}. The fleet as of {at}, {} ago.", silence(fleet))
        }
        Some(Trouble::Offline) => {
            "This browser is offline: it is us, not the fleet. Check your network connection. ".to_owned()
        }
        Some(Trouble::ProxyGone) => {
            "Fleetglass does not answer: it is us, not the fleet. Check that the proxy runs. ".to_owned()
        }
        Some(Trouble::Refused(detail)) => format!("{detail} "),
        None => "Fleetglass has gone quiet: it is us, not the fleet. ".to_owned(),
    };
    let held = move || match fleet.heard_at().get() {
        0 => String::new(),
        _ if from_before() => String::new(),
        _ => format!("What you see is {} old.", silence(fleet)),
    };
    let next = move || match fleet.link().get() {
        Link::Waiting { retry_at, .. } => format!("Next try in {}", countdown(fleet, retry_at)),
        Link::Retrying(_) => "Trying now".to_owned(),
        _ => String::new(),
    };
    group().when(broken, move || {
        div("banner")
            .attr("role", "status")
            .child(icon(Icon::Unplugged))
            .child(p("banner-text").text(sentence).child(span("").attr("aria-hidden", "true").text(held)))
            .when(
                move || trouble().is_some(),
                move || span("banner-next num").attr("aria-hidden", "true").text(next),
            )
            .when(move || trouble().is_some(), || button("button").on_click(try_now).text("Try now"))
    })
}
