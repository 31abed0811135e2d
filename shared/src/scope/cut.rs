//! The wire types, field by field. What is taken apart names all its fields, and so does what is made.

use std::collections::BTreeMap;

use super::{Inside, Scope};
use crate::{
    health::{Check, Fact, Reason, ScrapeFailure, Status, UnixMillis},
    labels::{LabelSet, METRIC_NAME, Matcher, Selector},
    promql::Query,
    wire::{
        Acknowledgement, Alert, AlertChange, EndpointDetail, Event, EventKind, NodeDetail, NodeRisk,
        NodeSummary, Panel, Risk, RiskDetail, SeriesInfo, Spark, UptimeWindow, View,
    },
};

/// Who has taken an alert, as a viewer reads it.
const OPERATOR: &str = "the operator";
/// Why an alert is quiet, as a viewer reads it.
const QUIET: &str = "by the operator";
/// Events that are told: what a node did. Marks are an operator's own words, and alerts come from rules.
const TOLD: [EventKind; 6] = [
    EventKind::State,
    EventKind::Draining,
    EventKind::Version,
    EventKind::Restart,
    EventKind::ScrapeFailure,
    EventKind::ScrapeRecovery,
];
/// What is told of an alert's past.
const TOLD_OF_ALERTS: [&str; 5] = ["pending", "firing", "resolved", "acknowledged", "unacknowledged"];
const WINDOW_MS: [(&str, i64); 4] =
    [("24h", 86_400_000), ("7d", 7 * 86_400_000), ("30d", 30 * 86_400_000), ("90d", 90 * 86_400_000)];

/// Restarts are counted over so long.
const RESTARTS_MS: i64 = 15 * 60_000;

/// What must be known of an alert's rule before the alert may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertCut {
    /// It follows from the series of its node alone.
    pub is_local: bool,
    /// So do its annotations: their templates ask for nothing.
    pub is_plain: bool,
}

impl Scope {
    /// A node in a list, as the viewer sees it.
    pub fn summary(&self, node: &Inside, summary: &NodeSummary, now: UnixMillis) -> NodeSummary {
        let NodeSummary {
            id: _,
            family,
            labels,
            status,
            draining,
            reasons,
            since,
            fact_at,
            asked_at,
            interval_ms,
            peers,
            version,
            // It is about the whole fleet.
            version_majority: _,
            uptime_seconds,
            restarts,
            restarted_at,
            spark,
            worst_risk,
        } = summary;
        let oldest = self.oldest(now);
        let values = !self.hides_values();
        NodeSummary {
            id: node.shown.clone(),
            family: family.clone(),
            labels: self.node_labels(node, labels),
            status: *status,
            draining: *draining,
            reasons: reasons.iter().map(|reason| self.reason(node, reason)).collect(),
            since: (*since).max(oldest),
            fact_at: fact_at.filter(|at| *at >= oldest),
            asked_at: asked_at.filter(|at| *at >= oldest),
            interval_ms: *interval_ms,
            peers: peers.filter(|_| values),
            version: version.as_ref().map(|version| self.text(node, version)),
            version_majority: None,
            uptime_seconds: uptime_seconds.filter(|_| values),
            restarts: if oldest > now - RESTARTS_MS { 0 } else { *restarts },
            restarted_at: restarted_at.filter(|at| *at >= oldest),
            spark: if values { newer(spark, oldest) } else { Spark::default() },
            worst_risk: worst_risk.as_ref().and_then(|risk| self.risk(risk)),
        }
    }

    /// A node's page. `panels` are its charts with the name that the viewer knows it by in their expressions.
    pub fn detail(
        &self,
        node: &Inside,
        detail: &NodeDetail,
        panels: Vec<Panel>,
        now: UnixMillis,
    ) -> NodeDetail {
        let NodeDetail {
            summary,
            family_note,
            endpoints,
            facts,
            checks,
            missing,
            risks,
            panels: _,
            failures,
            warnings,
        } = detail;
        let oldest = self.oldest(now);
        let failed = |all: &[ScrapeFailure]| -> Vec<ScrapeFailure> {
            all.iter().filter(|one| one.at >= oldest).map(|one| self.failure(node, one)).collect()
        };
        NodeDetail {
            summary: self.summary(node, summary, now),
            // Why we believe that it is of its family says how it is asked.
            family_note: if self.is_of_role { family_note.clone() } else { String::new() },
            endpoints: endpoints.iter().map(|endpoint| self.endpoint(node, endpoint)).collect(),
            facts: facts.iter().filter_map(|fact| self.fact(node, fact, oldest)).collect(),
            checks: checks.iter().map(|check| self.check(node, check, oldest)).collect(),
            missing: missing.iter().filter(|metric| !self.hides_metric(metric)).cloned().collect(),
            risks: risks.iter().filter_map(|risk| self.risk(risk)).collect(),
            panels: if self.shows(View::Charts) { self.panels(panels) } else { Vec::new() },
            failures: failed(failures),
            warnings: failed(warnings),
        }
    }

    /// An alert about a node inside; `None` where it may tell of others.
    pub fn alert(&self, node: &Inside, alert: &Alert, cut: AlertCut, now: UnixMillis) -> Option<Alert> {
        let Alert {
            id,
            name,
            state,
            severity,
            severity_text,
            node: _,
            labels,
            annotations,
            value,
            active_at,
            fired_at,
            resolved_at,
            held,
            acknowledged,
            silenced_by,
            // The alerts that quiet it may be of others.
            inhibited_by: _,
            muted_by,
            flaps,
        } = alert;
        let oldest = self.oldest(now);
        let is_old = resolved_at.is_some_and(|at| at < oldest);
        if !self.shows(View::Alerts) || !cut.is_local || alert.node.as_ref() != Some(&node.id) || is_old {
            return None;
        }
        let values = !self.hides_values();
        let quiet = |by: &Vec<String>| by.iter().take(1).map(|_| QUIET.to_owned()).collect();
        let own = LabelSet::from_pairs(labels);
        let shown = self.labels(node, &own);
        let annotations = annotations.iter().filter(|_| cut.is_plain && values);
        Some(Alert {
            // It is made of the labels: where all of them are shown it tells no more.
            id: if self.is_of_role && shown == own { id.clone() } else { self.alert_id(id) },
            name: self.text(node, name),
            state: *state,
            severity: *severity,
            severity_text: self.text(node, severity_text),
            node: Some(node.shown.clone()),
            labels: shown.to_map(),
            annotations: annotations.map(|(name, text)| (name.clone(), self.text(node, text))).collect(),
            value: value.filter(|_| values),
            active_at: (*active_at).max(oldest),
            fired_at: fired_at.map(|at| at.max(oldest)),
            resolved_at: *resolved_at,
            held: *held,
            acknowledged: acknowledged.as_ref().map(|taken| Acknowledgement {
                by: if self.is_of_role { taken.by.clone() } else { OPERATOR.to_owned() },
                note: if self.is_of_role { taken.note.clone() } else { String::new() },
                at: taken.at.max(oldest),
                until: taken.until,
            }),
            silenced_by: quiet(silenced_by),
            inhibited_by: Vec::new(),
            muted_by: quiet(muted_by),
            flaps: *flaps,
        })
    }

    /// What happened to an alert that is shown: not who did it, and why, nor what made it quiet.
    pub fn alert_change(&self, node: &Inside, change: &AlertChange, now: UnixMillis) -> Option<AlertChange> {
        let AlertChange { at, alert, name, node: of, severity, what, value, text: _ } = change;
        let is_told = TOLD_OF_ALERTS.contains(&what.as_str()) && of.as_ref() == Some(&node.id);
        (self.shows(View::Alerts) && is_told && *at >= self.oldest(now)).then(|| AlertChange {
            at: *at,
            alert: self.alert_id(alert),
            name: self.text(node, name),
            node: Some(node.shown.clone()),
            severity: *severity,
            what: what.clone(),
            value: value.filter(|_| !self.hides_values()),
            text: String::new(),
        })
    }

    /// An alert's id as the viewer knows it: the fleet's is made of labels that may not be shown.
    pub fn alert_id(&self, id: &str) -> String {
        self.opaque(id)
    }

    /// A risk of a node inside.
    pub fn node_risk(&self, node: &Inside, risk: &NodeRisk) -> Option<NodeRisk> {
        let NodeRisk { node: _, family, risk } = risk;
        Some(NodeRisk { node: node.shown.clone(), family: family.clone(), risk: self.risk(risk)? })
    }

    /// A risk of a node inside, with what it was worked out from; its expression names the node as the viewer does.
    pub fn risk_detail(&self, node: &Inside, detail: RiskDetail, now: UnixMillis) -> Option<RiskDetail> {
        let RiskDetail { at, risk, expr, window_seconds, values, fit, fit_low, fit_high } = detail;
        let oldest = self.oldest(now);
        let newer =
            |points: Vec<(UnixMillis, f64)>| points.into_iter().filter(|(at, _)| *at >= oldest).collect();
        Some(RiskDetail {
            at,
            risk: self.node_risk(node, &risk)?,
            expr,
            window_seconds,
            values: newer(values),
            fit: newer(fit),
            fit_low: newer(fit_low),
            fit_high: newer(fit_high),
        })
    }

    /// A series that a node has now; `None` where it is not shown.
    pub fn series(&self, node: &Inside, series: &SeriesInfo, now: UnixMillis) -> Option<SeriesInfo> {
        let SeriesInfo { metric, labels, selector: _, kind, help, unit, value, at, derived } = series;
        if self.hides_metric(metric) || *at < self.oldest(now) {
            return None;
        }
        let labels = self.labels(node, &LabelSet::from_pairs(labels)).to_map();
        let named = [Matcher::equal(METRIC_NAME, metric), Matcher::equal("instance", &node.shown)];
        let own = labels.iter().map(|(name, value)| Matcher::equal(name, value));
        Some(SeriesInfo {
            selector: Selector { matchers: named.into_iter().chain(own).collect() }.to_string(),
            metric: metric.clone(),
            labels,
            kind: kind.clone(),
            help: self.text(node, help),
            unit: unit.clone(),
            value: value.clone(),
            at: *at,
            derived: *derived,
        })
    }

    /// What happened to a node; its number is given anew, for it counts what happened to all.
    pub fn event(&self, node: &Inside, event: &Event, number: u64, now: UnixMillis) -> Option<Event> {
        let Event { id: _, at, node: _, kind, from, to, text } = event;
        (event.node.as_ref() == Some(&node.id) && self.tells(*kind) && *at >= self.oldest(now)).then(|| {
            Event {
                id: number,
                at: *at,
                node: Some(node.shown.clone()),
                kind: *kind,
                from: self.text(node, from),
                to: self.text(node, to),
                text: if self.hides_values() { String::new() } else { self.text(node, text) },
            }
        })
    }

    /// Whether events of a kind are told at all.
    pub fn tells(&self, kind: EventKind) -> bool {
        TOLD.contains(&kind) || self.is_of_role && kind == EventKind::Mark
    }

    /// Whether some label of a node is not shown.
    pub fn hides_a_label(&self, node: &Inside) -> bool {
        node.labels.iter().any(|name| self.node_label(node, name, "").is_none())
    }

    /// Whether a window of uptime is no longer than the viewer may look back.
    pub fn shows_window(&self, window: &UptimeWindow, now: UnixMillis) -> bool {
        let long = WINDOW_MS.iter().find(|(name, _)| *name == window.window);
        long.is_some_and(|(_, ms)| now.saturating_sub(*ms) >= self.oldest(now))
    }

    /// Whether nodes may be told apart by a label.
    pub fn shows_label(&self, name: &str) -> bool {
        // Whatever its value is: only whether it would be there counts.
        let nobody = Inside { id: "\0".to_owned(), ..Inside::default() };
        self.node_label(&nobody, name, "").is_some()
    }

    /// The labels of a node.
    pub fn node_labels(&self, node: &Inside, labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let shown =
            |(name, value): (&String, &String)| Some((name.clone(), self.node_label(node, name, value)?));
        labels.iter().filter_map(shown).collect()
    }

    fn reason(&self, node: &Inside, reason: &Reason) -> Reason {
        let Reason { code, text, status } = reason;
        if self.hides_values() {
            return Reason {
                code: status.as_str().to_owned(),
                text: in_a_word(*status).to_owned(),
                status: *status,
            };
        }
        Reason { code: self.text(node, code), text: self.text(node, text), status: *status }
    }

    fn endpoint(&self, node: &Inside, endpoint: &EndpointDetail) -> EndpointDetail {
        let EndpointDetail {
            name,
            url,
            kind,
            asked_at,
            answered_at,
            http_status,
            duration_seconds,
            samples,
            failure,
        } = endpoint;
        EndpointDetail {
            name: name.clone(),
            url: if self.spec.addresses { self.text(node, url) } else { String::new() },
            kind: kind.clone(),
            asked_at: *asked_at,
            answered_at: *answered_at,
            http_status: *http_status,
            duration_seconds: *duration_seconds,
            samples: *samples,
            failure: failure.as_ref().map(|failure| self.failure(node, failure)),
        }
    }

    fn failure(&self, node: &Inside, failure: &ScrapeFailure) -> ScrapeFailure {
        let ScrapeFailure { endpoint, kind, message, at } = failure;
        // What is wrong with an answer may quote it.
        let message = if self.hides_values() { String::new() } else { self.text(node, message) };
        ScrapeFailure { endpoint: endpoint.clone(), kind: *kind, message, at: *at }
    }

    fn fact(&self, node: &Inside, fact: &Fact, oldest: UnixMillis) -> Option<Fact> {
        let Fact { endpoint, name, title, value, unit, at, stale } = fact;
        if self.hides_values() || *at < oldest || self.is_place(name) {
            return None;
        }
        Some(Fact {
            endpoint: endpoint.clone(),
            name: self.text(node, name),
            title: self.text(node, title),
            value: self.text(node, value),
            unit: unit.clone(),
            at: *at,
            stale: *stale,
        })
    }

    fn check(&self, node: &Inside, check: &Check, oldest: UnixMillis) -> Check {
        let Check { endpoint, name, status, text, at, stale } = check;
        Check {
            endpoint: endpoint.clone(),
            name: self.text(node, name),
            status: *status,
            text: if self.hides_values() { String::new() } else { self.text(node, text) },
            at: (*at).max(oldest),
            stale: *stale,
        }
    }

    fn risk(&self, risk: &Risk) -> Option<Risk> {
        // A risk is worked out from its node's series alone, and its words are the family's.
        (self.shows(View::Risks) && !self.hides_values()).then(|| risk.clone())
    }

    fn panels(&self, panels: Vec<Panel>) -> Vec<Panel> {
        let is_told = |panel: &Panel| {
            panel.queries.iter().all(|query| {
                Query::parse(&query.expr).is_ok_and(|query| {
                    query.metrics().is_some_and(|names| !names.iter().any(|name| self.hides_metric(name)))
                })
            })
        };
        panels.into_iter().filter(is_told).collect()
    }
}

/// The minutes of a spark that are not too old.
fn newer(spark: &Spark, oldest: UnixMillis) -> Spark {
    let first = oldest.saturating_add(59_999).div_euclid(60_000);
    let kept = usize::try_from(spark.minute.saturating_sub(first).saturating_add(1)).unwrap_or(0);
    let skipped = spark.values.len().saturating_sub(kept);
    Spark { minute: spark.minute, values: spark.values[skipped..].to_vec() }
}

fn in_a_word(status: Status) -> &'static str {
    match status {
        Status::Healthy => "Healthy",
        Status::Unknown => "Not known",
        Status::Degraded => "Degraded",
        Status::Unhealthy => "Unhealthy",
        Status::Unreachable => "No answer",
    }
}
