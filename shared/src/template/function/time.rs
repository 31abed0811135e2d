//! Points and lengths of time.

use super::super::fmt::{four_digits, shortest};
use super::super::time::{Duration, Time};
use super::super::value::Value;
use super::super::world::{Problem, World};
use super::humanize::float;
use super::text_at;
use crate::promql::duration_ms;

/// Unix seconds as a time, to the millisecond, which is what Prometheus keeps.
fn time(seconds: f64) -> Result<Time, Problem> {
    if !seconds.is_finite() {
        return Err("value is NaN or Inf".into());
    }
    let nanoseconds = seconds * 1e9;
    // 2^63 is a float, and the largest integer is not.
    if !(-9_223_372_036_854_775_808.0..=9_223_372_036_854_775_808.0).contains(&nanoseconds) {
        let shown = shortest(seconds);
        return Err(format!(
            "{shown} cannot be represented as a nanoseconds timestamp since it overflows int64"
        )
        .into());
    }
    Ok(Time::from_unix_ms(nanoseconds as i64 / 1_000_000))
}

pub(super) fn to_time(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(time(float(&arguments[0])?)?.into())
}

pub(super) fn humanize_timestamp(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let seconds = float(&arguments[0])?;
    if !seconds.is_finite() {
        return Ok(four_digits(seconds).into());
    }
    Ok(time(seconds)?.to_string().into())
}

pub(super) fn to_duration(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let nanoseconds = float(&arguments[0])? * 1e9;
    if nanoseconds.is_nan() || nanoseconds.abs() > 9.2e18 {
        return Err(format!("{} seconds are no duration", shortest(nanoseconds / 1e9)).into());
    }
    Ok(Duration::from_nanoseconds(nanoseconds as i64).into())
}

pub(super) fn now(world: &mut World<'_>, _: &[Value]) -> Result<Value, Problem> {
    Ok(world.now()?.into())
}

/// `1h30m` as seconds.
pub(super) fn parse_duration(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let text = text_at(arguments, 0);
    let milliseconds = match text {
        "" => return Err("empty duration string".into()),
        "0" => Some(0),
        text => duration_ms(text),
    };
    milliseconds
        .map(|milliseconds| Value::Float(milliseconds as f64 / 1000.0))
        .ok_or_else(|| format!("not a valid duration string: {text:?}").into())
}

fn time_at(arguments: &[Value], at: usize) -> Time {
    match arguments.get(at) {
        Some(Value::Time(time)) => *time,
        // The table says that it is one.
        _ => Time::from_unix_ms(0),
    }
}

/// `date "15:04" .StartsAt`: a time in the form of Go's reference time.
pub(super) fn date(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(time_at(arguments, 1).format(text_at(arguments, 0)).into())
}

/// `tz "UTC" .StartsAt`. Only UTC is known here: the zones of the world are a database.
pub(super) fn tz(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    match text_at(arguments, 0) {
        "" | "UTC" | "Etc/UTC" => Ok(arguments[1].clone()),
        other => Err(format!("unknown time zone {other}: only UTC is known").into()),
    }
}

/// How long a time ago.
pub(super) fn since(world: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let now = time(world.now()?)?;
    Ok(now.since(time_at(arguments, 0)).into())
}
