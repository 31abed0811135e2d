//! Nodes, alerts and limited roles, field by field.

use super::*;
use crate::health::{Fact, ScrapeFailure};
use crate::wire::{Alert, EventKind, NodeDetail, Spark};

fn detail(id: &str) -> NodeDetail {
    let mut summary = node(id, "a");
    summary.version_majority = Some("9.9".into());
    summary.labels.insert("depends_on".into(), "out-1".into());
    summary.peers = Some(4);
    summary.spark = Spark { minute: NOW / 60_000, values: vec![Some(1.0); 60] };
    summary.reasons.push(Reason {
        code: "refused".into(),
        text: format!("No answer of {id} (10.9.8.7:9100 refused, box-host too)"),
        status: Status::Unreachable,
    });
    let fact = |name: &str, value: &str| Fact {
        endpoint: "health".into(),
        name: name.into(),
        title: name.into(),
        value: value.into(),
        unit: String::new(),
        at: NOW - 1000,
        stale: false,
    };
    NodeDetail {
        summary,
        family_note: "recognised at http://box-host:9100".into(),
        endpoints: vec![serde_json::from_value(json!({
            "name": "health", "url": "http://box-host:9100/health", "kind": "json",
            "failure": {"endpoint": "health", "kind": "timeout", "message": format!("{id} at box-host"), "at": NOW},
        }))
        .unwrap()],
        facts: vec![fact("listen", "0.0.0.0:1"), fact("note", &format!("I am {id} at /ip4/10.9.8.7/tcp/1")), fact("height", "12")],
        checks: Vec::new(),
        missing: vec!["secret_bond".into(), "peers".into()],
        risks: Vec::new(),
        panels: Vec::new(),
        failures: vec![ScrapeFailure {
            endpoint: "health".into(),
            kind: crate::health::FailureKind::Timeout,
            message: "old".into(),
            at: 1,
        }],
        warnings: Vec::new(),
    }
}

#[test]
fn a_page_has_neither_name_nor_address_nor_what_is_old() {
    let scope = scope(|spec| {
        spec.aliases = true;
        spec.oldest_seconds = Some(600);
    });
    let detail = detail("in-one");
    let node = scope.inside(&detail.summary, Some("box-host")).unwrap();
    let cut = scope.detail(&node, &detail, Vec::new(), NOW);
    let text = serde_json::to_string(&cut).unwrap();
    for secret in ["in-one", "out-1", "10.9.8.7", "box", "0.0.0.0", "9.9", "old", "recognised"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert_eq!(cut.summary.since, NOW - 600_000);
    assert_eq!(cut.summary.spark.values.len(), 10);
    assert!(text.contains("height") && text.contains("[address]") && text.contains(&node.shown));

    let hiding = Scope::new(spec(|spec| spec.hide_metrics = vec!["secret_bond".into()]), [1; 32]).unwrap();
    let node = hiding.inside(&detail.summary, None).unwrap();
    let text = serde_json::to_string(&hiding.detail(&node, &detail, Vec::new(), NOW)).unwrap();
    for secret in ["secret_bond", "height", "refused", "\"peers\":4"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

fn alert() -> Alert {
    serde_json::from_value(json!({
        "id": "00ff", "name": "PeersLow", "state": "firing", "severity": "warning", "node": "in-one",
        "labels": {"alertname": "PeersLow", "instance": "in-one", "team": "a", "host": "box-in-one"},
        "annotations": {"summary": "in-one has 2 peers, out-1 has 3"}, "value": 2.0, "active_at": 1,
        "acknowledged": {"by": "Ada", "note": "with Bob", "at": 2}, "silenced_by": ["s-1", "s-2"],
        "inhibited_by": ["of-out-1"], "muted_by": ["rack 7"],
    }))
    .unwrap()
}

#[test]
fn an_alert_tells_of_its_node_and_of_nobody() {
    let scope = scope(|spec| spec.aliases = true);
    let node = scope.inside(&node("in-one", "a"), None).unwrap();
    let local = AlertCut { is_local: true, is_plain: false };
    let cut = scope.alert(&node, &alert(), local, NOW).unwrap();
    let text = serde_json::to_string(&cut).unwrap();
    for secret in ["in-one", "out-1", "00ff", "Ada", "Bob", "s-1", "rack", "box"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(!cut.is_open(), "that it is silenced stays");
    assert_eq!(scope.alert(&node, &alert(), AlertCut { is_local: false, is_plain: true }, NOW), None);
    let mut other = alert();
    other.node = Some("out-1".into());
    assert_eq!(scope.alert(&node, &other, AlertCut { is_local: true, is_plain: true }, NOW), None);
    let closed = Scope::new(spec(|spec| spec.views = BTreeSet::from([View::Fleet])), [7; 32]).unwrap();
    assert_eq!(closed.alert(&node, &alert(), AlertCut { is_local: true, is_plain: true }, NOW), None);
}

#[test]
fn a_limited_role_sees_names_places_and_colleagues_of_its_nodes_and_nobody_else() {
    let scope = of_role();
    let detail = detail("in-one");
    let node = scope.inside(&detail.summary, Some("box-host")).unwrap();
    let text = serde_json::to_string(&scope.detail(&node, &detail, Vec::new(), NOW)).unwrap();
    for secret in ["out-1", "depends_on", "9.9"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    for own in ["in-one", "10.9.8.7", "box-host", "recognised", "secret_bond"] {
        assert!(text.contains(own), "{own}: {text}");
    }
    let cut = scope.alert(&node, &alert(), AlertCut { is_local: true, is_plain: false }, NOW).unwrap();
    let text = serde_json::to_string(&cut).unwrap();
    for secret in ["out-1", "s-1", "rack"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.contains("00ff") && text.contains("Ada") && text.contains("with Bob"), "{text}");
    let mut chained = alert();
    chained.labels.insert("depends_on".into(), "out-1".into());
    let cut = scope.alert(&node, &chained, AlertCut { is_local: true, is_plain: true }, NOW).unwrap();
    assert_ne!(cut.id, "00ff", "an id that is made of a label that is not shown is not shown");
    assert_eq!(scope.alert(&node, &alert(), AlertCut { is_local: false, is_plain: true }, NOW), None);
    assert!(scope.tells(EventKind::Mark) && !scope.tells(EventKind::Alert));
    assert!(scope.hides_a_label(&node), "depends_on");
}
