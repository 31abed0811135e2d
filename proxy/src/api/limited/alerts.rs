//! Alerts, incidents, rules and maintenance, as far as they follow from the nodes inside.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use fleetglass_shared::{
    labels::{LabelSet, METRIC_NAME, MatchOp, Matcher, Selector},
    promql::{Options, Steps},
    rule::{Active, Rule, RuleKind},
    scope::Inside,
    wire::{Alert, AlertChange, AlertDetail, AlertHistory, AlertState, Maintenance, Others},
};
use serde_json::json;

use super::{Asked, Member, Told, nothing};
use crate::{
    alerts::NoSuchAlert,
    api::{
        alerts::{HISTORY, asked as asked_history, taken},
        events::unavailable,
        rules::{Wanted, success, told_alerts},
    },
    incidents::Incidents,
    rules::{RuleHealth, RuleReport, Running},
    state::AlertQuery,
};

impl Member<'_> {
    pub(super) async fn alert(&self, id: &str) -> Told {
        let (own, alert) = self.app.shares.alert_inside(self.part, id, self.now).ok_or_else(nothing)?;
        let (_, key) = self.app.alerts.get(&own).ok_or_else(nothing)?;
        let is_told = self.app.rules.find(&key).is_some_and(|(group, index)| {
            group.loaded().group.rules.get(index).is_some_and(|rule| Mine::of(self).tells(rule))
        });
        let rule = self.app.rules.alert_rule(&key, &alert.labels).filter(|_| is_told);
        let query =
            AlertQuery { alert: Some(own), node: None, since: i64::MIN, until: i64::MAX, limit: HISTORY };
        let history = self.changes(query).await?.changes;
        let detail = AlertDetail { others: self.others(&alert), alert, rule, history, incident: None };
        Ok(Json(detail).into_response())
    }

    /// The other nodes inside of the family of an alert's node.
    fn others(&self, alert: &Alert) -> Option<Others> {
        let (node, ids) = (alert.node.as_ref()?, self.ids());
        let mut families = self.app.fleet.values_of("family");
        families.retain(|(id, _)| ids.contains(id));
        let family = &families.iter().find(|(id, _)| id == node)?.1;
        let nodes = families.iter().filter(|(id, own)| own == family && id != node).count();
        let alike = self.app.shares.alerts(self.part, self.now).into_iter().filter(|other| {
            other.name == alert.name && other.id != alert.id && other.state != AlertState::Resolved
        });
        let alike: BTreeSet<String> =
            alike.filter_map(|other| other.node).filter(|own| own != node).collect();
        Some(Others { nodes: u32::try_from(nodes).unwrap_or(u32::MAX), alike: alike.into_iter().collect() })
    }

    pub(super) async fn alert_history(&self, asked: &Asked) -> Told {
        let mut query = asked_history(&asked.parts.uri)?;
        if let Some(id) = query.alert.take() {
            // One that is over is known by the id that it had.
            let own = self.app.shares.alert_inside(self.part, &id, self.now).map(|(own, _)| own);
            query.alert = Some(own.unwrap_or(id));
        }
        Ok(Json(self.changes(query).await?).into_response())
    }

    /// Changes of alerts whose rules follow from one node alone, each of that name.
    async fn changes(&self, query: AlertQuery) -> Result<AlertHistory, super::ProblemResponse> {
        let nodes = self.by_id();
        let ids: Vec<String> = nodes.keys().cloned().collect();
        let names: Vec<String> = self.local_names().into_iter().collect();
        let found = self.app.state.alert_history_within(&ids, &names, query).await;
        let AlertHistory { changes, more } = found.map_err(|error| unavailable(&error))?;
        let cut = |change: AlertChange| {
            let AlertChange { at, alert, name, node, severity, what, value, text } = change;
            let inside = nodes.get(node.as_ref()?)?;
            // Who silenced and which maintenance muted may be about more than these nodes.
            let of_people = ["acknowledged", "unacknowledged"].contains(&what.as_str());
            let alert = match self.scope().hides_a_label(inside) {
                true => self.scope().alert_id(&alert),
                false => alert,
            };
            Some(AlertChange {
                at,
                alert,
                name,
                node,
                severity,
                text: if of_people { text } else { String::new() },
                what,
                value,
            })
        };
        Ok(AlertHistory { changes: changes.into_iter().filter_map(cut).collect(), more })
    }

    /// Names of alerts all of whose rules are local to a node.
    fn local_names(&self) -> BTreeSet<String> {
        let mut local: BTreeMap<String, bool> = BTreeMap::new();
        for group in self.app.rules.groups() {
            for rule in group.loaded().group.rules.iter().filter(|rule| rule.is_alerting()) {
                *local.entry(rule.name.clone()).or_insert(true) &= self.app.shares.cut_of(rule).is_local;
            }
        }
        local.into_iter().filter(|(_, local)| *local).map(|(name, _)| name).collect()
    }

    pub(super) fn acknowledge(&self, id: &str, body: &[u8]) -> Told {
        let (own, _) = self.app.shares.alert_inside(self.part, id, self.now).ok_or_else(nothing)?;
        taken(self.app, &own, body)?;
        self.as_it_is_now(id)
    }

    pub(super) fn unacknowledge(&self, id: &str) -> Told {
        let (own, _) = self.app.shares.alert_inside(self.part, id, self.now).ok_or_else(nothing)?;
        self.app.alerts.unacknowledge(&own, self.now).map_err(|NoSuchAlert| nothing())?;
        self.as_it_is_now(id)
    }

    fn as_it_is_now(&self, id: &str) -> Told {
        let (_, alert) = self.app.shares.alert_inside(self.part, id, self.now).ok_or_else(nothing)?;
        Ok(Json(alert).into_response())
    }

    /// What the alerts inside have in common, worked out from the nodes inside.
    pub(super) fn incidents(&self) -> Response {
        let nodes = self.by_id();
        let mut standings = self.app.fleet.standings();
        standings.retain(|standing| nodes.contains_key(&standing.member.id));
        let families: Vec<String> = standings.iter().map(|standing| standing.member.family.clone()).collect();
        let families = self.app.shares.families_of(&families);
        let alerts = self.app.shares.alerts(self.part, self.now);
        Json(Incidents::within(alerts, standings, &families, self.now)).into_response()
    }

    /// The windows that can mute nothing outside.
    pub(super) fn maintenance(&self) -> Response {
        let fence = self.fence.over_alerts();
        let inside: BTreeSet<String> =
            self.app.shares.alerts(self.part, self.now).into_iter().map(|alert| alert.id).collect();
        let Maintenance { at, mut windows } = self.app.alerts.maintenance(self.now);
        windows.retain(|window| {
            let read = |text: &String| Selector::parse(&format!("{{{text}}}")).ok();
            let matchers: Option<Vec<Selector>> = window.matchers.iter().map(read).collect();
            let matchers: Option<Vec<Matcher>> =
                matchers.map(|all| all.into_iter().flat_map(|selector| selector.matchers).collect());
            matchers.is_some_and(|matchers| fence.holds(&matchers))
        });
        let all = self.app.alerts.all();
        for window in &mut windows {
            let muted = |alert: &&Alert| alert.muted_by.contains(&window.name) && inside.contains(&alert.id);
            window.muted = all.iter().filter(muted).count();
        }
        Json(Maintenance { at, windows }).into_response()
    }

    pub(super) fn prometheus_alerts(&self) -> Response {
        let nodes = self.by_id();
        let groups = self.app.rules.groups();
        let reports = groups.iter().flat_map(|group| group.reports());
        told_alerts(reports.filter_map(|report| self.report(report, &nodes)))
    }

    pub(super) fn rules(&self, query: Option<&str>) -> Response {
        let wanted = match Wanted::read(query) {
            Ok(wanted) => wanted,
            Err(error) => return error.into_response(),
        };
        let (nodes, mine) = (self.by_id(), Mine::of(self));
        let group = |group: &Arc<Running>| {
            let reports = group.reports().into_iter().filter(|report| mine.tells(&report.rule));
            let reports: Vec<RuleReport> = reports.filter_map(|report| self.report(report, &nodes)).collect();
            // How long it takes, and when, follows from how much there is.
            if reports.is_empty() { None } else { wanted.group(group, &reports, (None, 0.0, 0)) }
        };
        let groups: Vec<_> = self.app.rules.groups().iter().filter_map(group).collect();
        success(&json!({ "groups": groups, "faults": [] }))
    }

    /// A rule that follows from one node alone, with its alerts of the nodes inside. How it does is not told: it may
    /// fail by what is outside.
    fn report(&self, report: RuleReport, nodes: &BTreeMap<String, Inside>) -> Option<RuleReport> {
        let cut = self.app.shares.cut_of(&report.rule);
        if !cut.is_local {
            return None;
        }
        let RuleReport { mut rule, key, active, health: _ } = report;
        let shown = |(labels, alert): (LabelSet, Active)| {
            let node = nodes.get(labels.get("instance")?)?;
            // Their templates may have put in what a label says that is not shown.
            let told = alert.annotations.into_iter().filter(|_| cut.is_plain);
            let annotations = told.map(|(name, text)| (name, self.scope().text(node, &text))).collect();
            Some((self.scope().labels(node, &labels), Active { annotations, ..alert }))
        };
        if let RuleKind::Alerting { annotations, .. } = &mut rule.kind
            && !cut.is_plain
        {
            annotations.clear();
        }
        let active = active.into_iter().filter_map(shown).collect();
        Some(RuleReport { rule, key, active, health: RuleHealth::default() })
    }
}

/// What a rule must be about for its text to be told.
struct Mine<'a> {
    member: &'a Member<'a>,
    /// Every series of the nodes inside now, by its metric.
    series: BTreeMap<String, Vec<LabelSet>>,
    /// Labels that tell nodes apart.
    of_nodes: BTreeSet<String>,
}

impl<'a> Mine<'a> {
    fn of(member: &'a Member<'a>) -> Self {
        let nodes = member.nodes();
        let mut of_nodes: BTreeSet<String> = ["instance", "job", "family"].map(str::to_owned).into();
        of_nodes.extend(member.fence.labels().map(str::to_owned));
        let mut series: BTreeMap<String, Vec<LabelSet>> = BTreeMap::new();
        for node in &nodes {
            of_nodes.extend(node.labels.iter().cloned());
            let own = member.app.store.target_labels(&node.id).unwrap_or_default();
            for one in member.app.store.latest(&node.id) {
                let named = [(METRIC_NAME, one.metric.as_str())].into_iter();
                let labels = one.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let labels = LabelSet::from_pairs(named.chain(labels)).merged(&own);
                series.entry(one.metric).or_default().push(labels);
            }
        }
        Self { member, series, of_nodes }
    }

    /// Whether a rule's text tells of nothing but the nodes inside: it is local to a node, each of its selectors
    /// selects something of theirs, and names nodes, if it does, by values that these have.
    fn tells(&self, rule: &Rule) -> bool {
        let at = Steps::instant(self.member.now);
        self.member.app.shares.cut_of(rule).is_local
            && rule.query.reads(at, &Options::default()).iter().all(|read| {
                let exact = |own: &Matcher| own.op() == MatchOp::Equal || !self.of_nodes.contains(own.name());
                read.matchers.iter().all(exact) && self.has(&read.matchers)
            })
    }

    fn has(&self, matchers: &[Matcher]) -> bool {
        let passes = |labels: &LabelSet| matchers.iter().all(|own| own.matches_set(labels));
        let named = matchers.iter().find(|own| own.name() == METRIC_NAME && own.op() == MatchOp::Equal);
        match named {
            Some(named) => self.series.get(named.value()).is_some_and(|all| all.iter().any(passes)),
            None => self.series.values().flatten().any(passes),
        }
    }
}
