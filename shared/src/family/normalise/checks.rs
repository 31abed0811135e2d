//! Lists of named checks or components inside a JSON answer.

use serde_json::Value;

use super::facts::scalar;
use super::read::{Read, kind_of, shortened};
use super::{Gathered, series};
use crate::family::answer::{DerivedSeries, Round};
use crate::family::memory::Memory;
use crate::family::model::ChecksSpec;
use crate::family::{pointer, time};
use crate::health::{Check, FailureKind, Status};

/// A node that sends more checks than this is read no further.
const CHECKS_KEPT: usize = 64;

pub(super) fn apply(
    list: &ChecksSpec,
    reads: &[Read<'_>],
    round: &Round<'_>,
    memory: &mut Memory,
    gathered: &mut Gathered,
    derived: &mut Vec<DerivedSeries>,
) {
    let Some(read) = reads.iter().find(|read| read.spec.name == list.endpoint) else { return };
    let Some(document) = read.json() else { return };
    let in_array = pointer::resolve(document, list.pointer.trim_end_matches("/*"))
        .first()
        .is_some_and(|place| place.value.is_array());
    for place in pointer::resolve(document, &list.pointer).into_iter().take(CHECKS_KEPT) {
        let word = pointer::resolve(place.value, &list.word).first().and_then(|p| scalar(p.value));
        let name = match (&word, place.member) {
            (Some(word), _) if in_array => word.clone(),
            (_, Some(member)) => shortened(&member),
            (_, None) => continue,
        };
        let Some(word) = word else {
            let at = format!("{}{}", place.at, list.word);
            let found = if list.word.is_empty() { kind_of(place.value) } else { "none".to_owned() };
            let message = format!("{at}: expected a word for the check `{name}`, found {found}");
            gathered.warn(&read.spec.name, FailureKind::MalformedJson, message);
            continue;
        };
        one(list, read, &name, &word, place.value, round, memory, gathered, derived, reads);
    }
}

#[expect(clippy::too_many_arguments, reason = "one check of the loop above, split off for its length")]
fn one(
    list: &ChecksSpec,
    read: &Read<'_>,
    name: &str,
    word: &str,
    check: &Value,
    round: &Round<'_>,
    memory: &mut Memory,
    gathered: &mut Gathered,
    derived: &mut Vec<DerivedSeries>,
    reads: &[Read<'_>],
) {
    let own = list.map.iter().find(|(own, _)| own.eq_ignore_ascii_case(word));
    let status = own.map_or(list.default, |(_, status)| *status);
    let text_at = |pointers: &[String]| {
        let mut places = pointers.iter().flat_map(|p| pointer::resolve(check, p));
        places.find_map(|place| scalar(place.value)).filter(|text| !text.is_empty())
    };
    let stamp = text_at(&list.time);
    let stale = stamp.as_ref().is_some_and(|stamp| {
        let still = memory.check_still_for(&format!("{}/{name}", list.endpoint), stamp, round.at);
        let limit = u64::from(list.stale_rounds).saturating_mul(round.interval_ms);
        u64::try_from(still).is_ok_and(|still| still >= limit && still > 0)
    });
    let error = text_at(&list.error);
    let title = list.titles.get(name).map_or(name, String::as_str);
    if status != Status::Healthy {
        let limit = list.at_most.get(name).or_else(|| list.at_most.get("*")).copied();
        let weight = limit.map_or(status, |limit| status.min(limit));
        let mut text = list.reason.replace("{name}", title).replace("{value}", word);
        if let Some(error) = &error {
            text = format!("{text}: {error}");
        }
        gathered.reason(&read.spec.name, "check-failed", weight, text);
    }
    if stale {
        let text = format!("Check {title} says {word}, but its time has stopped moving");
        gathered.reason(&read.spec.name, "check-stale", list.stale_status, text);
    }
    let up = if status == Status::Healthy && !stale { 1.0 } else { 0.0 };
    let named = list.series.get(name).map(|series| (series, Vec::new()));
    let other = || {
        let series = list.other_series.as_ref()?;
        Some((series, vec![("check".to_owned(), name.to_owned())]))
    };
    if let Some((spec, labels)) = named.or_else(other)
        && !series::exposed(reads, &spec.name)
    {
        derived.push(DerivedSeries {
            name: spec.name.clone(),
            labels,
            value: up,
            kind: "gauge",
            help: spec.help.clone(),
            unit: "bool".to_owned(),
        });
    }
    gathered.checks.push(Check {
        endpoint: read.spec.name.clone(),
        name: name.to_owned(),
        status,
        text: error.unwrap_or_else(|| word.to_owned()),
        at: stamp.and_then(|stamp| time::parse_rfc3339(&stamp)).unwrap_or(round.at),
        stale,
    });
}
