//! Slash risks as bars: each value against its bound, and in words what is at stake and what to do.

use fleetglass_shared::format;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::Risk;
use leptos::prelude::*;

use super::load::{NodeLoad, escaped};
use super::noted_card;
use crate::dom::{El, el, link, p, span, with_class};
use crate::pages::risks::parts::{bar, stake_part};
use crate::pages::risks::standing::{Bar, room, trend};
use crate::state::breach::breach_at;
use crate::state::order::is_floor;
use crate::state::use_fleet;

/// The risks of the family.
pub(super) fn risks(load: NodeLoad) -> El {
    let words = move || {
        let Some(detail) = load.detail() else { return String::new() };
        let count = |counts: fn(&&Risk) -> bool| detail.risks.iter().filter(counts).count();
        note(count(|risk| risk.firing), count(|risk| risk.value.is_none()))
    };
    let names = move || {
        let detail = load.detail();
        let sorted = detail.iter().flat_map(|detail| sorted(&detail.risks));
        sorted.map(|risk| risk.name.clone()).collect()
    };
    noted_card("risks-title", "Slash risks", words).child(with_class("ul", "node-risks").each(
        names,
        String::clone,
        move |name| one_risk(load, name),
    ))
}

/// Each part changes by itself, so that what is unfolded, selected or focused stays so through updates.
fn one_risk(load: NodeLoad, name: String) -> El {
    let now = use_fleet().now();
    let path = format!("/risks?node={}&risk={}", escaped(&load.id()), escaped(&name));
    let risk = Memo::new(move |before: Option<&Option<Risk>>| {
        let detail = load.detail();
        let found = detail.and_then(|detail| detail.risks.iter().find(|risk| risk.name == name).cloned());
        found.or_else(|| before.cloned().flatten())
    });
    let text = move |read: fn(&Risk) -> String| {
        move || risk.with(|risk| risk.as_ref().map(read).unwrap_or_default())
    };
    let blind = move || risk.with(|risk| risk.as_ref().is_none_or(|risk| risk.value.is_none()));
    let going = move || risk.with(|risk| risk.as_ref().map(|risk| going(risk, now.get())));
    let way = Memo::new(move |_| risk.with(|risk| risk.as_ref().and_then(Bar::of)));
    let stake = Memo::new(move |_| risk.with(|risk| risk.as_ref().and_then(|risk| risk.stake.clone())));
    let head = with_class("summary", "node-risk-head")
        .child(span("node-risk-title").text(text(|risk| risk.title.clone())))
        .child(span("node-risk-value num").text(text(measure)))
        .child(bar(way))
        .when(move || !blind(), move || span("node-risk-going num").attr("aria-live", "off").text(going));
    let action = p("node-risk-words").child(el("strong").text("Do: ")).text(text(|risk| risk.action.clone()));
    let class = move || risk.with(|risk| format!("node-risk {}", risk.as_ref().map_or("", class)));
    let firing = move || risk.with(|risk| risk.as_ref().is_some_and(|risk| risk.firing));
    el("li").class(class).child(
        el("details")
            // Opened by what fires; a person who closes it is not overruled until that changes.
            .flag("open", firing)
            .child(head)
            .child(p("node-risk-words").text(text(|risk| risk.meaning.clone())))
            .child(action)
            .child(stake_part(stake))
            .child(p("node-risk-words").child(link("", path).text("Show where it is going"))),
    )
}

/// Where it is going and how much of the way is left: `in 12 min, between 9 and 18 min · 38 % left`.
fn going(risk: &Risk, now: UnixMillis) -> String {
    let trend = match breach_at(risk) {
        Some(_) => format!("breach {}", trend(risk, now)),
        None => trend(risk, now),
    };
    match room(risk) {
        Some(room) => format!("{trend} · {room}"),
        None => trend,
    }
}

/// The risks in a few words: what is over, and what cannot be seen.
fn note(firing: usize, blind: usize) -> String {
    let over =
        if firing == 0 { "none over its bound".to_owned() } else { format!("{firing} over the bound") };
    if blind == 0 { over } else { format!("{over}, {blind} not exposed") }
}

/// The worst first: over the bound, then by the time left, then not exposed, then the rest.
fn sorted(risks: &[Risk]) -> Vec<&Risk> {
    let mut all: Vec<&Risk> = risks.iter().collect();
    let rank = |risk: &Risk| match (risk.firing, risk.severity.as_str(), risk.value) {
        (true, "critical", _) => 0,
        (true, ..) => 1,
        _ if breach_at(risk).is_some() => 2,
        (false, _, None) => 3,
        (false, ..) => 4,
    };
    all.sort_by_key(|risk| (rank(risk), breach_at(risk)));
    all
}

fn class(risk: &Risk) -> &'static str {
    match (risk.firing, risk.severity.as_str(), risk.value) {
        (true, "critical", _) => "state-unhealthy",
        (true, ..) => "state-degraded",
        _ if breach_at(risk).is_some() => "state-degraded node-risk-soon",
        (false, _, None) => "node-risk-blind",
        (false, ..) => "node-risk-quiet",
    }
}

fn measure(risk: &Risk) -> String {
    let Some(value) = risk.value else { return "not exposed by this node".to_owned() };
    let words = |value: f64| format::number(value, &risk.unit);
    let between = if is_floor(risk, value) { "at least" } else { "bound" };
    format!("{}, {between} {}", words(value), words(risk.bound))
}

#[cfg(test)]
mod tests {
    use fleetglass_shared::wire::{Outlook, Trend};

    use super::*;

    fn risk(name: &str, value: Option<f64>, bound: f64, firing: bool) -> Risk {
        Risk {
            name: name.into(),
            title: String::new(),
            severity: "critical".into(),
            value,
            bound,
            unit: "seconds".into(),
            meaning: String::new(),
            action: String::new(),
            firing,
            headroom: None,
            outlook: None,
            stake: None,
        }
    }

    #[test]
    fn what_is_not_exposed_is_said_and_is_not_zero() {
        assert_eq!(measure(&risk("a", None, 600.0, false)), "not exposed by this node");
        assert_eq!(measure(&risk("a", Some(0.0), 600.0, false)), "0 s, bound 10 min");
        assert_eq!(measure(&risk("a", Some(3.0), 2.0, false)), "3 s, at least 2 s");
    }

    #[test]
    fn where_it_is_going_and_how_much_is_left() {
        let mut lag = risk("a", Some(300.0), 600.0, false);
        lag.headroom = Some(0.5);
        assert_eq!(going(&lag, 0), "too little data · 50 % left");
        lag.outlook = Some(Outlook {
            trend: Trend::Approaching,
            slope: Some(1.0),
            breach_at: Some(720_000),
            earliest: Some(540_000),
            latest: Some(1_080_000),
            exact: false,
        });
        assert_eq!(going(&lag, 0), "breach in 12 min, between 9 and 18 min · 50 % left");
        lag.firing = true;
        lag.headroom = None;
        assert_eq!(going(&lag, 0), "over the bound");
    }

    #[test]
    fn the_worst_stands_first() {
        let all = [
            risk("calm", Some(1.0), 9.0, false),
            risk("blind", None, 9.0, false),
            risk("hot", Some(10.0), 9.0, true),
        ];
        let names: Vec<&str> = sorted(&all).into_iter().map(|risk| risk.name.as_str()).collect();
        assert_eq!(names, ["hot", "blind", "calm"]);
    }
}
