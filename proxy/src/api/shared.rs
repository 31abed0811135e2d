//! `/s/{token}/…`: what somebody sees who has a share link. Only what is listed in [`told`] is there, and every answer
//! goes through the scope. What is not inside is answered like what never was.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::{
    health::UnixMillis,
    risk::worst_first,
    scope::Inside,
    wire::{Event, EventKind, Events, NodeRisk, NodeSeries, Risks, Uptimes, View},
};

use super::{
    events::unavailable,
    live,
    params::{Params, bad},
    problem::{ProblemResponse, problem},
    risks, uptime,
};
use crate::{
    app::App,
    assets, clock,
    edge::Visit,
    query::{Params as Form, Seen},
    share::{OpenShare, PasswordError, Refused},
    state::EventQuery,
};

const COOKIE: &str = "fleetglass_share";
const MOST_EVENTS: i64 = 1_000;
const MOST_RISKS: i64 = 5_000;

/// Somebody who looks through a link.
pub(super) struct Viewer<'a> {
    pub(super) app: &'a App,
    pub(super) share: &'a OpenShare,
    pub(super) now: UnixMillis,
    /// It counts as a view.
    pub(super) counts: bool,
}

/// The app, as the link shows it.
pub async fn page(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    Path(parts): Path<BTreeMap<String, String>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let token = parts.get("token").map(String::as_str).unwrap_or_default();
    if parts.get("page").is_some_and(|page| page.starts_with("api/")) {
        return nothing().into_response();
    }
    let now = clock::now();
    let share = match entered(&app, token, &headers, now) {
        Entered::Nobody => return closed_page(),
        Entered::Locked(share) => return password_page(&share, token, StatusCode::OK, ""),
        Entered::Viewer(share) if share.is_used_up() => return closed_page(),
        Entered::Viewer(share) => share,
    };
    let told = share.shared_with();
    let views: Vec<&str> = told.views.iter().map(|view| view.as_str()).collect();
    let mark = format!(
        "<meta name=\"robots\" content=\"noindex\"><meta name=\"fleetglass-share\" data-title=\"{}\" data-by=\"{}\" data-views=\"{}\">",
        escaped(&told.title),
        escaped(&told.by),
        views.join(" ")
    );
    let found = match share.password().is_none() && !share.is_counted() {
        true => super::embed::oembed::discovery(&visit, app.is_https, &headers, &uri, &told.title),
        false => String::new(),
    };
    match assets::page_with(&(mark + &found)) {
        Some(html) => html_page(
            StatusCode::OK,
            html,
            &assets::APP_CSP.replace("frame-ancestors 'none'", &ancestors(&share)),
        ),
        None => (StatusCode::NOT_FOUND, "the app is not in this build; the API is served all the same")
            .into_response(),
    }
}

/// Opens a link that has a password.
pub async fn password(State(app): State<Arc<App>>, Path(token): Path<String>, body: Bytes) -> Response {
    let now = clock::now();
    let Some(share) = app.shares.find(&token, now) else { return closed_page() };
    if share.password().is_none() {
        return see_other(&token, None);
    }
    let given = Form::read(None, &body).ok().and_then(|form| form.get("password").map(str::to_owned));
    match app.shares.sessions().begin(&share, given.unwrap_or_default(), now).await {
        Ok(secret) => {
            let secure = if app.is_https { "; Secure" } else { "" };
            see_other(
                &token,
                Some(format!("{COOKIE}={secret}; Path=/s/{token}; HttpOnly; SameSite=Strict{secure}")),
            )
        }
        Err(PasswordError::Wrong) => {
            password_page(&share, &token, StatusCode::FORBIDDEN, "That is not the password.")
        }
        Err(PasswordError::TooSoon(seconds)) => {
            let words = format!("Too many tries. Try again in {seconds} s.");
            let mut response = password_page(&share, &token, StatusCode::TOO_MANY_REQUESTS, &words);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
    }
}

/// The API, as the link shows it.
pub async fn api(
    State(app): State<Arc<App>>,
    Path((token, rest)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now = clock::now();
    match entered(&app, &token, &headers, now) {
        Entered::Nobody => nothing().into_response(),
        Entered::Locked(_) => problem(
            StatusCode::UNAUTHORIZED,
            "Password needed",
            "Open the link in a browser and type its password.",
        )
        .into_response(),
        Entered::Viewer(share) => {
            let viewer = Viewer { app: &app, share: &share, now, counts: true };
            let seen = headers.get("last-event-id").and_then(|value| value.to_str().ok());
            told(&viewer, &rest, &uri, &body, Some(seen)).await
        }
    }
}

/// Puts what keeps links out of other hands on every answer.
pub async fn headers(mut response: Response) -> Response {
    let own = response.headers_mut();
    own.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ] {
        own.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    own.entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}

enum Entered {
    /// The token opens nothing, whether it ever did.
    Nobody,
    /// It has a password that was not given.
    Locked(Arc<OpenShare>),
    Viewer(Arc<OpenShare>),
}

fn entered(app: &App, token: &str, headers: &HeaderMap, now: UnixMillis) -> Entered {
    let Some(share) = app.shares.find(token, now) else { return Entered::Nobody };
    if share.password().is_none() {
        return Entered::Viewer(share);
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let own = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut secrets = own.filter(|(name, _)| *name == COOKIE).map(|(_, secret)| secret);
    match secrets.any(|secret| app.shares.sessions().holds(&share, secret, now)) {
        true => Entered::Viewer(share),
        false => Entered::Locked(share),
    }
}

/// The one answer to whatever is not inside, and to whatever link is none.
fn nothing() -> ProblemResponse {
    problem(
        StatusCode::NOT_FOUND,
        "Nothing here",
        "This link does not lead there: ask whoever sent it for another.",
    )
}

/// What is at a path below `api/v1`; `live` has the event id that a stream goes on from, where streams are told.
pub(super) async fn told(
    viewer: &Viewer<'_>,
    rest: &str,
    uri: &Uri,
    body: &[u8],
    live: Option<Option<&str>>,
) -> Response {
    let parts: Vec<&str> = rest.split('/').collect();
    let shows = |view: View| viewer.share.scope().shows(view);
    let any = shows(View::Fleet) || shows(View::Node);
    let found = match parts.as_slice() {
        ["share"] => Ok(Json(viewer.share.shared_with()).into_response()),
        ["fleet"] if any => viewer.fleet(),
        ["live"] if any => live.map_or_else(|| Err(nothing()), |seen| viewer.live(seen)),
        ["alerts"] if shows(View::Alerts) => {
            Ok(Json(viewer.app.shares.alerts(viewer.share, viewer.now)).into_response())
        }
        ["risks"] if shows(View::Risks) => viewer.risks(uri),
        ["uptime"] if any => viewer.uptime(uri).await,
        ["events"] if shows(View::Node) => viewer.events(uri).await,
        ["nodes", name] if shows(View::Node) => viewer.node(name),
        ["nodes", name, "series"] if shows(View::Node) && shows(View::Charts) => viewer.series(name),
        ["nodes", name, "risks", risk] if shows(View::Risks) => viewer.risk(name, risk),
        parts if shows(View::Charts) => return viewer.queried(parts, uri, body).await,
        _ => Err(nothing()),
    };
    found.unwrap_or_else(IntoResponse::into_response)
}

impl Viewer<'_> {
    pub(super) fn inside(&self, name: &str) -> Result<Inside, ProblemResponse> {
        self.app.shares.nodes(self.share).into_iter().find(|node| node.shown == name).ok_or_else(nothing)
    }

    fn fleet(&self) -> Result<Response, ProblemResponse> {
        if self.counts {
            if self.share.is_used_up() {
                return Err(nothing());
            }
            self.app.shares.viewed(self.share, self.now);
        }
        let snapshot = self.app.shares.snapshot(self.share, self.now).ok_or_else(nothing)?.to_string();
        Ok(([(header::CONTENT_TYPE, "application/json")], snapshot).into_response())
    }

    fn live(&self, seen: Option<&str>) -> Result<Response, ProblemResponse> {
        match self.app.shares.subscribe(self.share, seen, self.now) {
            Ok(subscription) => Ok(live::stream_of(subscription)),
            Err(Refused::Closed) => Err(nothing()),
            Err(Refused::TooMany) => Err(problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many streams",
                "Too many look at this link already; try again later.",
            )),
        }
    }

    fn node(&self, name: &str) -> Result<Response, ProblemResponse> {
        let node = self.inside(name)?;
        let detail = self.app.fleet.detail(&node.id).ok_or_else(nothing)?;
        let panels = self.app.fleet.panels_as(&node.id, &node.shown);
        Ok(Json(self.share.scope().detail(&node, &detail, panels, self.now)).into_response())
    }

    fn series(&self, name: &str) -> Result<Response, ProblemResponse> {
        let node = self.inside(name)?;
        let all = self.app.store.latest(&node.id);
        let shown = all.iter().filter_map(|series| self.share.scope().series(&node, series, self.now));
        Ok(Json(NodeSeries { series: shown.collect() }).into_response())
    }

    fn risks(&self, uri: &Uri) -> Result<Response, ProblemResponse> {
        let params = Params::read(uri, &["node", "limit"])?;
        let limit = params.number("limit")?.unwrap_or(500).clamp(0, MOST_RISKS);
        let mut risks = self.risks_of(params.get("node"));
        let total = risks.len();
        risks.truncate(usize::try_from(limit).unwrap_or(0));
        Ok(Json(Risks { at: self.now, total, risks }).into_response())
    }

    /// The risks of a node, or of all, the worst first.
    pub(super) fn risks_of(&self, name: Option<&str>) -> Vec<NodeRisk> {
        let nodes = self.app.shares.nodes(self.share);
        let meant = nodes.iter().filter(|node| name.is_none_or(|name| node.shown == name));
        let inside: BTreeMap<&str, &Inside> = meant.map(|node| (node.id.as_str(), node)).collect();
        let all = self.app.fleet.risks(usize::MAX, |own, _| inside.contains_key(own.id.as_str())).1;
        let cut = |own: &NodeRisk| self.share.scope().node_risk(inside.get(own.node.as_str())?, own);
        let mut risks: Vec<NodeRisk> = all.iter().filter_map(cut).collect();
        risks.sort_by(|a, b| worst_first(&a.risk, &b.risk).then_with(|| a.node.cmp(&b.node)));
        risks
    }

    fn risk(&self, name: &str, risk: &str) -> Result<Response, ProblemResponse> {
        let node = self.inside(name)?;
        let risky = self.app.fleet.risky(&node.id).ok_or_else(nothing)?;
        let family = risky.family.clone().ok_or_else(nothing)?;
        let index = family.risks().position(|own| own.name() == risk).ok_or_else(nothing)?;
        let told = risks::detail(self.app, (&node.id, &node.shown), &risky, &family, index, self.now);
        let cut = self.share.scope().risk_detail(&node, told, self.now).ok_or_else(nothing)?;
        Ok(Json(cut).into_response())
    }

    async fn uptime(&self, uri: &Uri) -> Result<Response, ProblemResponse> {
        let params = Params::read(uri, &["node", "by"])?;
        let scope = self.share.scope();
        let nodes = self.app.shares.nodes(self.share);
        let groups: Vec<(String, String)> = match (params.get("node"), params.get("by")) {
            (Some(_), Some(_)) => return Err(bad("`node` and `by` exclude each other".to_owned())),
            (Some(name), None) => {
                let node = self.inside(name)?;
                vec![(node.id, node.shown)]
            }
            (None, Some(label)) => {
                let values: BTreeMap<String, String> = self.app.fleet.values_of(label).into_iter().collect();
                let shown = |node: Inside| {
                    let value = values.get(&node.id).cloned().unwrap_or_default();
                    let labels = BTreeMap::from([(label.to_owned(), value)]);
                    let value = match label {
                        "family" => labels[label].clone(),
                        _ => scope.node_labels(&node, &labels).remove(label).unwrap_or_default(),
                    };
                    (node.id, value)
                };
                nodes.into_iter().map(shown).collect()
            }
            (None, None) => nodes.into_iter().map(|node| (node.id, node.shown)).collect(),
        };
        Ok(Json(self.uptimes(groups).await?).into_response())
    }

    /// Uptime of pairs of a node's real id and the group that it counts for.
    pub(super) async fn uptimes(&self, groups: Vec<(String, String)>) -> Result<Uptimes, ProblemResponse> {
        let history = self.app.state.history(self.now).await.map_err(|error| unavailable(&error))?;
        let Uptimes { at, mut of } = uptime::sums(&history, groups);
        let scope = self.share.scope();
        of.iter_mut().for_each(|one| one.windows.retain(|window| scope.shows_window(window, self.now)));
        Ok(Uptimes { at, of })
    }

    async fn events(&self, uri: &Uri) -> Result<Response, ProblemResponse> {
        let params = Params::read(uri, &["node", "kind", "own", "since", "until", "limit"])?;
        let scope = self.share.scope();
        let node = self.inside(params.get("node").ok_or_else(|| bad("`node` is missing".to_owned()))?)?;
        let asked: Vec<EventKind> = match params.get("kind") {
            None => EventKind::ALL.to_vec(),
            Some(words) => words.split(',').filter_map(EventKind::parse).collect(),
        };
        let kinds: Vec<EventKind> = asked.into_iter().filter(|kind| scope.tells(*kind)).collect();
        if kinds.is_empty() {
            return Ok(Json(Events::default()).into_response());
        }
        let query = EventQuery {
            node: Some(node.id.clone()),
            own: false,
            kinds,
            since: params.number("since")?.unwrap_or(UnixMillis::MIN).max(scope.oldest(self.now)),
            until: params.number("until")?.unwrap_or(UnixMillis::MAX),
            limit: usize::try_from(params.number("limit")?.unwrap_or(MOST_EVENTS).clamp(1, MOST_EVENTS))
                .unwrap_or(1),
        };
        let Events { events, more } =
            self.app.state.events(query).await.map_err(|error| unavailable(&error))?;
        let mut last = (UnixMillis::MIN, 0);
        let mut cut = |event: &Event| {
            // By its time, and its place among those of the same time: the same each time that it is told.
            last = if last.0 == event.at { (event.at, last.1 + 1) } else { (event.at, 0) };
            scope.event(&node, event, event.at.unsigned_abs() * 64 + last.1, self.now)
        };
        Ok(Json(Events { events: events.iter().filter_map(&mut cut).collect(), more }).into_response())
    }

    /// Prometheus's API, with its form of errors.
    async fn queried(&self, parts: &[&str], uri: &Uri, body: &[u8]) -> Response {
        let queries = &self.app.viewer_queries;
        let nodes = Arc::new(self.app.shares.nodes(self.share));
        let seen = Seen { scope: Arc::clone(self.share.scope()), nodes };
        let params = match Form::read(uri.query(), body) {
            Ok(params) => params,
            Err(error) => return error.into_response(),
        };
        let answer = match parts {
            ["query"] => queries.instant(seen, &params).await,
            ["query_range"] => queries.range(seen, &params).await,
            ["chart"] => queries.chart(seen, &params).await,
            ["series"] => queries.series(seen, &params).await,
            ["labels"] => queries.labels(seen, &params, None).await,
            ["label", name, "values"] => queries.labels(seen, &params, Some((*name).to_owned())).await,
            _ => return nothing().into_response(),
        };
        answer.unwrap_or_else(IntoResponse::into_response)
    }
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
    small_page(StatusCode::NOT_FOUND, inside, "frame-ancestors 'none'")
}

fn password_page(share: &OpenShare, token: &str, status: StatusCode, words: &str) -> Response {
    let told = share.shared_with();
    let inside = format!(
        "<h1>{}</h1><p>Shared by {}. It has a password.</p><form method=\"post\" action=\"/s/{}/password\">\
         <p><label>Password <input type=\"password\" name=\"password\" required autofocus></label> <button>Open</button></p>\
         <p role=\"alert\">{words}</p></form>",
        escaped(&told.title),
        escaped(&told.by),
        escaped(token),
    );
    small_page(status, &inside, &format!("form-action 'self'; {}", ancestors(share)))
}

fn small_page(status: StatusCode, inside: &str, policy: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"robots\" content=\"noindex\"><meta name=\"color-scheme\" content=\"light dark\"><title>Fleetglass</title>\
         </head><body><main>{inside}</main></body></html>"
    );
    html_page(status, html, &format!("default-src 'none'; base-uri 'none'; {policy}"))
}

fn html_page(status: StatusCode, html: String, policy: &str) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    if let Ok(policy) = HeaderValue::from_str(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn see_other(token: &str, cookie: Option<String>) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, format!("/s/{token}/"))]).into_response();
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
