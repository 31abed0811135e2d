//! Errors of our own API: `application/problem+json` (RFC 9457).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::wire::Problem;

/// An error answer.
#[derive(Clone, Debug)]
pub struct ProblemResponse(StatusCode, Problem);

/// An error answer: what kind, and what, where and what to do.
pub fn problem(status: StatusCode, title: &str, detail: impl Into<String>) -> ProblemResponse {
    ProblemResponse(
        status,
        Problem { status: status.as_u16(), title: title.to_owned(), detail: detail.into() },
    )
}

impl ProblemResponse {
    /// What kind it is.
    pub fn status(&self) -> StatusCode {
        self.0
    }
}

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let mut response = (self.0, Json(self.1)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
