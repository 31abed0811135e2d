//! One chart: title, canvas, crosshair and legend; by pointer, finger and keyboard, and for screen readers.

use std::cell::Cell;
use std::rc::Rc;

use fleetglass_shared::wire::PanelBound;
use leptos::prelude::*;

use super::board::Board;
use super::cross::{Cross, Over, draw_over};
use super::draw::{Scene, Sheet, draw};
use super::geometry::Plot;
use super::legend::legend;
use super::observe::{Frame, Size, keep_in_view};
use super::select::Surface;
use super::shown::{ChartData, ChartOf, Shown};
use super::spoken::{description, reading};
use super::times::moment_label;
use super::tip::tip;
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

    let (under, pointed) = (plot.clone(), plot.clone());
    let surface = Surface {
        board,
        active,
        spoken,
        time_at: Rc::new(move |x| {
            let (plot, grid) = (under.get()?, untrack(|| of.data())?.grid);
            // For a frame the lines on the screen are those of the range before.
            let plot = Plot { last: grid.place(grid.end), ..plot };
            Some(grid.start + (plot.place_at(x) * grid.step as f64) as i64)
        }),
        grid: Rc::new(move || Some(of.data()?.grid)),
        reading: Rc::new(move |at| of.data().map_or_else(String::new, |data| reading(of, &data, at, board))),
    };
    let has_lines = move || of.data().is_some();
    // What is on the screen is of another range than the one that was chosen.
    let waits = move || of.data().is_some_and(|data| data.range != board.range());
    let canvases = (base.clone(), over.clone());
    let place = div("")
        .class(move || if waits() { "chart-plot chart-waits" } else { "chart-plot" })
        .attr("role", "img")
        .aria("aria-busy", waits)
        .attr("aria-label", move || description(of, board))
        .when(has_lines, move || canvases.0.clone())
        .when(has_lines, move || canvases.1.clone())
        .live(move || tip(of, board, active, &pointed))
        .live(move || message(of));
    let place = surface.on(place);
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
        .when(move || !of.note().is_empty(), move || p("chart-foot").text(move || of.note()))
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
            lines.board.marks.track();
            if lines.size.get().0 > 0.0 && in_view.get() {
                let lines = lines.clone();
                lines_frame.request(Box::new(move || untrack(|| lines.draw_lines())));
            }
        });
        effect(move || {
            cross.board.hovered.track();
            cross.board.selection.track();
            cross.board.repaint.track();
            cross.active.track();
            cross.drawn.track();
            if cross.plot.get().is_some() && in_view.get() {
                let cross = cross.clone();
                cross_frame.request(Box::new(move || untrack(|| cross.draw_over())));
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
        let marks = board.marks.get();
        let bound = self.bound.as_ref().map(|bound| (bound.title.as_str(), bound.value));
        let scene = Scene {
            grid: data.grid,
            lines,
            unit: &unit,
            from_zero: self.from_zero,
            bound,
            marks: &marks,
            zone: board.zone,
        };
        self.plot.set(board.paint.with_value(|paint| draw(&self.sheet(&self.base), &scene, paint)));
        self.drawn.update(|count| *count += 1);
    }

    fn draw_over(&self) {
        let (Some(plot), Some(data)) = (self.plot.get(), self.of.data()) else { return };
        let over = Over {
            grid: data.grid,
            cross: cross_at(self.of, &data, self.board, self.active.get()),
            selection: self.board.selection.get(),
        };
        let sheet = self.sheet(&self.over);
        self.board.paint.with_value(|paint| draw_over(&sheet, &plot, &over, paint));
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
    let label = active.then(|| moment_label(data.grid.time(index), data.grid.length(), board.zone));
    Some(Cross { index, dots, label })
}
