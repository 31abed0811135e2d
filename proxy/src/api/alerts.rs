//! Alerts one by one: what is known of one, what happened, and who has taken it.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::wire::{Acknowledge, Alert, AlertDetail, Others};

use super::{
    events::unavailable,
    params::{Params, bad},
    problem::{ProblemResponse, problem},
};
use crate::{app::App, clock, state::AlertQuery};

pub(super) const HISTORY: usize = 100;
const LIMIT: usize = 200;
const HIGHEST_LIMIT: i64 = 5_000;

fn not_found(error: impl ToString) -> ProblemResponse {
    problem(StatusCode::NOT_FOUND, "No such alert", error.to_string())
}

/// One alert, its rule, its history, and how the others of its family do.
pub async fn alert(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, ProblemResponse> {
    let (alert, key) = app.alerts.get(&id).ok_or_else(|| not_found(crate::alerts::NoSuchAlert))?;
    let rule = app.rules.alert_rule(&key, &alert.labels);
    let (others, incident) = (others(&app, &alert), app.incidents.of(&id));
    let query = AlertQuery { alert: Some(id), node: None, since: i64::MIN, until: i64::MAX, limit: HISTORY };
    let history = app.state.alert_history(query).await.map_err(|error| unavailable(&error))?;
    let detail = AlertDetail { alert, rule, history: history.changes, others, incident };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(detail)).into_response())
}

/// The other nodes of the family of an alert's node.
fn others(app: &App, alert: &Alert) -> Option<Others> {
    let node = alert.node.as_ref()?;
    let families = app.fleet.values_of("family");
    let family = &families.iter().find(|(id, _)| id == node)?.1;
    let nodes = families.iter().filter(|(id, own)| own == family && id != node).count();
    let alike = app.alerts.all().into_iter().filter(|other| {
        other.name == alert.name
            && other.id != alert.id
            && other.state != fleetglass_shared::wire::AlertState::Resolved
    });
    let mut alike: Vec<String> = alike.filter_map(|other| other.node).filter(|own| own != node).collect();
    alike.sort();
    alike.dedup();
    Some(Others { nodes: u32::try_from(nodes).unwrap_or(u32::MAX), alike })
}

/// What happened to alerts, the newest first.
pub async fn history(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, ProblemResponse> {
    let history = app.state.alert_history(asked(&uri)?).await.map_err(|error| unavailable(&error))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(history)).into_response())
}

/// Which changes are asked for.
pub(super) fn asked(uri: &Uri) -> Result<AlertQuery, ProblemResponse> {
    let params = Params::read(uri, &["alert", "node", "since", "until", "limit"])?;
    let limit = match params.number("limit")? {
        None => LIMIT,
        Some(limit @ 1..=HIGHEST_LIMIT) => usize::try_from(limit).unwrap_or(LIMIT),
        Some(limit) => return Err(bad(format!("`limit={limit}` is not between 1 and {HIGHEST_LIMIT}"))),
    };
    Ok(AlertQuery {
        alert: params.get("alert").map(str::to_owned),
        node: params.get("node").map(str::to_owned),
        since: params.number("since")?.unwrap_or(i64::MIN),
        until: params.number("until")?.unwrap_or(i64::MAX),
        limit,
    })
}

/// Somebody takes an alert.
pub async fn acknowledge(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, ProblemResponse> {
    Ok(Json(taken(&app, &id, &body)?).into_response())
}

/// An alert that somebody takes.
pub(super) fn taken(app: &App, id: &str, body: &[u8]) -> Result<Alert, ProblemResponse> {
    let bad = |detail: String| problem(StatusCode::BAD_REQUEST, "Cannot be acknowledged", detail);
    let by: Acknowledge = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    let now = clock::now();
    if by.by.trim().is_empty() {
        return Err(bad("`by` is empty: an acknowledgement has an owner".to_owned()));
    }
    if by.until.is_some_and(|until| until <= now) {
        return Err(bad("`until` is over already".to_owned()));
    }
    app.alerts.acknowledge(id, by, now).map_err(not_found)
}

/// An alert is nobody's again.
pub async fn unacknowledge(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, ProblemResponse> {
    let alert = app.alerts.unacknowledge(&id, clock::now()).map_err(not_found)?;
    Ok(Json(alert).into_response())
}
