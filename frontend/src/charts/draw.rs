//! Paints one chart on its canvas: plotters for the lines and the grid, the canvas itself for text.
//!
//! Plotters knows whole pixels only. The canvas is scaled so that one of its pixels is a sixteenth of a CSS
//! pixel: lines get their 1.5 px and their true places on any screen. Text is not plotters' here because it
//! measures labels through the document, which lays the whole page out anew.

use fleetglass_shared::format::{self, AxisUnit, ValueAxis, axis_unit};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{Cartesian2d, Color, CoordTranslate, DrawingBackend, ShapeStyle};
use plotters::style::RGBAColor;
use plotters_canvas::CanvasBackend;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::geometry::{Plot, segments};
use super::marks::Mark;
use super::paint::{Paint, css};
use super::palette::Look;
use super::pins::draw_pins;
use super::series::{Band, Grid, Series};
use super::times::{Zone, time_ticks};

/// Plotters' pixels in a CSS pixel.
const FINE: f64 = 16.0;
/// Room for the unit and for marks above the plot.
const TOP: f64 = 28.0;
/// Room for the times below the plot.
pub const BOTTOM: f64 = 22.0;
const RIGHT: f64 = 10.0;
const FONT_PX: u32 = 12;
/// More lines than this are not filled: the fills would only make mud.
const MOST_FILLED: usize = 3;

/// What stands in a chart.
pub struct Scene<'a> {
    /// The times.
    pub grid: Grid,
    /// The lines to draw, each with its look.
    pub lines: Vec<(&'a Series, Look)>,
    /// The unit word of the values.
    pub unit: &'a str,
    /// The y axis begins at zero.
    pub from_zero: bool,
    /// A bound: its name and value.
    pub bound: Option<(&'a str, f64)>,
    /// What happened, in order of time.
    pub marks: &'a [Mark],
    /// The viewer's zone.
    pub zone: Zone,
}

/// The canvas of a chart and how large it is, in CSS pixels.
pub struct Sheet {
    /// Where to draw.
    pub canvas: HtmlCanvasElement,
    /// Width and height.
    pub size: (f64, f64),
    /// Device pixels for a CSS pixel.
    pub ratio: f64,
}

impl Sheet {
    /// An empty canvas as sharp as the screen; its unit is a CSS pixel.
    pub fn clear(&self) -> Option<CanvasRenderingContext2d> {
        let device = |length: f64| (length * self.ratio).round().max(1.0) as u32;
        let (width, height) = (device(self.size.0), device(self.size.1));
        let context: CanvasRenderingContext2d = self.canvas.get_context("2d").ok()??.dyn_into().ok()?;
        if (self.canvas.width(), self.canvas.height()) != (width, height) {
            self.canvas.set_width(width);
            self.canvas.set_height(height);
        }
        context.reset_transform().ok()?;
        context.clear_rect(0.0, 0.0, f64::from(width), f64::from(height));
        context.scale(self.ratio, self.ratio).ok()?;
        Some(context)
    }

    /// The middle of the device pixel at a length: a hairline there is one pixel, not two half ones.
    pub fn snapped(&self, length: f64) -> f64 {
        ((length * self.ratio).floor() + 0.5) / self.ratio
    }
}

/// Draws the chart, and tells where it lies; `None` when there is nothing to draw on.
pub fn draw(sheet: &Sheet, scene: &Scene<'_>, paint: &Paint) -> Option<Plot> {
    let context = sheet.clear()?;
    context.set_font(&font(paint));
    let (axis, unit) = value_axis(scene);
    let labels: Vec<String> = axis.ticks.iter().map(|&tick| axis.label(tick)).collect();
    let widest = labels.iter().map(|label| width_of(&context, label)).fold(12.0, f64::max);
    let left = widest.ceil() + 8.0;
    let plot = Plot {
        left,
        top: TOP,
        width: (sheet.size.0 - left - RIGHT).max(1.0),
        height: (sheet.size.1 - TOP - BOTTOM).max(1.0),
        low: axis.low * unit.divisor,
        high: axis.high * unit.divisor,
        last: scene.grid.place(scene.grid.end),
    };
    let most = ((plot.width / 72.0) as usize).clamp(2, 6);
    let times = time_ticks(scene.grid.start, scene.grid.end, scene.zone, most);

    lines(sheet, scene, paint, &plot, &axis, unit, &context)?;

    context.set_fill_style_str(&paint.label);
    context.set_text_baseline("middle");
    context.set_text_align("right");
    for (tick, label) in axis.ticks.iter().zip(&labels) {
        let _ = context.fill_text(label, plot.left - 6.0, plot.y(tick * unit.divisor).round());
    }
    context.set_text_align("left");
    let _ = context.fill_text(unit.name, 0.0, 8.0);
    context.set_text_align("center");
    for &at in &times.at {
        let label = times.label(at, scene.zone);
        let half = width_of(&context, &label) / 2.0;
        let place = plot.x(scene.grid.place(at));
        let place = place.clamp(half, sheet.size.0 - half);
        let _ = context.fill_text(&label, place.round(), (sheet.size.1 - 8.0).round());
    }
    draw_pins(sheet, scene, paint, &plot, &context);
    bound_name(sheet, scene, paint, &plot, &context);
    Some(plot)
}

/// Whether a unit word is a plain count.
pub fn counts(unit: &str) -> bool {
    matches!(unit, "" | "count")
}

/// Whether values differ by so little that short numbers would hide it.
pub fn is_fine(low: f64, high: f64) -> bool {
    let largest = high.abs().max(low.abs());
    largest >= 10_000.0 && (high - low) < largest * 0.01
}

/// The values of the axis; a bound within four times the largest value is inside, a farther one would
/// press the lines flat and is only named.
fn value_axis(scene: &Scene<'_>) -> (ValueAxis, AxisUnit) {
    let ranges = scene.lines.iter().filter_map(|(series, _)| series.range());
    let joined = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let (mut low, mut high) = joined.unwrap_or((0.0, 1.0));
    if let Some((_, bound)) = scene.bound
        && (joined.is_none() || high <= 0.0 || bound <= high * 4.0)
    {
        (low, high) = (low.min(bound), high.max(bound));
    }
    let largest = high.abs().max(low.abs());
    // Of a block height only the last digits move: they stay, instead of becoming one and the same `29.2 M`.
    let unit = if counts(scene.unit) && !scene.from_zero && is_fine(low, high) {
        axis_unit(0.0, "count")
    } else {
        axis_unit(largest, scene.unit)
    };
    (ValueAxis::new(low / unit.divisor, high / unit.divisor, scene.from_zero), unit)
}

/// Plotters' canvas with its coordinates. No `DrawingArea`: that one cuts everything off at the size of the
/// canvas, which it takes for the size of the finer pixels here.
struct Area {
    backend: CanvasBackend,
    place: Cartesian2d<RangedCoordf64, RangedCoordf64>,
}

impl Area {
    fn line(&mut self, points: &[(f64, f64)], colour: RGBAColor, width: f64) {
        let style = ShapeStyle { color: colour, filled: false, stroke_width: (width * FINE).round() as u32 };
        // The backend's canvas never refuses a path.
        let _ = self.backend.draw_path(points.iter().map(|point| self.place.translate(point)), &style);
    }

    /// From the lowest to the highest, wherever both are known.
    fn band(&mut self, band: &Band, colour: RGBAColor) {
        let both = |index: &usize| band.low[*index].is_finite() && band.high[*index].is_finite();
        let known: Vec<usize> = (0..band.low.len()).filter(both).collect();
        for run in known.chunk_by(|a, b| a + 1 == *b) {
            let above = run.iter().map(|&index| (index as f64, band.high[index]));
            let below = run.iter().rev().map(|&index| (index as f64, band.low[index]));
            self.fill(&above.chain(below).collect::<Vec<_>>(), colour);
        }
    }

    fn fill(&mut self, outline: &[(f64, f64)], colour: RGBAColor) {
        let style = ShapeStyle { color: colour, filled: true, stroke_width: 0 };
        let _ = self.backend.fill_polygon(outline.iter().map(|point| self.place.translate(point)), &style);
    }
}

fn lines(
    sheet: &Sheet,
    scene: &Scene<'_>,
    paint: &Paint,
    plot: &Plot,
    axis: &ValueAxis,
    unit: AxisUnit,
    context: &CanvasRenderingContext2d,
) -> Option<()> {
    context.save();
    context.scale(1.0 / FINE, 1.0 / FINE).ok()?;
    context.set_line_join("round");
    context.set_line_cap("round");
    let fine = |length: f64| (length * FINE).round() as i32;
    let across = fine(plot.left)..fine(plot.left + plot.width);
    let up = fine(plot.top + plot.height)..fine(plot.top);
    let last = plot.last.max(f64::MIN_POSITIVE);
    let mut area = Area {
        backend: CanvasBackend::with_canvas_object(sheet.canvas.clone())?,
        place: Cartesian2d::new(0.0..last, plot.low..plot.high, (across, up)),
    };

    for tick in &axis.ticks {
        // Snapped to the screen's pixels, so in the plot's own units, and back to a value.
        let y = sheet.snapped(plot.y(tick * unit.divisor));
        let value = plot.low + (plot.high - plot.low) * (1.0 - (y - plot.top) / plot.height);
        area.line(&[(0.0, value), (last, value)], paint.grid.to_rgba(), 1.0 / sheet.ratio);
    }

    let filled = scene.lines.len() <= MOST_FILLED;
    let floor = 0.0_f64.clamp(plot.low, plot.high);
    for (series, look) in &scene.lines {
        if let Some(band) = &series.band {
            area.band(band, paint.series[look.colour].mix(if filled { 0.2 } else { 0.12 }));
        }
    }
    for (series, look) in &scene.lines {
        let colour = paint.series[look.colour];
        dash(context, if look.dashed { &[5.0, 4.0] } else { &[] });
        for mut segment in segments(&series.values, plot) {
            let (first, end) = (segment[0], segment[segment.len() - 1]);
            if segment.len() == 1 {
                // A lone value between two gaps is a dot: a line of almost no length with round ends.
                area.line(&[first, (first.0 + 0.01, first.1)], colour.to_rgba(), 3.0);
                continue;
            }
            area.line(&segment, colour.to_rgba(), 1.5);
            if filled && series.band.is_none() {
                segment.extend([(end.0, floor), (first.0, floor)]);
                area.fill(&segment, colour.mix(0.08));
            }
        }
    }

    if let Some((_, bound)) = scene.bound.filter(|(_, bound)| (plot.low..=plot.high).contains(bound)) {
        dash(context, &[4.0, 4.0]);
        area.line(&[(0.0, bound), (last, bound)], paint.bound.to_rgba(), 1.0);
    }
    context.restore();
    Some(())
}

fn bound_name(
    sheet: &Sheet,
    scene: &Scene<'_>,
    paint: &Paint,
    plot: &Plot,
    context: &CanvasRenderingContext2d,
) {
    let Some((name, bound)) = scene.bound else { return };
    context.set_fill_style_str(&css(paint.bound));
    context.set_text_align("right");
    let value = format::number(bound, scene.unit);
    let right = sheet.size.0 - RIGHT;
    let (label, y) = if bound > plot.high {
        (format!("↑ {name} {value}"), 8.0)
    } else if bound < plot.low {
        (format!("↓ {name} {value}"), plot.top + plot.height - 8.0)
    } else {
        let line = plot.y(bound);
        let above = line - 9.0;
        // Above the plot stand the marks.
        let least = if scene.marks.is_empty() { 6.0 } else { plot.top };
        (format!("{name} {value}"), if above < least { line + 9.0 } else { above })
    };
    // A rim in the colour of the ground keeps the name readable where a line runs through it.
    context.set_stroke_style_str(&paint.surface);
    context.set_line_width(4.0);
    context.set_line_join("round");
    let _ = context.stroke_text_with_max_width(&label, right, y.round(), plot.width);
    let _ = context.fill_text_with_max_width(&label, right, y.round(), plot.width);
}

fn dash(context: &CanvasRenderingContext2d, lengths: &[f64]) {
    let pattern: js_sys::Array =
        lengths.iter().map(|length| wasm_bindgen::JsValue::from_f64(length * FINE)).collect();
    // Refuses only what is not a list of numbers.
    let _ = context.set_line_dash(&pattern);
}

/// The font of all words in a chart.
pub fn font(paint: &Paint) -> String {
    format!("{FONT_PX}px {}", paint.font)
}

/// How wide words are.
pub fn width_of(context: &CanvasRenderingContext2d, text: &str) -> f64 {
    // A canvas that cannot measure is not drawn on either; the guess only keeps the layout sane.
    context.measure_text(text).map_or(text.len() as f64 * 7.0, |metrics| metrics.width())
}
