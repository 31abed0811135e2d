//! What happened under the crosshair, in words beside it.

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::*;

use super::board::Board;
use super::geometry::Plot;
use super::marks::{Mark, Sign, near};
use super::shown::ChartOf;
use super::times::moment_label;
use crate::components::status_mark::state_class;
use crate::dom::{El, div, drawing, p, span, with_class};

/// From the crosshair to a mark that it points at, in pixels.
const REACH: f64 = 7.0;
/// More than these are counted.
const MOST: usize = 4;

/// The marks near the crosshair; nothing when there are none, or when the pointer is in another chart.
pub fn tip(of: ChartOf, board: Board, active: RwSignal<bool>, plot: &Rc<Cell<Option<Plot>>>) -> Option<El> {
    let at = board.hovered.get().filter(|_| active.get())?;
    let (data, plot) = (of.data()?, plot.get()?);
    let reach = (REACH / plot.width * data.grid.length() as f64) as i64;
    let place = data.grid.place(at) / plot.last.max(f64::MIN_POSITIVE);
    board.marks.with(|marks| {
        let found = near(marks, at, reach.max(data.grid.step / 2));
        (!found.is_empty()).then(|| {
            let x = plot.x(data.grid.place(at));
            let tip = marks_in_words(found, data.grid.length(), board);
            // Beside the crosshair, where there is more room.
            match place < 0.5 {
                true => tip.style("left", format!("{}px", x + 10.0)),
                false => tip.style("right", format!("calc(100% - {}px)", x - 10.0)),
            }
        })
    })
}

fn marks_in_words(marks: &[Mark], length: i64, board: Board) -> El {
    let one = |mark: &Mark| {
        with_class("li", "tip-line")
            .child(sign_mark(mark.sign))
            .child(span("tip-time num").text(moment_label(mark.at, length, board.zone)))
            .child(span("tip-words").text(&mark.words))
    };
    let more = marks.len().saturating_sub(MOST);
    div("chart-tip")
        .attr("aria-hidden", "true")
        .child(with_class("ul", "tip-lines").children(marks.iter().take(MOST).map(one)))
        .maybe((more > 0).then(|| p("tip-more").text(format!("and {more} more"))))
}

/// The shape of a mark in its colour, as decoration.
pub fn sign_mark(sign: Sign) -> El {
    let colour = sign.state().map_or("mark-plain", state_class);
    let outline = if sign.is_filled() { " mark-full" } else { " mark-open" };
    drawing(format!("mark {colour}{outline}"), "0 0 16 16", sign.path())
}
