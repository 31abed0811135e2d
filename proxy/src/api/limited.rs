//! What those are answered whose role is limited to a part of the fleet: the same API over a fleet with nothing else in
//! it. Only what is listed in [`told`] is there for them; nothing here asks the handlers of the others but where these
//! know no node.
//!
//! | module | tells |
//! |---|---|
//! | this file | the list; the fleet, nodes, events, risks |
//! | `alerts` | alerts, incidents, rules, maintenance |
//! | `silences` | Alertmanager's silences |
//! | `queries` | Prometheus's API, exports |
//! | `shares` | share links within the part |
//! | `status` | status pages within it |

mod alerts;
mod queries;
mod shares;
mod silences;
mod status;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Json, RequestPartsExt,
    body::{Body, Bytes},
    extract::{MatchedPath, Path, Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use fleetglass_shared::{
    health::UnixMillis,
    restart::Peer,
    risk::worst_first,
    scope::{Fence, Inside, Scope},
    wire::{Event, Events, NodeRisk, NodeSummary, Risks},
};

use super::{
    events,
    live::{Look, stream_of},
    nodes,
    params::{Params, bad},
    problem::{ProblemResponse, problem},
    restart,
    shared::Viewer,
};
use crate::{
    app::App,
    auth::{Who, refused_to_limited},
    clock,
    query::{Seen, render_own},
    share::OpenShare,
    state::EventQuery,
};

/// The largest request body that is read.
const BODY_LIMIT: usize = 1 << 20;
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
const USUAL_RISKS: i64 = 500;

/// Answers here where the role of whoever asks is limited, and lets all others pass.
pub async fn instead(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(who) = request.extensions().get::<Who>().filter(|who| who.is_limited()).cloned() else {
        return next.run(request).await;
    };
    let path =
        request.extensions().get::<MatchedPath>().map_or(String::new(), |path| path.as_str().to_owned());
    let is_plain = |path: &str| KNOWS_NO_NODE.contains(&path);
    let mut response = match (app.shares.part(&who.select), Fence::new(&who.select)) {
        (Ok(_), Ok(_)) if is_plain(&path) => next.run(request).await,
        (Ok(part), Ok(fence)) => {
            let now = clock::now();
            let member = Member {
                viewer: Viewer { app: &app, share: &part, now },
                app: &app,
                part: &part,
                who: &who,
                fence,
                now,
            };
            read_and_told(&member, &path, request).await
        }
        // They were read when the role was given.
        _ => nothing().into_response(),
    };
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Their answers follow from the request, from this program, or from whoever asks alone.
const KNOWS_NO_NODE: [&str; 14] = [
    "/api/v1/me/password",
    "/api/v1/sessions",
    "/api/v1/sessions/{id}",
    "/api/v1/tokens",
    "/api/v1/tokens/{id}",
    "/api/v1/query_exemplars",
    "/api/v1/format_query",
    "/api/v1/parse_query",
    "/api/v1/alertmanagers",
    "/api/v1/status/buildinfo",
    "/api/v1/status/config",
    "/api/v1/status/flags",
    "/api/v1/status/runtimeinfo",
    "/api/v2/status",
];

/// Somebody whose role is limited.
struct Member<'a> {
    app: &'a Arc<App>,
    who: &'a Who,
    /// What there is for them.
    part: &'a OpenShare,
    /// The same, for what is answered as through a link.
    viewer: Viewer<'a>,
    fence: Fence,
    now: UnixMillis,
}

/// A request, taken apart.
struct Asked {
    parts: Parts,
    body: Bytes,
    params: BTreeMap<String, String>,
}

impl Asked {
    /// What stands in the path for a parameter of the route.
    fn path(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    fn query(&self) -> Option<&str> {
        self.parts.uri.query()
    }

    /// The request anew.
    fn request(&self) -> Request {
        Request::from_parts(self.parts.clone(), Body::from(self.body.clone()))
    }
}

/// The one answer to whatever is not inside, whether it is anywhere.
fn nothing() -> ProblemResponse {
    problem(
        StatusCode::NOT_FOUND,
        "Nothing here",
        "There is nothing of this name in the part of the fleet that your role is limited to.",
    )
}

async fn read_and_told(member: &Member<'_>, path: &str, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let params = match parts.extract::<Path<BTreeMap<String, String>>>().await {
        Ok(Path(params)) => params,
        Err(error) => return error.into_response(),
    };
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    told(member, path, &Asked { parts, body, params }).await
}

/// What is at a route. What is not listed is about the whole fleet.
async fn told(member: &Member<'_>, path: &str, asked: &Asked) -> Response {
    let method = if asked.parts.method == Method::HEAD { "GET" } else { asked.parts.method.as_str() };
    let (id, uri) = (asked.path("id"), &asked.parts.uri);
    let own = match (method, path) {
        ("GET", "/api/v1/fleet") => member.fleet(),
        ("GET", "/api/v1/live") => member.live(asked),
        ("GET", "/api/v1/glance") => member.viewer.glance(),
        ("GET", "/api/v1/nodes/{id}") => member.viewer.node(id),
        ("GET", "/api/v1/nodes/{id}/series") => member.viewer.series(id),
        ("GET", "/api/v1/nodes/{id}/risks/{name}") => member.viewer.risk(id, asked.path("name")),
        ("GET", "/api/v1/nodes/{id}/{role}") => member.pass_through(id, asked.path("role")).await,
        ("GET", "/api/v1/uptime") => member.viewer.uptime(uri).await,
        ("GET", "/api/v1/events") => member.events(asked).await,
        ("POST", "/api/v1/events") => member.mark(asked).await,
        ("GET", "/api/v1/risks") => member.risks(asked),
        ("GET", "/api/v1/restart-check") => member.restart_check(asked),
        ("GET", "/metrics/nodes") => Ok(member.node_metrics()),
        ("GET", "/api/v1/export") => member.export(asked),
        ("GET", "/api/v1/alerts/{id}") => member.alert(id).await,
        ("GET", "/api/v1/alerts/history") => member.alert_history(asked).await,
        ("POST", "/api/v1/alerts/{id}/acknowledge") => member.acknowledge(id, &asked.body),
        ("DELETE", "/api/v1/alerts/{id}/acknowledge") => member.unacknowledge(id),
        ("GET", "/api/v1/incidents") => Ok(member.incidents()),
        ("GET", "/api/v1/maintenance") => Ok(member.maintenance()),
        ("GET", "/api/v1/shares") => Ok(member.shares()),
        ("POST", "/api/v1/shares") => member.make_share(asked).await,
        ("GET", "/api/v1/shares/{id}") => member.share(id),
        ("PATCH", "/api/v1/shares/{id}") => member.change_share(id, asked).await,
        ("DELETE", "/api/v1/shares/{id}") => member.revoke_share(id).await,
        ("POST", "/api/v1/shares/drafts") => member.draft_share(asked).await,
        ("GET", "/api/v1/shares/{id}/preview/{*rest}") | ("GET" | "POST", "/preview/{id}/api/v1/{*rest}") => {
            member.preview_share(id, asked.path("rest"), asked).await
        }
        ("GET", "/api/v1/alerts") => Ok(member.prometheus_alerts()),
        ("POST", "/api/v1/rules/backtest") => member.backtest(&asked.body).await,
        ("GET", "/api/v1/rules") => Ok(member.rules(asked.query())),
        ("GET", path) if path.starts_with("/api/v2/") => member.alertmanager(path, asked),
        ("POST", "/api/v2/silences") => member.set_silence(&asked.body),
        ("DELETE", "/api/v2/silence/{id}") => member.expire_silence(id),
        _ => match member.status(method, path, asked).await {
            Some(told) => told,
            None => Ok(match member.queried(method, path, asked).await {
                Some(answer) => answer,
                None => refused_to_limited(path),
            }),
        },
    };
    own.unwrap_or_else(|error| match error.status() {
        // Whatever is missing is missing in the same words.
        StatusCode::NOT_FOUND => nothing().into_response(),
        _ => error.into_response(),
    })
}

type Told = Result<Response, ProblemResponse>;

impl Member<'_> {
    fn scope(&self) -> &Scope {
        self.part.scope()
    }

    fn nodes(&self) -> Vec<Inside> {
        self.app.shares.nodes(self.part)
    }

    fn ids(&self) -> BTreeSet<String> {
        self.nodes().into_iter().map(|node| node.id).collect()
    }

    fn by_id(&self) -> BTreeMap<String, Inside> {
        self.nodes().into_iter().map(|node| (node.id.clone(), node)).collect()
    }

    fn seen(&self) -> Seen {
        Seen { scope: Arc::clone(self.part.scope()), nodes: Arc::new(self.nodes()) }
    }

    fn fleet(&self) -> Told {
        let snapshot = self.app.shares.snapshot(self.part, self.now).ok_or_else(nothing)?.to_string();
        Ok(([(header::CONTENT_TYPE, "application/json")], snapshot).into_response())
    }

    fn live(&self, asked: &Asked) -> Told {
        let look = Look::read(&asked.parts.uri, &asked.parts.headers)?;
        let followed = self.app.shares.follow_part(self.part, look.seen(), self.now);
        followed.map(|followed| stream_of(followed, &look)).map_err(|_| {
            problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many streams",
                "Too many look already; try again later.",
            )
        })
    }

    async fn pass_through(&self, id: &str, role: &str) -> Told {
        self.viewer.inside(id)?;
        nodes::pass_through(State(Arc::clone(self.app)), Path((id.to_owned(), role.to_owned()))).await
    }

    async fn events(&self, asked: &Asked) -> Told {
        let query = events::query(&asked.parts.uri)?;
        let mut nodes = self.by_id();
        if let Some(id) = &query.node {
            nodes.retain(|own, _| own == id);
        }
        let ids: Vec<String> = nodes.keys().cloned().collect();
        let tells = |kind| self.scope().tells(kind);
        let all = fleetglass_shared::wire::EventKind::ALL;
        let wanted = if query.kinds.is_empty() { all.to_vec() } else { query.kinds.clone() };
        let kinds: Vec<_> = wanted.into_iter().filter(|kind| tells(*kind)).collect();
        if kinds.is_empty() || ids.is_empty() {
            return Ok(Json(Events::default()).into_response());
        }
        let query = EventQuery { kinds, ..query };
        let found = self.app.state.events_within(&ids, query).await;
        let Events { events: found, more } = found.map_err(|error| events::unavailable(&error))?;
        let mut last = (UnixMillis::MIN, 0);
        let mut cut = |event: &Event| {
            // Theirs counts what happened to all; this follows from the time, and the place among those of that time.
            last = if last.0 == event.at { (event.at, last.1 + 1) } else { (event.at, 0) };
            let node = nodes.get(event.node.as_ref()?)?;
            self.scope().event(node, event, event.at.unsigned_abs() * 64 + last.1, self.now)
        };
        Ok(Json(Events { events: found.iter().filter_map(&mut cut).collect(), more }).into_response())
    }

    async fn mark(&self, asked: &Asked) -> Told {
        let body: serde_json::Value =
            serde_json::from_slice(&asked.body).map_err(|error| bad(format!("the body: {error}")))?;
        match body.get("node").and_then(serde_json::Value::as_str) {
            None => {
                let words = "a mark of the whole fleet is not within your role; name a `node` of yours";
                return Err(problem(StatusCode::FORBIDDEN, "Not allowed", words));
            }
            Some(node) => drop(self.viewer.inside(node)?),
        }
        events::mark(State(Arc::clone(self.app)), asked.body.clone()).await
    }

    fn risks(&self, asked: &Asked) -> Told {
        let params = Params::read(&asked.parts.uri, &["family", "node", "severity", "limit"])?;
        let (family, node, severity) = (params.get("family"), params.get("node"), params.get("severity"));
        if let Some(word) = severity.filter(|word| !super::risks::SEVERITIES.contains(word)) {
            return Err(bad(format!("`severity={word}` is none of {}", super::risks::SEVERITIES.join(", "))));
        }
        let limit = params.number("limit")?.unwrap_or(USUAL_RISKS);
        let limit = usize::try_from(limit).map_err(|_| bad(format!("`limit={limit}` is less than 0")))?;
        let nodes = self.by_id();
        let (_, all) = self.app.fleet.risks(usize::MAX, |own, risk| {
            nodes.contains_key(&own.id)
                && family.is_none_or(|family| own.family == family)
                && node.is_none_or(|node| own.id == node)
                && severity.is_none_or(|severity| risk.severity == severity)
        });
        let cut = |own: &NodeRisk| self.scope().node_risk(nodes.get(&own.node)?, own);
        let mut risks: Vec<NodeRisk> = all.iter().filter_map(cut).collect();
        risks.sort_by(|a, b| worst_first(&a.risk, &b.risk).then_with(|| a.node.cmp(&b.node)));
        let total = risks.len();
        risks.truncate(limit);
        Ok(Json(Risks { at: self.now, total, risks }).into_response())
    }

    fn restart_check(&self, asked: &Asked) -> Told {
        let nodes = self.by_id();
        let cut = |peer: Peer| {
            let node = nodes.get(&peer.summary.id)?;
            // Which of the others depend on it is found by these labels; nodes outside are not there to be named.
            let labels = peer.summary.labels.clone();
            let summary = NodeSummary { labels, ..self.scope().summary(node, &peer.summary, self.now) };
            Some(Peer { summary, ..peer })
        };
        let fleet: Vec<Peer> = self.app.fleet.peers().into_iter().filter_map(cut).collect();
        let alerts = self.app.shares.alerts(self.part, self.now);
        restart::judged(self.app, asked.query(), &fleet, &alerts)
    }

    fn node_metrics(&self) -> Response {
        let mut all = Vec::new();
        for node in self.nodes() {
            for mut own in self.app.store.own_series_of(&node.id) {
                if own.labels.get("instance") == Some(&node.id) {
                    own.labels = self.scope().labels(&node, &own.labels);
                    all.push(own);
                }
            }
        }
        ([(header::CONTENT_TYPE, TEXT_FORMAT)], render_own(all, self.now)).into_response()
    }
}
