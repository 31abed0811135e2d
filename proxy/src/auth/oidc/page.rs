//! `/login/oidc`: to the provider and back.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use super::{Oidc, OidcError};
use crate::{
    auth::{
        Guard, Via,
        login::{next_of, page},
    },
    edge::Visit,
    letters::escaped,
    query::Params,
};

const COOKIE: &str = "fleetglass_oidc";

/// Sends a browser to the provider.
pub async fn begin(
    State(guard): State<Arc<Guard>>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let Some(oidc) = guard.oidc.load_full() else { return none(&visit) };
    let asked = Params::read(uri.query(), &[]).ok().and_then(|form| form.get("next").map(str::to_owned));
    let next = next_of(asked.as_deref(), &visit.base);
    let again = guard.people.session_of(&visit, &headers).is_some();
    match oidc.begun(back(&guard, &oidc, &visit), next, again).await {
        Ok(begun) => to(&begun.url, cookie(&guard, &visit, &begun.secret, 600)),
        Err(error) => told(&guard, &oidc, &visit, &error),
    }
}

/// Takes in who comes back.
pub async fn callback(
    State(guard): State<Arc<Guard>>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let Some(oidc) = guard.oidc.load_full() else { return none(&visit) };
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let secret = pairs.find(|(name, _)| *name == COOKIE).map(|(_, secret)| secret);
    let answered = match Params::read(uri.query(), &[]) {
        Ok(answer) => oidc.proved(secret, &answer).await,
        Err(_) => Err(OidcError::Stray("The answer cannot be read.")),
    };
    let gone = cookie(&guard, &visit, "", 0);
    let begun =
        answered.and_then(|(identity, next)| Ok((guard.people.begin(identity, &visit, &headers)?, next)));
    let mut response = match begun {
        Ok((session, next)) => to(&format!("{}{next}", visit.base), Some(session)),
        Err(error) => told(&guard, &oidc, &visit, &error),
    };
    if let Some(gone) = gone {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    response
}

/// Where the provider sends people back to.
fn back(guard: &Guard, oidc: &Oidc, visit: &Visit) -> String {
    if let Some(url) = &oidc.config.redirect_url {
        return url.clone();
    }
    format!("{}/login/oidc/callback", guard.own_url(visit))
}

fn cookie(guard: &Guard, visit: &Visit, secret: &str, seconds: u32) -> Option<HeaderValue> {
    let secure = if guard.people.is_https(visit) { "; Secure" } else { "" };
    // Lax, for the provider's page leads here.
    let text = format!(
        "{COOKIE}={secret}; Path={}/login/oidc; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}",
        visit.base
    );
    HeaderValue::from_str(&text).ok()
}

fn to(url: &str, cookie: Option<HeaderValue>) -> Response {
    let to = [(header::LOCATION, url.to_owned()), (header::CACHE_CONTROL, "no-store".to_owned())];
    let mut response = (StatusCode::SEE_OTHER, to).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn none(visit: &Visit) -> Response {
    let words = "<p>No OpenID provider is set up here.</p>";
    failed(visit, StatusCode::NOT_FOUND, words)
}

fn failed(visit: &Visit, status: StatusCode, words: &str) -> Response {
    let base = escaped(&visit.base);
    let again = format!("<p><a class=\"button\" href=\"{base}/login\">Sign in again</a></p>");
    page(status, "Not signed in", &format!("<h1>Not signed in</h1>{words}{again}"))
}

/// An error in words. What the provider said is in the log alone.
fn told(guard: &Guard, oidc: &Oidc, visit: &Visit, error: &OidcError) -> Response {
    let (status, words, outcome) = match error {
        OidcError::Provider(_) => {
            let words = "The provider does not answer as it should; the log says why. Try again in a while.";
            (StatusCode::BAD_GATEWAY, words.to_owned(), "provider")
        }
        OidcError::Proof(_) => {
            (StatusCode::FORBIDDEN, "What the provider said could not be proved.".to_owned(), "proof")
        }
        OidcError::Stray(why) => (StatusCode::FORBIDDEN, (*why).to_owned(), "stray"),
        OidcError::Refused(code) => {
            (StatusCode::FORBIDDEN, format!("The provider did not sign you in: {code}."), "refused")
        }
        OidcError::NoRole => {
            let words = "The provider knows you, but nobody gave any of your groups a role here.";
            (StatusCode::FORBIDDEN, words.to_owned(), "no role")
        }
        OidcError::People(_) => {
            let words = "Nobody can sign in just now; the log says why.";
            (StatusCode::SERVICE_UNAVAILABLE, words.to_owned(), "unavailable")
        }
    };
    if oidc.is_noted(outcome) {
        guard.people.note_login_failed("", Via::Oidc, visit, outcome);
        match error {
            OidcError::Provider(_) | OidcError::Proof(_) | OidcError::People(_) => {
                tracing::error!("somebody could not sign in with the OpenID provider: {error}");
            }
            _ => {}
        }
    }
    failed(visit, status, &format!("<p class=\"wrong\" role=\"alert\">{}</p>", escaped(&words)))
}
