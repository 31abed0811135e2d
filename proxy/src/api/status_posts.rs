//! `/api/v1/status`: what is written on public status pages, and who is told of it, for operators.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{Path, State, rejection::JsonRejection},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{delete, get, patch, post},
};
use fleetglass_shared::{
    health::UnixMillis,
    wire::{PostChange, PostDraft, StatusPosts, Subscribers, UpdateDraft},
};

use super::{
    events::unavailable,
    params::{Params, bad, unread},
    problem::{ProblemResponse, problem},
};
use crate::{
    app::App,
    auth::Who,
    clock,
    share::OpenShare,
    status::{StatusError, Writer},
};

pub(super) const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// The routes; they are guarded with all others of the API.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/status", get(pages))
        .route("/api/v1/status/{slug}/posts", get(posts).post(write))
        .route("/api/v1/status/{slug}/posts/{id}", patch(change).delete(remove))
        .route("/api/v1/status/{slug}/posts/{id}/updates", post(update))
        .route("/api/v1/status/{slug}/draft", get(draft))
        .route("/api/v1/status/{slug}/subscribers", get(subscribers))
        .route("/api/v1/status/{slug}/subscribers/{id}", delete(unsubscribe))
}

/// Every status page.
async fn pages(State(app): State<Arc<App>>) -> Result<Response, ProblemResponse> {
    let told = app.status.told(|_| true, clock::now()).await.map_err(|error| unavailable(&error))?;
    Ok((NO_STORE, Json(told)).into_response())
}

/// The posts of a page, the newest first.
pub(super) async fn posts(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
) -> Result<Response, ProblemResponse> {
    let now = clock::now();
    let share = page(&app, &slug, now)?;
    Ok((NO_STORE, Json(StatusPosts { posts: app.status.posts(&share, now) })).into_response())
}

/// Writes a post.
async fn write(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(slug): Path<String>,
    body: Result<Json<PostDraft>, JsonRejection>,
) -> Result<Response, ProblemResponse> {
    let (Json(draft), now) = (body.map_err(|error| unread(&error))?, clock::now());
    let share = page(&app, &slug, now)?;
    let post = app.status.write(&share, draft, whole(&who), now).await.map_err(|error| refused(&error))?;
    tracing::info!(slug, post = post.id, by = who.name, "written on a status page");
    Ok((StatusCode::CREATED, NO_STORE, Json(post)).into_response())
}

/// Changes a post; what is absent stays as it is.
async fn change(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path((slug, id)): Path<(String, String)>,
    body: Result<Json<PostChange>, JsonRejection>,
) -> Result<Response, ProblemResponse> {
    let (Json(wish), now) = (body.map_err(|error| unread(&error))?, clock::now());
    let share = page(&app, &slug, now)?;
    let post =
        app.status.change(&share, &id, wish, whole(&who), now).await.map_err(|error| refused(&error))?;
    tracing::info!(slug, post = post.id, by = who.name, "changed on a status page");
    Ok((NO_STORE, Json(post)).into_response())
}

/// Says more of a post.
async fn update(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path((slug, id)): Path<(String, String)>,
    body: Result<Json<UpdateDraft>, JsonRejection>,
) -> Result<Response, ProblemResponse> {
    let (Json(draft), now) = (body.map_err(|error| unread(&error))?, clock::now());
    let share = page(&app, &slug, now)?;
    let post =
        app.status.update(&share, &id, draft, whole(&who), now).await.map_err(|error| refused(&error))?;
    tracing::info!(slug, post = post.id, by = who.name, "an update on a status page");
    Ok((StatusCode::CREATED, NO_STORE, Json(post)).into_response())
}

/// Takes a post away.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Response, ProblemResponse> {
    let now = clock::now();
    let share = page(&app, &slug, now)?;
    app.status.remove(&share, &id, now).await.map_err(|error| refused(&error))?;
    tracing::info!(slug, post = id, by = who.name, "taken from a status page");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A post about an alert, to go on from.
async fn draft(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    uri: Uri,
) -> Result<Response, ProblemResponse> {
    let (params, now) = (Params::read(&uri, &["alert"])?, clock::now());
    let share = page(&app, &slug, now)?;
    let alert =
        params.get("alert").ok_or_else(|| bad("`alert` is missing: the id of an alert".to_owned()))?;
    let found = app.status.draft_of(&share, alert, now);
    let draft = found.ok_or_else(|| {
        let words = "the node of this alert is not on this page, or there is no such alert";
        problem(StatusCode::NOT_FOUND, "No draft", words)
    })?;
    Ok((NO_STORE, Json(draft)).into_response())
}

/// Who is told of a page.
pub(super) async fn subscribers(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
) -> Result<Response, ProblemResponse> {
    let share = page(&app, &slug, clock::now())?;
    let subscribers = app.state.subscribers(share.id()).await.map_err(|error| unavailable(&error))?;
    Ok((NO_STORE, Json(Subscribers { subscribers })).into_response())
}

/// Takes somebody away who is told.
pub(super) async fn unsubscribe(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Response, ProblemResponse> {
    let share = page(&app, &slug, clock::now())?;
    let known = app.state.subscriber(&id).await.map_err(|error| unavailable(&error))?;
    if known.is_none_or(|known| known.share != share.id()) {
        let words = format!("nobody of that id is told; /api/v1/status/{slug}/subscribers lists them");
        return Err(problem(StatusCode::NOT_FOUND, "No such subscriber", words));
    }
    app.state.remove_subscriber(&id);
    app.state.flush().await.map_err(|error| unavailable(&error))?;
    tracing::info!(slug, subscriber = id, by = who.name, "a subscriber of a status page was taken away");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Whoever sees the whole fleet.
fn whole(who: &Who) -> Writer<'_> {
    Writer { name: &who.name, part: None }
}

fn page(app: &App, slug: &str, now: UnixMillis) -> Result<Arc<OpenShare>, ProblemResponse> {
    app.status.find(slug, now).ok_or_else(|| {
        let words = format!("there is no status page `{slug}`; /api/v1/status lists them");
        problem(StatusCode::NOT_FOUND, "No such status page", words)
    })
}

pub(super) fn refused(error: &StatusError) -> ProblemResponse {
    let (status, title) = match error {
        StatusError::NoSuchPost(_) => (StatusCode::NOT_FOUND, "No such post"),
        StatusError::Bad(_) => (StatusCode::BAD_REQUEST, "Bad post"),
        StatusError::TooMany => (StatusCode::CONFLICT, "Too many posts"),
        StatusError::State(_) => (StatusCode::SERVICE_UNAVAILABLE, "No state"),
    };
    problem(status, title, error.to_string())
}
