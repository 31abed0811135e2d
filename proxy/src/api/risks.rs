//! `GET /api/v1/risks` and `GET /api/v1/nodes/{id}/risks/{name}`: how near nodes are to a slash, the worst first.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::{
    family::Family,
    health::UnixMillis,
    risk::{self, Line},
    wire::{NodeRisk, RiskDetail, Risks, Trend},
};

use super::{
    params::{Params, bad},
    problem::{ProblemResponse, problem},
};
use crate::{
    app::App,
    clock,
    fleet::Risky,
    round::{OneRisk, of_node, paced},
};

/// So many are told when nobody says how many.
const USUAL: usize = 500;
pub(super) const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];

/// The risks of the fleet, or of a part of it, the worst first.
///
/// # Errors
/// 400 for a parameter that is wrong.
pub async fn risks(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, ProblemResponse> {
    let params = Params::read(&uri, &["family", "node", "severity", "limit"])?;
    let (family, node, severity) = (params.get("family"), params.get("node"), params.get("severity"));
    if let Some(word) = severity.filter(|word| !SEVERITIES.contains(word)) {
        return Err(bad(format!("`severity={word}` is none of {}", SEVERITIES.join(", "))));
    }
    let limit = match params.number("limit")? {
        None => USUAL,
        Some(limit) => usize::try_from(limit).map_err(|_| bad(format!("`limit={limit}` is less than 0")))?,
    };
    let (total, risks) = app.fleet.risks(limit, |own, risk| {
        family.is_none_or(|family| own.family == family)
            && node.is_none_or(|node| own.id == node)
            && severity.is_none_or(|severity| risk.severity == severity)
    });
    let told = Risks { at: clock::now(), total, risks };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(told)).into_response())
}

/// One risk of a node, with the values that its outlook rests on.
///
/// # Errors
/// 404 when there is no such node, or its family names no such risk.
pub async fn risk(
    State(app): State<Arc<App>>,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, ProblemResponse> {
    let missing = |what: &str, detail: String| problem(StatusCode::NOT_FOUND, what, detail);
    let risky = app.fleet.risky(&id).ok_or_else(|| {
        missing("No such node", format!("`{id}` is not in the fleet; /api/v1/fleet lists the nodes"))
    })?;
    let found = risky.family.as_deref().and_then(|family| {
        let index = family.risks().position(|risk| risk.name() == name)?;
        Some((family, index))
    });
    let Some((family, index)) = found else {
        let known: Vec<&str> = risky.risks.iter().map(|risk| risk.name.as_str()).collect();
        let detail = format!("the family of `{id}` names no risk `{name}`; it has: {}", known.join(", "));
        return Err(missing("No such risk", detail));
    };
    let told = detail(&app, (&id, &id), &risky, family, index, clock::now());
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(told)).into_response())
}

/// A risk of a node; `name` is what the node is called in the expression.
pub(super) fn detail(
    app: &App,
    (id, name): (&str, &str),
    risky: &Risky,
    family: &Family,
    index: usize,
    now: UnixMillis,
) -> RiskDetail {
    let node = of_node(&app.store, id);
    let at = risky.asked_at.unwrap_or(now);
    let spec = family.risks().nth(index).expect("the index is of this family");
    let one = OneRisk { spec, queries: &family.risk_queries()[index], node: &node, at };
    let watch = paced(one.watch(), risky.interval_ms);
    let own = risky.risks.iter().find(|risk| risk.name == spec.name()).cloned();
    let own = own.unwrap_or_else(|| spec.judge(&watch, None));
    let place = one.value().map_or(0, |(place, _)| place);
    let all = one.history(&watch, place);
    let foreseen = own.value.filter(|_| !spec.has_deadline());
    let line = foreseen.and_then(|value| risk::predict(&watch, value, &all, at).line);
    let end = own.outlook.as_ref().filter(|outlook| outlook.trend == Trend::Approaching);
    let end = end.and_then(|outlook| outlook.breach_at);
    let edge =
        |value: fn(&Line, f64) -> f64| line.as_ref().map_or(Vec::new(), |line| drawn(line, at, end, value));
    let mut exprs = spec.exprs_for(name);
    RiskDetail {
        at: now,
        expr: exprs.swap_remove(place.min(exprs.len() - 1)),
        window_seconds: line.as_ref().map(|_| watch.window_ms as f64 / 1000.0),
        fit: edge(Line::at),
        fit_low: edge(Line::bottom),
        fit_high: edge(Line::top),
        values: all.into_iter().filter(|(time, _)| at - time <= watch.window_ms).collect(),
        risk: NodeRisk { node: id.to_owned(), family: family.name().to_owned(), risk: own },
    }
}

/// A line of the band at the times where it bends: its first point, its middle, now, and where it meets the bound.
fn drawn(
    line: &Line,
    at: UnixMillis,
    end: Option<UnixMillis>,
    value: fn(&Line, f64) -> f64,
) -> Vec<(UnixMillis, f64)> {
    let ends = end.map(|end| (end - at) as f64 / 1000.0).filter(|end| *end > 0.0);
    [line.from, line.middle, 0.0]
        .into_iter()
        .chain(ends)
        .map(|time| (at.saturating_add((time * 1000.0) as i64), value(line, time)))
        .collect()
}
