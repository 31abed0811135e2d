//! `/s/{token}/…`: what somebody sees who has a share link. Only what is listed in [`told`] is there, and every answer
//! goes through the scope. What is not inside is answered like what never was.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::{
    health::UnixMillis,
    risk::worst_first,
    scope::Inside,
    wire::{AlertChange, AlertDetail, Event, EventKind, Events, NodeRisk, NodeSeries, Risks, Uptimes, View},
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
    clock,
    query::{Params as Form, Seen},
    share::{OpenShare, Refused},
    state::{AlertQuery, EventQuery},
};

pub(super) const COOKIE: &str = "fleetglass_share";
const MOST_EVENTS: i64 = 1_000;
const MOST_CHANGES: usize = 200;
const MOST_RISKS: i64 = 5_000;

/// Somebody who looks through a link.
pub(super) struct Viewer<'a> {
    pub(super) app: &'a App,
    pub(super) share: &'a OpenShare,
    pub(super) now: UnixMillis,
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
            let viewer = Viewer { app: &app, share: &share, now };
            told(&viewer, &rest, &uri, &body, &headers).await
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

pub(super) enum Entered {
    /// The token opens nothing, whether it ever did.
    Nobody,
    /// It has a password that was not given.
    Locked(Arc<OpenShare>),
    Viewer(Arc<OpenShare>),
}

pub(super) fn entered(app: &App, token: &str, headers: &HeaderMap, now: UnixMillis) -> Entered {
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
pub(super) fn nothing() -> ProblemResponse {
    problem(
        StatusCode::NOT_FOUND,
        "Nothing here",
        "This link does not lead there: ask whoever sent it for another.",
    )
}

/// What is at a path below `api/v1`; a stream is as the headers of the request ask for it.
pub(super) async fn told(
    viewer: &Viewer<'_>,
    rest: &str,
    uri: &Uri,
    body: &[u8],
    headers: &HeaderMap,
) -> Response {
    let parts: Vec<&str> = rest.split('/').collect();
    let shows = |view: View| viewer.share.scope().shows(view);
    let any = shows(View::Fleet) || shows(View::Node);
    let found = match parts.as_slice() {
        ["share"] => Ok(Json(viewer.share.shared_with()).into_response()),
        ["fleet"] if any => viewer.fleet(),
        ["live"] if any => viewer.live(uri, headers),
        ["glance"] if any => viewer.glance(),
        ["alerts"] if shows(View::Alerts) => {
            Ok(Json(viewer.app.shares.alerts(viewer.share, viewer.now)).into_response())
        }
        ["alerts", id] if shows(View::Alerts) => viewer.alert(id).await,
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
        if self.share.is_used_up() {
            return Err(nothing());
        }
        self.app.shares.viewed(self.share, self.now);
        let snapshot = self.app.shares.snapshot(self.share, self.now).ok_or_else(nothing)?.to_string();
        Ok(([(header::CONTENT_TYPE, "application/json")], snapshot).into_response())
    }

    pub(super) fn glance(&self) -> Result<Response, ProblemResponse> {
        if self.share.is_used_up() {
            return Err(nothing());
        }
        Ok(Json(self.app.shares.glance(self.share, self.now).ok_or_else(nothing)?).into_response())
    }

    pub(super) fn live(&self, uri: &Uri, headers: &HeaderMap) -> Result<Response, ProblemResponse> {
        let look = live::Look::read(uri, headers)?;
        match self.app.shares.subscribe(self.share, look.seen(), self.now) {
            Ok(subscription) => Ok(live::stream_of(subscription, &look)),
            Err(Refused::Closed) => Err(nothing()),
            Err(Refused::TooMany) => Err(problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many streams",
                "Too many look at this link already; try again later.",
            )),
        }
    }

    pub(super) fn node(&self, name: &str) -> Result<Response, ProblemResponse> {
        let node = self.inside(name)?;
        let detail = self.app.fleet.detail(&node.id).ok_or_else(nothing)?;
        let panels = self.app.fleet.panels_as(&node.id, &node.shown);
        Ok(Json(self.share.scope().detail(&node, &detail, panels, self.now)).into_response())
    }

    pub(super) fn series(&self, name: &str) -> Result<Response, ProblemResponse> {
        let node = self.inside(name)?;
        let all = self.app.store.latest(&node.id);
        let shown = all.iter().filter_map(|series| self.share.scope().series(&node, series, self.now));
        Ok(Json(NodeSeries { series: shown.collect() }).into_response())
    }

    /// One alert and what happened to it. Its rule, and how others do, is not told.
    async fn alert(&self, shown: &str) -> Result<Response, ProblemResponse> {
        let (node, id, alert) = self.app.shares.alert(self.share, shown, self.now).ok_or_else(nothing)?;
        let (since, until) = (self.share.scope().oldest(self.now), UnixMillis::MAX);
        let query = AlertQuery { alert: Some(id), node: None, since, until, limit: MOST_CHANGES };
        let all = self.app.state.alert_history(query).await.map_err(|error| unavailable(&error))?;
        let cut = |change: &AlertChange| self.share.scope().alert_change(&node, change, self.now);
        let history = all.changes.iter().filter_map(cut).collect();
        Ok(Json(AlertDetail { alert, rule: None, history, others: None, incident: None }).into_response())
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

    pub(super) fn risk(&self, name: &str, risk: &str) -> Result<Response, ProblemResponse> {
        let node = self.inside(name)?;
        let risky = self.app.fleet.risky(&node.id).ok_or_else(nothing)?;
        let family = risky.family.clone().ok_or_else(nothing)?;
        let index = family.risks().position(|own| own.name() == risk).ok_or_else(nothing)?;
        let told = risks::detail(self.app, (&node.id, &node.shown), &risky, &family, index, self.now);
        let cut = self.share.scope().risk_detail(&node, told, self.now).ok_or_else(nothing)?;
        Ok(Json(cut).into_response())
    }

    pub(super) async fn uptime(&self, uri: &Uri) -> Result<Response, ProblemResponse> {
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
    pub(super) async fn queried(&self, parts: &[&str], uri: &Uri, body: &[u8]) -> Response {
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
