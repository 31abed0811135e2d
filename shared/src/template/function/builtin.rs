//! Go's own functions, but for comparisons.

use super::super::fmt;
use super::super::value::Value;
use super::super::world::{Problem, World};
use super::{link, text_at};

pub(super) fn len(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let count = match &arguments[0] {
        Value::String(text) => text.len(),
        Value::List(list) => list.items.len(),
        Value::Map(map) => map.entries.len(),
        Value::Nil => return Err("len of untyped nil".into()),
        other => return Err(format!("len of type {}", other.type_name()).into()),
    };
    Ok(count_of(count))
}

fn count_of(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// `index x 1 2`: the item at a place, of which the item at a place.
pub(super) fn index(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let mut item = arguments[0].clone();
    if item == Value::Nil {
        return Err("index of untyped nil".into());
    }
    for key in &arguments[1..] {
        item = match &item {
            Value::List(list) => list.items[place(key, list.items.len(), false)?].clone(),
            Value::String(text) => Value::Int(text.as_bytes()[place(key, text.len(), false)?].into()),
            Value::Map(map) => match key {
                Value::String(key) => map.at(key),
                Value::Nil => return Err("value is nil; should be of type string".into()),
                other => {
                    return Err(format!("value has type {}; should be string", other.type_name()).into());
                }
            },
            Value::Nil => return Err("index of nil pointer".into()),
            other => return Err(format!("can't index item of type {}", other.type_name()).into()),
        };
    }
    Ok(item)
}

/// A place in something of a length; one past the end only where that is allowed.
fn place(key: &Value, length: usize, end: bool) -> Result<usize, Problem> {
    let Value::Int(at) = key else {
        return Err(match key {
            Value::Nil => "cannot index slice/array with nil".into(),
            other => format!("cannot index slice/array with type {}", other.type_name()).into(),
        });
    };
    let most = if end { length } else { length.saturating_sub(1) };
    usize::try_from(*at)
        .ok()
        .filter(|at| *at <= most && (end || length > 0))
        .ok_or_else(|| format!("index out of range: {at}").into())
}

/// `slice x 1 2`: from a place up to a place.
pub(super) fn slice(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let item = &arguments[0];
    let places = &arguments[1..];
    let length = match item {
        Value::String(_) if places.len() == 3 => return Err("cannot 3-index slice a string".into()),
        _ if places.len() > 3 => return Err(format!("too many slice indexes: {}", places.len()).into()),
        Value::String(text) => text.len(),
        Value::List(list) => list.items.len(),
        Value::Nil => return Err("slice of untyped nil".into()),
        other => return Err(format!("can't slice item of type {}", other.type_name()).into()),
    };
    let mut bounds = [0, length, length];
    for (bound, key) in bounds.iter_mut().zip(places) {
        *bound = place(key, length, true)?;
    }
    let [from, to, capacity] = bounds;
    for (low, high) in [(from, to), (to, capacity)] {
        if low > high {
            return Err(format!("invalid slice index: {low} > {high}").into());
        }
    }
    Ok(match item {
        Value::String(text) => String::from_utf8_lossy(&text.as_bytes()[from..to]).as_ref().into(),
        Value::List(list) => Value::typed_list(list.type_name, list.items[from..to].to_vec(), Vec::new()),
        _ => Value::Nil,
    })
}

/// What was written, unless it was too long.
fn written(world: &World<'_>, text: Option<String>) -> Result<Value, Problem> {
    text.map(Value::from).ok_or_else(|| world.too_long())
}

pub(super) fn print(world: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    written(world, fmt::print(arguments, world.limits.output_bytes))
}

pub(super) fn println(world: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    written(world, fmt::println(arguments, world.limits.output_bytes))
}

pub(super) fn printf(world: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let text = fmt::printf(text_at(arguments, 0), &arguments[1..], world.limits.output_bytes);
    written(world, text)
}

/// The arguments as one text, as `print` has them; nil reads `<no value>`.
fn joined(world: &World<'_>, arguments: &[Value]) -> Result<String, Problem> {
    if let [Value::String(text)] = arguments {
        return Ok(text.to_string());
    }
    fmt::print_shown(arguments, world.limits.output_bytes).ok_or_else(|| world.too_long())
}

pub(super) fn html(world: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let mut escaped = String::new();
    for c in joined(world, arguments)?.chars() {
        match c {
            '\0' => escaped.push('\u{fffd}'),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c => escaped.push(c),
        }
    }
    Ok(escaped.into())
}

pub(super) fn js(world: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let mut escaped = String::new();
    for c in joined(world, arguments)?.chars() {
        match c {
            '\\' | '\'' | '"' => escaped.extend(['\\', c]),
            '<' | '>' | '&' | '=' => escaped.push_str(&format!("\\u{:04X}", u32::from(c))),
            c if c == ' ' || fmt::is_printable(c) => escaped.push(c),
            c => escaped.push_str(&format!("\\u{:04X}", u32::from(c))),
        }
    }
    Ok(escaped.into())
}

pub(super) fn urlquery(world: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(link::escaped(&joined(world, arguments)?).into())
}

/// No value of a template is a function, so there is nothing to call.
pub(super) fn call(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Err(match &arguments[0] {
        Value::Nil => "call of nil".into(),
        other => format!("non-function of type {}", other.type_name()).into(),
    })
}
