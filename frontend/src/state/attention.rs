//! Which nodes need a person, and in which order.

use fleetglass_shared::health::{Status, UnixMillis};
use fleetglass_shared::wire::NodeSummary;

use super::breach::{breach_at, is_soon};
use super::filter::crash_loops;
use super::model::Node;
use super::order::{natural, sorted};

/// How urgent a node is: the smaller, the sooner it is read. `None` when it needs nobody.
///
/// A slash risk over its bound costs money and comes first, then one that will be within minutes; then nodes
/// that do no work, those that restart again and again, and those that work with something missing. `unknown`
/// needs nobody: its monitoring is not enabled, or it was not asked yet.
pub fn urgency(node: &NodeSummary, now: UnixMillis) -> Option<u8> {
    let risk = node.worst_risk.as_ref().filter(|risk| risk.severity != "info");
    match (risk, node.status) {
        (Some(risk), _) if risk.firing => Some(if risk.severity == "critical" { 0 } else { 2 }),
        (Some(risk), _) if is_soon(risk, now) => Some(1),
        (_, Status::Unreachable | Status::Unhealthy) => Some(3),
        _ if crash_loops(node) => Some(4),
        (_, Status::Degraded) => Some(5),
        (_, Status::Healthy | Status::Unknown) => None,
    }
}

/// The nodes that need a person, the most urgent first; of equally urgent ones that with the least time left,
/// then the newest trouble.
pub fn attention(nodes: &[Node], now: UnixMillis) -> Vec<Node> {
    let urgent: Vec<_> = nodes.iter().filter_map(|node| Some((urgency(node, now)?, node))).collect();
    let breach = |node: &Node| node.worst_risk.as_ref().and_then(breach_at).unwrap_or(i64::MAX);
    let urgent = sorted(urgent, |(a_rank, a), (b_rank, b)| {
        (a_rank.cmp(b_rank))
            .then_with(|| breach(a).cmp(&breach(b)))
            .then_with(|| b.status.cmp(&a.status))
            .then_with(|| b.since.cmp(&a.since))
            .then_with(|| natural(&a.id, &b.id))
    });
    urgent.into_iter().map(|(_, node)| node.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::attention;
    use crate::state::model::tests::node;

    fn risk(severity: &str, firing: bool) -> Value {
        json!({"name": "r", "title": "R", "severity": severity, "bound": 1.0, "meaning": "", "action": "",
            "firing": firing})
    }

    fn breach(severity: &str, at: i64) -> Value {
        let mut risk = risk(severity, false);
        risk["outlook"] = json!({"trend": "approaching", "breach_at": at});
        risk
    }

    #[test]
    fn money_first_then_the_dead_then_the_lame_and_nobody_else() {
        let nodes = [
            node(json!({"id": "well"})),
            node(json!({"id": "near", "worst_risk": risk("critical", false)})),
            node(json!({"id": "unknown", "status": "unknown"})),
            node(json!({"id": "lame", "status": "degraded"})),
            node(json!({"id": "loop", "restarts": 3})),
            node(json!({"id": "once", "restarts": 2})),
            node(json!({"id": "ill", "status": "unhealthy", "since": 9})),
            node(json!({"id": "dead-old", "status": "unreachable", "since": 1})),
            node(json!({"id": "dead-new", "status": "unreachable", "since": 5})),
            node(json!({"id": "warned", "worst_risk": risk("warning", true)})),
            node(json!({"id": "slashed", "status": "degraded", "worst_risk": risk("critical", true)})),
        ];
        let ids: Vec<_> = attention(&nodes, 0).iter().map(|node| node.id.clone()).collect();
        assert_eq!(ids, ["slashed", "warned", "dead-new", "dead-old", "ill", "loop", "lame"]);
    }

    #[test]
    fn a_breach_within_minutes_needs_a_person_by_the_time_left() {
        let nodes = [
            node(json!({"id": "later", "worst_risk": breach("critical", 599_000)})),
            node(json!({"id": "far", "worst_risk": breach("critical", 3_600_000)})),
            node(json!({"id": "next", "worst_risk": breach("warning", 60_000)})),
            node(json!({"id": "noted", "worst_risk": breach("info", 1_000)})),
            node(json!({"id": "over", "worst_risk": risk("critical", true)})),
            node(json!({"id": "warned", "worst_risk": risk("warning", true)})),
            node(json!({"id": "dead", "status": "unreachable"})),
        ];
        let ids: Vec<_> = attention(&nodes, 0).iter().map(|node| node.id.clone()).collect();
        assert_eq!(ids, ["over", "next", "later", "warned", "dead"]);
    }
}
