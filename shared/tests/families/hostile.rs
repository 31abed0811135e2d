//! Answers no node should give: whatever comes, the engine answers, and keeps its bounds.

use fleetglass_shared::family::Memory;
use proptest::prelude::*;

use super::fixture::{self, AT, Fixture};

fn with_body(family: &str, body: &[u8], status: u16) -> Fixture {
    let mut fixture = fixture::one(family, "healthy");
    for recorded in fixture.manifest.endpoint.values_mut() {
        recorded.failure = None;
        recorded.status = status;
        recorded.body = body.to_vec();
    }
    fixture
}

fn families() -> Vec<String> {
    fleetglass_shared::family::Registry::built_in().names().map(str::to_owned).collect()
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        "[a-z0-9é~/ -]{0,12}".prop_map(serde_json::Value::from),
    ];
    let name = prop_oneof![
        Just("status".to_owned()),
        Just("checks".to_owned()),
        Just("components".to_owned()),
        Just("failed_checks".to_owned()),
        Just("timestamp".to_owned()),
        Just("peer_count".to_owned()),
        Just("uptime".to_owned()),
        Just("p2p".to_owned()),
        "[a-z~/*]{0,6}",
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(serde_json::Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..8)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_read_without_a_panic(document in json(), status in prop_oneof![Just(200_u16), Just(503), Just(404), Just(429), any::<u16>()]) {
        for family in families() {
            let fixture = with_body(&family, document.to_string().as_bytes(), status);
            let mut memory = Memory::default();
            for n in 0..3 {
                let normalised = fixture::round(&fixture, AT + n * 60_000, &mut memory);
                prop_assert!(normalised.checks.len() <= 128);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for family in families() {
            fixture::round(&with_body(&family, &body, 200), AT, &mut Memory::default());
        }
    }
}

#[test]
fn a_flood_of_fields_and_checks_is_bounded() {
    let fields: String = (0..5_000).map(|n| format!("\"field_{n}\":{n},")).collect();
    let checks: String = (0..5_000).map(|n| format!("\"check_{n}\":{{\"status\":\"up\"}},")).collect();
    let long = "x".repeat(100_000);
    let body = format!(
        "{{{fields}\"status\":\"up\",\"long\":\"{long}\",\"checks\":{{{checks}\"z\":{{\"status\":\"up\"}}}}}}"
    );
    for family in families() {
        let normalised =
            fixture::round(&with_body(&family, body.as_bytes(), 200), AT, &mut Memory::default());
        assert!(normalised.facts.len() <= 200, "{family}: {} facts", normalised.facts.len());
        assert!(normalised.checks.len() <= 64, "{family}: {} checks", normalised.checks.len());
        assert!(normalised.series.len() <= 200, "{family}: {} series", normalised.series.len());
        assert!(normalised.facts.iter().all(|fact| fact.value.len() <= 1000 && fact.name.len() <= 1000));
    }
}

#[test]
fn json_nested_beyond_reason_is_refused_not_followed() {
    let body = format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    for family in families() {
        fixture::round(&with_body(&family, body.as_bytes(), 200), AT, &mut Memory::default());
    }
}
