//! Fields no mapping names: kept as facts by their pointer, within bounds.

use serde_json::Value;

use super::Gathered;
use super::facts::scalar;
use super::read::Read;
use crate::family::model::FamilySpec;
use crate::family::pointer;
use crate::health::{Fact, FailureKind};

/// More unknown fields than this are not kept.
const FIELDS_KEPT: usize = 64;
/// A pointer longer than this is not kept.
const LONGEST_POINTER: usize = 200;

pub(super) fn collect(spec: &FamilySpec, reads: &[Read<'_>], gathered: &mut Gathered) -> Vec<Fact> {
    let mut facts = Vec::new();
    for read in reads {
        let Some(document) = read.json() else { continue };
        let known = known_pointers(spec, &read.spec.name);
        let mut left_out = 0_usize;
        walk(document, String::new(), &mut |at, value| {
            if known.iter().any(|pattern| pointer::covers(pattern, at)) {
                return;
            }
            let Some(text) = scalar(value) else { return };
            if facts.len() >= FIELDS_KEPT || at.len() > LONGEST_POINTER {
                left_out += 1;
                return;
            }
            facts.push(Fact {
                endpoint: read.spec.name.clone(),
                name: at.to_owned(),
                title: at.trim_start_matches('/').replace(['/', '_'], " "),
                value: text,
                unit: String::new(),
                at: gathered.at,
                stale: false,
            });
        });
        if left_out > 0 {
            let message = format!("{left_out} fields that no mapping names were not kept");
            gathered.warn(&read.spec.name, FailureKind::Other, message);
        }
    }
    facts
}

fn known_pointers<'f>(spec: &'f FamilySpec, endpoint: &str) -> Vec<&'f str> {
    let mut known: Vec<&str> = Vec::new();
    for status in spec.status.iter().filter(|status| status.endpoint == endpoint) {
        known.extend(status.pointer.iter().chain(status.detail.iter()).map(String::as_str));
    }
    for fact in &spec.fact {
        if fact.endpoint.is_empty() || fact.endpoint.iter().any(|name| name == endpoint) {
            known.extend(fact.pointer.iter().map(String::as_str));
        }
    }
    known.extend(
        spec.checks.iter().filter(|list| list.endpoint == endpoint).map(|list| list.pointer.as_str()),
    );
    known
}

fn walk(value: &Value, at: String, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                walk(member, format!("{at}/{}", pointer::escape(name)), visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, format!("{at}/{index}"), visit);
            }
        }
        scalar => visit(&at, scalar),
    }
}
