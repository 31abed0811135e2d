//! `GET /api/v1/glance`: the fleet in a few lines, for a first view on a slow network.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::app::App;

/// The fleet in a few lines.
pub async fn glance(State(app): State<Arc<App>>) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(app.live.glance())).into_response()
}
