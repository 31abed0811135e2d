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
    let stage = stages();
    let seen = move || fleet.loaded().get() && stage.get() >= SEEN;
    let scroller = div("page-body").class(move || if quiet() { "page-body fleet-old" } else { "page-body" });
    let body = scroller.clone();
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([el("h1").class("sr-only").text("Fleet"), filter_box(filter, set_filter)]))
        .child(banners())
        .child(
            scroller.when(move || !seen(), not_yet).child(
                group()
                    .flag("hidden", move || !seen())
                    .when(move || fleet.loaded().get(), move || parts(view, stage, &body)),
            ),
        )
}

/// What needs a person, the fleet at a glance, every node; or what to do when there is none.
fn parts(view: RwSignal<View>, stage: ReadSignal<usize>, scroller: &El) -> El {
    let fleet = use_fleet();
    let none = move || fleet.every_node().with(|nodes| nodes.is_empty());
    let scroller = scroller.clone();
    let lines = Signal::derive(move || if stage.get() < SEEN { stage.get() * AT_ONCE } else { usize::MAX });
    group().when(none, first_run).when(
        move || !none(),
        move || {
            let scroller = scroller.clone();
            group()
                .child(attention::attention_part(view, lines))
                .when(move || stage.get() > SEEN, move || summary::summary(view))
                .when(move || stage.get() > SEEN + 1, move || nodes::nodes_part(view, &scroller))
        },
    )
}

/// So many lines of what needs a person are drawn in one stage.
const AT_ONCE: usize = 2;
/// From this stage on the page is seen: the lines are drawn.
const SEEN: usize = (attention::FIRST + 2) / AT_ONCE;
/// All is drawn.
const WHOLE: usize = SEEN + 2;

/// How much of the page is to be drawn: at the app's start a part at a time, once the fleet is known, so that a slow
/// phone answers its finger meanwhile. Later all at once: somebody comes back to where they were.
fn stages() -> ReadSignal<usize> {
    let fleet = use_fleet();
    let (stage, set_stage) = signal(if STARTED.replace(true) { WHOLE } else { 0 });
    if stage.get_untracked() < WHOLE {
        let begins = Memo::new(move |_| fleet.loaded().get());
        effect(move || {
            if begins.get() {
                spawn_local(async move {
                    for stage in 1..=WHOLE {
                        // Nobody waits for a hidden page, and its timers are slow.
                        if !document().hidden() {
                            // What stands on the page is to be seen before the next part.
                            sleep(if stage > SEEN { FRAME_MS } else { 0 }).await;
                        }
                        let _ = set_stage.try_set(stage);
                    }
                });
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
