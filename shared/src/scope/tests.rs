//! Attempts to get out of a scope. What they tried is listed in docs/share.md.
#![allow(clippy::unwrap_used)]

mod pages;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::health::{Reason, Status};
use crate::labels::METRIC_NAME;
use crate::promql::{EachSeries, EvalError, MemoryStorage, Options, Query, Steps, Storage, Value};

const NOW: i64 = 10_000_000;

fn spec(change: impl FnOnce(&mut ScopeSpec)) -> ScopeSpec {
    let mut spec = ScopeSpec {
        select: vec!["{team=\"a\"}".into()],
        views: View::ALL.into(),
        oldest_seconds: None,
        addresses: false,
        drop_labels: Vec::new(),
        aliases: false,
        hide_metrics: Vec::new(),
    };
    change(&mut spec);
    spec
}

fn scope(change: impl FnOnce(&mut ScopeSpec)) -> Scope {
    Scope::new(spec(change), [7; 32]).unwrap()
}

fn of_role() -> Scope {
    Scope::of_role(vec!["{team=\"a\"}".into()], [7; 32]).unwrap()
}

fn node(id: &str, team: &str) -> NodeSummary {
    let mut node = NodeSummary::new(id.into(), "fam".into(), Status::Healthy, 5, 15_000);
    node.labels = BTreeMap::from([("team".into(), team.into()), ("host".into(), format!("box-{id}"))]);
    node
}

/// Series as a node has them, and some that carry the names of others.
fn series(storage: &mut MemoryStorage, id: &str, team: &str, value: f64) {
    let mut add = |metric: &str, own: &[(&str, &str)]| {
        let given =
            [("instance", id), ("job", "fam"), ("team", team), ("host", "box"), (METRIC_NAME, metric)];
        let labels = LabelSet::from_pairs(given.iter().chain(own).copied());
        let samples: Vec<_> = (0..=40).map(|n| (n * 250_000, value + n as f64)).collect();
        storage.add(labels, &samples);
    };
    add("peers", &[]);
    add("secret_bond", &[]);
    add("served_total", &[("peer", "10.1.2.3:4001")]);
    add("served_total", &[("peer", "10.1.2.4:4001")]);
    add(&format!("only_{id}"), &[("node", id)]);
}

struct Whole<'a>(&'a MemoryStorage);

impl Storage for Whole<'_> {
    fn scan(&self, matchers: &[Matcher], from: i64, to: i64, each: EachSeries<'_>) -> Result<(), EvalError> {
        self.0.scan(matchers, from, to, each)
    }
}

/// Two nodes inside, and outside what is given.
fn world(outside: &[(String, f64)]) -> (MemoryStorage, Vec<NodeSummary>) {
    let (mut storage, mut nodes) = (MemoryStorage::default(), Vec::new());
    for (id, team, value) in [("in-one", "a", 1.0), ("in-two", "a", 100.0)] {
        series(&mut storage, id, team, value);
        nodes.push(node(id, team));
    }
    for (id, value) in outside {
        series(&mut storage, id, "b", *value);
        nodes.push(node(id, "b"));
        // What belongs to no node.
        let recorded = [(METRIC_NAME, "fleet:peers:sum"), ("of", id.as_str())];
        storage.add(LabelSet::from_pairs(recorded), &[(NOW - 1, *value)]);
    }
    (storage, nodes)
}

fn inside(scope: &Scope, nodes: &[NodeSummary]) -> Vec<Inside> {
    nodes.iter().filter_map(|node| scope.inside(node, Some("box-host"))).collect()
}

/// What a viewer is told: the answer or the error, with everything that stands beside it.
fn told(scope: &Scope, world: &(MemoryStorage, Vec<NodeSummary>), text: &str) -> String {
    let nodes = inside(scope, &world.1);
    let of = |_: &str| -> Box<dyn Storage + '_> { Box::new(Whole(&world.0)) };
    let scoped = Scoped::new(scope, &nodes, scope.oldest(NOW), &of);
    let query = match Query::parse(text) {
        Ok(query) => scoped.query(&query),
        Err(error) => return error.to_string(),
    };
    let steps = Steps { start: NOW - 3_600_000, end: NOW, step: 600_000 };
    let instant = query.instant(&scoped, NOW, &Options::default());
    let range = query.range(&scoped, steps, &Options::default());
    format!("{instant:?} {range:?}")
}

/// What a chat shows of a link: what is drawn, and the words beside it.
fn carded(scope: &Scope, nodes: &[NodeSummary]) -> String {
    let inside: Vec<(Inside, NodeSummary)> =
        nodes.iter().filter_map(|node| Some((scope.inside(node, Some("box-host"))?, node.clone()))).collect();
    let card = scope.card("Acme", "Ada", &inside, NOW);
    format!("{card:?} {}", card.in_words())
}

/// Ways out that somebody may try.
const TRICKS: [&str; 44] = [
    "{__name__=~\".+\"}",
    "{__name__!=\"\"}",
    "{instance=~\".*\"}",
    "{instance=\"out-1\"}",
    "{instance!~\"in-.*\", __name__=~\".+\"}",
    "{team=\"b\"}",
    "{team!=\"a\", __name__=~\".+\"}",
    "{instance=\"\", __name__=~\".+\"}",
    "{__scope__=\"\", __name__=~\".+\"}",
    "{__scope__!=\"x\", __name__=~\".+\"}",
    "peers or {__name__=~\".+\"}",
    "peers or on() {team=\"b\"}",
    "peers unless {team=\"a\"}",
    "peers and on() {team=\"b\"}",
    "absent(peers{team=\"b\"})",
    "absent({instance=\"out-1\"})",
    "absent_over_time(peers{team=\"b\"}[1h])",
    "count({__name__=~\".+\"})",
    "count by (__name__) ({__name__=~\".+\"})",
    "count by (instance, team) ({__name__=~\".+\"})",
    "count_values(\"v\", {__name__=~\".+\"})",
    "group({team=\"b\"})",
    "sum(peers)",
    "avg(peers) / count(peers)",
    "topk(100, {__name__=~\".+\"})",
    "bottomk by (team) (5, peers)",
    "limitk(50, {__name__=~\".+\"})",
    "quantile(0.99, peers)",
    "label_replace(peers, \"team\", \"b\", \"team\", \".*\")",
    "label_replace({__name__=~\".+\"}, \"x\", \"$1\", \"instance\", \"(.*)\")",
    "label_join(peers, \"instance\", \"-\", \"team\", \"job\")",
    "peers * on(team) group_left(host) peers{team=\"b\"}",
    "peers * on() group_right(instance) peers",
    "max_over_time(sum({__name__=~\"peers\"})[1h:1m])",
    "sum(peers)[1h:10m]",
    "max_over_time({__name__=~\".+\"}[1h:1m] @ end())",
    "peers @ 1",
    "peers offset 2h",
    "{__name__=~\".+\"}[3h]",
    "scalar(peers{team=\"b\"})",
    "fleet:peers:sum",
    "ALERTS or ALERTS_FOR_STATE",
    "only_out_1 or {__name__=~\"only_.*\"}",
    "timestamp({__name__=~\".+\"})",
];

#[test]
fn no_query_tells_of_what_is_outside_not_even_by_a_count_or_an_error() {
    let one = world(&[("out-1".into(), 5.0), ("out_1".into(), 6.0)]);
    let (none, many) =
        (world(&[]), world(&(0..30).map(|n| (format!("out-{n}"), n as f64)).collect::<Vec<_>>()));
    for scope in [scope(|_| {}), scope(|spec| spec.aliases = true), of_role()] {
        for trick in TRICKS {
            let answer = told(&scope, &one, trick);
            assert!(!answer.contains("__scope__"), "{trick}: {answer}");
            assert_eq!(answer, told(&scope, &none, trick), "{trick}");
            assert_eq!(answer, told(&scope, &many, trick), "{trick}");
        }
    }
    // The test can see: without the scope the worlds differ.
    assert_ne!(
        told(
            &Scope::new(spec(|spec| spec.select = vec!["{job=\"fam\"}".into()]), [7; 32]).unwrap(),
            &one,
            "peers"
        ),
        told(&scope(|_| {}), &one, "peers")
    );
    assert!(told(&scope(|_| {}), &one, "count(peers)").contains("values: [2.0]"));
}

#[test]
fn a_query_that_was_not_put_within_the_scope_sees_nothing() {
    let (storage, nodes) = world(&[]);
    let scope = scope(|_| {});
    let nodes = inside(&scope, &nodes);
    let of = |_: &str| -> Box<dyn Storage + '_> { Box::new(Whole(&storage)) };
    let scoped = Scoped::new(&scope, &nodes, i64::MIN, &of);
    let bare = Query::parse("peers").unwrap().instant(&scoped, NOW, &Options::default()).unwrap();
    assert_eq!(bare.value, Value::Vector(Vec::new()));
}

#[test]
fn nothing_older_is_reached_by_offset_at_range_or_subquery() {
    let world = world(&[]);
    let scope = scope(|spec| spec.oldest_seconds = Some(1800));
    for text in [
        "peers offset 31m",
        "peers @ 1000",
        "max_over_time(peers[30m] offset 30m)",
        "sum_over_time(peers[1h:5m] @ 5000)",
        "first_over_time(peers[1h] offset 45m)",
        "peers offset 2h",
        "rate(served_total[40m] offset 35m)",
    ] {
        let answer = told(&scope, &world, text);
        assert!(answer.contains("Vector([])"), "{text}: {answer}");
    }
    let all = told(&scope, &world, "count_over_time(peers[10h])");
    // 1800 s at one sample in 250 s: seven, of forty-one.
    assert!(all.contains("values: [8.0]") || all.contains("values: [7.0]"), "{all}");
    assert!(!all.contains("41.0"), "{all}");
}

#[test]
fn hidden_metrics_are_not_there_under_any_name() {
    let world = world(&[]);
    let scope = scope(|spec| spec.hide_metrics = vec!["secret_*".into()]);
    for text in [
        "secret_bond",
        "{__name__=~\"secret.*\"}",
        "{__name__=~\".+\"}",
        "label_replace({__name__=~\".+\"}, \"n\", \"$1\", \"__name__\", \"(.*)\")",
        "count by (__name__) ({__name__=~\".+\"})",
        "topk(99, {__name__!=\"peers\"})",
    ] {
        let answer = told(&scope, &world, text);
        assert!(!answer.contains("secret_bond"), "{text}: {answer}");
    }
    assert!(scope.hides_metric("fleetglass_node_peers"), "it may be the same number under another name");
    assert!(!scope.hides_metric("peers"));
}

#[test]
fn aliases_go_both_ways_and_addresses_stay() {
    let world = world(&[]);
    let scope = scope(|spec| {
        spec.aliases = true;
        spec.drop_labels = vec!["team".into()];
    });
    let alias = scope.name("in-one");
    assert!(alias.starts_with("node-") && alias == scope.name("in-one") && alias != scope.name("in-two"));
    let other = Scope::new(spec(|spec| spec.aliases = true), [8; 32]).unwrap();
    assert_ne!(alias, other.name("in-one"), "another link has other aliases");
    let all = told(&scope, &world, "{__name__=~\".+\", instance=~\"node-.*\"}");
    for secret in ["in-one", "in-two", "10.1.2.3", "box", "\"a\""] {
        let told = all.replace("only_in-one", "").replace("only_in-two", "");
        assert!(!told.contains(secret), "{secret}: {told}");
    }
    assert!(all.contains(&alias));
    assert!(told(&scope, &world, &format!("peers{{instance=\"{alias}\"}}")).contains("values: [41.0]"));
    assert!(
        told(&scope, &world, "peers{instance=\"in-one\"}").contains("Vector([])"),
        "the id is not guessed at"
    );
    assert!(
        told(&scope, &world, "peers{team=\"a\"}").contains("Vector([])"),
        "nor is a label that is not shown"
    );
    assert!(
        told(&scope, &world, "count(served_total)").contains("values: [4.0]"),
        "what differs stays different"
    );
}

#[test]
fn a_series_of_the_time_before_a_node_came_inside_is_not_shown() {
    let (mut storage, nodes) = world(&[]);
    series(&mut storage, "in-one", "b", 77.0);
    let answer = told(&scope(|_| {}), &(storage, nodes), "peers{instance=\"in-one\"}");
    assert!(answer.contains("41.0") && !answer.contains("117.0"), "{answer}");
}

#[test]
fn scopes_that_cannot_be_used_say_why() {
    let error = |change: fn(&mut ScopeSpec)| Scope::new(spec(change), [0; 32]).unwrap_err().to_string();
    assert!(error(|spec| spec.select.clear()).contains("which nodes"));
    assert!(error(|spec| spec.views.clear()).contains("fleet, node, charts"));
    assert!(error(|spec| spec.select = vec!["{}".into()]).contains("column 3"));
    assert!(error(|spec| spec.select = vec!["up{a=\"b\"}".into()]).contains("names a metric"));
    assert!(error(|spec| spec.select = vec!["{a=~\"(\"}".into()]).contains("unclosed"));
    assert!(error(|spec| spec.oldest_seconds = Some(0)).contains("nothing"));
    assert!(error(|spec| spec.drop_labels = vec![" ".into()]).contains("drop_labels"));
    assert!(!format!("{:?}", scope(|_| {})).contains('7'), "the key is in no log");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Pieces of expressions, put together in any way that parses.
    #[test]
    fn nothing_that_can_be_written_sees_what_is_outside(
        pieces in proptest::collection::vec(0..TRICKS.len(), 2),
        around in 0_usize..9,
        outside in proptest::collection::vec(("[a-z0-9_.-]{1,8}", -9.0..9.0_f64), 0..5),
        kind in 0_u8..3,
    ) {
        let (a, b) = (TRICKS[pieces[0]], TRICKS[pieces[1]]);
        let text = match around {
            0 => format!("({a}) or ({b})"),
            1 => format!("count(({a}) unless ({b}))"),
            2 => format!("absent({a})"),
            3 => format!("({a}) * on (instance) group_left () ({b})"),
            4 => format!("sum_over_time(({a})[1h:10m])"),
            5 => format!("label_replace({a}, \"instance\", \"$1\", \"team\", \"(.*)\")"),
            6 => format!("count_values(\"n\", ({a}) >= bool ({b}))"),
            7 => format!("topk(scalar(count({a})), {b})"),
            _ => format!("({a}) == on () ({b})"),
        };
        let scope = if kind == 2 { of_role() } else { scope(|spec| spec.aliases = kind == 1) };
        let outside: Vec<_> = outside.into_iter().filter(|(id, _)| !id.starts_with("in-")).collect();
        prop_assert_eq!(told(&scope, &world(&outside), &text), told(&scope, &world(&[]), &text), "{}", text);
    }

    /// What a chat is shown before anybody opens the link.
    #[test]
    fn no_card_tells_of_what_is_outside(
        outside in proptest::collection::vec(("[a-z0-9_.-]{1,8}", 0_usize..5, "\\PC{0,20}"), 0..6),
        aliases in any::<bool>(),
        hidden in any::<bool>(),
    ) {
        let scope = scope(|spec| {
            spec.aliases = aliases;
            spec.hide_metrics = if hidden { vec!["bond".into()] } else { Vec::new() };
        });
        let states = [Status::Healthy, Status::Degraded, Status::Unhealthy, Status::Unreachable, Status::Unknown];
        let mut fleet = vec![node("in-one", "a"), node("in-two", "a")];
        fleet[1].status = Status::Degraded;
        let alone = carded(&scope, &fleet);
        for (id, status, text) in outside {
            let mut other = node(&id, "b");
            other.status = states[status];
            other.reasons = vec![Reason { code: "x".into(), text, status: states[status] }];
            fleet.push(other);
        }
        prop_assert_eq!(alone, carded(&scope, &fleet));
    }

    #[test]
    fn no_text_keeps_a_name_or_an_address(before in "\\PC{0,12}", after in "\\PC{0,12}", last in 1_u8..255) {
        let scope = scope(|spec| spec.aliases = true);
        let inside = scope.inside(&node("in-one", "a"), Some("box-host")).unwrap();
        let address = format!("10.77.3.{last}");
        let text = scope.text(&inside, &format!("{before} {address} {after}in-one{before} box-host {after}"));
        prop_assert!(!text.contains("in-one") && !text.contains("box-host") && !text.contains("10.77.3."), "{}", text);
    }
}

#[test]
fn a_card_tells_of_the_nodes_inside_and_in_the_viewers_names() {
    let sick = |id: &str, team: &str, status, text: &str| {
        let mut node = node(id, team);
        node.status = status;
        node.reasons = vec![Reason { code: "x".into(), text: text.into(), status }];
        node
    };
    let mut fleet = vec![
        sick("in-one", "a", Status::Degraded, "in-one lags behind 10.0.0.5:9100"),
        sick("in-two", "a", Status::Unreachable, "No answer from box-host"),
        node("in-three", "a"),
    ];
    let scope_of = |change: fn(&mut ScopeSpec)| scope(change);
    let plain = carded(&scope_of(|_| {}), &fleet);
    assert!(
        plain.contains("3 nodes: 1 unreachable, 1 degraded, 1 healthy. Shared by Ada, read-only."),
        "{plain}"
    );
    assert!(plain.find("in-two") < plain.find("in-one"), "the worst first: {plain}");
    for change in [
        (|_| {}) as fn(&mut ScopeSpec),
        |spec| spec.aliases = true,
        |spec| spec.hide_metrics = vec!["bond".into()],
        |spec| spec.views = [View::Charts].into(),
    ] {
        let alone = carded(&scope_of(change), &fleet);
        fleet.push(sick("out-secret", "b", Status::Unhealthy, "out-secret and 10.9.9.9 are lost"));
        assert_eq!(alone, carded(&scope_of(change), &fleet), "what is outside changes nothing");
        fleet.pop();
        for secret in ["out-secret", "10.0.0.5", "10.9.9.9", "box-host"] {
            assert!(!alone.contains(secret), "{secret}: {alone}");
        }
    }
    assert!(!carded(&scope_of(|spec| spec.aliases = true), &fleet).contains("in-"));
    let charts = carded(&scope_of(|spec| spec.views = [View::Charts].into()), &fleet);
    assert!(charts.contains("nodes: None") && charts.ends_with("Shared by Ada, read-only."), "{charts}");
    let locked = Card::locked("Acme");
    assert_eq!((locked.nodes.is_none(), locked.in_words().as_str()), (true, "A password is needed."));
}
