//! Who did what: the audit log, the newest first.

use leptos::prelude::*;

use super::read::Entry;
use crate::charts::{DAY, moment_label};
use crate::clock::zone_offset;
use crate::components::notice::empty;
use crate::dom::{El, div, el, link, p, span, with_class};
use crate::pages::alerts::search::menu;
use crate::pages::polled::Polled;
use crate::state::use_fleet;

/// Asked again after so long.
const AGAIN_MS: i64 = 10_000;
/// So many are shown.
const SHOWN: usize = 200;

const KINDS: [(&str, &str); 6] = [
    ("", "Everything"),
    ("login", "Sign-ins"),
    ("login_failed", "Failed sign-ins"),
    ("denied", "What was denied"),
    ("acknowledged", "Acknowledged"),
    ("share_made", "Share links made"),
];

/// The part of the page about what was done.
pub(super) fn audit() -> El {
    let kind = RwSignal::new("");
    let path = move || match kind.get() {
        "" => format!("/api/v1/audit?limit={SHOWN}"),
        kind => format!("/api/v1/audit?limit={SHOWN}&what={kind}"),
    };
    let load = Polled::start(path, AGAIN_MS, Entry::all);
    let none = move || load.is_known() && load.with(Vec::is_empty);
    let choose = move |word: String| {
        kind.set(KINDS.into_iter().map(|(kind, _)| kind).find(|kind| *kind == word).unwrap_or_default());
    };
    let file = |format: &'static str, words: &'static str| {
        let to = if format == "csv" { "/api/v1/audit/export?format=csv" } else { "/api/v1/audit/export" };
        link("button", to).attr("download", format!("fleetglass-audit.{format}")).text(words)
    };
    let bar = div("alerts-bar").child(menu("Show", KINDS, move || kind.get(), choose)).child(
        div("people-buttons").child(file("csv", "Save as CSV")).child(file("jsonl", "Save as JSON lines")),
    );
    let list = move || {
        with_class("ul", "silence-list").attr("aria-label", "What was done, the newest first").each(
            move || load.with(Vec::clone),
            |entry| entry.id.to_string(),
            one,
        )
    };
    div("people-part")
        .child(bar)
        .child(load.awaited("Audit log"))
        .when(move || load.with(|entries| !entries.is_empty()), list)
        .when(none, || {
            empty("Nothing so far", "What people do here is written down: by whom, from where, and when.")
        })
}

fn one(entry: Entry) -> El {
    let fleet = use_fleet();
    let at = entry.at;
    let of = if entry.of.is_empty() { String::new() } else { format!(": {}", entry.of) };
    let is_bad = entry.outcome != "ok" && !entry.outcome.is_empty();
    with_class("li", "silence")
        .child(
            div("silence-words")
                .child(
                    p("silence-about")
                        .text(format!("{}{of}", entry.words()))
                        .maybe(is_bad.then(|| span("chip people-role").text(entry.outcome.clone()))),
                )
                .child(
                    p("silence-why")
                        .child(el("bdi").text(entry.who.clone()))
                        .text(format!(" ({}) from {}", entry.via, entry.ip)),
                ),
        )
        .child(span("silence-until num").text(move || moment_label(fleet.to_local(at), 2 * DAY, zone_offset)))
}
