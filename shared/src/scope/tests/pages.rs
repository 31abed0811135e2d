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

/// A node of a customer whose name is kept back, and which depends on one outside.
fn of_a_customer(customer: &str) -> NodeSummary {
    let mut node = node("in-one", "a");
    let more = [("customer", customer), ("depends_on", "gate-9, gate-7"), ("tier", "1")];
    node.labels.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    node
}

#[test]
fn what_a_label_says_that_is_not_shown_stands_in_no_text_and_under_no_other_name() {
    let told = |scope: &Scope, customer: &str| {
        let node = scope.inside(&of_a_customer(customer), None).unwrap();
        let mut own = alert();
        own.name = format!("PeersLow of {customer}");
        own.severity_text = customer.into();
        own.labels.insert("customer".into(), customer.into());
        own.labels.insert("page".into(), customer.into());
        own.labels.insert("note".into(), format!("{customer} waits for gate-7"));
        own.annotations = BTreeMap::from([
            ("summary".to_owned(), format!("{customer}'s in-one waits for gate-9 (tier 1, le 1)")),
            ("description".to_owned(), format!("Call {}!", customer.to_uppercase())),
        ]);
        let cut = scope.alert(&node, &own, AlertCut { is_local: true, is_plain: true }, NOW).unwrap();
        let series = LabelSet::from_pairs([
            (METRIC_NAME, "served"),
            ("instance", "in-one"),
            ("customer", customer),
            ("billed_to", customer),
            ("le", "1"),
        ]);
        format!(
            "{} {:?}",
            serde_json::to_string(&cut).unwrap().replace(&scope.masked(customer), "MASK"),
            scope.labels(&node, &series)
        )
        .replace(&scope.masked(customer), "MASK")
        .replace(&scope.masked(&format!("{customer} waits for gate-7")), "MASK")
    };
    let scope = scope(|spec| spec.drop_labels = vec!["customer".into(), "tier".into()]);
    let (acme, beta) = (told(&scope, "acme-corp"), told(&scope, "beta-bank"));
    for secret in ["acme", "ACME", "gate-"] {
        assert!(!acme.contains(secret), "{secret}: {acme}");
    }
    assert_eq!(acme, beta, "whose node it is changes nothing");
    assert!(acme.contains("[hidden]'s in-one waits for [hidden] (tier 1, le 1)"), "{acme}");
    assert!(acme.contains("\"1\""), "a number is no name: {acme}");

    let role = told(&of_role(), "acme-corp");
    assert!(role.contains("acme-corp's in-one waits for [hidden]") && !role.contains("gate-"), "{role}");
}

#[test]
fn no_matcher_finds_out_what_a_label_says_that_is_not_shown() {
    let answers = |customer: &str| {
        let mut storage = MemoryStorage::default();
        let labels = [
            (METRIC_NAME, "peers"),
            ("instance", "in-one"),
            ("job", "fam"),
            ("team", "a"),
            ("host", "box"),
            ("customer", customer),
        ];
        let samples: Vec<_> = (0..=40).map(|n| (n * 250_000, 1.0)).collect();
        storage.add(LabelSet::from_pairs(labels), &samples);
        let world = (storage, vec![of_a_customer(customer)]);
        let scope = scope(|spec| {
            spec.drop_labels = vec!["customer".into()];
            spec.aliases = true;
        });
        [
            "peers{customer=\"acme-corp\"}",
            "peers{customer=~\"a.*\"}",
            "peers{customer!~\"a.*\"}",
            "peers{customer=\"\"}",
            "peers{instance=~\"in-.*\"}",
            "peers{instance!~\"in-.*\"}",
            "peers{host=~\"b.*\"}",
            "{customer=~\".+\"}",
            "count by (customer) (peers)",
            "count_values by (customer) (\"v\", peers)",
            "group by (customer, host) ({__name__=~\".+\"})",
            "sum without (instance) (peers)",
            "sort_by_label(peers, \"customer\")",
            "label_replace(peers, \"x\", \"$1\", \"customer\", \"(.).*\")",
            "label_join(peers, \"x\", \"-\", \"customer\", \"host\")",
            "peers * on(customer) group_left peers{customer=~\"acme.*\"}",
            "topk by (customer) (1, peers)",
            "absent(peers{customer=\"acme-corp\"})",
            "{\"peers\", \"customer\"=~\"a.*\"}",
        ]
        .map(|text| told(&scope, &world, text))
    };
    assert_eq!(answers("acme-corp"), answers("beta-bank"));
}

#[test]
fn a_metric_that_is_hidden_is_hidden_with_its_buckets_and_in_the_rules_that_read_it() {
    let scope = scope(|spec| spec.hide_metrics = vec!["bond".into(), "secret_*".into()]);
    for hidden in ["bond", "bond_bucket", "bond_sum", "bond_count", "bond_total", "bond_created", "secret_x"]
    {
        assert!(scope.hides_metric(hidden), "{hidden}");
    }
    for shown in ["bonds", "bond_rate", "peers", "secret"] {
        assert!(!scope.hides_metric(shown), "{shown}");
    }
    let hides = |text: &str| scope.hides_rule(&Query::parse(text).unwrap());
    for text in [
        "bond < 5",
        "rate(bond_total[5m]) > 1",
        "peers > 1 and on (instance) bond",
        "up unless on (instance) secret_x",
        "0 < fleetglass_risk_seconds_to_breach < 600",
        "{__name__=~\"bo.*\"} > 1",
    ] {
        assert!(hides(text), "{text}");
    }
    for text in ["peers < 5", "fleetglass_node_status{status=\"unhealthy\"} == 1", "up == 0"] {
        assert!(!hides(text), "{text}");
    }
    assert!(!of_role().hides_rule(&Query::parse("{__name__=~\"bo.*\"} > 1").unwrap()));
}

#[test]
fn restarts_of_a_time_that_is_not_shown_are_not_counted() {
    let mut summary = node("in-one", "a");
    summary.restarts = 2;
    let told = |oldest: Option<u64>| {
        let scope = scope(|spec| spec.oldest_seconds = oldest);
        scope.summary(&scope.inside(&summary, None).unwrap(), &summary, NOW).restarts
    };
    assert_eq!((told(None), told(Some(3_600)), told(Some(60))), (2, 2, 0));
}
