//! Rounds of one node, and what its risks come to.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use fleetglass_shared::family::Registry;

use super::*;
use crate::{
    config::StakeConfig,
    store::{Limits, Put, TargetIdent},
};

const START: UnixMillis = 1_767_378_770_000;
const STEP: i64 = 15_000;

/// A node of a family whose rounds say what the test says.
struct World {
    store: Store,
    family: std::sync::Arc<Family>,
    memory: RiskMemory,
    at: UnixMillis,
}

impl World {
    fn new(family: &str) -> Self {
        let family = Registry::built_in().get(family).unwrap().clone();
        let store = Store::new(Limits::default());
        Self { store, family, memory: RiskMemory::default(), at: START }
    }

    fn round(&mut self, values: &[(&str, f64)], facts: &[Fact], stake: Option<&StakeConfig>) -> Vec<Risk> {
        self.at += STEP;
        let ident = TargetIdent { instance: "n".into(), job: "j".into(), labels: BTreeMap::new() };
        let mut row = self.store.begin(&ident, self.at).unwrap();
        for (name, value) in values {
            row.put(&Put::gauge(name, *value, "")).unwrap();
        }
        let row = row.commit_open();
        let subject = Subject { family: &self.family, instance: "n", facts, stake, interval_ms: STEP };
        let risks = judge(&self.store, &subject, &mut self.memory, self.at).risks;
        let own = own_series("n", &risks, self.at);
        row.close(&own.iter().map(OwnSeries::put).collect::<Vec<_>>());
        risks
    }

    fn now(&self, expr: &str) -> Vec<f64> {
        crate::query::evaluate_instant(&self.store, expr, self.at).unwrap()
    }
}

fn named<'a>(risks: &'a [Risk], name: &str) -> &'a Risk {
    risks.iter().find(|risk| risk.name == name).unwrap()
}

#[test]
fn a_lag_that_climbs_has_a_countdown_that_is_a_series_and_ends_with_the_climb() {
    let mut world = World::new("decdn");
    let lag =
        |world: &mut World, seconds| world.round(&[("decdn_blacklist_sync_lag_seconds", seconds)], &[], None);
    let countdown = r#"fleetglass_risk_seconds_to_breach{instance="n",node="n",risk="blacklist-lag-critical",severity="critical"}"#;
    let mut risks = Vec::new();
    for n in 0..30 {
        risks = lag(&mut world, f64::from(n) * 15.0);
    }
    let risk = named(&risks, "blacklist-lag-critical");
    // At 435 s, a second a second: 165 s.
    let breach = risk.outlook.as_ref().unwrap().breach_at.unwrap();
    assert!((breach - world.at - 165_000).abs() <= 4_000, "{risk:?}");
    assert_eq!(risk.headroom, Some(0.275));
    let left = world.now(countdown);
    assert_eq!(left, [(breach - world.at) as f64 / 1000.0]);
    assert_eq!(world.now(r#"fleetglass_risk_seconds_to_breach{risk="blacklist-lag"}"#), [0.0]);
    assert_eq!(world.now(r#"fleetglass_risk_headroom_ratio{risk="blacklist-lag-critical"}"#), [0.275]);
    let before = world.at;
    lag(&mut world, 5.0);
    assert_eq!(world.now(countdown), [0.0; 0], "it is stale and not old");
    assert_eq!(
        crate::query::evaluate_instant(&world.store, countdown, before).unwrap(),
        left,
        "and the past stays"
    );
    let absent = named(&risks, "slash-evidence");
    assert_eq!((absent.value, absent.headroom, &absent.outlook), (None, None, &None));
    assert_eq!(world.now(r#"fleetglass_risk_headroom_ratio{risk="slash-evidence"}"#), [0.0; 0]);
}

#[test]
fn a_pair_of_used_and_possible_is_foreseen_by_what_each_round_made_of_it() {
    let mut world = World::new("decdn");
    let mut risks = Vec::new();
    for n in 0..40 {
        let used = f64::from(100 + n * 2);
        let pair = [("decdn_probe_hold_slots_used", used), ("decdn_probe_hold_slots_max", 256.0)];
        risks = world.round(&pair, &[], None);
    }
    let risk = named(&risks, "probe-hold-slots");
    let outlook = risk.outlook.as_ref().unwrap();
    // 178 now, 2 a step, the bound at 204.8.
    let left = (outlook.breach_at.unwrap() - world.at) as f64 / 1000.0;
    assert!((left - 13.4 * 15.0).abs() < 8.0, "{left} {outlook:?}");
}

#[test]
fn what_stands_still_is_told_once() {
    let mut world = World::new("decdn");
    for _ in 0..12 {
        world.round(&[("decdn_peer_table_size", 90.0)], &[], None);
    }
    let risks = world.round(&[("decdn_peer_table_size", 90.0)], &[], None);
    let steady = named(&risks, "peer-table").outlook.clone().unwrap();
    assert_eq!((steady.trend, steady.slope), (Trend::Steady, Some(0.0)));
}

#[test]
fn a_bound_that_the_node_tells_goes_before_that_of_the_family_and_the_target_before_both() {
    let mut world = World::new("paraloom");
    let says = [("paraloom_peer_count", 5.0), ("paraloom_min_peers_for_ready", 7.0)];
    let risks = world.round(&says, &[], None);
    assert_eq!((named(&risks, "peers-few").bound, named(&risks, "peers-few").firing), (7.0, true));
    let risks = world.round(&says[..1], &[], None);
    assert_eq!((named(&risks, "peers-few").bound, named(&risks, "peers-few").firing), (3.0, false));
    let bounds = BTreeMap::from([("peers-few".to_owned(), 4.0)]);
    world.family = std::sync::Arc::new(world.family.with_bounds(&bounds).unwrap());
    let risks = world.round(&says, &[], None);
    assert_eq!(named(&risks, "peers-few").bound, 4.0);
}

#[test]
fn a_stake_is_what_the_node_tells_or_what_is_configured() {
    let mut world = World::new("genlayer");
    let fact = Fact {
        endpoint: "staking".into(),
        name: "stake".into(),
        title: "Stake".into(),
        value: "42000000000000000000001".into(),
        unit: String::new(),
        at: START,
        stale: false,
    };
    let says = [("genlayer_validator_banned", 0.0), ("genlayer_validator_stake_current", 42e21)];
    let risks = world.round(&says, std::slice::from_ref(&fact), None);
    let stake = named(&risks, "banned").stake.clone().unwrap();
    assert_eq!((stake.amount.as_str(), stake.unit.as_str()), ("42000000000000000000001", "GEN"));
    // A pushed node tells no facts: its series do.
    let risks = world.round(&says, &[], None);
    assert_eq!(named(&risks, "banned").stake.clone().unwrap().amount, "42000000000000000000000");
    let set = StakeConfig { amount: "100".into(), unit: "GEN".into(), penalty: Some(0.5) };
    let risks = world.round(&says, &[fact], Some(&set));
    assert_eq!(named(&risks, "banned").stake.clone().unwrap().amount, "50");
    assert!(risks.iter().all(|risk| risk.value.is_some() || risk.stake.is_none()));
}

#[test]
fn an_epoch_counts_down_to_the_second() {
    let mut world = World::new("genlayer");
    let says = |left, epochs| {
        [
            ("genlayer_validator_needs_priming", 1.0),
            ("genlayer_epoch_time_until_next_seconds", left),
            ("genlayer_validator_epochs_remaining_for_activation", epochs),
        ]
    };
    let risks = world.round(&says(400.0, 2.0), &[], None);
    let outlook = named(&risks, "priming-deadline").outlook.clone().unwrap();
    assert_eq!((outlook.breach_at, outlook.exact), (Some(world.at + 400_000), true));
    assert_eq!(named(&risks, "activation").outlook.clone().unwrap().trend, Trend::TooLittleData);
    let risks = world.round(&says(385.0, 1.0), &[], None);
    assert_eq!(named(&risks, "activation").outlook.clone().unwrap().breach_at, Some(world.at + 385_000));
    assert_eq!(named(&risks, "priming-deadline").outlook.clone().unwrap().breach_at, outlook.breach_at);
}

/// `cargo test -p fleetglass --lib risk_costs -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn what_the_risks_of_a_node_cost_a_round() {
    for family in ["decdn", "genlayer", "the-block"] {
        for moves in [false, true] {
            let mut world = World::new(family);
            let names: Vec<String> = (world.family.spec().risk.iter())
                .flat_map(|risk| risk.expr.iter())
                .filter(|expr| expr.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
                .cloned()
                .collect();
            let mut took = std::time::Duration::ZERO;
            for n in 0..240 {
                let value = |at: usize| if moves { ((n * 7 + at * 3) % 11) as f64 / 100.0 } else { 0.0 };
                let said: Vec<(&str, f64)> =
                    names.iter().enumerate().map(|(at, name)| (name.as_str(), value(at))).collect();
                let begun = crate::clock::monotonic();
                world.round(&said, &[], None);
                took += begun.elapsed();
            }
            println!("{family}: {} series, moving: {moves}: {:?} a round", names.len(), took / 240);
        }
    }
}
