//! What the node is asked and how each endpoint answered; and the last scrapes that failed.

use fleetglass_shared::format;
use fleetglass_shared::health::ScrapeFailure;
use fleetglass_shared::wire::EndpointDetail;
use leptos::prelude::*;

use super::load::NodeLoad;
use super::{card, noted_card};
use crate::charts::{Board, clock_label};
use crate::components::age::ago_mark;
use crate::dom::{El, Words, el, head_cell, span, with_class};
use crate::state::use_fleet;

/// A table of the endpoints; on a phone each is a card of its own.
pub(super) fn endpoints(load: NodeLoad) -> El {
    let names = move || {
        let detail = load.detail();
        let endpoints = detail.iter().flat_map(|detail| &detail.endpoints);
        endpoints.map(|endpoint| endpoint.name.clone()).collect()
    };
    let head = |title: &'static str| el("th").attr("scope", "col").text(title);
    let right = |title: &'static str| head_cell("col", "right").text(title);
    let heads = [head("Name"), head("URL"), head("Answer"), right("Took"), right("Samples"), right("Asked")];
    card("endpoints-title", "Endpoints").child(
        with_class("table", "table")
            .child(el("thead").child(el("tr").children(heads)))
            .child(el("tbody").each(names, String::clone, move |name| one_endpoint(load, name))),
    )
}

fn one_endpoint(load: NodeLoad, name: String) -> El {
    let title = head_cell("row", "mono").text(&name);
    let name = StoredValue::new(name);
    let endpoint = move || {
        let detail = load.detail()?;
        name.with_value(|name| detail.endpoints.iter().find(|endpoint| endpoint.name == *name).cloned())
    };
    let text = move |read: fn(EndpointDetail) -> String| move || endpoint().map(read).unwrap_or_default();
    let failed = move || endpoint().is_some_and(|endpoint| endpoint.failure.is_some());
    let failure = move |read: fn(ScrapeFailure) -> String| {
        move || endpoint().and_then(|endpoint| endpoint.failure).map(read).unwrap_or_default()
    };
    let status = move || endpoint().and_then(|endpoint| endpoint.http_status);
    let class = move || if status().is_some() { "num" } else { "muted" };
    let words = move || match status() {
        Some(status) => format!("HTTP {status}"),
        None => "not asked yet".to_owned(),
    };
    let answer = el("td")
        .when(failed, move || span("failure").text(failure(|failure| capital(failure.kind.as_words()))))
        .when(failed, move || failure_message(failure(|failure| failure.message)))
        .when(move || !failed(), move || el("span").class(class).text(words));
    let took = text(|endpoint| endpoint.duration_seconds.map_or_else(unknown, format::duration_seconds));
    let samples = text(|endpoint| endpoint.samples.map_or_else(unknown, |count| format::count(count as f64)));
    let asked = move || endpoint().and_then(|endpoint| endpoint.asked_at);
    el("tr")
        .child(title)
        .child(with_class("td", "mono wrap").text(text(|endpoint| endpoint.url)))
        .child(answer)
        .child(with_class("td", "right num").attr("data-label", "took ").text(took))
        .child(with_class("td", "right num").attr("data-label", "samples ").text(samples))
        .child(with_class("td", "right").attr("data-label", "asked ").child(ago_mark(asked)))
}

fn unknown() -> String {
    format::UNKNOWN.to_owned()
}

fn failure_message(words: impl Into<Words>) -> El {
    with_class("small", "failure-message").text(words)
}

/// The last failures and what was read over, the newest first.
pub(super) fn failures(load: NodeLoad) -> El {
    let failures = move || load.detail().map(|detail| detail.failures.clone()).unwrap_or_default();
    let warnings = move || load.detail().map(|detail| detail.warnings.clone()).unwrap_or_default();
    let note = move || match failures().len() {
        0 => "none since Fleetglass started".to_owned(),
        count => format!("{count}, the newest first"),
    };
    let warned = move || !warnings().is_empty();
    noted_card("failures-title", "Last failed scrapes", note)
        .child(listed(failures))
        .when(warned, || with_class("h3", "card-subtitle").text("Read in spite of faults"))
        .when(warned, move || listed(warnings))
}

/// This many are shown; a person who needs more needs the logs.
const MOST_LISTED: usize = 20;

fn listed(items: impl Fn() -> Vec<ScrapeFailure> + 'static) -> El {
    let fleet = use_fleet();
    let zone = Board::expect().zone;
    let shown = move || {
        let mut items = items();
        items.truncate(MOST_LISTED);
        items
    };
    let key = |failure: &ScrapeFailure| format!("{} {} {}", failure.at, failure.endpoint, failure.message);
    with_class("ul", "failures").each(shown, key, move |failure| {
        let at = fleet.to_local(failure.at);
        let time = clock_label(at, zone(at), true);
        let words = span("failed-words")
            .child(span("failure").text(capital(failure.kind.as_words())))
            .child(failure_message(failure.message));
        with_class("li", "failed")
            .child(with_class("time", "row-time num").text(time))
            .child(span("mono").text(failure.endpoint))
            .child(words)
    })
}

/// The words with a capital first letter.
fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
