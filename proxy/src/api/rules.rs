//! Prometheus's `rules` and `alerts`, and the back-test of a rule.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::{
    health::UnixMillis,
    labels::LabelSet,
    promql::{EvalError, Options, Query, Steps},
    rule::{self, Active, AlertState, Rule, RuleKind},
    sample::LOOK_BACK_MS,
    wire::{BacktestAnswer, BacktestFiring, BacktestRequest},
};
use serde_json::{Value, json};

use super::problem::{ProblemResponse, problem};
use crate::{
    app::App,
    clock::{self, rfc3339},
    query::{Params, QueryError},
    rules::{RuleReport, Running},
};

/// Firings of a back-test that are told one by one.
const MOST_FIRINGS: usize = 1_000;
/// Steps of a back-test.
const MOST_STEPS: i64 = 11_000;
/// How long a back-test may take.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(60);

pub(super) fn success(data: &Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": "success", "data": data })))
        .into_response()
}

/// A number as Prometheus writes an alert's value: `1e+00`.
fn scientific(value: f64) -> String {
    if !value.is_finite() {
        return fleetglass_shared::sample::format_value(value);
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn alert(labels: &LabelSet, alert: &Active) -> Value {
    let mut told = json!({
        "labels": labels.to_map(),
        "annotations": alert.annotations,
        "state": alert.state.as_str(),
        "activeAt": rfc3339(Some(alert.active_at)),
        "value": scientific(alert.value),
    });
    if let Some(since) = alert.held_since {
        told["keepFiringSince"] = json!(rfc3339(Some(since)));
    }
    told
}

fn current(report: &RuleReport) -> impl Iterator<Item = (&LabelSet, &Active)> {
    report.active.iter().filter(|(_, alert)| alert.state != AlertState::Resolved)
}

/// What fires and pends.
pub async fn alerts(State(app): State<Arc<App>>) -> Response {
    let groups = app.rules.groups();
    told_alerts(groups.iter().flat_map(|group| group.reports()))
}

/// What fires and pends of some rules.
pub(super) fn told_alerts(reports: impl Iterator<Item = RuleReport>) -> Response {
    let alerts: Vec<Value> = reports
        .flat_map(|report| current(&report).map(|(labels, own)| alert(labels, own)).collect::<Vec<_>>())
        .collect();
    success(&json!({ "alerts": alerts }))
}

/// What is asked for.
pub(super) struct Wanted {
    kind: Option<&'static str>,
    names: BTreeSet<String>,
    groups: BTreeSet<String>,
    files: BTreeSet<String>,
    with_alerts: bool,
}

impl Wanted {
    pub(super) fn read(query: Option<&str>) -> Result<Self, QueryError> {
        let params = Params::read(query, b"")?;
        let all = |name: &str| params.all(name).map(str::to_owned).collect::<BTreeSet<_>>();
        let kind = match params.get("type") {
            None | Some("") => None,
            Some("alert") => Some("alerting"),
            Some("record") => Some("recording"),
            Some(other) => {
                return Err(QueryError::BadData(format!(
                    "invalid parameter \"type\": not supported value {other:?}"
                )));
            }
        };
        Ok(Self {
            kind,
            names: all("rule_name[]"),
            groups: all("rule_group[]"),
            files: all("file[]"),
            with_alerts: params.get("exclude_alerts") != Some("true"),
        })
    }

    fn rule(&self, report: &RuleReport) -> Option<Value> {
        let RuleReport { rule, health, .. } = report;
        let kind = if rule.is_alerting() { "alerting" } else { "recording" };
        if self.kind.is_some_and(|wanted| wanted != kind)
            || !self.names.is_empty() && !self.names.contains(&rule.name)
        {
            return None;
        }
        let word = match (&health.at, &health.error) {
            (None, _) => "unknown",
            (Some(_), None) => "ok",
            (Some(_), Some(_)) => "err",
        };
        let mut told = json!({
            "name": rule.name,
            "query": rule.query.text().trim(),
            "health": word,
            "evaluationTime": health.took_seconds,
            "lastEvaluation": rfc3339(health.at),
            "type": kind,
            "line": rule.place.line,
        });
        if !rule.labels.is_empty() || rule.is_alerting() {
            told["labels"] = json!(rule.labels);
        }
        if let Some(error) = &health.error {
            told["lastError"] = json!(error);
        }
        if !health.warnings.is_empty() {
            told["warnings"] = json!(health.warnings);
        }
        if let RuleKind::Alerting { for_ms, keep_firing_for_ms, annotations } = &rule.kind {
            let state = current(report).map(|(_, alert)| alert.state).min();
            told["state"] = json!(state.map_or("inactive", AlertState::as_str));
            told["duration"] = json!(*for_ms as f64 / 1000.0);
            told["keepFiringFor"] = json!(*keep_firing_for_ms as f64 / 1000.0);
            told["annotations"] = json!(annotations);
            let alerts = current(report).filter(|_| self.with_alerts).map(|(labels, own)| alert(labels, own));
            told["alerts"] = json!(alerts.collect::<Vec<_>>());
        }
        Some(told)
    }

    /// A group with these of its rules, and how its evaluations go.
    pub(super) fn group(
        &self,
        group: &Running,
        reports: &[RuleReport],
        (last, took, missed): (Option<UnixMillis>, f64, u64),
    ) -> Option<Value> {
        let is = |set: &BTreeSet<String>, name: &str| set.is_empty() || set.contains(name);
        if !is(&self.groups, group.name()) || !is(&self.files, group.file()) {
            return None;
        }
        let rules: Vec<Value> = reports.iter().filter_map(|report| self.rule(report)).collect();
        if rules.is_empty() && (self.kind.is_some() || !self.names.is_empty()) {
            return None;
        }
        let loaded = group.loaded();
        Some(json!({
            "name": group.name(),
            "file": group.file(),
            "interval": loaded.interval_ms as f64 / 1000.0,
            "limit": loaded.group.limit,
            "evaluationTime": took,
            "lastEvaluation": rfc3339(last),
            "missedEvaluations": missed,
            "rules": rules,
        }))
    }
}

/// The groups and how they do, and what of their files cannot be used.
pub async fn rules(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, QueryError> {
    let wanted = Wanted::read(query.as_deref())?;
    let groups = app.rules.groups();
    let told = |group: &Arc<Running>| wanted.group(group, &group.reports(), group.timing());
    let groups: Vec<Value> = groups.iter().filter_map(told).collect();
    let faults: Vec<Value> = app
        .rules
        .faults()
        .into_iter()
        .map(|(file, fault)| {
            json!({
                "file": file, "line": fault.place.line, "column": fault.place.column, "group": fault.group,
                "rule": fault.rule, "name": fault.name, "message": fault.message,
            })
        })
        .collect();
    Ok(success(&json!({ "groups": groups, "faults": faults })))
}

/// When a rule would have fired over what is stored.
///
/// # Errors
/// 400 for a rule or a span that cannot be used, 422 for one that has no answer.
pub async fn backtest(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, ProblemResponse> {
    let (asked, rule, steps) = wished(&body)?;
    let found = tokio::task::spawn_blocking(move || {
        let begun = clock::monotonic();
        let stop = || (begun.elapsed() > LONGEST).then_some(EvalError::TimedOut);
        let options =
            Options { stop: &stop, look_back_ms: LOOK_BACK_MS.max(steps.step), ..Options::default() };
        rule::backtest(&rule, &*app.store, steps, &options)
    });
    let found = found.await.map_err(|error| untestable(error.to_string()))?;
    Ok(backtested(&asked, steps, found.map_err(|error| unanswered(error.to_string()))?))
}

fn untestable(detail: String) -> ProblemResponse {
    problem(StatusCode::BAD_REQUEST, "Cannot be tested", detail)
}

pub(super) fn unanswered(detail: String) -> ProblemResponse {
    problem(StatusCode::UNPROCESSABLE_ENTITY, "The rule has no answer", detail)
}

/// What is to be tested, and at which times.
pub(super) fn wished(body: &[u8]) -> Result<(BacktestRequest, Rule, Steps), ProblemResponse> {
    let bad = untestable;
    let asked: BacktestRequest = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    let query = Query::parse(&asked.query).map_err(|error| bad(format!("query: {error}")))?;
    let span = asked.end.saturating_sub(asked.start);
    if span <= 0 {
        return Err(bad("`end` is not after `start`".to_owned()));
    }
    let least = (span / MOST_STEPS + 1).max(1_000);
    let step = asked.step_seconds.map_or_else(|| (span / 2_880).max(15_000), |step| (step * 1000.0) as i64);
    if step < least {
        return Err(bad(format!("the step is too short for the span: {} s at least", least as f64 / 1000.0)));
    }
    let millis = |seconds: f64| (seconds.clamp(0.0, 1e9) * 1000.0) as i64;
    let rule = Rule {
        name: "Backtest".to_owned(),
        kind: RuleKind::Alerting {
            for_ms: millis(asked.for_seconds),
            keep_firing_for_ms: millis(asked.keep_firing_for_seconds),
            annotations: Default::default(),
        },
        query,
        labels: Default::default(),
        place: Default::default(),
    };
    let steps = Steps { start: asked.start, end: asked.end, step };
    Ok((asked, rule, steps))
}

/// What came of it.
pub(super) fn backtested(asked: &BacktestRequest, steps: Steps, found: rule::Backtest) -> Response {
    let lasts = |firing: &rule::Firing| firing.resolved_at.unwrap_or(asked.end) - firing.fired_at;
    let firing_ms: i64 = found.firings.iter().map(lasts).sum();
    let series: BTreeSet<&LabelSet> = found.firings.iter().map(|firing| &firing.labels).collect();
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let answer = BacktestAnswer {
        total: count(found.firings.len()),
        series: count(series.len()),
        passed_over: count(found.passed_over),
        firing_seconds: firing_ms as f64 / 1000.0,
        step_seconds: steps.step as f64 / 1000.0,
        firings: found
            .firings
            .iter()
            .take(MOST_FIRINGS)
            .map(|firing| BacktestFiring {
                labels: firing.labels.to_map(),
                active_at: firing.active_at,
                fired_at: firing.fired_at,
                resolved_at: firing.resolved_at,
                value: Some(firing.value).filter(|value| value.is_finite()),
            })
            .collect(),
        warnings: found.warnings,
    };
    Json(answer).into_response()
}

#[cfg(test)]
mod tests {
    use super::scientific;

    #[test]
    fn values_are_written_as_go_does() {
        for (value, text) in
            [(1.0, "1e+00"), (0.0, "0e+00"), (-1234.5, "-1.2345e+03"), (1e-7, "1e-07"), (1e120, "1e+120")]
        {
            assert_eq!(scientific(value), text);
        }
        assert_eq!(scientific(f64::INFINITY), "+Inf");
    }
}
