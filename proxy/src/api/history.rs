//! History out and in: `export`, `import` and `prune` of a running proxy.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::health::UnixMillis;
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::problem::{ProblemResponse, problem};
use crate::{
    app::App,
    clock,
    query::{Params, QueryError},
    transfer,
};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Pieces of an export that wait for a slow reader.
const WAITING: usize = 8;

/// Every sample of a span as OpenMetrics with timestamps, while it is read.
pub async fn export(
    State(app): State<Arc<App>>,
    RawQuery(uri): RawQuery,
) -> Result<Response, ProblemResponse> {
    let asked = || {
        let params = Params::read(uri.as_deref(), &[])?;
        let span = (params.time("start")?.unwrap_or(0), params.time("end")?.unwrap_or_else(clock::now));
        Ok::<_, QueryError>((span, params.matches()?))
    };
    let (span, selectors) =
        asked().map_err(|error| problem(StatusCode::BAD_REQUEST, "Cannot be exported", error.to_string()))?;
    Ok(streamed(move |send| transfer::export(&app.store, &selectors, span, send)))
}

/// Where pieces of an export go.
type Sink<'a> = &'a mut dyn FnMut(String) -> Result<(), String>;

/// An export, sent while it is read.
pub(super) fn streamed(export: impl FnOnce(Sink<'_>) -> Result<(), String> + Send + 'static) -> Response {
    let (sender, pieces) = mpsc::channel::<Result<String, std::io::Error>>(WAITING);
    tokio::task::spawn_blocking(move || {
        let mut send = |piece| sender.blocking_send(Ok(piece)).map_err(|_| "the reader has gone".to_owned());
        let exported = export(&mut send);
        if let Err(error) = exported {
            // The status was sent long ago: a connection that breaks off is all that can tell.
            let _ = sender.blocking_send(Err(std::io::Error::other(error)));
        }
    });
    let stream = futures_util::stream::unfold(pieces, |mut pieces| async move {
        let piece = pieces.recv().await?;
        Some((piece, pieces))
    });
    // What compresses it asks once more after the end.
    let stream = stream.fuse();
    ([(header::CONTENT_TYPE, OPEN_METRICS)], Body::from_stream(stream)).into_response()
}

/// Takes in samples of the past.
pub async fn import(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ProblemResponse> {
    // A page of another origin can post plain text without asking first, but not this.
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/openmetrics-text") {
        let words = "send OpenMetrics with `Content-Type: application/openmetrics-text`".to_owned();
        return Err(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not OpenMetrics", words));
    }
    let imported = blocking(move || transfer::import(&app.store, &body, clock::now())).await?;
    let imported = imported.map_err(|error| {
        let status = match error {
            transfer::ImportError::Store(_) => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::BAD_REQUEST,
        };
        problem(status, "Nothing was imported", error.to_string())
    })?;
    let told = serde_json::json!({"series": imported.series, "samples": imported.samples});
    Ok(Json(told).into_response())
}

/// What is to be removed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prune {
    /// Every sample before this.
    before: UnixMillis,
}

/// Removes the samples before a time.
pub async fn prune(
    State(app): State<Arc<App>>,
    Json(prune): Json<Prune>,
) -> Result<Response, ProblemResponse> {
    let pruned = blocking(move || app.store.prune(prune.before, clock::now())).await?;
    pruned.map_err(|error| problem(StatusCode::INSUFFICIENT_STORAGE, "Not pruned", error.to_string()))?;
    Ok(Json(serde_json::json!({"before": prune.before})).into_response())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ProblemResponse> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| problem(StatusCode::INTERNAL_SERVER_ERROR, "It crashed", error.to_string()))
}
