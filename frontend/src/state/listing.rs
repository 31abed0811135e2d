//! The fleet as one view of it asks: filtered, sorted, grouped; and where each row or tile then lies.

use fleetglass_shared::natural::natural;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::filter::Filter;
use super::model::Node;
use super::order::{changes, sorted};
use super::tally::States;
use super::view::View;

/// The nodes to show, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// The nodes, group by group.
    pub nodes: Vec<Node>,
    /// The groups; empty when the view has none.
    pub groups: Vec<Group>,
    /// How many nodes the fleet has, shown or not.
    pub total: usize,
}

/// Nodes that share a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they share; `None` for those that have nothing there.
    pub text: Option<String>,
    /// Which nodes of the listing.
    pub range: Range<usize>,
    /// Their states.
    pub states: States,
}

impl Listing {
    /// These nodes, in their order.
    pub fn of_list(nodes: &Arc<Vec<Node>>) -> Arc<Self> {
        Arc::new(Self { nodes: nodes.to_vec(), ..Self::default() })
    }

    /// Filters, sorts and groups.
    pub fn of(nodes: &[Node], view: &View) -> Self {
        let filter = Filter::parse(&view.filter);
        let shown: Vec<Node> = nodes.iter().filter(|node| filter.matches(node)).cloned().collect();
        let group = view.group.as_ref();
        let shown = sorted(shown, |a, b| {
            let by_group = group.map_or(Ordering::Equal, |field| match (field.text(a), field.text(b)) {
                (Some(a), Some(b)) => natural(a, b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            });
            by_group.then_with(|| {
                let order = view.sort.compare(a, b);
                if view.descending { order.reverse() } else { order }
            })
        });
        let mut groups: Vec<Group> = Vec::new();
        if let Some(field) = group {
            for run in shown.chunk_by(|a, b| field.text(a) == field.text(b)) {
                let start = groups.last().map_or(0, |group| group.range.end);
                groups.push(Group {
                    text: field.text(&run[0]).map(str::to_owned),
                    range: start..start + run.len(),
                    states: States::of(run),
                });
            }
        }
        Self { nodes: shown, groups, total: nodes.len() }
    }

    /// How many nodes moved, came or went since another listing.
    pub fn changes_since(&self, old: &Self) -> usize {
        changes(old.nodes.iter().map(|node| node.id.as_str()), self.nodes.iter().map(|node| node.id.as_str()))
    }

    /// How the parts of the page for this listing lie: group heads and nodes, from the top.
    pub fn place(&self, shape: Shape) -> Placed {
        let mut placed =
            Placed { slots: Vec::with_capacity(self.nodes.len() + self.groups.len()), height: 0 };
        if self.groups.is_empty() {
            placed.nodes(0..self.nodes.len(), shape);
        }
        for (index, group) in self.groups.iter().enumerate() {
            let y = placed.height;
            placed.slots.push(Slot { what: What::Group(index), x: 0, y });
            placed.height += shape.head;
            placed.nodes(group.range.clone(), shape);
        }
        placed
    }
}

/// The sizes of what is placed, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Of the head of a group.
    pub head: i32,
    /// Of a row or tile, with the gap to the next.
    pub row: i32,
    /// From one tile to the next beside it; anything for rows.
    pub column: i32,
    /// How many stand beside each other; 1 for rows.
    pub columns: usize,
}

/// What lies in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The head of a group, by its index in [`Listing::groups`].
    Group(usize),
    /// A node, by its index in [`Listing::nodes`].
    Node(usize),
}

/// One row, tile or head, and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What lies there.
    pub what: What,
    /// From the left.
    pub x: i32,
    /// From the top.
    pub y: i32,
}

/// Everything placed, from the top down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// In order of `y`.
    pub slots: Vec<Slot>,
    /// Of everything.
    pub height: i32,
}

impl Placed {
    fn nodes(&mut self, range: Range<usize>, shape: Shape) {
        let columns = shape.columns.max(1);
        let start = range.start;
        for index in range.clone() {
            let (line, column) = ((index - start) / columns, (index - start) % columns);
            let (x, y) = (column as i32 * shape.column, self.height + line as i32 * shape.row);
            self.slots.push(Slot { what: What::Node(index), x, y });
        }
        self.height += range.len().div_ceil(columns) as i32 * shape.row;
    }

    /// The slots that may be seen between two heights.
    pub fn between(&self, top: i32, bottom: i32) -> &[Slot] {
        let first = self.slots.partition_point(|slot| slot.y < top);
        let last = self.slots.partition_point(|slot| slot.y < bottom);
        &self.slots[first..last.max(first)]
    }

    /// Where a node of the listing lies.
    pub fn of_node(&self, index: usize) -> Option<Slot> {
        // Heads only push nodes further back.
        self.slots.iter().skip(index).find(|slot| slot.what == What::Node(index)).copied()
    }

    /// The group whose head was the last at or above a height.
    pub fn group_at(&self, top: i32) -> Option<usize> {
        let end = self.slots.partition_point(|slot| slot.y <= top);
        self.slots[..end].iter().rev().find_map(|slot| match slot.what {
            What::Group(index) => Some(index),
            What::Node(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Listing, Shape, What};
    use crate::state::model::tests::node;
    use crate::state::order::Field;
    use crate::state::view::View;

    fn ids(listing: &Listing) -> Vec<&str> {
        listing.nodes.iter().map(|node| node.id.as_str()).collect()
    }

    fn fleet() -> Vec<crate::state::Node> {
        vec![
            node(json!({"id": "a-10", "labels": {"region": "eu"}})),
            node(json!({"id": "a-9", "labels": {"region": "us"}, "status": "degraded"})),
            node(json!({"id": "a-1", "status": "unreachable"})),
            node(json!({"id": "a-2", "labels": {"region": "eu"}, "status": "unreachable"})),
        ]
    }

    #[test]
    fn the_default_view_shows_the_worst_first() {
        let listing = Listing::of(&fleet(), &View::default());
        assert_eq!(ids(&listing), ["a-1", "a-2", "a-9", "a-10"]);
        assert!(listing.groups.is_empty());
    }

    #[test]
    fn groups_stand_in_order_with_the_unlabelled_last_and_sort_inside() {
        let view = View {
            group: Some(Field::Label("region".into())),
            sort: Field::Node,
            descending: true,
            ..View::default()
        };
        let listing = Listing::of(&fleet(), &view);
        assert_eq!(ids(&listing), ["a-10", "a-2", "a-9", "a-1"]);
        let groups: Vec<_> = listing.groups.iter().map(|g| (g.text.as_deref(), g.range.clone())).collect();
        assert_eq!(groups, [(Some("eu"), 0..2), (Some("us"), 2..3), (None, 3..4)]);
        assert_eq!(listing.groups[0].states.total(), 2);
    }

    #[test]
    fn a_filter_leaves_the_total_alone() {
        let listing = Listing::of(&fleet(), &View { filter: "region:eu".into(), ..View::default() });
        assert_eq!((listing.nodes.len(), listing.total), (2, 4));
        assert_eq!(listing.changes_since(&Listing::of(&fleet(), &View::default())), 2);
    }

    #[test]
    fn rows_and_tiles_lie_under_their_heads_and_only_the_seen_are_given() {
        let view = View { group: Some(Field::Label("region".into())), sort: Field::Node, ..View::default() };
        let listing = Listing::of(&fleet(), &view);
        let rows = listing.place(Shape { head: 40, row: 30, column: 0, columns: 1 });
        assert_eq!(rows.height, 3 * 40 + 4 * 30);
        assert_eq!(rows.of_node(2).map(|slot| slot.y), Some(40 + 60 + 40));
        assert_eq!(rows.of_node(4), None);
        assert_eq!(
            rows.between(40, 100).iter().map(|slot| slot.what).collect::<Vec<_>>(),
            [What::Node(0), What::Node(1)]
        );
        assert_eq!(rows.between(500, 100), []);
        assert_eq!(
            (rows.group_at(-1), rows.group_at(0), rows.group_at(139), rows.group_at(9999)),
            (None, Some(0), Some(1), Some(2))
        );
        let tiles = listing.place(Shape { head: 40, row: 30, column: 50, columns: 2 });
        assert_eq!(tiles.height, 3 * 40 + 3 * 30);
        assert_eq!(tiles.of_node(1).map(|slot| (slot.x, slot.y)), Some((50, 40)));
    }
}
