//! `/api/v1/shares`: share links, for those who may make some.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State, rejection::JsonRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::wire::{ShareChange, ShareMade, Shares};

use super::{
    params::{Params, unread},
    problem::{ProblemResponse, problem},
    shared::{self, Viewer},
};
use crate::{
    app::App,
    assets,
    auth::{Who, audit::Of},
    clock,
    edge::Visit,
    share::ShareError,
};

const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// Every link, the newest first. A token is in none of them.
pub async fn list(State(app): State<Arc<App>>) -> Response {
    (NO_STORE, Json(Shares { shares: app.shares.list() })).into_response()
}

/// One link.
///
/// # Errors
/// 404 when there is none.
pub async fn share(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, ProblemResponse> {
    let share = app.shares.get(&id).ok_or_else(|| refused(&ShareError::NoSuchShare))?;
    Ok((NO_STORE, Json(app.shares.tell(&share))).into_response())
}

/// Makes a link, and tells its token this once.
///
/// # Errors
/// 400 for what is wrong with it, 503 when it cannot be kept.
pub async fn make(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Extension(visit): Extension<Visit>,
    body: Result<Json<ShareChange>, JsonRejection>,
) -> Result<Response, ProblemResponse> {
    let Json(wish) = body.map_err(|error| unread(&error))?;
    let by = who.name;
    let (share, token) = app.shares.make(wish, &by, clock::now()).await.map_err(|error| refused(&error))?;
    tracing::info!(
        share = share.id,
        title = share.title,
        nodes = share.nodes.unwrap_or_default(),
        by,
        "a share link was made"
    );
    let path = format!("{}/s/{token}/", visit.base);
    let of = Extension(Of(format!("{} {}", share.id, share.title)));
    Ok((StatusCode::CREATED, NO_STORE, of, Json(ShareMade { share, token, path })).into_response())
}

/// Changes a link; what is absent stays as it is.
///
/// # Errors
/// As [`make`]; 404 when there is no such link.
pub async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    body: Result<Json<ShareChange>, JsonRejection>,
) -> Result<Response, ProblemResponse> {
    let Json(wish) = body.map_err(|error| unread(&error))?;
    let share = app.shares.change(&id, wish, clock::now()).await.map_err(|error| refused(&error))?;
    tracing::info!(share = share.id, title = share.title, "a share link was changed");
    Ok((NO_STORE, Json(share)).into_response())
}

/// Takes a link back: it opens no more, and its open streams end.
///
/// # Errors
/// 404 when there is no such link, 503 when it cannot be kept that it is gone.
pub async fn revoke(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, ProblemResponse> {
    let share = app.shares.revoke(&id, clock::now()).await.map_err(|error| refused(&error))?;
    tracing::info!(share = share.id, title = share.title, "a share link was taken back");
    Ok((NO_STORE, Json(share)).into_response())
}

/// A link as it would be, for ten minutes: `of` is the link that is changed, `instead` the draft that goes.
///
/// # Errors
/// As [`make`]; 404 when there is no link `of`.
pub async fn draft(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    uri: Uri,
    body: Result<Json<ShareChange>, JsonRejection>,
) -> Result<Response, ProblemResponse> {
    let Json(wish) = body.map_err(|error| unread(&error))?;
    let params = Params::read(&uri, &["of", "instead"])?;
    let about = (params.get("of"), params.get("instead"));
    let share = app.shares.draft(wish, about, &who.name, clock::now()).map_err(|error| refused(&error))?;
    Ok((StatusCode::CREATED, NO_STORE, Json(share)).into_response())
}

/// What the viewers of a link or a draft are answered, without counting as one of them.
///
/// # Errors
/// 404 when there is neither, and as the viewer is answered.
pub async fn preview(
    State(app): State<Arc<App>>,
    Path((id, rest)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ProblemResponse> {
    let now = clock::now();
    let share = app.shares.preview(&id, now).ok_or_else(|| refused(&ShareError::NoSuchShare))?;
    let viewer = Viewer { app: &app, share: &share, now };
    let mut response = shared::told(&viewer, &rest, &uri, &body, &headers).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The app below which the preview of a link or a draft is. There is only the id in it: what it shows is asked for with
/// the login of whoever looks.
pub async fn preview_page(
    Extension(visit): Extension<Visit>,
    Path(parts): Path<BTreeMap<String, String>>,
) -> Response {
    let id = parts.get("id").map(String::as_str).unwrap_or_default();
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return refused(&ShareError::NoSuchShare).into_response();
    }
    let mark = format!(
        "<meta name=\"robots\" content=\"noindex\"><meta name=\"fleetglass-share\" data-preview=\"{id}\">"
    );
    match assets::placed_page(&visit.base, (&mark, "")) {
        Some(html) => (NO_STORE, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        None => (StatusCode::NOT_FOUND, "the app is not in this build; the API is served all the same")
            .into_response(),
    }
}

fn refused(error: &ShareError) -> ProblemResponse {
    let (status, title) = match error {
        ShareError::NoSuchShare => (StatusCode::NOT_FOUND, "No such share"),
        ShareError::Bad(_) | ShareError::Scope(_) => (StatusCode::BAD_REQUEST, "Bad share"),
        ShareError::TooMany => (StatusCode::CONFLICT, "Too many shares"),
        ShareError::State(_) | ShareError::NoRandomness => (StatusCode::SERVICE_UNAVAILABLE, "No state"),
    };
    problem(status, title, error.to_string())
}
