//! Alertmanager's API, version 2: silences, alerts, groups, receivers. `amtool` and others work against it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use fleetglass_shared::{
    health::UnixMillis,
    labels::{LabelSet, MatchOp, Matcher},
    wire::{Alert, AlertState},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    alerts::{Silence, SilenceError, WireMatcher},
    app::App,
    clock::{self, rfc3339},
    config::matchers,
    notify::Plan,
    query::{Params, rfc3339_ms},
};

/// An error in Alertmanager's manner: the text alone, as a JSON string.
pub(super) type Refused = (StatusCode, Json<String>);

pub(super) fn refused(status: StatusCode, why: impl ToString) -> Refused {
    (status, Json(why.to_string()))
}

/// The server, as clients look for it first.
pub async fn status(State(app): State<Arc<App>>) -> Response {
    Json(json!({
        "cluster": { "status": "disabled", "peers": [], "name": "" },
        "versionInfo": {
            "version": "0.27.0", "revision": concat!("fleetglass-", env!("CARGO_PKG_VERSION")), "branch": "",
            "buildUser": "", "buildDate": "", "goVersion": "",
        },
        "config": { "original": "route:\n  receiver: fleetglass\nreceivers:\n- name: fleetglass\n" },
        "uptime": rfc3339(Some(app.live.started_at())),
    }))
    .into_response()
}

/// Which receivers there are.
pub async fn receivers(State(app): State<Arc<App>>) -> Response {
    let plan = app.notify.plan();
    Json(named(&plan.receivers())).into_response()
}

/// Receivers in Alertmanager's form. There is always one: its own page shows nothing without.
pub(super) fn named(receivers: &[&str]) -> Value {
    let receivers = if receivers.is_empty() { &["fleetglass"] } else { receivers };
    receivers.iter().map(|name| json!({ "name": name })).collect()
}

/// Which alerts are asked for.
struct Filter {
    matchers: Vec<Matcher>,
    active: bool,
    silenced: bool,
    inhibited: bool,
    muted: bool,
}

impl Filter {
    fn read(query: Option<&str>) -> Result<Self, Refused> {
        let bad = |why: String| refused(StatusCode::BAD_REQUEST, why);
        let params = Params::read(query, b"").map_err(|error| bad(error.to_string()))?;
        let flag = |name: &str| params.get(name) != Some("false");
        let texts: Vec<String> = params.all("filter").map(quoted).collect();
        Ok(Self {
            matchers: matchers(&texts).map_err(|error| bad(format!("bad matcher format: {error}")))?,
            active: flag("active"),
            silenced: flag("silenced"),
            inhibited: flag("inhibited"),
            muted: flag("muted"),
        })
    }

    fn wants(&self, alert: &Alert) -> bool {
        let labels = LabelSet::from_pairs(&alert.labels);
        let (silenced, inhibited) = (!alert.silenced_by.is_empty(), !alert.inhibited_by.is_empty());
        let muted = !alert.muted_by.is_empty();
        alert.state == AlertState::Firing
            && self.matchers.iter().all(|matcher| matcher.matches_set(&labels))
            && (self.silenced || !silenced)
            && (self.inhibited || !inhibited)
            && (self.muted || !muted)
            && (self.active || silenced || inhibited || muted)
    }
}

/// A matcher whose value may stand without quotes, as on amtool's command line.
fn quoted(text: &str) -> String {
    let inside = text.trim().trim_start_matches('{').trim_end_matches('}');
    for op in ["=~", "!~", "!=", "="] {
        if let Some((name, value)) = inside.split_once(op)
            && !value.starts_with('"')
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ' '))
        {
            return format!("{}{op}{value:?}", name.trim());
        }
    }
    inside.to_owned()
}

fn wire(alert: &Alert, receivers: Value) -> Value {
    let quiet = [&alert.silenced_by, &alert.inhibited_by, &alert.muted_by];
    let muted = quiet.into_iter().any(|by| !by.is_empty());
    let starts = alert.fired_at.unwrap_or(alert.active_at);
    json!({
        "annotations": alert.annotations,
        "labels": alert.labels,
        "startsAt": rfc3339(Some(starts)),
        "endsAt": rfc3339(Some(alert.resolved_at.unwrap_or(clock::now() + 300_000))),
        "updatedAt": rfc3339(Some(clock::now())),
        "fingerprint": alert.id,
        "generatorURL": "",
        "receivers": receivers,
        "status": {
            "state": if muted { "suppressed" } else { "active" },
            "silencedBy": alert.silenced_by,
            "inhibitedBy": alert.inhibited_by,
            "mutedBy": alert.muted_by,
        },
    })
}

/// Who is told of an alert.
fn of_plan(plan: &Plan) -> impl Fn(&Alert) -> Value {
    |alert| named(&plan.receivers_of(&alert.labels))
}

/// What fires.
pub async fn alerts(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Refused> {
    told_alerts(app.alerts.all(), query.as_deref(), &of_plan(&app.notify.plan()))
}

/// Those of some alerts that are asked for.
pub(super) fn told_alerts(
    all: Vec<Alert>,
    query: Option<&str>,
    receivers: &dyn Fn(&Alert) -> Value,
) -> Result<Response, Refused> {
    let filter = Filter::read(query)?;
    let found = all.iter().filter(|alert| filter.wants(alert));
    Ok(Json(found.map(|alert| wire(alert, receivers(alert))).collect::<Vec<_>>()).into_response())
}

/// What fires, by the alert's name.
pub async fn groups(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Refused> {
    told_groups(app.alerts.all(), query.as_deref(), &of_plan(&app.notify.plan()))
}

/// The same, by the alert's name.
pub(super) fn told_groups(
    all: Vec<Alert>,
    query: Option<&str>,
    receivers: &dyn Fn(&Alert) -> Value,
) -> Result<Response, Refused> {
    let filter = Filter::read(query)?;
    let mut by_name: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for alert in all.iter().filter(|alert| filter.wants(alert)) {
        by_name.entry(alert.name.clone()).or_default().push(wire(alert, receivers(alert)));
    }
    let group = |(name, alerts): (String, Vec<Value>)| json!({ "labels": { "alertname": name }, "receiver": { "name": "fleetglass" }, "alerts": alerts });
    Ok(Json(by_name.into_iter().map(group).collect::<Vec<_>>()).into_response())
}

fn wire_silence(silence: &Silence, now: UnixMillis) -> Value {
    json!({
        "id": silence.id,
        "status": { "state": silence.state(now).as_str() },
        "updatedAt": rfc3339(Some(silence.updated_at)),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "startsAt": rfc3339(Some(silence.starts_at)),
        "endsAt": rfc3339(Some(silence.ends_at)),
        "matchers": silence.matchers,
    })
}

/// The silences: those that mute first, those that are over last.
pub async fn silences(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Refused> {
    told_silences(app.alerts.silences(), query.as_deref())
}

/// Those of some silences that are asked for.
pub(super) fn told_silences(all: Vec<Silence>, query: Option<&str>) -> Result<Response, Refused> {
    let filter = Filter::read(query)?;
    let now = clock::now();
    let mut found: Vec<Silence> =
        all.into_iter().filter(|silence| is_of(silence, &filter.matchers)).collect();
    found.sort_by_key(|silence| {
        let state = match silence.state(now) {
            crate::alerts::SilenceState::Active => 0,
            crate::alerts::SilenceState::Pending => 1,
            crate::alerts::SilenceState::Expired => 2,
        };
        (state, silence.ends_at)
    });
    Ok(Json(found.iter().map(|silence| wire_silence(silence, now)).collect::<Vec<_>>()).into_response())
}

/// Whether a silence is about what a filter names: it has a matcher for each of its labels that agrees.
fn is_of(silence: &Silence, filter: &[Matcher]) -> bool {
    filter.iter().all(|wanted| {
        silence
            .matchers
            .iter()
            .any(|own| own.name == wanted.name() && (wanted.matches(&own.value) || same_pattern(own, wanted)))
    })
}

fn same_pattern(own: &WireMatcher, wanted: &Matcher) -> bool {
    own.is_regex && wanted.op() == MatchOp::Regex && own.value == wanted.value()
}

/// One silence.
pub async fn silence(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Refused> {
    told_silence(app.alerts.silences(), id)
}

/// One of some silences.
pub(super) fn told_silence(all: Vec<Silence>, id: String) -> Result<Response, Refused> {
    let found = all.into_iter().find(|silence| silence.id == id);
    let found = found.ok_or_else(|| refused(StatusCode::NOT_FOUND, SilenceError::NotFound(id)))?;
    Ok(Json(wire_silence(&found, clock::now())).into_response())
}

/// A silence as it is posted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    #[serde(default)]
    id: Option<String>,
    matchers: Vec<WireMatcher>,
    starts_at: String,
    ends_at: String,
    created_by: String,
    comment: String,
}

/// Makes or changes a silence.
pub async fn set_silence(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, Refused> {
    let silence = read_silence(&body, |_| Ok(()))?;
    keep_silence(&app, silence)
}

/// A silence that is posted; `narrow` may add matchers, or refuse it.
pub(super) fn read_silence(
    body: &[u8],
    narrow: impl FnOnce(&mut Vec<WireMatcher>) -> Result<(), Refused>,
) -> Result<Silence, Refused> {
    let bad = |why: String| refused(StatusCode::BAD_REQUEST, why);
    let mut posted: Posted = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    let at = |name: &str, text: &str| {
        rfc3339_ms(text)
            .ok_or_else(|| bad(format!("{name}: `{text}` is not a time such as 2026-01-02T10:00:00Z")))
    };
    let times = (at("startsAt", &posted.starts_at)?, at("endsAt", &posted.ends_at)?);
    narrow(&mut posted.matchers)?;
    let id = posted.id.unwrap_or_default();
    Silence::new(id, posted.matchers, times, posted.created_by, posted.comment)
        .map_err(|error| bad(error.to_string()))
}

pub(super) fn keep_silence(app: &App, silence: Silence) -> Result<Response, Refused> {
    let id = app.alerts.set_silence(silence, clock::now()).map_err(|error| match error {
        SilenceError::NotFound(_) => refused(StatusCode::NOT_FOUND, error),
        _ => refused(StatusCode::BAD_REQUEST, error),
    })?;
    Ok((axum::Extension(crate::auth::audit::Of(id.clone())), Json(json!({ "silenceID": id })))
        .into_response())
}

/// Ends a silence.
pub async fn expire_silence(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    app.alerts.expire_silence(&id, clock::now()).map_err(|error| match error {
        SilenceError::NotFound(_) => refused(StatusCode::NOT_FOUND, error),
        _ => refused(StatusCode::INTERNAL_SERVER_ERROR, error),
    })?;
    Ok(StatusCode::OK.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_all_zones_are_read() {
        for (text, at) in [
            ("1970-01-01T00:00:01Z", Some(1_000)),
            ("1970-01-01T00:00:01.250Z", Some(1_250)),
            ("1970-01-01T02:00:00+02:00", Some(0)),
            ("1969-12-31T23:00:00.5-01:30", None),
            ("1970-01-01T01:00:00.5-01:30", Some(9_000_500)),
            ("yesterday", None),
            ("1970-01-01", None),
        ] {
            assert_eq!(rfc3339_ms(text), at, "{text}");
        }
    }

    #[test]
    fn matchers_may_stand_without_quotes() {
        for (text, is) in
            [("alertname=Lag", "alertname=\"Lag\""), ("{a=~x.*}", "a=~\"x.*\""), ("a=\"b\"", "a=\"b\"")]
        {
            assert_eq!(quoted(text), is);
        }
    }
}
