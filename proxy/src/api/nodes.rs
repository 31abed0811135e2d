//! `GET /api/v1/nodes/{id}` and below: one node, its series, and its own endpoints passed through.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::wire::NodeSeries;

use super::problem::{ProblemResponse, problem};
use crate::app::App;

/// One node with all that is known about it.
///
/// # Errors
/// 404 when there is no such node.
pub async fn node(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, ProblemResponse> {
    let detail = app.fleet.detail(&id).ok_or_else(|| no_such_node(&id))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(detail)).into_response())
}

/// Every series the node has now, with its last value.
///
/// # Errors
/// 404 when there is no such node.
pub async fn series(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, ProblemResponse> {
    if !app.fleet.contains(&id) {
        return Err(no_such_node(&id));
    }
    let series = NodeSeries { series: app.store.latest(&id) };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(series)).into_response())
}

/// Asks the node now, and passes on what it says: its status, and its body as JSON or plain text.
///
/// # Errors
/// 404 when there is no such node or its family has no such endpoint, 502 when the node does not answer.
pub async fn pass_through(
    State(app): State<Arc<App>>,
    Path((id, role)): Path<(String, String)>,
) -> Result<Response, ProblemResponse> {
    let asked = app.fleet.endpoint(&id, &role).ok_or_else(|| match app.fleet.contains(&id) {
        false => no_such_node(&id),
        true => problem(
            StatusCode::NOT_FOUND,
            "No such endpoint",
            format!("`{id}` has no endpoint for `{role}`; health, ready and metrics are passed through where the family has them"),
        ),
    })?;
    let bearer = asked.target.bearer_token();
    let reply =
        app.client.get(&asked.url, asked.is_metrics, asked.target.timeout, bearer.as_deref()).await.map_err(
            |failure| {
                problem(
                    StatusCode::BAD_GATEWAY,
                    "The node gave no answer",
                    format!("No answer ({}): {}", failure.kind.as_words(), failure.message),
                )
            },
        )?;
    let is_json = !asked.is_metrics && matches!(reply.body.trim_ascii_start().first(), Some(b'{' | b'['));
    let content_type = match (is_json, reply.content_type.as_deref()) {
        (true, _) => "application/json",
        (false, Some(sent)) if sent.starts_with("application/openmetrics-text") => sent,
        // Whatever a node says, a browser must never run it as a page of ours.
        (false, _) => "text/plain; charset=utf-8",
    };
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_str(content_type).unwrap_or(HeaderValue::from_static("text/plain; charset=utf-8")),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    if let Ok(seconds) = HeaderValue::from_str(&reply.duration.as_secs_f64().to_string()) {
        headers.insert("x-node-duration-seconds", seconds);
    }
    Ok(response)
}

fn no_such_node(id: &str) -> ProblemResponse {
    problem(
        StatusCode::NOT_FOUND,
        "No such node",
        format!("`{id}` is not in the fleet; /api/v1/fleet lists the nodes"),
    )
}
