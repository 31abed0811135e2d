//! Every recorded answer of every family, and what it means: one snapshot each, to be read.

use std::collections::{BTreeMap, BTreeSet};

use fleetglass_shared::family::{Memory, Registry};
use fleetglass_shared::health::Status;

use super::fixture::{self, AT};
use super::shown::shown;

const SCENARIOS: [&str; 11] = [
    "healthy",
    "degraded",
    "unhealthy",
    "draining",
    "missing-fields",
    "extra-fields",
    "wrong-types",
    "truncated",
    "not-json",
    "html-error-page",
    "empty",
];

#[test]
fn every_family_has_every_scenario() {
    let mut by_family: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for fixture in fixture::all() {
        by_family.entry(fixture.family).or_default().insert(fixture.name);
    }
    let registry = Registry::built_in();
    assert_eq!(
        by_family.keys().map(String::as_str).collect::<Vec<_>>(),
        registry.names().collect::<Vec<_>>()
    );
    for (family, names) in by_family {
        for scenario in SCENARIOS {
            assert!(names.contains(scenario), "{family} has no fixture `{scenario}`");
        }
    }
}

#[test]
fn every_fixture_means_what_its_snapshot_says() {
    for fixture in fixture::all() {
        let normalised = fixture::round(&fixture, AT, &mut Memory::default());
        let name = format!("{}__{}", fixture.family, fixture.name);
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "../snapshots" }, {
            insta::assert_snapshot!(name, shown(&fixture.manifest.about, &normalised));
        });
    }
}

#[test]
fn what_a_fixture_is_named_for_is_what_it_comes_to() {
    for fixture in fixture::all() {
        let normalised = fixture::round(&fixture, AT, &mut Memory::default());
        let found = (normalised.status, normalised.draining);
        let at = format!("{} {}", fixture.family, fixture.name);
        match fixture.name.split('-').next().unwrap() {
            "healthy" => assert_eq!(found, (Status::Healthy, false), "{at}: {:?}", normalised.reasons),
            "degraded" => assert_eq!(found.0, Status::Degraded, "{at}: {:?}", normalised.reasons),
            "unhealthy" => assert_eq!(found.0, Status::Unhealthy, "{at}: {:?}", normalised.reasons),
            "html" => assert_ne!(found.0, Status::Healthy, "{at}"),
            _ => {}
        }
        if found.0 != Status::Healthy {
            assert!(!normalised.reasons.is_empty(), "{at} is {} without a reason", found.0.as_str());
        }
    }
}
