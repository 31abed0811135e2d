//! The rows of the table: its head, a node, the head of a group. On a phone the same row is a card.

use fleetglass_shared::health::Status;
use fleetglass_shared::wire::NodeSummary;
use leptos::html::Div;
use leptos::prelude::*;
use leptos_router::components::A;
use wasm_bindgen::JsCast;
use web_sys::MouseEvent;

use super::attention::worst_reason;
use super::nodes::{List, Place};
use crate::components::chips::{RestartChip, VersionText};
use crate::components::media::use_screen;
use crate::components::node_link::node_path;
use crate::components::risk_meter::RiskMeter;
use crate::components::segments::{Segment, SegmentedBar};
use crate::components::spark::SparkLine;
use crate::components::status_mark::{StatusMark, StatusShape, state_class};
use crate::components::viewport::slide;
use crate::components::words::counted;
use crate::state::order::Field;
use crate::state::tally::States;
use crate::state::view::{Layout, View};
use crate::state::{Node, NodeSignal, use_fleet};
use fleetglass_shared::format::{age, count};

/// The columns: class, field to sort by (if any), what a person reads.
const COLUMNS: [(&str, Option<Field>, &str); 9] = [
    ("cell-state", Some(Field::State), "State"),
    ("cell-node", Some(Field::Node), "Node"),
    ("cell-why", None, "Why"),
    ("cell-family", Some(Field::Family), "Family"),
    ("cell-version", Some(Field::Version), "Version"),
    ("cell-peers", Some(Field::Peers), "Peers"),
    ("cell-risk", Some(Field::Risk), "Worst risk"),
    ("cell-spark", None, "Last hour"),
    ("cell-age", Some(Field::Age), "Age"),
];

/// The head of the table: a press sorts, a second one turns the order round.
#[component]
pub fn TableHead(
    /// What a press changes.
    view: RwSignal<View>,
) -> impl IntoView {
    let head = move |(class, field, title): (&'static str, Option<Field>, &'static str)| {
        let Some(field) = field else {
            return view! { <span class=format!("cell {class}") role="columnheader">{title}</span> }
                .into_any();
        };
        let asked = field.clone();
        let sorted = Memo::new(move |_| view.with(|view| (view.sort == asked).then_some(view.descending)));
        view! {
            <span
                class=format!("cell {class}")
                role="columnheader"
                aria-sort=move || sorted.get().map(|down| if down { "descending" } else { "ascending" })
            >
                <button type="button" class="sort" on:click=move |_| view.update(|view| view.sorted_by(&field))>
                    {title}
                    <span class="sort-mark" aria-hidden="true">
                        {move || sorted.get().map_or("", |down| if down { "↓" } else { "↑" })}
                    </span>
                </button>
            </span>
        }
        .into_any()
    };
    view! {
        <div class="table-head" role="rowgroup">
            <div class="table-row table-row-head" role="row" aria-rowindex="1">{COLUMNS.into_iter().map(head).collect::<Vec<_>>()}</div>
        </div>
    }
}

/// A part of a node that its row or tile shows; touches the page only when that part differs.
pub fn part<T: PartialEq + Send + Sync + 'static>(
    node: RwSignal<Node>,
    get: fn(&NodeSummary) -> T,
) -> Memo<T> {
    Memo::new(move |_| node.with(|node| get(node)))
}

/// How old a node is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aging {
    /// Its facts are of the last two rounds.
    Fresh,
    /// It was asked, but its last answer is older.
    OldFacts,
    /// Nobody has told us about it for two rounds: nothing here may be true any more.
    Unheard,
}

/// Compares with the time, once a second.
pub fn aging(node: RwSignal<Node>) -> Memo<Aging> {
    let now = use_fleet().now();
    Memo::new(move |_| {
        let now = now.get();
        node.with(|node| {
            // A second of grace for the way here.
            let patience = 2 * node.interval_ms as i64 + 1000;
            let older = |at: Option<i64>| at.is_some_and(|at| now - at > patience);
            match (older(node.asked_at), older(node.fact_at)) {
                (true, _) => Aging::Unheard,
                (false, true) => Aging::OldFacts,
                (false, false) => Aging::Fresh,
            }
        })
    })
}

/// Keeps a row or tile where it belongs, slides it when it moves, and gives it the focus when asked to.
pub fn settle(list: List, id: String, place: Memo<Place>, element: NodeRef<Div>) {
    let still = use_screen().still;
    Effect::new(move |before: Option<(i32, i32)>| {
        let at = (place.get().x, place.get().y);
        if let (Some(before), Some(element)) = (before, element.get_untracked())
            && before != at
            && !still.get_untracked()
        {
            slide(&element, before, at);
        }
        at
    });
    Effect::new(move |_| {
        let mine = list.active.with(|active| active.as_deref() == Some(&id));
        if mine
            && list.wants_focus.get()
            && let Some(element) = element.get()
        {
            list.wants_focus.set(false);
            // A row takes the focus itself, a tile gives it to its link.
            let link = element.query_selector(".tile-face").ok().flatten();
            let link = link.and_then(|link| link.dyn_into::<web_sys::HtmlElement>().ok());
            let _ = link.as_ref().unwrap_or(&element).focus();
        }
    });
}

/// One node.
#[component]
pub fn NodeRow(
    /// The list it is in.
    list: List,
    /// Its key in the list.
    key: String,
    /// Its id.
    id: String,
    /// What it shows.
    node: NodeSignal,
) -> impl IntoView {
    let fleet = use_fleet();
    let node: RwSignal<Node> = node.into();
    let place = list.place(key);
    let element = NodeRef::<Div>::new();
    settle(list, id.clone(), place, element);
    let own = id.clone();
    let active = Memo::new(move |_| list.active.with(|active| active.as_deref() == Some(&own)));
    let status = part(node, |node| node.status);
    let why = Memo::new(move |_| node.with(worst_reason));
    let all_reasons = move || {
        node.with(|node| node.reasons.iter().map(|reason| reason.text.clone()).collect::<Vec<_>>().join("\n"))
    };
    let draining = part(node, |node| node.draining);
    let family = part(node, |node| node.family.clone());
    let family_title = Memo::new(move |_| fleet.family_title(&family.get()));
    let spark_title = Memo::new(move |_| {
        fleet.families().with(|families| {
            let family = families.iter().find(|info| family.with(|name| info.name == *name));
            family.map_or_else(Default::default, |info| (info.spark_title.clone(), info.spark_unit.clone()))
        })
    });
    let peers = part(node, |node| node.peers);
    let aging = aging(node);
    let fact_at = part(node, |node| node.fact_at);
    let age =
        Memo::new(move |_| fact_at.get().map_or_else(|| "–".to_owned(), |at| age(fleet.now().get(), at)));
    let class = move || match aging.get() {
        Aging::Fresh => "table-row",
        Aging::OldFacts => "table-row row-old",
        Aging::Unheard => "table-row row-unheard",
    };
    let glow = Memo::new(move |before: Option<&(Status, u32)>| {
        let status = status.get();
        before.map_or((status, 0), |(was, turn)| (status, if *was == status { *turn } else { turn + 1 }))
    });
    let glow_class = move || match glow.get().1 {
        0 => "",
        turn if turn % 2 == 1 => "glow-odd",
        _ => "glow-even",
    };
    let (path, name, own) = (node_path(&id), id.clone(), id.clone());
    view! {
        <div
            node_ref=element
            class=move || format!("{} {} {}", class(), state_class(status.get()), glow_class())
            role="row"
            aria-rowindex=move || (place.get().index + 2).to_string()
            tabindex=move || if active.get() { "0" } else { "-1" }
            style:height=move || format!("{}px", list.shape.get().row)
            style:transform=move || format!("translate(0px,{}px)", place.get().y)
            on:click=move |event| open(&event, element)
            on:keydown=move |event| {
                if event.key() == "Enter" && event.target() == event.current_target() {
                    press_link(element);
                }
            }
            on:focus=move |_| list.active.set(Some(own.clone()))
        >
            <span class="cell cell-state" role="gridcell">
                <StatusMark status draining=draining/>
            </span>
            <span class="cell cell-node" role="rowheader">
                <A href=path attr:class="node-link" attr:tabindex="-1" attr:title=id><bdi>{name}</bdi></A>
            </span>
            <span class="cell cell-why" role="gridcell" title=all_reasons>
                <RestartChip restarts=part(node, |node| node.restarts) restarted_at=part(node, |node| node.restarted_at)/>
                <span class="why-text">{why}</span>
            </span>
            <span class="cell cell-family" role="gridcell">{family_title}</span>
            <span class="cell cell-version" role="gridcell">
                <VersionText version=part(node, |node| node.version.clone()) majority=part(node, |node| node.version_majority.clone())/>
            </span>
            <span class="cell cell-peers num" role="gridcell">
                {move || peers.get().map_or_else(|| "–".to_owned(), |peers| count(peers as f64))}
            </span>
            <span class="cell cell-risk" role="gridcell">
                <RiskMeter risk=part(node, |node| node.worst_risk.clone())/>
            </span>
            <span class="cell cell-spark" role="gridcell">
                <SparkLine spark=part(node, |node| node.spark.clone()) title=spark_title/>
            </span>
            <span class="cell cell-age num" role="gridcell">{age}</span>
        </div>
    }
    .into_any()
}

/// A press anywhere on a row opens its node, but not one that marks text.
pub fn open(event: &MouseEvent, element: NodeRef<Div>) {
    let on_link = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .is_some_and(|target| target.closest("a,button").ok().flatten().is_some());
    if !on_link && !event.default_prevented() && event.button() == 0 {
        press_link(element);
    }
}

/// The router hears presses on links: let it hear one.
pub fn press_link(element: NodeRef<Div>) {
    let link = element.get_untracked().and_then(|element| element.query_selector("a").ok().flatten());
    if let Some(link) = link.and_then(|link| link.dyn_into::<web_sys::HtmlElement>().ok()) {
        link.click();
    }
}

/// The head of a group, where it lies in the list.
#[component]
pub fn GroupHead(
    /// The list it is in.
    list: List,
    /// Its key in the list.
    key: String,
    /// What its nodes share.
    text: Option<String>,
    /// What they are grouped by.
    view: RwSignal<View>,
    /// Their states.
    states: Signal<States>,
) -> impl IntoView {
    let place = list.place(key);
    let table = move || view.with(|view| view.layout == Layout::Table);
    view! {
        <div
            class="group-head"
            role=move || table().then_some("row")
            aria-rowindex=move || table().then(|| (place.get().index + 2).to_string())
            style:height=move || format!("{}px", list.shape.get().head)
            style:transform=move || format!("translate(0px,{}px)", place.get().y)
        >
            <span class="group-cell" role=move || table().then_some("gridcell") aria-colspan=move || table().then_some("9")>{group_words(text, view, states)}</span>
        </div>
    }
    .into_any()
}

/// The head of the group that is being read, kept in sight. The real one says it to readers.
#[component]
pub fn StuckHead(
    /// What its nodes share.
    text: Option<String>,
    /// What they are grouped by.
    view: RwSignal<View>,
    /// Their states.
    states: Signal<States>,
) -> impl IntoView {
    view! {
        <div class="group-stuck" aria-hidden="true">
            <div class="group-head"><span class="group-cell">{group_words(text, view, states)}</span></div>
        </div>
    }
    .into_any()
}

fn group_words(text: Option<String>, view: RwSignal<View>, states: Signal<States>) -> AnyView {
    let fleet = use_fleet();
    let title = move || match (&text, view.with(|view| view.group.clone())) {
        (Some(text), Some(Field::Family)) => fleet.family_title(text),
        (Some(text), _) => text.clone(),
        (None, Some(field)) => format!("No {}", field.title().to_lowercase()),
        (None, None) => String::new(),
    };
    let segments = Signal::derive(move || {
        let segment = |(status, count): (Status, usize)| Segment {
            name: status.as_str().to_owned(),
            count,
            class: state_class(status).to_owned(),
        };
        states.get().present().into_iter().map(segment).collect::<Vec<_>>()
    });
    let ill = move || {
        let mark = |(status, count): (Status, usize)| {
            view! {
                <span class=format!("group-count num {}", state_class(status)) title=status.as_str()>
                    <StatusShape status=Signal::derive(move || status)/>
                    {count}
                    <span class="sr-only">" "{status.as_str()}</span>
                </span>
            }
        };
        states.get().present().into_iter().map(mark).collect::<Vec<_>>()
    };
    view! {
        <span class="group-title">{title}</span>
        <span class="group-total num">{move || counted(states.get().total(), "node", "nodes")}</span>
        <SegmentedBar segments/>
        <span class="group-counts">{ill}</span>
    }
    .into_any()
}
