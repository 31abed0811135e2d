//! The fleet in a few lines: how many are how, and the worst few. For a first view, before the app is there.

use std::{cmp::Reverse, collections::BTreeMap};

use fleetglass_shared::health::Status;
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
        for (id, node) in &state.nodes {
            let value = &node.value;
            let status = value["status"].as_str().unwrap_or_default();
            if let Some(count) = counts.get_mut(status) {
                *count += 1;
            }
            let at_risk = value["worst_risk"]["firing"] == Value::Bool(true);
            if let Some(rank) = rank(status, at_risk) {
                let since = Reverse(value["since"].as_i64().unwrap_or_default());
                worst.push((rank, since, id, value));
            }
        }
        worst.sort_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
        let line = |(_, _, id, value): &(u8, Reverse<i64>, &String, &Value)| {
            let risk = &value["worst_risk"];
            let meaning = risk["meaning"].as_str().filter(|_| risk["firing"] == Value::Bool(true));
            let why = value["reasons"][0]["text"].as_str().or(meaning).unwrap_or_default();
            json!({"id": id, "status": value["status"], "since": value["since"], "why": why})
        };
        let mut open = BTreeMap::from([("critical", 0), ("warning", 0), ("info", 0)]);
        for alert in state.alerts.values().filter(|alert| alert.is_open()) {
            *open.entry(alert.severity.as_str()).or_default() += 1;
        }
        json!({
            "at": state.at,
            "nodes": state.nodes.len(),
            "states": counts,
            "alerts": open,
            "need": worst.len(),
            "worst": worst.iter().take(NAMED).map(line).collect::<Vec<_>>(),
        })
    }
}

/// How bad it is; nothing for a node that needs nobody.
fn rank(status: &str, at_risk: bool) -> Option<u8> {
    match (at_risk, status) {
        (true, _) => Some(0),
        (_, "unreachable") => Some(1),
        (_, "unhealthy") => Some(2),
        (_, "degraded") => Some(3),
        _ => None,
    }
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
    }
}
