//! `GET /api/v1/incidents`: what fires, collapsed by what caused it.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::app::App;

/// The incidents now, and whether we ourselves can reach the network.
pub async fn incidents(State(app): State<Arc<App>>) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(app.incidents.all())).into_response()
}
