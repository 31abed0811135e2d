//! `GET /api/v1/maintenance`: the windows in which alerts are muted, and when they are.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::{app::App, clock};

/// Every window of the config.
pub async fn windows(State(app): State<Arc<App>>) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(app.alerts.maintenance(clock::now()))).into_response()
}
