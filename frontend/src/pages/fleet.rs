//! The fleet page: what needs a person first, then the fleet at a glance, then every node.

mod address;
mod attention;
mod groups;
pub mod held;
mod item;
mod nodes;
mod row;
mod summary;
mod tile;
mod toolbar;
mod uptime;

use std::cell::Cell;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::clock::sleep;
use crate::components::connection::banners;
use crate::components::filter_box::filter_box;
use crate::components::frame::top_bar;
use crate::components::notice::{empty, failed};
use crate::dom::{El, div, effect, el, group, p, with_class};
use crate::rest::draw_glance;
use crate::shared::shared;
use crate::state::view::View;
use crate::state::{Link, use_fleet};

/// The page at `/`.
pub fn fleet_page() -> El {
    let fleet = use_fleet();
    let view = address::view_in_address();
    let quiet = move || !matches!(fleet.link().get(), Link::Live | Link::Connecting);
    let filter = Signal::derive(move || view.with(|view| view.filter.clone()));
    let set_filter = Callback::new(move |text| view.update(|view| view.filter = text));
    let scroller = div("page-body").class(move || if quiet() { "page-body fleet-old" } else { "page-body" });
    let body = scroller.clone();
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([el("h1").class("sr-only").text("Fleet"), filter_box(filter, set_filter)]))
        .child(banners())
        .child(
            scroller
                .when(move || !fleet.loaded().get(), not_yet)
                .when(move || fleet.loaded().get(), move || parts(view, &body)),
        )
}

/// What needs a person, the fleet at a glance, every node; or what to do when there is none.
fn parts(view: RwSignal<View>, scroller: &El) -> El {
    let fleet = use_fleet();
    let none = move || fleet.every_node().with(|nodes| nodes.is_empty());
    let scroller = scroller.clone();
    group().when(none, first_run).when(
        move || !none(),
        move || {
            let scroller = scroller.clone();
            let stage = stages();
            group()
                .child(attention::attention_part(view))
                .when(move || stage.get() > 0, move || summary::summary(view))
                .when(move || stage.get() > 1, move || nodes::nodes_part(view, &scroller))
        },
    )
}

/// How much of the page is to be drawn: at the app's start a part at a time, so that the first is seen and can be
/// pressed while a slow phone draws the others. Later all at once: somebody comes back to where they were.
fn stages() -> ReadSignal<usize> {
    let (stage, set_stage) = signal(if STARTED.replace(true) { 2 } else { 0 });
    if stage.get_untracked() == 0 {
        spawn_local(async move {
            for part in 1..=2 {
                sleep(FRAME_MS).await;
                let _ = set_stage.try_set(part);
            }
        });
    }
    stage
}

thread_local! {
    /// This app has drawn a fleet.
    static STARTED: Cell<bool> = const { Cell::new(false) };
}

/// About a frame, so that what is drawn is seen before the next part.
const FRAME_MS: i32 = 16;

/// Before the first snapshot: the layout to come, or why it does not come.
fn not_yet() -> El {
    let fleet = use_fleet();
    let lost = move || matches!(fleet.link().get(), Link::Waiting { .. } | Link::Retrying(_));
    group()
        .when(
            move || !lost(),
            || {
                effect(draw_glance);
                div("loading")
                    .attr("id", "boot-notice")
                    .attr("aria-busy", "true")
                    .child(p("sr-only").text("The fleet is loading"))
                    .child(div("skeleton skeleton-line"))
                    .child(div("skeleton skeleton-band"))
                    .child(div("skeleton skeleton-table"))
            },
        )
        .when(lost, || {
            failed(
                "The fleet is not known yet",
                "This page has not reached Fleetglass since it was opened. It goes on trying by itself.",
            )
        })
}

/// The proxy has no target; or a share link no node.
fn first_run() -> El {
    if shared().is_some() {
        return empty("No node here", "This link shows no node just now.");
    }
    let sample = "[[target]]\nid = \"eu-1\"\nfamily = \"auto\"\nurl = \"http://10.0.0.5:9090\"\nlabels = { region = \"eu\" }";
    empty(
        "No node yet",
        "Name your nodes in the config file; Fleetglass reads it again as soon as it is saved.",
    )
    .child(with_class("pre", "sample").attr("tabindex", "0").child(el("code").text(sample)))
}
