//! `/api/v1/users`, for admins, and `/api/v1/me/password`, for everybody who has one.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State, rejection::JsonRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use fleetglass_shared::wire::{NewPassword, NewUser, User, UserChange, Users};

use super::{Answer, NO_STORE, body, needs_admin, needs_fresh_login, refused};
use crate::{
    api::problem::problem,
    auth::{Credential, Guard, PeopleError, Via, Who, audit::Of},
    edge::Visit,
    state::KeptUser,
};

/// Every user, by name.
///
/// # Errors
/// 403 for whoever is no admin.
pub async fn list(State(guard): State<Arc<Guard>>, Extension(who): Extension<Who>) -> Answer {
    needs_admin(&who)?;
    let users = guard.people.users().iter().map(KeptUser::told).collect();
    Ok((NO_STORE, Json(Users { users })).into_response())
}

/// Makes a user. With the first one everybody is asked who they are.
///
/// # Errors
/// 400 for what is wrong with it, 409 when there is one of that name.
pub async fn add(
    State(guard): State<Arc<Guard>>,
    Extension(who): Extension<Who>,
    Extension(credential): Extension<Credential>,
    wish: Result<Json<NewUser>, JsonRejection>,
) -> Answer {
    needs_admin(&who)?;
    needs_fresh_login(&guard, &credential)?;
    let NewUser { name, password, role, select } = body(wish)?;
    let wish = UserChange { role, select, password: Some(password), disabled: None };
    let user = guard.people.add_user(&name, wish, &who.name).await.map_err(|error| refused(&error))?;
    tracing::info!(user = user.name, role = user.role.as_str(), by = who.name, "a user was made");
    Ok((StatusCode::CREATED, NO_STORE, Extension(Of(name)), Json(user.told())).into_response())
}

/// Changes a user; what is absent stays as it is. Their sessions end.
///
/// # Errors
/// As [`add`]; 404 when there is none, 409 when no admin would be left.
pub async fn change(
    State(guard): State<Arc<Guard>>,
    Extension(who): Extension<Who>,
    Extension(credential): Extension<Credential>,
    Path(name): Path<String>,
    wish: Result<Json<UserChange>, JsonRejection>,
) -> Answer {
    needs_admin(&who)?;
    needs_fresh_login(&guard, &credential)?;
    let wish = body(wish)?;
    let user = guard.people.change_user(&name, wish).await.map_err(|error| refused(&error))?;
    tracing::info!(user = user.name, role = user.role.as_str(), by = who.name, "a user was changed");
    Ok((NO_STORE, Json(user.told())).into_response())
}

/// Takes a user away, with their sessions and tokens.
///
/// # Errors
/// 404 when there is none, 409 when no admin would be left.
pub async fn remove(
    State(guard): State<Arc<Guard>>,
    Extension(who): Extension<Who>,
    Extension(credential): Extension<Credential>,
    Path(name): Path<String>,
) -> Answer {
    needs_admin(&who)?;
    needs_fresh_login(&guard, &credential)?;
    let user = guard.people.remove_user(&name).await.map_err(|error| refused(&error))?;
    tracing::info!(user = user.name, by = who.name, "a user was taken away");
    Ok((NO_STORE, Json(user.told())).into_response())
}

/// Changes the password of whoever asks and knows the old one. All sessions of theirs end; this one begins anew.
///
/// # Errors
/// 403 when the old one is wrong, 429 when it was tried too often, 400 when the new one cannot be taken.
pub async fn password(
    State(guard): State<Arc<Guard>>,
    Extension(who): Extension<Who>,
    Extension(credential): Extension<Credential>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    wish: Result<Json<NewPassword>, JsonRejection>,
) -> Answer {
    if who.via != Via::Password || !matches!(credential, Credential::Session(_)) {
        return Err(problem(
            StatusCode::FORBIDDEN,
            "No password",
            "Only whoever is signed in with a password has one to change.",
        ));
    }
    let NewPassword { old, new } = body(wish)?;
    let people = &guard.people;
    let changed = people.change_password(&who.name, &old, &new, &visit).await;
    let identity = match changed {
        Ok(identity) => identity,
        Err(error @ PeopleError::TooSoon(seconds)) => {
            let wait = [(header::RETRY_AFTER, HeaderValue::from(seconds))];
            return Ok((wait, refused(&error)).into_response());
        }
        Err(error) => return Err(refused(&error)),
    };
    let cookie = people.begin(identity, &visit, &headers).map_err(|error| refused(&error))?;
    tracing::info!(user = who.name, "a password was changed");
    let headers = [(header::SET_COOKIE, cookie)];
    Ok((StatusCode::NO_CONTENT, NO_STORE, headers).into_response())
}

impl KeptUser {
    /// As admins see them.
    pub fn told(&self) -> User {
        User {
            name: self.name.clone(),
            role: self.role.as_str().to_owned(),
            select: self.select.clone(),
            disabled: self.disabled_at.is_some(),
            created_by: self.created_by.clone(),
            created_at: self.created_at,
            password_at: self.password_at,
            last_login_at: self.login_at,
        }
    }
}
