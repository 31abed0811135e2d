//! Small words in a frame: what stands out about a node.

use fleetglass_shared::health::UnixMillis;
use leptos::prelude::*;

use super::words::ago;
use crate::state::use_fleet;

/// The version, and whether most nodes of the family run another.
#[component]
pub fn VersionText(
    /// What it reports.
    #[prop(into)]
    version: Signal<Option<String>>,
    /// What most nodes of its family run, if that is another.
    #[prop(into)]
    majority: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <span class="version">
            <span class="version-text mono">{move || version.get().unwrap_or_else(|| "–".to_owned())}</span>
            {move || majority.get().map(|majority| {
                let words = format!("Most nodes of its family run {majority}");
                let spoken = format!(", {words}");
                view! {
                    <span class="chip chip-skew" title=words>
                        <span aria-hidden="true">"≠ "{majority}</span>
                        <span class="sr-only">{spoken}</span>
                    </span>
                }
            })}
        </span>
    }
    .into_any()
}

/// `crash-loop, 4 restarts` or `restarted 3 min ago`; nothing for a node that runs on.
#[component]
pub fn RestartChip(
    /// Restarts in the last quarter of an hour.
    #[prop(into)]
    restarts: Signal<u32>,
    /// When the last one was seen.
    #[prop(into)]
    restarted_at: Signal<Option<UnixMillis>>,
) -> impl IntoView {
    let now = use_fleet().now();
    let words = Memo::new(move |_| match (restarts.get(), restarted_at.get()) {
        (0, _) => None,
        (count @ 3.., _) => Some((true, format!("crash-loop, {count} restarts"))),
        (_, Some(at)) => Some((false, format!("restarted {}", ago(at, now.get())))),
        (_, None) => Some((false, "restarted".to_owned())),
    });
    view! {
        {move || words.get().map(|(loops, words)| {
            view! {
                <span class=if loops { "chip chip-loop" } else { "chip" } title="Restarts seen in the last 15 minutes">
                    {words}
                </span>
            }
        })}
    }
    .into_any()
}
