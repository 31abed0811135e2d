//! Visits, as the routes see them.
#![allow(clippy::unwrap_used)]

use axum::{Extension, Router, body::Body, http::HeaderMap, middleware, routing::get};
use tower::ServiceExt;

use super::*;
use crate::config::LoadedConfig;

/// What reaches the routes of a server with this config when `peer` sends these headers.
async fn seen(config: &str, peer: &str, path: &str, headers: &[(&str, &str)]) -> (Visit, HeaderMap, String) {
    let config = LoadedConfig::parse(std::path::Path::new("fg.toml"), config, []).unwrap().config;
    let state = Arc::new(crate::state::StateFile::open(None));
    let people = crate::auth::People::restore(state, &config).await;
    let guard = Arc::new(Guard::new(crate::auth::Tokens::default(), Arc::new(people), &config));
    let edge = Arc::new(Edge::new(&config.server, guard));
    let (sender, mut seen) = tokio::sync::mpsc::channel(1);
    let look = async move |Extension(visit): Extension<Visit>, headers: HeaderMap, uri: Uri| {
        sender.send((visit, headers, uri.to_string())).await.unwrap();
    };
    let inner = Router::new().fallback(get(look)).layer(middleware::from_fn_with_state(edge, visit));
    let mut request = Request::builder().uri(path).body(Body::empty()).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(
            http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4711)));
    let response = inner.oneshot(request).await.unwrap();
    match seen.recv().await {
        Some(seen) => seen,
        None => panic!("{response:?}"),
    }
}

const BEHIND: &str = "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n";
const ALL: [(&str, &str); 8] = [
    ("host", "inner:8080"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "fleet.example"),
    ("x-forwarded-prefix", "/fleet/"),
    ("x-real-ip", "203.0.113.7"),
    ("forwarded", "for=203.0.113.7"),
    ("accept", "text/html"),
];

#[tokio::test]
async fn a_listed_proxy_is_believed_and_nobody_else() {
    for (config, peer, is_listed) in [
        (BEHIND, "127.0.0.1", true),
        (BEHIND, "::ffff:127.0.0.1", true),
        (BEHIND, "127.0.0.2", false),
        (BEHIND, "::1", false),
        ("", "127.0.0.1", false),
    ] {
        let (visit, headers, _) = seen(config, peer, "/api/v1/fleet?a=b", &ALL).await;
        let own: IpAddr = peer.parse::<IpAddr>().unwrap().to_canonical();
        let expected = if is_listed {
            Visit {
                ip: "203.0.113.7".parse().unwrap(),
                is_https: true,
                base: "/fleet".to_owned(),
                peer: own,
                host: Some("fleet.example".to_owned()),
                is_forwarded: true,
            }
        } else {
            Visit {
                ip: own,
                is_https: false,
                base: String::new(),
                peer: own,
                host: Some("inner:8080".to_owned()),
                is_forwarded: false,
            }
        };
        assert_eq!(visit, expected, "{peer}");
        let mut left: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "host"], "{peer}: what was said is gone");
    }
}

#[tokio::test]
async fn the_base_path_is_taken_from_what_comes_with_it() {
    let config = "[server]\nbase_path = \"/fleet/\"\n";
    for (path, inner) in [
        ("/fleet/", "/"),
        ("/fleet/api/v1/fleet?a=%2F", "/api/v1/fleet?a=%2F"),
        ("/api/v1/fleet", "/api/v1/fleet"),
        ("/fleets/x", "/fleets/x"),
        ("/fleet//x", "//x"),
        ("/fleet/nodes/a%2Fb", "/nodes/a%2Fb"),
    ] {
        let (visit, _, uri) = seen(config, "192.0.2.1", path, &[]).await;
        assert_eq!((visit.base.as_str(), uri.as_str()), ("/fleet", inner), "{path}");
    }
}

#[tokio::test]
async fn a_header_that_names_somebody_is_left_to_its_proxies() {
    let config = "[auth.trusted_header]\nuser = \"X-Me\"\ngroups = \"X-Mine\"\nfrom = [\"10.0.0.1\"]\n[[auth.trusted_header.role]]\nrole = \"viewer\"\n";
    for (peer, stays) in [("10.0.0.1", true), ("10.0.0.2", false), ("127.0.0.1", false)] {
        let sent = [("x-me", "ada"), ("x-mine", "ops"), ("x-forwarded-for", "10.0.0.1")];
        let (_, headers, _) = seen(config, peer, "/", &sent).await;
        assert_eq!(headers.contains_key("x-me"), stays, "{peer}");
        assert_eq!(headers.contains_key("x-mine"), stays, "{peer}");
    }
}

#[test]
fn names_lose_their_port_and_loopback_is_known() {
    for (host, bare, local) in [
        ("localhost:8080", "localhost", true),
        ("127.8.9.1", "127.8.9.1", true),
        ("[::1]:8080", "[::1]", true),
        ("[::1]", "[::1]", true),
        ("fleet.example:443", "fleet.example", false),
        ("localhost.evil.example", "localhost.evil.example", false),
    ] {
        assert_eq!((bare_host(host), is_loopback(bare_host(host))), (bare, local), "{host}");
    }
}
