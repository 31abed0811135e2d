//! The picture of a link for chats: a [`Card`] as a PNG of 1200 × 630, which is what they ask for. It is looked at a
//! quarter as wide, so everything is large.
//!
//! The shapes are plotters', drawn twice as large and then halved, which smooths their edges. The letters come with the
//! program, as those of a message's chart do.

use fleetglass_shared::{
    health::Status,
    scope::{Card, CardNode, CardNodes},
};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster};
use plotters::{coord::Shift, drawing::DrawingArea, prelude::*, style::RGBColor};

/// How wide it is.
pub const WIDTH: u32 = 1200;
/// How high it is.
pub const HEIGHT: u32 = 630;
/// The shapes are drawn so much larger.
const FINE: i32 = 2;
const LEFT: i32 = 64;
const RIGHT: i32 = WIDTH as i32 - LEFT;

const PAPER: RGBColor = RGBColor(255, 255, 255);
const INK: RGBColor = RGBColor(26, 29, 35);
const MUTED: RGBColor = RGBColor(89, 96, 108);
const FAINT: RGBColor = RGBColor(238, 240, 243);
const DARK: RGBColor = RGBColor(29, 33, 41);
const TRACE: RGBColor = RGBColor(79, 196, 141);

/// Nothing where the backend fails, which it has no reason to.
type Drawn = Option<()>;
type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

fn colour(status: Status) -> RGBColor {
    match status {
        Status::Healthy => RGBColor(58, 168, 118),
        Status::Degraded => RGBColor(221, 154, 22),
        Status::Unhealthy => RGBColor(226, 88, 45),
        Status::Unreachable => RGBColor(207, 34, 87),
        Status::Unknown => RGBColor(130, 138, 150),
    }
}

/// The PNG; `None` where it cannot be drawn.
pub(super) fn png(card: &Card) -> Option<Vec<u8>> {
    let (wide, high) = (WIDTH * FINE as u32, HEIGHT * FINE as u32);
    let mut fine = vec![255; (wide * high * 3) as usize];
    {
        let area = BitMapBackend::with_buffer(&mut fine, (wide, high)).into_drawing_area();
        area.fill(&PAPER).ok()?;
        logo(&area)?;
        if let Some(nodes) = &card.nodes {
            shapes(&area, nodes)?;
        }
        area.present().ok()?;
    }
    let mut page = Page { pixels: halved(&fine) };
    page.text((LEFT + 64, 53), 34, false, "Fleetglass", MUTED);
    let room = usize::try_from((RIGHT - LEFT) / letters("x", 72)).unwrap_or(1);
    let lines = broken(&card.title, room);
    for (line, top) in lines.iter().zip([124, 204]) {
        page.text((LEFT, top), 72, true, line, INK);
    }
    let below = if lines.len() > 1 { 296 } else { 216 };
    let by =
        card.by.as_ref().map_or_else(|| "A password is needed".to_owned(), |by| format!("Shared by {by}"));
    page.text((LEFT, below), 38, false, &cut(&by, 50), MUTED);
    if let Some(nodes) = &card.nodes {
        words(&mut page, nodes);
    }
    page.encoded()
}

/// The brand: a glass over a trace.
fn logo(area: &Area<'_>) -> Drawn {
    let (left, top, size) = (LEFT, 48, 48);
    let at = |x: f64, y: f64| {
        let place = |origin: i32, value: f64| {
            ((f64::from(origin) + value * f64::from(size) / 32.0) * f64::from(FINE)) as i32
        };
        (place(left, x), place(top, y))
    };
    let filled = ShapeStyle::from(&DARK).filled();
    // Its corners are round.
    let (r, far) = (7.0, 32.0);
    for (from, to) in [((0.0, r), (far, far - r)), ((r, 0.0), (far - r, far))] {
        area.draw(&Rectangle::new([at(from.0, from.1), at(to.0, to.1)], filled)).ok()?;
    }
    let round = |value: f64| (value * f64::from(size * FINE) / 32.0) as i32;
    for corner in [(r, r), (far - r, r), (r, far - r), (far - r, far - r)] {
        area.draw(&Circle::new(at(corner.0, corner.1), round(r), filled)).ok()?;
    }
    area.draw(&Circle::new(at(14.0, 14.0), round(9.0), PAPER.filled())).ok()?;
    area.draw(&Circle::new(at(14.0, 14.0), round(6.9), filled)).ok()?;
    thick(area, at(20.0, 20.0), at(26.2, 26.2), round(2.6), PAPER)?;
    let trace = [(9.6, 14.6), (11.7, 14.6), (13.2, 10.6), (15.4, 17.2), (16.8, 14.6), (18.5, 14.6)];
    for pair in trace.windows(2) {
        thick(area, at(pair[0].0, pair[0].1), at(pair[1].0, pair[1].1), round(1.8), TRACE)?;
    }
    Some(())
}

/// A line with round ends.
fn thick(area: &Area<'_>, from: (i32, i32), to: (i32, i32), width: i32, colour: RGBColor) -> Drawn {
    let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).max(1);
    for step in 0..=steps {
        let at = |from: i32, to: i32| from + (to - from) * step / steps;
        area.draw(&Circle::new((at(from.0, to.0), at(from.1, to.1)), (width / 2).max(1), colour.filled()))
            .ok()?;
    }
    Some(())
}

/// Where the parts of the lower half stand.
const BAR: (i32, i32) = (360, 384);
const COUNTS: i32 = 408;
const NODES: [i32; 3] = [494, 538, 582];

fn columns(nodes: &CardNodes) -> impl Iterator<Item = (i32, Status, usize)> + '_ {
    let wide = (RIGHT - LEFT) / i32::try_from(nodes.counts.len().max(3)).unwrap_or(3);
    (0..).zip(&nodes.counts).map(move |(index, (status, count))| (LEFT + index * wide, *status, *count))
}

fn shapes(area: &Area<'_>, nodes: &CardNodes) -> Drawn {
    let fine = |(x, y): (i32, i32)| (x * FINE, y * FINE);
    area.draw(&Rectangle::new([fine((LEFT, BAR.0)), fine((RIGHT, BAR.1))], FAINT.filled())).ok()?;
    let total = nodes.total().max(1) as i64;
    let (mut from, mut sum) = (LEFT, 0_i64);
    for (status, count) in &nodes.counts {
        sum += *count as i64;
        let to = LEFT + i32::try_from(i64::from(RIGHT - LEFT) * sum / total).unwrap_or(0);
        // Few among many are seen all the same.
        let to = to.max(from + 8).min(RIGHT);
        let gap = if to < RIGHT { 4 } else { 0 };
        area.draw(&Rectangle::new(
            [fine((from, BAR.0)), fine(((to - gap).max(from), BAR.1))],
            colour(*status).filled(),
        ))
        .ok()?;
        from = to;
    }
    for (left, status, _) in columns(nodes) {
        shape(area, status, (left + 17, COUNTS + 32), 17)?;
    }
    for (node, top) in nodes.worst.iter().zip(NODES) {
        shape(area, node.status, (LEFT + 14, top + 19), 13)?;
    }
    Some(())
}

/// The shape of a state, as the app draws it.
fn shape(area: &Area<'_>, status: Status, (x, y): (i32, i32), size: i32) -> Drawn {
    let (x, y, size, colour) = (x * FINE, y * FINE, size * FINE, colour(status));
    let filled = colour.filled();
    match status {
        Status::Healthy => area.draw(&Circle::new((x, y), size, filled)).ok(),
        Status::Degraded => {
            let points = vec![
                (x, y - size),
                (x + size * 11 / 10, y + size * 9 / 10),
                (x - size * 11 / 10, y + size * 9 / 10),
            ];
            area.draw(&Polygon::new(points, filled)).ok()
        }
        Status::Unhealthy => {
            let half = size * 9 / 10;
            area.draw(&Rectangle::new([(x - half, y - half), (x + half, y + half)], filled)).ok()
        }
        Status::Unreachable => {
            let half = size * 8 / 10;
            thick(area, (x - half, y - half), (x + half, y + half), size * 2 / 5, colour)?;
            thick(area, (x + half, y - half), (x - half, y + half), size * 2 / 5, colour)
        }
        Status::Unknown => {
            area.draw(&Circle::new((x, y), size, filled)).ok()?;
            area.draw(&Circle::new((x, y), size * 6 / 10, PAPER.filled())).ok()
        }
    }
}

fn words(page: &mut Page, nodes: &CardNodes) {
    for (left, status, count) in columns(nodes) {
        let count = count.to_string();
        page.text((left + 48, COUNTS), 60, true, &count, INK);
        let left = left + 60 + letters(&count, 60);
        page.text((left, COUNTS + 20), 34, false, status.as_str(), MUTED);
    }
    if nodes.counts.is_empty() {
        page.text((LEFT, COUNTS), 40, false, "No node just now", MUTED);
    } else if nodes.worst.is_empty() {
        page.text((LEFT, NODES[0]), 40, false, "All well", INK);
    }
    for (CardNode { name, words, .. }, top) in nodes.worst.iter().zip(NODES) {
        let name = cut(name, 22);
        page.text((LEFT + 44, top), 36, true, &name, INK);
        let left = LEFT + 44 + letters(&name, 36) + 24;
        let room = usize::try_from((RIGHT - left) / letters("x", 36)).unwrap_or(0);
        page.text((left, top), 36, false, &cut(words, room), MUTED);
    }
}

/// A text in lines of so many letters, two at most.
fn broken(text: &str, most: usize) -> Vec<String> {
    let text = text.trim();
    if text.chars().count() <= most {
        return vec![text.to_owned()];
    }
    let head: String = text.chars().take(most + 1).collect();
    let end = head
        .rfind(' ')
        .filter(|at| *at > 0)
        .unwrap_or_else(|| head.char_indices().nth(most).map_or(0, |(at, _)| at));
    vec![text[..end].trim_end().to_owned(), cut(text[end..].trim_start(), most)]
}

/// The text, or its beginning.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

/// How wide a text is.
fn letters(text: &str, size: i32) -> i32 {
    let wide = noto_sans_mono_bitmap::get_raster_width(FontWeight::Regular, RasterHeight::Size32);
    let count = i32::try_from(text.chars().count()).unwrap_or(0);
    count * i32::try_from(wide).unwrap_or(18) * size / 32
}

/// The pixels.
struct Page {
    pixels: Vec<u8>,
}

impl Page {
    /// Writes a line; what the letters do not have stands as a box.
    fn text(&mut self, (left, top): (i32, i32), size: i32, bold: bool, text: &str, colour: RGBColor) {
        let weight = if bold { FontWeight::Bold } else { FontWeight::Regular };
        let mut left = left;
        for letter in text.chars() {
            let (plain, dots) = match letter {
                '–' | '—' | '−' => ('-', 1),
                '’' | '‘' => ('\'', 1),
                '“' | '”' => ('"', 1),
                // Three small dots in the place of one letter would be a smear.
                '…' => ('.', 3),
                letter => (letter, 1),
            };
            let raster = get_raster(plain, weight, RasterHeight::Size32);
            for _ in 0..dots {
                match &raster {
                    Some(raster) => {
                        self.letter((left, top), size, &raster.rows().collect::<Vec<_>>(), colour)
                    }
                    None if letter.is_whitespace() => {}
                    None => {
                        self.block((left + 3, top + size / 5), (letters("x", size) - 6, size * 3 / 5), MUTED)
                    }
                }
                left += if dots == 3 { letters("x", size) / 2 } else { letters("x", size) };
            }
        }
    }

    /// A letter of 32 pixels, as large as it is wanted: between its pixels the ink changes evenly.
    fn letter(&mut self, (left, top): (i32, i32), size: i32, rows: &[&[u8]], colour: RGBColor) {
        let ink = |x: i32, y: i32| {
            let row = usize::try_from(y).ok().and_then(|y| rows.get(y));
            f64::from(row.zip(usize::try_from(x).ok()).and_then(|(row, x)| row.get(x)).copied().unwrap_or(0))
        };
        let wide = letters("x", size);
        for y in 0..size {
            for x in 0..wide {
                let at = |value: i32| (f64::from(value) + 0.5) * 32.0 / f64::from(size) - 0.5;
                let (fx, fy) = (at(x), at(y));
                let (x0, y0) = (fx.floor() as i32, fy.floor() as i32);
                let (dx, dy) = (fx - f64::from(x0), fy - f64::from(y0));
                let upper = ink(x0, y0) * (1.0 - dx) + ink(x0 + 1, y0) * dx;
                let lower = ink(x0, y0 + 1) * (1.0 - dx) + ink(x0 + 1, y0 + 1) * dx;
                self.blend((left + x, top + y), upper * (1.0 - dy) + lower * dy, colour);
            }
        }
    }

    fn block(&mut self, (left, top): (i32, i32), (wide, high): (i32, i32), colour: RGBColor) {
        for y in top..top + high {
            for x in left..left + wide {
                let edge = x - left < 2 || left + wide - x <= 2 || y - top < 2 || top + high - y <= 2;
                self.blend((x, y), if edge { 255.0 } else { 0.0 }, colour);
            }
        }
    }

    fn blend(&mut self, (x, y): (i32, i32), ink: f64, colour: RGBColor) {
        if !(0..WIDTH as i32).contains(&x) || !(0..HEIGHT as i32).contains(&y) || ink < 1.0 {
            return;
        }
        let at = ((y as u32 * WIDTH + x as u32) * 3) as usize;
        for (pixel, colour) in self.pixels[at..at + 3].iter_mut().zip([colour.0, colour.1, colour.2]) {
            *pixel = ((f64::from(*pixel) * (255.0 - ink) + f64::from(colour) * ink) / 255.0).round() as u8;
        }
    }

    fn encoded(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, WIDTH, HEIGHT);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&self.pixels).ok()?;
        writer.finish().ok()?;
        Some(out)
    }
}

/// Each four pixels as one.
fn halved(fine: &[u8]) -> Vec<u8> {
    let row = (WIDTH * FINE as u32 * 3) as usize;
    let mut out = Vec::with_capacity((WIDTH * HEIGHT * 3) as usize);
    for pair in fine.chunks_exact(row * 2) {
        let (upper, lower) = pair.split_at(row);
        for (upper, lower) in upper.chunks_exact(6).zip(lower.chunks_exact(6)) {
            for channel in 0..3 {
                let sum = [upper[channel], upper[channel + 3], lower[channel], lower[channel + 3]];
                out.push((sum.iter().map(|value| u32::from(*value)).sum::<u32>() / 4) as u8);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn card(title: &str) -> Card {
        let node =
            |name: &str, status, words: &str| CardNode { name: name.into(), status, words: words.into() };
        Card {
            title: title.into(),
            by: Some("Ada Lovelace".into()),
            nodes: Some(CardNodes {
                counts: vec![(Status::Unreachable, 1), (Status::Degraded, 3), (Status::Healthy, 20)],
                worst: vec![
                    node("eu-west-1", Status::Unreachable, "No answer for 3 min (connection refused)"),
                    node("eu-west-2", Status::Degraded, "Only 2 peers"),
                ],
            }),
        }
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
    fn every_state_there_is_has_its_colour_and_no_other() {
        let drawn = png(&card("For Acme")).unwrap();
        let seen = |status| pixels_of(&drawn, colour(status));
        for status in [Status::Healthy, Status::Degraded, Status::Unreachable] {
            assert!(seen(status) > 400, "{status:?}: {}", seen(status));
        }
        assert_eq!((seen(Status::Unhealthy), seen(Status::Unknown)), (0, 0));
        let locked = png(&Card::locked("For Acme")).unwrap();
        assert_eq!(pixels_of(&locked, colour(Status::Healthy)), 0);
        assert!(pixels_of(&locked, INK) > 1_000, "its title is there");
        if let Ok(folder) = std::env::var("FLEETGLASS_CARDS") {
            let long = "Auditors of the second half of the year, Zürich and Łódź – all of them";
            let mut calm = card("Zürich 日本");
            calm.nodes = Some(CardNodes { counts: vec![(Status::Healthy, 24)], worst: Vec::new() });
            for (name, png) in [
                ("some", drawn),
                ("locked", locked),
                ("long", png(&card(long)).unwrap()),
                ("calm", png(&calm).unwrap()),
            ] {
                std::fs::write(format!("{folder}/card-{name}.png"), png).unwrap();
            }
        }
    }

    #[test]
    fn odd_texts_are_drawn_or_cut_and_nothing_panics() {
        for title in
            ["", " ", "日本語のノード", &"x".repeat(200), &"word ".repeat(40), "a\u{301}🦀\n\u{202e}b"]
        {
            assert!(png(&card(title)).is_some(), "{title}");
        }
        let mut many = card("x");
        many.nodes = Some(CardNodes {
            counts: vec![
                (Status::Unreachable, 1),
                (Status::Unhealthy, 100_000),
                (Status::Degraded, 1),
                (Status::Unknown, 1),
                (Status::Healthy, usize::MAX >> 33),
            ],
            worst: Vec::new(),
        });
        assert!(png(&many).is_some());
        many.nodes = Some(CardNodes::default());
        assert!(png(&many).is_some());
    }

    #[test]
    fn a_title_is_broken_between_words() {
        assert_eq!(broken("short", 10), ["short"]);
        assert_eq!(broken("two words here", 10), ["two words", "here"]);
        assert_eq!(broken("abcdefghijklmno", 10), ["abcdefghij", "klmno"]);
        assert_eq!(broken("ab cdefghijklmnopqrs tuv", 8), ["ab", "cdefghi…"]);
    }
}
