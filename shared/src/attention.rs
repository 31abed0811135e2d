//! Which nodes need a person, and which of two comes first: the same for the first view, which the proxy writes, and
//! for the pages.

use std::cmp::Ordering;

use crate::{
    health::{Status, UnixMillis},
    natural::natural,
    wire::{NodeSummary, Risk},
};

/// A breach nearer than this needs a person now.
pub const SOON_MS: UnixMillis = 10 * 60_000;
/// So many restarts in a quarter of an hour are a crash-loop.
pub const CRASH_LOOP: u32 = 3;

/// When the bound is crossed, while it is on its way there.
pub fn breach_at(risk: &Risk) -> Option<UnixMillis> {
    risk.outlook.as_ref()?.breach_at.filter(|_| !risk.firing)
}

/// Whether it is crossed within minutes.
pub fn is_soon(risk: &Risk, now: UnixMillis) -> bool {
    breach_at(risk).is_some_and(|at| at - now < SOON_MS)
}

/// Three or more restarts in a quarter of an hour.
pub fn crash_loops(node: &NodeSummary) -> bool {
    node.restarts >= CRASH_LOOP
}

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

/// Which of two nodes with their [`urgency`] is read first: the most urgent; of equally urgent ones that with the least
/// time left, then the newest trouble.
pub fn compare((a_rank, a): (u8, &NodeSummary), (b_rank, b): (u8, &NodeSummary)) -> Ordering {
    let breach = |node: &NodeSummary| node.worst_risk.as_ref().and_then(breach_at).unwrap_or(UnixMillis::MAX);
    (a_rank.cmp(&b_rank))
        .then_with(|| breach(a).cmp(&breach(b)))
        .then_with(|| b.status.cmp(&a.status))
        .then_with(|| b.since.cmp(&a.since))
        .then_with(|| natural(&a.id, &b.id))
}

/// Why it needs one: every reason, the worst first; for a node whose risk alone says so, what is at stake.
pub fn reasons_in_words(node: &NodeSummary) -> String {
    match &node.worst_risk {
        Some(risk) if node.reasons.is_empty() => risk.meaning.clone(),
        _ => node.reasons.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>().join("; "),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn risk(firing: bool, outlook: Value) -> Risk {
        let mut risk = json!({"name": "r", "title": "R", "severity": "critical", "bound": 1.0, "meaning": "",
            "action": "", "firing": firing});
        if !outlook.is_null() {
            risk["outlook"] = outlook;
        }
        serde_json::from_value(risk).unwrap()
    }

    #[test]
    fn only_what_is_on_its_way_has_a_countdown() {
        let approaching = json!({"trend": "approaching", "breach_at": 600_000});
        assert_eq!(breach_at(&risk(false, approaching.clone())), Some(600_000));
        assert_eq!(breach_at(&risk(true, approaching.clone())), None, "it is crossed");
        assert_eq!(breach_at(&risk(false, json!({"trend": "steady"}))), None);
        assert_eq!(breach_at(&risk(false, Value::Null)), None);
        assert!(is_soon(&risk(false, approaching.clone()), 1));
        assert!(!is_soon(&risk(false, approaching), 0), "ten minutes are left");
    }
}
