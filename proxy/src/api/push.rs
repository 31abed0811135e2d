//! `/api/v1/push`: browsers that are told of alerts by Web Push. Everybody has their own.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State, rejection::JsonRejection},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{
    Engine,
    engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD},
};
use fleetglass_shared::wire::Severity;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    params::{Params, bad, unread},
    problem::{ProblemResponse, problem},
};
use crate::{
    app::App,
    auth::{Credential, Role, Who},
    clock,
    notify::{PushError, PushReached, PushWish},
    state::KeptPush,
};

const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// What a browser's `PushSubscription` says as JSON, and what it is to be told of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    endpoint: String,
    keys: Keys,
    #[serde(default)]
    label: String,
    severities: Vec<Severity>,
    #[serde(default)]
    select: String,
}

#[derive(Deserialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

/// The subscription that a browser has in place of another one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renew {
    old: Old,
    endpoint: String,
    keys: Keys,
}

/// The one before, and what only its browser knows of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Old {
    endpoint: String,
    auth: String,
}

/// The key that browsers subscribe with.
pub async fn key(State(app): State<Arc<App>>) -> Response {
    (NO_STORE, Json(json!({"key": app.notify.push_key()}))).into_response()
}

/// The browsers of whoever asks, or with `of=everybody` all of them, for admins. The endpoint of none is told; by its key a
/// browser finds itself.
///
/// # Errors
/// 400 for a parameter that is none, 403 for whoever is no admin.
pub async fn list(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    uri: Uri,
) -> Result<Response, ProblemResponse> {
    let params = Params::read(&uri, &["of"])?;
    let all = match params.get("of") {
        None => app.notify.pushes_of(&who.key()),
        Some("everybody") if is_admin(&who) => app.notify.pushes(),
        Some("everybody") => {
            let words = "This needs the role admin, for the whole fleet.";
            return Err(problem(StatusCode::FORBIDDEN, "Not allowed", words));
        }
        Some(other) => return Err(bad(format!("`of={other}`: there is `everybody`"))),
    };
    let tell = |push: &KeptPush| {
        let mut told = told(push);
        if let Some(until) = app.notify.push_ends_at(push) {
            told["until"] = json!(until);
        }
        if params.get("of").is_some() {
            told["owner"] = json!(push.owner);
        }
        told
    };
    let all: Vec<Value> = all.iter().map(tell).collect();
    Ok((NO_STORE, Json(json!({"subscriptions": all}))).into_response())
}

/// Subscribes a browser, or changes what it is told of.
///
/// # Errors
/// 400 for what is wrong with it, 409 when there are too many, 503 when it cannot be kept.
pub async fn subscribe(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Extension(credential): Extension<Credential>,
    body: Result<Json<Subscribe>, JsonRejection>,
) -> Result<Response, ProblemResponse> {
    if matches!(credential, Credential::ApiToken { .. }) {
        let words = "A browser is subscribed by whoever has signed in with it, and not by a program's token.";
        return Err(problem(StatusCode::FORBIDDEN, "Not allowed", words));
    }
    let Json(body) = body.map_err(|error| unread(&error))?;
    let wish = PushWish {
        at: reached(body.endpoint, &body.keys)?,
        label: body.label,
        severities: body.severities,
        select: body.select,
    };
    let push = app.notify.subscribe_push(wish, &who.key(), &who.select, clock::now()).await;
    let push = push.map_err(refused)?;
    tracing::info!(push = push.id, label = push.label, by = who.name, "a browser is told of alerts");
    Ok((StatusCode::CREATED, NO_STORE, Json(told(&push))).into_response())
}

/// Has a browser reached by the subscription that its push service gave it in place of another one. No login is
/// asked for: the service does so at any time, and the secret of the one before shows whose browser it is.
///
/// # Errors
/// 400 for what is wrong with it, 404 when there is none such, 503 when it cannot be kept.
pub async fn renew(
    State(app): State<Arc<App>>,
    body: Result<Json<Renew>, JsonRejection>,
) -> Result<Response, ProblemResponse> {
    let Json(body) = body.map_err(|error| unread(&error))?;
    let fresh = reached(body.endpoint, &body.keys)?;
    let secret = bytes("old.auth", &body.old.auth)?;
    let push = app.notify.renew_push(&body.old.endpoint, &secret, fresh).await.map_err(refused)?;
    tracing::info!(push = push.id, label = push.label, "a browser has another subscription");
    Ok((StatusCode::NO_CONTENT, NO_STORE).into_response())
}

/// Takes a browser of whoever asks away; an admin any.
///
/// # Errors
/// 404 when they have none of that id.
pub async fn unsubscribe(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
) -> Result<Response, ProblemResponse> {
    let key = who.key();
    match app.notify.unsubscribe_push(&id, Some(key.as_str()).filter(|_| !is_admin(&who))) {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(none(&id)),
    }
}

/// Sends a test to a browser of whoever asks.
///
/// # Errors
/// As [`unsubscribe`].
pub async fn test(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
) -> Result<Response, ProblemResponse> {
    let is_theirs = app.notify.pushes_of(&who.key()).iter().any(|push| push.id == id);
    let receiver = app.notify.receiver_of_push(&id).filter(|_| is_theirs).ok_or_else(|| none(&id))?;
    let tried = app.notify.try_out(&receiver).await.map_err(|_| none(&id))?;
    Ok((NO_STORE, Json(tried)).into_response())
}

/// Whether they may take away what others subscribed.
fn is_admin(who: &Who) -> bool {
    who.role == Role::Admin && !who.is_limited()
}

fn reached(endpoint: String, keys: &Keys) -> Result<PushReached, ProblemResponse> {
    Ok(PushReached { p256dh: bytes("p256dh", &keys.p256dh)?, auth: bytes("auth", &keys.auth)?, endpoint })
}

fn bytes(name: &str, text: &str) -> Result<Vec<u8>, ProblemResponse> {
    let read = URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text));
    read.map_err(|_| bad(format!("`{name}` is not base64url")))
}

fn refused(error: PushError) -> ProblemResponse {
    let (status, title) = match error {
        PushError::Bad(_) => (StatusCode::BAD_REQUEST, "Bad subscription"),
        PushError::TooMany(_) => (StatusCode::CONFLICT, "Too many subscriptions"),
        PushError::Unknown => (StatusCode::NOT_FOUND, "No such subscription"),
        PushError::State => (StatusCode::SERVICE_UNAVAILABLE, "No state"),
    };
    problem(status, title, error.to_string())
}

fn none(id: &str) -> ProblemResponse {
    problem(StatusCode::NOT_FOUND, "No such subscription", format!("you have no subscription `{id}`"))
}

/// A subscription without what it is reached by.
fn told(push: &KeptPush) -> Value {
    json!({
        "id": push.id, "label": push.label, "severities": push.severities, "select": push.select,
        "created_at": push.created_at, "key": URL_SAFE_NO_PAD.encode(&push.p256dh),
    })
}
