//! The methods of values: of times, of lengths of time, and of Alertmanager's key-value maps.

use super::time::{Duration, Time};
use super::value::{Map, MapKind, PAIRS, Value};
use super::world::{Problem, World};

/// The label that Alertmanager sorts before all others.
const ALERT_NAME: &str = "alertname";

/// Calls a method; `None` where the value has none of that name.
pub(super) fn call(
    world: &mut World<'_>,
    of: &Value,
    name: &str,
    arguments: &[Value],
) -> Option<Result<Value, Problem>> {
    match of {
        Value::Time(time) => of_time(*time, name, arguments),
        Value::Duration(duration) => of_duration(*duration, name, arguments),
        Value::Map(map) if map.kind == MapKind::KeyValue => of_key_values(world, map, name, arguments),
        Value::List(list) if list.type_name == PAIRS => of_pairs(&list.items, name, arguments),
        _ => None,
    }
}

/// The value of a method without arguments, unless it was given some.
fn bare(name: &str, arguments: &[Value], value: impl Into<Value>) -> Option<Result<Value, Problem>> {
    Some(match arguments.len() {
        0 => Ok(value.into()),
        given => Err(wrong_count(name, 0, given)),
    })
}

fn wrong_count(name: &str, wanted: usize, given: usize) -> Problem {
    format!("wrong number of args for {name}: want {wanted} got {given}").into()
}

/// The only argument of a method.
fn only<'a>(name: &str, arguments: &'a [Value]) -> Result<&'a Value, Problem> {
    match arguments {
        [argument] => Ok(argument),
        others => Err(wrong_count(name, 1, others.len())),
    }
}

fn wrong_type(wanted: &str, given: &Value) -> Problem {
    format!("wrong type for value; expected {wanted}; got {}", given.type_name()).into()
}

fn of_time(time: Time, name: &str, arguments: &[Value]) -> Option<Result<Value, Problem>> {
    let (year, _, day) = time.date();
    let (hour, minute, second) = time.clock();
    let value: Value = match name {
        "Year" => year.into(),
        "Month" => time.month_name().into(),
        "Day" => day.into(),
        "Hour" => hour.into(),
        "Minute" => minute.into(),
        "Second" => second.into(),
        "Nanosecond" => i64::from(time.nanosecond()).into(),
        "YearDay" => time.year_day().into(),
        "Weekday" => time.weekday_name().into(),
        "Unix" => time.unix_seconds().into(),
        "UnixMilli" => time.unix_ms().into(),
        "UTC" => time.into(),
        "String" => time.to_string().into(),
        "IsZero" => time.is_zero().into(),
        "Format" | "Add" | "Sub" | "After" | "Before" | "Equal" => {
            return Some(only(name, arguments).and_then(|argument| of_time_and(time, name, argument)));
        }
        _ => return None,
    };
    bare(name, arguments, value)
}

fn of_time_and(time: Time, name: &str, argument: &Value) -> Result<Value, Problem> {
    Ok(match (name, argument) {
        ("Format", Value::String(layout)) => time.format(layout).into(),
        ("Format", other) => return Err(wrong_type("string", other)),
        ("Add", Value::Duration(duration)) => time.plus(*duration).into(),
        // A literal, in nanoseconds.
        ("Add", Value::Int(nanoseconds)) => time.plus(Duration::from_nanoseconds(*nanoseconds)).into(),
        ("Add", other) => return Err(wrong_type("time.Duration", other)),
        ("Sub", Value::Time(earlier)) => time.since(*earlier).into(),
        ("After", Value::Time(other)) => (time > *other).into(),
        ("Before", Value::Time(other)) => (time < *other).into(),
        (_, Value::Time(other)) => (time == *other).into(),
        (_, other) => return Err(wrong_type("time.Time", other)),
    })
}

fn of_duration(duration: Duration, name: &str, arguments: &[Value]) -> Option<Result<Value, Problem>> {
    let nanoseconds = duration.nanoseconds();
    let value: Value = match name {
        "Hours" => (nanoseconds as f64 / 3.6e12).into(),
        "Minutes" => (nanoseconds as f64 / 6e10).into(),
        "Seconds" => (nanoseconds as f64 / 1e9).into(),
        "Milliseconds" => (nanoseconds / 1_000_000).into(),
        "Microseconds" => (nanoseconds / 1000).into(),
        "Nanoseconds" => nanoseconds.into(),
        "Abs" => Duration::from_nanoseconds(nanoseconds.saturating_abs()).into(),
        "String" => duration.to_string().into(),
        _ => return None,
    };
    bare(name, arguments, value)
}

fn of_key_values(
    world: &mut World<'_>,
    map: &Map,
    name: &str,
    arguments: &[Value],
) -> Option<Result<Value, Problem>> {
    if let Err(problem) = world.steps(map.entries.len()) {
        return Some(Err(problem));
    }
    let sorted = || {
        let (first, others): (Vec<_>, Vec<_>) = map.entries.iter().partition(|(key, _)| *key == ALERT_NAME);
        first.into_iter().chain(others)
    };
    match name {
        "SortedPairs" => {
            let pair = |(key, value): (&String, &Value)| {
                Value::record("template.Pair", vec![("Name", key.as_str().into()), ("Value", value.clone())])
            };
            bare(name, arguments, Value::typed_list(PAIRS, sorted().map(pair).collect(), Vec::new()))
        }
        "Names" => bare(name, arguments, Value::texts(sorted().map(|(key, _)| key.as_str()))),
        "Values" => bare(name, arguments, Value::texts(sorted().map(|(_, value)| value.clone()))),
        "Remove" => Some(only(name, arguments).and_then(|argument| without(world, map, argument))),
        _ => None,
    }
}

/// The map without the keys of a list.
fn without(world: &mut World<'_>, map: &Map, keys: &Value) -> Result<Value, Problem> {
    let Value::List(keys) = keys else { return Err(wrong_type("[]string", keys)) };
    let mut entries = map.entries.clone();
    world.steps(entries.len() + keys.items.len())?;
    for key in &keys.items {
        entries.remove(key.as_str().ok_or_else(|| wrong_type("[]string", key))?);
    }
    Ok(Value::typed_map(MapKind::KeyValue, entries))
}

fn of_pairs(pairs: &[Value], name: &str, arguments: &[Value]) -> Option<Result<Value, Problem>> {
    let column = match name {
        "Names" => "Name",
        "Values" => "Value",
        _ => return None,
    };
    let cells = pairs.iter().filter_map(|pair| match pair {
        Value::Record(record) => record.field(column).cloned(),
        _ => None,
    });
    bare(name, arguments, Value::texts(cells))
}
