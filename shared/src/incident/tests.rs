//! Stories of incidents, and what holds for all of them.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::wire::{CauseKind, EgressProbe};

const T: UnixMillis = 1_000_000;

/// A node of a fleet: `id family host region version`.
fn member(text: &str) -> Member {
    let [id, family, host, region, version] = text.split(' ').collect::<Vec<_>>().try_into().unwrap();
    Member {
        id: id.into(),
        family: family.into(),
        host: Some(host.into()),
        places: vec![("region".into(), region.into())],
        version: Some(version.into()),
        is_known: true,
    }
}

/// Twelve nodes: two families, four hosts of three, two regions, one odd release.
fn fleet() -> Vec<Member> {
    [
        "a1 f h1 eu 1",
        "a2 f h1 eu 1",
        "a3 g h1 eu 9",
        "b1 f h2 eu 1",
        "b2 g h2 eu 9",
        "b3 g h2 eu 9",
        "c1 f h3 us 2",
        "c2 f h3 us 1",
        "c3 g h3 us 9",
        "d1 f h4 us 2",
        "d2 f h4 us 1",
        "d3 g h4 us 9",
    ]
    .map(member)
    .to_vec()
}

fn failure(name: &str, node: &str, at: i64) -> Failure {
    Failure {
        at: T + at,
        node: Some(node.into()),
        name: name.into(),
        id: format!("{name}-{node}"),
        family: None,
        severity: Severity::Warning,
        phase: Phase::Firing,
        silent: name == "Gone",
    }
}

/// Failures of one alert, one a second.
fn failures(name: &str, nodes: &str) -> Vec<Failure> {
    nodes.split(' ').enumerate().map(|(index, node)| failure(name, node, index as i64 * 1000)).collect()
}

fn situation(failures: Vec<Failure>) -> Situation {
    Situation {
        failures,
        members: fleet(),
        titles: BTreeMap::from([("f".to_owned(), "The F".to_owned())]),
        egress_alert: "Blind",
        together_ms: 60_000,
        ..Situation::default()
    }
}

fn incidents(failures: Vec<Failure>) -> Vec<Incident> {
    group(&situation(failures), &[]).into_iter().map(|group| group.incident).collect()
}

/// Each incident as `kind about: how many alerts`.
fn short(incidents: &[Incident]) -> Vec<String> {
    incidents
        .iter()
        .map(|own| format!("{} {}: {}", own.cause.as_str(), own.about, own.alerts.len()))
        .collect()
}

#[test]
fn the_narrowest_cause_that_no_healthy_node_contradicts_is_blamed() {
    for (name, nodes, expected) in [
        ("Gone", "a1 a2 a3", &["host h1: 3"][..]),
        // One of the host is well: it is not the host.
        ("Gone", "a1 a2", &["alone : 1", "alone : 1"]),
        ("Gone", "a1 a2 a3 b1 b2 b3", &["region eu: 6"]),
        ("Lag", "c1 d1", &["release f 2: 2"]),
        // Another release has it, too.
        ("Lag", "c1 d1 b1", &["alone : 1", "alone : 1", "alone : 1"]),
        ("Lag", "a1 a2 b1 c1 c2 d1 d2", &["network f: 7"]),
        // Silence is no trouble of a network when the other family is silent, too.
        ("Gone", "a1 a2 a3 b1 b2 b3 c1 c2 c3 d1 d2 d3", &["fleet : 12"]),
        ("Gone", "a1", &["alone : 1"]),
    ] {
        assert_eq!(short(&incidents(failures(name, nodes))), expected, "{name} on {nodes}");
    }
}

#[test]
fn the_evidence_has_the_numbers_and_the_order() {
    let told = incidents(failures("Gone", "a2 a1 a3"));
    assert_eq!(told[0].title, "Host h1 does not answer");
    assert_eq!(told[0].first[0].node, "a2");
    assert_eq!(
        told[0].evidence,
        [
            "3 of 3 nodes on host h1 stopped answering within 2 s.",
            "0 of 9 nodes elsewhere did.",
            "a2 was the first, 1 s before a1.",
        ]
    );
    let told = incidents(failures("Gone", "b1 b2 b3 a1 a2 a3"));
    assert_eq!(told[0].title, "Region eu does not answer");
    assert!(
        told[0].evidence.contains(&"The first 3 to fail were all nodes on host h2.".to_owned()),
        "{told:#?}"
    );
    let told = incidents(failures("Lag", "c1 d1"));
    assert_eq!(told[0].title, "Lag with release 2 of The F");
    assert_eq!(told[0].evidence[1], "0 of 5 nodes of The F with another release did.");
}

#[test]
fn what_cannot_be_told_apart_is_said() {
    let mut situation = situation(failures("Lag", "a1 a2"));
    situation.members.retain(|member| member.id != "a3");
    for member in &mut situation.members {
        member.version = Some(if member.host.as_deref() == Some("h1") { "3" } else { "1" }.into());
    }
    let told = &group(&situation, &[])[0].incident;
    assert_eq!(told.cause, CauseKind::Host);
    assert!(
        told.evidence.contains(&"They are also all nodes with release 3 of The F, so it may be that.".into())
    );
}

#[test]
fn two_causes_at_once_are_two_incidents_and_a_node_s_own_trouble_is_its_own() {
    let mut all = failures("Gone", "a1 a2 a3");
    all.extend(failures("Lag", "c1 d1"));
    all.extend([failure("Hot", "b1", 500), failure("Slow", "b1", 900), failure("Hot", "c3", 100_000)]);
    all.push(Failure { node: None, id: "skew".into(), ..failure("Skew", "", 0) });
    assert_eq!(
        short(&incidents(all)),
        ["host h1: 3", "node b1: 2", "release f 2: 2", "alone : 1", "alone : 1"]
    );
}

#[test]
fn what_began_at_another_time_is_another_incident_but_does_not_contradict() {
    let mut all = failures("Gone", "a2 a3");
    all.push(failure("Gone", "a1", -3_600_000));
    let told = incidents(all);
    assert_eq!(short(&told), ["host h1: 2", "alone : 1"]);
    assert!(told[0].evidence.contains(&"1 more had it at another time.".into()), "{:#?}", told[0].evidence);
    // One that only pends shows that its node is not well, and is not told yet.
    let mut all = failures("Gone", "a1 a2 a3");
    all[2].phase = Phase::Pending;
    assert_eq!(short(&incidents(all)), ["host h1: 2"]);
}

#[test]
fn a_family_s_own_alert_joins_what_its_network_has() {
    let mut all = failures("Lag", "a1 a2 b1 c1 c2 d1 d2");
    all.push(Failure { node: None, family: Some("f".into()), id: "sum".into(), ..failure("Sum", "", 0) });
    assert_eq!(short(&incidents(all)), ["network f: 8"]);
}

#[test]
fn we_are_the_first_suspect_when_our_way_out_is_gone() {
    let mut situation = situation(failures("Gone", "a1 a2 a3 b1 b2 b3 c1 c2 c3 d1 d2"));
    situation.failures.push(failure("Gone", "d3", -900_000));
    situation.failures.push(Failure {
        node: None,
        severity: Severity::Critical,
        ..failure("Blind", "", 2000)
    });
    situation.failures.push(failure("Hot", "d3", 0));
    situation.is_blind = true;
    situation.egress = Egress {
        state: EgressState::Down,
        since: Some(T + 2000),
        checked_at: Some(T + 9000),
        probes: vec![EgressProbe {
            of: "192.0.2.1:443".into(),
            reached: Some(false),
            text: "no answer in 3 s".into(),
        }],
    };
    let told = group(&situation, &[]);
    let incidents: Vec<Incident> = told.iter().map(|group| group.incident.clone()).collect();
    // What was out of reach long before is not ours.
    assert_eq!(short(&incidents), ["egress : 12", "alone : 1", "alone : 1"]);
    assert_eq!(incidents[0].title, "Fleetglass cannot reach the network");
    assert_eq!(incidents[0].evidence[1], "Our own way out is gone (192.0.2.1:443: no answer in 3 s).");

    // It comes back, the nodes one by one: still one incident, the same, until there was time to be heard.
    situation.egress = Egress { state: EgressState::Up, checked_at: Some(T + 20_000), ..Egress::default() };
    situation.failures.retain(|own| own.name == "Gone" && own.node.as_deref() < Some("c"));
    let back = group(&situation, &told);
    assert_eq!(short(&[back[0].incident.clone()]), ["egress : 6"]);
    assert_eq!(back[0].incident.id, incidents[0].id);
    assert!(back[0].incident.evidence.contains(&"5 of them are well again.".into()), "{:#?}", back[0]);
    situation.is_blind = false;
    assert_eq!(group(&situation, &back)[0].incident.cause, CauseKind::Region);
}

#[test]
fn an_incident_lasts_until_its_last_alert_is_over_and_grows_with_what_is_new() {
    let mut all = failures("Gone", "a1 a2 a3");
    let first = group(&situation(all.clone()), &[]);
    let id = first[0].incident.id.clone();
    // Two are back: the rest is still the same.
    let rest = group(&situation(vec![all[1].clone()]), &first);
    assert_eq!(
        (short(&[rest[0].incident.clone()]), &rest[0].incident.id),
        (vec!["host h1: 1".to_owned()], &id)
    );
    assert!(rest[0].incident.evidence.contains(&"2 of them are well again.".into()));
    // One that comes late with an earlier beginning joins.
    let late = failure("Slow", "a1", -5000);
    all.push(late);
    let joined = group(&situation(all.clone()), &first);
    assert_eq!((joined.len(), &joined[0].incident.id), (1, &id));
    // The rest of the region follows: now it is the region.
    all.extend(failures("Gone", "b1 b2 b3"));
    let wider = group(&situation(all), &first);
    assert_eq!(short(&[wider[0].incident.clone()]), ["region eu: 7"]);
    assert!(group(&situation(Vec::new()), &wider).is_empty());
}

prop_compose! {
    fn any_failure()(
        node in 0..15_usize, name in 0..3_usize, at in prop_oneof![0..50_000_i64, 0..600_000_i64],
        phase in 0..4_usize, severity in 0..3_usize,
    ) -> Failure {
        let name = ["Gone", "Lag", "Hot"][name];
        // Some are about no node, or about one that has left.
        let node = fleet().get(node).map(|member| member.id.clone()).or((node == 13).then(|| "left".to_owned()));
        Failure {
            id: format!("{name}-{}", node.clone().unwrap_or_default()),
            family: node.is_none().then(|| "f".to_owned()),
            phase: if phase == 0 { Phase::Pending } else { Phase::Firing },
            severity: Severity::ALL[severity],
            node,
            ..failure(name, "", at)
        }
    }
}

prop_compose! {
    fn any_situation()(
        mut failures in proptest::collection::vec(any_failure(), 0..24), down in any::<bool>(), blind in any::<bool>(),
    ) -> Situation {
        let mut seen = BTreeSet::new();
        failures.retain(|own| seen.insert(own.id.clone()));
        let egress = match down {
            true => Egress { state: EgressState::Down, since: Some(T + 30_000), ..Egress::default() },
            false => Egress::default(),
        };
        Situation { egress, is_blind: down || blind, ..situation(failures) }
    }
}

/// Of each alert that fires its incident's id.
fn places(groups: &[Grouped]) -> BTreeMap<String, String> {
    let alerts = |own: &Grouped| {
        let id = own.incident.id.clone();
        own.incident.alerts.iter().map(move |alert| (alert.clone(), id.clone())).collect::<Vec<_>>()
    };
    groups.iter().flat_map(alerts).collect()
}

proptest! {
    #[test]
    fn each_alert_that_fires_is_in_exactly_one_incident(before in any_situation(), now in any_situation()) {
        let first = group(&before, &[]);
        for groups in [group(&now, &[]), group(&now, &first)] {
            let mut told: Vec<&str> =
                groups.iter().flat_map(|own| own.incident.alerts.iter().map(String::as_str)).collect();
            told.sort_unstable();
            let firing = now.failures.iter().filter(|own| own.phase == Phase::Firing);
            let mut expected: Vec<&str> = firing.map(|own| own.id.as_str()).collect();
            expected.sort_unstable();
            prop_assert_eq!(told, expected);
            let ids: BTreeSet<&str> = groups.iter().map(|own| own.incident.id.as_str()).collect();
            prop_assert_eq!(ids.len(), groups.len(), "each has an id of its own");
            for own in &groups {
                prop_assert!(!own.incident.title.is_empty() && !own.incident.evidence.is_empty());
            }
        }
    }

    #[test]
    fn the_order_of_what_comes_in_does_not_matter(
        before in any_situation(), now in any_situation(), seed in any::<u64>(),
    ) {
        let first = group(&before, &[]);
        let mut shuffled = now.clone();
        let mut turn = seed;
        let mut next = |below: usize| {
            turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (turn >> 33) as usize % below
        };
        for index in (1..shuffled.failures.len()).rev() {
            shuffled.failures.swap(index, next(index + 1));
        }
        for index in (1..shuffled.members.len()).rev() {
            shuffled.members.swap(index, next(index + 1));
        }
        prop_assert_eq!(group(&shuffled, &first), group(&now, &first));
    }

    #[test]
    fn an_incident_keeps_its_identity_while_its_cause_lasts(
        start in any_situation(), over in proptest::collection::vec(any::<prop::sample::Index>(), 0..24),
    ) {
        let mut situation = start;
        let mut groups = group(&situation, &[]);
        let ids = places(&groups);
        for index in over {
            if situation.failures.is_empty() {
                break;
            }
            situation.failures.remove(index.index(situation.failures.len()));
            groups = group(&situation, &groups);
            for (alert, id) in places(&groups) {
                prop_assert_eq!(&ids[&alert], &id, "{}", alert);
            }
        }
    }
}
