//! The small pages that the proxy draws itself, without the app: to sign in, to acknowledge, a link's password. No script,
//! one style, which the page's policy names by its hash.

use std::sync::LazyLock;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::letters::escaped;

/// The app's colours, of `static/css/tokens.css`.
const STYLE: &str = ":root{color-scheme:light dark;--bg:#f6f7f9;--surface:#fff;--text:#1a1d23;--muted:#59606c;--line:#ccd1d9;\
    --accent:#2a5bd7;--on-accent:#fff;--wrong:#b4123f;--tint:#fce8ee}\
    @media(prefers-color-scheme:dark){:root{--bg:#16181d;--surface:#1c1f25;--text:#e7e9ee;--muted:#a2a9b5;--line:#3d444f;\
    --accent:#7fa5ff;--on-accent:#10131a;--wrong:#ff8fab;--tint:#3a1a25}}\
    *{box-sizing:border-box}\
    body{margin:0;min-height:100dvh;display:grid;place-items:center;padding:24px 16px;background:var(--bg);color:var(--text);\
    font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",Arial,sans-serif}\
    main{width:100%;max-width:360px}\
    .mark{display:flex;align-items:center;gap:10px;margin:0 0 16px;font-weight:600}\
    .mark svg{width:32px;height:32px;flex:none}\
    .card{overflow-wrap:anywhere;background:var(--surface);border:1px solid var(--line);border-radius:8px;padding:24px}\
    h1{font-size:20px;line-height:1.3;margin:0 0 16px}p{margin:0 0 16px}.card>:last-child{margin-bottom:0}\
    form{margin:0 0 16px}label{display:block;font-size:14px;font-weight:600;margin:0 0 4px}\
    input{display:block;width:100%;height:44px;margin:0 0 16px;padding:0 12px;font:inherit;color:inherit;background:var(--bg);\
    border:1px solid var(--line);border-radius:6px}\
    button,.button{display:block;width:100%;min-height:44px;padding:9px 16px;font:inherit;font-weight:600;text-align:center;\
    text-decoration:none;color:var(--on-accent);background:var(--accent);border:1px solid var(--accent);border-radius:6px;cursor:pointer}\
    .quiet{color:var(--accent);background:none}a{color:var(--accent)}a.button:not(.quiet){color:var(--on-accent)}\
    :focus-visible{outline:2px solid var(--accent);outline-offset:2px}\
    .wrong{padding:8px 12px;border-radius:6px;color:var(--wrong);background:var(--tint);font-size:14px}\
    .aside{font-size:14px;color:var(--muted)}code{font-size:14px}";

const MARK: &str = "<p class=\"mark\"><svg viewBox=\"0 0 32 32\" fill=\"none\" stroke-linecap=\"round\" \
    stroke-linejoin=\"round\" aria-hidden=\"true\"><rect width=\"32\" height=\"32\" rx=\"7\" fill=\"#1d2129\"/>\
    <circle cx=\"14\" cy=\"14\" r=\"8\" stroke=\"#e7e9ee\" stroke-width=\"2.2\"/>\
    <path d=\"M20 20l6.2 6.2\" stroke=\"#e7e9ee\" stroke-width=\"2.6\"/>\
    <path d=\"M9.6 14.6h2.1l1.5-4 2.2 6.6 1.4-2.6h1.7\" stroke=\"#4fc48d\" stroke-width=\"1.8\"/></svg>Fleetglass</p>";

/// By what the policy knows the style.
static STYLE_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(Sha256::digest(STYLE.as_bytes())));

/// What is particular about a page.
#[derive(Debug, Default)]
pub struct Particular<'a> {
    /// HTML that goes into its head.
    pub head: &'a str,
    /// The origins that may frame it; by default nobody may.
    pub framed_by: &'a [String],
}

/// A page with this title, a plain text, and this inside, which is HTML.
pub fn small_page(status: StatusCode, title: &str, inside: &str) -> Response {
    particular_page(status, title, inside, &Particular::default())
}

/// The same with something of its own.
pub fn particular_page(status: StatusCode, title: &str, inside: &str, own: &Particular<'_>) -> Response {
    let head = own.head;
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <title>{} · Fleetglass</title><style>{STYLE}</style>{head}</head>\
         <body><main>{MARK}<div class=\"card\">{inside}</div></main></body></html>",
        escaped(title),
    );
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action 'self'; {}; base-uri 'none'",
        *STYLE_HASH,
        frame_ancestors(own.framed_by),
    );
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// What a policy says of those who may frame a page.
pub fn frame_ancestors(origins: &[String]) -> String {
    match origins {
        [] => "frame-ancestors 'none'".to_owned(),
        origins => format!("frame-ancestors {}", origins.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_allows_its_own_style_and_nothing_else() {
        let policy = |page: &Response| {
            page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap_or_default().to_owned()
        };
        let page = small_page(StatusCode::OK, "T", "<p></p>");
        let own = policy(&page);
        assert!(own.starts_with("default-src 'none'; style-src 'sha256-") && !own.contains("unsafe"));
        assert!(own.contains("frame-ancestors 'none'"));
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-store");
        let framed_by = ["https://a.example".to_owned(), "https://b.example".to_owned()];
        let own = Particular { framed_by: &framed_by, ..Particular::default() };
        let page = particular_page(StatusCode::OK, "T", "", &own);
        assert!(policy(&page).contains("frame-ancestors https://a.example https://b.example;"));
    }
}
