//! `GET /api/v1/restart-check`: whether some nodes may be restarted now.

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::{
    labels::{LabelSet, METRIC_NAME, Matcher},
    restart::{self, Known, Peer},
    wire::Alert,
};

use super::{
    params::bad,
    problem::{ProblemResponse, problem},
};
use crate::{app::App, clock, query::Params};

/// The verdict on each node that a `match[]` selects, and on all of them.
///
/// # Errors
/// 400 for selectors that are wrong, 404 when they select no node.
pub async fn check(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, ProblemResponse> {
    judged(&app, query.as_deref(), &app.fleet.peers(), &app.alerts.all())
}

/// The verdict over some nodes and alerts, as if there were no others.
pub(super) fn judged(
    app: &App,
    query: Option<&str>,
    fleet: &[Peer],
    alerts: &[Alert],
) -> Result<Response, ProblemResponse> {
    let params = Params::read(query, &[]).map_err(|error| bad(error.to_string()))?;
    let selectors = params.matches().map_err(|error| bad(error.to_string()))?;
    if selectors.is_empty() {
        return Err(bad("`match[]` is missing: which nodes? Such as {instance=\"eu-1\"}".to_owned()));
    }
    if selectors.iter().flatten().any(|matcher| matcher.name() == METRIC_NAME) {
        return Err(bad("a selector of nodes has labels and no metric: {instance=\"eu-1\"}".to_owned()));
    }
    let ids: Vec<String> = fleet
        .iter()
        .filter(|peer| is_selected(peer, &selectors))
        .map(|peer| peer.summary.id.clone())
        .collect();
    if ids.is_empty() {
        let detail = "no node of the fleet has such labels; /api/v1/fleet lists the nodes";
        return Err(problem(StatusCode::NOT_FOUND, "No such node", detail));
    }
    let policy = app.restart.load();
    let subject = |id: &str| app.fleet.subject(id);
    let known = Known { at: clock::now(), fleet, subject: &subject, alerts, policy: &policy };
    let told = restart::check(&ids, &known);
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(told)).into_response())
}

/// A node has its own labels, and those that its series have: `instance`, `job`, and `family` besides.
fn is_selected(peer: &Peer, selectors: &[Vec<Matcher>]) -> bool {
    let node = &peer.summary;
    let own = node.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let given = [("instance", node.id.as_str()), ("job", &node.family), ("family", &node.family)];
    let labels = LabelSet::from_pairs(given.into_iter().chain(own));
    selectors.iter().any(|selector| selector.iter().all(|matcher| matcher.matches_set(&labels)))
}
