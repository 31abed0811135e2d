//! The head of the page: how the node is, why, since when, and what it is. From the live stream alone.

use fleetglass_shared::format;
use fleetglass_shared::health::{Reason, Status};
use leptos::prelude::*;

use super::load::NodeLoad;
use super::uptime;
use crate::components::age::{ago_mark, since_mark};
use crate::components::status_mark::{state_class, status_shape};
use crate::components::words::counted;
use crate::dom::{El, div, el, p, span, unseen, with_class};
use crate::state::use_fleet;

/// Three seconds to read: the state in one word, the reasons below it.
pub(super) fn state(load: NodeLoad) -> El {
    let status = move || load.node().map_or(Status::Unknown, |node| node.status);
    let reasons = move || load.node().map(|node| node.reasons.clone()).unwrap_or_default();
    let draining = move || load.node().is_some_and(|node| node.draining);
    let since = move || load.node().map_or(0, |node| node.since);
    el("section")
        .class(move || format!("node-head {}", state_class(status())))
        .attr("aria-label", "State")
        .child(
            div("node-state")
                .child(status_shape(status))
                .child(p("node-state-word").text(move || status().as_str()))
                .child(p("node-state-since").text("for ").child(since_mark(since)))
                .when(draining, || {
                    p("node-drain")
                        .child(el("span").attr("aria-hidden", "true").text("↓ "))
                        .text("draining: send it no new work")
                }),
        )
        .when(
            move || load.node().is_some_and(|node| !node.reasons.is_empty()),
            move || {
                let key = |reason: &Reason| format!("{} {}", reason.status.as_str(), reason.text);
                with_class("ul", "node-reasons").each(reasons, key, one_reason)
            },
        )
}

fn one_reason(reason: Reason) -> El {
    let status = reason.status;
    with_class("li", "node-reason")
        .child(status_shape(move || status))
        .child(el("span").child(unseen(format!("{}: ", status.as_str()))).text(reason.text))
}

/// What it is, in one strip.
pub(super) fn strip(load: NodeLoad) -> El {
    let fleet = use_fleet();
    let family = move || load.node().map(|node| fleet.family_title(&node.family));
    let note = move || load.detail().map(|detail| detail.family_note.clone()).unwrap_or_default();
    let version = move || load.node().and_then(|node| node.version.clone());
    let majority = move || {
        let node = load.node()?;
        node.version_majority.clone().filter(|other| Some(other) != node.version.as_ref())
    };
    let uptime = move || {
        let seconds = load.node()?.uptime_seconds?;
        Some(format::duration_ms((seconds * 1000.0) as i64))
    };
    let restarts = move || load.node().map_or(0, |node| node.restarts);
    let restarted = move || load.node().and_then(|node| node.restarted_at);
    let restarts_in_words = move || {
        let last = if restarts() >= 3 { ": crash-loop, last " } else { ", last " };
        counted(restarts() as usize, "restart", "restarts") + last
    };
    let peers = move || {
        let peers = load.node()?.peers?;
        Some(format::grouped(&peers.to_string()).unwrap_or_default())
    };
    with_class("dl", "node-strip")
        .child(
            part("Family")
                .child(value(family).when(move || !note().is_empty(), move || el("small").text(note))),
        )
        .child(part("Version").class(move || majority().map(|_| "node-strip-odd")).child(
            value(version).when(
                move || majority().is_some(),
                move || el("small").text("most run ").text(move || majority().unwrap_or_default()),
            ),
        ))
        .child(part("Running for").class(move || (restarts() > 0).then_some("node-strip-odd")).child(
            value(uptime).class("num").when(
                move || restarts() > 0,
                move || el("small").text(restarts_in_words).child(ago_mark(restarted)),
            ),
        ))
        .child(part("Peers").child(value(peers).class("num")))
        .child(last_answer(load))
        .child(uptime::uptime(load))
        .when(
            move || load.node().is_some_and(|node| !node.labels.is_empty()),
            move || {
                let labels = move || {
                    let node = load.node();
                    let labels = node.iter().flat_map(|node| &node.labels);
                    labels.map(|(name, value)| (name.clone(), value.clone())).collect()
                };
                let key = |(name, value): &(String, String)| format!("{name}={value}");
                part("Labels").class("node-strip-labels").child(el("dd").each(labels, key, one_label))
            },
        )
}

/// A part of the strip: its name; the value is added.
fn part(name: &'static str) -> El {
    el("div").child(el("dt").text(name))
}

/// A value in the strip.
fn value(text: impl Fn() -> Option<String> + 'static) -> El {
    el("dd").text(move || text().unwrap_or_else(|| format::UNKNOWN.to_owned()))
}

fn one_label((name, value): (String, String)) -> El {
    span("label").child(span("muted").text(format!("{name}="))).text(value)
}

/// When it last answered, and how often it is asked; an answer older than two intervals stands out.
fn last_answer(load: NodeLoad) -> El {
    let now = use_fleet().now();
    let interval = move || load.node().map_or(0, |node| node.interval_ms as i64);
    let answered = move || load.node().and_then(|node| node.fact_at);
    let asked = move || load.node().and_then(|node| node.asked_at);
    let old = move || answered().is_none_or(|at| now.get() - at > 2 * interval());
    part("Last answer").class(move || old().then_some("node-strip-late")).child(
        with_class("dd", "num").child(ago_mark(answered)).child(
            el("small")
                .text("asked ")
                .child(ago_mark(asked))
                .text(move || format!(", every {}", format::duration_ms(interval()).replace(' ', "\u{a0}"))),
        ),
    )
}
