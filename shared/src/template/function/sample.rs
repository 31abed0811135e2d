//! Queries and their samples.

use super::super::value::{MapKind, SAMPLES, Value};
use super::super::world::{Problem, World};
use super::text_at;

/// Values nested deeper than this are not built.
const MAX_VALUE_DEPTH: usize = 60;

pub(super) fn query(world: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let samples = world.query(text_at(arguments, 0))?;
    let samples = samples.iter().map(|sample| Value::sample(&sample.labels, sample.value)).collect();
    Ok(Value::typed_list(SAMPLES, samples, Vec::new()))
}

pub(super) fn first(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    match &arguments[0] {
        Value::List(list) if !list.items.is_empty() => Ok(list.items[0].clone()),
        _ => Err("first() called on vector with no elements".into()),
    }
}

/// The label of a sample; empty where it has none of that name.
fn label_of(sample: &Value, name: &str) -> Value {
    match sample {
        Value::Record(record) => match record.field("Labels") {
            Some(Value::Map(labels)) => labels.at(name),
            _ => "".into(),
        },
        _ => "".into(),
    }
}

pub(super) fn label(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(label_of(&arguments[1], text_at(arguments, 0)))
}

pub(super) fn value(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    match &arguments[0] {
        Value::Record(record) => Ok(record.field("Value").cloned().unwrap_or_default()),
        _ => Ok(Value::Nil),
    }
}

/// The text that some samples have in place of a value, as the label `__value__`.
pub(super) fn strvalue(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(label_of(&arguments[0], "__value__"))
}

pub(super) fn sort_by_label(world: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let Value::List(list) = &arguments[1] else { return Ok(Value::Nil) };
    world.steps(list.items.len())?;
    let name = text_at(arguments, 0);
    let mut items = list.items.clone();
    items.sort_by_cached_key(|sample| label_of(sample, name).as_str().unwrap_or("").to_owned());
    Ok(Value::typed_list(list.type_name, items, Vec::new()))
}

/// A map with the keys `arg0`, `arg1` and so on: several arguments for a template, which takes one.
pub(super) fn args(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    if arguments.iter().any(|argument| argument.depth() >= MAX_VALUE_DEPTH) {
        return Err(Problem::Limit(format!("a value nests more than {MAX_VALUE_DEPTH} deep")));
    }
    let entries = arguments.iter().enumerate();
    let entries = entries.map(|(at, argument)| (format!("arg{at}"), argument.clone())).collect();
    Ok(Value::typed_map(MapKind::Any, entries))
}
