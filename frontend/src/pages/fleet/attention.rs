//! What needs a person: one line each. When nothing does, one quiet line with the time of the last check.

use std::sync::Arc;

use fleetglass_shared::attention::reasons_in_words;
use fleetglass_shared::health::Status;
use fleetglass_shared::wire::Risk;
use leptos::prelude::*;

use super::held::{Reading, held};
use crate::components::age::since_mark;
use crate::components::chips::restart_chip;
use crate::components::icon::{Icon, icon};
use crate::components::node_link::node_path;
use crate::components::risk_meter::risk_meter;
use crate::components::status_mark::{state_class, status_mark};
use crate::components::words::{ago, counted, whole};
use crate::dom::{El, button, div, effect, el, group, link, p, span, with_class};
use crate::state::alerts::Open;
use crate::state::attention::attention;
use crate::state::breach::breach_at;
use crate::state::tally::States;
use crate::state::view::View;
use crate::state::{Fleet, Node, NodeSignal, use_fleet};

/// As many lines are shown before a press for more; a list longer than a screen hides what comes next.
const FIRST: usize = 6;
/// As many after it; for the rest there is the table below.
const MOST: usize = 40;

/// The nodes that need a person, and how many of them are shown.
#[derive(Clone, Copy)]
struct Lines {
    shown: RwSignal<Arc<Vec<Node>>>,
    /// How many there are by now, while the order is held.
    count: Memo<usize>,
    all: RwSignal<bool>,
}

impl Lines {
    fn limit(self) -> usize {
        let limit = if self.all.get() { MOST } else { FIRST };
        // Two more are too few to hide behind a button.
        if self.shown.with(|shown| shown.len()) <= limit + 2 { limit + 2 } else { limit }
    }

    fn ids(self) -> Vec<String> {
        let limit = self.limit();
        self.shown.with(|shown| shown.iter().take(limit).map(|node| node.id.clone()).collect())
    }

    fn hidden(self) -> usize {
        self.shown.with(|shown| shown.len()).saturating_sub(self.limit())
    }

    fn any(self) -> bool {
        self.count.get() != 0 || self.shown.with(|shown| !shown.is_empty())
    }

    fn title(self) -> String {
        match self.count.get() {
            0 => String::new(),
            1 => "1 node needs you".to_owned(),
            count => format!("{} nodes need you", whole(count)),
        }
    }
}

/// The top of the fleet page. What does not fit, it shows by the view's filter.
pub fn attention_part(view: RwSignal<View>) -> El {
    let fleet = use_fleet();
    let reading = Reading::new();
    let latest = Memo::new_with_compare(
        move |_| {
            let now = fleet.now().get_untracked();
            Arc::new(fleet.every_node().with(|nodes| attention(nodes, now)))
        },
        |_, _| true,
    );
    let lines = Lines {
        shown: held(latest.into(), || (), reading.now()),
        count: Memo::new(move |_| latest.with(|nodes| nodes.len())),
        all: RwSignal::new(false),
    };
    let spoken = move || if lines.count.get() == 0 { "No node needs you".to_owned() } else { lines.title() };
    effect(move || fleet.show(1, lines.ids()));
    on_cleanup(move || fleet.show(1, Vec::new()));
    group()
        // Says it to those who do not see it, once a change, not at every beat.
        .child(p("sr-only").attr("aria-live", "polite").text(spoken))
        .when(move || lines.any(), move || reading.watch(section(view, lines)))
        .when(move || !lines.any(), all_well)
}

fn section(view: RwSignal<View>, lines: Lines) -> El {
    let fleet = use_fleet();
    let item = move |id: String| match fleet.node(&id) {
        Some(node) => line(fleet, &node),
        // Gone while the order was held.
        None => el("li").attr("hidden", ""),
    };
    with_class("section", "attention")
        .attr("aria-labelledby", "attention-title")
        .child(el("h2").class("attention-title").attr("id", "attention-title").text(move || lines.title()))
        .child(with_class("ul", "attention-list").each(move || lines.ids(), String::clone, item))
        .when(move || lines.hidden() != 0 || lines.all.get(), move || more(view, lines))
}

fn more(view: RwSignal<View>, lines: Lines) -> El {
    let press = move || lines.all.update(|all| *all = !*all);
    let words = move || match lines.all.get() {
        true => "Show fewer".to_owned(),
        false => format!("Show {} more", lines.hidden().min(MOST - FIRST)),
    };
    let filter = move || view.update(|view| "-state:healthy".clone_into(&mut view.filter));
    div("attention-more").child(button("button button-quiet").on_click(press).text(words)).when(
        move || lines.count.get() > MOST,
        move || button("button button-quiet").on_click(filter).text("Show all below"),
    )
}

fn line(fleet: Fleet, node: &NodeSignal) -> El {
    let node: RwSignal<Node> = node.clone().into();
    let id = node.with_untracked(|node| node.id.clone());
    let presses = |risk: &Risk| risk.firing || breach_at(risk).is_some();
    let risk = Memo::new(move |_| node.with(|node| node.worst_risk.clone().filter(presses)));
    let status = move || node.with(|node| node.status);
    let why = move || node.with(|node| reasons_in_words(node));
    let family = fleet.family_title(&node.with_untracked(|node| node.family.clone()));
    let class = move || {
        let at_risk = if risk.with(Option::is_some) { "attention-at-risk" } else { "" };
        format!("attention-line {} {at_risk}", state_class(status()))
    };
    let chip =
        restart_chip(move || node.with(|node| node.restarts), move || node.with(|node| node.restarted_at));
    el("li").class(class).child(
        link("attention-link", node_path(&id))
            .child(status_mark(status, move || node.with(|node| node.draining)))
            .child(span("attention-node").child(el("bdi").text(id)))
            .child(
                span("attention-why")
                    .child(chip)
                    .child(span("attention-reason").attr("title", why).text(why)),
            )
            .child(span("attention-risk").live(move || risk.get().map(|risk| risk_meter(Some(risk)))))
            .child(span("attention-family").text(family))
            .child(
                span("attention-since").text("for ").child(since_mark(move || node.with(|node| node.since))),
            ),
    )
}

/// The worst reason, and how many more there are.
pub(super) fn worst_reason(node: &Node) -> String {
    match node.reasons.as_slice() {
        [] => node
            .worst_risk
            .as_ref()
            .filter(|risk| risk.firing)
            .map(|risk| risk.meaning.clone())
            .unwrap_or_default(),
        [only] => only.text.clone(),
        [first, rest @ ..] => format!("{}, and {} more", first.text, rest.len()),
    }
}

fn all_well() -> El {
    let fleet = use_fleet();
    let open = fleet.open_alerts();
    let well = move || {
        let states = fleet.every_node().with(|nodes| States::of(nodes.iter()));
        let (total, healthy) = (states.total(), states.count(Status::Healthy));
        let open = open.with(Open::total);
        match total - healthy {
            // A rule sees what a node does not say of itself.
            0 if open > 0 => format!(
                "{} of {} say they are well, yet {} open.",
                whole(healthy),
                counted(total, "node", "nodes"),
                counted(open, "alert is", "alerts are").replacen(' ', "\u{a0}", 1)
            ),
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
    let checked = move || {
        let last = fleet.every_node().with(|nodes| nodes.iter().filter_map(|node| node.asked_at).max());
        last.map(|at| format!(" Last check {}", ago(at, fleet.now().get())))
    };
    let quiet = move || open.with(Open::total) == 0;
    p("all-well")
        .class(move || if quiet() { "all-well" } else { "all-well all-well-but" })
        .when(quiet, || icon(Icon::Check))
        .when(move || !quiet(), || icon(Icon::Bell))
        .child(span("all-well-words").text(well))
        .child(span("muted num").text(checked))
}
