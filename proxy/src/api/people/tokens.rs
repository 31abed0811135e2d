//! `/api/v1/tokens`: tokens for programs.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
    response::IntoResponse,
};
use fleetglass_shared::wire::{NewToken, TokenMade, Tokens};

use super::{Answer, NO_STORE, body, is_admin, needs_fresh_login, refused};
use crate::{
    api::problem::problem,
    auth::{ApiToken, Credential, Guard, Who, audit::Of},
};

/// The tokens of whoever asks; of everybody, for admins. The newest first.
///
/// # Errors
/// None.
pub async fn list(State(guard): State<Arc<Guard>>, Extension(who): Extension<Who>) -> Answer {
    let all = guard.people.api_tokens();
    let tokens = all.iter().filter(|token| may_see(&who, token)).map(|token| token.told()).collect();
    Ok((NO_STORE, Json(Tokens { tokens })).into_response())
}

/// Makes a token, and tells it this once.
///
/// # Errors
/// 400 for what is wrong with it, 403 when it goes beyond its maker.
pub async fn make(
    State(guard): State<Arc<Guard>>,
    Extension(who): Extension<Who>,
    Extension(credential): Extension<Credential>,
    wish: Result<Json<NewToken>, JsonRejection>,
) -> Answer {
    if matches!(credential, Credential::ApiToken { .. }) {
        // Else it could live for ever.
        let words = "A token makes no tokens: sign in.";
        return Err(problem(StatusCode::FORBIDDEN, "Not allowed", words));
    }
    needs_fresh_login(&guard, &credential)?;
    let made = guard.people.make_token(body(wish)?, &who).await;
    let (made, token) = made.map_err(|error| refused(&error))?;
    tracing::info!(token = made.id, name = made.name, role = made.role, by = who.name, "a token was made");
    let of = Extension(Of(format!("{} {}", made.id, made.name)));
    Ok((StatusCode::CREATED, NO_STORE, of, Json(TokenMade { made, token })).into_response())
}

/// Takes a token away, with what is open for it.
///
/// # Errors
/// 404 when there is none, or it is somebody else's.
pub async fn revoke(
    State(guard): State<Arc<Guard>>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
) -> Answer {
    let all = guard.people.api_tokens();
    let Some(meant) = all.iter().find(|token| token.id() == id && may_see(&who, token)) else {
        return Err(problem(StatusCode::NOT_FOUND, "No such token", format!("there is no token `{id}`")));
    };
    guard.people.revoke_token(&id).await.map_err(|error| refused(&error))?;
    tracing::info!(token = id, by = who.name, "a token was revoked");
    Ok((NO_STORE, Json(meant.told())).into_response())
}

fn may_see(who: &Who, token: &ApiToken) -> bool {
    is_admin(who) || token.is_of(&who.name, who.via)
}
