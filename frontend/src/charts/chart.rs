//! One chart: title, canvas, crosshair and legend; by pointer, finger and keyboard, and for screen readers.

use std::cell::Cell;
use std::rc::Rc;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::PanelBound;
use leptos::prelude::*;
use web_sys::{Event, KeyboardEvent, PointerEvent};

use super::board::Board;
use super::draw::{Cross, Scene, Sheet, draw, draw_cross};
use super::geometry::Plot;
use super::legend::legend;
use super::observe::{Frame, Size, keep_in_view};
use super::scale::clock_label;
use super::series::Grid;
use super::shown::{ChartData, ChartOf, Shown};
use super::spoken::{description, reading};
use crate::dom::{El, div, effect, el, p, with_class};

/// A chart: its title, the unit word of its values (see `fleetglass_shared::format`), whether the y axis
/// begins at zero, a dashed line, and what to show. It keeps `in_view` true while it is near the screen, and
/// draws only then, in the next frame after something changed.
pub fn chart(
    title: &str,
    unit: &str,
    from_zero: bool,
    bound: Option<PanelBound>,
    shown: RwSignal<Shown>,
    in_view: RwSignal<bool>,
) -> El {
    let board = Board::expect();
    let of = ChartOf {
        title: StoredValue::new(title.to_owned()),
        unit: StoredValue::new(unit.to_owned()),
        shown,
        isolated: RwSignal::new(None),
    };
    let base = with_class("canvas", "chart-canvas").attr("aria-hidden", "true");
    let over = with_class("canvas", "chart-canvas chart-over").attr("aria-hidden", "true");
    let active = RwSignal::new(false);
    let spoken = RwSignal::new(String::new());
    let plot = Rc::new(Cell::new(None::<Plot>));

    // No listener may hold an element: the browser would keep both for ever.
    let under = plot.clone();
    let read = Rc::new(move |event: PointerEvent| {
        let (Some(plot), Some(data)) = (under.get(), untrack(|| of.data())) else { return };
        active.set(true);
        board.hover(Some(data.grid.time(plot.index_at(f64::from(event.offset_x())))));
    });
    let press = read.clone();
    let leave = move |event: PointerEvent| {
        active.set(false);
        // A finger that is lifted leaves its value to be read.
        if event.pointer_type() == "mouse" {
            board.hover(None);
        }
    };
    let blur = move |_: Event| {
        active.set(false);
        board.hover(None);
    };
    let keys = move |event: KeyboardEvent| {
        let Some(data) = untrack(|| of.data()) else { return };
        let Some(at) = moved(board.hovered.get_untracked(), data.grid, &event.key(), event.shift_key())
        else {
            return;
        };
        event.prevent_default();
        active.set(at.is_some());
        board.hover(at);
        spoken.set(at.map_or_else(String::new, |at| untrack(|| reading(of, &data, at, board.offset))));
    };
    let has_lines = move || of.data().is_some();
    let canvases = (base.clone(), over.clone());
    let place = div("chart-plot")
        .attr("role", "img")
        .attr("tabindex", "0")
        .attr("aria-label", move || description(of))
        .on("pointermove", move |event| read(event))
        .on("pointerdown", move |event| press(event))
        .on("pointerleave", leave)
        .on("keydown", keys)
        .on("blur", blur)
        .when(has_lines, move || canvases.0.clone())
        .when(has_lines, move || canvases.1.clone())
        .live(move || message(of));
    keep_in_view(&place, in_view);
    let drawing = Drawing {
        of,
        board,
        from_zero,
        bound,
        size: Size::of(&place),
        base,
        over,
        plot,
        drawn: RwSignal::new(0),
        active,
    };
    drawing.keep(in_view);

    let heading = with_class("h3", "chart-title").attr("title", title.to_owned()).text(title.to_owned());
    with_class("figure", "chart")
        .child(with_class("figcaption", "chart-head").child(heading))
        .child(place)
        .child(p("sr-only").attr("aria-live", "polite").text(spoken))
        .when(has_lines, move || legend(of))
}

/// What is needed to draw a chart.
struct Drawing {
    of: ChartOf,
    board: Board,
    from_zero: bool,
    bound: Option<PanelBound>,
    size: Size,
    /// The canvas of the lines.
    base: El,
    /// The canvas of the crosshair, which changes more often.
    over: El,
    /// Where the lines lie, once they are drawn.
    plot: Rc<Cell<Option<Plot>>>,
    /// Goes up when they were drawn.
    drawn: RwSignal<u64>,
    /// The pointer or the focus is in this chart.
    active: RwSignal<bool>,
}

impl Drawing {
    /// Draws whenever something changed. Both effects only watch: what is drawn is read in the frame, so that
    /// it is the newest by then.
    fn keep(self, in_view: RwSignal<bool>) {
        let lines = Rc::new(self);
        let cross = lines.clone();
        let (lines_frame, cross_frame) = (Frame::new(), Frame::new());
        effect(move || {
            lines.board.repaint.track();
            lines.of.isolated.track();
            lines.of.shown.track();
            if lines.size.get().0 > 0.0 && in_view.get() {
                let lines = lines.clone();
                lines_frame.request(Box::new(move || untrack(|| lines.draw_lines())));
            }
        });
        effect(move || {
            cross.board.hovered.track();
            cross.board.repaint.track();
            cross.active.track();
            cross.drawn.track();
            if cross.plot.get().is_some() && in_view.get() {
                let cross = cross.clone();
                cross_frame.request(Box::new(move || untrack(|| cross.draw_cross())));
            }
        });
    }

    fn sheet(&self, canvas: &El) -> Sheet {
        let ratio = window().device_pixel_ratio();
        Sheet { canvas: canvas.as_element(), size: self.size.get(), ratio }
    }

    fn draw_lines(&self) {
        let (of, board) = (self.of, self.board);
        let Some(data) = of.data() else { return };
        let lines = data.series.iter().zip(data.looks.iter().copied());
        let lines = lines.filter(|(series, _)| of.is_drawn(&data, &series.name)).collect();
        let unit = of.unit.get_value();
        let bound = self.bound.as_ref().map(|bound| (bound.title.as_str(), bound.value));
        let scene = Scene {
            grid: data.grid,
            lines,
            unit: &unit,
            from_zero: self.from_zero,
            bound,
            offset: board.offset,
        };
        self.plot.set(board.paint.with_value(|paint| draw(&self.sheet(&self.base), &scene, paint)));
        self.drawn.update(|count| *count += 1);
    }

    fn draw_cross(&self) {
        let Some(plot) = self.plot.get() else { return };
        let data = self.of.data();
        let cross = data.and_then(|data| cross_at(self.of, &data, self.board, self.active.get()));
        let sheet = self.sheet(&self.over);
        self.board.paint.with_value(|paint| draw_cross(&sheet, &plot, cross.as_ref(), paint));
    }
}

/// What stands in place of the lines: a sketch while loading, words when there are none or it failed.
fn message(of: ChartOf) -> Option<El> {
    match of.shown.get() {
        Shown::Loading => Some(div("chart-sketch skeleton")),
        Shown::Failed(why) => Some(
            p("chart-message chart-failed").child(el("strong").text("No answer")).text(format!(" {why}")),
        ),
        Shown::Ready(data) if data.series.is_empty() => {
            Some(p("chart-message").text("No data in this range"))
        }
        Shown::Ready(_) => None,
    }
}

/// Where the crosshair stands in this chart.
fn cross_at(of: ChartOf, data: &ChartData, board: Board, active: bool) -> Option<Cross> {
    let at = board.hovered.get()?;
    let index = data.grid.index(at)?;
    let drawn = data.series.iter().zip(&data.looks).filter(|(series, _)| of.is_drawn(data, &series.name));
    let dots = drawn
        .map(|(series, look)| (series.values[index], look.colour))
        .filter(|(value, _)| value.is_finite())
        .collect();
    let label = active.then(|| clock_label(data.grid.time(index), board.offset, true));
    Some(Cross { index, dots, label })
}

/// Where a key moves the crosshair: `None` when the key means nothing here, `Some(None)` when it goes away.
fn moved(from: Option<UnixMillis>, grid: Grid, key: &str, far: bool) -> Option<Option<UnixMillis>> {
    let last = grid.len().checked_sub(1)?;
    let step = if far { 10 } else { 1 };
    let here = from.and_then(|at| grid.index(at));
    let index = match key {
        "ArrowLeft" => here.map_or(last, |index| index.saturating_sub(step)),
        "ArrowRight" => here.map_or(last, |index| (index + step).min(last)),
        "Home" => 0,
        "End" => last,
        "Escape" => return from.map(|_| None),
        _ => return None,
    };
    Some(Some(grid.time(index)))
}

#[cfg(test)]
mod tests {
    use super::{Grid, moved};

    #[test]
    fn keys_walk_over_the_grid_and_stay_on_it() {
        let grid = Grid { start: 0, end: 150_000, step: 15_000 };
        for (from, key, far, to) in [
            (None, "ArrowLeft", false, Some(Some(150_000))),
            (Some(150_000), "ArrowLeft", false, Some(Some(135_000))),
            (Some(150_000), "ArrowRight", false, Some(Some(150_000))),
            (Some(15_000), "ArrowLeft", true, Some(Some(0))),
            (Some(15_000), "End", false, Some(Some(150_000))),
            (Some(15_000), "Escape", false, Some(None)),
            (None, "Escape", false, None),
            (None, "a", false, None),
        ] {
            assert_eq!(moved(from, grid, key, far), to, "{from:?} {key}");
        }
    }
}
