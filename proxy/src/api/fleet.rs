//! `GET /api/v1/fleet`: every node, as the live stream's snapshot has it.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::app::App;

/// The fleet now.
pub async fn fleet(State(app): State<Arc<App>>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, app.live.snapshot().to_string()).into_response()
}
