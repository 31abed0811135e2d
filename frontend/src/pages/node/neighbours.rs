//! The nodes before and after this one in the list it came from: two links, which a swipe presses too. They are no steps
//! in the browser's history: Back leads to the list, however many nodes were looked at.

use std::sync::Arc;

use leptos::prelude::*;
use web_sys::MouseEvent;

use crate::components::node_link::node_path;
use crate::dom::{El, div, drawing, link};
use crate::route::{followed, use_route};
use crate::state::listing::Listing;
use crate::state::use_fleet;
use crate::state::view::View;

const PREVIOUS: &str = "M5 12.5l5-5 5 5";
const NEXT: &str = "M5 7.5l5 5 5-5";

/// Two links; one that leads nowhere is not there.
pub(super) fn neighbours(id: &str) -> El {
    let (fleet, route) = (use_fleet(), use_route());
    let id = id.to_owned();
    let beside = Memo::new(move |_| {
        fleet.members().track();
        let mut order = fleet.order();
        if order.nodes.is_empty() {
            // Opened by its address: as the fleet page would list it.
            order = Arc::new(fleet.every_node().with_untracked(|nodes| Listing::of(nodes, &View::default())));
        }
        beside(&order, &id)
    });
    let one = move |before: bool| {
        let other = move || beside.with(|(a, b)| if before { a.clone() } else { b.clone() });
        let path = move || other().map(|id| node_path(&id)).unwrap_or_default();
        let (rel, words, mark) =
            if before { ("prev", "Previous node", PREVIOUS) } else { ("next", "Next node", NEXT) };
        move || {
            link("icon-button", path)
                .attr("rel", rel)
                .on("click", move |event: MouseEvent| {
                    if let Some(address) = followed(&event) {
                        event.prevent_default();
                        // What was zoomed into stays a step: Back leads out of it again.
                        match untrack(|| route.steps()) {
                            0 => route.replace(&address),
                            _ => route.go(&address),
                        }
                    }
                })
                .attr("aria-label", move || format!("{words}: {}", other().unwrap_or_default()))
                .child(drawing("icon", "0 0 20 20", mark))
        }
    };
    div("node-beside")
        .when(move || beside.with(|beside| beside.0.is_some()), one(true))
        .when(move || beside.with(|beside| beside.1.is_some()), one(false))
}

fn beside(order: &Listing, id: &str) -> (Option<String>, Option<String>) {
    let Some(at) = order.nodes.iter().position(|node| node.id == id) else { return (None, None) };
    let id_at = |at: usize| order.nodes.get(at).map(|node| node.id.clone());
    (at.checked_sub(1).and_then(id_at), id_at(at + 1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::model::tests::node;

    #[test]
    fn the_first_has_none_before_it_and_a_stranger_none_at_all() {
        let nodes = ["a", "b", "c"].map(|id| node(json!({"id": id})));
        let order = Listing::of(&nodes, &View::default());
        let some = |id: &str| Some(id.to_owned());
        assert_eq!(beside(&order, "a"), (None, some("b")));
        assert_eq!(beside(&order, "b"), (some("a"), some("c")));
        assert_eq!(beside(&order, "c"), (some("b"), None));
        assert_eq!(beside(&order, "x"), (None, None));
    }
}
