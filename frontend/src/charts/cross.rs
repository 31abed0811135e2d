//! What lies over a chart and changes with the pointer: the crosshair, and what is being selected.

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::health::UnixMillis;
use web_sys::CanvasRenderingContext2d;

use super::draw::{BOTTOM, Sheet, font, width_of};
use super::geometry::Plot;
use super::paint::{Paint, css};
use super::series::Grid;

/// What lies over a chart.
pub struct Over {
    /// The times of the chart.
    pub grid: Grid,
    /// The crosshair.
    pub cross: Option<Cross>,
    /// What is being selected.
    pub selection: Option<(UnixMillis, UnixMillis)>,
}

/// The crosshair over a chart.
pub struct Cross {
    /// Which time of the grid.
    pub index: usize,
    /// A value and the colour of its line, for each line that has a value there.
    pub dots: Vec<(f64, usize)>,
    /// The time in words; only under the pointer, the legends say it elsewhere.
    pub label: Option<String>,
}

/// Draws what lies over a chart, or takes it away.
pub fn draw_over(sheet: &Sheet, plot: &Plot, over: &Over, paint: &Paint) {
    let Some(context) = sheet.clear() else { return };
    let mut label = None;
    if let Some(cross) = &over.cross {
        // The edge of a selection stands where the crosshair would.
        if over.selection.is_none() {
            draw_cross(sheet, plot, cross, paint, &context);
        }
        label = cross.label.clone().map(|words| (words, plot.x(cross.index as f64)));
    }
    if let Some((from, to)) = over.selection {
        let within = |at| plot.x(over.grid.place(at)).clamp(plot.left, plot.left + plot.width);
        let (left, right) = (within(from.min(to)), within(from.max(to)));
        context.set_fill_style_str(&paint.accent);
        context.set_global_alpha(0.16);
        context.fill_rect(left, plot.top, right - left, plot.height);
        context.set_global_alpha(1.0);
        for edge in [left, right] {
            context.fill_rect(sheet.snapped(edge) - 0.5, plot.top, 1.0, plot.height);
        }
        label = label.map(|_| (duration_ms((to - from).abs()), f64::midpoint(left, right)));
    }
    if let Some((words, middle)) = label {
        draw_label(sheet, &words, middle, plot, paint, &context);
    }
}

fn draw_cross(sheet: &Sheet, plot: &Plot, cross: &Cross, paint: &Paint, context: &CanvasRenderingContext2d) {
    let x = plot.x(cross.index as f64);
    context.set_fill_style_str(&paint.label);
    let hairline = 1.0 / sheet.ratio;
    context.fill_rect(sheet.snapped(x) - hairline / 2.0, plot.top, hairline, plot.height);
    for &(value, colour) in &cross.dots {
        let y = plot.y(value);
        for (radius, style) in [(4.5, &paint.surface), (3.0, &css(paint.series[colour]))] {
            context.set_fill_style_str(style);
            context.begin_path();
            let _ = context.arc(x, y, radius, 0.0, std::f64::consts::TAU);
            context.fill();
        }
    }
}

/// Words below the plot, where the times stand.
fn draw_label(
    sheet: &Sheet,
    words: &str,
    middle: f64,
    plot: &Plot,
    paint: &Paint,
    context: &CanvasRenderingContext2d,
) {
    context.set_font(&font(paint));
    let half = (width_of(context, words) / 2.0).ceil() + 6.0;
    let middle = middle.clamp(half, (sheet.size.0 - half).max(half)).round();
    context.set_fill_style_str(&paint.cross);
    context.fill_rect(middle - half, plot.top + plot.height + 3.0, half * 2.0, BOTTOM - 4.0);
    context.set_fill_style_str(&paint.on_cross);
    context.set_text_baseline("middle");
    context.set_text_align("center");
    let _ = context.fill_text(words, middle, (sheet.size.1 - 9.0).round());
}
