//! `/oembed`: whoever pastes a link into a page that knows oEmbed gets a frame. <https://oembed.com>, version 1.0.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{RawQuery, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use maud::html;
use serde_json::json;

use super::{Opened, Viewer, asked, chart, collect, opened};
use crate::{
    api::problem::problem,
    app::App,
    clock,
    edge::Visit,
    embed::{Ask, Kind, Theme},
    letters::in_address,
    query::Params as Form,
    share::OpenShare,
};

/// What a link's address names.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    /// `https://fleet.example`, and the path under which we are.
    root: String,
    token: String,
    /// The panels that would do, the best first.
    asks: Vec<Ask>,
}

/// The answer to a consumer.
pub async fn oembed(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Response {
    let form = match Form::read(query.as_deref(), &[]) {
        Ok(form) => form,
        Err(error) => {
            return problem(StatusCode::BAD_REQUEST, "Bad parameter", error.to_string()).into_response();
        }
    };
    if form.get("format").is_some_and(|format| !format.eq_ignore_ascii_case("json")) {
        return problem(
            StatusCode::NOT_IMPLEMENTED,
            "Not that format",
            "Write format=json; there is no other.",
        )
        .into_response();
    }
    if form.get("url").is_none() {
        let words = "`url` says what is to be embedded: the address of a share link, or of a panel.";
        return problem(StatusCode::BAD_REQUEST, "Bad parameter", words).into_response();
    }
    let none = || {
        problem(
            StatusCode::NOT_FOUND,
            "Nothing to embed",
            "`url` is not the address of a link of this server that opens.",
        )
        .into_response()
    };
    let external = app.external_url.as_deref().unwrap_or_default();
    // Whoever asks by another name gets none that they chose, where the config says ours.
    let asked = visit.host.clone().filter(|_| external.is_empty()).unwrap_or_default();
    let hosts = [asked, authority(external)];
    let Some(named) = form.get("url").and_then(|url| named(url, &hosts, &visit.base)) else { return none() };
    match opened(&app, &named.token, clock::now()) {
        Opened::Gone => none(),
        Opened::Closed(_, why) => {
            problem(StatusCode::UNAUTHORIZED, "Not to be embedded", why).into_response()
        }
        Opened::Open(share) => {
            let viewer = Viewer { app: &app, share: &share, now: clock::now() };
            let Some(ask) = named.asks.iter().find(|ask| is_there(&viewer, ask)) else { return none() };
            let most = |name: &str| {
                form.get(name).and_then(|text| text.parse().ok()).filter(|most| *most > 0).unwrap_or(u32::MAX)
            };
            Json(described(&share, &named, ask, (most("maxwidth"), most("maxheight")))).into_response()
        }
    }
}

/// Whether a frame would show a panel: not what is in it, which may differ in a moment.
fn is_there(viewer: &Viewer<'_>, ask: &Ask) -> bool {
    collect::may_show(viewer, ask.view).is_ok()
        && match &ask.node {
            _ if ask.view == Kind::Chart => chart::chosen(viewer, ask).is_ok(),
            Some(name) => collect::inside(viewer, name).is_ok(),
            None => true,
        }
}

fn described(share: &OpenShare, named: &Named, ask: &Ask, most: (u32, u32)) -> serde_json::Value {
    let told = share.shared_with();
    let title = format!("{}: {}", told.title, in_words(ask));
    let mut said = json!({
        "version": "1.0",
        "title": title,
        "author_name": told.by,
        "provider_name": "Fleetglass",
        "provider_url": named.root,
        "cache_age": 300,
    });
    // A frame that no page may show is no use: then it is told as a link.
    if share.origins().is_empty() {
        said["type"] = json!("link");
        return said;
    }
    let (width, height) = ask.view.size();
    let (width, height) = (width.min(most.0), height.min(most.1));
    let source = format!("{}/embed/{}?{}", named.root, named.token, ask.in_address());
    let scheme = match ask.theme {
        Theme::Auto => "light dark",
        theme => theme.as_str(),
    };
    let style = format!("border:0;max-width:100%;color-scheme:{scheme}");
    let frame = html! {
        iframe src=(source) width=(width) height=(height) title=(title) loading="lazy" style=(style) {}
    };
    said["type"] = json!("rich");
    said["html"] = json!(frame.into_string());
    said["width"] = json!(width);
    said["height"] = json!(height);
    said
}

fn in_words(ask: &Ask) -> String {
    let node = ask.node.as_deref().unwrap_or("node");
    match ask.view {
        Kind::Fleet => "how the nodes are".to_owned(),
        Kind::Node => node.to_owned(),
        Kind::Chart => ask.panel.as_deref().or(ask.query.as_deref()).unwrap_or("chart").to_owned(),
        Kind::Alerts => "alerts".to_owned(),
        Kind::Risk => "slash risks".to_owned(),
        Kind::Uptime => "uptime".to_owned(),
    }
}

/// Reads `https://fleet.example/s/TOKEN/nodes/eu-1` or `…/embed/TOKEN?view=…`, where the host is ours.
fn named(url: &str, hosts: &[String], base: &str) -> Option<Named> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let host = uri.authority()?.as_str();
    if !hosts.iter().any(|own| !own.is_empty() && own.eq_ignore_ascii_case(host)) {
        return None;
    }
    let path = uri.path().strip_prefix(base)?;
    let root = format!("{scheme}://{host}{base}");
    let mut parts = path.trim_start_matches('/').splitn(3, '/');
    let (place, token, rest) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    let is_token = token.len() == 64 && token.bytes().all(|letter| letter.is_ascii_hexdigit());
    let asks = match place {
        "s" => panels_of(rest),
        "embed" if rest.is_empty() => match asked(uri.query()) {
            (ask, Ok(())) => vec![ask],
            _ => return None,
        },
        _ => return None,
    };
    is_token.then(|| Named { root, token: token.to_owned(), asks })
}

/// The panels that are nearest to a page of the app; none where it has no such page.
fn panels_of(rest: &str) -> Vec<Ask> {
    let of = |view: Kind| Ask { view, ..Ask::default() };
    match rest.trim_end_matches('/').split_once('/') {
        Some(("nodes", name)) if !name.contains('/') => {
            let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
            vec![Ask { node: Some(name), ..of(Kind::Node) }]
        }
        Some(("alerts", _)) => vec![of(Kind::Alerts)],
        Some(_) => Vec::new(),
        None => match rest.trim_end_matches('/') {
            // A link need not show its nodes.
            "" => vec![of(Kind::Fleet), of(Kind::Alerts), of(Kind::Risk)],
            "alerts" => vec![of(Kind::Alerts)],
            "risks" => vec![of(Kind::Risk)],
            "glance" => vec![of(Kind::Fleet)],
            _ => Vec::new(),
        },
    }
}

fn authority(url: &str) -> String {
    url.parse::<Uri>().ok().and_then(|uri| uri.authority().map(ToString::to_string)).unwrap_or_default()
}

/// What the head of the page at an address says of this.
pub fn discovery(root: &str, title: &str, address: &str) -> String {
    let href = format!("{root}/oembed?format=json&url={}", in_address(address));
    html! { link rel="alternate" type="application/json+oembed" href=(href) title=(title); }.into_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_addresses_of_this_server_name_a_panel() {
        let token = "0a".repeat(32);
        let hosts = ["fleet.example:8443".to_owned(), String::new()];
        let read = |url: &str| named(&url.replace("TOKEN", &token), &hosts, "/fleet");
        let own = read("https://FLEET.example:8443/fleet/s/TOKEN/nodes/eu%201").unwrap();
        assert_eq!(own.root, "https://FLEET.example:8443/fleet");
        assert_eq!((own.asks[0].view, own.asks[0].node.as_deref()), (Kind::Node, Some("eu 1")));
        for (path, view) in [
            ("s/TOKEN", Kind::Fleet),
            ("s/TOKEN/", Kind::Fleet),
            ("s/TOKEN/risks", Kind::Risk),
            ("s/TOKEN/alerts/", Kind::Alerts),
            ("embed/TOKEN", Kind::Fleet),
            ("embed/TOKEN?view=uptime&theme=dark", Kind::Uptime),
        ] {
            assert_eq!(
                read(&format!("https://fleet.example:8443/fleet/{path}")).unwrap().asks[0].view,
                view,
                "{path}"
            );
        }
        for url in [
            "https://evil.example/fleet/s/TOKEN/",
            "https://fleet.example:8443/s/TOKEN/",
            "https://fleet.example:8443@evil.example/fleet/s/TOKEN/",
            "javascript:alert(1)",
            "/fleet/s/TOKEN/",
            "https://fleet.example:8443/fleet/s/token/",
            "https://fleet.example:8443/fleet/nodes/TOKEN",
            "https://fleet.example:8443/fleet/embed/TOKEN?view=what",
            "",
        ] {
            assert_eq!(read(url), None, "{url}");
        }
    }
}
