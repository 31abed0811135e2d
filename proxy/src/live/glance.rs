//! The fleet in a few lines: how many are how, and the worst few. For a first view, before the app is there.

use std::collections::BTreeMap;

use fleetglass_shared::{
    attention::{CRASH_LOOP, breach_at, compare, need_in_words, reasons_in_words, urgency, well_in_words},
    health::Status,
    wire::NodeSummary,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Live;

/// So many of the worst nodes are named.
const NAMED: usize = 6;

impl Live {
    /// Counts by state, open alerts by severity, and the worst nodes with their reasons.
    pub fn glance(&self) -> Value {
        let state = self.state.lock();
        let mut counts: BTreeMap<&str, usize> =
            Status::WORST_FIRST.into_iter().map(|status| (status.as_str(), 0)).collect();
        let mut worst = Vec::new();
        for node in state.nodes.values().map(|node| &node.value) {
            if let Some(count) = counts.get_mut(node["status"].as_str().unwrap_or_default()) {
                *count += 1;
            }
            // Most are well: only of the others is the whole looked at.
            if let Some(node) = may_need(node).then(|| NodeSummary::deserialize(node).ok()).flatten()
                && let Some(rank) = urgency(&node, state.at)
            {
                worst.push((rank, node));
            }
        }
        worst.sort_by(|(a_rank, a), (b_rank, b)| compare((*a_rank, a), (*b_rank, b)));
        // In the words of the page that comes after it, so that nothing changes then.
        let line = |(_, node): &(u8, NodeSummary)| {
            let risk = node.worst_risk.as_ref();
            let at_risk = risk.is_some_and(|risk| risk.firing || breach_at(risk).is_some());
            json!({"id": node.id, "status": node.status, "since": node.since, "why": reasons_in_words(node), "at_risk": at_risk})
        };
        let mut open = BTreeMap::from([("critical", 0), ("warning", 0), ("info", 0)]);
        for alert in state.alerts.values().filter(|alert| alert.is_open()) {
            *open.entry(alert.severity.as_str()).or_default() += 1;
        }
        let healthy = counts.get(Status::Healthy.as_str()).copied().unwrap_or_default();
        let title = match worst.len() {
            0 => well_in_words(state.nodes.len(), healthy, open.values().sum()),
            need => need_in_words(need),
        };
        json!({
            "at": state.at,
            "title": title,
            "nodes": state.nodes.len(),
            "states": counts,
            "alerts": open,
            "need": worst.len(),
            "worst": worst.iter().take(NAMED).map(line).collect::<Vec<_>>(),
        })
    }
}

/// Whether a node could need a person, at a look.
fn may_need(node: &Value) -> bool {
    let risk = &node["worst_risk"];
    !matches!(node["status"].as_str(), Some("healthy" | "unknown"))
        || risk["firing"] == Value::Bool(true)
        || !risk["outlook"]["breach_at"].is_null()
        || node["restarts"].as_u64() >= Some(CRASH_LOOP.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use fleetglass_shared::health::Status;

    use super::super::AlertChanges;
    use super::super::tests::{live, node, spark};

    #[test]
    fn the_worst_come_first_and_the_well_are_only_counted() {
        let live = live();
        let as_they_are = [
            ("a", Status::Degraded, 9),
            ("b", Status::Healthy, 1),
            ("c", Status::Unreachable, 3),
            ("d", Status::Unreachable, 7),
        ];
        let nodes = as_they_are.map(|(id, status, since)| {
            let (id, mut summary) = node(id, 1, spark(1, &[]));
            let own = summary.as_mut().unwrap();
            (own.status, own.since) = (status, since);
            (id, summary)
        });
        live.publish(nodes.into(), AlertChanges::new(), &[], 10);
        let glance = live.glance();
        let ids: Vec<_> = glance["worst"].as_array().unwrap().iter().map(|node| &node["id"]).collect();
        assert_eq!(ids, ["d", "c", "a"], "of equally bad ones the newest is first");
        assert_eq!((&glance["states"]["healthy"], &glance["need"]), (&1.into(), &3.into()));
        assert_eq!(glance["title"], "3 nodes need you");
    }
}
