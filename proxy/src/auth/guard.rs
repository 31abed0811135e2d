//! Lets requests through, or not, and says who they come from.

use std::sync::Arc;

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{People, Tokens, Via, Way, Who, audit::Act, oidc::Oidc, origin::Own};
use crate::{api::problem::problem, config::Config, edge::Visit};

/// What guards a listener.
#[derive(Debug)]
pub struct Guard {
    /// Accepted tokens of the config; swapped on reload.
    pub tokens: arc_swap::ArcSwap<Tokens>,
    /// Everybody else who is known.
    pub people: Arc<People>,
    /// The OpenID provider that people sign in with; swapped on reload.
    pub oidc: arc_swap::ArcSwapOption<Oidc>,
    /// As the config says that others reach us.
    external: Option<String>,
    /// Host names besides loopback ones by which a listener without login may be called.
    hosts: Vec<String>,
    own: Own,
}

/// What somebody came with: in the extensions of every guarded request, beside the [`Who`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Nothing: the listener asks nobody.
    Nothing,
    /// A token of the config.
    ConfigToken,
    /// A token that somebody made, by its id.
    ApiToken {
        /// Its id.
        id: String,
        /// What it is narrowed to; everything that its role may, with none.
        scopes: Vec<String>,
    },
    /// A session, by its id.
    Session(String),
}

impl Credential {
    /// Whether what somebody came with is for this, by a word of the table of routes. What their role may is another
    /// question.
    pub fn is_for(&self, permission: &str) -> bool {
        match self {
            Self::ApiToken { scopes, .. } => scopes.is_empty() || scopes.iter().any(|own| own == permission),
            Self::Nothing | Self::ConfigToken | Self::Session(_) => true,
        }
    }
}

/// Somebody who is let in.
struct Entered {
    who: Who,
    credential: Credential,
    /// What is open for them ends with it.
    ended: Option<CancellationToken>,
}

/// Why somebody is not let in.
enum Refused {
    UnknownHost,
    LoginNeeded,
    OtherOrigin(Box<Who>),
}

impl Guard {
    /// What a config says.
    pub fn new(tokens: Tokens, people: Arc<People>, config: &Config) -> Self {
        let own = |url: String| url.split_once("://").map(|(_, rest)| host_of(rest).to_owned());
        let external = own(config.external_url()).into_iter();
        let hosts = config.server.hosts.clone();
        let origins = if config.cors.credentials { config.cors.origins.clone() } else { Vec::new() };
        Self {
            tokens: arc_swap::ArcSwap::from_pointee(tokens),
            people,
            oidc: arc_swap::ArcSwapOption::empty(),
            external: config.has_external_url().then(|| config.external_url()),
            own: Own {
                hosts: external.chain(hosts.iter().cloned()).collect(),
                origins,
                guests: config.cors.origins.clone(),
            },
            hosts,
        }
    }

    /// The provider that people sign in with, from now on.
    pub fn set_oidc(&self, oidc: Option<Oidc>) {
        let known = self.oidc.load();
        let is_same = match (&*known, &oidc) {
            (Some(known), Some(oidc)) => known.is_same(oidc),
            (None, None) => true,
            _ => false,
        };
        // A login in progress goes on.
        if !is_same {
            let way = oidc.as_ref().map(|oidc| Way {
                label: oidc.label().to_owned(),
                href: "/login/oidc".to_owned(),
                via: Via::Oidc,
            });
            self.people.set_ways(way.into_iter().collect());
            self.oidc.store(oidc.map(Arc::new));
        }
    }

    /// Our own URL as a browser has it, without a slash at its end.
    pub(super) fn own_url(&self, visit: &Visit, headers: &HeaderMap) -> String {
        if let Some(external) = &self.external {
            let base = if external.ends_with(&visit.base) { "" } else { &visit.base };
            return format!("{external}{base}");
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let scheme = if self.people.is_https(visit) { "https" } else { "http" };
        format!("{scheme}://{host}{}", visit.base)
    }

    /// Whether everybody is asked who they are.
    pub fn asks(&self) -> bool {
        !self.tokens.load().is_open() || self.people.asks()
    }

    /// Whether a request comes from a page of ours.
    pub fn is_own_page(&self, headers: &HeaderMap, visit: &Visit) -> bool {
        self.own.is_page(headers, visit)
    }

    /// In this order: a token of the config, a token that somebody made, a session.
    fn enter(&self, request: &Request) -> Result<Entered, Refused> {
        let only_looks = matches!(*request.method(), Method::GET | Method::HEAD);
        let visit = request.extensions().get::<Visit>();
        if !self.asks() {
            if !is_local_host(request, &self.hosts) {
                return Err(Refused::UnknownHost);
            }
            // Whoever is at this machine looks at other pages, too.
            let is_foreign = || visit.is_some_and(|visit| self.own.is_foreign_page(request.headers(), visit));
            if !only_looks && is_foreign() {
                return Err(Refused::OtherOrigin(Box::new(Who::local())));
            }
            return Ok(Entered { who: Who::local(), credential: Credential::Nothing, ended: None });
        }
        let headers = request.headers();
        if let Some(who) = self.tokens.load().holder(headers).cloned() {
            return Ok(Entered { who, credential: Credential::ConfigToken, ended: None });
        }
        let visit = visit.ok_or(Refused::LoginNeeded)?;
        let named = |name: &str| self.tokens.load().named(name).cloned();
        if let Some((who, token)) = self.people.token_of(headers, visit, named) {
            let (id, scopes) = (token.id().to_owned(), token.scopes().to_vec());
            let ended = Some(token.ended());
            return Ok(Entered { who, credential: Credential::ApiToken { id, scopes }, ended });
        }
        let session = self.people.session_of(visit, headers).ok_or(Refused::LoginNeeded)?;
        if !only_looks && !self.is_own_page(headers, visit) {
            return Err(Refused::OtherOrigin(Box::new(session.who())));
        }
        Ok(Entered {
            who: session.who(),
            credential: Credential::Session(session.id().to_owned()),
            ended: Some(session.ended().clone()),
        })
    }
}

/// Lets a request through when it carries something that is accepted, or when no login is needed and it was
/// meant for this machine (a page elsewhere cannot reach us under a name it rebound to 127.0.0.1).
pub async fn require(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    match guard.enter(&request) {
        Ok(entered) => {
            let act = Act::of(&mut request, &entered.who).await;
            let response = let_in(entered, request, next).await;
            guard.people.note_act(act, &response);
            response
        }
        Err(refused) => {
            if let Refused::OtherOrigin(who) = &refused {
                guard.people.note_other_origin(Act::of(&mut request, who).await);
            }
            refused.into_response()
        }
    }
}

/// As [`require`], but lets everybody through: whoever is not known has no [`Who`].
pub async fn look(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.enter(&request) {
        Ok(entered) => let_in(entered, request, next).await,
        Err(_) => next.run(request).await,
    }
}

async fn let_in(entered: Entered, mut request: Request, next: Next) -> Response {
    let Entered { who, credential, ended } = entered;
    request.extensions_mut().insert(who);
    request.extensions_mut().insert(credential);
    let response = next.run(request).await;
    match ended {
        Some(ended) => open_until(ended, response),
        None => response,
    }
}

/// A stream that is cut off when what it was opened with ends. What has its length already is let go as it is.
fn open_until(ended: CancellationToken, response: Response) -> Response {
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    response.map(|body| Body::from_stream(body.into_data_stream().take_until(ended.cancelled_owned())))
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::UnknownHost => problem(
                StatusCode::MISDIRECTED_REQUEST,
                "Unknown host",
                "This listener has no login, so it answers only to localhost. Add the name to [server] hosts, or a token.",
            )
            .into_response(),
            Self::LoginNeeded => {
                let mut response = problem(
                    StatusCode::UNAUTHORIZED,
                    "Login needed",
                    "Sign in at /login, or send `Authorization: Bearer TOKEN` with a token that the config lists; \
                     `fleetglass token new` makes one.",
                )
                .into_response();
                let challenge = header::HeaderValue::from_static("Bearer");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                response
            }
            Self::OtherOrigin(_) => problem(
                StatusCode::FORBIDDEN,
                "Another origin",
                "A browser changes things only from a page of this Fleetglass: `Origin` must be of this host, of \
                 [notify] external_url or of [server] hosts. Programs use a token.",
            )
            .into_response(),
        }
    }
}

/// The host and the port that stand before a path.
fn host_of(text: &str) -> &str {
    text.split('/').next().unwrap_or_default()
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
