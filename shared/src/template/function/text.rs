//! Texts: case, white space, lists of them.

use super::super::value::Value;
use super::super::world::{Problem, World};
use super::text_at;

/// The one character that upper case gives. Go never makes two of one, as German's ß would be.
fn single(mut changed: impl Iterator<Item = char>, original: char) -> char {
    match (changed.next(), changed.next()) {
        (Some(c), None) => c,
        _ => original,
    }
}

pub(super) fn to_upper(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(text_at(arguments, 0).chars().map(|c| single(c.to_uppercase(), c)).collect::<String>().into())
}

pub(super) fn to_lower(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    // The only one with two is the Turkish İ, of which Go takes the i without its dot.
    Ok(text_at(arguments, 0).chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect::<String>().into())
}

/// The first letter of each word in upper case; the others stay.
pub(super) fn title(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let separates = |c: char| match c {
        '_' => false,
        c if c.is_ascii() => !c.is_ascii_alphanumeric(),
        c => c.is_whitespace(),
    };
    let mut before = ' ';
    let titled = text_at(arguments, 0).chars().map(|c| {
        let first = separates(before);
        before = c;
        if first { single(c.to_uppercase(), c) } else { c }
    });
    Ok(titled.collect::<String>().into())
}

/// `safeHtml` and `safeUrl`: a mark for templates that escape, which these do not.
pub(super) fn same(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(arguments[0].clone())
}

pub(super) fn trim_space(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(text_at(arguments, 0).trim().into())
}

pub(super) fn join(world: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let (separator, Value::List(list)) = (text_at(arguments, 0), &arguments[1]) else {
        return Ok(Value::Nil);
    };
    let mut joined = String::new();
    for (at, item) in list.items.iter().enumerate() {
        if at > 0 {
            joined.push_str(separator);
        }
        joined.push_str(item.as_str().unwrap_or(""));
        world.length(joined.len())?;
    }
    Ok(joined.into())
}

pub(super) fn string_slice(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(Value::texts(arguments.iter().cloned()))
}
