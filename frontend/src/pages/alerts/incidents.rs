//! Alerts of one cause: what it is, since when, the evidence, and the alerts inside.

use std::sync::Arc;

use fleetglass_shared::wire::{CauseKind, Incident, Incidents};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::list::current;
use super::listing::{Bundle, Listing};
use super::row::{Rows, alert_row};
use super::view::View;
use crate::client;
use crate::components::age::since_mark;
use crate::components::node_link::node_path;
use crate::components::severity_mark::{severity_class, severity_shape};
use crate::components::words::counted;
use crate::dom::{El, button, div, drawing, effect, el, group, link, p, span, unseen, with_class};
use crate::shared::shared;
use crate::state::{Link, use_fleet};

/// So many alerts stand open at first, and so many more come with each press.
const FEW: usize = 5;
const MORE: usize = 50;
/// Asked again after so long: what is known of the fleet changes, too.
const AGAIN_MS: i64 = 10_000;
/// The proxy works them out a moment after an alert changed.
const SETTLED_MS: i64 = 2_000;

/// The incidents; asked anew when alerts change and now and then while the page is there. `None` before the first
/// answer, so that no alert is shown alone and then moves.
pub fn follow() -> RwSignal<Option<Arc<Vec<Incident>>>> {
    let fleet = use_fleet();
    let incidents = RwSignal::new(None::<Arc<Vec<Incident>>>);
    // They may tell of nodes that a share link does not show.
    if shared().is_some() {
        incidents.set(Some(Arc::default()));
        return incidents;
    }
    let firing = Memo::new(move |_| {
        fleet.alerts().with(|alerts| {
            let firing =
                alerts.iter().filter(|alert| alert.fired_at.is_some() && alert.resolved_at.is_none());
            firing.map(|alert| alert.id.clone()).collect::<Vec<_>>()
        })
    });
    let changed_at = Memo::new(move |_| {
        firing.track();
        fleet.now().get_untracked()
    });
    // At once, and again until what changed is in them.
    let turn = Memo::new(move |_| {
        let (now, since) = (fleet.now().get(), changed_at.get());
        let fresh = (now - since).clamp(0, 2 * SETTLED_MS) / SETTLED_MS;
        (since, fresh, now / AGAIN_MS)
    });
    effect(move || {
        let _ = turn.get();
        if fleet.link().with_untracked(|link| *link != Link::Live && *link != Link::Connecting) {
            // The alerts that are held are shown without them.
            if incidents.with_untracked(Option::is_none) {
                incidents.set(Some(Arc::default()));
            }
            return;
        }
        spawn_local(async move {
            let answer = client::get_json::<Incidents>("/api/v1/incidents").await;
            let Some(held) = incidents.try_get_untracked() else { return };
            match (answer, held) {
                (Ok(answer), held) if held.as_deref() != Some(&answer.incidents) => {
                    incidents.try_set(Some(Arc::new(answer.incidents)));
                }
                // The alerts are there without them.
                (Err(_), None) => drop(incidents.try_set(Some(Arc::default()))),
                _ => {}
            }
        });
    });
    incidents
}

/// A card for each incident of several alerts.
pub fn cards(rows: Rows, view: RwSignal<View>, shown: RwSignal<Arc<Listing>>) -> El {
    let ids = move || {
        shown.with(|shown| shown.bundles.iter().map(|bundle| bundle.incident.id.clone()).collect::<Vec<_>>())
    };
    let card = move |id: String| {
        let bundle = Memo::new(move |before: Option<&Option<Bundle>>| {
            let now = shown.with(|shown| shown.bundles.iter().find(|own| own.incident.id == id).cloned());
            now.or_else(|| before.cloned().flatten())
        });
        card(rows, view, bundle)
    };
    div("incidents").each(ids, Clone::clone, card)
}

fn card(rows: Rows, view: RwSignal<View>, bundle: Memo<Option<Bundle>>) -> El {
    let of = move || bundle.get();
    let title = move || of().map(|of| of.incident.title).unwrap_or_default();
    let id = bundle.with_untracked(|of| of.as_ref().map(|of| of.incident.id.clone())).unwrap_or_default();
    let (title_id, list_id) = (format!("incident-{id}"), format!("incident-alerts-{id}"));
    let count = move || bundle.with(|of| of.as_ref().map_or(0, |of| of.alerts.len()));
    let chosen = RwSignal::new(None::<bool>);
    let shows = RwSignal::new(MORE);
    let sought = Memo::new(move |_| view.with(|view| view.filter.trim().to_owned()));
    let is_open = Memo::new(move |_| {
        let few = count() <= FEW || sought.with(|sought| !sought.is_empty());
        chosen.get().unwrap_or(few)
    });
    // Who seeks wants to see, whatever was closed before.
    effect(move || {
        sought.track();
        chosen.set(None);
    });
    let class = move || of().map_or("incident", |of| severity_class(of.incident.severity));
    let cause = move || {
        let kind = of()?.incident.cause;
        Some(span("incident-cause").child(drawing("icon", "0 0 20 20", drawn(kind))).text(word(kind)))
    };
    let severity = move || {
        let severity = of()?.incident.severity;
        Some(
            span("status severity")
                .child(severity_shape(severity))
                .child(span("status-word").text(severity.as_str())),
        )
    };
    let press = button("button incident-press")
        .attr("aria-controls", list_id.clone())
        .aria("aria-expanded", move || is_open.get())
        .on_click(move || chosen.set(Some(!is_open.get_untracked())))
        .text(move || match is_open.get() {
            true => "Hide alerts".to_owned(),
            false => format!("Show {}", counted(count(), "alert", "alerts")),
        })
        .child(unseen(move || format!(" of {}", title())));
    el("section")
        .class(move || format!("incident {}", class()))
        .attr("aria-labelledby", &title_id)
        .child(
            div("incident-head")
                .child(div("incident-marks").live(severity).live(cause))
                .child(el("h2").class("incident-title").attr("id", title_id.clone()).text(title))
                .child(press),
        )
        .child(begun(bundle))
        .child(with_class("ul", "incident-evidence").attr("aria-label", "Evidence").each(
            move || of().map(|of| of.incident.evidence).unwrap_or_default(),
            Clone::clone,
            |sentence| el("li").text(sentence),
        ))
        .child(
            div("incident-alerts")
                .attr("id", list_id)
                .flag("hidden", move || !is_open.get())
                .when(move || is_open.get(), move || inside(rows, bundle, shows)),
        )
}

/// How many alerts and nodes, since when, and who was first.
fn begun(bundle: Memo<Option<Bundle>>) -> El {
    let counts = move || {
        let Some(of) = bundle.get() else { return String::new() };
        let nodes = match of.incident.nodes {
            0 => String::new(),
            nodes => format!(" on {}", counted(nodes as usize, "node", "nodes")),
        };
        format!("{}{nodes}, for ", counted(of.incident.alerts.len(), "alert", "alerts"))
    };
    let since = move || bundle.with(|of| of.as_ref().map(|of| of.incident.since).unwrap_or_default());
    let first = Memo::new(move |_| {
        bundle.with(|of| of.as_ref().and_then(|of| of.incident.first.first().map(|first| first.node.clone())))
    });
    p("incident-begun num").child(span("").text(counts).child(since_mark(since))).live(move || {
        let node = first.get()?;
        Some(
            span("")
                .text(" · started with ")
                .child(link("incident-first", node_path(&node)).child(el("bdi").text(node))),
        )
    })
}

/// The alerts, the worst first; as many as a page bears.
fn inside(rows: Rows, bundle: Memo<Option<Bundle>>, shows: RwSignal<usize>) -> El {
    let alerts = move || {
        let alerts = bundle.with(|of| of.as_ref().map(|of| of.alerts.clone())).unwrap_or_default();
        alerts.into_iter().take(shows.get()).collect::<Vec<_>>()
    };
    let left = Memo::new(move |_| {
        let all = bundle.with(|of| of.as_ref().map_or(0, |of| of.alerts.len()));
        all.saturating_sub(shows.get())
    });
    let label = move || {
        let title = bundle.with(|of| of.as_ref().map(|of| of.incident.title.clone()));
        format!("Alerts of: {}", title.unwrap_or_default())
    };
    group()
        .child(div("incident-list").attr("role", "list").attr("aria-label", label).each(
            alerts,
            |alert| alert.id.clone(),
            move |alert| {
                let now = current(alert.id.clone());
                div("incident-item").attr("role", "listitem").child(alert_row(rows, alert, now))
            },
        ))
        .when(
            move || left.get() > 0,
            move || {
                button("button incident-more")
                    .on_click(move || shows.update(|shows| *shows += MORE))
                    .text(move || format!("Show more: {} left", left.get()))
            },
        )
}

/// The cause in a word or two.
fn word(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::Egress => "our own way out",
        CauseKind::Host => "host",
        CauseKind::Region => "place",
        CauseKind::Release => "release",
        CauseKind::Network => "family's network",
        CauseKind::Fleet => "whole fleet",
        CauseKind::Node => "node",
        CauseKind::Alone => "alone",
    }
}

/// A drawing of the cause, in the strokes of the other icons; here, because no other page needs them.
fn drawn(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::Egress => "M3 3l14 14M7.5 4.5v3M12.5 4.5v3M5.5 8h9v2.5a4.5 4.5 0 0 1-6.8 3.9M10 15v3",
        CauseKind::Host => "M3.5 4h13v5h-13zM3.5 11h13v5h-13zM6 6.5h2M6 13.5h2",
        CauseKind::Region => {
            "M10 17.5s5.5-5 5.5-9.5a5.5 5.5 0 1 0-11 0c0 4.5 5.5 9.5 5.5 9.5zM10 6a2 2 0 1 0 0 4a2 2 0 1 0 0-4z"
        }
        CauseKind::Release => "M3.5 3.5h6l7 7-6 6-7-7zM7 7h.01",
        CauseKind::Network => {
            "M10 3a2 2 0 1 0 0 4a2 2 0 1 0 0-4zM4.5 13a2 2 0 1 0 0 4a2 2 0 1 0 0-4zM15.5 13a2 2 0 1 0 0 4a2 2 0 1 0 0-4zM9 7l-3.5 6M11 7l3.5 6M6.5 15h7"
        }
        CauseKind::Fleet => "M3.5 3.5h5v5h-5zM11.5 3.5h5v5h-5zM3.5 11.5h5v5h-5zM11.5 11.5h5v5h-5z",
        CauseKind::Node | CauseKind::Alone => "M10 4.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z",
    }
}
