//! One duty of a family against what a node says about itself.

use super::reason;
use crate::family::model::{Due, DutySpec, FamilySpec, Forbids};
use crate::format;
use crate::health::{Fact, UnixMillis};
use crate::wire::{RestartAnswer, RestartReason};

/// What a fact comes to.
enum Value<'a> {
    Absent,
    Old(&'a Fact),
    Now(&'a Fact),
}

fn value<'a>(name: &str, facts: &'a [Fact], oldest: UnixMillis) -> Value<'a> {
    match facts.iter().find(|fact| fact.name == name) {
        None => Value::Absent,
        Some(fact) if fact.stale || fact.at < oldest => Value::Old(fact),
        Some(fact) => Value::Now(fact),
    }
}

fn number(text: &str) -> Option<f64> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        text => text.parse::<f64>().ok().filter(|number| number.is_finite()),
    }
}

/// What a node owes by a duty, if anything; or that it cannot be told. Facts from before `oldest` are old.
pub(super) fn owed(
    duty: &DutySpec,
    family: &FamilySpec,
    facts: &[Fact],
    at: UnixMillis,
    oldest: UnixMillis,
) -> Option<RestartReason> {
    let title = || family.fact.iter().find(|fact| fact.name == duty.fact).map_or("", |fact| &fact.title);
    let blind = |text: String| {
        let known = duty.forbids == Forbids::Restart;
        known.then(|| reason(&duty.name, RestartAnswer::Unknown, text))
    };
    let fact = match value(&duty.fact, facts, oldest) {
        Value::Now(fact) => fact,
        Value::Absent if duty.optional => return None,
        Value::Absent => return blind(format!("It does not tell “{}”", title())),
        Value::Old(fact) => {
            return blind(format!("“{}” is {} old", fact.title, format::age(at, fact.at)));
        }
    };
    let guard = duty.only_while.as_deref().map(|name| value(name, facts, oldest));
    if let Some(Value::Now(guard)) = &guard
        && number(&guard.value).is_some_and(|number| number <= 0.0)
    {
        return None;
    }
    let text = duty.reason.replace("{value}", &format::value(&fact.value, &fact.unit));
    let says = |answer: RestartAnswer, until: Option<UnixMillis>| {
        let answer = if duty.forbids == Forbids::Nothing { RestartAnswer::Yes } else { answer };
        let until = until.filter(|_| answer == RestartAnswer::Wait);
        Some(RestartReason { until, action: duty.action.clone(), ..reason(&duty.name, answer, text.clone()) })
    };
    if !duty.is.is_empty() {
        return if duty.is.has(&fact.value) { says(RestartAnswer::No, None) } else { None };
    }
    let Some(number) = number(&fact.value) else {
        return blind(format!("“{}” is `{}`, which is no number", fact.title, fact.value));
    };
    if let Some(due) = duty.due {
        let due = moment(due, number, fact.at)?;
        let end = due.saturating_add(i64::from(duty.lasts) * 1000);
        if at < end {
            let near = due.saturating_sub(at) <= i64::from(duty.within) * 1000;
            return if near { says(RestartAnswer::Wait, Some(end)) } else { None };
        }
        let is_overdue = duty.overdue && matches!(guard, Some(Value::Now(_)));
        return if is_overdue { overdue(says(RestartAnswer::No, None)) } else { None };
    }
    let owes =
        duty.above.is_some_and(|bound| number > bound) || duty.below.is_some_and(|bound| number < bound);
    if owes { says(RestartAnswer::No, None) } else { None }
}

fn overdue(reason: Option<RestartReason>) -> Option<RestartReason> {
    let reason = reason?;
    Some(RestartReason { text: format!("{}; its time is over, and it is still owed", reason.text), ..reason })
}

/// When something is due; `None` when it never is.
fn moment(due: Due, value: f64, read_at: UnixMillis) -> Option<UnixMillis> {
    if value < 0.0 {
        return None;
    }
    match due {
        Due::At => {
            let mut seconds = value;
            // Milliseconds and finer are told by their size.
            while seconds >= 1e11 {
                seconds /= 1000.0;
            }
            (seconds > 0.0).then_some((seconds * 1000.0) as i64)
        }
        Due::In => Some(read_at.saturating_add((value * 1000.0) as i64)),
        Due::Since => Some(read_at.saturating_sub((value * 1000.0) as i64)),
    }
}
