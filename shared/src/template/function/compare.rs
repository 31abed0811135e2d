//! Comparisons. As in Go, a float and an int cannot be compared: `gt $value 1` is an error.

use std::cmp::Ordering;

use super::super::fmt;
use super::super::value::Value;
use super::super::world::{Problem, World};

pub(super) fn not(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(Value::Bool(!arguments[0].is_true()))
}

/// Whether the first is equal to any of the others.
pub(super) fn eq(world: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let [first, others @ ..] = arguments else { return Ok(Value::Nil) };
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        world.bytes(first.as_str().map_or(0, str::len))?;
        if equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(super) fn ne(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(Value::Bool(!equal(&arguments[0], &arguments[1])?))
}

fn comparable(value: &Value) -> Result<(), Problem> {
    let cannot = match value {
        Value::List(_) | Value::Map(_) => true,
        Value::Record(record) => !record.is_pointer(),
        _ => false,
    };
    if !cannot {
        return Ok(());
    }
    let shown = fmt::printed(value, 200).unwrap_or_else(|| "a long one".to_owned());
    Err(format!("non-comparable type {shown}: {}", value.type_name()).into())
}

fn equal(a: &Value, b: &Value) -> Result<bool, Problem> {
    match (a, b) {
        (Value::Nil, b) => Ok(*b == Value::Nil),
        (_, Value::Nil) => Ok(false),
        (Value::Record(_), Value::Record(_))
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Int(_), Value::Int(_))
        | (Value::Float(_), Value::Float(_))
        | (Value::String(_), Value::String(_))
        | (Value::Time(_), Value::Time(_))
        | (Value::Duration(_), Value::Duration(_)) => Ok(a == b),
        _ if is_basic(a) || is_basic(b) => Err(incompatible(a, b)),
        _ => {
            comparable(a)?;
            comparable(b)?;
            Err(incompatible(a, b))
        }
    }
}

/// Go's words, and for the mistake that everybody makes once, what to write instead.
fn incompatible(a: &Value, b: &Value) -> Problem {
    let hint = match (a, b) {
        (Value::Float(_), Value::Int(_)) | (Value::Int(_), Value::Float(_)) => {
            ": a float and an int; a number with a point, such as 1.0, is a float"
        }
        _ => "",
    };
    format!("incompatible types for comparison{hint}").into()
}

fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, Problem> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(Some(a.cmp(b))),
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (Value::String(a), Value::String(b)) => Ok(Some(a.cmp(b))),
        (Value::Duration(a), Value::Duration(b)) => Ok(Some(a.cmp(b))),
        (Value::Bool(_), Value::Bool(_)) => Err("invalid type for comparison".into()),
        _ if is_basic(a) && is_basic(b) => Err(incompatible(a, b)),
        _ => Err("invalid type for comparison".into()),
    }
}

/// Whether it is a scalar, of which Go knows how to compare two of one kind.
fn is_basic(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) | Value::Duration(_))
}

fn compare(arguments: &[Value], holds: fn(Ordering) -> bool) -> Result<Value, Problem> {
    Ok(Value::Bool(order(&arguments[0], &arguments[1])?.is_some_and(holds)))
}

pub(super) fn lt(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    compare(arguments, Ordering::is_lt)
}

pub(super) fn le(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    compare(arguments, Ordering::is_le)
}

/// Go has `gt` as the opposite of `le`, which NaN shows.
pub(super) fn gt(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(Value::Bool(!order(&arguments[0], &arguments[1])?.is_some_and(Ordering::is_le)))
}

pub(super) fn ge(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(Value::Bool(!order(&arguments[0], &arguments[1])?.is_some_and(Ordering::is_lt)))
}
