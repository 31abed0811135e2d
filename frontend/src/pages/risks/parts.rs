//! What a risk is shown by, here and on the page of its node: shape and word, bar, countdown, stake.

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::{Risk, Severity, Stake};
use leptos::prelude::*;

use super::standing::{Bar, Standing, countdown, stake};
use crate::components::severity_mark::severity_shape;
use crate::components::status_mark::state_class;
use crate::dom::{El, drawing, el, group, p, span, with_class};
use crate::state::use_fleet;

/// Shape and word of how a risk stands.
pub fn standing_mark(risk: &Risk) -> El {
    let standing = Standing::of(risk);
    let class = state_class(standing.colour(risk));
    let (path, filled) = standing.shape();
    let fill = if filled { "mark-full" } else { "mark-open" };
    span("status")
        .class(format!("status {class}"))
        .child(drawing(format!("mark {fill} {class}"), "0 0 16 16", path))
        .child(span("status-word").text(standing.word()))
}

/// Shape and word of how bad a breach is.
pub fn severity_words(word: &str) -> El {
    let severity = Severity::of(word);
    span("risk-severity").child(severity_shape(severity)).child(span("").text(severity.as_str()))
}

/// How far the value has come, with the bound; for the eye, the words stand beside it.
pub fn bar(way: Memo<Option<Bar>>) -> El {
    let percent = move |read: fn(Bar) -> f64| move || format!("{:.1}%", way.get().map_or(0.0, read) * 100.0);
    span("bar")
        .flag("hidden", move || way.with(Option::is_none))
        .attr("aria-hidden", "true")
        .child(span("bar-fill").style("width", percent(|bar| bar.fill)))
        .child(span("bar-bound").style("left", percent(|bar| bar.bound)))
}

/// The time left, told anew each second; readers are not told each second, they read it when they come to it.
pub fn timer(class: &'static str, at: impl Fn() -> Option<UnixMillis> + 'static) -> El {
    let now = use_fleet().now();
    let words = move || at().map(|at| countdown(at, now.get()));
    with_class("span", class).attr("role", "timer").attr("aria-live", "off").text(words)
}

/// What a breach costs; a press shows how that was worked out.
pub fn stake_part(of: Memo<Option<Stake>>) -> El {
    group().when(
        move || of.with(Option::is_some),
        move || {
            let amount = move || of.with(|of| of.as_ref().map(|of| format!("{} at stake", stake(of))));
            let steps = move || {
                let lines = of.with(|of| of.as_ref().map(|of| of.calculation.clone()));
                lines.unwrap_or_default().into_iter().enumerate().collect()
            };
            el("details")
                .class("stake")
                .child(with_class("summary", "stake-amount num").text(amount))
                .child(with_class("ol", "stake-steps num").each(
                    steps,
                    |(place, line): &(usize, String)| format!("{place} {line}"),
                    |(_, line)| el("li").text(line),
                ))
                .child(
                    p("stake-note")
                        .text("This is lost if the bound is crossed and the node is slashed for it."),
                )
        },
    )
}
