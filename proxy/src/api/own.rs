//! Fleetglass's own health and metrics, and `/metrics/nodes`, where a Prometheus sees JSON-only nodes too.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{app::App, auth::Guard, clock, query};

const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// 200 while the process serves.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// 200 once what every target answered is in the fleet that is published, 503 with what is awaited before. How many
/// nodes there are is told only where nobody needs a login to see them.
pub async fn readyz(State(app): State<Arc<App>>, Extension(guard): Extension<Arc<Guard>>) -> Response {
    let answer = ready(&app);
    if !guard.asks() {
        return answer;
    }
    let words = if answer.status() == StatusCode::OK { "ready\n" } else { "not ready\n" };
    (answer.status(), words).into_response()
}

fn ready(app: &App) -> Response {
    let asked = app.live.asked(&app.fleet.pushed());
    let wait = match app.fleet.expected() {
        Some(all) if asked >= all => {
            return (StatusCode::OK, format!("ready: {all} nodes asked\n")).into_response();
        }
        Some(all) => format!("not ready: {asked} of {all} nodes asked so far\n"),
        None => "not ready: the targets are being read\n".to_owned(),
    };
    (StatusCode::SERVICE_UNAVAILABLE, wait).into_response()
}

/// Metrics of Fleetglass itself, in Prometheus's text format.
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let (clients, dropped) = app.live.clients();
    let store = app.store.stats();
    app.telemetry.observe(&app.fleet.counts(), &store, clients, dropped);
    app.telemetry.observe_state(app.state.stats());
    app.notify.observe().await;
    ([(header::CONTENT_TYPE, TEXT_FORMAT)], app.telemetry.render()).into_response()
}

/// Every series that Fleetglass derives, of every node.
pub async fn node_metrics(State(app): State<Arc<App>>) -> Response {
    ([(header::CONTENT_TYPE, TEXT_FORMAT)], query::render_nodes(&app.store, clock::now())).into_response()
}
