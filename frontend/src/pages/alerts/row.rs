//! One alert in the list; on a phone the same row is a card.

use std::sync::Arc;

use fleetglass_shared::format::{count, duration_ms};
use fleetglass_shared::wire::{Alert, Held};
use leptos::prelude::*;

use super::desk::{Act, Desk};
use super::silences::Silence;
use crate::components::age::since_mark;
use crate::components::node_link::{alert_path, node_path};
use crate::components::severity_mark::{severity_class, severity_mark};
use crate::dom::{El, button, div, el, link, span};
use crate::shared::shared;
use crate::state::alerts::{AlertRef, summary};
use crate::state::use_fleet;

/// What rows share.
#[derive(Clone, Copy)]
pub struct Rows {
    /// What a press does.
    pub desk: Desk,
    /// To say when one ends.
    pub silences: RwSignal<Arc<Vec<Silence>>>,
}

/// A row. What it says follows the alert; its links and buttons stay, and with them the focus.
pub fn alert_row(rows: Rows, first: AlertRef, alert: Memo<Option<AlertRef>>) -> El {
    let now = use_fleet().now();
    let kept = StoredValue::new(first.clone());
    // When it has gone meanwhile the row goes in the same turn.
    let current = move || alert.get().unwrap_or_else(|| kept.get_value());
    let ask = move |act: Act| move || rows.desk.ask(act, untrack(current));
    let taken = move || current().acknowledged.is_some();
    let (id, name, node) = (first.id.clone(), first.name.clone(), first.node.clone());
    let place = match node {
        Some(node) => link("alert-node", node_path(&node)).attr("title", &node).child(el("bdi").text(node)),
        None => span("alert-node muted").text("–"),
    };
    let value = move || current().value.map_or_else(|| "–".to_owned(), count);
    let chips = move || {
        let alert = current();
        let words = chips(&alert, &rows.silences.get(), now.get());
        (!words.is_empty()).then(|| {
            span("alert-chips").children(words.into_iter().map(|(class, words)| span(class).text(words)))
        })
    };
    let take = button("button alert-act")
        .attr("aria-label", format!("Acknowledge {name}"))
        .on_click(ask(Act::Acknowledge))
        .text("Acknowledge");
    let give_back = {
        let id = id.clone();
        button("button alert-act")
            .attr("aria-label", format!("Give {name} back"))
            .on_click(move || rows.desk.give_back(id.clone()))
            .text("Give back")
    };
    let silence = button("button alert-act")
        .attr("aria-label", format!("Silence {name}"))
        .on_click(ask(Act::Silence))
        .text("Silence");
    el("div")
        .class(move || format!("alert-row {}", severity_class(current().severity)))
        .child(span("alert-severity").live(move || Some(severity_mark(&current()))))
        .child(link("alert-name", alert_path(&id)).attr("title", &name).text(&name))
        .child(place)
        .child(
            span("alert-summary")
                .live(chips)
                .child(span("alert-words").text(move || summary(&current()).to_owned())),
        )
        .child(span("alert-value num").text(value))
        .child(span("alert-since num").child(since_mark(move || current().active_at)))
        // Through a share link nobody does any of it.
        .maybe(shared().is_none().then(|| {
            div("alert-acts of-operator")
                .when(move || !taken(), move || take.clone())
                .when(taken, move || give_back.clone())
                .child(silence)
        }))
}

/// What stands out about an alert, each in its class.
pub fn chips(alert: &Alert, silences: &[Silence], now: i64) -> Vec<(&'static str, String)> {
    let mut words = Vec::new();
    match alert.held {
        Some(Held::NoData) => words.push(("chip chip-skew", "held: no data".to_owned())),
        Some(Held::KeepFiring) => words.push(("chip", "kept firing".to_owned())),
        None => {}
    }
    if let Some(flaps) = alert.flaps {
        words.push(("chip chip-skew", format!("flapping, {flaps} times an hour")));
    }
    if let Some(taken) = &alert.acknowledged {
        let until = taken.until.map(|until| format!(", {} left", duration_ms(until - now)));
        words.push(("chip", format!("{}{}", taken.by, until.unwrap_or_default())));
    }
    let of_it = silences.iter().filter(|silence| alert.silenced_by.contains(&silence.id));
    if let Some(last) = of_it.max_by_key(|silence| silence.ends_at) {
        let class = if last.ends_soon(now) { "chip chip-skew" } else { "chip" };
        words.push((class, format!("silence {}", last.until(now))));
    } else if !alert.silenced_by.is_empty() {
        words.push(("chip", "silenced".to_owned()));
    }
    if !alert.inhibited_by.is_empty() {
        words.push(("chip", "quieted by another alert".to_owned()));
    }
    if !alert.muted_by.is_empty() {
        words.push(("chip", format!("muted by maintenance {}", alert.muted_by.join(", "))));
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::alerts::tests::sample;

    #[test]
    fn what_stands_out_is_said_in_words() {
        let alert =
            sample(json!({"held": "no_data", "flaps": 7, "silenced_by": ["s", "t"], "inhibited_by": ["x"],
            "acknowledged": {"by": "ada", "at": 0, "until": 3_600_000}}));
        let silence = |id: &str, ends_at| Silence {
            id: id.into(),
            about: String::new(),
            starts_at: 0,
            ends_at,
            by: String::new(),
            comment: String::new(),
        };
        let all = [silence("s", 60_000), silence("t", 7_200_000), silence("else", 9_000_000)];
        let words: Vec<String> = chips(&alert, &all, 0).into_iter().map(|(_, words)| words).collect();
        assert_eq!(
            words,
            [
                "held: no data",
                "flapping, 7 times an hour",
                "ada, 1 h left",
                "silence ends in 2 h",
                "quieted by another alert"
            ]
        );
        assert!(chips(&sample(json!({})), &all, 0).is_empty());
        let muted = chips(&sample(json!({"muted_by": ["patches"]})), &[], 0);
        assert_eq!(muted[0].1, "muted by maintenance patches");
    }
}
