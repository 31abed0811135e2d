//! What a node says about itself, found by a family's facts: by pointer in JSON, else by metric.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Gathered;
use super::read::{Content, Read, kind_of, shortened};
use crate::family::answer::{MetricLookup, Sample};
use crate::family::model::{FactSpec, FamilySpec, Take, ValueKind};
use crate::family::pointer;
use crate::health::FailureKind;

/// A fact with its value.
pub(super) struct Found<'f> {
    pub(super) spec: &'f FactSpec,
    pub(super) endpoint: String,
    pub(super) name: String,
    pub(super) title: String,
    /// What a `*` in the pointer stood for.
    pub(super) member: Option<String>,
    /// Digit for digit.
    pub(super) text: String,
    /// As a number, if it is one; `true` and `false` are 1 and 0.
    pub(super) number: Option<f64>,
}

impl Found<'_> {
    /// As a whole number of at least 0.
    pub(super) fn count(&self) -> Option<u64> {
        self.text.parse().ok().or_else(|| {
            let number = self.number.filter(|n| n.is_finite() && *n >= 0.0)?;
            Some(number as u64)
        })
    }
}

/// A node that sends thousands of members fills neither the screen nor the memory.
const MEMBERS_KEPT: usize = 64;

pub(super) fn find_all<'f>(
    spec: &'f FamilySpec,
    reads: &[Read<'_>],
    gathered: &mut Gathered,
) -> Vec<Found<'f>> {
    let mut found = Vec::new();
    // What earlier facts took, by endpoint and place: a `*` is for the rest.
    let mut taken = BTreeSet::new();
    for fact in &spec.fact {
        let before = found.len();
        from_json(fact, reads, gathered, &mut taken, &mut found);
        if found.len() == before {
            from_metrics(fact, reads, &mut found);
        }
        if found.len() == before
            && let Some(default) = &fact.default
            && let Some(read) = readable(fact, reads).next()
        {
            found.push(found_value(fact, &read.spec.name, None, default.clone()));
        }
    }
    found
}

fn readable<'r, 'a>(fact: &FactSpec, reads: &'r [Read<'a>]) -> impl Iterator<Item = &'r Read<'a>> {
    reads.iter().filter(|read| {
        read.content.is_some() && (fact.endpoint.is_empty() || fact.endpoint.contains(&read.spec.name))
    })
}

fn from_json<'f>(
    fact: &'f FactSpec,
    reads: &[Read<'_>],
    gathered: &mut Gathered,
    taken: &mut BTreeSet<(String, String)>,
    found: &mut Vec<Found<'f>>,
) {
    for read in readable(fact, reads) {
        let Some(document) = read.json() else { continue };
        for pointer in fact.pointer.iter() {
            let before = found.len();
            for place in pointer::resolve(document, pointer).into_iter().take(MEMBERS_KEPT) {
                let new = taken.insert((read.spec.name.clone(), place.at.clone()));
                if !new && place.member.is_some() {
                    continue;
                }
                match checked(fact.value, place.value) {
                    Ok(text) => found.push(found_value(fact, &read.spec.name, place.member, text)),
                    Err(expected) => {
                        let message =
                            format!("{}: expected {expected}, found {}", place.at, kind_of(place.value));
                        gathered.warn(&read.spec.name, FailureKind::MalformedJson, message);
                    }
                }
            }
            if found.len() > before {
                return;
            }
        }
    }
}

fn found_value<'f>(fact: &'f FactSpec, endpoint: &str, member: Option<String>, text: String) -> Found<'f> {
    let named = |template: &str| template.replace("{name}", member.as_deref().unwrap_or_default());
    let number = match text.as_str() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        text => text.parse::<f64>().ok().filter(|_| is_number(text)),
    };
    Found {
        spec: fact,
        endpoint: endpoint.to_owned(),
        name: named(&fact.name),
        title: named(&fact.title),
        member,
        text,
        number,
    }
}

/// The value as text if it is what it should be, or what it should have been.
fn checked(kind: ValueKind, value: &Value) -> Result<String, &'static str> {
    let text = scalar(value);
    match kind {
        ValueKind::Any => text.ok_or("a value"),
        ValueKind::Number => text.filter(|text| is_number(text)).ok_or("a number"),
        ValueKind::Count => text
            .filter(|text| is_number(text) && !text.starts_with('-') && is_whole(text))
            .ok_or("a whole number of at least 0"),
        ValueKind::Bool => {
            text.filter(|text| matches!(text.as_str(), "true" | "false" | "1" | "0")).ok_or("true or false")
        }
        ValueKind::Text => match value {
            Value::String(_) => text.ok_or("text"),
            _ => Err("text"),
        },
    }
}

/// A scalar's text, digit for digit; an object or a list has none.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(shortened(&number.to_string())),
        Value::String(text) => Some(shortened(text)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether a text is a decimal number (not `inf`, `nan` or a word that Rust would read as a float).
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit()) && text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_whole(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) || text.parse::<f64>().is_ok_and(|n| n.fract() == 0.0)
}

fn from_metrics<'f>(fact: &'f FactSpec, reads: &[Read<'_>], found: &mut Vec<Found<'f>>) {
    for read in readable(fact, reads) {
        let Some(Content::Metrics(metrics)) = read.content else { continue };
        for metric in fact.metric.iter() {
            if let Some(text) = metric_value(fact, metrics, metric) {
                found.push(found_value(fact, &read.spec.name, None, text));
                return;
            }
        }
    }
}

fn metric_value(fact: &FactSpec, metrics: &dyn MetricLookup, metric: &str) -> Option<String> {
    let carries = |sample: &Sample<'_>| {
        fact.labels.iter().all(|(name, value)| sample.label(name) == Some(value.as_str()))
    };
    let mut label = None;
    let mut value: Option<(f64, String)> = None;
    metrics.for_each(metric, &mut |sample| {
        if !carries(&sample) {
            return;
        }
        if let Some(name) = &fact.value_label {
            label =
                label.take().or_else(|| sample.label(name).filter(|text| !text.is_empty()).map(shortened));
        } else if !sample.value.is_nan() {
            let exact = exact_text(sample.value, sample.text);
            value = Some(match value.take() {
                None => (sample.value, exact),
                Some((held, text)) => match fact.take {
                    Take::Sum => (held + sample.value, exact_text(held + sample.value, "")),
                    Take::Max if sample.value > held => (sample.value, exact),
                    Take::Min if sample.value < held => (sample.value, exact),
                    Take::Max | Take::Min => (held, text),
                },
            });
        }
    });
    if fact.value_label.is_some() { label } else { value.map(|(_, text)| text) }
}

/// A sample's digits as written if they are an integer's, else its value.
fn exact_text(value: f64, text: &str) -> String {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        shortened(text)
    } else {
        format!("{value}")
    }
}
