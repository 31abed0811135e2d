//! What a group is told over time: one case a rule, and the rules that hold over any history.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::group::Alerts;
use super::*;
use crate::wire::{Acknowledgement, Alert, AlertState, Severity};

const PACE: Pace = Pace { wait_ms: 30, interval_ms: 100, repeat_ms: 1000 };

fn alert(id: &str, fired_at: i64) -> Alert {
    Alert {
        id: id.to_owned(),
        name: "Lag".to_owned(),
        state: AlertState::Firing,
        severity: Severity::Critical,
        severity_text: String::new(),
        node: None,
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        value: None,
        active_at: fired_at,
        fired_at: Some(fired_at),
        resolved_at: None,
        held: None,
        acknowledged: None,
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        muted_by: Vec::new(),
        flaps: None,
    }
}

fn over(alert: &Alert, at: i64) -> Alert {
    Alert { state: AlertState::Resolved, resolved_at: Some(at), ..alert.clone() }
}

fn taken(alert: &Alert) -> Alert {
    let by = Acknowledgement { by: "me".to_owned(), note: String::new(), at: 0, until: None };
    Alert { acknowledged: Some(by), ..alert.clone() }
}

fn silenced(alert: &Alert) -> Alert {
    Alert { silenced_by: vec!["s".to_owned()], ..alert.clone() }
}

/// What is told, as `audience why +new ~going -resolved`.
fn step(group: &mut Group, alerts: &[Alert], escalate: Option<i64>, now: i64) -> Vec<String> {
    let alerts: Alerts<'_> = alerts.iter().map(|alert| (alert.id.as_str(), alert)).collect();
    let words = |notice: Notice| {
        let firing = notice.firing.iter().map(|alert| {
            let sign = if notice.new.contains(&alert.id) { '+' } else { '~' };
            format!(" {sign}{}", alert.id)
        });
        let over = notice.resolved.iter().map(|alert| format!(" -{}", alert.id));
        format!("{:?} {:?}{}", notice.to, notice.why, firing.chain(over).collect::<String>())
    };
    group.step(&alerts, PACE, escalate, now).into_iter().map(words).collect()
}

#[test]
fn a_group_waits_for_more_then_for_news_then_repeats() {
    let mut group = Group::default();
    let (a, b, c) = (alert("a", 0), alert("b", 20), alert("c", 40));
    assert!(step(&mut group, std::slice::from_ref(&a), None, 29).is_empty());
    assert_eq!(step(&mut group, &[a.clone(), b.clone()], None, 30), ["Receiver New +a +b"]);
    let all = [a.clone(), b.clone(), c.clone()];
    assert!(step(&mut group, &all, None, 129).is_empty());
    assert_eq!(step(&mut group, &all, None, 130), ["Receiver New ~a ~b +c"]);
    assert!(step(&mut group, &all, None, 1129).is_empty());
    assert_eq!(step(&mut group, &all, None, 1130), ["Receiver Repeat ~a ~b ~c"]);
    let two = [over(&a, 1140), b.clone(), c];
    assert!(step(&mut group, &two, None, 1229).is_empty());
    assert_eq!(step(&mut group, &two, None, 1230), ["Receiver Resolved ~b ~c -a"]);
    assert_eq!(step(&mut group, &[], None, 1330), ["Receiver Resolved -b -c"]);
    assert!(group.is_over());
}

#[test]
fn who_was_told_of_the_begin_hears_of_the_end_and_nobody_else() {
    let mut group = Group::default();
    let a = alert("a", 0);
    assert!(step(&mut group, &[silenced(&a)], None, 50).is_empty());
    assert!(step(&mut group, &[over(&a, 60)], None, 70).is_empty());
    let again = alert("a", 100);
    assert_eq!(step(&mut group, std::slice::from_ref(&again), None, 130), ["Receiver New +a"]);
    assert!(step(&mut group, &[silenced(&again)], None, 5000).is_empty());
    assert_eq!(step(&mut group, &[over(&again, 5100)], None, 5200), ["Receiver Resolved -a"]);
}

#[test]
fn what_somebody_took_is_neither_repeated_nor_escalated() {
    let mut group = Group::default();
    let (a, b) = (alert("a", 0), alert("b", 0));
    assert_eq!(step(&mut group, &[a.clone(), b.clone()], Some(200), 30), ["Receiver New +a +b"]);
    let half = [taken(&a), b.clone()];
    assert_eq!(step(&mut group, &half, Some(200), 40), ["Receiver Acknowledged ~a"]);
    assert!(step(&mut group, &half, Some(200), 229).is_empty());
    assert_eq!(step(&mut group, &half, Some(200), 230), ["Escalation New +b"]);
    assert_eq!(step(&mut group, &half, Some(200), 1031), ["Receiver Repeat ~b"]);
    let none = [taken(&a), taken(&b)];
    assert_eq!(
        step(&mut group, &none, Some(200), 1040),
        ["Receiver Acknowledged ~b", "Escalation Acknowledged ~b"]
    );
    assert_eq!(step(&mut group, &[], Some(200), 2000), ["Receiver Resolved -a -b", "Escalation Resolved -b"]);
}

#[test]
fn a_group_whose_route_is_gone_is_told_of_ends_only_and_another_can_take_it_over() {
    let mut group = Group::default();
    let (a, b) = (alert("a", 0), alert("b", 0));
    step(&mut group, &[a.clone(), b.clone()], None, 30);
    let mut heir = Group::default();
    heir.adopt(&mut group, "b");
    let alerts: Alerts<'_> = [("b", &b)].into_iter().collect();
    let told = group.close(&alerts, 40);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].resolved[0].id.as_str(), told[0].left), ("a", 0));
    assert!(step(&mut heir, &[b], None, 500).is_empty(), "it was told already");
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Fire(usize),
    End(usize),
    Forget(usize),
    Silence(usize),
    Take(usize),
    Free(usize),
    Wait(i64),
}

fn act() -> impl Strategy<Value = Act> {
    let which = 0..4_usize;
    prop_oneof![
        3 => which.clone().prop_map(Act::Fire),
        2 => which.clone().prop_map(Act::End),
        1 => which.clone().prop_map(Act::Forget),
        1 => which.clone().prop_map(Act::Silence),
        1 => which.clone().prop_map(Act::Take),
        1 => which.prop_map(Act::Free),
        4 => (1..400_i64).prop_map(Act::Wait),
    ]
}

fn done(act: Act, alerts: &mut BTreeMap<String, Alert>, now: &mut i64) {
    let id = |which: usize| format!("a{which}");
    match act {
        Act::Fire(which) => {
            let fires = alerts.get(&id(which)).is_some_and(|alert| alert.state == AlertState::Firing);
            if !fires {
                alerts.insert(id(which), alert(&id(which), *now));
            }
        }
        Act::End(which) => {
            if let Some(alert) = alerts.get_mut(&id(which)).filter(|a| a.state == AlertState::Firing) {
                *alert = Alert { acknowledged: None, ..over(alert, *now) };
            }
        }
        Act::Forget(which) => drop(alerts.remove(&id(which))),
        Act::Silence(which) => {
            if let Some(alert) = alerts.get_mut(&id(which)) {
                *alert = silenced(alert);
            }
        }
        Act::Take(which) => {
            if let Some(alert) = alerts.get_mut(&id(which)).filter(|a| a.state == AlertState::Firing) {
                *alert = taken(alert);
            }
        }
        Act::Free(which) => {
            if let Some(alert) = alerts.get_mut(&id(which)) {
                (alert.acknowledged, alert.silenced_by) = (None, Vec::new());
            }
        }
        Act::Wait(ms) => *now += ms,
    }
    *now += 1;
}

/// What the receivers hold to be firing, by what they were told.
#[derive(Default)]
struct Heard {
    firing: BTreeMap<(Audience, String), i64>,
    last: BTreeMap<Audience, i64>,
}

impl Heard {
    fn take(&mut self, notice: &Notice, alerts: &BTreeMap<String, Alert>, now: i64) {
        if notice.why == Why::Acknowledged {
            return;
        }
        for alert in &notice.resolved {
            let before = self.firing.remove(&(notice.to, alert.id.clone()));
            assert!(before.is_some(), "{} ended for {:?}, who never heard of it", alert.id, notice.to);
        }
        for alert in &notice.firing {
            assert!(alerts[&alert.id].is_open(), "{} is taken or silenced", alert.id);
            let since = alert.fired_at.unwrap();
            let before = self.firing.insert((notice.to, alert.id.clone()), since);
            assert_eq!(notice.new.contains(&alert.id), before != Some(since), "{} is told twice", alert.id);
        }
        if let Some(last) = self.last.insert(notice.to, now) {
            let news = !notice.new.is_empty() || !notice.resolved.is_empty();
            assert!(news || now - last >= PACE.repeat_ms, "a repeat after {} ms", now - last);
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_or_doubled_whatever_happens(acts in prop::collection::vec(act(), 1..80), restart in any::<bool>()) {
        let (mut alerts, mut now) = (BTreeMap::new(), 0_i64);
        let (mut group, mut heard) = (Group::default(), Heard::default());
        let look = |group: &mut Group, alerts: &BTreeMap<String, Alert>, heard: &mut Heard, now: i64| {
            let seen: Alerts<'_> = alerts.iter().map(|(id, alert)| (id.as_str(), alert)).collect();
            for notice in group.step(&seen, PACE, Some(150), now) {
                heard.take(&notice, alerts, now);
            }
        };
        for act in acts {
            done(act, &mut alerts, &mut now);
            look(&mut group, &alerts, &mut heard, now);
            if restart {
                group = serde_json::from_str(&serde_json::to_string(&group).unwrap()).unwrap();
            }
        }
        // Left alone, everybody comes to know what is true.
        for _ in 0..3 {
            now += PACE.interval_ms + PACE.wait_ms;
            look(&mut group, &alerts, &mut heard, now);
        }
        for (id, alert) in &alerts {
            let known = heard.firing.get(&(Audience::Receiver, id.clone()));
            if alert.is_open() {
                prop_assert_eq!(known, alert.fired_at.as_ref(), "{} is not known", id);
                prop_assert!(heard.firing.contains_key(&(Audience::Escalation, id.clone())), "{} is not escalated", id);
            }
        }
        for (audience, id) in heard.firing.keys() {
            let fires = alerts.get(id).is_some_and(|alert| alert.state == AlertState::Firing);
            prop_assert!(fires, "{:?} still believes that {} fires", audience, id);
        }
    }
}
