//! One chart: title, canvas, crosshair and legend; by pointer, finger and keyboard, and for screen readers.

use std::sync::Arc;

use fleetglass_shared::format;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::PanelBound;
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use web_sys::Element;

use super::board::Board;
use super::draw::{Cross, Scene, Sheet, counts, draw, draw_cross, is_fine};
use super::geometry::Plot;
use super::legend::Legend;
use super::observe::{Frame, keep_in_view, use_size};
use super::palette::{Look, looks};
use super::scale::clock_label;
use super::series::{Grid, Series};

/// What a chart shows. Loading, empty and failed are three different things.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// The first answer is on its way.
    Loading,
    /// There is none: why, and what to do.
    Failed(String),
    /// Here it is; no series means that there is no data in this range.
    Ready(Arc<ChartData>),
}

/// The lines of a chart.
#[derive(Debug, PartialEq)]
pub struct ChartData {
    /// Their times.
    pub grid: Grid,
    /// The lines themselves.
    pub series: Vec<Series>,
    /// How each looks.
    pub looks: Vec<Look>,
}

impl ChartData {
    /// Gives each line its look.
    pub fn new(grid: Grid, series: Vec<Series>) -> Self {
        let names: Vec<&str> = series.iter().map(|series| series.name.as_str()).collect();
        let looks = looks(&names);
        Self { grid, series, looks }
    }
}

/// What every part of a chart is told. Copied into closures.
#[derive(Clone, Copy)]
pub struct ChartOf {
    /// What a person reads.
    pub title: StoredValue<String>,
    /// The unit word of the values.
    pub unit: StoredValue<String>,
    /// What is shown.
    pub shown: Signal<Shown>,
    /// The only line to be drawn, by name.
    pub isolated: RwSignal<Option<String>>,
}

impl ChartOf {
    /// The lines, if there are any.
    pub fn data(self) -> Option<Arc<ChartData>> {
        self.shown.with(|shown| match shown {
            Shown::Ready(data) if !data.series.is_empty() => Some(data.clone()),
            _ => None,
        })
    }

    /// A value in the chart's unit, with all its digits where the lines differ in the last ones only.
    pub fn words(self, data: Option<&ChartData>, value: Option<f64>) -> String {
        let value = value.unwrap_or(f64::NAN);
        let fine = data.is_some_and(|data| {
            let ranges = data.series.iter().filter_map(Series::range);
            ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).is_some_and(|(low, high)| is_fine(low, high))
        });
        self.unit.with_value(|unit| {
            let exact = (fine && counts(unit)).then(|| format::grouped(&format!("{value:.0}"))).flatten();
            exact.unwrap_or_else(|| format::number(value, unit))
        })
    }

    /// Whether a line is drawn. The isolation ends when its line is gone from the data.
    pub fn is_drawn(self, data: &ChartData, name: &str) -> bool {
        self.isolated.with(|only| match only {
            Some(only) if data.series.iter().any(|series| series.name == *only) => only == name,
            _ => true,
        })
    }
}

/// A chart. It draws only while it is near the screen, in the next frame after something changed.
#[component]
pub fn Chart(
    /// What a person reads.
    title: String,
    /// The unit word of the values, see `fleetglass_shared::format`.
    unit: String,
    /// Begin the y axis at zero.
    from_zero: bool,
    /// A dashed line.
    bound: Option<PanelBound>,
    /// What to show.
    #[prop(into)]
    shown: Signal<Shown>,
    /// Kept true while the chart is near the screen.
    in_view: RwSignal<bool>,
) -> impl IntoView {
    let board = Board::expect();
    let of = ChartOf {
        title: StoredValue::new(title.clone()),
        unit: StoredValue::new(unit),
        shown,
        isolated: RwSignal::new(None),
    };
    let bound = StoredValue::new(bound);
    let place = NodeRef::<Div>::new();
    let base = NodeRef::<Canvas>::new();
    let over = NodeRef::<Canvas>::new();
    let element = Signal::derive_local(move || place.get().map(|div| Element::from((*div).clone())));
    let size = use_size(element);
    keep_in_view(element, in_view);
    let plot = RwSignal::new(None::<Plot>);
    let active = RwSignal::new(false);
    let spoken = RwSignal::new(String::new());

    let sheet =
        move |canvas| Sheet { canvas, size: size.get_untracked(), ratio: board.ratio.get_untracked() };

    // Both effects only watch: what is drawn is read in the frame, so that it is the newest by then.
    let base_frame = Frame::new();
    Effect::new(move |_| {
        board.ratio.track();
        board.paint.track();
        of.isolated.track();
        of.shown.track();
        if size.get().0 > 0.0 && in_view.get() {
            base_frame.request(move || {
                let (Some(canvas), Some(data)) = (base.get_untracked(), untrack(|| of.data())) else {
                    return;
                };
                let sheet = sheet(canvas);
                let drawn = bound.with_value(|bound| {
                    let bound = bound.as_ref().map(|bound| (bound.title.as_str(), bound.value));
                    of.unit.with_value(|unit| {
                        let lines = data.series.iter().zip(data.looks.iter().copied());
                        let lines = lines
                            .filter(|(series, _)| untrack(|| of.is_drawn(&data, &series.name)))
                            .collect();
                        let scene =
                            Scene { grid: data.grid, lines, unit, from_zero, bound, offset: board.offset };
                        board.paint.with_untracked(|paint| draw(&sheet, &scene, paint))
                    })
                });
                plot.set(drawn);
            });
        }
    });

    let over_frame = Frame::new();
    Effect::new(move |_| {
        board.hovered.track();
        board.paint.track();
        active.track();
        if plot.get().is_some() && in_view.get() {
            over_frame.request(move || {
                let (Some(canvas), Some(plot)) = (over.get_untracked(), plot.get_untracked()) else { return };
                let sheet = sheet(canvas);
                let cross = untrack(|| of.data().and_then(|data| cross_at(of, &data, board, active.get())));
                board.paint.with_untracked(|paint| draw_cross(&sheet, &plot, cross.as_ref(), paint));
            });
        }
    });
    let has_lines = Memo::new(move |_| of.data().is_some());

    let read = move |event: PointerEvent| {
        let (Some(plot), Some(data)) = (plot.get_untracked(), of.data()) else { return };
        active.set(true);
        board.hovered.set(Some(data.grid.time(plot.index_at(f64::from(event.offset_x())))));
    };
    let leave = move |event: PointerEvent| {
        active.set(false);
        // A finger that is lifted leaves its value to be read.
        if event.pointer_type() == "mouse" {
            board.hovered.set(None);
        }
    };
    let keys = move |event: KeyboardEvent| {
        let Some(data) = untrack(|| of.data()) else { return };
        let Some(at) = moved(board.hovered.get_untracked(), data.grid, &event.key(), event.shift_key())
        else {
            return;
        };
        event.prevent_default();
        active.set(at.is_some());
        board.hovered.set(at);
        spoken.set(at.map_or_else(String::new, |at| untrack(|| reading(of, &data, at, board.offset))));
    };
    let label = Memo::new(move |_| description(of));

    view! {
        <figure class="chart">
            <figcaption class="chart-head">
                <h3 class="chart-title" title=title.clone()>{title.clone()}</h3>
            </figcaption>
            <div
                class="chart-plot"
                node_ref=place
                role="img"
                tabindex="0"
                aria-label=label
                on:pointermove=read
                on:pointerdown=read
                on:pointerleave=leave
                on:keydown=keys
                on:blur=move |_| {
                    active.set(false);
                    board.hovered.set(None);
                }
            >
                {move || has_lines.get().then(|| view! {
                    <canvas class="chart-canvas" node_ref=base aria-hidden="true"></canvas>
                    <canvas class="chart-canvas chart-over" node_ref=over aria-hidden="true"></canvas>
                })}
                {move || message(of)}
            </div>
            <p class="sr-only" aria-live="polite">{spoken}</p>
            <Legend of/>
        </figure>
    }
}

/// What stands in place of the lines: a sketch while loading, words when there are none or it failed.
fn message(of: ChartOf) -> Option<AnyView> {
    of.shown.with(|shown| match shown {
        Shown::Loading => Some(view! { <div class="chart-sketch skeleton"></div> }.into_any()),
        Shown::Failed(why) => {
            let why = why.clone();
            Some(
                view! { <p class="chart-message chart-failed"><strong>"No answer"</strong> " " {why}</p> }
                    .into_any(),
            )
        }
        Shown::Ready(data) if data.series.is_empty() => {
            Some(view! { <p class="chart-message">"No data in this range"</p> }.into_any())
        }
        Shown::Ready(_) => None,
    })
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

/// The values at a time, as they are spoken.
fn reading(of: ChartOf, data: &ChartData, at: UnixMillis, offset: i64) -> String {
    let mut words = clock_label(at, offset, true);
    for series in data.series.iter().filter(|series| of.is_drawn(data, &series.name)) {
        let value = data.grid.index(at).map(|index| series.values[index]).filter(|value| !value.is_nan());
        let value = value.map_or_else(|| "no value".to_owned(), |value| of.words(Some(data), Some(value)));
        words.push_str(&format!(", {} {value}", series.name));
    }
    words
}

/// The chart in words: title, last value and range of each line, at most four of them.
fn description(of: ChartOf) -> String {
    let mut words = of.title.get_value();
    match of.shown.get() {
        Shown::Loading => words.push_str(": loading"),
        Shown::Failed(why) => words.push_str(&format!(": failed. {why}")),
        Shown::Ready(data) if data.series.is_empty() => words.push_str(": no data in this range"),
        Shown::Ready(data) => {
            for series in data.series.iter().take(4) {
                let range = series.range();
                words.push_str(&format!(
                    "; {} last {}, from {} to {}",
                    series.name,
                    of.words(Some(&data), series.last()),
                    of.words(Some(&data), range.map(|range| range.0)),
                    of.words(Some(&data), range.map(|range| range.1)),
                ));
            }
            if data.series.len() > 4 {
                words.push_str(&format!("; and {} more", data.series.len() - 4));
            }
            words.push_str(". Left and right arrow keys read values.");
        }
    }
    words
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
