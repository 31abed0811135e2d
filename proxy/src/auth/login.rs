//! `/login` and `/logout`: pages that need no script.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use super::{Guard, PeopleError, Via};
use crate::letters::{escaped, path_in_address};
use crate::{edge::Visit, query::Params, small_page::small_page};

/// The one message for everything wrong.
const WRONG: &str = "The name or the password is not right.";
/// A path to go on to is no longer than this.
const NEXT: usize = 1_000;

/// Asks for a name and a password.
pub async fn form(
    State(guard): State<Arc<Guard>>,
    Extension(visit): Extension<Visit>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let form = Params::read(uri.query(), &[]).ok();
    let next = next_of(form.as_ref().and_then(|form| form.get("next")), &visit.base);
    // Who is signed in may be asked again before they change something that matters.
    let again = form.as_ref().is_some_and(|form| form.get("again").is_some());
    if !again && guard.people.session_of(&visit, &headers).is_some() {
        return see_other(&visit.base, &next, None);
    }
    told(&guard, &visit, &next, "", StatusCode::OK, "")
}

/// Takes a name and a password.
pub async fn submit(
    State(guard): State<Arc<Guard>>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = Params::read(None, &body).ok();
    let field = |name: &str| form.as_ref().and_then(|form| form.get(name)).unwrap_or_default();
    let (name, next) = (field("name").trim(), next_of(Some(field("next")), &visit.base));
    // Else a page elsewhere could log somebody in as somebody else.
    if !guard.is_own_page(&headers, &visit) {
        let words = "That did not come from this page. Try again here.";
        return told(&guard, &visit, &next, "", StatusCode::FORBIDDEN, words);
    }
    let people = &guard.people;
    let proved = people.prove(name, field("password"), &visit).await;
    match proved.and_then(|identity| people.begin(identity, &visit, &headers)) {
        Ok(cookie) => see_other(&visit.base, &next, Some(cookie)),
        Err(PeopleError::Wrong) => told(&guard, &visit, &next, name, StatusCode::FORBIDDEN, WRONG),
        Err(error @ PeopleError::TooSoon(seconds)) => {
            let words = error.to_string();
            let mut response = told(&guard, &visit, &next, name, StatusCode::TOO_MANY_REQUESTS, &words);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
        Err(error) => {
            tracing::error!("nobody can sign in: {error}");
            let words = "Nobody can sign in just now; the log says why.";
            told(&guard, &visit, &next, name, StatusCode::SERVICE_UNAVAILABLE, words)
        }
    }
}

/// Asks whether to sign out.
pub async fn leave_form(
    State(guard): State<Arc<Guard>>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
) -> Response {
    match guard.people.session_of(&visit, &headers) {
        Some(session) => leaving(&visit, &session.who().name),
        None => see_other(&visit.base, "/login", None),
    }
}

/// Signs out. Where it is not known that a page of ours sent it, it asks.
pub async fn leave(
    State(guard): State<Arc<Guard>>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
) -> Response {
    if !guard.is_own_page(&headers, &visit) {
        return leave_form(State(guard), Extension(visit), headers).await;
    }
    let (who, cookie) = guard.people.end_own(&visit, &headers);
    let oidc = guard.oidc.load_full().filter(|_| who.is_some_and(|who| who.via == Via::Oidc));
    let back = format!("{}/login", guard.own_url(&visit));
    let url = match &oidc {
        Some(oidc) => oidc.end_session(back).await,
        None => None,
    };
    match oidc.zip(url) {
        Some((oidc, url)) => left(&visit, &url, oidc.label(), cookie),
        None => see_other(&visit.base, "/login", cookie),
    }
}

/// A page of the way in, or out.
pub(super) fn page(status: StatusCode, title: &str, inside: &str) -> Response {
    let mut page = small_page(status, title, inside);
    // With `no-referrer` a browser would send a form of this page with `Origin: null`.
    page.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    page
}

fn told(guard: &Guard, visit: &Visit, next: &str, name: &str, status: StatusCode, words: &str) -> Response {
    let base = escaped(&visit.base);
    if !guard.asks() {
        let inside = format!(
            "<h1>No sign-in is needed</h1><p>This Fleetglass answers to this machine only and asks nobody.</p>\
             <p><a class=\"button\" href=\"{base}/\">Open it</a></p>"
        );
        return page(StatusCode::OK, "Sign in", &inside);
    }
    let alert = match words {
        "" => String::new(),
        words => format!("<p class=\"wrong\" role=\"alert\" id=\"wrong\">{}</p>", escaped(words)),
    };
    let ways: String = guard
        .people
        .ways()
        .iter()
        .map(|way| {
            let (label, href) = (escaped(&way.label), escaped(&way.href));
            let next = path_in_address(next);
            format!(
                "<p><a class=\"button quiet\" href=\"{base}{href}?next={next}\">Sign in with {label}</a></p>"
            )
        })
        .collect();
    let (describes, focus) = if words.is_empty() {
        ("", ("autofocus", ""))
    } else {
        (" aria-describedby=\"wrong\"", ("", "autofocus"))
    };
    let form = if guard.people.has_users() {
        format!(
            "<form method=\"post\" action=\"{base}/login\">{alert}<input type=\"hidden\" name=\"next\" value=\"{}\">\
             <label for=\"name\">Name</label>\
             <input id=\"name\" name=\"name\" value=\"{}\" autocomplete=\"username\" autocapitalize=\"none\" \
             spellcheck=\"false\" required {}>\
             <label for=\"password\">Password</label>\
             <input id=\"password\" type=\"password\" name=\"password\" autocomplete=\"current-password\" required{describes} {}>\
             <button>Sign in</button></form>",
            escaped(next),
            escaped(name),
            focus.0,
            focus.1,
        )
    } else {
        let make = if ways.is_empty() {
            "<p>There is no user yet. Whoever runs this makes one with <code>fleetglass user add</code>.</p>"
        } else {
            ""
        };
        format!("{alert}{make}")
    };
    let token = format!("<p class=\"aside\">You have a token? <a href=\"{base}/\">Open with it</a>.</p>");
    page(status, "Sign in", &format!("<h1>Sign in</h1>{form}{ways}{token}"))
}

/// Signed out here, and still signed in at the provider. A form may not lead elsewhere, so it is a link.
fn left(visit: &Visit, url: &str, label: &str, cookie: Option<HeaderValue>) -> Response {
    let inside = format!(
        "<h1>You are signed out</h1><p>You are still signed in at {label}.</p>\
         <p><a class=\"button\" href=\"{}\">Sign out there too</a></p>\
         <p class=\"aside\"><a href=\"{}/login\">Sign in again</a></p>",
        escaped(url),
        escaped(&visit.base),
        label = escaped(label),
    );
    let mut response = page(StatusCode::OK, "Signed out", &inside);
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn leaving(visit: &Visit, name: &str) -> Response {
    let base = escaped(&visit.base);
    let inside = format!(
        "<h1>Sign out?</h1><p>You are signed in as <strong>{}</strong>.</p>\
         <form method=\"post\" action=\"{base}/logout\"><button autofocus>Sign out</button></form>\
         <p class=\"aside\"><a href=\"{base}/\">Back</a></p>",
        escaped(name)
    );
    page(StatusCode::OK, "Sign out", &inside)
}

/// Only a path of our own, below the base path; the front page for anything else.
pub fn next_of(asked: Option<&str>, base: &str) -> String {
    let front = || "/".to_owned();
    let Some(asked) = asked else { return front() };
    let path = match asked.strip_prefix(base) {
        Some(path) if !base.is_empty() && path.starts_with('/') => path,
        _ => asked,
    };
    // Neither an empty part, which would be another host, nor one that leads out of the base path.
    let is_below = |path: &str| {
        let path = path.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase().replace("%2e", ".");
        !path.contains("//") && !path.split('/').any(|part| matches!(part, "." | ".."))
    };
    let is_plain = path.starts_with('/')
        && is_below(path)
        && path.len() <= NEXT
        && path.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '\\' | '"' | '<' | '>'));
    let is_ours = !["/login", "/logout"].iter().any(|own| {
        path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    });
    if is_plain && is_ours { path.to_owned() } else { front() }
}

fn see_other(base: &str, path: &str, cookie: Option<HeaderValue>) -> Response {
    let to = [(header::LOCATION, format!("{base}{path}")), (header::CACHE_CONTROL, "no-store".to_owned())];
    let mut response = (StatusCode::SEE_OTHER, to).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{
        auth::{People, Tokens, Via, Way},
        config::Config,
        state::StateFile,
    };

    #[test]
    fn one_goes_on_only_to_a_path_of_our_own() {
        for (asked, base, next) in [
            ("/nodes/eu-1?x=1#y", "", "/nodes/eu-1?x=1#y"),
            ("/fleet/nodes/a", "/fleet", "/nodes/a"),
            ("/fleet/", "/fleet", "/"),
            ("/fleetish", "/fleet", "/fleetish"),
            ("//evil.example", "", "/"),
            ("/fleet//evil.example", "/fleet", "/"),
            ("/\\evil.example", "", "/"),
            ("/\t/evil.example", "", "/"),
            ("https://evil.example/", "", "/"),
            ("javascript:alert(1)", "", "/"),
            ("", "", "/"),
            ("/login?next=/x", "", "/"),
            ("/logout", "", "/"),
            ("/loginish", "", "/loginish"),
            ("/a\r\nset-cookie: x=y", "", "/"),
        ] {
            assert_eq!(next_of(Some(asked), base), next, "{asked} below {base}");
        }
        assert_eq!(next_of(Some(&"/x".repeat(600)), ""), "/");
        assert_eq!(next_of(None, ""), "/");
    }

    async fn asked(base: &str, uri: &str) -> (StatusCode, String) {
        let state = Arc::new(StateFile::open(None));
        let people = People::restore(state, &Config::default()).await;
        people.set_ways(vec![Way { label: "Acme <b>".into(), href: "/login/oidc".into(), via: Via::Oidc }]);
        let guard = Arc::new(Guard::new(Tokens::default(), Arc::new(people), &Config::default()));
        let visit = Visit::from_here(false, base);
        let response = form(State(guard), Extension(visit), uri.parse().unwrap(), HeaderMap::new()).await;
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn another_way_in_is_a_link_below_the_base_path() {
        let (status, html) = asked("/fleet", "/login?next=/nodes/a%3Fx%3D1").await;
        assert_eq!(status, StatusCode::OK);
        let link = "href=\"/fleet/login/oidc?next=/nodes/a%3Fx%3D1\">Sign in with Acme &lt;b&gt;</a>";
        assert!(html.contains(link), "{html}");
        assert!(!html.contains("name=\"password\""), "there is no user, so no password is asked for: {html}");
        assert!(html.contains("href=\"/fleet/\""), "{html}");
    }
}
