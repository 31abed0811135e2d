//! `/s/{token}/badge/….svg`: a picture of a word, for pages that show pictures and nothing else.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::{
    health::Status,
    wire::{AlertState, View},
};
use sha2::{Digest, Sha256};

use super::{
    Opened,
    collect::{self, counts, figure, health},
    opened,
};
use crate::{
    api::{problem::problem, shared::Viewer},
    app::App,
    clock,
    embed::{
        Badge, Of, Style, Theme,
        model::{fleet_headline, percent, window},
    },
    etag::is_held,
    query::Params as Form,
};

/// How long a badge may be kept, in seconds: so long, unless longer is asked for, and that for a day.
const LEAST_KEPT: u32 = 30;
const MOST_KEPT: u32 = 86_400;
/// The one answer to whatever is not there: as a picture, for it stands where a picture was.
const NOTHING: &str = "not shared";

/// What is asked of a badge.
struct Wish {
    of: Option<Of>,
    label: Option<String>,
    style: Style,
    dark: bool,
    /// How long it may be kept, in seconds.
    kept: u32,
}

impl Wish {
    fn read(query: Option<&str>) -> Result<Self, String> {
        let form = Form::read(query, &[]).map_err(|error| error.to_string())?;
        let mut wish = Self { of: None, label: None, style: Style::Flat, dark: false, kept: LEAST_KEPT };
        // Left empty by a template, it is as if it were left out; of others nothing is known but that they keep a copy
        // of a picture from being an old one.
        for (name, value) in form.pairs().filter(|(name, value)| *name == "label" || !value.is_empty()) {
            match name {
                "of" => {
                    let words = Of::ALL.map(Of::as_str).join(", ");
                    wish.of = Some(Of::parse(value).ok_or_else(|| format!("`of` is one of {words}"))?);
                }
                "label" => wish.label = Some(value.to_owned()),
                "style" => wish.style = Style::parse(value)?,
                "theme" => wish.dark = Theme::parse(value)? == Theme::Dark,
                "cacheSeconds" => {
                    if !value.bytes().all(|letter| letter.is_ascii_digit()) {
                        return Err("`cacheSeconds` is a whole number".to_owned());
                    }
                    // What has too many digits is too long.
                    let seconds = value.parse().unwrap_or(MOST_KEPT);
                    wish.kept = std::cmp::Ord::clamp(seconds, LEAST_KEPT, MOST_KEPT);
                }
                _ => {}
            }
        }
        Ok(wish)
    }
}

/// The badge.
pub async fn badge(
    State(app): State<Arc<App>>,
    Path((token, file)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(name) = file.strip_suffix(".svg").filter(|name| !name.is_empty()) else {
        return problem(
            StatusCode::NOT_FOUND,
            "Nothing here",
            "A badge ends in .svg: /s/TOKEN/badge/status.svg",
        )
        .into_response();
    };
    let wish = match Wish::read(query.as_deref()) {
        Ok(wish) => wish,
        // A picture too, or whoever writes the address sees nothing but a broken one.
        Err(message) => {
            let (label, state) = ("badge".to_owned(), Status::Unknown);
            let svg = Badge { label, message, state, style: Style::Flat, dark: false }.svg();
            return picture(StatusCode::BAD_REQUEST, svg, &headers, LEAST_KEPT);
        }
    };
    let now = clock::now();
    let told = match opened(&app, &token, now) {
        Opened::Open(share) => {
            let viewer = Viewer { app: &app, share: &share, now };
            told(&viewer, name, wish.of).await
        }
        Opened::Gone | Opened::Closed(..) => None,
    };
    let (status, (label, message, state)) = match told {
        Some(told) => (StatusCode::OK, told),
        None => (StatusCode::NOT_FOUND, ("fleet".to_owned(), NOTHING.to_owned(), Status::Unknown)),
    };
    let label = wish.label.unwrap_or(label);
    let svg = Badge { label, message, state, style: wish.style, dark: wish.dark }.svg();
    // What is not there now may be there soon.
    picture(status, svg, &headers, if status == StatusCode::OK { wish.kept } else { LEAST_KEPT })
}

/// Label, message and how bad it is; `None` where the link does not show it.
async fn told(viewer: &Viewer<'_>, name: &str, of: Option<Of>) -> Option<(String, String, Status)> {
    let scope = viewer.share.scope();
    let shows = |view: View| scope.shows(view);
    let any = shows(View::Fleet) || shows(View::Node);
    // A node that is called `status` is asked for with `of`.
    let fleet = Of::parse(name).filter(|_| of.is_none());
    let node = match fleet {
        Some(_) => None,
        None => Some(viewer.inside(name).ok()?),
    };
    let of = fleet.or(of).unwrap_or(Of::Status);
    let own = node.as_ref().map(|node| node.shown.as_str());
    let label = match (own, of) {
        (Some(name), Of::Status) => name.to_owned(),
        (Some(name), of) => format!("{name} {}", of.label()),
        (None, of) => of.label().to_owned(),
    };
    let (message, state) = match of {
        Of::Status if any => {
            let mut nodes = collect::summaries(viewer);
            nodes.retain(|node| own.is_none_or(|name| node.id == name));
            match (own, nodes.first()) {
                (Some(_), node) => {
                    let status = node?.status;
                    (status.as_str().to_owned(), status)
                }
                (None, _) => {
                    let (words, worst) = fleet_headline(&counts(&nodes));
                    (words.to_lowercase(), worst.unwrap_or(Status::Unknown))
                }
            }
        }
        Of::Uptime if any => {
            let nodes = node.clone().map_or_else(|| viewer.app.shares.nodes(viewer.share), |node| vec![node]);
            let uptime = collect::total(viewer, nodes).await.ok()?;
            // A link that shows no 30 days has no such badge; one without nodes has nothing to tell.
            let ratio = match uptime.windows.as_slice() {
                [] => None,
                windows => window(windows, "30d")?.ratio,
            };
            (ratio.map_or_else(|| "not known".to_owned(), |ratio| percent(Some(ratio))), health(ratio))
        }
        Of::Alerts if shows(View::Alerts) => {
            let mut all = collect::standing(viewer, own);
            all.retain(|alert| alert.state == AlertState::Firing);
            let words =
                if all.is_empty() { "none".to_owned() } else { format!("{} firing", figure(all.len())) };
            (words, collect::alarm(&all))
        }
        Of::Risk if shows(View::Risks) => match collect::near(&collect::lines(viewer, own)) {
            (0, 0) => ("none near".to_owned(), Status::Healthy),
            (0, near) => (format!("{} near", figure(near)), Status::Degraded),
            (beyond, _) => (format!("{} breached", figure(beyond)), Status::Unreachable),
        },
        _ => return None,
    };
    Some((label, message, state))
}

fn picture(status: StatusCode, svg: String, headers: &HeaderMap, kept: u32) -> Response {
    let hash = Sha256::digest(svg.as_bytes());
    let etag = format!("\"{}\"", hash[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let mut response = match status == StatusCode::OK && is_held(headers, &etag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => (status, [(header::CONTENT_TYPE, "image/svg+xml; charset=utf-8")], svg).into_response(),
    };
    let own = response.headers_mut();
    if let Ok(caching) = HeaderValue::from_str(&format!("public, max-age={kept}, stale-if-error=300")) {
        own.insert(header::CACHE_CONTROL, caching);
    }
    // A 304 says of it what a 200 says.
    own.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    for (name, value) in [
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("x-robots-tag", "noindex, nofollow"),
    ] {
        own.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        own.insert(header::ETAG, etag);
    }
    response
}
