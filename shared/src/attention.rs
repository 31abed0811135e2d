//! Which nodes need a person, and which of two comes first: the same for the first view, which the proxy writes, and
//! for the pages.

use std::cmp::Ordering;

use crate::{
    format::{counted, whole},
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

/// How many nodes need a person: the first line that is read.
pub fn need_in_words(count: usize) -> String {
    format!("{} you", counted(count, "node needs", "nodes need"))
}

/// The first line where none does. `open` alerts are of rules: those see what a node does not say of itself.
pub fn well_in_words(total: usize, healthy: usize, open: usize) -> String {
    let of = |rest: (usize, &str, &str)| counted(rest.0, rest.1, rest.2).replacen(' ', "\u{a0}", 1);
    match total.saturating_sub(healthy) {
        0 if open > 0 => format!(
            "{} of {} say they are well, yet {} open.",
            whole(healthy),
            counted(total, "node", "nodes"),
            of((open, "alert is", "alerts are"))
        ),
        0 if total == 1 => "The one node is well.".to_owned(),
        0 => format!("All {} nodes are well.", whole(total)),
        unknown => format!(
            "{} of {} are well, {} not known.",
            whole(healthy),
            counted(total, "node", "nodes"),
            of((unknown, "is", "are"))
        ),
    }
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
    fn the_first_line_says_how_many() {
        assert_eq!(
            (need_in_words(1), need_in_words(1_200)),
            ("1 node needs you".into(), "1,200 nodes need you".into())
        );
        assert_eq!(well_in_words(1, 1, 0), "The one node is well.");
        assert_eq!(well_in_words(1_000, 1_000, 0), "All 1,000 nodes are well.");
        assert_eq!(well_in_words(3, 2, 0), "2 of 3 nodes are well, 1\u{a0}is not known.");
        assert_eq!(well_in_words(3, 3, 2), "3 of 3 nodes say they are well, yet 2\u{a0}alerts are open.");
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
