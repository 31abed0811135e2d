//! `family = "auto"`: every healthy node is recognised as what it is.

use fleetglass_shared::family::{Registry, recognise};

use super::fixture::{self, AT};

#[test]
fn every_healthy_fixture_is_recognised_as_its_family() {
    let registry = Registry::built_in();
    for fixture in fixture::all() {
        if !fixture.name.starts_with("healthy") && fixture.name != "metrics-only" {
            continue;
        }
        let family = registry.get(&fixture.family).unwrap();
        let path = |name: &str| {
            family.spec().endpoint.iter().find(|endpoint| endpoint.name == name).unwrap().path.clone()
        };
        let found = fixture::with_answers(family, &fixture.manifest, AT, path, |answers| {
            recognise(&registry, answers)
        });
        let found = found.unwrap_or_else(|| panic!("{} {} is not recognised", fixture.family, fixture.name));
        assert_eq!(found.family, fixture.family, "{}: {}", fixture.name, found.why);
        assert!(found.why.starts_with("recognised by "), "{}", found.why);
    }
}

#[test]
fn probes_ask_each_path_of_each_default_port_once() {
    let registry = Registry::built_in();
    let probes = registry.probes(false);
    let mut once = probes.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), probes.len());
    assert!(probes.iter().all(|probe| probe.path.starts_with('/')));
    assert!(probes.iter().any(|probe| probe.port.is_some()));
    assert!(registry.probes(true).iter().all(|probe| probe.port.is_none()));
    assert!(probes.len() < 40, "an unknown node is asked {} things", probes.len());
}

#[test]
fn an_unknown_answer_is_no_family() {
    assert_eq!(recognise(&Registry::built_in(), &[]), None);
}
