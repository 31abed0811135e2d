//! `/embed/{token}`: one panel of a share link in a page of somebody else's, and what its script asks.
//!
//! | module | is |
//! |---|---|
//! | this file | the page, the panel alone, the JSON, the files |
//! | `collect`, `chart` | what a panel says, from what the scope lets through |
//! | `stream` | the live stream without what is in it: what changed, so that the panel asks |
//! | `badges` | pictures of a word |
//! | `oembed` | how others find out that a link can be embedded |
//! | `together` | the panels of a page in one answer |

pub mod badges;
mod chart;
mod collect;
pub mod oembed;
mod stream;
pub mod together;

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use self::collect::Said;
use super::{problem::problem, shared::Viewer, shared_page};
use crate::{
    app::App,
    clock,
    edge::Visit,
    embed::{self, Ask, Panel, Place},
    etag::is_held,
    query::Params as Form,
    share::OpenShare,
};

const GONE: &str =
    "This panel shows nothing: its link was taken back, its time is over, or it was never one.";
/// A panel that is asked for alone takes no longer: whoever asks gives up soon after.
const PATIENCE: Duration = Duration::from_secs(15);
/// A page in a frame: nothing from elsewhere, no inline script or style.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; worker-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors ";

/// What a token opens here.
enum Opened {
    /// Nothing, whether it ever did.
    Gone,
    /// A link that cannot be embedded, and why.
    Closed(Arc<OpenShare>, &'static str),
    Open(Arc<OpenShare>),
}

fn opened(app: &App, token: &str, now: i64) -> Opened {
    match app.shares.find(token, now) {
        None => Opened::Gone,
        Some(share) if share.password().is_some() => Opened::Closed(
            share,
            "This link has a password, and a frame has no place to keep that it was given. Make a link without one, for the \
             pages that are to show it.",
        ),
        Some(share) if share.is_counted() => Opened::Closed(
            share,
            "This link may be opened so many times only, and each look at this page would be one. Make a link without that \
             limit.",
        ),
        Some(share) => Opened::Open(share),
    }
}

/// The parameters of an address, and what is wrong with them.
fn asked(query: Option<&str>) -> (Ask, Result<(), String>) {
    match Form::read(query, &[]) {
        Ok(form) => Ask::read(form.pairs()),
        Err(error) => (Ask::default(), Err(error.to_string())),
    }
}

/// A panel, or why there is none.
async fn told(
    app: &App,
    share: &OpenShare,
    now: i64,
    ask: &Ask,
    fault: Result<(), String>,
    patience: Duration,
) -> Result<Panel, Said> {
    fault.map_err(|words| Said::new(StatusCode::BAD_REQUEST, words))?;
    let panel = tokio::time::timeout(patience, collect::panel(&Viewer { app, share, now }, ask)).await;
    panel.unwrap_or_else(|_| Err(Said::late(patience)))
}

fn is_live(share: &OpenShare) -> bool {
    use fleetglass_shared::wire::View;
    let shows = |view: View| share.scope().shows(view);
    shows(View::Fleet) || shows(View::Node)
}

/// The page that a frame shows.
pub async fn page(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let now = clock::now();
    let (ask, fault) = asked(query.as_deref());
    let base = visit.base.as_str();
    match opened(&app, &token, now) {
        // It tells nothing of any link, so every page may show it.
        Opened::Gone => html(StatusCode::NOT_FOUND, embed::said(base, &ask, "Not shared", GONE, false), "*"),
        Opened::Closed(share, why) => {
            let page = embed::said(base, &ask, "This link cannot be embedded", why, false);
            html(StatusCode::FORBIDDEN, page, &ancestors(&share))
        }
        Opened::Open(share) => match told(&app, &share, now, &ask, fault, PATIENCE).await {
            Ok(panel) => {
                let found = match share.origins() {
                    [] => String::new(),
                    _ => {
                        let root = shared_page::origin(&app, &visit);
                        let address = format!("{root}/embed/{token}?{}", ask.in_address());
                        oembed::discovery(&root, &panel.title, &address)
                    }
                };
                let place = Place { base, token: &token, is_live: is_live(&share), found: &found };
                html(StatusCode::OK, embed::page(&place, &ask, &panel), &ancestors(&share))
            }
            Err(said) => {
                // A node may be asked for the first time in a moment, and a start takes one.
                let may_pass = said.status == StatusCode::NOT_FOUND || said.status.is_server_error();
                let page = embed::said(base, &ask, "This panel shows nothing", &said.words, may_pass);
                html(said.status, page, &ancestors(&share))
            }
        },
    }
}

/// What the script of a page is told of its panel.
#[derive(Serialize)]
struct Drawn {
    status: u16,
    #[serde(skip_serializing_if = "String::is_empty")]
    mark: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
}

/// The panel alone; nothing where it is as `have` says.
async fn drawn(app: &App, token: &str, query: Option<&str>, patience: Duration) -> Drawn {
    let now = clock::now();
    let (ask, fault) = asked(query);
    let said =
        |status: StatusCode, text: String| Drawn { status: status.as_u16(), mark: String::new(), text };
    match opened(app, token, now) {
        Opened::Gone => said(StatusCode::NOT_FOUND, GONE.to_owned()),
        Opened::Closed(_, why) => said(StatusCode::FORBIDDEN, why.to_owned()),
        Opened::Open(share) => match told(app, &share, now, &ask, fault, patience).await {
            // A panel that is not there is not a link that is not there.
            Err(Said { status: StatusCode::NOT_FOUND, words }) => {
                said(StatusCode::UNPROCESSABLE_ENTITY, words)
            }
            Err(Said { status, words }) => said(status, words),
            Ok(panel) => {
                let mark = mark(&ask, &panel);
                let form = Form::read(query, &[]).ok();
                if form.as_ref().and_then(|form| form.get("have")) == Some(mark.as_str()) {
                    return said(StatusCode::NO_CONTENT, String::new());
                }
                Drawn { mark, ..said(StatusCode::OK, embed::fragment(&ask, &panel)) }
            }
        },
    }
}

/// The panel alone, for the script of its page.
pub async fn fragment(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let Drawn { status, mark, text } = drawn(&app, &token, query.as_deref(), PATIENCE).await;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match status {
        StatusCode::NO_CONTENT => status.into_response(),
        StatusCode::OK => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
                (HeaderName::from_static("x-panel-mark"), mark),
            ];
            (headers, text).into_response()
        }
        _ => (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response(),
    }
}

/// The same for what would be drawn the same, whenever that is: ages are kept true by the script.
fn mark(ask: &Ask, panel: &Panel) -> String {
    let drawn = embed::fragment(ask, &Panel { at: 0, ..panel.clone() });
    Sha256::digest(drawn.as_bytes())[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The panel for those who draw their own.
pub async fn json(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let now = clock::now();
    let (ask, fault) = asked(query.as_deref());
    match opened(&app, &token, now) {
        Opened::Gone => problem(StatusCode::NOT_FOUND, "Not shared", GONE).into_response(),
        Opened::Closed(_, why) => problem(StatusCode::FORBIDDEN, "Not to be embedded", why).into_response(),
        Opened::Open(share) => match told(&app, &share, now, &ask, fault, PATIENCE).await {
            Ok(panel) => Json(panel).into_response(),
            Err(said) => problem(said.status, "No panel", said.words).into_response(),
        },
    }
}

/// What changed, for the panels of a page.
pub async fn live(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let now = clock::now();
    let share = match opened(&app, &token, now) {
        Opened::Open(share) if is_live(&share) => share,
        Opened::Closed(_, why) => {
            return problem(StatusCode::FORBIDDEN, "Not to be embedded", why).into_response();
        }
        _ => return problem(StatusCode::NOT_FOUND, "Not shared", GONE).into_response(),
    };
    // A stream that is opened anew says it in its address: no header of its own can be sent from a sandbox without
    // asking first.
    let said =
        Form::read(query.as_deref(), &[]).ok().and_then(|form| form.get("last_event_id").map(str::to_owned));
    let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    stream::of(&app, &share, header.or(said.as_deref()), now)
}

/// The style sheet and scripts of panels.
pub async fn file(Path(name): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let Some(file) = embed::file(&name) else {
        return problem(StatusCode::NOT_FOUND, "No such file", "panels have no such file").into_response();
    };
    let is_its_version = query.as_deref() == Some(format!("v={}", file.version).as_str());
    served(file, &headers, if is_its_version { "public, max-age=31536000, immutable" } else { "no-cache" })
}

/// `/embed.js`: the custom element, at an address that stays.
pub async fn script(headers: HeaderMap) -> Response {
    match embed::file("embed.js") {
        Some(file) => served(file, &headers, "public, max-age=3600, stale-while-revalidate=86400"),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn served(file: embed::File, headers: &HeaderMap, caching: &'static str) -> Response {
    let etag = format!("W/\"{}\"", file.version);
    let mut response = match is_held(headers, &etag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, file.kind)], file.text).into_response(),
    };
    let own = response.headers_mut();
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    own.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    // A worker asks by the policy of its own file.
    own.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; connect-src 'self'; frame-ancestors 'none'"),
    );
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        own.insert(header::ETAG, etag);
    }
    response
}

/// Whose pages may have it in a frame: those that the link lists, and our own, for the preview.
fn ancestors(share: &OpenShare) -> String {
    let mut all = "'self'".to_owned();
    for origin in share.origins() {
        all.push(' ');
        all.push_str(origin);
    }
    all
}

fn html(status: StatusCode, page: String, ancestors: &str) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    if let Ok(policy) = HeaderValue::from_str(&format!("{POLICY}{ancestors}")) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Puts what every answer of `/embed/` has on it.
pub async fn headers(mut response: Response) -> Response {
    let own = response.headers_mut();
    for (name, value) in [
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("x-robots-tag", "noindex, nofollow"),
    ] {
        own.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    response
}
