//! Texts and patterns: `match` and `reReplaceAll`.

use regex::Captures;

use super::super::value::Value;
use super::super::world::{Problem, World};
use super::text_at;

/// How many bytes that a search may read again count as one step.
const REREAD_PER_STEP: usize = 4;

/// Whether a pattern is found anywhere in a text.
pub(super) fn matches(world: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let text = text_at(arguments, 1);
    Ok(Value::Bool(world.pattern(text_at(arguments, 0), text.len())?.is_match(text)))
}

/// Every place where a pattern is found, replaced.
pub(super) fn replace_all(world: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let (replacement, text) = (text_at(arguments, 1), text_at(arguments, 2));
    let pattern = world.pattern(text_at(arguments, 0), text.len())?;
    let mut replaced = String::new();
    let mut done = 0;
    for captures in pattern.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        replaced.push_str(&text[done..whole.start()]);
        expand(world, replacement, &captures, &mut replaced)?;
        done = whole.end();
        // Each search may read all that is left.
        world.steps(1 + (text.len() - done) / REREAD_PER_STEP)?;
    }
    replaced.push_str(&text[done..]);
    Ok(replaced.into())
}

/// Writes a replacement: `$1`, `$name` and `${name}` are what was captured, `$$` is a dollar. A name is as
/// long as it can be; what looks like none stays as it is.
fn expand(
    world: &World<'_>,
    replacement: &str,
    captures: &Captures<'_>,
    out: &mut String,
) -> Result<(), Problem> {
    let mut rest = replacement;
    while let Some((literal, after)) = rest.split_once('$') {
        out.push_str(literal);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = name(rest) {
            let group = name.parse().map_or_else(|_| captures.name(name), |number| captures.get(number));
            out.push_str(group.map_or("", |group| group.as_str()));
            rest = after;
        } else {
            out.push('$');
        }
        world.length(out.len())?;
    }
    out.push_str(rest);
    world.length(out.len())
}

/// The name after a dollar, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let (inner, braced) = text.strip_prefix('{').map_or((text, false), |inner| (inner, true));
    let end = inner.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(inner.len());
    let (name, after) = inner.split_at(end);
    let after = if braced { after.strip_prefix('}')? } else { after };
    (!name.is_empty()).then_some((name, after))
}
