//! The head of the page: how the node is, why, since when, and what it is. From the live stream alone.

use fleetglass_shared::format;
use leptos::prelude::*;

use super::load::NodeLoad;
use crate::components::age::{Ago, Since};
use crate::components::status_mark::{StatusShape, state_class};
use crate::components::words::counted;
use crate::state::{Node, use_fleet};

/// Three seconds to read: the state in one word, the reasons below it, the rest in one strip.
#[component]
pub(super) fn Header(load: NodeLoad) -> impl IntoView {
    let of = move |read: fn(&Node) -> Option<String>| {
        Memo::new(move |_| load.node.with(|node| node.as_ref().and_then(read)))
    };
    let status = Memo::new(move |_| load.node.with(|node| node.as_ref().map(|node| node.status)));
    let reasons = Memo::new(move |_| {
        load.node.with(|node| node.as_ref().map(|node| node.reasons.clone()).unwrap_or_default())
    });
    let draining = Memo::new(move |_| load.node.with(|node| node.as_ref().is_some_and(|node| node.draining)));
    let since = Memo::new(move |_| load.node.with(|node| node.as_ref().map_or(0, |node| node.since)));
    let version = of(|node| node.version.clone());
    let majority =
        of(|node| node.version_majority.clone().filter(|other| Some(other) != node.version.as_ref()));
    let peers = of(|node| node.peers.map(|peers| format::grouped(&peers.to_string()).unwrap_or_default()));
    let uptime = of(|node| node.uptime_seconds.map(|seconds| format::duration_ms((seconds * 1000.0) as i64)));
    let restarts = Memo::new(move |_| load.node.with(|node| node.as_ref().map_or(0, |node| node.restarts)));
    let restarted_often = Memo::new(move |_| restarts.get() > 0);
    let restarted =
        Memo::new(move |_| load.node.with(|node| node.as_ref().and_then(|node| node.restarted_at)));
    let labels = Memo::new(move |_| {
        load.node.with(|node| node.as_ref().map(|node| node.labels.clone()).unwrap_or_default())
    });
    let family = Memo::new(move |_| {
        use_fleet().families().track();
        load.node.with(|node| node.as_ref().map(|node| use_fleet().family_title(&node.family)))
    });
    let note = load.part(|detail| detail.family_note.clone());
    let known = |text: Memo<Option<String>>| move || text.get().unwrap_or_else(|| format::UNKNOWN.to_owned());
    view! {
        <section class=move || format!("node-head {}", status.get().map_or("", state_class)) aria-label="State">
            <div class="node-state">
                {move || status.get().map(|status| view! { <StatusShape status/> })}
                <p class="node-state-word">{move || status.get().map(|status| status.as_str())}</p>
                <p class="node-state-since">"for " <Since at=since/></p>
                <Show when=move || draining.get()>
                    <p class="node-drain"><span aria-hidden="true">"↓ "</span> "draining: send it no new work"</p>
                </Show>
            </div>
            <Show when=move || reasons.with(|reasons| !reasons.is_empty())>
                <ul class="node-reasons">
                    {move || reasons.get().into_iter().map(|reason| view! {
                        <li class="node-reason">
                            <StatusShape status=reason.status/>
                            <span><span class="sr-only">{reason.status.as_str()} ": "</span> {reason.text}</span>
                        </li>
                    }).collect_view()}
                </ul>
            </Show>
        </section>
        <dl class="node-strip">
            <div>
                <dt>"Family"</dt>
                <dd>
                    {known(family)}
                    {move || Some(note.get()).filter(|note| !note.is_empty()).map(|note| view! { <small>{note}</small> })}
                </dd>
            </div>
            <div class:node-strip-odd=move || majority.with(Option::is_some)>
                <dt>"Version"</dt>
                <dd>
                    {known(version)}
                    {move || majority.get().map(|most| view! { <small>"most run " {most}</small> })}
                </dd>
            </div>
            <div class:node-strip-odd=restarted_often>
                <dt>"Uptime"</dt>
                <dd class="num">
                    {known(uptime)}
                    {move || restarted_often.get().then(|| view! {
                        <small>
                            {counted(restarts.get() as usize, "restart", "restarts")}
                            {if restarts.get() >= 3 { ": crash-loop, last " } else { ", last " }}
                            <Ago at=restarted/>
                        </small>
                    })}
                </dd>
            </div>
            <div>
                <dt>"Peers"</dt>
                <dd class="num">{known(peers)}</dd>
            </div>
            <LastAnswer load/>
            <Show when=move || labels.with(|labels| !labels.is_empty())>
                <div class="node-strip-labels">
                    <dt>"Labels"</dt>
                    <dd>
                        {move || labels.get().into_iter().map(|(name, value)| view! {
                            <span class="label"><span class="muted">{name} "="</span> {value}</span>
                        }).collect_view()}
                    </dd>
                </div>
            </Show>
        </dl>
    }
}

/// When it last answered, and how often it is asked; an answer older than two intervals stands out.
#[component]
fn LastAnswer(load: NodeLoad) -> impl IntoView {
    let now = use_fleet().now();
    let interval =
        Memo::new(move |_| load.node.with(|node| node.as_ref().map_or(0, |node| node.interval_ms as i64)));
    let answered = Memo::new(move |_| load.node.with(|node| node.as_ref().and_then(|node| node.fact_at)));
    let asked = Memo::new(move |_| load.node.with(|node| node.as_ref().and_then(|node| node.asked_at)));
    let old = Memo::new(move |_| answered.get().is_none_or(|at| now.get() - at > 2 * interval.get()));
    view! {
        <div class:node-strip-late=move || old.get()>
            <dt>"Last answer"</dt>
            <dd class="num">
                <Ago at=answered/>
                <small>
                    "asked " <Ago at=asked/> ", every " {move || format::duration_ms(interval.get())}
                </small>
            </dd>
        </div>
    }
}
