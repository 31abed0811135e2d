//! What needs a person: one line each. When nothing does, one quiet line with the time of the last check.

use std::collections::HashSet;
use std::sync::Arc;

use fleetglass_shared::attention::{need_in_words, reasons_in_words, urgency, well_in_words};
use fleetglass_shared::health::Status;
use fleetglass_shared::wire::Risk;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement};

use super::held::{Reading, held};
use crate::components::age::since_mark;
use crate::components::chips::restart_chip;
use crate::components::icon::{Icon, icon};
use crate::components::media::use_screen;
use crate::components::node_link::node_path;
use crate::components::risk_meter::risk_meter;
use crate::components::status_mark::{state_class, status_mark};
use crate::components::words::{ago, whole};
use crate::dom::{El, button, div, effect, el, group, link, on_window, p, span, unseen, with_class};
use crate::state::alerts::Open;
use crate::state::attention::attention;
use crate::state::breach::breach_at;
use crate::state::listing::Listing;
use crate::state::tally::States;
use crate::state::view::View;
use crate::state::{Fleet, Node, NodeSignal, use_fleet};

/// The id of the title.
const TITLE: &str = "attention-title";
/// As many lines are shown before a press for more; a list longer than a screen hides what comes next.
pub const FIRST: usize = 6;
/// As many after it; for the rest there is the table below.
const MOST: usize = 40;

/// The nodes that need a person, and how many of them are shown.
#[derive(Clone, Copy)]
struct Lines {
    shown: RwSignal<Arc<Vec<Node>>>,
    /// Those there are by now, while the order is held.
    latest: Memo<Arc<Vec<Node>>>,
    count: Memo<usize>,
    all: RwSignal<bool>,
    /// Counts how often somebody asked for the order of now.
    asked: RwSignal<usize>,
    /// How many there may be so far: at the app's start they are drawn a few at a time.
    drawn: Signal<usize>,
}

/// What the order of now has before the one that is held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    /// So many nodes more need a person.
    More(usize),
    /// The same nodes, or fewer, in another order.
    Order,
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

    /// Those that are in the page so far.
    fn drawn(self) -> Vec<String> {
        let mut ids = self.ids();
        ids.truncate(self.drawn.get());
        ids
    }

    fn hidden(self) -> usize {
        self.shown.with(|shown| shown.len()).saturating_sub(self.limit())
    }

    fn any(self) -> bool {
        self.count.get() != 0 || self.shown.with(|shown| !shown.is_empty())
    }

    fn news(self) -> Option<News> {
        let limit = self.limit();
        self.shown.with(|shown| {
            self.latest.with(|latest| {
                let held: HashSet<&str> = shown.iter().map(|node| node.id.as_str()).collect();
                match latest.iter().filter(|node| !held.contains(node.id.as_str())).count() {
                    0 if shown
                        .iter()
                        .take(limit)
                        .map(|node| &node.id)
                        .eq(latest.iter().take(limit).map(|node| &node.id)) =>
                    {
                        None
                    }
                    0 => Some(News::Order),
                    more => Some(News::More(more)),
                }
            })
        })
    }

    fn renew(self) {
        self.asked.update(|asked| *asked += 1);
    }

    fn title(self) -> String {
        match self.count.get() {
            0 => String::new(),
            count => need_in_words(count),
        }
    }
}

/// The top of the fleet page, of which so many lines may be drawn. What does not fit, it shows by the view's filter.
pub fn attention_part(view: RwSignal<View>, drawn: Signal<usize>) -> El {
    let fleet = use_fleet();
    let reading = Reading::new();
    let latest = Memo::new_with_compare(
        move |_| {
            let now = fleet.now().get_untracked();
            Arc::new(fleet.every_node().with(|nodes| attention(nodes, now)))
        },
        |_, _| true,
    );
    if latest.with_untracked(|nodes| !nodes.is_empty()) {
        // Whoever opens the page reads its first lines: those do not move at once.
        reading.glance();
    }
    // On a phone the lines stay where they are until somebody asks, comes back or draws the page down: nothing moves
    // under a thumb. What is new is said beside the title.
    let phone = use_screen().phone;
    let (asked, being_read) = (RwSignal::new(0), reading.now());
    let any = move || phone.get() && latest.with(|nodes| !nodes.is_empty());
    let lines = Lines {
        shown: held(
            latest.into(),
            move || (asked.get(), any()),
            Signal::derive(move || phone.get() || being_read.get()),
        ),
        latest,
        count: Memo::new(move |_| latest.with(|nodes| nodes.len())),
        all: RwSignal::new(false),
        asked,
        drawn,
    };
    on_window("fleetglass-refresh", move |_: Event| lines.renew());
    on_window("visibilitychange", move |_: Event| {
        if !document().hidden() {
            lines.renew();
        }
    });
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
    let (fleet, phone) = (use_fleet(), use_screen().phone);
    let news = Memo::new(move |_| lines.news());
    let item = move |id: String| match fleet.node(&id) {
        Some(node) => line(fleet, &node, lines.shown),
        // Gone while the order was held.
        None => el("li").attr("hidden", ""),
    };
    with_class("section", "attention")
        .attr("aria-labelledby", TITLE)
        .child(
            div("attention-head")
                .child(
                    with_class("h2", "attention-title")
                        .attr("id", TITLE)
                        .attr("tabindex", "-1")
                        .text(move || lines.title()),
                )
                .when(move || phone.get() && news.with(Option::is_some), move || renew_button(lines, news)),
        )
        .child(with_class("ul", "attention-list").each(move || lines.drawn(), String::clone, item))
        .when(move || lines.hidden() != 0 || lines.all.get(), move || more(view, lines))
}

/// Says what the lines that are held do not show yet, and shows it.
fn renew_button(lines: Lines, news: Memo<Option<News>>) -> El {
    let words = move || match news.get() {
        Some(News::More(more)) => [
            "\u{2191} ".to_owned(),
            format!("{} new", whole(more)),
            ": show what needs you by now".to_owned(),
        ],
        _ => ["\u{21c5} ", "Sort", ": the worst first"].map(str::to_owned),
    };
    let word = move |at: usize| move || words()[at].clone();
    let press = move || {
        lines.renew();
        // The button goes with what it said.
        let title =
            document().get_element_by_id(TITLE).and_then(|title| title.dyn_into::<HtmlElement>().ok());
        if let Some(title) = title {
            let _ = title.focus();
        }
    };
    button("button attention-renew")
        .on_click(press)
        .child(span("").attr("aria-hidden", "true").text(word(0)))
        .child(span("").text(word(1)))
        .child(unseen(word(2)))
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

fn line(fleet: Fleet, node: &NodeSignal, list: RwSignal<Arc<Vec<Node>>>) -> El {
    let node: RwSignal<Node> = node.clone().into();
    let id = node.with_untracked(|node| node.id.clone());
    let presses = |risk: &Risk| risk.firing || breach_at(risk).is_some();
    let risk = Memo::new(move |_| node.with(|node| node.worst_risk.clone().filter(presses)));
    let status = move || node.with(|node| node.status);
    let why = move || {
        let now = fleet.now().get_untracked();
        node.with(|node| match node.status {
            // It is still here because the order is held.
            Status::Healthy if urgency(node, now).is_none() => "Well again".to_owned(),
            _ => reasons_in_words(node),
        })
    };
    let family = fleet.family_title(&node.with_untracked(|node| node.family.clone()));
    let class = move || {
        let at_risk = if risk.with(Option::is_some) { "attention-at-risk" } else { "" };
        format!("attention-line {} {at_risk}", state_class(status()))
    };
    let chip =
        restart_chip(move || node.with(|node| node.restarts), move || node.with(|node| node.restarted_at));
    el("li").class(class).child(
        link("attention-link", node_path(&id))
            // From there a swipe leads to the next of these.
            .on_click(move || fleet.set_order(list.with_untracked(Listing::of_list)))
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
        well_in_words(total, healthy, open.with(Open::total))
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
