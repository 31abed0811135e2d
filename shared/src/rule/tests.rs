//! Rules as a user would write them, and what becomes of them.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::labels::{LabelSet, Matcher};
use crate::promql::{MemoryStorage, Options, Steps, stale_marker};

const MINUTE: i64 = 60_000;

fn faults(text: &str) -> Vec<String> {
    RuleFile::read(text).faults.iter().map(ToString::to_string).collect()
}

#[test]
fn a_bad_rule_is_named_with_its_place_and_the_others_work() {
    let file = RuleFile::read(
        "groups:\n- name: g\n  interval: 1m\n  rules:\n  - alert: A\n    expr: up == \n    for: 5m\n  - alert: B\n    \
         expr: up == 0\n  - record: a b\n    expr: up\n    annotations: {x: y}\n",
    );
    assert_eq!(file.rules(), 1);
    assert_eq!(file.groups[0].rules[0].name, "B");
    assert_eq!(file.groups[0].interval_ms, Some(MINUTE));
    let told: Vec<String> = file.faults.iter().map(ToString::to_string).collect();
    assert!(
        told[0].starts_with("6:16: group \"g\", rule 1, \"A\": could not parse expression: 1:"),
        "{told:?}"
    );
    assert_eq!(told[1], "10:13: group \"g\", rule 3, \"a b\": invalid recording rule name: a b");
    assert_eq!(told[2], "12:18: group \"g\", rule 3, \"a b\": invalid field 'annotations' in recording rule");
}

#[test]
fn the_place_of_an_error_is_the_very_character() {
    let place = |text: &str| RuleFile::read(text).faults[0].place;
    let rule = "groups: [{name: g, rules: [{alert: A, expr: up ==}]}]\n";
    assert_eq!(place(rule).line, 1);
    let block =
        "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: |\n      sum(up)\n        by instance) > 1\n";
    assert_eq!(place(block), Place { line: 7, column: 20 }, "{:?}", faults(block));
    let quoted = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: \"up =~~ 1\"\n";
    assert_eq!(place(quoted), Place { line: 5, column: 15 });
}

#[test]
fn whatever_else_is_wrong_is_told() {
    let rule = |fields: &str| format!("groups:\n- name: g\n  rules:\n  - {{{fields}}}\n");
    for (text, says) in [
        (rule("alert: A, record: r, expr: up"), "only one of 'record' and 'alert' must be set"),
        (rule("expr: up"), "one of 'record' or 'alert' must be set"),
        (rule("alert: A"), "field 'expr' must be set in rule"),
        (rule("alert: A, expr: up, for: 5"), "not a valid duration string: \"5\""),
        (rule("alert: A, expr: up, fro: 5m"), "field fro not found in a rule"),
        (rule("alert: A, expr: up, labels: {1x: v}"), "invalid label name: 1x"),
        (rule("alert: A, expr: up, labels: {__name__: v}"), "invalid label name: __name__"),
        (rule("alert: A, expr: up, annotations: {\"a-b\": v}"), "invalid annotation name: a-b"),
        (rule("alert: A, alert: B, expr: up"), "mapping key \"alert\" already defined"),
        (rule("record: r, expr: up, for: 5m"), "invalid field 'for' in recording rule"),
        ("groups: 5".to_owned(), "groups must be a list"),
        ("- 5".to_owned(), "a rule file must be a mapping"),
        ("groups: [{name: a, rules: []}, {name: a}]".to_owned(), "groupname: \"a\" is repeated"),
        ("groups: [{rules: []}]".to_owned(), "Groupname must not be empty"),
        ("groups: [{name: a, limit: many}]".to_owned(), "limit must be a whole number"),
        ("groups: [".to_owned(), "yaml: "),
    ] {
        let told = faults(&text);
        assert!(told.iter().any(|fault| fault.contains(says)), "{text}: {told:?}");
    }
    for text in
        ["", "# nothing", "groups:", "groups: []", "groups: [{name: a}]", "groups: [{name: a, rules: ~}]"]
    {
        assert!(faults(text).is_empty(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_stops_the_reader(text in "[-a-z0-9:{}\\[\\]\"'|> \n&*!<,.=~()]{0,200}") {
        let _ = RuleFile::read(&text);
        let _ = unit::TestFile::read(&text);
    }
}

fn group(text: &str) -> RuleGroup {
    let file = RuleFile::read(text);
    assert!(file.faults.is_empty(), "{:?}", file.faults);
    file.groups.into_iter().next().unwrap()
}

/// A series of one value a minute; `None` where it is stale.
fn storage(labels: &[(&str, &str)], values: &[Option<f64>]) -> MemoryStorage {
    let mut storage = MemoryStorage::default();
    let samples: Vec<(i64, f64)> = (0i64..)
        .zip(values)
        .map(|(minute, value)| (minute * MINUTE, value.unwrap_or_else(stale_marker)))
        .collect();
    storage.add(LabelSet::from_pairs(labels.iter().copied()), &samples);
    storage
}

fn context<'a>(storage: &'a MemoryStorage, evidence: &'a dyn Evidence, none: &'a LabelSet) -> Context<'a> {
    Context { storage, external_labels: none, external_url: "", evidence, options: Options::default() }
}

/// The states of the only alert, minute by minute.
fn life(rules: &str, values: &[Option<f64>], evidence: &dyn Evidence) -> Vec<&'static str> {
    let group = group(rules);
    let storage = storage(&[("__name__", "lag"), ("instance", "a")], values);
    let (mut state, none) = (GroupState::default(), LabelSet::default());
    (0..values.len() as i64)
        .map(|minute| {
            let outcome = state.evaluate(
                &group,
                0,
                &Tuned::default(),
                minute * MINUTE,
                &context(&storage, evidence, &none),
            );
            assert_eq!(outcome.error, None);
            state.rules[0].active.values().next().map_or("-", |alert| alert.state.as_str())
        })
        .collect()
}

const LAG: &str = "groups: [{name: g, rules: [{alert: Lag, expr: lag > 5, for: 2m}]}]";

#[test]
fn an_alert_pends_fires_and_is_resolved() {
    let values = [1.0, 9.0, 9.0, 9.0, 9.0, 1.0, 1.0].map(Some);
    let (p, f, r) = ("pending", "firing", "resolved");
    assert_eq!(life(LAG, &values, &()), ["-", p, p, f, f, r, r]);
    // Over before it was for long enough: nothing was ever there.
    assert_eq!(life(LAG, &[9.0, 9.0, 1.0, 9.0].map(Some), &()), [p, p, "-", p]);
    let at_once = "groups: [{name: g, rules: [{alert: Lag, expr: lag > 5}]}]";
    assert_eq!(life(at_once, &[9.0, 1.0, 9.0].map(Some), &()), [f, r, f]);
    let kept = "groups: [{name: g, rules: [{alert: Lag, expr: lag > 5, keep_firing_for: 2m}]}]";
    assert_eq!(life(kept, &[9.0, 1.0, 1.0, 1.0, 1.0].map(Some), &()), [f, f, f, r, r]);
    assert_eq!(life(kept, &[9.0, 1.0, 9.0, 1.0, 1.0].map(Some), &()), [f, f, f, f, f]);
}

/// Nothing can be seen.
struct Blind;

impl Evidence for Blind {
    fn is_seen(&self, _: &LabelSet) -> bool {
        false
    }
}

#[test]
fn an_alert_is_not_resolved_by_a_node_that_is_silent() {
    let gone = [Some(9.0), Some(9.0), Some(9.0), None, None, Some(1.0)];
    let (p, f, r) = ("pending", "firing", "resolved");
    assert_eq!(life(LAG, &gone, &()), [p, p, f, r, r, r]);
    assert_eq!(life(LAG, &gone[..5], &Blind), [p, p, f, f, f]);
    // What pends goes on pending, and does not begin to fire by silence alone.
    assert_eq!(life(LAG, &[Some(9.0), None, None, None], &Blind), [p, p, p, p]);
}

#[test]
fn series_are_written_and_ended() {
    let group = group(LAG);
    let storage = storage(&[("__name__", "lag"), ("instance", "a")], &[9.0, 9.0, 9.0, 1.0].map(Some));
    let (mut state, none) = (GroupState::default(), LabelSet::default());
    let mut at = |minute: i64| -> Vec<String> {
        let outcome =
            state.evaluate(&group, 0, &Tuned::default(), minute * MINUTE, &context(&storage, &(), &none));
        let word =
            |value: f64| if crate::promql::is_stale(value) { "ends".to_owned() } else { value.to_string() };
        outcome.samples.iter().map(|(labels, value)| format!("{labels} {}", word(*value))).collect()
    };
    let alerts = |state: &str, value: &str| {
        format!("ALERTS{{alertname=\"Lag\",alertstate=\"{state}\",instance=\"a\"}} {value}")
    };
    let since = |value: &str| format!("ALERTS_FOR_STATE{{alertname=\"Lag\",instance=\"a\"}} {value}");
    assert_eq!(at(0), [alerts("pending", "1"), since("0")]);
    assert_eq!(at(2), [alerts("firing", "1"), since("0"), alerts("pending", "ends")]);
    assert_eq!(at(3), [alerts("firing", "ends"), since("ends")]);
}

#[test]
fn recording_rules_give_their_name_and_labels() {
    let group = group(
        "groups: [{name: g, labels: {team: x}, rules: [{record: \"a:lag\", expr: sum(lag), labels: {team: y}}, \
         {record: n, expr: 5}, {record: twice, expr: \"label_replace(lag, 'instance', '', '', '')\", labels: {instance: \"\"}}]}]",
    );
    let mut storage = storage(&[("__name__", "lag"), ("instance", "a")], &[Some(2.0)]);
    storage.add(LabelSet::from_pairs([("__name__", "lag"), ("instance", "b")]), &[(0, 3.0)]);
    let (mut state, none) = (GroupState::default(), LabelSet::default());
    let context = context(&storage, &(), &none);
    let mut told = |index| {
        let outcome = state.evaluate(&group, index, &Tuned::default(), 0, &context);
        outcome.samples.iter().map(|(l, v)| format!("{l} {v}")).chain(outcome.error).collect::<Vec<_>>()
    };
    assert_eq!(told(0), ["a:lag{team=\"y\"} 5"]);
    assert_eq!(told(1), ["n{team=\"x\"} 5"]);
    assert_eq!(told(2), ["vector cannot contain metrics with the same labelset"]);
}

#[test]
fn a_limit_fails_the_rule_and_nothing_else() {
    let group = group("groups: [{name: g, limit: 1, rules: [{alert: A, expr: lag > 0}]}]");
    let mut storage = storage(&[("__name__", "lag"), ("instance", "a")], &[Some(2.0)]);
    storage.add(LabelSet::from_pairs([("__name__", "lag"), ("instance", "b")]), &[(0, 3.0)]);
    let none = LabelSet::default();
    let outcome =
        GroupState::default().evaluate(&group, 0, &Tuned::default(), 0, &context(&storage, &(), &none));
    assert_eq!(outcome.error.as_deref(), Some("exceeded limit of 1 with 2 alerts"));
}

#[test]
fn thresholds_are_moved_for_some() {
    let group = group("groups: [{name: g, rules: [{alert: Lag, expr: lag > 5, for: 2m}]}]");
    let rule = &group.rules[0];
    let mut storage = MemoryStorage::default();
    for (name, region, value) in [("a", "eu", 7.0), ("b", "us", 7.0), ("c", "us", 20.0), ("d", "ap", 99.0)] {
        let labels = LabelSet::from_pairs([("__name__", "lag"), ("instance", name), ("region", region)]);
        storage.add(labels, &[(0, value)]);
    }
    let in_region = |region: &str| vec![Matcher::equal("region", region)];
    let overrides = [
        Override {
            alert: "Lag".into(),
            matchers: in_region("us"),
            threshold: Some(10.0),
            for_ms: Some(0),
            ..Override::default()
        },
        Override { alert: "Lag".into(), matchers: in_region("ap"), off: true, ..Override::default() },
        Override { alert: "Other".into(), threshold: Some(1.0), ..Override::default() },
    ];
    let tuned = Tuned::of(rule, &overrides).unwrap();
    let (mut state, none) = (GroupState::default(), LabelSet::default());
    state.evaluate(&group, 0, &tuned, 0, &context(&storage, &(), &none));
    let told: Vec<_> = state.rules[0]
        .active
        .iter()
        .map(|(labels, alert)| (labels.get("instance").unwrap(), alert.state))
        .collect();
    assert_eq!(told, [("a", AlertState::Pending), ("c", AlertState::Firing)]);
    let wrong =
        Override { alert: "Lag".into(), threshold: Some(1.0), instead_of: Some(6.0), ..Override::default() };
    assert!(Tuned::of(rule, &[wrong]).unwrap_err().to_string().contains("compares with 5, not with 6"));
}

#[test]
fn a_back_test_finds_what_would_have_fired() {
    let group = group(LAG);
    let values = [1.0, 9.0, 9.0, 9.0, 1.0, 9.0, 1.0, 9.0, 9.0, 9.0, 9.0].map(Some);
    let storage = storage(&[("__name__", "lag"), ("instance", "a")], &values);
    let steps = Steps { start: 0, end: 10 * MINUTE, step: MINUTE };
    let found = backtest(&group.rules[0], &storage, steps, &Options::default()).unwrap();
    let times: Vec<_> = found
        .firings
        .iter()
        .map(|firing| {
            (firing.active_at / MINUTE, firing.fired_at / MINUTE, firing.resolved_at.map(|at| at / MINUTE))
        })
        .collect();
    assert_eq!(times, [(1, 3, Some(4)), (7, 9, None)]);
    assert_eq!((found.series, found.passed_over), (1, 1));
}

proptest! {
    /// Whatever a series does, a back-test says the same as evaluating step by step.
    #[test]
    fn a_back_test_is_what_would_have_happened(
        values in proptest::collection::vec(proptest::option::weighted(0.9, 0u8..10), 1..40),
        for_minutes in 0i64..4,
        keep_minutes in 0i64..3,
    ) {
        let rules = format!(
            "groups: [{{name: g, rules: [{{alert: Lag, expr: lag > 5, for: {for_minutes}m, keep_firing_for: {keep_minutes}m}}]}}]"
        ).replace("0m", "0s");
        let values: Vec<Option<f64>> = values.into_iter().map(|value| value.map(f64::from)).collect();
        let fires: Vec<bool> = life(&rules, &values, &()).iter().map(|state| *state == "firing").collect();
        let group = group(&rules);
        let storage = storage(&[("__name__", "lag"), ("instance", "a")], &values);
        let steps = Steps { start: 0, end: (values.len() as i64 - 1) * MINUTE, step: MINUTE };
        let found = backtest(&group.rules[0], &storage, steps, &Options::default()).unwrap();
        let inside = |minute: i64| found.firings.iter().any(|firing| {
            let at = minute * MINUTE;
            firing.fired_at <= at && firing.resolved_at.is_none_or(|end| at < end)
        });
        let tested: Vec<bool> = (0..values.len() as i64).map(inside).collect();
        prop_assert_eq!(tested, fires);
    }
}
