//! People, by the API: `/api/v1/me` says who asks and how one can log in; one file for each of the rest.

pub mod audit;
pub mod sessions;
pub mod tokens;
pub mod users;

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{State, rejection::JsonRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::wire::{Can, Me, Ways};

use super::{
    params::unread,
    problem::{ProblemResponse, problem},
};
use crate::auth::{Credential, Guard, PeopleError, Role, Via, Who};

const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

type Answer = Result<Response, ProblemResponse>;

/// Who asks. Nobody may ask, too: then it says how to log in.
pub async fn me(
    State(guard): State<Arc<Guard>>,
    who: Option<Extension<Who>>,
    credential: Option<Extension<Credential>>,
) -> Response {
    let who = who.map(|Extension(who)| who);
    // A reverse proxy says with each request who somebody is; an OpenID provider only when they sign in.
    if let Some(who) = who.as_ref().filter(|who| who.via == Via::Header) {
        guard.people.tell_vouched(who);
    }
    let has_session = matches!(&credential, Some(Extension(Credential::Session(_))));
    let people = &guard.people;
    let oidc = people.ways().iter().find(|way| way.via == Via::Oidc).map(|way| way.label.clone());
    let at_least = |role: Role| who.as_ref().is_some_and(|who| who.role >= role);
    let can = Can {
        alerts: at_least(Role::Operator),
        shares: at_least(Role::Operator),
        history: who.as_ref().is_some_and(is_admin),
        people: who.as_ref().is_some_and(is_admin),
        tokens: who.is_some() && !matches!(credential, Some(Extension(Credential::ApiToken { .. }))),
        password: has_session && who.as_ref().is_some_and(|who| who.via == Via::Password),
    };
    let me = Me {
        role: who.as_ref().map(|who| who.role.as_str().to_owned()),
        select: who.as_ref().map(|who| who.select.clone()).unwrap_or_default(),
        via: who.as_ref().map(|who| who.via.as_str().to_owned()),
        name: who.map(|who| who.name),
        ways: Ways { password: people.has_users(), oidc },
        login_needed: guard.asks(),
        can,
    };
    (NO_STORE, Json(me)).into_response()
}

/// Whether somebody may see and change other people: an admin to whom nothing of the fleet is hidden.
fn is_admin(who: &Who) -> bool {
    who.role == Role::Admin && !who.is_limited()
}

fn needs_admin(who: &Who) -> Result<(), ProblemResponse> {
    if is_admin(who) {
        return Ok(());
    }
    let words = "This needs the role admin, for the whole fleet.";
    Err(problem(StatusCode::FORBIDDEN, "Not allowed", words))
}

/// Whoever left a browser open did not mean that somebody else makes people with it.
fn needs_fresh_login(guard: &Guard, credential: &Credential) -> Result<(), ProblemResponse> {
    match credential {
        Credential::Session(id) => guard.people.is_fresh(id).map_err(|error| refused(&error)),
        // How fresh a proxy's own sign-in is, the proxy knows.
        Credential::Nothing | Credential::ConfigToken | Credential::Header => Ok(()),
        Credential::ApiToken { scopes, .. } if scopes.is_empty() => Ok(()),
        // Else one that is narrowed makes people that are not.
        Credential::ApiToken { .. } => Err(problem(
            StatusCode::FORBIDDEN,
            "Not allowed",
            "A token that is narrowed by scopes changes no people: sign in, or use one that has none.",
        )),
    }
}

fn body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, ProblemResponse> {
    let Json(wish) = body.map_err(|error| unread(&error))?;
    Ok(wish)
}

fn refused(error: &PeopleError) -> ProblemResponse {
    let (status, title) = match error {
        PeopleError::Bad(_) => (StatusCode::BAD_REQUEST, "Bad request"),
        PeopleError::NotFound(_) => (StatusCode::NOT_FOUND, "Not found"),
        PeopleError::Conflict(_) => (StatusCode::CONFLICT, "Conflict"),
        PeopleError::Forbidden(_) => (StatusCode::FORBIDDEN, "Not allowed"),
        PeopleError::Wrong => (StatusCode::FORBIDDEN, "Wrong password"),
        PeopleError::TooSoon(_) => (StatusCode::TOO_MANY_REQUESTS, "Too many tries"),
        PeopleError::State(_) | PeopleError::NoRandomness => (StatusCode::SERVICE_UNAVAILABLE, "No state"),
    };
    problem(status, title, error.to_string())
}
