//! Who did what: written down at one place for everything that a request changed, and for who came and went.
//!
//! No password, token or cookie comes here: what was done is the route, of what its path parameters.

use axum::{
    RequestExt,
    extract::{MatchedPath, RawPathParams, Request},
    http::{Method, StatusCode},
    response::Response,
};
use fleetglass_shared::wire::AuditEntry;

use super::{People, Via, Who};
use crate::{clock, edge::Visit};

/// Characters of anything that is written down.
const TEXT: usize = 200;

/// What a request made or changed, where its path does not say: in the extensions of the answer.
#[derive(Clone, Debug)]
pub struct Of(pub String);

/// A request that may be written down, once its answer is known.
pub(super) struct Act {
    method: Method,
    path: String,
    of: String,
    who: Who,
    ip: String,
}

/// What each request is that changes something. What is not here is `changed`, with its method and path.
const WHAT: &[(&str, &str, &str)] = &[
    ("POST", "/api/v1/users", "user_added"),
    ("PATCH", "/api/v1/users/{name}", "user_changed"),
    ("DELETE", "/api/v1/users/{name}", "user_removed"),
    ("POST", "/api/v1/me/password", "password_changed"),
    ("DELETE", "/api/v1/sessions", "sessions_revoked"),
    ("DELETE", "/api/v1/sessions/{id}", "session_revoked"),
    ("POST", "/api/v1/tokens", "token_made"),
    ("DELETE", "/api/v1/tokens/{id}", "token_revoked"),
    ("POST", "/api/v1/shares", "share_made"),
    ("PATCH", "/api/v1/shares/{id}", "share_changed"),
    ("DELETE", "/api/v1/shares/{id}", "share_revoked"),
    ("POST", "/api/v2/silences", "silence_made"),
    ("DELETE", "/api/v2/silence/{id}", "silence_ended"),
    ("POST", "/api/v1/alerts/{id}/acknowledge", "acknowledged"),
    ("DELETE", "/api/v1/alerts/{id}/acknowledge", "acknowledgement_ended"),
    ("POST", "/api/v1/events", "mark"),
    ("POST", "/api/v1/receivers/{name}/test", "receiver_tested"),
    ("POST", "/api/v1/import", "import"),
    ("POST", "/api/v1/prune", "prune"),
    ("GET", "/api/v1/audit/export", "audit_exported"),
];

/// These change nothing that a person would ask about: they only look, or are samples that come all the time.
const QUIET: &[&str] = &[
    "/api/v1/chart",
    "/api/v1/format_query",
    "/api/v1/label/{name}/values",
    "/api/v1/labels",
    "/api/v1/parse_query",
    "/api/v1/query",
    "/api/v1/query_exemplars",
    "/api/v1/query_range",
    "/api/v1/rules/backtest",
    "/api/v1/series",
    "/api/v1/write",
];

impl Act {
    /// What is known of a request before it is answered.
    pub(super) async fn of(request: &mut Request, who: &Who) -> Self {
        let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
        let ip = request.extensions().get::<Visit>().map(|visit| visit.ip.to_canonical().to_string());
        let params = request.extract_parts::<RawPathParams>().await.ok();
        let of: Vec<String> = params.iter().flatten().map(|(_, value)| value.to_owned()).collect();
        Self {
            method: request.method().clone(),
            path: path.unwrap_or_else(|| request.uri().path().to_owned()),
            of: of.join(" "),
            who: who.clone(),
            ip: ip.unwrap_or_default(),
        }
    }

    /// What it was, if it is written down.
    fn what(&self, status: StatusCode) -> Option<&'static str> {
        if status == StatusCode::FORBIDDEN {
            return Some("denied");
        }
        let known = WHAT.iter().find(|(method, path, _)| self.method == *method && self.path == *path);
        let only_looks = matches!(self.method, Method::GET | Method::HEAD);
        match known {
            _ if !status.is_success() => None,
            Some((_, _, what)) => Some(what),
            None if only_looks || QUIET.contains(&self.path.as_str()) => None,
            None => Some("changed"),
        }
    }
}

impl People {
    /// Writes down what a request did, now that its answer is known.
    pub(super) fn note_act(&self, act: Act, response: &Response) {
        let Some(what) = act.what(response.status()) else { return };
        let made = response.extensions().get::<Of>().map(|Of(of)| of.clone());
        let of = match what {
            "denied" | "changed" => format!("{} {} {}", act.method, act.path, act.of),
            _ => made.unwrap_or(act.of),
        };
        let outcome = if what == "denied" { "refused" } else { "ok" };
        self.note(&act.who.name, Some(act.who.via), &act.ip, what, &of, outcome);
    }

    /// Writes down that a session was used by a page elsewhere.
    pub(super) fn note_other_origin(&self, act: Act) {
        let of = format!("{} {} {}", act.method, act.path, act.of);
        self.note(&act.who.name, Some(act.who.via), &act.ip, "denied", &of, "another origin");
    }

    /// Writes down that somebody could not prove who they are. A name that nobody has may be a password in the wrong
    /// field, so it is not kept.
    pub fn note_login_failed(&self, name: &str, via: Via, visit: &Visit, outcome: &str) {
        let is_known = via != Via::Password || self.user(name).is_some();
        let name = if is_known { name } else { "" };
        self.note(name, Some(via), &visit.ip.to_canonical().to_string(), "login_failed", "", outcome);
    }

    /// Writes something down.
    pub fn note(&self, who: &str, via: Option<Via>, ip: &str, what: &str, of: &str, outcome: &str) {
        let taken = self.state.record_audit(&entry(who, via, ip, what, of, outcome));
        if !taken {
            tracing::error!(what, "the audit log does not take what was done");
        }
    }

    /// Takes away what is older than it is kept.
    pub(super) fn prune_audit(&self) {
        self.state.prune_audit(clock::now().saturating_sub(self.settings().audit_ms));
    }
}

/// What is written down, cut and on one line.
pub fn entry(who: &str, via: Option<Via>, ip: &str, what: &str, of: &str, outcome: &str) -> AuditEntry {
    let line = |text: &str| -> String {
        text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT).collect()
    };
    AuditEntry {
        id: 0,
        at: clock::now(),
        who: line(who),
        via: via.map_or_else(String::new, |via| via.as_str().to_owned()),
        ip: line(ip),
        what: line(what),
        of: line(of),
        outcome: line(outcome),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_is_written_down_and_what_looks_is_not() {
        let act = |method: Method, path: &str| Act {
            method,
            path: path.to_owned(),
            of: String::new(),
            who: Who::local(),
            ip: String::new(),
        };
        for (method, path, status, what) in [
            (Method::POST, "/api/v1/shares", 201, Some("share_made")),
            (Method::POST, "/api/v1/shares", 400, None),
            (Method::POST, "/api/v1/shares", 403, Some("denied")),
            (Method::GET, "/api/v1/shares", 200, None),
            (Method::GET, "/api/v1/audit", 403, Some("denied")),
            (Method::GET, "/api/v1/audit/export", 200, Some("audit_exported")),
            (Method::POST, "/api/v1/query", 200, None),
            (Method::POST, "/api/v1/write", 204, None),
            (Method::PUT, "/api/v1/what-comes-later", 200, Some("changed")),
        ] {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            assert_eq!(act(method.clone(), path).what(status), what, "{method} {path} {status}");
        }
    }

    #[test]
    fn an_entry_is_one_line_and_short() {
        let entry = entry("a\r\nb", None, "", "x", &"y".repeat(5_000), "ok");
        assert_eq!((entry.who.as_str(), entry.of.len()), ("a  b", TEXT));
    }
}
