//! Lets requests through, or not, and says who they come from.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{HeaderLogin, Tokens, Who, header::Vouched};
use crate::{
    api::problem::problem,
    config::Config,
    edge::{Visit, bare_host, is_loopback},
};

/// What guards a listener.
#[derive(Debug)]
pub struct Guard {
    /// Accepted tokens; swapped on reload.
    pub tokens: ArcSwap<Tokens>,
    /// Whose word for who asks is taken; swapped on reload.
    pub header: ArcSwapOption<HeaderLogin>,
    /// Host names besides loopback ones by which a listener without login may be called.
    pub hosts: Vec<String>,
}

impl Guard {
    /// That of a config, whose tokens were read.
    pub fn of(config: &Config, tokens: Tokens) -> Self {
        Self {
            tokens: ArcSwap::from_pointee(tokens),
            header: ArcSwapOption::from(header_login(config)),
            hosts: config.server.hosts.clone(),
        }
    }

    /// Takes the ways to log in of another config.
    pub fn set(&self, config: &Config, tokens: Tokens) {
        self.tokens.store(Arc::new(tokens));
        self.header.store(header_login(config));
    }

    /// Whether no login is needed.
    pub fn is_open(&self) -> bool {
        self.tokens.load().is_open() && self.header.load().is_none()
    }
}

fn header_login(config: &Config) -> Option<Arc<HeaderLogin>> {
    config.auth.trusted_header.as_ref().and_then(HeaderLogin::of).map(Arc::new)
}

/// Lets a request through when it carries an accepted token, when a listed reverse proxy says who it comes from, or
/// when no login is needed and it was meant for this machine (a page elsewhere cannot reach us under a name it rebound
/// to 127.0.0.1).
pub async fn require(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let visit = request.extensions().get::<Visit>().cloned();
    if guard.is_open() {
        if visit.is_some_and(|visit| is_local(&visit, &guard.hosts)) {
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
    if let Some(who) = guard.tokens.load().holder(request.headers()).cloned() {
        request.extensions_mut().insert(who);
        return next.run(request).await;
    }
    if let (Some(login), Some(visit)) = (&*guard.header.load(), visit) {
        match login.vouched(visit.peer, request.headers()) {
            Vouched::Who(who) => {
                request.extensions_mut().insert(who);
                return next.run(request).await;
            }
            Vouched::NoRole => {
                return problem(
                    StatusCode::FORBIDDEN,
                    "No role",
                    "You are known here, but no [[auth.trusted_header.role]] gives a role to you or to a group of yours.",
                )
                .into_response();
            }
            Vouched::Nobody => {}
        }
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

/// Whether a request is meant for this machine, or for a name that the config lists. One that a reverse proxy passed on
/// for somebody elsewhere is not for this machine, whatever name the proxy asks for.
fn is_local(visit: &Visit, hosts: &[String]) -> bool {
    // HTTP/1.0 without Host cannot come from a browser.
    let Some(named) = &visit.host else { return !visit.is_forwarded };
    let name = bare_host(named);
    let from_here = !visit.is_forwarded || visit.ip.is_loopback();
    (from_here && is_loopback(name)) || hosts.iter().any(|host| host.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn visit(host: Option<&str>, forwarded_for: Option<&str>) -> Visit {
        let ip = forwarded_for.unwrap_or("127.0.0.1").parse().unwrap();
        Visit {
            ip,
            is_https: false,
            base: String::new(),
            peer: "127.0.0.1".parse().unwrap(),
            host: host.map(str::to_owned),
            is_forwarded: forwarded_for.is_some(),
        }
    }

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
            assert_eq!(is_local(&visit(Some(host), None), &["fleet.lan".to_owned()]), local, "{host}");
        }
        assert!(is_local(&visit(None, None), &[]));
    }

    #[test]
    fn what_a_proxy_passes_on_for_others_is_not_local() {
        let hosts = ["fleet.lan".to_owned()];
        for (host, ip, local) in [
            // nginx asks for its upstream's name unless told otherwise.
            (Some("127.0.0.1:8080"), "203.0.113.7", false),
            (Some("localhost"), "203.0.113.7", false),
            (Some("evil.example"), "127.0.0.1", false),
            (Some("fleet.lan"), "203.0.113.7", true),
            (Some("localhost:8443"), "127.0.0.1", true),
            (None, "127.0.0.1", false),
        ] {
            assert_eq!(is_local(&visit(host, Some(ip)), &hosts), local, "{host:?} for {ip}");
        }
    }
}
