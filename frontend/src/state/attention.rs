//! Which nodes need a person, and in which order.

use fleetglass_shared::attention::{compare, urgency};
use fleetglass_shared::health::UnixMillis;

use super::model::Node;
use super::order::sorted;

/// The nodes that need a person, the most urgent first; of equally urgent ones that with the least time left,
/// then the newest trouble.
pub fn attention(nodes: &[Node], now: UnixMillis) -> Vec<Node> {
    let urgent: Vec<_> = nodes.iter().filter_map(|node| Some((urgency(node, now)?, node))).collect();
    let urgent = sorted(urgent, |(a_rank, a), (b_rank, b)| compare((*a_rank, a), (*b_rank, b)));
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
