//! One node in the heat grid: with words while there is room for them, else its shape alone.

use super::attention::worst_reason;
use super::item::{Aging, Item};
use crate::components::node_link::node_path;
use crate::components::status_mark::{state_class, status_shape};
use crate::dom::{El, el, link, span};
use crate::state::breach::{breach_at, breach_in};
use crate::state::{Node, use_fleet};
use leptos::prelude::*;

/// A tile that opens its node; a small one has room for the shape only.
pub fn node_tile(item: Item, small: bool) -> El {
    let fleet = use_fleet();
    let Item { list, place, node } = item;
    let id = item.id();
    let status = move || node.with(|node| node.status);
    let under = move || {
        node.with(|node| match (node.worst_risk.as_ref().and_then(breach_at), worst_reason(node)) {
            (Some(at), why) if why.is_empty() => breach_in(at, fleet.now().get()),
            (None, why) if why.is_empty() => fleet.family_title(&node.family),
            (_, why) => why,
        })
    };
    let label = move || node.with(in_words);
    let class = move || {
        let aged = if item.aging() == Aging::Unheard { "row-unheard" } else { "" };
        format!("tile {} {aged}", state_class(status()))
    };
    let words = (!small).then(|| {
        span("tile-words")
            .child(span("tile-node").child(el("bdi").text(&id)))
            .child(span("tile-why").text(under))
    });
    let face = link("tile-face", node_path(&id))
        .attr("tabindex", move || if item.active() { "0" } else { "-1" })
        .attr("title", label)
        .attr("aria-label", label)
        .child(status_shape(status))
        .maybe(words);
    let tile = el("div")
        .class(class)
        .style("width", move || format!("{}px", list.shape.get().column))
        .style("height", move || format!("{}px", list.shape.get().row))
        .style("transform", move || {
            let place = place.get();
            format!("translate({}px,{}px)", place.x, place.y)
        })
        .child(face.clone());
    item.settle(&tile, &face);
    item.hear(tile)
}

fn in_words(node: &Node) -> String {
    let drains = if node.draining { ", draining" } else { "" };
    let why = match worst_reason(node) {
        why if why.is_empty() => why,
        why => format!(": {why}"),
    };
    format!("{}, {}{drains}{why}", node.id, node.status.as_str())
}
