//! A link as a QR code: one path of squares, dark on light in both themes, since phones read nothing else.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};

use crate::dom::{El, svg};

/// Modules of light around it, as the standard asks for.
const QUIET: i32 = 4;

/// The code of a text: how many modules wide with the light around it, and its dark ones as a path. `None` where the
/// text is too long.
pub(super) fn code(text: &str) -> Option<(i32, String)> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let wide = (x..code.size()).take_while(|x| code.get_module(*x, y)).count() as i32;
            if wide > 0 {
                // Writing to a String never fails.
                let _ = write!(path, "M{} {}h{wide}v1h-{wide}z", x + QUIET, y + QUIET);
            }
            x += wide.max(1);
        }
    }
    Some((code.size() + 2 * QUIET, path))
}

/// The code drawn.
pub(super) fn drawn(size: i32, path: String) -> El {
    svg("svg")
        .class("share-qr")
        .attr("viewBox", format!("0 0 {size} {size}"))
        .attr("role", "img")
        .attr("aria-label", "QR code of the link")
        .attr("shape-rendering", "crispEdges")
        .child(svg("rect").attr("width", "100%").attr("height", "100%").attr("fill", "#fff"))
        .child(svg("path").attr("d", path).attr("fill", "#000"))
}

/// The code as a file.
pub(super) fn file(size: i32, path: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" width=\"{0}\" height=\"{0}\" shape-rendering=\"crispEdges\">\
         <title>QR code of a share link</title><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>",
        size * 8
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Draws the path as a phone would see it.
    fn seen(size: i32, path: &str) -> Vec<bool> {
        let mut dark = vec![false; (size * size) as usize];
        for run in path.split('M').filter(|run| !run.is_empty()) {
            let (place, rest) = run.split_once('h').unwrap();
            let (x, y) = place.split_once(' ').unwrap();
            let (wide, _) = rest.split_once('v').unwrap();
            let (x, y, wide): (i32, i32, i32) =
                (x.parse().unwrap(), y.parse().unwrap(), wide.parse().unwrap());
            (x..x + wide).for_each(|x| dark[(y * size + x) as usize] = true);
        }
        dark
    }

    #[test]
    fn what_is_drawn_reads_as_the_link() {
        let link =
            "https://fleet.example/s/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/";
        let (size, path) = code(link).unwrap();
        let dark = seen(size, &path);
        let scale = 4;
        let wide = (size * scale) as usize;
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(wide, wide, |x, y| {
            let at = (y as i32 / scale) * size + x as i32 / scale;
            if dark[at as usize] { 0 } else { 255 }
        });
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        assert_eq!(grids[0].decode().unwrap().1, link);
        assert_eq!(code(&"x".repeat(3_000)), None);
    }
}
