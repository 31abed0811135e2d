//! The tree, against what Alertmanager's documentation says of each setting.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::labels::{MatchOp, Selector};

fn matchers(text: &str) -> Vec<Matcher> {
    Selector::parse(&format!("x{{{text}}}")).unwrap().matchers.into_iter().skip(1).collect()
}

fn route(receiver: &str, text: &str, routes: Vec<Spec>) -> Spec {
    Spec { receiver: Some(receiver.to_owned()), matchers: matchers(text), routes, ..Spec::default() }
}

fn labels(text: &str) -> LabelSet {
    LabelSet::from_pairs(text.split(',').filter_map(|pair| pair.split_once('=')))
}

fn receivers(tree: &Tree, text: &str) -> Vec<String> {
    tree.find(&labels(text)).into_iter().map(|route| route.receiver.clone()).collect()
}

#[test]
fn the_deepest_route_that_matches_is_taken_and_only_one_unless_it_goes_on() {
    let mut pager =
        route("pager", "severity=\"critical\"", vec![route("eu-pager", "region=~\"eu.*\"", vec![])]);
    pager.goes_on = true;
    let log = route("log", "severity=~\"critical|warning\"", Vec::new());
    let never = route("never", "severity=\"critical\"", Vec::new());
    let tree = Tree::new(&route("team", "", vec![pager, log, never]));
    for (labels, wanted) in [
        ("severity=info", &["team"][..]),
        ("severity=warning", &["log"]),
        ("severity=critical", &["pager", "log"]),
        ("severity=critical,region=eu-1", &["eu-pager", "log"]),
        ("", &["team"]),
    ] {
        assert_eq!(receivers(&tree, labels), wanted, "{labels}");
    }
}

#[test]
fn what_a_route_leaves_out_is_its_parents_but_not_its_times() {
    let child = route("child", "a=\"1\"", Vec::new());
    let silent = Spec { receiver: None, ..route("", "b=\"1\"", Vec::new()) };
    let mut root = route("root", "", vec![child, silent]);
    root.group_by = Some(vec!["b".to_owned(), "a".to_owned()]);
    root.wait_ms = Some(1);
    root.mute = vec!["nights".to_owned()];
    root.escalation = Some(Escalation { after_ms: 5, receiver: "boss".to_owned() });
    let tree = Tree::new(&root);
    let all = tree.routes();
    assert_eq!(
        all.iter().map(|route| route.receiver.as_str()).collect::<Vec<_>>(),
        ["root", "child", "root"]
    );
    assert!(all.iter().all(|route| route.pace == Pace { wait_ms: 1, ..Pace::default() }));
    assert!(all.iter().all(|route| route.group_by == Some(vec!["a".to_owned(), "b".to_owned()])));
    assert!(all.iter().all(|route| route.escalation == root.escalation));
    assert_eq!(all.iter().map(|route| route.mute.len()).collect::<Vec<_>>(), [1, 0, 0]);
}

#[test]
fn groups_have_the_keys_that_alertmanager_gives_them() {
    let mut child = route("pager", "severity=\"critical\"", Vec::new());
    child.group_by = Some(vec!["alertname".to_owned()]);
    let mut alone = route("alone", "x!~\"a.\"", Vec::new());
    alone.group_by = Some(vec![ALL_LABELS.to_owned()]);
    let twice = route("twice", "severity=\"critical\"", Vec::new());
    let tree = Tree::new(&route("root", "", vec![child, alone, twice]));
    let alert = labels("alertname=Lag,severity=critical,instance=a");
    let keys: Vec<String> = tree.routes().iter().map(|r| r.group_key(&r.group_labels(&alert))).collect();
    assert_eq!(
        keys,
        [
            "{}:{}",
            "{}/{severity=\"critical\"}:{alertname=\"Lag\"}",
            "{}/{x!~\"a.\"}:{alertname=\"Lag\", instance=\"a\", severity=\"critical\"}",
            "{}/{severity=\"critical\"}#2:{}",
        ]
    );
    assert_eq!(matchers("a!=\"1\"")[0].op(), MatchOp::NotEqual);
}
