//! What the node says about itself: its named checks, and its facts endpoint by endpoint, each with its time.

use std::rc::Rc;

use fleetglass_shared::format;
use fleetglass_shared::health::{Check, Fact, Status};
use leptos::prelude::*;
use web_sys::Event;

use super::load::NodeLoad;
use super::{card, noted_card};
use crate::charts::{Board, clock_label};
use crate::components::age::ago_mark;
use crate::components::status_mark::{state_class, status_shape};
use crate::components::words::ago;
use crate::dom::{El, div, el, p, span, unseen, with_class};
use crate::state::use_fleet;

/// An endpoint, and the name of something it says.
type Place = (String, String);

/// The named checks, failed ones first; one whose time stopped says so even while it says `up`.
pub(super) fn checks(load: NodeLoad) -> El {
    let note = move || {
        let Some(detail) = load.detail() else { return String::new() };
        let failed = detail.checks.iter().filter(|check| check.status != Status::Healthy).count();
        match failed {
            0 => "all pass".to_owned(),
            count => format!("{count} of {} failed", detail.checks.len()),
        }
    };
    let places = move || {
        let detail = load.detail();
        let mut checks: Vec<&Check> = detail.iter().flat_map(|detail| &detail.checks).collect();
        checks.sort_by_key(|check| (std::cmp::Reverse(check.status), !check.stale));
        checks.into_iter().map(|check| (check.endpoint.clone(), check.name.clone())).collect()
    };
    noted_card("checks-title", "Checks", note).child(with_class("ul", "rows").each(
        places,
        key,
        move |place| one_check(load, place),
    ))
}

fn key((endpoint, name): &Place) -> String {
    format!("{endpoint}\n{name}")
}

fn one_check(load: NodeLoad, place: Place) -> El {
    let name = place.1.clone();
    let place = StoredValue::new(place);
    let check = move || {
        let detail = load.detail()?;
        place.with_value(|(endpoint, name)| {
            detail.checks.iter().find(|check| check.endpoint == *endpoint && check.name == *name).cloned()
        })
    };
    let status = move || check().map_or(Status::Unknown, |check| check.status);
    let stale = move || check().is_some_and(|check| check.stale);
    let class = move || {
        let old = if stale() { " fact-old" } else { "" };
        format!("row {}{old}", state_class(status()))
    };
    let value = span("row-value")
        .child(unseen(move || format!("{}: ", status().as_str())))
        .text(move || check().map(|check| check.text).unwrap_or_default())
        .when(stale, || span("stale").text("time stopped"));
    el("li")
        .class(class)
        .child(status_shape(status))
        .child(span("row-name mono").text(name))
        .child(value)
        .child(time(Rc::new(move || check().map_or(0, |check| check.at))))
}

/// All facts, one list an endpoint.
pub(super) fn facts(load: NodeLoad) -> El {
    let missing = move || load.detail().map(|detail| detail.missing.clone()).unwrap_or_default();
    // A heading and a list each.
    let parts = move || {
        let detail = load.detail();
        let endpoints = detail.iter().flat_map(|detail| endpoints(&detail.facts));
        endpoints.flat_map(|endpoint| [(true, endpoint.clone()), (false, endpoint)]).collect()
    };
    let part = move |(heads, endpoint): (bool, String)| {
        if heads { group_head(load, endpoint) } else { group(load, endpoint) }
    };
    card("facts-title", "What it says")
        .when(
            move || load.detail().is_some_and(|detail| detail.facts.is_empty()),
            || p("muted").text("It has not said anything yet."),
        )
        .each(parts, |(heads, endpoint)| format!("{heads} {endpoint}"), part)
        .when(
            move || !missing().is_empty(),
            move || {
                let title = with_class("h3", "missing-title")
                    .child(status_shape(|| Status::Degraded))
                    .text("Mandatory metrics not exposed by this node");
                let one = |name: String| with_class("li", "mono").text(name);
                div("missing").child(title).child(with_class("ul", "missing-list").each(
                    missing,
                    String::clone,
                    one,
                ))
            },
        )
}

/// Since when an endpoint is silent: when all of its facts are old.
fn silent(load: NodeLoad, endpoint: StoredValue<String>) -> Option<i64> {
    let detail = load.detail()?;
    endpoint.with_value(|endpoint| {
        let mut facts = detail.facts.iter().filter(|fact| fact.endpoint == *endpoint);
        facts.clone().all(|fact| fact.stale).then(|| facts.next().map(|fact| fact.at)).flatten()
    })
}

/// The name of an endpoint. When all of its facts are old, that is said once, and not at each.
fn group_head(load: NodeLoad, endpoint: String) -> El {
    let title = el("span").class("mono").text(&endpoint);
    let endpoint = StoredValue::new(endpoint);
    let silent = move || silent(load, endpoint);
    with_class("h3", "facts-endpoint")
        .child(title)
        .when(move || silent().is_some(), move || span("stale").text("old, said ").child(ago_mark(silent)))
}

/// The facts of one endpoint.
fn group(load: NodeLoad, endpoint: String) -> El {
    let endpoint = StoredValue::new(endpoint);
    let class = move || if silent(load, endpoint).is_some() { "facts facts-old" } else { "facts" };
    let places = move || {
        let (detail, endpoint) = (load.detail(), endpoint.get_value());
        let facts = detail.iter().flat_map(|detail| &detail.facts);
        let own = facts.filter(|fact| fact.endpoint == endpoint);
        own.map(|fact| (fact.endpoint.clone(), fact.name.clone())).collect()
    };
    el("dl").class(class).each(places, key, move |place| one_fact(load, place))
}

/// The endpoints in the order in which they come.
fn endpoints(facts: &[Fact]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for fact in facts {
        if !all.contains(&fact.endpoint) {
            all.push(fact.endpoint.clone());
        }
    }
    all
}

/// Each part changes by itself, so that a text being selected stays selected.
fn one_fact(load: NodeLoad, place: Place) -> El {
    let name = place.1.clone();
    let place = StoredValue::new(place);
    let fact = move || {
        let detail = load.detail()?;
        place.with_value(|(endpoint, name)| {
            detail.facts.iter().find(|fact| fact.endpoint == *endpoint && fact.name == *name).cloned()
        })
    };
    let text = move |read: fn(Fact) -> String| move || fact().map(read).unwrap_or_default();
    let stale = move || fact().is_some_and(|fact| fact.stale);
    let value = span("fact-value num")
        .text(text(|fact| format::value(&fact.value, &fact.unit)))
        .when(stale, || span("stale").text("old"));
    el("div")
        .class(move || if stale() { "fact fact-old" } else { "fact" })
        .child(el("dt").attr("title", name).text(text(|fact| fact.title)))
        .child(el("dd").child(value).child(time(Rc::new(move || fact().map_or(0, |fact| fact.at)))))
}

/// The time of a fact where the viewer is; its age when pointed at.
fn time(at: Rc<dyn Fn() -> i64>) -> El {
    let fleet = use_fleet();
    let zone = Board::expect().zone;
    // Read when the pointer comes, not each second: nobody sees it before.
    let age = RwSignal::new(String::new());
    let pointed = at.clone();
    with_class("time", "row-time num")
        .attr("title", age)
        .on("pointerenter", move |_: Event| {
            age.set(untrack(|| ago(pointed(), fleet.now().get())));
        })
        .text(move || {
            let at = fleet.to_local(at());
            clock_label(at, zone(at), true)
        })
}

#[cfg(test)]
mod tests {
    use super::endpoints;
    use fleetglass_shared::health::Fact;

    #[test]
    fn endpoints_stay_in_the_order_of_the_family() {
        let fact = |endpoint: &str, name: &str| Fact {
            endpoint: endpoint.into(),
            name: name.into(),
            title: String::new(),
            value: String::new(),
            unit: String::new(),
            at: 0,
            stale: false,
        };
        let facts = [fact("health", "b"), fact("ready", "x"), fact("health", "a")];
        assert_eq!(endpoints(&facts), ["health", "ready"]);
    }
}
