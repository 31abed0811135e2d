//! How one answer maps onto the normalised status.

use super::Gathered;
use super::facts::scalar;
use super::read::{Read, kind_of, shortened};
use crate::family::model::{Missing, StatusSpec};
use crate::family::pointer;
use crate::health::{FailureKind, Status};

pub(super) fn apply(mapping: &StatusSpec, reads: &[Read<'_>], gathered: &mut Gathered) {
    let named = |name: &str| reads.iter().find(|read| read.spec.name == name);
    let Some(read) = named(&mapping.endpoint) else { return };
    if let Some(other) = &mapping.without {
        let other = named(other);
        if read.content.is_some() && other.is_none_or(|other| other.content.is_none()) {
            stand_in(mapping, read, other, gathered);
        }
        return;
    }
    match read.http_status.filter(|_| !mapping.http.is_empty()) {
        Some(code) => by_http(mapping, read, code, gathered),
        None if read.content.is_some() && mapping.http.is_empty() => by_word(mapping, read, gathered),
        None => {}
    }
}

/// The endpoint that should say it is silent; another one stands in, and says so.
fn stand_in(mapping: &StatusSpec, read: &Read<'_>, other: Option<&Read<'_>>, gathered: &mut Gathered) {
    let assumed = mapping.assume.unwrap_or(Status::Unknown);
    gathered.declare(assumed);
    let silent = other.map_or("", |other| other.title());
    let why = match other {
        Some(other) if other.absent => format!("{silent} does not exist on this node"),
        _ => format!("{silent} gave no usable answer"),
    };
    let text = format!("Health is derived from {}: {why}", read.title());
    gathered.reason(&read.spec.name, "derived", assumed, text);
}

fn by_http(mapping: &StatusSpec, read: &Read<'_>, code: u16, gathered: &mut Gathered) {
    let word = code.to_string();
    let Some(&status) = mapping.http.get(&word) else {
        // Absent, rate-limited and unexpected statuses are judged as failures.
        if read.content.is_some() {
            gathered.declare(mapping.default);
            let text = format!("{} answers HTTP {code}, which no mapping knows", read.title());
            gathered.reason(&read.spec.name, "status-unknown", mapping.default, text);
        }
        return;
    };
    conclude(mapping, read, &word, status, gathered);
}

fn by_word(mapping: &StatusSpec, read: &Read<'_>, gathered: &mut Gathered) {
    // Text that is no JSON says nothing but its HTTP status, which was accepted.
    let Some(document) = read.json() else {
        return gathered.declare(Status::Healthy);
    };
    let place = mapping.pointer.iter().find_map(|p| pointer::resolve(document, p).into_iter().next());
    let Some(place) = place else {
        if mapping.missing == Missing::Unknown {
            let pointers = mapping.pointer.join(" or ");
            let text = format!("The answer of {} has no status ({pointers})", read.title());
            gathered.declare(Status::Unknown);
            gathered.reason(&read.spec.name, "status-missing", Status::Unknown, text);
        }
        return;
    };
    let Some(word) = scalar(place.value) else {
        let found = kind_of(place.value);
        let message = format!("{}: expected a status word, found {found}", place.at);
        gathered.warn(&read.spec.name, FailureKind::MalformedJson, message);
        let text = format!("The status of {} is {found}, not a word", read.title());
        gathered.declare(Status::Unknown);
        return gathered.reason(&read.spec.name, "status-unreadable", Status::Unknown, text);
    };
    let known = mapping.map.iter().find(|(own, _)| own.eq_ignore_ascii_case(&word));
    match known {
        Some((_, &status)) => conclude(mapping, read, &word, status, gathered),
        None => {
            gathered.declare(mapping.default);
            let text =
                format!("{} says `{}`, a status word that is not known", read.title(), shortened(&word));
            gathered.reason(&read.spec.name, "status-unknown", mapping.default, text);
        }
    }
}

fn conclude(mapping: &StatusSpec, read: &Read<'_>, word: &str, status: Status, gathered: &mut Gathered) {
    gathered.declare(status);
    let name = &read.spec.name;
    if mapping.drain.has(word) {
        gathered.draining.push(name.clone());
    }
    if status == Status::Healthy {
        return;
    }
    let template = mapping.reason.iter().find(|(own, _)| own.eq_ignore_ascii_case(word));
    let mut text = match template {
        Some((_, template)) => template.replace("{value}", word).replace("{endpoint}", read.title()),
        None => format!("{} says `{word}`", read.title()),
    };
    let detail = read.json().and_then(|document| {
        let mut places = mapping.detail.iter().flat_map(|p| pointer::resolve(document, p));
        places.find_map(|place| scalar(place.value)).filter(|text| !text.is_empty())
    });
    if let Some(detail) = detail {
        text = format!("{text}: {detail}");
    }
    gathered.reason(name, &format!("status-{}", word.to_ascii_lowercase().replace('_', "-")), status, text);
}
