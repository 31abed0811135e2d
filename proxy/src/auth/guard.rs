//! Lets requests through, or not, and says who they come from.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Tokens, Who};
use crate::api::problem::problem;

/// What guards a listener.
#[derive(Debug)]
pub struct Guard {
    /// Accepted tokens; swapped on reload.
    pub tokens: arc_swap::ArcSwap<Tokens>,
    /// Host names besides loopback ones by which a listener without login may be called.
    pub hosts: Vec<String>,
}

/// Lets a request through when it carries an accepted token, or when no login is needed and it was
/// meant for this machine (a page elsewhere cannot reach us under a name it rebound to 127.0.0.1).
pub async fn require(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let tokens = guard.tokens.load();
    if tokens.is_open() {
        if is_local_host(&request, &guard.hosts) {
            request.extensions_mut().insert(Who::local());
            return next.run(request).await;
        }
        return problem(
            StatusCode::MISDIRECTED_REQUEST,
            "Unknown host",
            "This listener has no login, so it answers only to localhost. Add the name to [server] hosts, or a token.",
        )
        .into_response();
    }
    if let Some(who) = tokens.holder(request.headers()).cloned() {
        request.extensions_mut().insert(who);
        return next.run(request).await;
    }
    let mut response = problem(
        StatusCode::UNAUTHORIZED,
        "Login needed",
        "Send `Authorization: Bearer TOKEN` with a token that the config lists; `fleetglass token new` makes one.",
    )
    .into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    response
}

fn is_local_host(request: &Request, hosts: &[String]) -> bool {
    let named = request
        .headers()
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    // HTTP/1.0 without Host cannot come from a browser.
    let Some(named) = named else { return true };
    let name = match named.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => named,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        || hosts.iter().any(|host| host.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_rebound_name_is_not_local() {
        for (host, local) in [
            ("localhost:8080", true),
            ("127.0.0.1:8080", true),
            ("[::1]:8080", true),
            ("127.8.9.1", true),
            ("fleet.lan:8080", true),
            ("evil.example", false),
            ("localhost.evil.example:8080", false),
            ("10.0.0.5:8080", false),
        ] {
            let request = Request::builder().header("host", host).body(axum::body::Body::empty()).unwrap();
            assert_eq!(is_local_host(&request, &["fleet.lan".to_owned()]), local, "{host}");
        }
    }
}
