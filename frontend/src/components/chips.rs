//! Small words in a frame: what stands out about a node.

use fleetglass_shared::health::UnixMillis;
use leptos::prelude::*;

use super::words::ago;
use crate::dom::{El, group, span, unseen};
use crate::state::use_fleet;

/// The version, and whether most nodes of the family run another.
pub fn version_text(
    version: impl Fn() -> Option<String> + 'static,
    majority: impl Fn() -> Option<String> + 'static,
) -> El {
    let skew = move || {
        let majority = majority()?;
        let words = format!("Most nodes of its family run {majority}");
        let spoken = format!(", {words}");
        let mark = span("").attr("aria-hidden", "true").text(format!("≠ {majority}"));
        Some(span("chip chip-skew").attr("title", words).child(mark).child(unseen(spoken)))
    };
    span("version")
        .child(span("version-text mono").text(move || version().unwrap_or_else(|| "–".to_owned())))
        .live(skew)
}

/// `crash-loop, 4 restarts` or `restarted 3 min ago`; nothing for a node that runs on. It is told the
/// restarts of the last quarter of an hour, and when the last one was seen.
pub fn restart_chip(
    restarts: impl Fn() -> u32 + Clone + 'static,
    restarted_at: impl Fn() -> Option<UnixMillis> + Clone + 'static,
) -> El {
    let now = use_fleet().now();
    let any = restarts.clone();
    group().when(
        move || any() != 0,
        move || {
            let (count, words, restarted_at) = (restarts.clone(), restarts.clone(), restarted_at.clone());
            span("")
                .class(move || if count() >= 3 { "chip chip-loop" } else { "chip" })
                .attr("title", "Restarts seen in the last 15 minutes")
                .text(move || match (words(), restarted_at()) {
                    (count @ 3.., _) => format!("crash-loop, {count} restarts"),
                    (_, Some(at)) => format!("restarted {}", ago(at, now.get())),
                    (_, None) => "restarted".to_owned(),
                })
        },
    )
}
