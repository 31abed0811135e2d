//! The rows of the table: its head, and a node. On a phone the same row is a card.

use std::cell::Cell;

use fleetglass_shared::format::{age, count};
use fleetglass_shared::health::Status;
use leptos::prelude::*;

use super::attention::worst_reason;
use super::item::{Aging, Item};
use crate::components::chips::{restart_chip, version_text};
use crate::components::node_link::node_path;
use crate::components::risk_meter::risk_meter;
use crate::components::spark::spark_line;
use crate::components::status_mark::{state_class, status_mark};
use crate::dom::{El, button, div, el, link, span};
use crate::state::order::Field;
use crate::state::view::View;
use crate::state::{Node, use_fleet};

/// The columns: class, field to sort by (if any), what a person reads.
const COLUMNS: [(&str, Option<Field>, &str); 9] = [
    ("cell cell-state", Some(Field::State), "State"),
    ("cell cell-node", Some(Field::Node), "Node"),
    ("cell cell-why", None, "Why"),
    ("cell cell-family", Some(Field::Family), "Family"),
    ("cell cell-version", Some(Field::Version), "Version"),
    ("cell cell-peers", Some(Field::Peers), "Peers"),
    ("cell cell-risk", Some(Field::Risk), "Worst risk"),
    ("cell cell-spark", None, "Last hour"),
    ("cell cell-age", Some(Field::Age), "Age"),
];

/// The head of the table: a press sorts, a second one turns the order round.
pub fn table_head(view: RwSignal<View>) -> El {
    let head = move |(class, field, title): (&'static str, Option<Field>, &'static str)| {
        let cell = span(class).attr("role", "columnheader");
        let Some(field) = field else { return cell.text(title) };
        let asked = field.clone();
        // `None` while another column leads.
        let descending =
            Memo::new(move |_| view.with(|view| (view.sort == asked).then_some(view.descending)));
        let words = move |down: &'static str, up: &'static str| {
            move || descending.get().map(|descending| if descending { down } else { up })
        };
        cell.attr("aria-sort", words("descending", "ascending")).child(
            button("sort")
                .on_click(move || view.update(|view| view.sorted_by(&field)))
                .text(title)
                .child(span("sort-mark").attr("aria-hidden", "true").text(words("↓", "↑"))),
        )
    };
    let row = div("table-row table-row-head").attr("role", "row").attr("aria-rowindex", "1");
    div("table-head").attr("role", "rowgroup").child(row.children(COLUMNS.into_iter().map(head)))
}

/// One node.
pub fn node_row(item: Item) -> El {
    let fleet = use_fleet();
    let Item { list, place, node } = item;
    let id = item.id();
    let status = move || node.with(|node| node.status);
    let why = move || node.with(worst_reason);
    let reasons = move || node.with(all_reasons);
    let risk = Memo::new(move |_| node.with(|node| node.worst_risk.clone()));
    let spark_title = move || {
        let family = node.with(|node| node.family.clone());
        fleet.families().with(|families| {
            let family = families.iter().find(|info| info.name == family);
            family.map_or_else(Default::default, |info| (info.spark_title.clone(), info.spark_unit.clone()))
        })
    };
    let peers =
        move || node.with(|node| node.peers.map_or_else(|| "–".to_owned(), |peers| count(peers as f64)));
    let fact_age = move || match node.with(|node| node.fact_at) {
        Some(at) => age(fleet.now().get(), at),
        None => "–".to_owned(),
    };
    let glow = glow(status);
    let class = move || {
        let aged = match item.aging() {
            Aging::Fresh => "",
            Aging::OldFacts => "row-old",
            Aging::Unheard => "row-unheard",
        };
        format!("table-row {aged} {} {}", state_class(status()), glow())
    };
    let cell = |class: &'static str| span(class).attr("role", "gridcell");
    let chip =
        restart_chip(move || node.with(|node| node.restarts), move || node.with(|node| node.restarted_at));
    let version = version_text(
        move || node.with(|node| node.version.clone()),
        move || node.with(|node| node.version_majority.clone()),
    );
    let name = link("node-link", node_path(&id)).attr("tabindex", "-1").attr("title", &id);
    let row = el("div")
        .class(class)
        .attr("role", "row")
        .attr("aria-rowindex", move || (place.get().index + 2).to_string())
        .attr("tabindex", move || if item.active() { "0" } else { "-1" })
        .style("height", move || format!("{}px", list.shape.get().row))
        .style("transform", move || format!("translate(0px,{}px)", place.get().y))
        .child(cell("cell cell-state").child(status_mark(status, move || node.with(|node| node.draining))))
        .child(span("cell cell-node").attr("role", "rowheader").child(name.child(el("bdi").text(&id))))
        .child(cell("cell cell-why").attr("title", reasons).child(chip).child(span("why-text").text(why)))
        .child(cell("cell cell-family").text(move || node.with(|node| fleet.family_title(&node.family))))
        .child(cell("cell cell-version").child(version))
        .child(cell("cell cell-peers num").text(peers))
        .child(cell("cell cell-risk").live(move || Some(risk_meter(risk.get()))))
        .child(
            cell("cell cell-spark")
                .child(spark_line(move || node.with(|node| node.spark.clone()), spark_title)),
        )
        .child(cell("cell cell-age num").text(fact_age));
    item.settle(&row, &row);
    item.hear(row)
}

/// Every reason, one a line.
fn all_reasons(node: &Node) -> String {
    node.reasons.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// A class that glows once after the state has changed: two in turn, so that a second change glows again.
fn glow(status: impl Fn() -> Status) -> impl Fn() -> &'static str {
    let seen = Cell::new(status());
    let turns = Cell::new(0_u32);
    move || {
        let now = status();
        if seen.replace(now) != now {
            turns.set(turns.get() + 1);
        }
        match turns.get() {
            0 => "",
            turn if turn % 2 == 1 => "glow-odd",
            _ => "glow-even",
        }
    }
}
