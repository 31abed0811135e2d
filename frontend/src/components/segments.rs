//! One bar cut into parts, each part a share of the whole.

use leptos::prelude::*;

use crate::dom::{El, span};

/// A part of the bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What a person reads, e.g. `degraded`.
    pub name: String,
    /// How many.
    pub count: usize,
    /// The class that gives it its colour.
    pub class: String,
}

/// The bar alone: for the eye. What it says must stand in words beside it.
pub fn segmented_bar(segments: Signal<Vec<Segment>>) -> El {
    // Positions are the keys: a part keeps its element while its share grows.
    let part = move |index: usize| {
        let this = move |read: fn(&Segment) -> String| {
            segments.with(|all| all.get(index).map(read)).unwrap_or_default()
        };
        span("")
            .class(move || this(|part| format!("segment {}", part.class)))
            .style("flex-grow", move || this(|part| part.count.to_string()))
            .attr("title", move || this(|part| format!("{} {}", part.count, part.name)))
    };
    span("segments").attr("aria-hidden", "true").each(
        move || (0..segments.with(Vec::len)).collect(),
        ToString::to_string,
        part,
    )
}
