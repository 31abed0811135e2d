//! The small chart of a message: the last hour of a value against its bound, as a PNG.
//!
//! The lines are plotters'; the letters are Noto Sans Mono's, which come with the program as pictures, since
//! a server has no fonts to rely on.

use fleetglass_shared::{
    format,
    health::UnixMillis,
    promql::{Options, Query, Steps, Value, is_stale},
};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster};
use plotters::{prelude::*, style::RGBColor};

use super::link::ChartLink;
use crate::{clock, store::Store};

const WIDTH: u32 = 480;
const HEIGHT: u32 = 200;
const HOUR: i64 = 3_600_000;
/// So many points a line has.
const POINTS: i64 = 240;
/// More lines are no chart that small.
const MOST_LINES: usize = 5;
/// A chart that takes longer is left out.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(5);

const PAPER: RGBColor = RGBColor(255, 255, 255);
const INK: RGBColor = RGBColor(40, 44, 52);
const FAINT: RGBColor = RGBColor(120, 126, 138);
const VALUE: RGBColor = RGBColor(30, 90, 200);
const BOUND: RGBColor = RGBColor(200, 40, 40);

/// Times and values.
type Points = Vec<(UnixMillis, f64)>;

/// The PNG of a chart, as far as the store knows the hour; `None` where there is nothing to show.
pub fn png(store: &Store, chart: &ChartLink) -> Option<Vec<u8>> {
    let query = Query::parse(&chart.query).ok()?;
    let steps = Steps { start: chart.at - HOUR, end: chart.at, step: HOUR / POINTS };
    let until = clock::monotonic() + LONGEST;
    let stop = || (clock::monotonic() > until).then_some(fleetglass_shared::promql::EvalError::TimedOut);
    let answer = query.range(store, steps, &Options { stop: &stop, ..Options::default() }).ok()?;
    let Value::Vector(lines) = answer.value else { return None };
    let points = |values: Vec<f64>| -> Points {
        let at = |index: usize| steps.start + steps.step * i64::try_from(index).unwrap_or(0);
        let known = values.into_iter().enumerate().filter(|(_, v)| v.abs() < 1e100 && !is_stale(*v));
        known.map(|(index, value)| (at(index), value)).collect()
    };
    let lines: Vec<Points> = lines
        .into_iter()
        .take(MOST_LINES)
        .map(|line| points(line.values))
        .filter(|points| !points.is_empty())
        .collect();
    if lines.is_empty() { None } else { drawn(&lines, chart) }
}

fn drawn(lines: &[Points], chart: &ChartLink) -> Option<Vec<u8>> {
    let values = lines.iter().flatten().map(|(_, value)| *value).chain(chart.bound);
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let room = ((high - low) * 0.1).max(high.abs().max(1.0) * 1e-6);
    let (low, high) = (low - room, high + room);
    let mut pixels = vec![255; (WIDTH * HEIGHT * 3) as usize];
    {
        let root = BitMapBackend::with_buffer(&mut pixels, (WIDTH, HEIGHT)).into_drawing_area();
        root.fill(&PAPER).ok()?;
        let mut area = ChartBuilder::on(&root)
            .margin_top(28)
            .margin_bottom(26)
            .margin_left(12)
            .margin_right(12)
            .build_cartesian_2d(-(HOUR as f64)..0.0, low..high)
            .ok()?;
        let foot = [(-(HOUR as f64), low), (0.0, low)];
        area.draw_series(LineSeries::new(foot, FAINT)).ok()?;
        if let Some(bound) = chart.bound {
            let line = [(-(HOUR as f64), bound), (0.0, bound)];
            area.draw_series(LineSeries::new(line, BOUND.stroke_width(2))).ok()?;
        }
        for points in lines {
            let points = points.iter().map(|(at, value)| ((at - chart.at) as f64, *value));
            area.draw_series(LineSeries::new(points, VALUE.stroke_width(2))).ok()?;
        }
        root.present().ok()?;
    }
    let last =
        lines.iter().filter_map(|points| points.last()).map(|(_, v)| *v).fold(f64::NEG_INFINITY, f64::max);
    let number = |value: f64| format::number(value, &chart.unit);
    let width = (WIDTH / 9) as usize;
    let title: String = chart.title.chars().take(width - 16).collect();
    write(&mut pixels, 12, 6, &title, INK);
    let now = number(last);
    write(&mut pixels, right_of(&now), 6, &now, VALUE);
    write(&mut pixels, 12, HEIGHT - 22, "1 h ago", FAINT);
    if let Some(bound) = chart.bound {
        let bound = format!("bound {}", number(bound));
        write(&mut pixels, right_of(&bound) / 2, HEIGHT - 22, &bound, BOUND);
    }
    let at = format!("{} UTC", &format::utc(chart.at / 1000).get(11..16).unwrap_or_default());
    write(&mut pixels, right_of(&at), HEIGHT - 22, &at, FAINT);
    encoded(&pixels)
}

/// Where a text begins that ends at the right edge.
fn right_of(text: &str) -> u32 {
    let wide = u32::try_from(text.chars().count()).unwrap_or(0) * LETTER;
    WIDTH.saturating_sub(12 + wide)
}

/// The width of a letter of 16 pixels.
const LETTER: u32 = noto_sans_mono_bitmap::get_raster_width(FontWeight::Regular, RasterHeight::Size16) as u32;

/// Writes a line of text; what the letters do not have is written as near as can be.
fn write(pixels: &mut [u8], left: u32, top: u32, text: &str, colour: RGBColor) {
    for (index, letter) in (0_u32..).zip(text.chars()) {
        let plain = match letter {
            '–' | '−' | '—' => '-',
            'µ' => 'u',
            letter if letter.is_ascii_graphic() || letter == ' ' => letter,
            _ => '?',
        };
        let Some(glyph) = get_raster(plain, FontWeight::Regular, RasterHeight::Size16) else { continue };
        for (y, row) in (top..).zip(glyph.rows()) {
            for (x, ink) in (left + index * LETTER..).zip(row.iter()) {
                blend(pixels, x, y, *ink, colour);
            }
        }
    }
}

fn blend(pixels: &mut [u8], x: u32, y: u32, ink: u8, colour: RGBColor) {
    if x >= WIDTH || y >= HEIGHT || ink == 0 {
        return;
    }
    let at = ((y * WIDTH + x) * 3) as usize;
    for (pixel, colour) in pixels[at..at + 3].iter_mut().zip([colour.0, colour.1, colour.2]) {
        let ink = u32::from(ink);
        let mixed = (u32::from(*pixel) * (255 - ink) + u32::from(colour) * ink) / 255;
        *pixel = u8::try_from(mixed).unwrap_or(u8::MAX);
    }
}

fn encoded(pixels: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(pixels).ok()?;
    writer.finish().ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn link(bound: Option<f64>) -> ChartLink {
        let (query, unit, title) = ("lag".to_owned(), "seconds".to_owned(), "Lag – of µ-node é".to_owned());
        ChartLink { query, bound, unit, title, at: HOUR * 2 }
    }

    /// How many pixels have a colour.
    fn pixels_of(png: &[u8], colour: RGBColor) -> usize {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (WIDTH, HEIGHT));
        pixels.chunks(3).filter(|pixel| *pixel == [colour.0, colour.1, colour.2]).count()
    }

    #[test]
    fn the_value_and_its_bound_are_there_to_see() {
        let line: Points = (0..60).map(|minute| (HOUR + minute * 60_000, minute as f64)).collect();
        let with = drawn(std::slice::from_ref(&line), &link(Some(40.0))).unwrap();
        let seen = [VALUE, BOUND, INK].map(|colour| pixels_of(&with, colour));
        assert!(seen[0] > 100 && seen[1] > 400 && seen[2] > 5, "{seen:?}");
        let without = drawn(&[line], &link(None)).unwrap();
        assert_eq!(pixels_of(&without, BOUND), 0);
    }

    #[test]
    fn odd_values_are_drawn_or_left_out_and_nothing_panics() {
        for values in
            [vec![(HOUR, 0.0)], vec![(HOUR, 1e300), (HOUR * 2, -1e300)], vec![(HOUR, 5.0), (HOUR + 1, 5.0)]]
        {
            let _ = drawn(&[values], &link(Some(5.0)));
        }
        let store =
            Store::new(crate::store::Limits { retention_ms: HOUR, max_series_per_target: 9, max_series: 9 });
        assert_eq!(png(&store, &link(None)), None, "there is nothing to show");
        assert_eq!(png(&store, &ChartLink { query: "sum(".to_owned(), ..link(None) }), None);
    }
}
