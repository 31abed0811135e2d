//! A slash risk as a value against its bound.

use fleetglass_shared::format::number;
use fleetglass_shared::wire::Risk;
use leptos::prelude::*;

use crate::dom::{El, Words, span};
use crate::state::breach::{breach_at, breach_in};
use crate::state::order::{is_floor, pressure};
use crate::state::use_fleet;

/// `312 s of 10 min`, or `4, min 2` where the bound lies below; a value nobody exposes is said so.
pub fn against_bound(risk: &Risk) -> String {
    match risk.value {
        // "yes of no" says nothing.
        Some(value) if risk.unit == "bool" => number(value, &risk.unit),
        // Of nothing allowed there is no part.
        Some(value) if risk.bound == 0.0 => number(value, &risk.unit),
        Some(value) if is_floor(risk, value) => {
            format!("{}, min {}", number(value, &risk.unit), number(risk.bound, &risk.unit))
        }
        Some(value) => format!("{} of {}", number(value, &risk.unit), number(risk.bound, &risk.unit)),
        None => "not exposed".to_owned(),
    }
}

/// Title, value of bound or the time left to it, and a bar that is full when the bound is reached; no risk shows
/// `–`.
pub fn risk_meter(risk: Option<Risk>) -> El {
    let Some(risk) = risk else { return span("faint").text("–") };
    let filled = pressure(&risk).unwrap_or(0.0);
    let breach = breach_at(&risk);
    let class = match filled {
        _ if risk.firing => "risk risk-firing",
        _ if breach.is_some() => "risk risk-near risk-soon",
        0.7.. => "risk risk-near",
        _ => "risk",
    };
    let value = against_bound(&risk);
    let title = format!("{}, {value}: {}", risk.title, risk.meaning);
    let words = match breach {
        Some(at) => {
            let now = use_fleet().now();
            Words::from(move || breach_in(at, now.get()))
        }
        None => value.into(),
    };
    let bar = span("").style("width", format!("{}%", (filled * 100.0).round()));
    span(class)
        .attr("title", title)
        .child(span("risk-title").text(&risk.title))
        .child(span("risk-value num").text(words))
        .child(span("risk-bar").attr("aria-hidden", "true").child(bar))
}
