//! The page of one node: how it is and why, its risks, what it says about itself, its charts, any of its
//! series, and its own words.
//!
//! | module | is |
//! |---|---|
//! | `load` | the node's detail, asked anew when the live stream says the node was |
//! | `header`, `risks`, `facts`, `endpoints` | the sections of facts |
//! | `neighbours` | the nodes before and after it in the list it came from |
//! | `restart` | whether it may be restarted now |
//! | `uptime` | how much of the time it was up |
//! | `range_bar`, `range_form` | how much time is shown |
//! | `history` | what happened to it, as lanes and as a list |
//! | `feed`, `panels`, `metrics`, `series_view` | charts: their data, the family's, and any series |
//! | `raw`, `raw_text` | what the node answers now, as it came |

mod endpoints;
mod facts;
pub mod feed;
mod header;
pub mod history;
pub mod load;
mod metrics;
mod neighbours;
mod panels;
pub mod range_bar;
mod range_form;
mod raw;
mod raw_text;
mod restart;
mod risks;
mod series_view;
mod uptime;

use leptos::prelude::*;

use super::alert::parts::of_node;
use super::shares::share_link;
use crate::charts::Board;
use crate::components::connection::banners;
use crate::components::frame::top_bar;
use crate::components::icon::{Icon, icon};
use crate::components::notice::{empty, failed};
use crate::components::status_mark::status_shape;
use crate::dom::{El, Words, button, div, effect, el, link, p, span, with_class};
use crate::shared::{shared, shows};
use crate::state::{Link, Node, use_fleet};
use fleetglass_shared::health::Status;
use load::NodeLoad;

/// Everything known about one node.
pub fn node_page(id: &str) -> El {
    let fleet = use_fleet();
    let own = id.to_owned();
    let node = Memo::new(move |_| {
        fleet.members().track();
        fleet.node(&own).map(|node| node.get())
    });
    fleet.show(0, vec![id.to_owned()]);
    let back =
        link("icon-button node-back", "/").attr("aria-label", "Back to the fleet").child(icon(Icon::Back));
    // Of a node that the fleet does not have there is no state to show.
    let shape = status_shape(move || node.get().map_or(Status::Unknown, |node| node.status))
        .style("display", move || node.with(Option::is_none).then_some("none"));
    let title = with_class("h1", "page-title node-title").attr("title", id.to_owned()).text(id.to_owned());
    let own = id.to_owned();
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar(
            [back, shape, title, neighbours::neighbours(id)]
                .into_iter()
                .chain(share_link("node", move || format!("&node={}", load::escaped(&own)))),
        ))
        .child(banners())
        .child(body(id, node))
}

/// How far the page has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The fleet has no such node.
    Gone,
    /// The fleet is not there yet.
    Waiting,
    /// The fleet knows it; its detail is on its way. The header needs no more than the live stream.
    Asking,
    /// The detail did not come.
    Failed,
    /// All is there.
    Ready,
}

fn body(id: &str, node: Memo<Option<Node>>) -> El {
    let fleet = use_fleet();
    let load = NodeLoad::start(id, node);
    let loaded = fleet.loaded();
    let board = Board::provide();
    effect(move || {
        if let Some(node) = load.node() {
            board.interval.set_value(node.interval_ms as i64);
        }
    });
    refresh_charts(board, load);

    let known = move || load.node().is_some();
    let troubled = move || load.trouble.with(Option::is_some);
    let stage = move || match (known(), load.detail().is_some(), troubled()) {
        (true, true, _) => Stage::Ready,
        (true, false, true) => Stage::Failed,
        (true, false, false) => Stage::Asking,
        (false, ..) if loaded.get() || load.refused.get() => Stage::Gone,
        (false, ..) => Stage::Waiting,
    };
    let at = move |wanted: Stage| move || stage() == wanted;
    let sketched = move || matches!(stage(), Stage::Waiting | Stage::Asking);
    let old = move || stage() == Stage::Ready && troubled();
    // What asks the node, or tells an operator what to do, no share link has.
    let own = || shared().is_none();
    let why = move || load.trouble.get().unwrap_or_default();
    let unknown =
        format!("No node of this fleet is called {id}. It may have been taken out of the configuration.");
    // Each section is a child of its own, so that one that stays is not touched by one that comes.
    div("page-body node-page")
        .when(at(Stage::Gone), move || {
            empty("There is no such node", &unknown)
                .child(link("button button-primary", "/").text("Show the fleet"))
        })
        .when(at(Stage::Waiting), || p("sr-only").attr("role", "status").text("Loading the node"))
        .when(at(Stage::Waiting), || div("skeleton node-sketch-head"))
        .when(known, move || header::state(load))
        .when(known, move || of_node(&load.id()))
        .when(known, move || header::strip(load))
        .when(sketched, || sketch("node-facts", "skeleton node-sketch-facts", 2))
        .when(sketched, || sketch("panel-grid", "skeleton node-sketch-chart", 3))
        .when(at(Stage::Failed), move || {
            failed("The details of this node did not come", why)
                .child(button("button").on_click(move || load.again()).text("Try again"))
        })
        .when(old, move || {
            p("node-old").attr("role", "status").text("What stands below could not be refreshed. ").text(why)
        })
        .when(move || own() && stage() == Stage::Ready, move || restart::restart(load))
        .when(at(Stage::Ready), move || facts_of(load))
        .when(at(Stage::Ready), move || endpoints::endpoints(load))
        .when(at(Stage::Ready), move || over_time(load))
        .when(at(Stage::Ready), move || endpoints::failures(load))
        .when(move || own() && stage() == Stage::Ready, move || raw::raw(load))
}

/// What has one range of time, below the bar that chooses it and stays in sight.
fn over_time(load: NodeLoad) -> El {
    div("node-time")
        .child(range_bar::range_bar())
        .child(history::history(load))
        .when(|| shows("charts"), move || panels::panels(load))
        .when(|| shows("charts"), move || metrics::any_metric(load))
}

/// Risks and checks beside what the node says; without any of them that has the whole width.
fn facts_of(load: NodeLoad) -> El {
    let risky = move || load.detail().is_some_and(|detail| !detail.risks.is_empty());
    let checked = move || load.detail().is_some_and(|detail| !detail.checks.is_empty());
    el("div")
        .class(move || if risky() || checked() { "node-facts" } else { "node-facts node-facts-wide" })
        .child(
            div("node-column")
                .when(risky, move || risks::risks(load))
                .when(checked, move || facts::checks(load)),
        )
        .child(facts::facts(load))
}

/// Where parts of the page will stand.
fn sketch(class: &'static str, part: &'static str, count: usize) -> El {
    div(class).attr("aria-hidden", "true").children((0..count).map(|_| div(part)))
}

/// A section in a frame, named by its heading.
fn card(id: &'static str, title: &'static str) -> El {
    framed(id, heading(id, title))
}

/// A section in a frame, named by its heading, which has a note beside it.
fn noted_card(id: &'static str, title: &'static str, note: impl Into<Words>) -> El {
    framed(id, heading(id, title).child(span("card-note").text(note)))
}

fn framed(id: &'static str, head: El) -> El {
    with_class("section", "card").attr("aria-labelledby", id).child(head)
}

fn heading(id: &'static str, title: &'static str) -> El {
    with_class("h2", "card-title").attr("id", id).text(title)
}

/// A strong word, and why: what stands where an answer should.
fn no_answer(class: &'static str, word: &'static str, why: &str) -> El {
    p(class).child(el("strong").text(word)).text(format!(" {why}"))
}

/// Never more often than this.
const LEAST_REFRESH_MS: i64 = 5_000;

/// Tells the charts of newer values: when the node was asked since the last time, or its interval has passed;
/// not while nobody looks, and not while the proxy is away.
fn refresh_charts(board: Board, load: NodeLoad) {
    let fleet = use_fleet();
    let (mut refreshed, mut seen) = (fleet.now().get_untracked(), None);
    effect(move || {
        let now = fleet.now().get();
        let asked = untrack(|| load.node()).and_then(|node| node.asked_at);
        let passed = now - refreshed;
        let due = asked != seen || passed >= board.interval.get_value();
        let live = fleet.link().with_untracked(|link| *link == Link::Live);
        if due && live && passed >= LEAST_REFRESH_MS && !document().hidden() {
            (refreshed, seen) = (now, asked);
            board.refresh.update(|count| *count += 1);
        }
    });
}
