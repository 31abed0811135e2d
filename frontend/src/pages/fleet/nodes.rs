//! Every node: as rows or as tiles, of which only those in sight are in the page.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::held::{Reading, held};
use super::row::{GroupHead, NodeRow, TableHead};
use super::tile::NodeTile;
use super::toolbar::Toolbar;
use crate::components::media::use_screen;
use crate::components::notice::Empty;
use crate::components::typing;
use crate::components::viewport::Viewport;
use crate::state::listing::{Listing, Shape, Slot, What};
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
    pub shape: Signal<Shape>,
    /// Where those in sight lie, by key.
    places: Memo<HashMap<String, Place>>,
    /// The node the keyboard is on.
    pub active: RwSignal<Option<String>>,
    /// It is to have the focus as soon as it is in the page.
    pub wants_focus: RwSignal<bool>,
}

impl List {
    /// Where a row or tile lies; where it was when it is leaving.
    pub fn place(self, key: String) -> Memo<Place> {
        Memo::new(move |before: Option<&Place>| {
            let place = self.places.with(|places| places.get(&key).copied());
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

/// The third part of the fleet page.
#[component]
pub fn Nodes(
    /// How the nodes are looked at.
    view: RwSignal<View>,
    /// What scrolls them.
    scroller: NodeRef<Div>,
) -> impl IntoView {
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

    let list_ref = NodeRef::<Div>::new();
    // Only a scroll that a finger makes means reading; the wheel has the pointer over the list anyway.
    let viewport = Viewport::watch(scroller, list_ref, move || {
        if screen.touch.get_untracked() {
            reading.glance();
        }
    });
    let layout = Memo::new(move |_| view.with(|view| view.layout));
    let width = Memo::new(move |_| viewport.sight().get().width);
    let many = Memo::new(move |_| shown.with(|shown| shown.nodes.len() > LARGE_TILES));
    let shape = Memo::new(move |_| {
        shape(layout.get(), screen.phone.get(), screen.touch.get(), width.get(), many.get())
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
        placed.with(|placed| {
            let slots = placed.between(sight.top - covered, sight.top + sight.height + MARGIN);
            // The one the keyboard is on stays in the page, or the focus would be lost.
            let active = active_index
                .get()
                .and_then(|index| placed.of_node(index))
                .filter(|slot| !slots.contains(slot));
            let first = slots.first().map_or(0, |first| {
                placed.slots.partition_point(|slot| (slot.y, slot.x) < (first.y, first.x))
            });
            let slots = slots.iter().copied().enumerate().map(|(offset, slot)| (first + offset, slot));
            let active =
                active.map(|slot| (placed.slots.iter().position(|other| *other == slot).unwrap_or(0), slot));
            slots.chain(active).collect::<Vec<(usize, Slot)>>()
        })
    });
    let items = Memo::new(move |_| {
        shown.with(|shown| {
            let what = |slot: &Slot| match slot.what {
                What::Group(index) => Seen::Group(shown.groups[index].text.clone()),
                What::Node(index) => Seen::Node(shown.nodes[index].id.clone()),
            };
            // The two change in turn: for a moment a slot may point past a shorter listing.
            let fits = |slot: &Slot| match slot.what {
                What::Group(index) => index < shown.groups.len(),
                What::Node(index) => index < shown.nodes.len(),
            };
            seen.with(|seen| {
                seen.iter()
                    .filter(|(_, slot)| fits(slot))
                    .map(|(index, slot)| (what(slot), Place { x: slot.x, y: slot.y, index: *index }))
                    .collect::<Vec<_>>()
            })
        })
    });
    let places = Memo::new(move |_| {
        items.with(|items| items.iter().map(|(what, place)| (what.key(), *place)).collect::<HashMap<_, _>>())
    });
    let list = List { shape: shape.into(), places, active, wants_focus: RwSignal::new(false) };

    // The keyboard enters at the first node until it has been somewhere.
    Effect::new(move |_| {
        let first = shown.with(|shown| shown.nodes.first().map(|node| node.id.clone()));
        if active_index.get().is_none() {
            active.set(first);
        }
    });
    let go = move |index: usize| {
        let Some(id) = shown.with_untracked(|shown| shown.nodes.get(index).map(|node| node.id.clone()))
        else {
            return;
        };
        if let Some(slot) = placed.with_untracked(|placed| placed.of_node(index)) {
            let shape = shape.get_untracked();
            viewport.reveal(
                slot.y,
                shape.row,
                if layout.get_untracked() == Layout::Table { 2 * shape.head } else { shape.head },
            );
        }
        list.wants_focus.set(true);
        active.set(Some(id));
        active.notify();
    };
    let on_key = move |event: KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || typing(&event) {
            return;
        }
        let last = shown.with_untracked(|shown| shown.nodes.len()).saturating_sub(1);
        let now = active_index.get_untracked().unwrap_or(0);
        let columns = shape.get_untracked().columns;
        let page =
            (viewport.sight().get_untracked().height / shape.get_untracked().row.max(1)).max(2) as usize - 1;
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
        go(to.min(last));
    };
    // `j` and `k` lead into the list from anywhere.
    let shortcut = window_event_listener(leptos::ev::keydown, move |event| {
        let plain = !event.ctrl_key() && !event.meta_key() && !event.alt_key() && !event.default_prevented();
        if plain && matches!(event.key().as_str(), "j" | "k") && !typing(&event) {
            event.prevent_default();
            go(active_index.get_untracked().unwrap_or(0));
        }
    });
    on_cleanup(move || shortcut.remove());

    let states_of = move |text: Option<String>| {
        latest.with(|latest| {
            latest
                .groups
                .iter()
                .find(|group| group.text == text)
                .map(|group| group.states)
                .unwrap_or_default()
        })
    };
    let item = move |(what, _): (Seen, Place)| {
        let key = what.key();
        match what {
            Seen::Group(text) => {
                let title = text.clone();
                let states = Signal::derive(move || states_of(text.clone()));
                view! { <GroupHead list key text=title view states/> }.into_any()
            }
            // It may have gone while the order was held.
            Seen::Node(id) => fleet
                .node(&id)
                .map(|node| match layout.get_untracked() {
                    Layout::Table => view! { <NodeRow list key id node/> }.into_any(),
                    Layout::Grid => {
                        view! { <NodeTile list key id node small=many.get_untracked()/> }.into_any()
                    }
                })
                .into_any(),
        }
    };
    let stuck = Memo::new(move |_| {
        let top = viewport.sight().get().top;
        let index = placed.with(|placed| placed.group_at(top + shape.get().head / 2))?;
        shown.with(|shown| shown.groups.get(index).map(|group| group.text.clone()))
    });
    let none = Memo::new(move |_| shown.with(|shown| shown.nodes.is_empty()));
    let counts = Memo::new(move |_| shown.with(|shown| (shown.nodes.len(), shown.total)));
    let class = move || match (layout.get(), many.get()) {
        (Layout::Table, _) => "nodes nodes-table",
        (Layout::Grid, false) => "nodes nodes-grid",
        (Layout::Grid, true) => "nodes nodes-grid nodes-small",
    };
    view! {
        <section class="nodes-part" aria-label="Nodes">
            <Toolbar view shown=counts.into() waiting=waiting.into() apply=move |()| shown.set(latest.get_untracked())/>
            <div
                class=class
                hidden=move || none.get()
                role=move || if layout.get() == Layout::Table { "grid" } else { "group" }
                aria-label="Nodes"
                aria-rowcount=move || (layout.get() == Layout::Table).then(|| (placed.with(|placed| placed.slots.len()) + 1).to_string())
                on:keydown=on_key
                on:pointerenter=move |event| reading.enter(&event)
                on:pointerleave=move |_| reading.leave()
                on:focusin=move |event| reading.focus(&event)
                on:focusout=move |event| reading.blur(&event)
            >
                <Show when=move || layout.get() == Layout::Table>
                    <TableHead view/>
                </Show>
                {move || stuck.get().map(|text| {
                    let title = text.clone();
                    let states = Signal::derive(move || states_of(text.clone()));
                    view! { <super::row::StuckHead text=title view states/> }
                })}
                <div
                    class="nodes-list"
                    role=move || (layout.get() == Layout::Table).then_some("rowgroup")
                    node_ref=list_ref
                    style:height=move || format!("{}px", placed.with(|placed| placed.height))
                >
                    {move || {
                        // Rows and tiles are different elements: a change of layout starts anew.
                        layout.track();
                        many.track();
                        view! { <For each=move || items.get() key=|(what, _)| what.key() children=item/> }
                    }}
                </div>
            </div>
            <Show when=move || none.get()>
                <Empty
                    title="No node matches the filter"
                    detail=Signal::derive(move || {
                        format!("Nothing in the fleet fits “{}”.", view.with(|view| view.filter.trim().to_owned()))
                    })
                >
                    <button type="button" class="button" on:click=move |_| view.update(|view| view.filter.clear())>
                        "Show all nodes"
                    </button>
                </Empty>
            </Show>
        </section>
    }
}

/// The sizes for a layout on a screen; the style sheet draws inside of them.
fn shape(layout: Layout, phone: bool, touch: bool, width: i32, many: bool) -> Shape {
    // The gap after the last of a line lies outside of the list.
    let across = |least: i32, gap: i32| ((width + gap) / least).max(1);
    match (layout, many) {
        (Layout::Table, _) if phone => Shape { head: 44, row: 92, column: 0, columns: 1 },
        (Layout::Table, _) => Shape { head: 36, row: if touch { 48 } else { 32 }, column: 0, columns: 1 },
        (Layout::Grid, false) => {
            let columns = across(if phone { 150 } else { 176 }, GAP);
            Shape { head: 44, row: 64, column: (width + GAP) / columns, columns: columns as usize }
        }
        (Layout::Grid, true) => {
            let size = if touch { 44 } else { 28 };
            Shape { head: 44, row: size, column: size, columns: across(size, GAP / 2) as usize }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::shape;
    use crate::state::view::Layout;

    #[test]
    fn tiles_fill_the_width_and_fingers_get_room() {
        let tiles = shape(Layout::Grid, false, false, 1000, false);
        assert_eq!((tiles.columns, tiles.column), (5, 201));
        assert!(shape(Layout::Grid, false, true, 1000, true).row >= 44);
        assert_eq!(shape(Layout::Grid, true, true, 0, false).columns, 1);
        assert_eq!(shape(Layout::Table, false, false, 1000, true).row, 32);
    }
}
