//! The dashboard's files: built by Trunk into `dist/`, inside the binary in a release build.

use axum::{
    Extension,
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest, Sha256};

mod inline;

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{api::problem::problem, auth::Guard, edge::Visit, etag::is_held};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../dist"]
#[allow_missing = true]
struct Dist;

/// The app's own policy: nothing from elsewhere; wasm may run. Its page's has the hashes of what stands in it besides:
/// [`page_policy`].
pub const APP_CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; frame-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// What a browser gets for its service worker where there is no app: that one goes, with all that it kept.
const LEAVING: &str = "self.addEventListener('install', () => self.skipWaiting());\n\
    self.addEventListener('activate', (event) => event.waitUntil((async () => {\n\
    \x20 for (const name of await caches.keys()) if (name.startsWith('fleetglass ')) await caches.delete(name);\n\
    \x20 await self.registration.unregister();\n\
    })()));\n";

/// A file of the app, or its page for every address the app itself routes.
pub async fn asset(
    Extension(guard): Extension<Arc<Guard>>,
    Extension(visit): Extension<Visit>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "sw.js" && Dist::get(path).is_none() {
        let headers = [(header::CONTENT_TYPE, "text/javascript"), (header::CACHE_CONTROL, "no-cache")];
        return (headers, LEAVING).into_response();
    }
    if path.starts_with("api/") {
        return problem(
            StatusCode::NOT_FOUND,
            "No such endpoint",
            format!("nothing is served at {}", uri.path()),
        )
        .into_response();
    }
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let wants_page = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_none_or(|accept| accept.contains("text/html") || accept.contains("*/*"));
    let found = if path.is_empty() { None } else { serve(path, &headers) };
    if let Some(response) = found {
        return response;
    }
    // `/nodes/eu.1` is a page of the app although it looks like a file.
    if (is_file && !path.starts_with("nodes/")) || !wants_page {
        return problem(StatusCode::NOT_FOUND, "No such file", format!("the app has no file {}", uri.path()))
            .into_response();
    }
    // At the root it goes out as it was made, and as small.
    let page = match visit.base.as_str() {
        "" => serve("index.html", &headers),
        base => placed_page(base, ("", "")).map(|html| {
            let etag = etag(&Sha256::digest(html.as_bytes()));
            answer(&headers, &etag, false, || html_response(html))
        }),
    };
    let page = page.map(|mut page| {
        let may_look = !guard.asks() || headers.contains_key(header::COOKIE);
        if may_look && matches!(path, "" | "glance") {
            page.headers_mut().extend(early_glance(&visit.base).map(|early| (header::LINK, early)));
        }
        page
    });
    page.unwrap_or_else(|| {
        problem(
            StatusCode::NOT_FOUND,
            "The app is not in this build",
            "Build it with `cargo xtask build`, then start again; the API is served all the same.",
        )
        .into_response()
    })
}

/// The app's page under a path, with something more in its head, and above its body until the app is there; `None` where
/// the app was not built.
pub fn placed_page(base: &str, (mark, above): (&str, &str)) -> Option<String> {
    let page = Dist::get("index.html")?;
    let html = String::from_utf8_lossy(&page.data);
    let (head, rest) = html.split_once("</head>")?;
    let rest = rest.replacen(SKETCH, &format!("{above}{SKETCH}"), 1);
    Some(format!("{}{mark}</head>{rest}", under(base, head)))
}

/// Where the page's sketch has its body.
const SKETCH: &str = "<div class=\"page-body\" id=\"boot-notice\">";

/// The policy of the app's page, wherever it is: with the hashes of what stands in it.
pub fn page_policy() -> Option<Arc<str>> {
    /// A debug build reads a page that may change.
    static MADE: Mutex<Option<([u8; 32], Arc<str>)>> = Mutex::new(None);
    let page = Dist::get("index.html")?;
    let hash = page.metadata.sha256_hash();
    let mut made = MADE.lock();
    if let Some((of, policy)) = made.as_ref()
        && *of == hash
    {
        return Some(Arc::clone(policy));
    }
    let policy: Arc<str> = inline::policy(APP_CSP, &String::from_utf8_lossy(&page.data)).into();
    *made = Some((hash, Arc::clone(&policy)));
    Some(policy)
}

/// The head of the app's page, with every path in it below `base`, and the base for the app itself to read. A prefix has no
/// letter that HTML would need escaped: see `edge::prefix`.
fn under(base: &str, head: &str) -> String {
    if base.is_empty() {
        return head.to_owned();
    }
    let mut placed = String::with_capacity(head.len() + 40 * base.len());
    for (is_markup, piece) in inline::pieces(head) {
        if !is_markup {
            placed.push_str(piece);
            continue;
        }
        let mut last = None;
        let mut letters = piece.chars().peekable();
        while let Some(letter) = letters.next() {
            // The paths are whole values of attributes (without quotes where Trunk minifies), or items of a list in one.
            let begins = letter == '/' && matches!(last, Some('"' | '=' | ' '));
            if begins && letters.peek().is_some_and(|next| next.is_ascii_alphanumeric()) {
                placed.push_str(base);
            }
            placed.push(letter);
            last = Some(letter);
        }
    }
    placed.replacen("data-js=", &format!("data-base=\"{base}\" data-js="), 1)
}

/// Has the browser ask for the first view while the app is on its way; `at` is where the app is.
pub fn early_glance(at: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("<{at}/api/v1/glance>; rel=preload; as=fetch; crossorigin=anonymous")).ok()
}

/// The app's manifest: what it is called and looks like where it is installed.
pub fn manifest() -> Option<serde_json::Value> {
    serde_json::from_slice(&Dist::get("manifest.webmanifest")?.data).ok()
}

/// Whether the app was built.
pub fn is_present() -> bool {
    Dist::get("index.html").is_some()
}

fn serve(path: &str, headers: &HeaderMap) -> Option<Response> {
    let file = Dist::get(path)?;
    let etag = etag(&file.metadata.sha256_hash());
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    let content_type = HeaderValue::from_str(mime.as_ref()).ok()?;
    Some(answer(headers, &etag, is_hashed(path), || {
        let (body, encoding) = encoded(path, headers).unwrap_or((file, None));
        let mut response = Response::new(Body::from(body.data));
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        if let Some(encoding) = encoding {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }))
}

/// What is asked for, or that the asker has it.
fn answer(asked: &HeaderMap, etag: &str, immutable: bool, make: impl FnOnce() -> Response) -> Response {
    let mut response = if is_held(asked, etag) { StatusCode::NOT_MODIFIED.into_response() } else { make() };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(header::ETAG, etag);
    }
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(if immutable { "public, max-age=31536000, immutable" } else { "no-cache" }),
    );
    response
}

fn html_response(html: String) -> Response {
    ([(header::CONTENT_TYPE, "text/html")], html).into_response()
}

/// The smaller file that was made beside it at build time, if the client reads that coding.
fn encoded(path: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = headers.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
    let takes = |coding: &str| {
        accepted.split(',').any(|part| {
            let (name, quality) = part.split_once(';').unwrap_or((part, ""));
            name.trim() == coding && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
        })
    };
    [("br", "br"), ("gzip", "gz")].into_iter().filter(|(coding, _)| takes(coding)).find_map(
        |(coding, end)| {
            let coding: &'static str = coding;
            Some((Dist::get(&format!("{path}.{end}"))?, Some(coding)))
        },
    )
}

fn etag(hash: &[u8]) -> String {
    let short: String = hash[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("W/\"{short}\"")
}

/// Trunk puts a hash of 16 hex digits into the name of what it makes: such a file never changes.
fn is_hashed(path: &str) -> bool {
    path.split(['-', '_', '.', '/']).any(|part| {
        (14..=16).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

#[cfg(test)]
mod tests {
    use super::{is_hashed, under};

    #[test]
    fn only_names_with_a_hash_are_immutable() {
        assert!(is_hashed("fleetglass-frontend-4f3ae1c9d2b8a701_bg.wasm"));
        assert!(is_hashed("base-4f3ae1c9d2b8a701.css"));
        assert!(!is_hashed("index.html"));
        assert!(!is_hashed("icons/icon-512.png"));
        assert!(!is_hashed("deadbeef.js"));
    }

    #[test]
    fn every_path_of_the_page_is_placed_and_nothing_else() {
        let head = r#"<link rel="stylesheet" href="/a.css" integrity="sha384-x/y+z="/><link rel=icon href=/i.svg>
            <meta name="fleetglass-app" data-sheets="/b.css /c.css" data-rest="/r.wasm" data-js="/j.js">"#;
        let placed = r#"<link rel="stylesheet" href="/f/a.css" integrity="sha384-x/y+z="/><link rel=icon href=/f/i.svg>
            <meta name="fleetglass-app" data-sheets="/f/b.css /f/c.css" data-rest="/f/r.wasm" data-base="/f" data-js="/f/j.js">"#;
        assert_eq!(under("/f", head), placed);
        assert_eq!(under("", head), head);
        assert_eq!(
            under("/f", "<script>a(\"/x\")</script>"),
            "<script>a(\"/x\")</script>",
            "a policy knows its hash"
        );
    }
}
