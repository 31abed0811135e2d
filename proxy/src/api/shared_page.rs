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
use fleetglass_shared::{scope::Card, wire::SharedWith};

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
    small_page::{Particular, frame_ancestors, particular_page, small_page},
};

const HOME_TITLE: &str = "apple-mobile-web-app-title";

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
            let html = named(html, &told.title);
            let policy = assets::page_policy()
                .as_deref()
                .unwrap_or(assets::APP_CSP)
                .replace("frame-ancestors 'none'", &frame_ancestors(share.origins()));
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

/// What iPhones call it: there a page's own word comes before the manifest's.
fn named(html: String, title: &str) -> String {
    let Some(at) = html.find(HOME_TITLE) else { return html };
    let (Some(start), Some(end)) = (html[..at].rfind('<'), html[at..].find('>')) else { return html };
    let own = format!("<meta name=\"{HOME_TITLE}\" content=\"{}\"", escaped(&manifest::short(title)));
    format!("{}{own}{}", &html[..start], &html[at + end..])
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
        _ => {
            let inside = format!("<h1>A moment, please</h1><p>{words}</p>");
            small_page(StatusCode::TOO_MANY_REQUESTS, "A moment, please", &inside)
        }
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

fn closed_page() -> Response {
    let inside = "<h1>This link does not open</h1><p>It was taken back, its time is over, or it was never one. \
                  Ask whoever sent it for another.</p>";
    small_page(StatusCode::NOT_FOUND, "This link does not open", inside)
}

/// `words` are to be said; `head` goes into the head.
fn password_page(share: &OpenShare, at: &str, status: StatusCode, (words, head): (&str, &str)) -> Response {
    let told = share.shared_with();
    let alert = match words {
        "" => String::new(),
        words => format!("<p class=\"wrong\" role=\"alert\">{words}</p>"),
    };
    let inside = format!(
        "<h1>{}</h1><p>Shared by {}. It has a password.</p><form method=\"post\" action=\"{}/password\">{alert}\
         <label for=\"password\">Password</label>\
         <input id=\"password\" type=\"password\" name=\"password\" required autofocus><button>Open</button></form>",
        escaped(&told.title),
        escaped(&told.by),
        escaped(at),
    );
    particular_page(status, &told.title, &inside, &Particular { head, framed_by: share.origins() })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iphone_calls_a_link_as_its_sharer_does() {
        for head in [
            "<a><meta name=\"apple-mobile-web-app-title\" content=\"Fleetglass\"><b>",
            "<a><meta content=Fleetglass name=apple-mobile-web-app-title><b>",
        ] {
            let own = "<a><meta name=\"apple-mobile-web-app-title\" content=\"For &lt;Acme&gt;\"><b>";
            assert_eq!(named(head.to_owned(), "For <Acme>"), own);
        }
        assert_eq!(named("<a>".to_owned(), "x"), "<a>");
    }
}
