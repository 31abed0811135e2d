//! `/status/{slug}` and below: public status pages, their feeds, and who is told. `/n/status/{token}`: what the links in
//! mails lead to. Whatever opens a link by itself sends `GET`, which changes nothing.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use fleetglass_shared::{health::UnixMillis, wire::SubscriberKind};
use maud::{Markup, html};
use serde_json::json;
use tower_http::limit::RequestBodyLimitLayer;

use super::{events::unavailable, problem::problem};
use crate::{
    app::App,
    clock,
    edge::Visit,
    etag,
    query::Params as Form,
    status::{self, Asked, Page, Purpose, StatusPages, SubscribeError},
};

const FRESH: &str = "public, max-age=30";

/// The routes; whoever knows a slug may ask.
pub fn router(app: &Arc<App>, body_limit: usize) -> Router {
    Router::new()
        .route("/status/{slug}", get(page))
        .route("/status/{slug}/", get(slash))
        .route("/status/{slug}/{*rest}", get(below).post(subscribe))
        .route("/n/status/{token}", get(ask).post(follow))
        .with_state(Arc::clone(app))
        .layer(RequestBodyLimitLayer::new(body_limit))
        .layer(middleware::map_response(headers))
}

/// What a page of ours has besides.
async fn headers(mut response: Response) -> Response {
    let own = response.headers_mut();
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("cache-control", "no-store"),
    ] {
        own.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A status page.
async fn page(State(app): State<Arc<App>>, Path(slug): Path<String>, headers: HeaderMap) -> Response {
    let now = clock::now();
    let Some(share) = app.status.find(&slug, now) else { return no_page() };
    let page = match app.status.page(&share, now).await {
        Ok(page) => page,
        Err(error) => return unavailable(&error).into_response(),
    };
    if !headers.contains_key(header::IF_NONE_MATCH) {
        app.status.viewed(&share, now);
    }
    let mut response = sent(&page.html, None, "text/html; charset=utf-8", &headers);
    if let Ok(policy) = HeaderValue::from_str(&page.policy()) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The address without its last slash, under which relative links lead to the right place.
async fn slash(Path(slug): Path<String>) -> Response {
    match fleetglass_shared::status::is_slug(&slug) {
        true => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, format!("../{slug}"))]).into_response(),
        false => no_page(),
    }
}

/// The feeds, and the state in short.
async fn below(
    State(app): State<Arc<App>>,
    Path((slug, rest)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let now = clock::now();
    let known = ["feed.rss", "feed.json", "summary.json"];
    let Some(share) = app.status.find(&slug, now).filter(|_| known.contains(&rest.as_str())) else {
        return no_page();
    };
    let page = match app.status.page(&share, now).await {
        Ok(page) => page,
        Err(error) => return unavailable(&error).into_response(),
    };
    let mut response = match rest.as_str() {
        "feed.rss" => sent(&page.rss, page.modified, "application/rss+xml; charset=utf-8", &headers),
        "feed.json" => sent(&page.json, page.modified, "application/feed+json; charset=utf-8", &headers),
        _ => sent(&page.summary, None, "application/json", &headers),
    };
    // Readers in other pages may read what everybody may.
    for (name, value) in
        [("access-control-allow-origin", "*"), ("cross-origin-resource-policy", "cross-origin")]
    {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

fn sent(
    form: &status::Form,
    modified: Option<UnixMillis>,
    kind: &'static str,
    asked: &HeaderMap,
) -> Response {
    let modified = modified.and_then(|at| {
        std::time::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(at / 1000).ok()?))
    });
    let text = |name: header::HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
    let is_held = match text(header::IF_NONE_MATCH) {
        Some(_) => etag::is_held(asked, &form.etag),
        None => text(header::IF_MODIFIED_SINCE)
            .and_then(|since| httpdate::parse_http_date(since).ok())
            .zip(modified)
            .is_some_and(|(since, modified)| modified <= since),
    };
    let mut response = match is_held {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => form.body.clone().into_response(),
    };
    let own = response.headers_mut();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static(FRESH));
    if let Ok(etag) = HeaderValue::from_str(&form.etag) {
        own.insert(header::ETAG, etag);
    }
    if let Some(modified) = modified.and_then(|at| HeaderValue::from_str(&httpdate::fmt_http_date(at)).ok()) {
        own.insert(header::LAST_MODIFIED, modified);
    }
    response
}

/// Somebody wants to be told. The answer is the same whether they are already.
async fn subscribe(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    Path((slug, rest)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now = clock::now();
    let Some(share) = app.status.find(&slug, now).filter(|_| rest == "subscribe") else { return no_page() };
    let (email, webhook) = wishes(&headers, &body);
    let asked = match (email, webhook) {
        (Some(email), None) => app.status.ask_by_mail(&share, &email, visit.ip, now).await,
        (None, Some(webhook)) => app.status.ask_by_hook(&share, &webhook, visit.ip, now).await,
        _ => Err(SubscribeError::Bad("send `email` or `webhook`")),
    };
    let wants_json = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("application/json") && !accept.contains("text/html"));
    let back = html! { p { a href=(format!("../{slug}")) { "Back to the status page" } } };
    match asked {
        Err(error) => {
            let status = match error {
                SubscribeError::Bad(_) => StatusCode::BAD_REQUEST,
                SubscribeError::TooOften => StatusCode::TOO_MANY_REQUESTS,
                SubscribeError::Full | SubscribeError::State(_) | SubscribeError::NoRandomness => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
            };
            if wants_json {
                return problem(status, "Not subscribed", error.to_string()).into_response();
            }
            small(
                status,
                "Not subscribed",
                &html! { div.note { p { "That did not work: " (error.to_string()) "." } (back) } },
            )
        }
        Ok(asked) if wants_json => {
            let told = match asked {
                Asked::Mail => json!({"next": "open the link in the mail"}),
                Asked::Hook(secret) => json!({"next": "send the challenge back", "secret": secret}),
            };
            (StatusCode::ACCEPTED, Json(told)).into_response()
        }
        Ok(Asked::Mail) => small(
            StatusCode::ACCEPTED,
            "Look into your mail",
            &html! { div.note {
                p { "A mail with a link is on its way to you. Open the link and press the button there: then you are told of updates." }
                (back)
            } },
        ),
        Ok(Asked::Hook(secret)) => small(
            StatusCode::ACCEPTED,
            "A challenge is on its way",
            &html! { div.note {
                p { "Your server is sent " code { "{\"type\":\"status.challenge\",\"data\":{\"challenge\":\"…\"}}" }
                    " in a moment. Once it answers 200 with " code { "{\"challenge\":\"…\"}" } " it is told of updates." }
                p { "Requests are signed as the Standard Webhooks specification says, with this secret. It is shown this once:" }
                pre { (secret) }
                (back)
            } },
        ),
    }
}

/// What a form, or JSON, asks for.
fn wishes(headers: &HeaderMap, body: &[u8]) -> (Option<String>, Option<String>) {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/json"));
    let (email, webhook) = if is_json {
        let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let of = |name: &str| json.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        (of("email"), of("webhook"))
    } else {
        let form = Form::read(None, body).ok();
        let of = |name: &str| form.as_ref().and_then(|form| form.get(name)).map(str::to_owned);
        (of("email"), of("webhook"))
    };
    let is_there = |text: &String| !text.trim().is_empty();
    (email.filter(is_there), webhook.filter(is_there))
}

/// What the link of a mail is for, with a button that does it.
async fn ask(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let now = clock::now();
    let (purpose, to) = match app.status.read_link(&token, now).await {
        Ok(Some(found)) => found,
        Ok(None) => return no_link(),
        Err(error) => return unavailable(&error).into_response(),
    };
    let title = app.status.title_for(&to, now).map(|(title, _)| title);
    let how = match to.kind {
        SubscriberKind::Email => "by mail",
        SubscriberKind::Webhook => "by webhook",
    };
    match (purpose, title) {
        (Purpose::Confirm, None) => no_link(),
        (Purpose::Confirm, Some(title)) => small(
            StatusCode::OK,
            "Be told of updates?",
            &html! {
                p.note { "You are told " (how) " of incidents and planned maintenance of " b { (title) } "." }
                form method="post" { button { "Yes, tell me" } }
            },
        ),
        (Purpose::End, title) => small(
            StatusCode::OK,
            "Be told no more?",
            &html! {
                p.note { "You are told no more " (how) " of " b { (title.unwrap_or_else(|| "this page".to_owned())) } "." }
                form method="post" { button { "Unsubscribe" } }
            },
        ),
    }
}

/// Does what the link of a mail is for; mail programs send this by themselves where somebody presses their button.
async fn follow(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let now = clock::now();
    let (purpose, to) = match app.status.read_link(&token, now).await {
        Ok(Some(found)) => found,
        Ok(None) => return no_link(),
        Err(error) => return unavailable(&error).into_response(),
    };
    let place = app.status.title_for(&to, now);
    if purpose == Purpose::Confirm && place.is_none() {
        return no_link();
    }
    if let Err(error) = app.status.follow(purpose, &to, now).await {
        return unavailable(&error).into_response();
    }
    let back = html! { @if let Some((title, slug)) = place { p { a href=(format!("../../status/{slug}")) { (title) } } } };
    let (title, words) = match purpose {
        Purpose::Confirm => ("You are told from now on", "Each mail has a link that ends it."),
        Purpose::End => ("You are told no more", "Your address is forgotten."),
    };
    small(StatusCode::OK, title, &html! { div.note { p { (words) } (back) } })
}

/// The one answer for what is no page, whether it ever was one.
fn no_page() -> Response {
    let words = html! { p.note { "Look at its address again, or ask whoever gave it to you. The page may have been taken back." } };
    small(StatusCode::NOT_FOUND, "There is no such status page", &words)
}

fn no_link() -> Response {
    let words = html! { p.note { "It was used before, its time is over, or it was not copied whole." } };
    small(StatusCode::NOT_FOUND, "This link leads nowhere", &words)
}

fn small(status: StatusCode, title: &str, inside: &Markup) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let mut response = (status, kind, StatusPages::small(title, inside)).into_response();
    let nobody = Page::policy_of(&[]);
    if let Ok(policy) = HeaderValue::from_str(&nobody) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
