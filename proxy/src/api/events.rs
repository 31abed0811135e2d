//! `GET /api/v1/events`: what happened to the nodes and to Fleetglass itself.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::{health::UnixMillis, wire::EventKind};
use serde::Deserialize;

use super::{
    params::{Params, bad},
    problem::{ProblemResponse, problem},
};
use crate::{
    app::App,
    clock,
    state::{Draft, EventQuery, StateError},
};

const LIMIT: usize = 1_000;
const HIGHEST_LIMIT: usize = 10_000;
/// Characters of a mark.
const MOST_TEXT: usize = 500;

/// The newest events that are asked for, the oldest of them first.
///
/// # Errors
/// 400 for parameters that are wrong, 503 when the state file cannot answer.
pub async fn events(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, ProblemResponse> {
    let query = query(&uri)?;
    let events = app.state.events(query).await.map_err(|error| unavailable(&error))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(events)).into_response())
}

/// What is told to us: our own form, or a vote's `{event, proposal_id}`.
#[derive(Deserialize)]
struct Posted {
    #[serde(default)]
    at: Option<UnixMillis>,
    #[serde(default)]
    node: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    proposal_id: Option<serde_json::Value>,
}

/// Keeps something that happened elsewhere, so that charts and the timeline show it.
///
/// # Errors
/// 400 for a body that tells nothing, or of a node that is not there.
pub async fn mark(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, ProblemResponse> {
    let posted: Posted = serde_json::from_slice(&body).map_err(|error| bad(format!("the body: {error}")))?;
    let Posted { at, node, text, event, proposal_id } = posted;
    let proposal = proposal_id.map(|id| match id {
        serde_json::Value::String(id) => id,
        other => other.to_string(),
    });
    let text = match (text, event, proposal) {
        (Some(text), ..) if !text.trim().is_empty() => text,
        (_, Some(event), Some(proposal)) => format!("Proposal {proposal}: {event}"),
        (_, Some(event), None) if !event.trim().is_empty() => event,
        _ => return Err(bad("the body needs a `text`, or an `event`".to_owned())),
    };
    if text.chars().count() > MOST_TEXT {
        return Err(bad(format!("the text is longer than {MOST_TEXT} characters")));
    }
    if let Some(node) = node.as_ref().filter(|node| !app.fleet.contains(node)) {
        return Err(bad(format!("there is no node `{node}`")));
    }
    let (from, to) = (String::new(), String::new());
    let at = at.unwrap_or_else(clock::now);
    let of = axum::Extension(crate::auth::audit::Of(node.clone().unwrap_or_default()));
    app.state.record(vec![Draft { at, node, kind: EventKind::Mark, from, to, text }]);
    Ok((StatusCode::ACCEPTED, of).into_response())
}

pub(super) fn query(uri: &Uri) -> Result<EventQuery, ProblemResponse> {
    let params = Params::read(uri, &["node", "own", "kind", "since", "until", "limit"])?;
    let kinds = params.get("kind").unwrap_or_default().split(',').filter(|word| !word.is_empty());
    let kinds = kinds.map(|word| EventKind::parse(word).ok_or_else(|| no_such_kind(word)));
    let limit = match params.number("limit")? {
        None => LIMIT,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=HIGHEST_LIMIT).contains(limit))
            .ok_or_else(|| bad(format!("`limit={limit}` is not between 1 and {HIGHEST_LIMIT}")))?,
    };
    Ok(EventQuery {
        node: params.get("node").map(str::to_owned),
        own: params.flag("own")?.unwrap_or(true),
        kinds: kinds.collect::<Result<_, _>>()?,
        since: params.number("since")?.unwrap_or(i64::MIN),
        until: params.number("until")?.unwrap_or(i64::MAX),
        limit,
    })
}

fn no_such_kind(word: &str) -> ProblemResponse {
    let kinds = EventKind::ALL.map(EventKind::as_str).join(", ");
    bad(format!("`{word}` is no kind of event; the kinds are {kinds}"))
}

/// The answer while the state file cannot give one.
pub(super) fn unavailable(error: &StateError) -> ProblemResponse {
    problem(StatusCode::SERVICE_UNAVAILABLE, "No state", error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn parameters_are_read_or_refused() {
        let read = |text: &str| query(&format!("/x?{text}").parse().unwrap());
        let all = read("").unwrap();
        assert_eq!((all.limit, all.own, all.node, all.kinds.len()), (LIMIT, true, None, 0));
        let some = read("node=eu%201&own=false&kind=state,restart&since=-5&until=7&limit=2").unwrap();
        assert_eq!(some.node.as_deref(), Some("eu 1"));
        assert_eq!(some.kinds, [EventKind::State, EventKind::Restart]);
        assert_eq!((some.own, some.since, some.until, some.limit), (false, -5, 7, 2));
        for wrong in
            ["kind=states", "since=yesterday", "limit=0", "limit=10001", "own=1", "nodes=a", "node=a&node=b"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
