//! "Safe to restart?" of each family: its recorded answers as one snapshot, and the cases beside its mapping.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;

use fleetglass_shared::family::{Family, Memory, Registry};
use fleetglass_shared::health::{Fact, Status, UnixMillis};
use fleetglass_shared::restart::{Known, Peer, Policy, Subject, check};
use fleetglass_shared::wire::{NodeRestart, NodeSummary, RestartAnswer};
use serde::Deserialize;

use super::fixture::{self, AT, INTERVAL};

/// `restart_test.toml`: what a node says, and what follows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    /// The recorded answers that it starts from.
    fixture: String,
    /// Facts that differ; an empty value takes one away. `@+60` is the Unix time a minute later.
    #[serde(default)]
    facts: BTreeMap<String, String>,
    answer: RestartAnswer,
    /// With `wait`: after so many seconds.
    #[serde(default)]
    after: Option<i64>,
    /// The codes of all reasons, the weightiest first, but for those of the group.
    codes: Vec<String>,
}

fn judge(
    family: &Arc<Family>,
    status: Status,
    draining: bool,
    facts: &[Fact],
    at: UnixMillis,
) -> NodeRestart {
    let mut summary = NodeSummary::new("n".into(), family.name().into(), status, AT, INTERVAL);
    (summary.draining, summary.asked_at, summary.fact_at) = (draining, Some(AT), Some(AT));
    let fleet = [Peer { summary, host: String::new() }];
    let subject = |_: &str| Some(Subject { family: Some(Arc::clone(family)), facts: facts.to_vec() });
    let policy = Policy::default();
    let known = Known { at, fleet: &fleet, subject: &subject, alerts: &[], policy: &policy };
    check(&["n".to_owned()], &known).nodes.remove(0)
}

#[test]
fn every_fixture_says_whether_it_may_be_restarted() {
    let registry = Registry::built_in();
    let mut by_family: BTreeMap<String, String> = BTreeMap::new();
    for fixture in fixture::all() {
        let family = registry.get(&fixture.family).unwrap();
        let said = fixture::round(&fixture, AT, &mut Memory::default());
        let verdict = judge(family, said.status, said.draining, &said.facts, AT);
        let out = by_family.entry(fixture.family.clone()).or_default();
        let until = verdict.until.map(|until| format!(" {} s", (until - AT) / 1000)).unwrap_or_default();
        writeln!(out, "{}: {}{until}", fixture.name, verdict.answer.as_str()).unwrap();
        for reason in verdict.reasons.iter().filter(|reason| reason.code != "group") {
            writeln!(out, "  [{}] {}: {}", reason.answer.as_str(), reason.code, reason.text).unwrap();
        }
        let is_blind = !said.answered || matches!(said.status, Status::Unknown | Status::Unreachable);
        assert!(
            !is_blind || verdict.answer != RestartAnswer::Yes,
            "{} {}: yes of a node that says nothing",
            fixture.family,
            fixture.name
        );
    }
    for (family, out) in by_family {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "../snapshots" }, {
            insta::assert_snapshot!(format!("restart__{family}"), out);
        });
    }
}

#[test]
fn what_was_said_long_ago_never_makes_it_safe() {
    let registry = Registry::built_in();
    let mut seen = 0;
    for fixture in fixture::all() {
        let family = registry.get(&fixture.family).unwrap();
        let said = fixture::round(&fixture, AT, &mut Memory::default());
        let later = AT + 3 * INTERVAL as i64;
        let verdict = judge(family, said.status, said.draining, &said.facts, later);
        assert_ne!(verdict.answer, RestartAnswer::Yes, "{} {}", fixture.family, fixture.name);
        seen += 1;
    }
    assert!(seen > 50);
}

#[test]
fn the_cases_of_each_family_come_to_what_they_say() {
    let registry = Registry::built_in();
    let mut families = 0;
    for family in registry.all().filter(|family| !family.spec().duty.is_empty()) {
        let path = fixture::folder().join(family.name()).join("restart_test.toml");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let cases: Cases =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut proven: Vec<String> = Vec::new();
        for case in cases.case {
            let said =
                fixture::round(&fixture::one(family.name(), &case.fixture), AT, &mut Memory::default());
            let mut facts = said.facts;
            for (name, value) in &case.facts {
                let spec = family.spec().fact.iter().find(|fact| fact.name == *name);
                let spec = spec.unwrap_or_else(|| panic!("{}: no fact {name}", case.about));
                facts.retain(|fact| fact.name != *name);
                let value = match value.strip_prefix('@') {
                    Some(seconds) => (AT / 1000 + seconds.parse::<i64>().unwrap()).to_string(),
                    None => value.clone(),
                };
                if !value.is_empty() {
                    facts.push(Fact {
                        endpoint: "metrics".into(),
                        name: name.clone(),
                        title: spec.title.clone(),
                        value,
                        unit: spec.unit.clone(),
                        at: AT,
                        stale: false,
                    });
                }
            }
            let verdict = judge(family, said.status, said.draining, &facts, AT);
            let of = format!("{}: {}: {:?}", family.name(), case.about, verdict.reasons);
            assert_eq!(verdict.answer, case.answer, "{of}");
            assert_eq!(verdict.until.map(|until| (until - AT) / 1000), case.after, "{of}");
            let codes: Vec<&str> = verdict.reasons.iter().map(|reason| reason.code.as_str()).collect();
            let codes: Vec<&str> = codes.into_iter().filter(|code| *code != "group").collect();
            assert_eq!(codes, case.codes, "{of}");
            proven.extend(case.codes);
        }
        for duty in &family.spec().duty {
            assert!(proven.contains(&duty.name), "{}: no case shows the duty `{}`", family.name(), duty.name);
        }
        families += 1;
    }
    assert!(families >= 5, "{families}");
}
