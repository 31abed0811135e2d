//! `GET /api/v1/live`: server-sent events, a snapshot and then deltas.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};

use super::problem::problem;
use crate::{app::App, live::Subscription};

/// The live stream. `Last-Event-ID` continues where the client was, where that is still known.
pub async fn live(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let seen = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let subscription = match app.live.subscribe(seen) {
        Ok(subscription) => subscription,
        Err(error) => {
            return problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many streams",
                format!("{error}; try again later"),
            )
            .into_response();
        }
    };
    stream_of(subscription)
}

/// A subscription as server-sent events.
pub(super) fn stream_of(subscription: Subscription) -> Response {
    let later = stream::unfold(subscription.frames, async |mut frames| Some((frames.recv().await?, frames)));
    let frames = stream::iter(subscription.first).chain(later).map(Ok::<_, Infallible>);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // nginx holds answers back unless told not to.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(frames)).into_response()
}
