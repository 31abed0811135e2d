//! Notifications: who is told, how it goes, and a test of a receiver.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    events::unavailable,
    problem::{ProblemResponse, problem},
};
use crate::app::App;

/// Who is told, how it goes, and what was tried.
///
/// # Errors
/// 503 when the state file gives no answer.
pub async fn notifications(State(app): State<Arc<App>>) -> Result<Response, ProblemResponse> {
    let status = app.notify.status().await.map_err(|error| unavailable(&error))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(status)).into_response())
}

/// Sends a test to every way of a receiver, now.
///
/// # Errors
/// 404 when there is none of that name.
pub async fn test(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Response, ProblemResponse> {
    let tried = app.notify.try_out(&name).await;
    let tried =
        tried.map_err(|error| problem(StatusCode::NOT_FOUND, "No such receiver", error.to_string()))?;
    Ok(Json(tried).into_response())
}
