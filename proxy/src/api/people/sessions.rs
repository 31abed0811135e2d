//! `/api/v1/sessions`: who is logged in, and an end to it.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use fleetglass_shared::wire::{self, Sessions};
use serde_json::json;

use super::{Answer, NO_STORE, is_admin};
use crate::{
    api::problem::problem,
    auth::{Credential, Guard, Session, Who},
};

/// The sessions of whoever asks; of everybody, for admins.
///
/// # Errors
/// None.
pub async fn list(
    State(guard): State<Arc<Guard>>,
    Extension(who): Extension<Who>,
    Extension(credential): Extension<Credential>,
) -> Answer {
    let own = own_id(&credential);
    let sessions = guard.people.sessions();
    let told = sessions.iter().filter(|session| may_see(&who, session));
    let sessions = told.map(|session| tell(&guard, session, own)).collect();
    Ok((NO_STORE, Json(Sessions { sessions })).into_response())
}

/// Ends a session, with what is open for it.
///
/// # Errors
/// 404 when there is none, or it is somebody else's.
pub async fn revoke(
    State(guard): State<Arc<Guard>>,
    Extension(who): Extension<Who>,
    Extension(credential): Extension<Credential>,
    Path(id): Path<String>,
) -> Answer {
    let sessions = guard.people.sessions();
    let meant = sessions.iter().find(|session| session.id() == id && may_see(&who, session));
    let Some(meant) = meant else {
        return Err(problem(StatusCode::NOT_FOUND, "No such session", format!("there is no session `{id}`")));
    };
    guard.people.end_where(|session| session.id() == id);
    guard.people.flush().await.map_err(|error| super::refused(&error))?;
    tracing::info!(session = id, of = meant.who().name, by = who.name, "a session was ended");
    Ok((NO_STORE, Json(tell(&guard, meant, own_id(&credential)))).into_response())
}

/// Ends all other sessions of whoever asks.
///
/// # Errors
/// 503 when it cannot be kept that they ended.
pub async fn revoke_others(
    State(guard): State<Arc<Guard>>,
    Extension(who): Extension<Who>,
    Extension(credential): Extension<Credential>,
) -> Answer {
    let own = own_id(&credential).map(str::to_owned);
    let ended =
        guard.people.end_where(|session| is_of(&who, session) && own.as_deref() != Some(session.id()));
    guard.people.flush().await.map_err(|error| super::refused(&error))?;
    tracing::info!(ended, of = who.name, "other sessions were ended");
    Ok((NO_STORE, Json(json!({ "ended": ended }))).into_response())
}

fn own_id(credential: &Credential) -> Option<&str> {
    match credential {
        Credential::Session(id) => Some(id),
        _ => None,
    }
}

fn is_of(who: &Who, session: &Session) -> bool {
    let of = session.who();
    of.name == who.name && of.via == who.via
}

fn may_see(who: &Who, session: &Session) -> bool {
    is_admin(who) || is_of(who, session)
}

fn tell(guard: &Guard, session: &Session, own: Option<&str>) -> wire::Session {
    let kept = session.kept();
    wire::Session {
        user: kept.name,
        via: kept.via.as_str().to_owned(),
        role: kept.role.as_str().to_owned(),
        created_at: kept.created_at,
        last_used_at: kept.used_at,
        expires_at: guard.people.ends_at(session),
        ip: kept.ip,
        user_agent: kept.agent,
        current: own == Some(kept.id.as_str()),
        id: kept.id,
    }
}
