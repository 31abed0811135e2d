//! Verdicts on one node and on several, of a family made for it.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::wire::Acknowledgement;

const AT: UnixMillis = 1_767_378_770_000;

const FAMILY: &str = r#"
name = "orchard"
endpoint = [{ name = "status", kind = "json", role = "health", path = "/status" }]
fact = [
  { name = "due", title = "Next deadline", pointer = "/due" },
  { name = "left", title = "Seconds left", pointer = "/left" },
  { name = "ran", title = "Uptime", pointer = "/ran", unit = "seconds" },
  { name = "held", title = "Held", pointer = "/held", unit = "count" },
  { name = "mode", title = "Mode", pointer = "/mode" },
  { name = "busy", title = "Busy", pointer = "/busy" },
]

[[duty]]
name = "deadline"
fact = "due"
due = "at"
within = 600
lasts = 30
while = "busy"
overdue = true
optional = true
reason = "A deadline is near"

[[duty]]
name = "left"
fact = "left"
due = "in"
within = 600
optional = true
reason = "A turn is near"

[[duty]]
name = "young"
fact = "ran"
due = "since"
lasts = 300
optional = true
reason = "It is young"

[[duty]]
name = "holds"
fact = "held"
above = 0
reason = "{value} are held"
action = "Drain it."

[[duty]]
name = "mode"
fact = "mode"
is = ["settling", "voting"]
optional = true
forbids = "nothing"
reason = "It is {value}"
"#;

fn family() -> Arc<Family> {
    Arc::new(Family::from_toml(FAMILY).unwrap())
}

fn fact(name: &str, value: &str) -> Fact {
    Fact {
        endpoint: "status".into(),
        name: name.into(),
        title: family().spec().fact.iter().find(|fact| fact.name == name).unwrap().title.clone(),
        value: value.into(),
        unit: String::new(),
        at: AT,
        stale: false,
    }
}

fn node(id: &str, status: Status, labels: &[(&str, &str)]) -> Peer {
    let mut summary = NodeSummary::new(id.into(), "orchard".into(), status, AT, 15_000);
    (summary.asked_at, summary.fact_at) = (Some(AT), Some(AT));
    summary.labels = labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Peer { summary, host: String::new() }
}

/// A fleet in which every node says the same.
struct World {
    at: UnixMillis,
    fleet: Vec<Peer>,
    facts: Vec<Fact>,
    alerts: Vec<Alert>,
    policy: Policy,
}

impl World {
    fn of(fleet: Vec<Peer>) -> Self {
        let facts = vec![fact("held", "0")];
        Self { at: AT, fleet, facts, alerts: Vec::new(), policy: Policy::default() }
    }

    fn one(facts: &[(&str, &str)]) -> Self {
        let mut world = Self::of(vec![node("a", Status::Healthy, &[])]);
        world.facts.extend(facts.iter().map(|(name, value)| fact(name, value)));
        world
    }

    fn check(&self, ids: &[&str]) -> RestartCheck {
        let family = family();
        let subject =
            |_: &str| Some(Subject { family: Some(Arc::clone(&family)), facts: self.facts.clone() });
        let ids: Vec<String> = ids.iter().map(|&id| id.into()).collect();
        let known = Known {
            at: self.at,
            fleet: &self.fleet,
            subject: &subject,
            alerts: &self.alerts,
            policy: &self.policy,
        };
        check(&ids, &known)
    }

    /// The answer of `a`, how many seconds it has to wait, and the code of the first reason.
    fn a(&self) -> (RestartAnswer, Option<i64>, String) {
        let node = self.check(&["a"]).nodes.remove(0);
        let code = node.reasons.first().map(|reason| reason.code.clone()).unwrap_or_default();
        (node.answer, node.until.map(|until| (until - AT) / 1000), code)
    }
}

fn alert(name: &str, severity: Severity) -> Alert {
    serde_json::from_value(serde_json::json!({
        "id": name, "name": name, "state": "firing", "severity": severity.as_str(), "node": "a",
        "labels": {}, "active_at": 0,
    }))
    .unwrap()
}

fn answer(of: (RestartAnswer, Option<i64>, String)) -> RestartAnswer {
    of.0
}

use RestartAnswer::{No, Unknown, Wait, Yes};

#[test]
fn nothing_owed_is_a_yes() {
    let check = World::one(&[]).check(&["a"]);
    assert_eq!((check.one_by_one.answer, check.at_once.answer, check.nodes[0].answer), (Yes, Yes, Yes));
    assert_eq!(check.nodes[0].reasons[0].text, "No other node of its group stands in for it");
    assert!(World::one(&[]).check(&["nobody"]).nodes.is_empty());
}

#[test]
fn a_deadline_is_waited_for_when_it_is_near() {
    let due = |seconds: i64| (AT / 1000 + seconds).to_string();
    let at = |seconds: i64| World::one(&[("due", &due(seconds)), ("busy", "true")]).a();
    assert_eq!(at(120), (Wait, Some(150), "deadline".into()));
    assert_eq!(at(600), (Wait, Some(630), "deadline".into()));
    assert_eq!(answer(at(601)), Yes);
    assert_eq!(at(-29), (Wait, Some(1), "deadline".into()));
    assert_eq!(at(-30), (No, None, "deadline".into()), "it is overdue");
    let idle = World::one(&[("due", &due(120)), ("busy", "false")]).a();
    assert_eq!(answer(idle), Yes);
    let unguarded = World::one(&[("due", &due(120))]).a();
    assert_eq!(answer(unguarded), Wait, "who does not say that it is idle may be busy");
    assert_eq!(answer(World::one(&[("due", "0"), ("busy", "1")]).a()), Yes, "0 is never");
    assert_eq!(answer(World::one(&[("due", &format!("{}000", due(60))), ("busy", "1")]).a()), Wait);
}

#[test]
fn spans_count_from_when_they_were_read() {
    let mut world = World::one(&[("left", "100")]);
    assert_eq!(world.a(), (Wait, Some(100), "left".into()));
    world.at = AT + 20_000;
    assert_eq!(world.a(), (Wait, Some(100), "left".into()), "the same moment, twenty seconds later");
    assert_eq!(World::one(&[("ran", "40")]).a(), (Wait, Some(260), "young".into()));
    assert_eq!(answer(World::one(&[("ran", "300")]).a()), Yes);
}

#[test]
fn the_weightiest_reason_counts_and_stands_first() {
    let mut world = World::one(&[("left", "100"), ("mode", "Voting")]);
    world.facts[0].value = "3".into();
    let node = world.check(&["a"]).nodes.remove(0);
    assert_eq!((node.answer, node.until), (No, None));
    let codes: Vec<&str> = node.reasons.iter().map(|reason| reason.code.as_str()).collect();
    assert_eq!(codes, ["holds", "left", "mode", "group"]);
    assert_eq!((node.reasons[0].text.as_str(), node.reasons[0].action.as_str()), ("3 are held", "Drain it."));
}

#[test]
fn what_is_missing_or_old_is_never_a_yes() {
    let mut world = World::one(&[]);
    world.facts.clear();
    assert_eq!(world.a(), (Unknown, None, "holds".into()));
    let mut world = World::one(&[]);
    world.facts[0].stale = true;
    assert_eq!(answer(world.a()), Unknown);
    let mut world = World::one(&[]);
    world.at = AT + 30_001;
    assert_eq!(answer(world.a()), Unknown);
    let mut world = World::one(&[]);
    world.facts[0].value = "many".into();
    assert_eq!(answer(world.a()), Unknown);
    for status in [Status::Unreachable, Status::Unknown] {
        let mut world = World::one(&[]);
        world.fleet[0].summary.status = status;
        assert_eq!(answer(world.a()), Unknown, "{status:?}");
    }
    let mut world = World::one(&[]);
    world.fleet[0].summary.asked_at = None;
    assert_eq!(world.a(), (Unknown, None, "not-asked".into()));
}

#[test]
fn what_is_critical_is_looked_at_first() {
    let with = |change: &dyn Fn(&mut Alert)| {
        let mut world = World::one(&[]);
        let mut alert = alert("Slashed", Severity::Critical);
        change(&mut alert);
        world.alerts = vec![alert];
        world.a()
    };
    assert_eq!(with(&|_| {}), (No, None, "alert".into()));
    assert_eq!(answer(with(&|alert| alert.severity = Severity::Warning)), Yes);
    assert_eq!(answer(with(&|alert| alert.state = AlertState::Pending)), Yes);
    assert_eq!(answer(with(&|alert| alert.node = Some("b".into()))), Yes);
    assert_eq!(answer(with(&|alert| alert.silenced_by = vec!["s".into()])), Yes);
    let taken = |alert: &mut Alert| {
        alert.acknowledged =
            Some(Acknowledgement { by: "ada".into(), note: String::new(), at: 0, until: None });
    };
    assert_eq!(answer(with(&taken)), Yes);
}

fn five(down: usize) -> World {
    let status = |index| if index < down { Status::Unreachable } else { Status::Healthy };
    let ids = ["e", "d", "c", "b", "a"];
    World::of(ids.iter().enumerate().map(|(index, id)| node(id, status(index), &[])).collect())
}

#[test]
fn a_group_bears_a_third_of_it_away_and_no_more() {
    assert_eq!(answer(five(0).a()), Yes);
    assert_eq!(five(1).a(), (No, None, "group".into()));
    let check = five(1).check(&["a"]);
    assert_eq!(check.nodes[0].group.down, ["e"]);
    assert_eq!(
        check.nodes[0].reasons[0].text,
        "e is away already, and 1 of the 5 of its group may be away at one time"
    );
    let mut world = five(1);
    world.policy.max_down = Some(2);
    assert_eq!(answer(world.a()), Yes);
    // The one that is away can be restarted, as far as the group goes.
    assert!(world.check(&["e"]).nodes[0].reasons.iter().all(|reason| reason.code != "group"));
    let mut world = five(0);
    world.fleet[0].summary.status = Status::Unknown;
    assert_eq!(world.a(), (Unknown, None, "group".into()));
    let mut world = five(0);
    world.fleet[0].summary.draining = true;
    assert_eq!(answer(world.a()), No, "who drains does no work");
}

#[test]
fn groups_are_made_by_labels() {
    let mut world = five(1);
    for (index, peer) in world.fleet.iter_mut().enumerate() {
        peer.summary.labels.insert("rack".into(), if index == 0 { "x" } else { "y" }.into());
    }
    assert_eq!(answer(world.a()), No);
    world.policy.group_by.push("rack".into());
    assert_eq!(answer(world.a()), Yes, "the one that is away is of another rack");
    let group = world.check(&["a"]).nodes.remove(0).group;
    assert_eq!((group.nodes, group.by["rack"].as_str()), (4, "y"));
}

#[test]
fn all_at_once_is_judged_apart() {
    let check = five(0).check(&["a", "b"]);
    assert_eq!((check.one_by_one.answer, check.at_once.answer), (Yes, No));
    assert_eq!(
        check.at_once.reasons[0].text,
        "2 of the 5 of orchard would be away, and 1 may be at one time"
    );
    let mut world = five(0);
    world.policy.max_down = Some(2);
    assert_eq!(world.check(&["a", "b"]).at_once.answer, Yes);
    assert_eq!(world.check(&["a", "b", "c"]).at_once.answer, No);
}

#[test]
fn what_depends_on_it_is_asked_too() {
    let labels = [("depends_on", "x,a")];
    let mut world = World::of(vec![node("a", Status::Healthy, &[]), node("b", Status::Healthy, &labels)]);
    let check = world.check(&["a", "b"]);
    let order: Vec<&str> = check.nodes.iter().map(|node| node.node.as_str()).collect();
    assert_eq!(order, ["b", "a"], "what others need goes last");
    assert_eq!(
        (check.nodes[1].answer, check.nodes[1].dependents.as_slice()),
        (Yes, ["b".to_owned()].as_slice())
    );
    world.facts[0].value = "2".into();
    let a = world.check(&["a"]).nodes.remove(0);
    let of_b: Vec<&str> = a
        .reasons
        .iter()
        .filter(|reason| reason.code == "dependent")
        .map(|reason| reason.text.as_str())
        .collect();
    assert_eq!(of_b, ["b, which depends on it: 2 are held"]);
    world.fleet[0].host = "10.0.0.5".into();
    world.fleet[1].host = "10.0.0.5".into();
    assert_eq!(world.check(&["a"]).nodes[0].same_host, ["b"]);
}

#[test]
fn the_order_is_who_can_go_first() {
    let mut world = five(0);
    world.policy.max_down = Some(4);
    world.fleet[1].summary.draining = true;
    world.fleet[3].summary.status = Status::Unreachable;
    let check = world.check(&["a", "b", "c", "d", "e"]);
    let order: Vec<&str> = check.nodes.iter().map(|node| node.node.as_str()).collect();
    assert_eq!((order[0], order[4]), ("d", "b"), "{order:?}");
    assert_eq!((check.one_by_one.answer, check.nodes[4].answer), (Unknown, Unknown));
}

#[test]
fn a_duty_that_cannot_work_is_refused() {
    let refused = |from: &str, to: &str| {
        assert!(FAMILY.contains(from));
        Family::from_toml(&FAMILY.replace(from, to)).unwrap_err().message
    };
    assert!(refused("above = 0\n", "").contains("exactly one test"));
    assert!(refused("above = 0\n", "above = 0\nbelow = 3\n").contains("exactly one test"));
    assert!(refused("fact = \"held\"", "fact = \"hold\"").contains("no fact is named `hold`"));
    assert!(refused("while = \"busy\"", "while = \"bussy\"").contains("no fact is named `bussy`"));
    assert!(refused("while = \"busy\"\n", "").contains("overdue"));
    assert!(refused("name = \"mode\"\nfact", "name = \"holds\"\nfact").contains("two [[duty]]"));
    assert!(refused("title = \"Held\",", "title = \"Held\", hidden = true,").contains("not one shown fact"));
}
