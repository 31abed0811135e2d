//! Numbers, durations, bytes and money in the words of the screen. Pure, and small enough for the browser.
//!
//! Two rules hold everywhere: what is not known reads [`UNKNOWN`], never 0; and a value that came as text is
//! never sent through a float unless its unit is one where digits do not matter (a rate, a duration).
//!
//! The unit words are those of a family's `family.toml`: `seconds`, `milliseconds`, `bytes`, `bytes/s`,
//! `ratio`, `percent`, `count`, `count/s`, `micro-usdc`, `usdc`, `wei`, `timestamp`, `bool` and `text`.

mod axis;
mod exact;
mod json;
mod scale;

pub use axis::{AxisUnit, axis_unit};
pub use exact::{grouped, micro_usdc};
pub use json::{is_json, pretty_json};
pub use scale::ValueAxis;

/// What stands where a value is not known.
pub const UNKNOWN: &str = "–";

const DECIMAL: [&str; 6] = ["", " k", " M", " G", " T", " P"];
const BINARY: [&str; 7] = [" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"];

/// A length of time as a person says it: `45 s`, `3 min`, `2 h 10 min`, `3 d 4 h`. Rounded down, so that an
/// age never runs ahead of itself; negative lengths (two clocks) read `0 s`.
pub fn duration_ms(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if seconds < 60 => format!("{seconds} s"),
        () if minutes < 60 => format!("{minutes} min"),
        () if hours < 24 => pair(hours, "h", minutes % 60, "min"),
        () => pair(days, "d", hours % 24, "h"),
    }
}

/// A measured length of time, with the digits a measurement has: `230 µs`, `12.3 ms`, `1.5 s`,
/// `10 min 12 s`; from an hour on as [`duration_ms`].
pub fn duration_seconds(seconds: f64) -> String {
    if !seconds.is_finite() {
        return plain(seconds);
    }
    let size = seconds.abs();
    match () {
        () if size == 0.0 => "0 s".to_owned(),
        () if size < 0.000_999_5 => format!("{} µs", plain(seconds * 1e6)),
        () if size < 0.9995 => format!("{} ms", plain(seconds * 1e3)),
        () if size < 59.95 => format!("{} s", plain(seconds)),
        () if seconds < 0.0 => format!("−{}", duration_seconds(size)),
        () if size < 3600.0 => {
            let whole = size.round() as i64;
            pair(whole / 60, "min", whole % 60, "s")
        }
        () => duration_ms((size.min(9e15 / 1000.0) * 1000.0) as i64),
    }
}

/// How old something is: the time from `at` to `now`, both in Unix milliseconds, as [`duration_ms`].
pub fn age(now: i64, at: i64) -> String {
    duration_ms(now.saturating_sub(at))
}

/// A number at a glance: `0.023`, `12.5`, `1,234`, `12.3 k`, `4.5 M`.
pub fn count(value: f64) -> String {
    if value.is_finite() && value.abs() >= 9_999.5 {
        scaled(value, 1000.0, &DECIMAL)
    } else if value.is_finite() && value.abs() >= 999.5 {
        grouped(&format!("{value:.0}")).unwrap_or_default()
    } else {
        plain(value)
    }
}

/// A size in binary units: `512 B`, `1.2 GiB`.
pub fn bytes(value: f64) -> String {
    if value.is_finite() { scaled(value, 1024.0, &BINARY) } else { plain(value) }
}

/// A number in the words of its unit, for values that are floats to begin with (charts, risks).
pub fn number(value: f64, unit: &str) -> String {
    if value.is_nan() {
        return UNKNOWN.to_owned();
    }
    match unit {
        "seconds" => duration_seconds(value),
        "milliseconds" => duration_seconds(value / 1000.0),
        "bytes" => bytes(value),
        "bytes/s" => format!("{}/s", bytes(value)),
        "ratio" => format!("{} %", plain(value * 100.0)),
        "percent" => format!("{} %", plain(value)),
        "" | "count" | "text" => count(value),
        "count/s" => format!("{}/s", count(value)),
        "micro-usdc" => number(value / 1e6, "usdc"),
        "usdc" => exact::decimal(&format!("{value:.6}"), 2).map_or_else(|| count(value), |m| m + " USDC"),
        "timestamp" => timestamp(value),
        "bool" => if value == 0.0 { "no" } else { "yes" }.to_owned(),
        other => format!("{} {other}", count(value)),
    }
}

/// A count in full: `12,345`.
pub fn whole(count: usize) -> String {
    value(&count.to_string(), "count")
}

/// `1 node`, `3 nodes`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", whole(count), if count == 1 { one } else { many })
}

/// A value as a node wrote it, in the words of its unit. Integers and money stay exact, however long; text
/// that is no number of its unit is shown as it came.
pub fn value(text: &str, unit: &str) -> String {
    let text = text.trim();
    if text.is_empty() || (text == "null" && unit != "text") {
        return UNKNOWN.to_owned();
    }
    let exact = match unit {
        "" | "text" => Some(text.to_owned()),
        "micro-usdc" => micro_usdc(text),
        "usdc" => exact::decimal(text, 2).map(|money| money + " USDC"),
        "wei" => grouped(text).map(|digits| digits + " wei"),
        "count" => grouped(text),
        "bool" => match text {
            "true" | "1" => Some("yes".to_owned()),
            "false" | "0" => Some("no".to_owned()),
            _ => None,
        },
        _ => None,
    };
    exact.or_else(|| approximate(text).map(|float| number(float, unit))).unwrap_or_else(|| text.to_owned())
}

/// A decimal number as a float, right to some fifteen digits: more than is shown. The standard library's
/// parser is right to the last bit, and brings 10 KB of tables into the browser.
fn approximate(text: &str) -> Option<f64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let float = match digits.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" => f64::NAN,
        digits => {
            let (digits, exponent) = digits.split_once('e').unwrap_or((digits, "0"));
            let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
            let all = || whole.bytes().chain(part.bytes());
            if all().next().is_none() || !all().all(|digit| digit.is_ascii_digit()) {
                return None;
            }
            let mantissa = all().fold(0.0, |sum, digit| sum * 10.0 + f64::from(digit - b'0'));
            let exponent = exponent.parse::<i32>().ok()?.saturating_sub(i32::try_from(part.len()).ok()?);
            // Dividing by a power that is exact is exact to the last place; multiplying by its inverse is not.
            match exponent {
                0.. => mantissa * 10_f64.powi(exponent),
                _ => mantissa / 10_f64.powi(-exponent),
            }
        }
    };
    Some(if negative { -float } else { float })
}

/// Unix seconds as a date and time in UTC; milliseconds, microseconds and nanoseconds are told by their size.
fn timestamp(value: f64) -> String {
    let mut seconds = value;
    while seconds.abs() >= 1e11 {
        seconds /= 1000.0;
    }
    if seconds <= 0.0 {
        return UNKNOWN.to_owned();
    }
    utc(seconds as i64)
}

/// A Unix time in seconds as `2026-11-21 13:05:09 UTC`.
pub fn utc(unix_seconds: i64) -> String {
    let (days, second) = (unix_seconds.div_euclid(86_400), unix_seconds.rem_euclid(86_400));
    let (year, month, day) = crate::calendar::civil(days);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02} UTC", second % 60)
}

/// Two units, the smaller left out when it is zero.
fn pair(big: i64, big_unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 { format!("{big} {big_unit}") } else { format!("{big} {big_unit} {small} {small_unit}") }
}

/// Divides by `base` until the number is small, and names how often: one decimal below 100, none above.
fn scaled(value: f64, base: f64, names: &[&str]) -> String {
    let mut rest = value;
    let mut step = 0;
    // 999.5 and not `base`: what would be rounded up to the base belongs to the next unit.
    while rest.abs() >= base - 0.5 && step + 1 < names.len() {
        rest /= base;
        step += 1;
    }
    let decimals = if step == 0 || rest.abs() >= 99.95 { 0 } else { 1 };
    let digits = if step == 0 { plain(rest) } else { trimmed(format!("{rest:.decimals$}")) };
    digits + names[step]
}

/// Three significant digits, no more than the value has.
fn plain(value: f64) -> String {
    if value.is_nan() {
        return UNKNOWN.to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    let mut decimals = 2_usize;
    let mut bound = 9.995;
    while size >= bound && decimals > 0 {
        bound *= 10.0;
        decimals -= 1;
    }
    bound = 0.9995;
    while size < bound && decimals < 9 {
        bound /= 10.0;
        decimals += 1;
    }
    trimmed(format!("{value:.decimals$}"))
}

/// Takes trailing zeros after the point away, and writes a real minus sign.
fn trimmed(mut digits: String) -> String {
    if digits.contains('.') {
        let end = digits.trim_end_matches('0').trim_end_matches('.').len();
        digits.truncate(end);
    }
    match digits.strip_prefix('-') {
        Some("0") => "0".to_owned(),
        Some(rest) => format!("−{rest}"),
        None => digits,
    }
}

#[cfg(test)]
mod tests;
