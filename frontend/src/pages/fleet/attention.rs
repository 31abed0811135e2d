//! What needs a person: one line each. When nothing does, one quiet line with the time of the last check.

use std::sync::Arc;

use fleetglass_shared::health::Status;
use leptos::prelude::*;
use leptos_router::components::A;

use super::held::{Reading, held};
use crate::components::age::Since;
use crate::components::chips::RestartChip;
use crate::components::icon::{Icon, IconMark};
use crate::components::node_link::node_path;
use crate::components::risk_meter::RiskMeter;
use crate::components::status_mark::{StatusMark, state_class};
use crate::components::words::{ago, counted, whole};
use crate::state::attention::attention;
use crate::state::tally::States;
use crate::state::view::View;
use crate::state::{Fleet, Node, NodeSignal, use_fleet};

/// As many lines are shown before a press for more; a list longer than a screen hides what comes next.
const FIRST: usize = 6;
/// As many after it; for the rest there is the table below.
const MOST: usize = 40;

/// The top of the fleet page.
#[component]
pub fn Attention(
    /// To filter the table by what does not fit here.
    view: RwSignal<View>,
) -> impl IntoView {
    let fleet = use_fleet();
    let reading = Reading::new();
    let latest = Memo::new_with_compare(
        move |_| Arc::new(fleet.every_node().with(|nodes| attention(nodes))),
        |_, _| true,
    );
    let shown = held(latest.into(), || (), reading.now());
    let all = RwSignal::new(false);
    let limit = move || if all.get() { MOST } else { FIRST };
    // Too few to hide behind a button.
    let limit = move || if shown.with(|shown| shown.len()) <= limit() + 2 { limit() + 2 } else { limit() };
    let lines = move || {
        shown.with(|shown| shown.iter().take(limit()).map(|node| node.id.clone()).collect::<Vec<_>>())
    };
    let count = Memo::new(move |_| latest.with(|nodes| nodes.len()));
    let hidden = Memo::new(move |_| shown.with(|shown| shown.len().saturating_sub(limit())));
    let title = move || match count.get() {
        0 => String::new(),
        1 => "1 node needs you".to_owned(),
        count => format!("{} nodes need you", whole(count)),
    };
    view! {
        // Says it to those who do not see it, once a change, not at every beat.
        <p class="sr-only" aria-live="polite">{move || if count.get() == 0 { "No node needs you".to_owned() } else { title() }}</p>
        <Show when=move || count.get() != 0 || shown.with(|shown| !shown.is_empty()) fallback=AllWell>
            <section
                class="attention"
                aria-labelledby="attention-title"
                on:pointerenter=move |event| reading.enter(&event)
                on:pointerleave=move |_| reading.leave()
                on:focusin=move |event| reading.focus(&event)
                on:focusout=move |event| reading.blur(&event)
            >
                <h2 class="attention-title" id="attention-title">{title}</h2>
                <ul class="attention-list">
                    <For
                        each=lines
                        key=String::clone
                        children=move |id| fleet.node(&id).map(|node| line(fleet, &node))
                    />
                </ul>
                <Show when=move || hidden.get() != 0 || all.get()>
                    <div class="attention-more">
                        <Show when=move || !all.get() fallback=move || {
                            view! {
                                <button type="button" class="button button-quiet" on:click=move |_| all.set(false)>
                                    "Show fewer"
                                </button>
                            }
                        }>
                            <button type="button" class="button button-quiet" on:click=move |_| all.set(true)>
                                {move || format!("Show {} more", hidden.get().min(MOST - FIRST))}
                            </button>
                        </Show>
                        <Show when=move || count.get().gt(&MOST)>
                            <button
                                type="button"
                                class="button button-quiet"
                                on:click=move |_| view.update(|view| "-state:healthy".clone_into(&mut view.filter))
                            >
                                "Show all below"
                            </button>
                        </Show>
                    </div>
                </Show>
            </section>
        </Show>
    }
}

fn line(fleet: Fleet, node: &NodeSignal) -> AnyView {
    let node: RwSignal<Node> = node.clone().into();
    let id = node.with_untracked(|node| node.id.clone());
    let risk = Memo::new(move |_| node.with(|node| node.worst_risk.clone().filter(|risk| risk.firing)));
    let status = Memo::new(move |_| node.with(|node| node.status));
    let why = Memo::new(move |_| node.with(reasons_in_words));
    let family = fleet.family_title(&node.with_untracked(|node| node.family.clone()));
    view! {
        <li class=move || {
            let at_risk = if risk.with(Option::is_some) { "attention-at-risk" } else { "" };
            format!("attention-line {} {at_risk}", state_class(status.get()))
        }>
            <A href=node_path(&id) attr:class="attention-link">
                <StatusMark status=status draining=Signal::derive(move || node.with(|node| node.draining))/>
                <span class="attention-node"><bdi>{id.clone()}</bdi></span>
                <span class="attention-why">
                    <RestartChip
                        restarts=Signal::derive(move || node.with(|node| node.restarts))
                        restarted_at=Signal::derive(move || node.with(|node| node.restarted_at))
                    />
                    <span class="attention-reason" title=why>{why}</span>
                </span>
                <span class="attention-risk">
                    {move || risk.get().map(|risk| view! { <RiskMeter risk=Signal::derive(move || Some(risk.clone()))/> })}
                </span>
                <span class="attention-family">{family}</span>
                <span class="attention-since">"for "<Since at=Signal::derive(move || node.with(|node| node.since))/></span>
            </A>
        </li>
    }
    .into_any()
}

/// Every reason, the worst first; for a healthy node at risk, what is at stake.
fn reasons_in_words(node: &Node) -> String {
    match &node.worst_risk {
        Some(risk) if risk.firing && node.reasons.is_empty() => risk.meaning.clone(),
        _ => node.reasons.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>().join("; "),
    }
}

/// The worst reason, and how many more there are.
pub(super) fn worst_reason(node: &Node) -> String {
    match node.reasons.as_slice() {
        [] => reasons_in_words(node),
        [only] => only.text.clone(),
        [first, rest @ ..] => format!("{}, and {} more", first.text, rest.len()),
    }
}

#[component]
fn AllWell() -> impl IntoView {
    let fleet = use_fleet();
    let states = Memo::new(move |_| fleet.every_node().with(|nodes| States::of(nodes.iter())));
    let well = move || {
        let states = states.get();
        let (total, healthy) = (states.total(), states.count(Status::Healthy));
        match total - healthy {
            0 if total == 1 => "The one node is well.".to_owned(),
            0 => format!("All {} nodes are well.", whole(total)),
            unknown => format!(
                "{} of {} are well, {} not known.",
                whole(healthy),
                counted(total, "node", "nodes"),
                counted(unknown, "is", "are").replacen(' ', "\u{a0}", 1)
            ),
        }
    };
    let checked = Memo::new(move |_| {
        let last = fleet.every_node().with(|nodes| nodes.iter().filter_map(|node| node.asked_at).max());
        last.map(|at| format!(" Last check {}", ago(at, fleet.now().get()))).unwrap_or_default()
    });
    view! {
        <p class="all-well">
            <IconMark icon=Icon::Check/>
            <span class="all-well-words">{well}</span>
            <span class="muted num">{checked}</span>
        </p>
    }
}
