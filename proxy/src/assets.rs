//! The dashboard's files: built by Trunk into `dist/`, inside the binary in a release build.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::api::problem::problem;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../dist"]
#[allow_missing = true]
struct Dist;

/// The app's own policy: nothing from elsewhere, no inline script or style; wasm may run.
pub const APP_CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; frame-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// A file of the app, or its page for every address the app itself routes.
pub async fn asset(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
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
    serve("index.html", &headers).unwrap_or_else(|| {
        problem(
            StatusCode::NOT_FOUND,
            "The app is not in this build",
            "Build it with `cargo xtask build`, then start again; the API is served all the same.",
        )
        .into_response()
    })
}

/// The app's page with something more in its head; `None` where the app was not built.
pub fn page_with(mark: &str) -> Option<String> {
    let page = Dist::get("index.html")?;
    let html = String::from_utf8_lossy(&page.data);
    let (head, rest) = html.split_once("</head>")?;
    Some(format!("{head}{mark}</head>{rest}"))
}

/// Whether the app was built.
pub fn is_present() -> bool {
    Dist::get("index.html").is_some()
}

fn serve(path: &str, headers: &HeaderMap) -> Option<Response> {
    let file = Dist::get(path)?;
    let etag = etag(&file);
    let immutable = is_hashed(path);
    let mut response = if matches(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let (body, encoding) = encoded(path, headers).unwrap_or((file, None));
        let mut response = Response::new(Body::from(body.data));
        let mime = mime_guess::from_path(path).first_or_octet_stream();
        let content_type = HeaderValue::from_str(mime.as_ref()).ok()?;
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        if let Some(encoding) = encoding {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::ETAG, HeaderValue::from_str(&etag).ok()?);
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(if immutable { "public, max-age=31536000, immutable" } else { "no-cache" }),
    );
    Some(response)
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

fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let short: String = hash[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("W/\"{short}\"")
}

fn matches(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|held| held.split(',').any(|tag| tag.trim() == etag || tag.trim() == "*"))
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
    use super::is_hashed;

    #[test]
    fn only_names_with_a_hash_are_immutable() {
        assert!(is_hashed("fleetglass-frontend-4f3ae1c9d2b8a701_bg.wasm"));
        assert!(is_hashed("base-4f3ae1c9d2b8a701.css"));
        assert!(!is_hashed("index.html"));
        assert!(!is_hashed("icons/icon-512.png"));
        assert!(!is_hashed("deadbeef.js"));
    }
}
