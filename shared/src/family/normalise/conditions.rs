//! Findings: bounds on facts, with the status and the reason in words.

use super::Gathered;
use super::facts::Found;
use crate::family::memory::Memory;
use crate::family::model::ConditionSpec;
use crate::format;
use crate::health::UnixMillis;

pub(super) fn apply(
    condition: &ConditionSpec,
    found: &[Found<'_>],
    at: UnixMillis,
    memory: &mut Memory,
    gathered: &mut Gathered,
) {
    for fact in found.iter().filter(|found| found.spec.name == condition.fact) {
        let key = format!("{} {}", condition.name, fact.name);
        let mut holds = holds_now(condition, fact);
        if let (Some(seconds), Some(value)) = (condition.rising_for, fact.number) {
            holds = memory.rising_for(&key, value, seconds, at);
        }
        if let Some(seconds) = condition.held_for {
            holds = memory.held_for(&key, holds, seconds, at);
        }
        if !holds {
            continue;
        }
        let unit = &fact.spec.unit;
        let bound = condition.below.or(condition.above).map(|bound| format::number(bound, unit));
        let text = condition
            .reason
            .replace("{value}", &format::value(&fact.text, unit))
            .replace("{bound}", &bound.unwrap_or_default())
            .replace("{name}", fact.member.as_deref().unwrap_or_default());
        gathered.reason(&fact.endpoint, &condition.name, condition.status, text);
        if condition.drain {
            gathered.draining.push(fact.endpoint.clone());
        }
    }
}

fn holds_now(condition: &ConditionSpec, fact: &Found<'_>) -> bool {
    let number = |test: &dyn Fn(f64) -> bool| fact.number.is_some_and(test);
    condition.below.is_some_and(|bound| number(&|value| value < bound))
        || condition.above.is_some_and(|bound| number(&|value| value > bound))
        || condition.is.has(&fact.text)
}
