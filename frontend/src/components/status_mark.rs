//! A node's state as a shape in its colour, with the word beside it or for readers that do not see it.

use fleetglass_shared::health::Status;

use crate::dom::{El, drawing, span, unseen};

/// The outline of a state in a box of 16 × 16; filled but for `unreachable` and `unknown`.
pub fn shape(status: Status) -> &'static str {
    match status {
        Status::Healthy => "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z",
        Status::Degraded => "M8 2.2 14.4 13.4H1.6z",
        Status::Unhealthy => "M3.2 3.2h9.6v9.6H3.2z",
        Status::Unreachable => "M3.5 3.5 12.5 12.5M12.5 3.5 3.5 12.5",
        Status::Unknown => "M8 3.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z",
    }
}

/// The class that gives a state its colour: sets `--state`.
pub fn state_class(status: Status) -> &'static str {
    match status {
        Status::Healthy => "state-healthy",
        Status::Degraded => "state-degraded",
        Status::Unhealthy => "state-unhealthy",
        Status::Unreachable => "state-unreachable",
        Status::Unknown => "state-unknown",
    }
}

/// The shape alone; the word must stand beside it or in the label of what holds it.
pub fn status_shape(status: impl Fn() -> Status + Clone + 'static) -> El {
    let class = status.clone();
    drawing(move || format!("mark {}", state_class(class())), "0 0 16 16", move || shape(status()))
}

/// Shape, word and, if it asks to be taken out of traffic, an arrow down.
pub fn status_mark(
    status: impl Fn() -> Status + Clone + 'static,
    draining: impl Fn() -> bool + 'static,
) -> El {
    let (class, word) = (status.clone(), status.clone());
    span("")
        .class(move || format!("status {}", state_class(class())))
        .child(status_shape(status))
        .child(span("status-word").text(move || word().as_str()))
        .when(draining, drain_mark)
}

/// Not a closure within what is generic: the compiler would merge those of all pages into one, which may then
/// bear the name of a page that comes later (`xtask/src/split.rs`).
fn drain_mark() -> El {
    span("status-drain")
        .attr("title", "draining: asks to be taken out of traffic")
        .child(span("").attr("aria-hidden", "true").text("↓"))
        .child(unseen(", draining"))
}
