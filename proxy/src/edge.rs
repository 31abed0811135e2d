//! How a request came to us: from where, over what, under which name and path.
//!
//! | module | is |
//! |---|---|
//! | `forwarded` | what a listed reverse proxy says of the request |
//! | `prefix` | the path under which a reverse proxy has us |
//! | `tls` | the certificate, and its successors |
//! | `listen` | connections: TLS or not, HTTP/1.1 or HTTP/2, with time limits |

mod forwarded;
mod listen;
pub mod prefix;
mod tls;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, StatusCode, Uri, header, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Response},
};
pub use listen::serve;
pub use tls::{Look, Pair, Tls, TlsError, folders};

use crate::{
    auth::Guard,
    config::{Networks, ServerConfig},
};

/// In the extensions of every request, before anything else looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The address of whoever asks.
    pub ip: IpAddr,
    /// The browser speaks TLS.
    pub is_https: bool,
    /// The path under which a reverse proxy has us: empty, or such as `/fleet`, without an end slash.
    pub base: String,
    /// Who holds the other end of the connection: whoever asks, or a reverse proxy.
    pub peer: IpAddr,
    /// The name that was asked for, as the browser knows it; perhaps with a port.
    pub host: Option<String>,
    /// A listed reverse proxy passed it on.
    pub is_forwarded: bool,
}

#[cfg(test)]
impl Visit {
    /// Somebody at this machine, without a proxy in between.
    pub(crate) fn from_here(is_https: bool, base: &str) -> Self {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self { ip: here, is_https, base: base.to_owned(), peer: here, host: None, is_forwarded: false }
    }
}

/// In the extensions of a request that came over TLS of our own.
#[derive(Clone, Copy, Debug)]
struct DirectTls;

/// What is known of the way to us.
#[derive(Debug)]
pub struct Edge {
    trusted: Networks,
    base: String,
    hsts: Option<HeaderValue>,
    guard: Arc<Guard>,
}

impl Edge {
    /// What the config says of it.
    pub fn new(server: &ServerConfig, guard: Arc<Guard>) -> Self {
        let hsts = server.tls.as_ref().map(|tls| tls.hsts.trim()).filter(|hsts| !hsts.is_empty());
        Self {
            trusted: server.trusted_proxies.clone(),
            base: server.base_path.as_str().to_owned(),
            // It was read when the config was validated.
            hsts: hsts.and_then(|hsts| HeaderValue::from_str(hsts).ok()),
            guard,
        }
    }

    /// What a request says of the way it came. What nobody may say but a listed proxy is in it no more.
    fn visit_of(&self, request: &mut Request) -> Visit {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.to_canonical());
        let is_direct = request.extensions().get::<DirectTls>().is_some();
        let asked = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let asked =
            asked.or_else(|| request.uri().authority().map(http::uri::Authority::as_str)).map(str::to_owned);
        let told =
            self.trusted.contains(peer).then(|| forwarded::told(peer, &self.trusted, request.headers()));
        forwarded::remove(request.headers_mut());
        if let Some(login) = &*self.guard.header.load() {
            login.remove_unless_trusted(peer, request.headers_mut());
        }
        let own = Visit {
            ip: peer,
            is_https: is_direct,
            base: self.base.clone(),
            peer,
            host: asked,
            is_forwarded: false,
        };
        match told.flatten() {
            None => own,
            Some(told) => Visit {
                ip: told.ip,
                is_https: told.is_https.unwrap_or(is_direct),
                base: told.prefix.unwrap_or(own.base),
                peer,
                host: told.host.or(own.host),
                is_forwarded: true,
            },
        }
    }
}

/// Puts the [`Visit`] there, and takes the base path from the request's. It stands before the routes.
pub async fn visit(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let visit = edge.visit_of(&mut request);
    let hsts = edge.hsts.clone().filter(|_| {
        // It would hold for every port of this machine's own name, and what listens there.
        request.extensions().get::<DirectTls>().is_some()
            && !visit.host.as_deref().is_some_and(|host| is_loopback(bare_host(host)))
    });
    let path = request.uri().path();
    let mut response = match prefix::strip(path, &visit.base) {
        prefix::Path::NoSlash => {
            let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
            let to = format!("{}/{query}", visit.base);
            (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, to)]).into_response()
        }
        stripped => {
            if let prefix::Path::Stripped(rest) = stripped
                && let Some(uri) = with_path(request.uri(), rest)
            {
                *request.uri_mut() = uri;
            }
            request.extensions_mut().insert(visit);
            next.run(request).await
        }
    };
    if let Some(hsts) = hsts {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, hsts);
    }
    response
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{path}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

/// A name without its port.
pub fn bare_host(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether a name is this machine's own, wherever one is.
pub fn is_loopback(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests;
