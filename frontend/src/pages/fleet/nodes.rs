//! Every node: as rows or as tiles, of which only those in sight are in the page.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use super::groups::{group_head, stuck_head};
use super::held::{Reading, held};
use super::item::Item;
use super::row::{node_row, table_head};
use super::tile::node_tile;
use super::toolbar::toolbar;
use super::uptime::GroupUptimes;
use crate::components::media::use_screen;
use crate::components::notice::empty;
use crate::components::typing;
use crate::components::viewport::Viewport;
use crate::dom::{El, button, div, effect, group, on_window, with_class};
use crate::state::listing::{Listing, Placed, Shape, Slot, What};
use crate::state::use_fleet;
use crate::state::view::{Layout, View};

/// Rows out of sight that are kept in the page, in pixels: scrolling shows them without a gap.
const MARGIN: i32 = 320;
/// Up to so many nodes a tile has room for words.
const LARGE_TILES: usize = 240;

/// Between two tiles; half of it between two small ones. The style sheet has it as their padding.
const GAP: i32 = 8;

/// Where a row or tile lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// From the left, in CSS pixels.
    pub x: i32,
    /// From the top.
    pub y: i32,
    /// In the whole listing, from 0, heads included.
    pub index: usize,
}

/// What rows and tiles share with the list they are in.
#[derive(Clone, Copy)]
pub struct List {
    /// Sizes.
    pub shape: Memo<Shape>,
    /// What is in sight, and where it lies.
    seen: Memo<Arc<InSight>>,
    /// The node the keyboard is on.
    pub active: RwSignal<Option<String>>,
    /// It is to have the focus as soon as it is in the page.
    pub wants_focus: RwSignal<bool>,
}

/// What is in sight, in order and by key.
#[derive(Default, PartialEq)]
struct InSight {
    order: Vec<Seen>,
    places: HashMap<String, Place>,
}

impl List {
    /// Where a row or tile lies; where it was when it is leaving.
    pub fn place(self, key: String) -> Memo<Place> {
        Memo::new(move |before: Option<&Place>| {
            let place = self.seen.with(|seen| seen.places.get(&key).copied());
            place.or(before.copied()).unwrap_or_default()
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Group(Option<String>),
    Node(String),
}

impl Seen {
    fn key(&self) -> String {
        match self {
            Self::Group(text) => group_key(text.as_deref()),
            Self::Node(id) => node_key(id),
        }
    }
}

/// The key of a node's row or tile.
pub fn node_key(id: &str) -> String {
    format!("n {id}")
}

/// The key of a group's head.
pub fn group_key(text: Option<&str>) -> String {
    text.map_or_else(|| "none".to_owned(), |text| format!("g {text}"))
}

/// The third part of the fleet page: the nodes as the view asks, in what scrolls them.
pub fn nodes_part(view: RwSignal<View>, scroller: &El) -> El {
    let fleet = use_fleet();
    let screen = use_screen();
    let reading = Reading::new();
    let latest = Memo::new_with_compare(
        move |_| fleet.every_node().with(|nodes| view.with(|view| Arc::new(Listing::of(nodes, view)))),
        |_, _| true,
    );
    let asked = move || view.with(|view| View { layout: Layout::Table, ..view.clone() });
    let shown = held(latest.into(), asked, reading.now());
    let waiting = Memo::new(move |_| {
        latest.with(|latest| {
            shown.with(|shown| if Arc::ptr_eq(latest, shown) { 0 } else { latest.changes_since(shown) })
        })
    });

    let list_element = div("nodes-list");
    // Only a scroll that a finger makes means reading; the wheel has the pointer over the list anyway.
    let viewport = Viewport::watch(scroller, &list_element, move || {
        if screen.touch.get_untracked() {
            reading.glance();
        }
    });
    let grid = Memo::new(move |_| view.with(|view| view.layout == Layout::Grid));
    let many = Memo::new(move |_| shown.with(|shown| shown.nodes.len() > LARGE_TILES));
    let shape = Memo::new(move |_| {
        let width = viewport.sight().get().width;
        let phone = screen.phone.get();
        let shape = shape(grid.get(), phone, screen.touch.get(), width, many.get());
        // A card is as high as its lines of text.
        let row = if phone && !grid.get() { f64::from(shape.row) * screen.text } else { shape.row.into() };
        Shape { row: row as i32, ..shape }
    });
    let placed = Memo::new(move |_| shown.with(|shown| Arc::new(shown.place(shape.get()))));
    let active = RwSignal::new(None::<String>);
    let active_index = Memo::new(move |_| {
        active.with(|id| {
            id.as_ref().and_then(|id| shown.with(|shown| shown.nodes.iter().position(|node| node.id == *id)))
        })
    });
    let seen = Memo::new(move |_| {
        let sight = viewport.sight().get();
        let covered = shape.get().row + MARGIN;
        let between = (sight.top - covered, sight.top + sight.height + MARGIN);
        placed
            .with(|placed| shown.with(|shown| Arc::new(in_sight(shown, placed, between, active_index.get()))))
    });
    let list = List { shape, seen, active, wants_focus: RwSignal::new(false) };
    let keyboard = Keyboard { list, viewport, shown, placed, active_index };

    // The keyboard enters at the first node until it has been somewhere.
    effect(move || {
        let first = shown.with(|shown| shown.nodes.first().map(|node| node.id.clone()));
        if active_index.get().is_none() {
            active.set(first);
        }
    });
    // `j` and `k` lead into the list from anywhere.
    on_window("keydown", move |event: KeyboardEvent| {
        let plain = !event.ctrl_key() && !event.meta_key() && !event.alt_key() && !event.default_prevented();
        if plain && matches!(event.key().as_str(), "j" | "k") && !typing(&event) {
            event.prevent_default();
            keyboard.go(active_index.get_untracked().unwrap_or(0));
        }
    });

    effect(move || {
        shown.with(|shown| fleet.set_order(Arc::clone(shown)));
        let node = |what: &Seen| match what {
            Seen::Node(id) => Some(id.clone()),
            Seen::Group(_) => None,
        };
        fleet.show(0, list.seen.with(|seen| seen.order.iter().filter_map(node).collect()));
    });

    let states_of = move |text: Option<String>| {
        Signal::derive(move || {
            latest.with(|latest| {
                let group = latest.groups.iter().find(|group| group.text == text);
                group.map(|group| group.states).unwrap_or_default()
            })
        })
    };
    let uptimes = GroupUptimes::follow(view);
    let item = move |what: Seen| {
        let key = what.key();
        match what {
            Seen::Group(text) => group_head(list, key, text.clone(), view, states_of(text), uptimes),
            Seen::Node(id) => match fleet.node(&id).map(|node| Item::new(list, key, node)) {
                Some(item) if grid.get_untracked() => node_tile(item, many.get_untracked()),
                Some(item) => node_row(item),
                // It may have gone while the order was held.
                None => div("").attr("hidden", ""),
            },
        }
    };
    let list_element = list_element
        .attr("role", move || (!grid.get()).then_some("rowgroup"))
        .style("height", move || format!("{}px", placed.with(|placed| placed.height)))
        .each(
            move || list.seen.with(|seen| seen.order.clone()),
            // Rows and tiles are different elements: a change of layout starts anew.
            move |what| format!("{} {} {}", grid.get(), many.get(), what.key()),
            item,
        );
    let stuck = Memo::new(move |_| {
        let top = viewport.sight().get().top;
        let index = placed.with(|placed| placed.group_at(top + shape.get().head / 2))?;
        shown.with(|shown| shown.groups.get(index).map(|group| group.text.clone()))
    });
    let none = move || shown.with(|shown| shown.nodes.is_empty());
    let rows = move || (!grid.get()).then(|| (placed.with(|placed| placed.slots.len()) + 1).to_string());
    let class = move || match (grid.get(), many.get()) {
        (false, _) => "nodes nodes-table",
        (true, false) => "nodes nodes-grid",
        (true, true) => "nodes nodes-grid nodes-small",
    };
    let table = div("")
        .class(class)
        .flag("hidden", none)
        .attr("role", move || if grid.get() { "group" } else { "grid" })
        .attr("aria-label", "Nodes")
        .attr("aria-rowcount", rows)
        .on("keydown", move |event| keyboard.hear(&event))
        .when(move || !grid.get(), move || table_head(view))
        .live(move || stuck.get().map(|text| stuck_head(text.clone(), view, states_of(text), uptimes)))
        .child(list_element);
    with_class("section", "nodes-part")
        .attr("aria-label", "Nodes")
        .child(toolbar(
            view,
            move || shown.with(|shown| (shown.nodes.len(), shown.total)),
            waiting,
            move || shown.set(latest.get_untracked()),
        ))
        .child(reading.watch(table))
        .child(group().when(none, move || no_match(view)))
}

fn no_match(view: RwSignal<View>) -> El {
    let detail =
        move || format!("Nothing in the fleet fits “{}”.", view.with(|view| view.filter.trim().to_owned()));
    let clear = move || view.update(|view| view.filter.clear());
    empty("No node matches the filter", detail).child(button("button").on_click(clear).text("Show all nodes"))
}

/// What lies between two heights, and the node that the keyboard is on: it stays in the page, or the focus
/// would be lost.
fn in_sight(shown: &Listing, placed: &Placed, (top, end): (i32, i32), active: Option<usize>) -> InSight {
    let slots = placed.between(top, end);
    let first = slots
        .first()
        .map_or(0, |first| placed.slots.partition_point(|slot| (slot.y, slot.x) < (first.y, first.x)));
    let active = active.and_then(|index| placed.of_node(index)).filter(|slot| !slots.contains(slot));
    let active = active.map(|slot| (placed.slots.iter().position(|other| *other == slot).unwrap_or(0), slot));
    let slots = slots.iter().copied().enumerate().map(|(offset, slot)| (first + offset, slot));
    let mut seen = InSight::default();
    for (index, slot) in slots.chain(active) {
        // The two change in turn: for a moment a slot may point past a shorter listing.
        let Some(what) = what_is(shown, &slot) else { continue };
        seen.places.insert(what.key(), Place { x: slot.x, y: slot.y, index });
        seen.order.push(what);
    }
    seen
}

fn what_is(shown: &Listing, slot: &Slot) -> Option<Seen> {
    match slot.what {
        What::Group(index) => shown.groups.get(index).map(|group| Seen::Group(group.text.clone())),
        What::Node(index) => shown.nodes.get(index).map(|node| Seen::Node(node.id.clone())),
    }
}

/// Moves through the nodes by keys.
#[derive(Clone, Copy)]
struct Keyboard {
    list: List,
    viewport: Viewport,
    shown: RwSignal<Arc<Listing>>,
    placed: Memo<Arc<Placed>>,
    active_index: Memo<Option<usize>>,
}

impl Keyboard {
    fn go(self, index: usize) {
        let id = self.shown.with_untracked(|shown| shown.nodes.get(index).map(|node| node.id.clone()));
        let Some(id) = id else { return };
        if let Some(slot) = self.placed.with_untracked(|placed| placed.of_node(index)) {
            let shape = self.list.shape.get_untracked();
            // Rows lie below the head of the table, too.
            let heads = if shape.column == 0 { 2 } else { 1 };
            self.viewport.reveal(slot.y, shape.row, heads * shape.head);
        }
        self.list.wants_focus.set(true);
        self.list.active.set(Some(id));
        self.list.active.notify();
    }

    fn hear(self, event: &KeyboardEvent) {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || typing(event) {
            return;
        }
        let last = self.shown.with_untracked(|shown| shown.nodes.len()).saturating_sub(1);
        let now = self.active_index.get_untracked().unwrap_or(0);
        let shape = self.list.shape.get_untracked();
        let columns = shape.columns;
        let height = self.viewport.sight().get_untracked().height;
        let page = (height / shape.row.max(1)).max(2) as usize - 1;
        let to = match event.key().as_str() {
            "ArrowDown" | "j" => now + columns,
            "ArrowUp" | "k" => now.saturating_sub(columns),
            "ArrowRight" if columns > 1 => now + 1,
            "ArrowLeft" if columns > 1 => now.saturating_sub(1),
            "PageDown" => now + page * columns,
            "PageUp" => now.saturating_sub(page * columns),
            "Home" => 0,
            "End" => last,
            "Escape" => {
                let focused =
                    document().active_element().and_then(|element| element.dyn_into::<HtmlElement>().ok());
                let _ = focused.map(|element| element.blur());
                return;
            }
            _ => return,
        };
        event.prevent_default();
        self.go(to.min(last));
    }
}

/// The sizes for a layout on a screen; the style sheet draws inside of them.
fn shape(grid: bool, phone: bool, touch: bool, width: i32, many: bool) -> Shape {
    // The gap after the last of a line lies outside of the list.
    let across = |least: i32, gap: i32| ((width + gap) / least).max(1);
    match (grid, many) {
        (false, _) if phone => Shape { head: 44, row: 92, column: 0, columns: 1 },
        (false, _) => Shape { head: 36, row: if touch { 48 } else { 32 }, column: 0, columns: 1 },
        (true, false) => {
            let columns = across(if phone { 150 } else { 176 }, GAP);
            Shape { head: 44, row: 64, column: (width + GAP) / columns, columns: columns as usize }
        }
        (true, true) => {
            let size = if touch { 44 } else { 28 };
            Shape { head: 44, row: size, column: size, columns: across(size, GAP / 2) as usize }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn tiles_fill_the_width_and_fingers_get_room() {
        let tiles = shape(true, false, false, 1000, false);
        assert_eq!((tiles.columns, tiles.column), (5, 201));
        assert!(shape(true, false, true, 1000, true).row >= 44);
        assert_eq!(shape(true, true, true, 0, false).columns, 1);
        assert_eq!(shape(false, false, false, 1000, true).row, 32);
    }
}
