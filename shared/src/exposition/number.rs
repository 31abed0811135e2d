//! Numbers and time stamps, as Go's `ParseFloat` (without hexadecimal and `_`) and OpenMetrics read them.

use std::cmp::Ordering;

/// A plain decimal number at `from` with its end, or nothing where it takes more thought: exponents, words,
/// more digits than a double holds exactly.
///
/// Exact: below 2⁵³ with a power of ten up to 10²² both operands are exact doubles, so one division rounds
/// once (Clinger's fast path).
#[inline]
pub(super) fn plain_number(body: &[u8], from: usize) -> Option<(f64, usize)> {
    let mut at = from;
    let negative = body.get(at) == Some(&b'-');
    at += usize::from(negative);
    let digits_from = at;
    let mut mantissa: u64 = 0;
    let mut point = None;
    while let Some(&byte) = body.get(at) {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        } else if byte == b'.' && point.is_none() {
            point = Some(at);
        } else {
            break;
        }
        at += 1;
    }
    let digits = at - digits_from - usize::from(point.is_some());
    if digits == 0 || digits > 15 || !matches!(body.get(at), Some(b'\n' | b' ')) {
        return None;
    }
    let magnitude = match point {
        None => mantissa as f64,
        Some(point) => mantissa as f64 / POWERS_OF_TEN[at - point - 1],
    };
    Some((if negative { -magnitude } else { magnitude }, at))
}

const POWERS_OF_TEN: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A whole token as a number, or nothing. A number too big for a double is none, as in Go.
pub(super) fn parse_number(token: &str) -> Option<f64> {
    let (sign, rest) = match token.as_bytes().first()? {
        b'+' => (1.0, &token[1..]),
        b'-' => (-1.0, &token[1..]),
        _ => (1.0, token),
    };
    if rest.eq_ignore_ascii_case("inf") || rest.eq_ignore_ascii_case("infinity") {
        return Some(sign * f64::INFINITY);
    }
    if token.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    if !rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    token.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Seconds since 1970 as OpenMetrics writes them, finer than a double, so that two times that differ in
/// their last digit stay different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    negative: bool,
    seconds: u128,
    /// In units of 10⁻²⁷ s; what is finer is cut off.
    fraction: u128,
}

const FRACTION_DIGITS: usize = 27;

impl Stamp {
    /// Reads a token; nothing where it is not a finite number.
    pub(super) fn parse(token: &str) -> Option<Self> {
        let number = parse_number(token).filter(|number| number.is_finite())?;
        let negative = number.is_sign_negative() && number != 0.0;
        let unsigned = token.trim_start_matches(['+', '-']);
        if unsigned.contains(['e', 'E']) {
            let magnitude = number.abs();
            let fraction = (magnitude.fract() * 1e27) as u128;
            return Some(Self { negative, seconds: magnitude.trunc() as u128, fraction });
        }
        let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let mut fraction = 0;
        for place in 0..FRACTION_DIGITS {
            let digit = decimals.as_bytes().get(place).map_or(0, |b| b - b'0');
            fraction = fraction * 10 + u128::from(digit);
        }
        let seconds = whole
            .bytes()
            .fold(0_u128, |sum, digit| sum.saturating_mul(10).saturating_add(u128::from(digit - b'0')));
        Some(Self { negative, seconds, fraction })
    }

    /// Unix milliseconds, cut towards zero, held at the ends of the range.
    pub(super) fn millis(self) -> i64 {
        let millis = self.seconds.saturating_mul(1000).saturating_add(self.fraction / 10_u128.pow(24));
        let millis = i64::try_from(millis).unwrap_or(i64::MAX);
        if self.negative { -millis } else { millis }
    }
}

impl Ord for Stamp {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = (self.seconds, self.fraction).cmp(&(other.seconds, other.fraction));
        match (self.negative, other.negative) {
            (false, false) => magnitude,
            (true, true) => magnitude.reverse(),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

impl PartialOrd for Stamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_go_s() {
        let table: &[(&str, Option<f64>)] = &[
            ("1", Some(1.0)),
            ("-1.5", Some(-1.5)),
            ("+1e3", Some(1000.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("0000012", Some(12.0)),
            ("Inf", Some(f64::INFINITY)),
            ("-infinity", Some(f64::NEG_INFINITY)),
            ("+INF", Some(f64::INFINITY)),
            ("", None),
            (".", None),
            ("+", None),
            ("e5", None),
            ("1e", None),
            ("1e999", None),
            ("+nan", None),
            ("0x1p-3", None),
            ("1_000", None),
            ("0b1", None),
            ("1 ", None),
            ("١", None),
        ];
        for (token, expected) in table {
            assert_eq!(parse_number(token), *expected, "{token:?}");
        }
        assert!(parse_number("NaN").unwrap().is_nan());
        assert!(parse_number("nan").unwrap().is_nan());
    }

    #[test]
    fn the_short_way_agrees_with_the_long_one() {
        for token in ["0", "-0", "7", "-12.5", "0.1", "123456789012345", "5.", ".5"] {
            let line = format!("{token}\n");
            let (number, end) = plain_number(line.as_bytes(), 0).unwrap();
            assert_eq!(number.to_bits(), parse_number(token).unwrap().to_bits(), "{token}");
            assert_eq!(end, token.len());
        }
        for token in ["", ".", "-", "1e5", "NaN", "1234567890123456", "1.2.3", "1x", "+1"] {
            assert_eq!(plain_number(format!("{token}\n").as_bytes(), 0), None, "{token}");
        }
    }

    #[test]
    fn stamps_keep_their_order_and_their_milliseconds() {
        let millis: &[(&str, i64)] = &[
            ("0", 0),
            ("1.5", 1500),
            ("-1.5", -1500),
            ("1605281325.123", 1_605_281_325_123),
            ("1.5e3", 1_500_000),
            ("12345678901234567890.1234567890", i64::MAX),
            ("0.0009", 0),
        ];
        for (token, expected) in millis {
            assert_eq!(Stamp::parse(token).unwrap().millis(), *expected, "{token}");
        }
        let rising = ["-1.1", "-1", "-0.5", "0", "0.0000000001", "0.000000001", "1", "1.1"];
        for pair in rising.windows(2) {
            assert!(Stamp::parse(pair[0]) < Stamp::parse(pair[1]), "{pair:?}");
        }
        for bad in ["NaN", "Inf", "-Inf", "1z", "1.1.1", "0x1", ""] {
            assert_eq!(Stamp::parse(bad), None, "{bad}");
        }
    }
}
