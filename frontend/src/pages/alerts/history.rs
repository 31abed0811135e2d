//! What happened to alerts, the newest first, and more of it on demand.

use std::sync::Arc;

use fleetglass_shared::format::count;
use fleetglass_shared::wire::{AlertChange, AlertHistory};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::view::View;
use crate::charts::{clock_label, date_label};
use crate::client;
use crate::clock::zone_offset;
use crate::components::node_link::{alert_path, node_path};
use crate::components::notice::failed;
use crate::components::severity_mark::{severity_class, severity_shape};
use crate::dom::{El, button, div, effect, el, group, head_cell, link, p, span, with_class};
use crate::state::use_fleet;

/// As many at first, and with each press.
const PAGE: usize = 100;
/// Asked again after so long while the newest are shown.
const AGAIN_MS: i64 = 10_000;

#[derive(Clone, Copy)]
struct Told {
    changes: RwSignal<Arc<Vec<AlertChange>>>,
    more: RwSignal<bool>,
    loaded: RwSignal<bool>,
    trouble: RwSignal<Option<String>>,
    wanted: RwSignal<usize>,
}

/// The history of all alerts, by the view's filter.
pub fn history(view: RwSignal<View>) -> El {
    let told = Told {
        changes: RwSignal::new(Arc::default()),
        more: RwSignal::new(false),
        loaded: RwSignal::new(false),
        trouble: RwSignal::new(None),
        wanted: RwSignal::new(PAGE),
    };
    let now = use_fleet().now();
    let turn = Memo::new(move |_| now.get() / AGAIN_MS);
    effect(move || {
        let _ = turn.get();
        let wanted = told.wanted.get();
        spawn_local(async move {
            let path = format!("/api/v1/alerts/history?limit={wanted}");
            match client::get_json::<AlertHistory>(&path).await {
                Ok(answer) => {
                    told.changes.try_set(Arc::new(answer.changes));
                    told.more.try_set(answer.more);
                    told.trouble.try_set(None);
                }
                Err(error) => drop(told.trouble.try_set(Some(error.in_words()))),
            }
            told.loaded.try_set(true);
        });
    });
    let rows = move || {
        let filter = view.with(|view| view.filter.to_lowercase());
        let words: Vec<&str> = filter.split_whitespace().collect();
        told.changes.with(|changes| {
            changes.iter().filter(|change| holds(change, &words)).cloned().collect::<Vec<_>>()
        })
    };
    let none = move || told.loaded.get() && told.trouble.with(Option::is_none) && rows().is_empty();
    let table = with_class("table", "table events alert-history")
        .child(with_class("caption", "sr-only").text("What happened to alerts, the newest first"))
        .child(el("thead").child(el("tr").children(
            ["Time", "What", "Alert", "Node", "Value", "Note"].map(|title| head_cell("col", "").text(title)),
        )))
        .child(el("tbody").each(rows, key, move |change| change_row(change, true)));
    group()
        .when(move || !told.loaded.get(), || div("skeleton skeleton-table"))
        .when(
            move || told.trouble.with(Option::is_some),
            move || failed("The history did not come", move || told.trouble.get().unwrap_or_default()),
        )
        .child(div("card").flag("hidden", move || !told.loaded.get() || rows().is_empty()).child(table))
        .when(none, || p("muted events-none").text("Nothing happened to any alert, as far as is known."))
        .when(
            move || told.more.get(),
            move || {
                div("timeline-more").child(
                    button("button")
                        .on_click(move || {
                            told.wanted.update(|wanted| *wanted = (*wanted + PAGE * 2).min(5000))
                        })
                        .text("Show older"),
                )
            },
        )
}

/// A key that differs between changes.
pub fn key(change: &AlertChange) -> String {
    format!("{} {} {} {}", change.at, change.alert, change.what, change.text)
}

fn holds(change: &AlertChange, words: &[&str]) -> bool {
    words.iter().all(|word| {
        let holds = |text: &str| text.to_lowercase().contains(word);
        holds(&change.name)
            || holds(&change.what)
            || holds(&change.text)
            || holds(change.severity.as_str())
            || change.node.as_deref().is_some_and(holds)
    })
}

/// One change; with the alert's name and node where those are not the page's own.
pub fn change_row(change: AlertChange, named: bool) -> El {
    let at = change.at;
    let time = format!("{} {}", date_label(at, zone_offset), clock_label(at, zone_offset(at), true));
    let tells_colour = matches!(change.what.as_str(), "firing" | "pending");
    let what = with_class("td", "event-sign")
        .child(
            span(if tells_colour { severity_class(change.severity) } else { "" })
                .child(severity_shape(change.severity)),
        )
        .text(match change.what.as_str() {
            "firing" => format!("firing, {}", change.severity.as_str()),
            other => other.to_owned(),
        });
    let node = match &change.node {
        Some(node) => el("td").child(link("", node_path(node)).text(node)),
        None => el("td").text("–"),
    };
    el("tr")
        .child(with_class("td", "event-time num").child(el("time").text(time)))
        .child(what)
        .maybe(named.then(|| el("td").child(link("", alert_path(&change.alert)).text(&change.name))))
        .maybe(named.then_some(node))
        .child(with_class("td", "num").text(change.value.map_or_else(|| "–".to_owned(), count)))
        .child(with_class("td", "event-words").text(change.text))
}

#[cfg(test)]
mod tests {
    use fleetglass_shared::wire::Severity;

    use super::*;

    #[test]
    fn words_are_found_in_all_that_is_told() {
        let change = AlertChange {
            at: 0,
            alert: "1".into(),
            name: "Lag".into(),
            node: Some("eu-1".into()),
            severity: Severity::Critical,
            what: "acknowledged".into(),
            value: None,
            text: "by Ada".into(),
        };
        for (words, found) in
            [(&["ada", "lag"][..], true), (&["critical"], true), (&["eu-1", "firing"], false), (&[], true)]
        {
            assert_eq!(holds(&change, words), found, "{words:?}");
        }
    }
}
