//! A slash risk as a value against its bound.

use fleetglass_shared::format::number;
use fleetglass_shared::wire::Risk;

use crate::dom::{El, span};
use crate::state::order::{is_floor, pressure};

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

/// Title, value of bound, and a bar that is full when the bound is reached; no risk shows `–`.
pub fn risk_meter(risk: Option<Risk>) -> El {
    let Some(risk) = risk else { return span("faint").text("–") };
    let filled = pressure(&risk).unwrap_or(0.0);
    let class = match (risk.firing, filled) {
        (true, _) => "risk risk-firing",
        (false, 0.7..) => "risk risk-near",
        (false, _) => "risk",
    };
    let bar = span("").style("width", format!("{}%", (filled * 100.0).round()));
    span(class)
        .attr("title", format!("{}: {}", risk.title, risk.meaning))
        .child(span("risk-title").text(&risk.title))
        .child(span("risk-value num").text(against_bound(&risk)))
        .child(span("risk-bar").attr("aria-hidden", "true").child(bar))
}
