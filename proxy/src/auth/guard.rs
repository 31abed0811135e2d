//! Lets requests through, or not, and says who they come from.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{
    HeaderLogin, People, Tokens, Via, Way, Who, audit::Act, header::Vouched, oidc::Oidc, origin::Own,
};
use crate::{
    api::problem::problem,
    config::Config,
    edge::{Visit, bare_host, is_loopback},
};

/// What guards a listener.
#[derive(Debug)]
pub struct Guard {
    /// Accepted tokens of the config; swapped on reload.
    pub tokens: ArcSwap<Tokens>,
    /// Whose word for who asks is taken; swapped on reload.
    pub header: ArcSwapOption<HeaderLogin>,
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
    /// A reverse proxy's word.
    Header,
}

impl Credential {
    /// Whether what somebody came with is for this, by a word of the table of routes. What their role may is another
    /// question.
    pub fn is_for(&self, permission: &str) -> bool {
        match self {
            Self::ApiToken { scopes, .. } => scopes.is_empty() || scopes.iter().any(|own| own == permission),
            Self::Nothing | Self::ConfigToken | Self::Session(_) | Self::Header => true,
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
    NoRole,
}

impl Guard {
    /// What a config says.
    pub fn new(tokens: Tokens, people: Arc<People>, config: &Config) -> Self {
        let own = |url: String| url.split_once("://").map(|(_, rest)| host_of(rest).to_owned());
        let external = own(config.external_url()).into_iter();
        let hosts = config.server.hosts.clone();
        let origins = if config.cors.credentials { config.cors.origins.clone() } else { Vec::new() };
        Self {
            tokens: ArcSwap::from_pointee(tokens),
            header: ArcSwapOption::from(header_login(config)),
            people,
            oidc: arc_swap::ArcSwapOption::empty(),
            external: config.named_url(),
            own: Own {
                hosts: external.chain(hosts.iter().cloned()).collect(),
                origins,
                guests: config.cors.origins.clone(),
            },
            hosts,
        }
    }

    /// Takes the ways to log in of another config.
    pub fn set(&self, config: &Config, tokens: Tokens) {
        self.tokens.store(Arc::new(tokens));
        self.header.store(header_login(config));
        self.people.set_config(config);
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
    pub(super) fn own_url(&self, visit: &Visit) -> String {
        if let Some(external) = &self.external {
            let base = if external.ends_with(&visit.base) { "" } else { &visit.base };
            return format!("{external}{base}");
        }
        let host = visit.host.as_deref().unwrap_or("localhost");
        let scheme = if self.people.is_https(visit) { "https" } else { "http" };
        format!("{scheme}://{host}{}", visit.base)
    }

    /// Whether everybody is asked who they are.
    pub fn asks(&self) -> bool {
        !self.tokens.load().is_open() || self.header.load().is_some() || self.people.asks()
    }

    /// Whether a request comes from a page of ours.
    pub fn is_own_page(&self, headers: &HeaderMap, visit: &Visit) -> bool {
        self.own.is_page(headers, visit)
    }

    /// In this order: a token of the config, a token that somebody made, a reverse proxy's word, a session.
    fn enter(&self, request: &Request) -> Result<Entered, Refused> {
        let visit = request.extensions().get::<Visit>().ok_or(Refused::LoginNeeded)?;
        let only_looks = matches!(*request.method(), Method::GET | Method::HEAD);
        if !self.asks() {
            if !is_local(visit, &self.hosts) {
                return Err(Refused::UnknownHost);
            }
            // Whoever is at this machine looks at other pages, too.
            if !only_looks && self.own.is_foreign_page(request.headers(), visit) {
                return Err(Refused::OtherOrigin(Box::new(Who::local())));
            }
            return Ok(Entered { who: Who::local(), credential: Credential::Nothing, ended: None });
        }
        let headers = request.headers();
        if let Some(who) = self.tokens.load().holder(headers).cloned() {
            return Ok(Entered { who, credential: Credential::ConfigToken, ended: None });
        }
        let named = |name: &str| self.tokens.load().named(name).cloned();
        if let Some((who, token)) = self.people.token_of(headers, visit, named) {
            let (id, scopes) = (token.id().to_owned(), token.scopes().to_vec());
            let ended = Some(token.ended());
            return Ok(Entered { who, credential: Credential::ApiToken { id, scopes }, ended });
        }
        // What comes by itself with a request of any page of the browser: a cookie, the proxy's or ours.
        if let Some(login) = &*self.header.load() {
            match login.vouched(visit.peer, headers) {
                Vouched::Who(who) if !only_looks && !self.is_own_page(headers, visit) => {
                    return Err(Refused::OtherOrigin(Box::new(who)));
                }
                Vouched::Who(who) => {
                    return Ok(Entered { who, credential: Credential::Header, ended: None });
                }
                Vouched::NoRole => return Err(Refused::NoRole),
                Vouched::Nobody => {}
            }
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
            Self::NoRole => problem(
                StatusCode::FORBIDDEN,
                "No role",
                "You are known here, but no [[auth.trusted_header.role]] gives a role to you or to a group of yours.",
            )
            .into_response(),
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

fn header_login(config: &Config) -> Option<Arc<HeaderLogin>> {
    config.auth.trusted_header.as_ref().and_then(HeaderLogin::of).map(Arc::new)
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
