//! Joins an alert with what is known of it: its rule's bound, its node's risk and how long is left.

use std::collections::BTreeMap;

use fleetglass_shared::{
    labels::LabelSet,
    wire::{Alert, AlertState, Risk, Severity},
};

use super::{
    Sources,
    message::{Evidence, Item},
};

/// With this label, where a rule has none of the name, routes tell our three severities apart.
const SEVERITY: &str = "fleetglass_severity";

/// Alerts that fire, or ended not long ago.
pub(super) fn alerts(sources: &Sources) -> Vec<Alert> {
    let all = sources.alerts.all();
    all.into_iter().filter(|alert| alert.state != AlertState::Pending).collect()
}

/// What routes match on.
pub(super) fn labels(alert: &Alert) -> LabelSet {
    with_severity(&alert.labels, alert.severity)
}

/// Labels, and one of our three severities.
pub(super) fn with_severity(labels: &BTreeMap<String, String>, severity: Severity) -> LabelSet {
    let own = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    // Of a name given twice the first stays.
    LabelSet::from_pairs(own.chain([(SEVERITY, severity.as_str())]))
}

/// An alert with what is known of it now.
pub(super) fn item(sources: &Sources, alert: Alert) -> Item {
    let rule =
        sources.alerts.get(&alert.id).and_then(|(_, key)| sources.rules.alert_rule(&key, &alert.labels));
    let risk = risk(sources, &alert);
    let mut evidence = Evidence { value: alert.value, ..Evidence::default() };
    if let Some(rule) = rule {
        (evidence.query, evidence.bound, evidence.rule) = (rule.chart, rule.bound, Some(rule.query));
    }
    if let Some(risk) = risk {
        evidence.value = risk.value.or(evidence.value);
        evidence.bound = Some(risk.bound);
        (evidence.unit, evidence.meaning, evidence.action) = (risk.unit, risk.meaning, risk.action);
        evidence.outlook = risk.outlook;
    }
    Item { alert, evidence }
}

/// The risk of the node that the alert is about.
fn risk(sources: &Sources, alert: &Alert) -> Option<Risk> {
    let (name, node) = (alert.labels.get("risk")?, alert.node.as_ref()?);
    sources.fleet.detail(node)?.risks.into_iter().find(|risk| risk.name == *name)
}
