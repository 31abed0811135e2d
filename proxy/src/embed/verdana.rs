//! How wide a text is in Verdana of 11 pixels, by the widths of the font's own letters: badges are drawn without a font
//! at hand, and are to fit their words wherever they are shown.

/// Units of the font that make 11 pixels.
const UNITS: f64 = 2048.0;
const SIZE: f64 = 11.0;

/// Advance widths of the letters from the space to the tilde, in the font's units.
const WIDTHS: [u16; 95] = [
    720, 806, 940, 1676, 1302, 2204, 1488, 550, 930, 930, 1302, 1676, 745, 930, 745, 930, 1302, 1302, 1302,
    1302, 1302, 1302, 1302, 1302, 1302, 1302, 930, 930, 1676, 1676, 1676, 1117, 2048, 1400, 1404, 1430, 1578,
    1295, 1177, 1588, 1539, 862, 931, 1419, 1140, 1726, 1532, 1612, 1235, 1612, 1424, 1400, 1262, 1499, 1400,
    2025, 1403, 1260, 1403, 930, 930, 930, 1676, 1302, 1302, 1230, 1276, 1067, 1276, 1220, 720, 1276, 1296,
    562, 705, 1212, 562, 1992, 1296, 1243, 1276, 1276, 874, 1067, 807, 1296, 1212, 1676, 1212, 1212, 1076,
    1300, 930, 1300, 1676,
];
/// What is not in the table is as wide as an `m`, as shields has it.
const OTHER: u16 = 1992;

fn units(letter: char) -> Option<u16> {
    let at = (letter as usize).checked_sub(' ' as usize);
    at.and_then(|at| WIDTHS.get(at)).copied()
}

/// The width in pixels.
pub(super) fn width(text: &str) -> f64 {
    let of = |letter: char| f64::from(units(letter).unwrap_or(OTHER));
    text.chars().map(of).sum::<f64>() * SIZE / UNITS
}

/// Whether that is a width, and no guess.
pub(super) fn is_known(text: &str) -> bool {
    text.chars().all(|letter| units(letter).is_some())
}

#[cfg(test)]
mod tests {
    use super::width;

    #[test]
    fn words_are_as_wide_as_in_the_font() {
        for (text, pixels) in [("", 0.0), (" ", 3.87), ("a", 6.61), ("m", 10.7), ("é", 10.7)] {
            assert!((width(text) - pixels).abs() < 0.01, "{text}: {}", width(text));
        }
    }
}
