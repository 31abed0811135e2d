//! Who may do what: one table of every guarded route. What is not in it is refused.

use axum::{
    Json,
    extract::{MatchedPath, Request},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{Credential, Role, Who};
use crate::api::problem::problem;

/// What a route is for. A token can be narrowed to some of these, by their words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Looks: nodes, series, alerts, events.
    Read,
    /// Acknowledges, silences, tests a receiver.
    Alerts,
    /// Marks what happened.
    Marks,
    /// Share links.
    Shares,
    /// Pushes samples (remote write).
    Write,
    /// Imports and prunes history.
    History,
    /// Users, sessions and tokens of all, the audit log.
    People,
}

impl Permission {
    /// Every one.
    pub const ALL: [Self; 7] =
        [Self::Read, Self::Alerts, Self::Marks, Self::Shares, Self::Write, Self::History, Self::People];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Alerts => "alerts",
            Self::Marks => "marks",
            Self::Shares => "shares",
            Self::Write => "write",
            Self::History => "history",
            Self::People => "people",
        }
    }

    /// The permission of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == word)
    }
}

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The least role.
    pub role: Role,
    /// What a narrowed token must have.
    pub permission: Permission,
}

const fn need(role: Role, permission: Permission) -> Need {
    Need { role, permission }
}

const READ: Need = need(Role::Viewer, Permission::Read);
const ALERTS: Need = need(Role::Operator, Permission::Alerts);
const MARKS: Need = need(Role::Operator, Permission::Marks);
const SHARES: Need = need(Role::Operator, Permission::Shares);
const WRITE: Need = need(Role::Admin, Permission::Write);
const HISTORY: Need = need(Role::Admin, Permission::History);
/// Sessions, tokens and the password of whoever asks; of others only for admins, which the handlers look at.
const OWN: Need = need(Role::Viewer, Permission::People);
const PEOPLE: Need = need(Role::Admin, Permission::People);

/// In which form an error of a route is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `application/problem+json`.
    Problem,
    /// `{"status":"error",…}`
    Prometheus,
    /// A JSON string.
    Alertmanager,
}
use Form::{Alertmanager, Problem, Prometheus};

/// A route as the router has it, and what each of its methods needs.
type Row = (&'static str, Form, &'static [(&'static str, Need)]);

/// Only looks.
const GET: &[(&str, Need)] = &[("GET", READ)];
/// Looks too: what is long to ask for may be posted.
const ASK: &[(&str, Need)] = &[("GET", READ), ("POST", READ)];

const TABLE: &[Row] = &[
    ("/api/v1/alertmanagers", Prometheus, GET),
    ("/api/v1/alerts", Prometheus, GET),
    ("/api/v1/alerts/history", Problem, GET),
    ("/api/v1/alerts/{id}", Problem, GET),
    ("/api/v1/alerts/{id}/acknowledge", Problem, &[("POST", ALERTS), ("DELETE", ALERTS)]),
    ("/api/v1/audit", Problem, &[("GET", PEOPLE)]),
    ("/api/v1/audit/export", Problem, &[("GET", PEOPLE)]),
    ("/api/v1/chart", Prometheus, ASK),
    ("/api/v1/events", Problem, &[("GET", READ), ("POST", MARKS)]),
    ("/api/v1/export", Problem, GET),
    ("/api/v1/fleet", Problem, GET),
    ("/api/v1/format_query", Prometheus, ASK),
    ("/api/v1/glance", Problem, GET),
    ("/api/v1/import", Problem, &[("POST", HISTORY)]),
    ("/api/v1/incidents", Problem, GET),
    ("/api/v1/label/{name}/values", Prometheus, GET),
    ("/api/v1/labels", Prometheus, ASK),
    ("/api/v1/live", Problem, GET),
    ("/api/v1/maintenance", Problem, GET),
    ("/api/v1/me/password", Problem, &[("POST", OWN)]),
    ("/api/v1/metadata", Prometheus, GET),
    ("/api/v1/nodes/{id}", Problem, GET),
    ("/api/v1/nodes/{id}/risks/{name}", Problem, GET),
    ("/api/v1/nodes/{id}/series", Problem, GET),
    ("/api/v1/nodes/{id}/{role}", Problem, GET),
    ("/api/v1/notifications", Problem, GET),
    ("/api/v1/parse_query", Prometheus, ASK),
    ("/api/v1/prune", Problem, &[("POST", HISTORY)]),
    ("/api/v1/push/key", Problem, GET),
    // A message has a link that acknowledges.
    ("/api/v1/push/subscriptions", Problem, &[("GET", READ), ("POST", ALERTS)]),
    ("/api/v1/push/subscriptions/{id}", Problem, &[("DELETE", need(Role::Viewer, Permission::Alerts))]),
    ("/api/v1/push/subscriptions/{id}/test", Problem, &[("POST", ALERTS)]),
    ("/api/v1/query", Prometheus, ASK),
    ("/api/v1/query_exemplars", Prometheus, ASK),
    ("/api/v1/query_range", Prometheus, ASK),
    ("/api/v1/receivers/{name}/test", Problem, &[("POST", ALERTS)]),
    ("/api/v1/restart-check", Problem, GET),
    ("/api/v1/risks", Problem, GET),
    ("/api/v1/rules", Prometheus, GET),
    ("/api/v1/rules/backtest", Problem, &[("POST", READ)]),
    ("/api/v1/series", Prometheus, ASK),
    ("/api/v1/sessions", Problem, &[("GET", OWN), ("DELETE", OWN)]),
    ("/api/v1/sessions/{id}", Problem, &[("DELETE", OWN)]),
    ("/api/v1/shares", Problem, &[("GET", SHARES), ("POST", SHARES)]),
    ("/api/v1/shares/{id}", Problem, &[("GET", SHARES), ("PATCH", SHARES), ("DELETE", SHARES)]),
    ("/api/v1/shares/{id}/preview/{*rest}", Problem, &[("GET", SHARES)]),
    ("/api/v1/shares/drafts", Problem, &[("POST", SHARES)]),
    ("/api/v1/status", Problem, &[("GET", SHARES)]),
    ("/api/v1/status/{slug}/draft", Problem, &[("GET", SHARES)]),
    ("/api/v1/status/{slug}/posts", Problem, &[("GET", SHARES), ("POST", SHARES)]),
    ("/api/v1/status/{slug}/posts/{id}", Problem, &[("PATCH", SHARES), ("DELETE", SHARES)]),
    ("/api/v1/status/{slug}/posts/{id}/updates", Problem, &[("POST", SHARES)]),
    ("/api/v1/status/{slug}/subscribers", Problem, &[("GET", SHARES)]),
    ("/api/v1/status/{slug}/subscribers/{id}", Problem, &[("DELETE", SHARES)]),
    ("/api/v1/status/buildinfo", Prometheus, GET),
    ("/api/v1/status/config", Prometheus, GET),
    ("/api/v1/status/flags", Prometheus, GET),
    ("/api/v1/status/runtimeinfo", Prometheus, GET),
    ("/api/v1/status/tsdb", Prometheus, GET),
    ("/api/v1/targets", Prometheus, GET),
    ("/api/v1/tokens", Problem, &[("GET", OWN), ("POST", OWN)]),
    ("/api/v1/tokens/{id}", Problem, &[("DELETE", OWN)]),
    ("/api/v1/uptime", Problem, GET),
    ("/api/v1/users", Problem, &[("GET", PEOPLE), ("POST", PEOPLE)]),
    ("/api/v1/users/{name}", Problem, &[("PATCH", PEOPLE), ("DELETE", PEOPLE)]),
    ("/api/v1/write", Problem, &[("POST", WRITE)]),
    ("/api/v2/alerts", Alertmanager, GET),
    ("/api/v2/alerts/groups", Alertmanager, GET),
    ("/api/v2/receivers", Alertmanager, GET),
    ("/api/v2/silence/{id}", Alertmanager, &[("GET", READ), ("DELETE", ALERTS)]),
    ("/api/v2/silences", Alertmanager, &[("GET", READ), ("POST", ALERTS)]),
    ("/api/v2/status", Alertmanager, GET),
    ("/federate", Prometheus, GET),
    ("/metrics", Problem, GET),
    ("/metrics/nodes", Problem, GET),
    ("/preview/{id}/api/v1/{*rest}", Problem, &[("GET", SHARES), ("POST", SHARES)]),
];

fn row(path: &str) -> Option<&'static Row> {
    TABLE.iter().find(|(known, ..)| *known == path)
}

/// What a route needs, by its method and the path as the router has it. `None`: nobody may.
pub fn needed(method: &Method, path: &str) -> Option<Need> {
    // Whoever may GET may ask for the headers alone.
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let (_, _, methods) = row(path)?;
    methods.iter().find(|(known, _)| *known == method).map(|(_, need)| *need)
}

/// Lets those through who may. It stands behind the guard, which says who asks.
pub async fn permit(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let form = row(path).map_or(Problem, |(_, form, _)| *form);
    let Some(need) = needed(request.method(), path) else {
        return match row(path) {
            Some((_, _, methods)) => wrong_method(methods),
            None => {
                refused(form, "This is in no list of what anybody may do. That is a mistake of Fleetglass's.")
            }
        };
    };
    let permission = need.permission.as_str();
    if !request.extensions().get::<Credential>().is_some_and(|own| own.is_for(permission)) {
        return refused(form, &format!("This token is not for `{permission}`; make one with that scope."));
    }
    match request.extensions().get::<Who>() {
        Some(who) if who.role >= need.role => next.run(request).await,
        Some(who) => refused(
            form,
            &format!("This needs the role {}; yours is {}.", need.role.as_str(), who.role.as_str()),
        ),
        None => refused(form, "Nobody is known to ask."),
    }
}

/// 405 with the methods that there are.
fn wrong_method(methods: &[(&str, Need)]) -> Response {
    let mut words: Vec<&str> = methods.iter().map(|(method, _)| *method).collect();
    if words.contains(&"GET") {
        words.insert(1, "HEAD");
    }
    let mut response = StatusCode::METHOD_NOT_ALLOWED.into_response();
    if let Ok(allowed) = HeaderValue::from_str(&words.join(",")) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

/// 403, in the form of the route.
fn refused(form: Form, words: &str) -> Response {
    let status = StatusCode::FORBIDDEN;
    match form {
        Problem => problem(status, "Not allowed", words).into_response(),
        Prometheus => {
            let told = json!({ "status": "error", "errorType": "forbidden", "error": words });
            (status, Json(told)).into_response()
        }
        Alertmanager => (status, Json(words)).into_response(),
    }
}

/// The answer, in the form of a route, to those who may not because there is only a part of the fleet for them.
pub(crate) fn refused_to_limited(path: &str) -> Response {
    let form = row(path).map_or(Problem, |(_, form, _)| *form);
    refused(form, "This is about the whole fleet, and your role is limited to a part of it.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use axum::{Extension, Router, body::Body, middleware, routing::any};
    use tower::ServiceExt;

    use super::*;

    /// Every path of a router with its methods, as its `Debug` tells them: there is no other list.
    fn routes(debug: &str) -> BTreeSet<(String, String)> {
        let (_, rest) = debug.split_once("path_router: PathRouter { routes: {").unwrap();
        let (methods, rest) = rest.split_once("}, node: Node { paths: {").unwrap();
        let (paths, _) = rest.split_once("} }").unwrap();
        let paths: Vec<(&str, &str)> = paths
            .split("RouteId(")
            .filter_map(|part| part.split_once("): "))
            .map(|(id, path)| (id, path.split('"').nth(1).unwrap()))
            .collect();
        let mut found = BTreeSet::new();
        for part in methods.split("RouteId(").filter(|part| part.contains("MethodRouter(")) {
            let id = part.split_once(')').unwrap().0;
            let path = paths.iter().find(|(own, _)| *own == id).unwrap().1;
            let (_, allow) = part.split_once("allow_header: Bytes(b\"").unwrap();
            for method in allow.split_once('"').unwrap().0.split(',').filter(|method| *method != "HEAD") {
                found.insert((path.to_owned(), method.to_owned()));
            }
        }
        found
    }

    #[test]
    fn the_table_has_every_route_and_no_other() {
        let own = routes(&format!("{:?}", crate::app::own_routes()));
        let queries = routes(&crate::query::written_out());
        assert!(own.len() > 20 && queries.len() > 20, "the routes can be read: {own:?} {queries:?}");
        let people = routes(&format!("{:?}", crate::app::people_routes()));
        let mut there: BTreeSet<(String, String)> = own.into_iter().chain(queries).chain(people).collect();
        there.insert(("/api/v1/write".into(), "POST".into()));
        let listed: BTreeSet<(String, String)> = TABLE
            .iter()
            .flat_map(|(path, _, methods)| {
                methods.iter().map(|(method, _)| ((*path).to_owned(), (*method).to_owned()))
            })
            .collect();
        assert_eq!(there, listed);
    }

    #[test]
    fn permissions_have_words_that_read_back() {
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.as_str()), Some(permission));
        }
        assert_eq!(Permission::parse("everything"), None);
        assert_eq!(
            Permission::ALL.map(Permission::as_str),
            crate::auth::SCOPES,
            "tokens are narrowed to these"
        );
    }

    #[tokio::test]
    async fn each_role_may_what_the_table_says_and_nothing_else_is_there() {
        let router = |role, credential: Credential| {
            let who = Who { role, ..Who::local() };
            Router::new()
                .route("/api/v1/fleet", any(|| async { "told" }))
                .route("/api/v1/prune", any(|| async { "told" }))
                .route("/api/v1/query", any(|| async { "told" }))
                .route("/api/v2/silences", any(|| async { "told" }))
                .route("/api/v1/forgotten", any(|| async { "told" }))
                .layer(middleware::from_fn(permit))
                .layer(Extension(who))
                .layer(Extension(credential))
        };
        let narrowed =
            || Credential::ApiToken { id: "t".into(), scopes: vec!["read".into(), "history".into()] };
        for (role, method, path, status) in [
            (Role::Viewer, "GET", "/api/v1/fleet", 200),
            (Role::Viewer, "HEAD", "/api/v1/fleet", 200),
            (Role::Admin, "POST", "/api/v1/fleet", 405),
            (Role::Admin, "TRACE", "/api/v1/fleet", 405),
            (Role::Viewer, "POST", "/api/v1/query", 200),
            (Role::Viewer, "POST", "/api/v2/silences", 403),
            (Role::Operator, "POST", "/api/v2/silences", 200),
            (Role::Operator, "POST", "/api/v1/prune", 403),
            (Role::Admin, "POST", "/api/v1/prune", 200),
            (Role::Admin, "GET", "/api/v1/forgotten", 403),
        ] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let answer = router(role, Credential::ConfigToken).oneshot(request).await.unwrap();
            assert_eq!(answer.status(), status, "{method} {path} as {role:?}");
        }
        for (role, method, path, status) in [
            (Role::Admin, "GET", "/api/v1/fleet", 200),
            (Role::Admin, "POST", "/api/v1/prune", 200),
            (Role::Operator, "POST", "/api/v1/prune", 403),
            (Role::Admin, "POST", "/api/v2/silences", 403),
        ] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let answer = router(role, narrowed()).oneshot(request).await.unwrap();
            assert_eq!(answer.status(), status, "{method} {path} as {role:?} with a narrowed token");
        }
    }

    #[test]
    fn each_api_says_no_in_its_own_words() {
        for (path, kind) in [
            ("/api/v1/prune", "application/problem+json"),
            ("/api/v1/query", "application/json"),
            ("/api/v2/silences", "application/json"),
        ] {
            let answer = refused_to_limited(path);
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["content-type"]),
                (403, &kind.parse().unwrap())
            );
        }
    }
}
