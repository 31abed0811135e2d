//! `POST /api/v1/write`: Prometheus remote write 1.0.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{app::App, remote::Receiver};

/// 204 once what was pushed is on the disk, else words in plain text, as Prometheus answers its senders.
pub async fn write(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    match Receiver::take(Arc::clone(&app.receiver), &headers, body).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err((status, words)) => {
            let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (status, kind, words + "\n").into_response()
        }
    }
}
