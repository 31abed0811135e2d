//! How a request came to us: from where, over what, under which name and path.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    middleware::Next,
    response::Response,
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
}

/// Puts the [`Visit`] there.
pub async fn visit(mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let ip = peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    request.extensions_mut().insert(Visit { ip, is_https: false, base: String::new() });
    next.run(request).await
}
