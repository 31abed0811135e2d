//! Floats: `%g`, `%e`, `%f`, and the binary `%x` and `%b`.

use super::Printer;

/// More digits than any float has: what is asked for beyond them is zeros.
const MOST_DIGITS: usize = 1100;

impl Printer {
    /// A float by a verb, with sign and padding.
    pub(super) fn float(&mut self, value: f64, verb: char) {
        let flags = self.flags;
        let sign = match () {
            () if value.is_sign_negative() && !value.is_nan() => "-",
            () if flags.plus => "+",
            () if flags.space => " ",
            () => "",
        };
        if value.is_nan() {
            self.pad_with_spaces(&format!("{sign}NaN"));
            return;
        }
        if value.is_infinite() {
            // An infinity always says its sign.
            self.pad_with_spaces(&format!("{}Inf", if sign.is_empty() { "+" } else { sign }));
            return;
        }
        let mut text = unsigned(value.abs(), verb, flags.precision);
        if flags.sharp && verb != 'b' {
            text = with_point(&text, verb, flags.precision);
        }
        match flags.width {
            // Zeros stand between the sign and the digits.
            Some(width) if flags.zero && !sign.is_empty() => {
                self.push(sign);
                self.fill(width.saturating_sub(sign.len() + text.len()), true);
                self.push(&text);
            }
            _ => self.pad(&format!("{sign}{text}")),
        }
    }
}

/// A finite float without its sign.
fn unsigned(value: f64, verb: char, precision: Option<usize>) -> String {
    let text = match verb {
        'e' | 'E' => {
            let precision = precision.unwrap_or(6);
            exponential(&Decimal::rounded(value, precision + 1), precision)
        }
        'f' | 'F' => fixed(value, precision.unwrap_or(6)),
        'x' | 'X' => hexadecimal(value, precision),
        'b' => binary(value),
        _ => general(value, precision),
    };
    if matches!(verb, 'E' | 'G' | 'X') { text.to_ascii_uppercase() } else { text }
}

/// Digits, none of them a zero at the end, and how many stand before the point.
struct Decimal {
    digits: String,
    point: i32,
}

impl Decimal {
    /// The fewest digits that mean this very float.
    fn shortest(value: f64) -> Self {
        Self::read(&format!("{value:e}"))
    }

    /// So many digits, rounded.
    fn rounded(value: f64, digits: usize) -> Self {
        Self::read(&format!("{value:.*e}", digits.clamp(1, MOST_DIGITS) - 1))
    }

    /// Reads Rust's `1.25e-7`.
    fn read(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let mut digits = mantissa.replace('.', "");
        digits.truncate(digits.trim_end_matches('0').len());
        let point = if digits.is_empty() { 0 } else { exponent.parse().unwrap_or(0) + 1 };
        Self { digits, point }
    }
}

/// `1.25e-07` with so many digits behind the point.
fn exponential(decimal: &Decimal, precision: usize) -> String {
    let mut digits = decimal.digits.clone();
    digits.truncate(precision + 1);
    let missing = (precision + 1).saturating_sub(digits.len());
    digits.extend(std::iter::repeat_n('0', missing));
    let exponent = if decimal.digits.is_empty() { 0 } else { decimal.point - 1 };
    let (first, others) = digits.split_at(1);
    let point = if others.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{others}e{sign}{:02}", exponent.unsigned_abs())
}

fn fixed(value: f64, precision: usize) -> String {
    let mut text = format!("{value:.*}", precision.min(MOST_DIGITS));
    text.extend(std::iter::repeat_n('0', precision.saturating_sub(MOST_DIGITS)));
    text
}

/// `%g`: the exponent only where the number is very small, or longer than the precision.
fn general(value: f64, precision: Option<usize>) -> String {
    let decimal = match precision {
        Some(precision) => Decimal::rounded(value, precision),
        None => Decimal::shortest(value),
    };
    let count = decimal.digits.len();
    let before = usize::try_from(decimal.point).unwrap_or(0);
    let most = match precision {
        None => 6,
        Some(precision) if precision > count && count >= before => count,
        Some(precision) => precision.max(1),
    };
    let exponent = decimal.point - 1;
    if exponent < -4 || exponent >= i32::try_from(most).unwrap_or(i32::MAX) {
        return exponential(&decimal, count.saturating_sub(1));
    }
    plain(&decimal)
}

/// The digits with the point where it belongs.
fn plain(decimal: &Decimal) -> String {
    let digits = &decimal.digits;
    match usize::try_from(decimal.point) {
        Ok(0) if digits.is_empty() => "0".to_owned(),
        Ok(0) => format!("0.{digits}"),
        Ok(before) if before >= digits.len() => digits.clone() + &"0".repeat(before - digits.len()),
        Ok(before) => format!("{}.{}", &digits[..before], &digits[before..]),
        Err(_) => format!("0.{}{digits}", "0".repeat(decimal.point.unsigned_abs() as usize)),
    }
}

/// `#`: always a point, and with `%g` the zeros that it leaves out.
fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let mark = match verb {
        'x' | 'X' => text.find(['p', 'P']),
        _ => text.find(['e', 'E']),
    };
    let (mantissa, tail) = text.split_at(mark.unwrap_or(text.len()));
    let mut mantissa = mantissa.to_owned();
    let digits = mantissa.trim_start_matches(['0', '.']).bytes().filter(|b| *b != b'.').count();
    let has_point = mantissa.contains('.');
    if !has_point {
        mantissa.push('.');
    }
    if matches!(verb, 'g' | 'G' | 'x') {
        let wanted = precision.unwrap_or(6);
        // A zero that stands alone counts as a digit.
        let given = if mantissa == "0." { 1 } else { digits };
        mantissa.extend(std::iter::repeat_n('0', wanted.saturating_sub(given)));
    }
    mantissa + tail
}

const MANTISSA_BITS: u32 = 52;

/// The mantissa as a whole number, and the exponent of two that it is multiplied with.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1);
    let exponent = ((bits >> MANTISSA_BITS) & 0x7ff) as i32;
    match exponent {
        0 => (mantissa, -1074),
        exponent => (mantissa | 1 << MANTISSA_BITS, exponent - 1075),
    }
}

/// `4503599627370496p-52`
fn binary(value: f64) -> String {
    let (mantissa, exponent) = parts(value);
    format!("{mantissa}p{exponent:+}")
}

/// `0x1.8p+01`
fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    let (mut mantissa, mut exponent) = parts(value);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // The leading one stands at bit 60, so that every digit behind it is four bits.
        let shift = mantissa.leading_zeros() - 3;
        mantissa <<= shift;
        exponent = exponent + 60 - i32::try_from(shift).unwrap_or(0);
    }
    if let Some(digits) = precision.filter(|digits| *digits < 15) {
        let dropped = 60 - 4 * digits as u32;
        let rest = mantissa & ((1 << dropped) - 1);
        mantissa >>= dropped;
        let half = 1 << (dropped - 1);
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= dropped;
        if mantissa & 1 << 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let first = mantissa >> 60;
    let all = format!("{:015x}", mantissa & ((1 << 60) - 1));
    let digits = match precision {
        None => all.trim_end_matches('0').to_owned(),
        Some(count) if count <= all.len() => all[..count].to_owned(),
        Some(count) => all.clone() + &"0".repeat(count - all.len()),
    };
    let point = if digits.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("0x{first}{point}{digits}p{sign}{:02}", exponent.unsigned_abs())
}
