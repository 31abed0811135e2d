//! Numbers as people read them.

use super::super::fmt::four_digits;
use super::super::value::Value;
use super::super::world::{Problem, World};

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const BINARY: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

/// A number or a text that is one, as a float.
pub(super) fn float(value: &Value) -> Result<f64, Problem> {
    match value {
        Value::Float(value) => Ok(*value),
        Value::Int(value) => Ok(*value as f64),
        Value::Duration(duration) => Ok(duration.nanoseconds() as f64 / 1e9),
        Value::String(text) => number(text),
        Value::Nil => Err("can't convert <nil> to float".into()),
        other => Err(format!("can't convert {} to float", other.type_name()).into()),
    }
}

fn number(text: &str) -> Result<f64, Problem> {
    let fail = |why: &str| Problem::Failed(format!("strconv.ParseFloat: parsing {text:?}: {why}"));
    let value: f64 = text.parse().map_err(|_| fail("invalid syntax"))?;
    if value.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) {
        return Err(fail("value out of range"));
    }
    Ok(value)
}

/// Divided by a power of `base` until it is below that, with the prefix of the power.
fn scaled_down(value: f64, base: f64, prefixes: [&'static str; 8]) -> (f64, &'static str) {
    let mut scaled = (value, "");
    for prefix in prefixes {
        if scaled.0.abs() < base {
            break;
        }
        scaled = (scaled.0 / base, prefix);
    }
    scaled
}

/// Multiplied by a power of 1000 until it is one or more, with the prefix of the power.
fn scaled_up(value: f64) -> (f64, &'static str) {
    let mut scaled = (value, "");
    for prefix in SMALL {
        if scaled.0.abs() >= 1.0 {
            break;
        }
        scaled = (scaled.0 * 1000.0, prefix);
    }
    scaled
}

/// `1234567` is `1.235M`.
pub(super) fn humanize(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let value = float(&arguments[0])?;
    let (value, prefix) = match value {
        value if value == 0.0 || !value.is_finite() => (value, ""),
        value if value.abs() >= 1.0 => scaled_down(value, 1000.0, LARGE),
        value => scaled_up(value),
    };
    Ok((four_digits(value) + prefix).into())
}

/// `1048576` is `1Mi`.
pub(super) fn humanize1024(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let value = float(&arguments[0])?;
    let (value, prefix) = if value.abs() <= 1.0 || !value.is_finite() {
        (value, "")
    } else {
        scaled_down(value, 1024.0, BINARY)
    };
    Ok((four_digits(value) + prefix).into())
}

/// Seconds: `90` is `1m 30s`, `0.001` is `1ms`.
pub(super) fn humanize_duration(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let value = float(&arguments[0])?;
    if !value.is_finite() {
        return Ok(four_digits(value).into());
    }
    if value == 0.0 {
        return Ok(format!("{}s", four_digits(value)).into());
    }
    if value.abs() < 1.0 {
        let (value, prefix) = scaled_up(value);
        return Ok(format!("{}{prefix}s", four_digits(value)).into());
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let size = value.abs();
    // The conversion stops at the largest integer, which is longer than the universe has been there.
    let whole = size as i64;
    let (days, hours, minutes, seconds) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
    Ok(match whole {
        86_400.. => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
        3600.. => format!("{sign}{hours}h {minutes}m {seconds}s"),
        60.. => format!("{sign}{minutes}m {seconds}s"),
        _ => format!("{sign}{}s", four_digits(size)),
    }
    .into())
}

/// A ratio: `0.125` is `12.5%`.
pub(super) fn humanize_percentage(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok((four_digits(float(&arguments[0])? * 100.0) + "%").into())
}
