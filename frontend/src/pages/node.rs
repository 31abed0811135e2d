//! The page of one node: how it is and why, its risks, what it says about itself, its charts, any of its
//! series, and its own words.
//!
//! | module | is |
//! |---|---|
//! | `load` | the node's detail, asked anew when the live stream says the node was |
//! | `header`, `risks`, `facts`, `endpoints` | the sections of facts |
//! | `feed`, `panels`, `metrics`, `series_view` | charts: their data, the family's, and any series |
//! | `raw`, `raw_text` | what the node answers now, as it came |

mod endpoints;
mod facts;
mod feed;
mod header;
mod load;
mod metrics;
mod panels;
mod raw;
mod raw_text;
mod risks;
mod series_view;

use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::charts::{Board, Window};
use crate::client::ClientError;
use crate::components::frame::TopBar;
use crate::components::icon::{Icon, IconMark};
use crate::components::notice::{Empty, Failed};
use crate::components::status_mark::StatusShape;
use crate::state::{Link, Node, use_fleet};
use load::NodeLoad;

/// Everything known about one node; the id comes from the address.
#[component]
pub fn NodePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    view! {
        <main id="main" class="page" tabindex="-1">
            {move || view! { <OneNode id=id.get()/> }}
        </main>
    }
}

#[component]
fn OneNode(id: String) -> impl IntoView {
    let fleet = use_fleet();
    let query = use_query_map();
    let load = NodeLoad::start(&id);
    let node = load.node;
    let window = Memo::new(move |_| Window::parse(query.with(|query| query.get("range")).as_deref()));
    let interval =
        Memo::new(move |_| node.with(|node| node.as_ref().map_or(15_000, |node| node.interval_ms as i64)));
    let board = Board::provide(window.into(), interval.into());
    refresh_charts(board, node);

    let title = id.clone();
    let there = Memo::new(move |_| node.with(Option::is_some));
    let gone = Memo::new(move |_| {
        let refused =
            load.trouble.with(|trouble| matches!(trouble, Some(ClientError::Http { status: 404, .. })));
        !there.get() && (fleet.loaded().get() || refused)
    });
    let unknown =
        format!("No node of this fleet is called {id}. It may have been taken out of the configuration.");
    view! {
        <TopBar>
            <A href="/" attr:class="icon-button node-back" attr:aria-label="Back to the fleet">
                <IconMark icon=Icon::Back/>
            </A>
            {move || node.get().map(|node| view! { <StatusShape status=node.status/> })}
            <h1 class="page-title node-title" title=title.clone()>{title.clone()}</h1>
        </TopBar>
        <div class="page-body node-page">
            {move || {
                if gone.get() {
                    view! {
                        <Empty title="There is no such node" detail=unknown.clone()>
                            <A href="/" attr:class="button button-primary">"Show the fleet"</A>
                        </Empty>
                    }
                    .into_any()
                } else if there.get() {
                    view! { <Sections load/> }.into_any()
                } else {
                    view! { <Sketch/> }.into_any()
                }
            }}
        </div>
    }
}

/// The whole page, once the fleet knows the node. The header needs no more than the live stream; the rest
/// waits for the detail.
#[component]
fn Sections(load: NodeLoad) -> impl IntoView {
    let loaded = Memo::new(move |_| load.detail.with(Option::is_some));
    let failed = Memo::new(move |_| load.trouble.with(|trouble| trouble.as_ref().map(ClientError::in_words)));
    view! {
        <header::Header load/>
        {move || match (loaded.get(), failed.get()) {
            (true, failed) => view! {
                {failed.map(|why| view! {
                    <p class="node-old" role="status">
                        "What stands below could not be refreshed. " {why}
                    </p>
                })}
                <Details load/>
            }
            .into_any(),
            (false, Some(why)) => view! {
                <Failed title="The details of this node did not come" detail=why>
                    <button type="button" class="button" on:click=move |_| load.again()>"Try again"</button>
                </Failed>
            }
            .into_any(),
            (false, None) => view! { <DetailSketch/> }.into_any(),
        }}
    }
}

#[component]
fn Details(load: NodeLoad) -> impl IntoView {
    let has_risks = load.part(|detail| !detail.risks.is_empty() || !detail.checks.is_empty());
    view! {
        <div class="node-facts" class:node-facts-wide=move || !has_risks.get()>
            <div class="node-column">
                <risks::Risks load/>
                <facts::Checks load/>
            </div>
            <facts::Facts load/>
        </div>
        <endpoints::Endpoints load/>
        <panels::Panels load/>
        <metrics::AnyMetric load/>
        <endpoints::Failures load/>
        <raw::Raw load/>
    }
}

/// The page to come, while the fleet is not there yet.
#[component]
fn Sketch() -> impl IntoView {
    view! {
        <p class="sr-only" role="status">"Loading the node"</p>
        <div class="skeleton node-sketch-head"></div>
        <DetailSketch/>
    }
}

#[component]
fn DetailSketch() -> impl IntoView {
    view! {
        <div class="node-facts" aria-hidden="true">
            <div class="skeleton node-sketch-facts"></div>
            <div class="skeleton node-sketch-facts"></div>
        </div>
        <div class="panel-grid" aria-hidden="true">
            <div class="skeleton node-sketch-chart"></div>
            <div class="skeleton node-sketch-chart"></div>
            <div class="skeleton node-sketch-chart"></div>
        </div>
    }
}

/// Never more often than this.
const LEAST_REFRESH_MS: i64 = 5_000;

/// Tells the charts of newer values: when the node was asked since the last time, or its interval has passed;
/// not while nobody looks, and not while the proxy is away.
fn refresh_charts(board: Board, node: Signal<Option<Node>>) {
    let fleet = use_fleet();
    let asked = Memo::new(move |_| node.with(|node| node.as_ref().and_then(|node| node.asked_at)));
    let last = StoredValue::new((fleet.now().get_untracked(), None));
    Effect::new(move |_| {
        let now = fleet.now().get();
        let (refreshed, seen) = last.get_value();
        let asked = asked.get_untracked();
        let passed = now - refreshed;
        let due = asked != seen || passed >= board.interval.get_untracked();
        let live = fleet.link().with_untracked(|link| *link == Link::Live);
        if due && live && passed >= LEAST_REFRESH_MS && !document().hidden() {
            last.set_value((now, asked));
            board.refresh.update(|count| *count += 1);
        }
    });
}
