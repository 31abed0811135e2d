//! `/s/{token}/…`: the pages of a link: the app, the password, what chats show of it, and the picture of whoever shares
//! it; and how fast all of it may be asked for.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fleetglass_shared::{scope::Card, wire::SharedWith};
use sha2::{Digest, Sha256};

use super::{
    manifest,
    problem::problem,
    shared::{COOKIE, Entered, entered, nothing},
};
use crate::{
    app::App,
    assets, clock,
    edge::Visit,
    letters::escaped,
    query::Params as Form,
    share::{CARD_HEIGHT, CARD_WIDTH, OpenShare, PasswordError},
};

/// The small pages look like the app, in both themes. It is written into them, and named in their policy by its hash.
const STYLE: &str = "\
:root{color-scheme:light dark}body{display:grid;min-height:100dvh;margin:0;background:light-dark(#f6f7f9,#16181d);\
color:light-dark(#1a1d23,#e7e9ee);font:14px/20px system-ui,sans-serif;place-items:center}\
main{box-sizing:border-box;width:min(440px,100% - 32px);padding:32px;border:1px solid light-dark(#e2e5ea,#2b3039);\
border-radius:12px;background:light-dark(#fff,#1c1f25);overflow-wrap:anywhere}h1{margin:0 0 8px;font-size:20px;line-height:28px}\
p{margin:0 0 16px;color:light-dark(#59606c,#a2a9b5)}p:last-child{margin:0}label{display:block;margin-bottom:4px;\
color:light-dark(#1a1d23,#e7e9ee);font-size:13px;font-weight:500}input{box-sizing:border-box;width:100%;min-height:44px;\
margin-bottom:12px;padding:6px 10px;border:1px solid light-dark(#8a93a1,#7b8493);border-radius:6px;background:none;\
color:inherit;font:inherit;font-size:16px}button{min-height:44px;padding:5px 16px;border:0;border-radius:6px;\
background:light-dark(#2a5bd7,#7fa5ff);color:light-dark(#fff,#10131a);font:inherit;cursor:pointer}\
:focus-visible{outline:2px solid light-dark(#2a5bd7,#8fb0ff);outline-offset:2px}\
p[role=alert]{color:light-dark(#b4123f,#ff7394)}p[role=alert]:empty{display:none}";

/// The app, as the link shows it.
pub async fn page(
    State(app): State<Arc<App>>,
    Path(parts): Path<BTreeMap<String, String>>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
) -> Response {
    let token = parts.get("token").map(String::as_str).unwrap_or_default();
    if parts.get("page").is_some_and(|page| page.starts_with("api/")) {
        return nothing().into_response();
    }
    let at = format!("{}/s/{token}", visit.base);
    let now = clock::now();
    let share = match entered(&app, token, &headers, now) {
        Entered::Nobody => return closed_page(),
        Entered::Locked(share) => {
            let told = unfurled(&Card::locked(&share.shared_with().title), &origin(&app, &visit), token);
            return password_page(&share, &at, StatusCode::OK, ("", &told));
        }
        Entered::Viewer(share) if share.is_used_up() => return closed_page(),
        Entered::Viewer(share) => share,
    };
    let told = share.shared_with();
    let views: Vec<&str> = told.views.iter().map(|view| view.as_str()).collect();
    let card = app.shares.card(&share, now);
    let mark = format!(
        "<meta name=\"robots\" content=\"noindex\"><meta name=\"fleetglass-share\" data-title=\"{}\" data-by=\"{}\" \
         data-note=\"{}\" data-logo=\"{}\" data-views=\"{}\">{}",
        escaped(&told.title),
        escaped(&told.by),
        escaped(&told.note),
        escaped(told.logo.as_deref().unwrap_or_default()),
        views.join(" "),
        unfurled(&card, &origin(&app, &visit), token),
    );
    let found = match share.password().is_none() && !share.is_counted() {
        true => {
            let root = origin(&app, &visit);
            super::embed::oembed::discovery(&root, &told.title, &format!("{root}/s/{token}/"))
        }
        false => String::new(),
    };
    match assets::placed_page(&visit.base, (&(mark + &found), &sharer(&told, &at))) {
        Some(html) => {
            // It is installed as what it is, and not as the whole app.
            let own = format!("{at}/manifest.webmanifest");
            let html = html.replacen(&format!("{}/manifest.webmanifest", visit.base), &own, 1);
            let policy = assets::page_policy()
                .as_deref()
                .unwrap_or(assets::APP_CSP)
                .replace("frame-ancestors 'none'", &ancestors(&share));
            let mut page = html_page(StatusCode::OK, html, &policy);
            if parts.get("page").is_none_or(|page| page == "glance") {
                page.headers_mut().extend(assets::early_glance(&at).map(|early| (header::LINK, early)));
            }
            page
        }
        None => (StatusCode::NOT_FOUND, "the app is not in this build; the API is served all the same")
            .into_response(),
    }
}

/// What a link is called where it is installed on its own.
pub async fn manifest(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Entered::Viewer(share) = entered(&app, &token, &headers, clock::now()) else {
        return nothing().into_response();
    };
    let at = format!("{}/s/{token}/", visit.base);
    manifest::answer(assets::manifest().map(|own| manifest::of_link(own, &at, &share.shared_with().title)))
}

/// Opens a link that has a password.
pub async fn password(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    Extension(visit): Extension<Visit>,
    body: Bytes,
) -> Response {
    let at = format!("{}/s/{token}", visit.base);
    let now = clock::now();
    let Some(share) = app.shares.find(&token, now) else { return closed_page() };
    if share.password().is_none() {
        return see_other(&at, None);
    }
    let given = Form::read(None, &body).ok().and_then(|form| form.get("password").map(str::to_owned));
    match app.shares.sessions().begin(&share, given.unwrap_or_default(), now).await {
        Ok(secret) => {
            let secure = if app.is_https || visit.is_https { "; Secure" } else { "" };
            see_other(&at, Some(format!("{COOKIE}={secret}; Path={at}; HttpOnly; SameSite=Strict{secure}")))
        }
        Err(PasswordError::Wrong) => {
            password_page(&share, &at, StatusCode::FORBIDDEN, ("That is not the password.", ""))
        }
        Err(PasswordError::TooSoon(seconds)) => {
            let words = format!("Too many tries. Try again in {seconds} s.");
            let mut response = password_page(&share, &at, StatusCode::TOO_MANY_REQUESTS, (&words, ""));
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
    }
}

/// The picture that chats show. It is no view.
pub async fn card(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let now = clock::now();
    let Some(share) = app.shares.find(&token, now).filter(|share| !share.is_used_up()) else {
        return nothing().into_response();
    };
    match app.shares.card_png(&share, now).await {
        Some(png) => picture("image/png", png.to_vec()),
        None => nothing().into_response(),
    }
}

/// The picture of whoever shares it.
pub async fn logo(State(app): State<Arc<App>>, Path(token): Path<String>, headers: HeaderMap) -> Response {
    match entered(&app, &token, &headers, clock::now()) {
        Entered::Viewer(share) if share.logo().is_some() => {
            let (kind, bytes) = share.logo().unwrap_or_default();
            picture(kind, bytes.to_vec())
        }
        _ => nothing().into_response(),
    }
}

fn picture(kind: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = ([(header::CONTENT_TYPE, kind)], bytes).into_response();
    // Chats show it on pages of their own.
    response.headers_mut().insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    response
}

/// Lets nobody ask faster than is good for all. It looks neither at the link nor at whether there is one.
pub async fn limit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let ip = request.extensions().get::<Visit>().map(|visit| visit.ip);
    let mut parts = request.uri().path().split('/').skip(2);
    let token = parts.next().unwrap_or_default();
    let taken = ip.map_or(Ok(()), |ip| app.share_limits.take(ip, token, clock::now()));
    let Err(seconds) = taken else { return next.run(request).await };
    let words =
        format!("So much is asked from where you are that this one has to wait. Try again in {seconds} s.");
    let mut response = match parts.next() {
        Some("api") => problem(StatusCode::TOO_MANY_REQUESTS, "Too many requests", words).into_response(),
        _ => small_page(
            StatusCode::TOO_MANY_REQUESTS,
            ("", &format!("<h1>A moment, please</h1><p>{words}</p>")),
            "frame-ancestors 'none'",
        ),
    };
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Who shows the page, in its sketch: what `frontend/src/components/share_banner.rs` says in the same place later.
fn sharer(told: &SharedWith, at: &str) -> String {
    let logo = told.logo.as_deref().map(|logo| {
        let logo = if logo == "logo" { format!("{at}/logo") } else { logo.to_owned() };
        format!("<img class=\"share-logo\" src=\"{}\" alt=\"\">", escaped(&logo))
    });
    let note = Some(&told.note).filter(|note| !note.is_empty());
    let note = note.map(|note| format!("<p class=\"share-note\">{}</p>", escaped(note)));
    format!(
        "<div class=\"banner share-banner\">{}<p>{}: read-only, shared by {}</p>{}</div>",
        logo.unwrap_or_default(),
        escaped(&told.title),
        escaped(&told.by),
        note.unwrap_or_default(),
    )
}

/// What chats read of a page.
fn unfurled(card: &Card, origin: &str, token: &str) -> String {
    let (title, words, token) = (escaped(&card.title), escaped(&card.in_words()), escaped(token));
    let image = format!("{}/s/{token}/card.png", escaped(origin));
    format!(
        "<meta property=\"og:type\" content=\"website\"><meta property=\"og:site_name\" content=\"Fleetglass\">\
         <meta property=\"og:title\" content=\"{title}\"><meta property=\"og:description\" content=\"{words}\">\
         <meta property=\"og:image\" content=\"{image}\"><meta property=\"og:image:type\" content=\"image/png\">\
         <meta property=\"og:image:width\" content=\"{CARD_WIDTH}\"><meta property=\"og:image:height\" content=\"{CARD_HEIGHT}\">\
         <meta property=\"og:image:alt\" content=\"{title}. {words}\"><meta name=\"twitter:card\" content=\"summary_large_image\">"
    )
}

/// Where this proxy is, for whoever is elsewhere: as the config says, else as whoever asks got here.
pub(super) fn origin(app: &App, visit: &Visit) -> String {
    if let Some(url) = &app.external_url {
        return url.clone();
    }
    let host = visit.host.as_deref().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let host = if !host.is_empty() && host.chars().all(plain) { host } else { "localhost" };
    format!("{}://{host}{}", if visit.is_https { "https" } else { "http" }, visit.base)
}

fn ancestors(share: &OpenShare) -> String {
    match share.origins() {
        [] => "frame-ancestors 'none'".to_owned(),
        origins => format!("frame-ancestors {}", origins.join(" ")),
    }
}

fn closed_page() -> Response {
    let inside = "<h1>This link does not open</h1><p>It was taken back, its time is over, or it was never one. \
                  Ask whoever sent it for another.</p>";
    small_page(StatusCode::NOT_FOUND, ("", inside), "frame-ancestors 'none'")
}

/// `words` are to be said; `head` goes into the head.
fn password_page(share: &OpenShare, at: &str, status: StatusCode, (words, head): (&str, &str)) -> Response {
    let told = share.shared_with();
    let inside = format!(
        "<h1>{}</h1><p>Shared by {}. It has a password.</p><form method=\"post\" action=\"{}/password\">\
         <p><label for=\"password\">Password</label><input id=\"password\" type=\"password\" name=\"password\" required autofocus>\
         <button>Open</button></p>\
         <p role=\"alert\">{words}</p></form>",
        escaped(&told.title),
        escaped(&told.by),
        escaped(at),
    );
    small_page(status, (head, &inside), &format!("form-action 'self'; {}", ancestors(share)))
}

fn small_page(status: StatusCode, (head, inside): (&str, &str), policy: &str) -> Response {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><meta name=\"color-scheme\" content=\"light dark\"><title>Fleetglass</title>\
         <style>{STYLE}</style>{head}</head><body><main>{inside}</main></body></html>"
    );
    html_page(
        status,
        html,
        &format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; {policy}"),
    )
}

fn html_page(status: StatusCode, html: String, policy: &str) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    if let Ok(policy) = HeaderValue::from_str(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn see_other(at: &str, cookie: Option<String>) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, format!("{at}/"))]).into_response();
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
