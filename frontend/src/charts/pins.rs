//! Draws events into a chart: a thin line up to a shape, or up to a count where several stand together.

use fleetglass_shared::health::Status;
use wasm_bindgen::JsValue;
use web_sys::{CanvasRenderingContext2d, Path2d};

use super::draw::{Scene, Sheet};
use super::geometry::Plot;
use super::marks::{Mark, Sign, pins, worst};
use super::paint::Paint;

/// The size of a shape; its path has a box of 16 × 16.
const SIZE: f64 = 9.0;
/// From the upper edge of the plot up to the middle of a shape.
const ABOVE: f64 = 6.5;

/// Draws the marks of a scene.
pub fn draw_pins(
    sheet: &Sheet,
    scene: &Scene<'_>,
    paint: &Paint,
    plot: &Plot,
    context: &CanvasRenderingContext2d,
) {
    let times: Vec<_> = scene.marks.iter().map(|mark| mark.at).collect();
    for pin in pins(&times, scene.grid.start, scene.grid.end, plot.width) {
        let marks = &scene.marks[pin.marks];
        let Some(mark) = worst(marks) else { continue };
        let x = sheet.snapped(plot.x(scene.grid.place(pin.at)));
        let colour = colour_of(mark.sign, paint);
        context.set_stroke_style_str(colour);
        context.set_global_alpha(0.4);
        context.set_line_width(1.0 / sheet.ratio.min(2.0));
        let own = marks.iter().all(|mark| mark.sign.is_own());
        // Fleetglass's own are dashed: they say nothing about the node.
        let pattern: &[f64] = if own { &[2.0, 3.0] } else { &[] };
        let pattern: js_sys::Array = pattern.iter().map(|length| JsValue::from_f64(*length)).collect();
        let _ = context.set_line_dash(&pattern);
        context.begin_path();
        context.move_to(x, plot.top);
        context.line_to(x, plot.top + plot.height);
        context.stroke();
        let _ = context.set_line_dash(&js_sys::Array::new());
        context.set_global_alpha(1.0);
        match marks {
            [_] => shape(mark, (x, plot.top - ABOVE), colour, paint, context),
            several => count(several.len(), (x, plot.top - ABOVE), colour, paint, context),
        }
    }
}

fn colour_of(sign: Sign, paint: &Paint) -> &str {
    let place = |status: Status| Status::WORST_FIRST.iter().position(|other| *other == status);
    sign.state().and_then(place).and_then(|place| paint.states.get(place)).unwrap_or(&paint.cross)
}

fn shape(mark: &Mark, (x, y): (f64, f64), colour: &str, paint: &Paint, context: &CanvasRenderingContext2d) {
    let Ok(path) = Path2d::new_with_path_string(mark.sign.path()) else { return };
    context.save();
    let _ = context.translate(x - SIZE / 2.0, y - SIZE / 2.0);
    let _ = context.scale(SIZE / 16.0, SIZE / 16.0);
    context.set_line_join("round");
    context.set_line_cap("round");
    // A rim in the colour of the ground keeps it apart from what runs through it.
    context.set_stroke_style_str(&paint.surface);
    context.set_line_width(8.0);
    context.stroke_with_path(&path);
    context.set_stroke_style_str(colour);
    context.set_fill_style_str(colour);
    context.set_line_width(if mark.sign.is_filled() { 1.5 } else { 2.6 });
    if mark.sign.is_filled() {
        context.fill_with_path_2d(&path);
    }
    context.stroke_with_path(&path);
    context.restore();
}

fn count(count: usize, (x, y): (f64, f64), colour: &str, paint: &Paint, context: &CanvasRenderingContext2d) {
    let words = if count > 99 { "99+".to_owned() } else { count.to_string() };
    context.save();
    context.set_font(&format!("600 10px {}", paint.font));
    let half = context.measure_text(&words).map_or(6.0, |metrics| metrics.width()) / 2.0 + 3.0;
    context.set_fill_style_str(&paint.surface);
    context.set_stroke_style_str(colour);
    context.set_line_width(1.0);
    context.begin_path();
    // An older browser knows no round corners.
    if context.round_rect_with_f64(x - half, y - 6.5, half * 2.0, 13.0, 3.0).is_err() {
        context.rect(x - half, y - 6.5, half * 2.0, 13.0);
    }
    context.fill();
    context.stroke();
    context.set_fill_style_str(colour);
    context.set_text_align("center");
    context.set_text_baseline("middle");
    let _ = context.fill_text(&words, x, y + 0.5);
    context.restore();
}
