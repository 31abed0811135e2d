//! Slash risks as bars: each value against its bound, and in words what is at stake and what to do.

use fleetglass_shared::format;
use fleetglass_shared::wire::Risk;
use leptos::prelude::*;

use super::load::NodeLoad;
use super::noted_card;
use crate::dom::{El, el, p, span, with_class};
use crate::state::order::is_floor;

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
    let name = StoredValue::new(name);
    let risk = move || {
        let detail = load.detail()?;
        name.with_value(|name| detail.risks.iter().find(|risk| risk.name == *name).cloned())
    };
    let text = move |read: fn(Risk) -> String| move || risk().map(read).unwrap_or_default();
    let bar = move || risk().as_ref().and_then(Bar::of);
    let percent = move |read: fn(Bar) -> f64| move || format!("{:.1}%", bar().map_or(0.0, read) * 100.0);
    let head = with_class("summary", "node-risk-head")
        .child(span("node-risk-title").text(text(|risk| risk.title)))
        .child(span("node-risk-value num").text(text(|risk| measure(&risk))))
        .when(
            move || bar().is_some(),
            move || {
                span("bar")
                    .attr("aria-hidden", "true")
                    .child(span("bar-fill").style("width", percent(|bar| bar.fill)))
                    .child(span("bar-bound").style("left", percent(|bar| bar.bound)))
            },
        );
    let action = p("node-risk-words").child(el("strong").text("Do: ")).text(text(|risk| risk.action));
    el("li").class(move || format!("node-risk {}", risk().as_ref().map_or("", class))).child(
        el("details")
            // Opened by what fires; a person who closes it is not overruled until that changes.
            .flag("open", move || risk().is_some_and(|risk| risk.firing))
            .child(head)
            .child(p("node-risk-words").text(text(|risk| risk.meaning)))
            .child(action),
    )
}

/// The risks in a few words: what is over, and what cannot be seen.
fn note(firing: usize, blind: usize) -> String {
    let over =
        if firing == 0 { "none over its bound".to_owned() } else { format!("{firing} over the bound") };
    if blind == 0 { over } else { format!("{over}, {blind} not exposed") }
}

/// The worst first: over the bound, then not exposed, then the nearest to its bound.
fn sorted(risks: &[Risk]) -> Vec<&Risk> {
    let mut all: Vec<&Risk> = risks.iter().collect();
    let rank = |risk: &Risk| match (risk.firing, risk.severity.as_str(), risk.value) {
        (true, "critical", _) => 0,
        (true, ..) => 1,
        (false, _, None) => 2,
        (false, ..) => 3,
    };
    all.sort_by_key(|risk| rank(risk));
    all
}

fn class(risk: &Risk) -> &'static str {
    match (risk.firing, risk.severity.as_str(), risk.value) {
        (true, "critical", _) => "state-unhealthy",
        (true, ..) => "state-degraded",
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

/// Parts of a bar's length.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bar {
    fill: f64,
    bound: f64,
}

impl Bar {
    /// The bound stands at four fifths, so that there is room to go over it; further values press it left.
    fn of(risk: &Risk) -> Option<Self> {
        let value = risk.value.filter(|value| value.is_finite())?.max(0.0);
        let whole = (risk.bound * 1.25).max(value);
        if whole <= 0.0 {
            return Some(Self { fill: 0.0, bound: 0.0 });
        }
        Some(Self { fill: value / whole, bound: (risk.bound / whole).clamp(0.0, 1.0) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
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
        assert_eq!(Bar::of(&risk("a", None, 600.0, false)), None);
        assert_eq!(measure(&risk("a", Some(0.0), 600.0, false)), "0 s, bound 10 min");
        assert_eq!(measure(&risk("a", Some(3.0), 2.0, false)), "3 s, at least 2 s");
    }

    #[test]
    fn a_bar_has_room_beyond_its_bound() {
        assert_eq!(Bar::of(&risk("a", Some(300.0), 600.0, false)).unwrap(), Bar { fill: 0.4, bound: 0.8 });
        assert_eq!(Bar::of(&risk("a", Some(1200.0), 600.0, true)).unwrap(), Bar { fill: 1.0, bound: 0.5 });
        assert_eq!(Bar::of(&risk("a", Some(0.0), 0.0, false)).unwrap(), Bar { fill: 0.0, bound: 0.0 });
        assert_eq!(Bar::of(&risk("a", Some(2.0), 0.0, true)).unwrap(), Bar { fill: 1.0, bound: 0.0 });
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
