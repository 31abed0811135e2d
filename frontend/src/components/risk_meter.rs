//! A slash risk as a value against its bound.

use fleetglass_shared::format::number;
use fleetglass_shared::wire::Risk;
use leptos::prelude::*;

use crate::dom::{El, span};

use crate::state::order::pressure;

/// Title, value of bound, and a bar that is full when the bound is reached.
#[component]
pub fn RiskMeter(
    /// The risk; `None` shows `–`.
    #[prop(into)]
    risk: Signal<Option<Risk>>,
) -> impl IntoView {
    view! {
        {move || match risk.get() {
            None => view! { <span class="faint">"–"</span> }.into_any(),
            Some(risk) => {
                let filled = pressure(&risk).unwrap_or(0.0);
                let class = match (risk.firing, filled) {
                    (true, _) => "risk risk-firing",
                    (false, 0.7..) => "risk risk-near",
                    (false, _) => "risk",
                };
                let percent = format!("{}%", (filled * 100.0).round());
                view! {
                    <span class=class title=format!("{}: {}", risk.title, risk.meaning)>
                        <span class="risk-title">{risk.title.clone()}</span>
                        <span class="risk-value num">{against_bound(&risk)}</span>
                        <span class="risk-bar" aria-hidden="true"><span style:width=move || percent.clone()></span></span>
                    </span>
                }
                .into_any()
            }
        }}
    }
    .into_any()
}

/// `312 s of 10 min`; a value nobody exposes is said so.
pub fn against_bound(risk: &Risk) -> String {
    match risk.value {
        // "yes of no" says nothing.
        Some(value) if risk.unit == "bool" => number(value, &risk.unit),
        // Of nothing allowed there is no part.
        Some(value) if risk.bound == 0.0 => number(value, &risk.unit),
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
