//! Which nodes need a person, and in which order.

use fleetglass_shared::health::Status;
use fleetglass_shared::wire::NodeSummary;

use super::filter::crash_loops;
use super::model::Node;
use super::order::{natural, sorted};

/// How urgent a node is: the smaller, the sooner it is read. `None` when it needs nobody.
///
/// A slash risk over its bound costs money and comes first; then nodes that do no work, those that
/// restart again and again, and those that work with something missing. `unknown` needs nobody: its
/// monitoring is not enabled, or it was not asked yet.
pub fn urgency(node: &NodeSummary) -> Option<u8> {
    let risk = node.worst_risk.as_ref().filter(|risk| risk.firing).map(|risk| risk.severity.as_str());
    match (risk, node.status) {
        (Some("critical"), _) => Some(0),
        (Some("warning"), _) => Some(1),
        (_, Status::Unreachable | Status::Unhealthy) => Some(2),
        _ if crash_loops(node) => Some(3),
        (_, Status::Degraded) => Some(4),
        (_, Status::Healthy | Status::Unknown) => None,
    }
}

/// The nodes that need a person, the most urgent first; of equally urgent ones the newest trouble first.
pub fn attention(nodes: &[Node]) -> Vec<Node> {
    let urgent: Vec<_> = nodes.iter().filter_map(|node| Some((urgency(node)?, node))).collect();
    let urgent = sorted(urgent, |(a_rank, a), (b_rank, b)| {
        (a_rank.cmp(b_rank))
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
        let ids: Vec<_> = attention(&nodes).iter().map(|node| node.id.clone()).collect();
        assert_eq!(ids, ["slashed", "warned", "dead-new", "dead-old", "ill", "loop", "lame"]);
    }
}
