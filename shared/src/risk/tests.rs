//! What is foreseen of ramps, steps, saws and noise; the way left, the order, the stake.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::health::UnixMillis;
use crate::wire::{Outlook, Risk, Trend};

const NOW: UnixMillis = 1_767_378_770_000;
const STEP: i64 = 15_000;

fn above(bound: f64) -> Watch {
    Watch { side: Side::Above, bound, kind: Kind::Gauge, window_ms: 600_000 }
}

/// One sample each quarter of a minute, the last one now.
fn every_15s(values: &[f64]) -> Vec<(UnixMillis, f64)> {
    let last = values.len() as i64 - 1;
    values.iter().enumerate().map(|(n, value)| (NOW - (last - n as i64) * STEP, *value)).collect()
}

fn foreseen(watch: Watch, values: &[f64]) -> Outlook {
    predict(&watch, *values.last().unwrap(), &every_15s(values), NOW).outlook
}

fn ramp(count: usize, first: f64, step: f64) -> Vec<f64> {
    (0..count).map(|n| first + step * n as f64).collect()
}

/// Noise that is the same each time, from -1 to 1.
fn noise(n: usize) -> f64 {
    let mut x = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

#[test]
fn a_ramp_is_foreseen_to_the_sample() {
    // 15 a step, at 585 now: the bound of 600 is one step away.
    let outlook = foreseen(above(600.0), &ramp(40, 0.0, 15.0));
    assert_eq!((outlook.trend, outlook.breach_at), (Trend::Approaching, Some(NOW + STEP)));
    assert_eq!((outlook.earliest, outlook.latest), (outlook.breach_at, outlook.breach_at));
    assert_eq!(outlook.slope, Some(1.0));
    let peers = Watch { side: Side::Below, bound: 3.0, ..above(0.0) };
    let outlook = foreseen(peers, &ramp(40, 82.0, -2.0));
    assert_eq!((outlook.trend, outlook.breach_at), (Trend::Approaching, Some(NOW + STEP / 2)));
    assert_eq!(outlook.slope.map(|slope| (slope * 15.0).round()), Some(-2.0));
}

#[test]
fn what_stands_still_is_steady_and_too_little_says_so() {
    assert_eq!(foreseen(above(600.0), &[7.0; 40]).trend, Trend::Steady);
    assert_eq!(foreseen(above(600.0), &[7.0; 40]).slope, Some(0.0));
    assert_eq!(foreseen(above(600.0), &[7.0, 8.0, 9.0, 10.0]).trend, Trend::TooLittleData);
    assert_eq!(foreseen(above(600.0), &[700.0, 800.0]).trend, Trend::Breached);
    let flag = Watch { kind: Kind::Flag, ..above(0.0) };
    assert_eq!(foreseen(flag, &[0.0, 0.0]).trend, Trend::Steady);
    assert_eq!(foreseen(flag, &[0.0, 1.0]).trend, Trend::Breached);
}

#[test]
fn a_lag_between_two_polls_does_not_cry_wolf_until_a_poll_is_missed() {
    // Polled each 30 s, asked each 3 s, bound 300: every climb alone says "in 5 minutes".
    let saw: Vec<f64> = (0..200).map(|n| f64::from(n * 3 % 30)).collect();
    let at = |n: usize, offset: usize| NOW - (n - 1 - offset) as i64 * 3_000;
    for end in 20..saw.len() {
        let samples: Vec<_> = (0..end).map(|n| (at(end, n), saw[n])).collect();
        let outlook = predict(&above(300.0), saw[end - 1], &samples, NOW).outlook;
        assert_eq!(outlook.trend, Trend::Steady, "after {end}: {outlook:?}");
    }
    // From the last poll on it only climbs: known 42 s after it, which is once it is clearly more than ever.
    let mut stuck = saw;
    stuck.extend((0..4).map(|n| f64::from(30 + n * 3)));
    stuck.truncate(204);
    let from = stuck.len() - 14;
    for (n, value) in stuck[from..].iter_mut().enumerate() {
        *value = n as f64 * 3.0;
    }
    let samples: Vec<_> = (0..stuck.len()).map(|n| (at(stuck.len(), n), stuck[n])).collect();
    let outlook = predict(&above(300.0), 39.0, &samples, NOW).outlook;
    assert_eq!(outlook.trend, Trend::Approaching, "{outlook:?}");
    assert_eq!(outlook.breach_at, Some(NOW + 261_000));
}

#[test]
fn a_step_is_not_a_ramp_and_a_plateau_ends_one() {
    for since in 1..20 {
        let mut values = vec![10.0; 40 - since];
        values.extend((0..since).map(|n| 400.0 + noise(n)));
        assert_ne!(foreseen(above(600.0), &values).trend, Trend::Approaching, "{since} after the step");
    }
    let mut values = ramp(30, 0.0, 15.0);
    values.extend([435.0; 10]);
    assert_eq!(foreseen(above(600.0), &values).trend, Trend::Steady);
}

#[test]
fn a_ramp_out_of_noise_is_seen_soon_and_with_its_uncertainty() {
    let mut values: Vec<f64> = (0..30).map(|n| 50.0 + 3.0 * noise(n)).collect();
    values.extend((0..10).map(|n| 50.0 + 12.0 * f64::from(n + 1) + 3.0 * noise(n as usize + 30)));
    let outlook = foreseen(above(600.0), &values);
    assert_eq!(outlook.trend, Trend::Approaching, "{outlook:?}");
    let (breach, earliest, latest) =
        (outlook.breach_at.unwrap(), outlook.earliest.unwrap(), outlook.latest.unwrap());
    // (600 - 170) / 0.8 a second.
    let truth = NOW + 537_500;
    assert!(earliest < breach && breach < latest, "{outlook:?}");
    assert!(earliest < truth && truth < latest, "{outlook:?}");
    assert!((breach - truth).abs() < 60_000, "{outlook:?}");
}

#[test]
fn one_wild_value_moves_nothing() {
    let mut values = ramp(40, 0.0, 10.0);
    values[20] = 9_000.0;
    let outlook = foreseen(above(600.0), &values);
    assert_eq!(outlook.trend, Trend::Approaching);
    let clean = foreseen(above(600.0), &ramp(40, 0.0, 10.0));
    assert!((outlook.breach_at.unwrap() - clean.breach_at.unwrap()).abs() <= 1_000, "{outlook:?}");
    let mut calm = vec![10.0; 40];
    calm[30] = 590.0;
    assert_eq!(foreseen(above(600.0), &calm).trend, Trend::Steady);
}

#[test]
fn a_fall_back_is_a_recovery() {
    let mut values = ramp(20, 0.0, 25.0);
    values.extend(ramp(20, 470.0, -15.0));
    let outlook = foreseen(above(600.0), &values);
    assert_eq!((outlook.trend, outlook.breach_at), (Trend::Recovering, None));
    assert_eq!(outlook.slope, Some(-1.0));
}

#[test]
fn climbs_that_come_back_higher_each_time_are_seen_by_their_tops() {
    let values: Vec<f64> = (0..40).map(|n| f64::from(n % 6) * (10.0 + f64::from(n))).collect();
    let outlook = foreseen(above(500.0), &values);
    assert_eq!(outlook.trend, Trend::Approaching, "{outlook:?}");
}

#[test]
fn a_counter_counts_its_increase_over_a_restart() {
    let counter = Watch { kind: Kind::Counter, ..above(100.0) };
    let mut values = ramp(20, 10.0, 2.0);
    values.extend(ramp(20, 2.0, 2.0));
    let outlook = foreseen(counter, &values);
    // 40 now, 2 a step.
    assert_eq!((outlook.trend, outlook.breach_at), (Trend::Approaching, Some(NOW + 30 * STEP)));
    assert_eq!(
        foreseen(above(100.0), &values).trend,
        Trend::Steady,
        "a gauge has come back from such a climb"
    );
}

#[test]
fn a_deadline_is_exact() {
    let owed = deadline(true, Some(NOW + 90_500), NOW);
    assert_eq!((owed.trend, owed.breach_at, owed.exact), (Trend::Approaching, Some(NOW + 90_500), true));
    assert_eq!(deadline(true, Some(NOW), NOW).trend, Trend::Breached);
    assert_eq!(deadline(false, Some(NOW + 1), NOW).trend, Trend::Steady);
    assert_eq!(deadline(true, None, NOW).trend, Trend::TooLittleData);
}

#[test]
fn headroom_is_the_part_of_the_way_that_is_left() {
    let below = Watch { side: Side::Below, ..above(3.0) };
    for (watch, value, part) in [
        (above(600.0), 0.0, Some(1.0)),
        (above(600.0), -5.0, Some(1.0)),
        (above(600.0), 450.0, Some(0.25)),
        (above(600.0), 600.0, Some(0.0)),
        (above(600.0), 1_200.0, Some(-1.0)),
        (above(600.0), f64::INFINITY, Some(-100.0)),
        (above(0.0), 3.0, None),
        (below, 6.0, Some(0.5)),
        (below, 3.0, Some(0.0)),
        (below, 0.0, Some(-1.0)),
        (below, f64::INFINITY, Some(1.0)),
        (Watch { kind: Kind::Flag, ..below }, 1.0, None),
        (above(600.0), f64::NAN, None),
    ] {
        assert_eq!(headroom(&watch, value), part, "{watch:?} {value}");
    }
}

#[test]
fn a_headroom_tells_the_value() {
    let below = Watch { side: Side::Below, ..above(3.0) };
    for (watch, value) in [
        (above(600.0), 0.0),
        (above(600.0), 450.0),
        (above(600.0), 1_800.0),
        (above(-5.0), -8.0),
        (below, 6.0),
        (below, 1.5),
        (below, 300.0),
        (Watch { side: Side::Below, ..above(-3.0) }, -4.5),
    ] {
        let back = value_at(&watch, headroom(&watch, value).unwrap()).unwrap();
        assert!((back - value).abs() <= value.abs() * 0.01, "{watch:?}: {value} and {back}");
    }
    assert!(value_at(&below, 1.0).unwrap() > 3_000.0);
    assert_eq!(value_at(&above(0.0), 1.0), None);
    assert_eq!((history_ms(600_000), history_ms(7_200_000)), (2_400_000, 7_200_000));
}

fn risk(name: &str, severity: &str, value: Option<f64>, bound: f64) -> Risk {
    Risk {
        name: name.to_owned(),
        title: String::new(),
        severity: severity.to_owned(),
        value,
        bound,
        unit: String::new(),
        meaning: String::new(),
        action: String::new(),
        firing: value.is_some_and(|value| value > bound),
        headroom: value.and_then(|value| headroom(&above(bound), value)),
        outlook: value.map(|_| deadline(false, None, NOW)),
        stake: None,
    }
}

#[test]
fn the_worst_stands_first() {
    let on_its_way = |name: &str, severity: &str, left: i64| {
        let outlook = Some(deadline(true, Some(NOW + left), NOW));
        Risk { outlook, ..risk(name, severity, Some(1.0), 9.0) }
    };
    let mut risks = [
        risk("still", "critical", Some(1.0), 9.0),
        risk("blind", "critical", None, 9.0),
        risk("near", "info", Some(8.0), 9.0),
        risk("nearer", "info", Some(8.9), 9.0),
        risk("noted", "info", Some(10.0), 9.0),
        on_its_way("later", "critical", 60_000),
        on_its_way("soon", "info", 50_000),
        risk("over", "warning", Some(10.0), 9.0),
        risk("lost", "critical", Some(10.0), 9.0),
        risk("still-near", "critical", Some(6.0), 9.0),
    ];
    risks.sort_by(worst_first);
    let names: Vec<&str> = risks.iter().map(|risk| risk.name.as_str()).collect();
    let expected =
        ["lost", "over", "soon", "later", "noted", "nearer", "near", "blind", "still-near", "still"];
    assert_eq!(names, expected);
}

#[test]
fn what_moved_little_is_told_as_before() {
    let told = foreseen(above(600.0), &ramp(30, 0.0, 10.0));
    let at = told.breach_at.unwrap();
    let moved = |by: i64, slope: f64| Outlook {
        breach_at: Some(at + by),
        slope: told.slope.map(|own| own * slope),
        ..told.clone()
    };
    let left = at - NOW;
    assert_eq!(settled(Some(&told), moved(left / 60, 1.02), NOW), told);
    assert_ne!(settled(Some(&told), moved(left / 20, 1.02), NOW).breach_at, told.breach_at);
    assert_ne!(settled(Some(&told), moved(0, 1.2), NOW).slope, told.slope);
    let steady = deadline(false, None, NOW);
    assert_eq!(settled(Some(&told), steady.clone(), NOW), steady);
    assert_eq!(settled(None, Outlook { slope: Some(0.123_456), ..steady }, NOW).slope, Some(0.123));
}

fn staked(amount: &str, unit: &str, share: Option<&str>) -> Staked {
    Staked {
        title: "Bond".to_owned(),
        amount: amount.to_owned(),
        unit: unit.to_owned(),
        source: "“Channel deposit”".to_owned(),
        share: share.map(str::to_owned),
    }
}

#[test]
fn what_is_at_stake_keeps_every_digit() {
    let stake = at_stake(&staked("123456789012345678901234567890", "wei", Some("0.05"))).unwrap();
    assert_eq!(stake.amount, "6172839450617283945061728394.5");
    let stake = at_stake(&staked("5000000000", "micro-usdc", Some("0.1"))).unwrap();
    assert_eq!((stake.amount.as_str(), stake.unit.as_str()), ("500000000", "micro-usdc"));
    assert_eq!(
        stake.calculation,
        [
            "Bond: 5,000.000000 USDC (“Channel deposit”)",
            "a breach costs 10 % of it",
            "5,000.000000 USDC × 0.1 = 500.000000 USDC",
        ]
    );
    let stake = at_stake(&staked("42000.50", "GEN", None)).unwrap();
    assert_eq!(stake.amount, "42000.5");
    assert_eq!(stake.calculation[0], "Bond: 42,000.5 GEN (“Channel deposit”)");
    assert_eq!(at_stake(&staked("4.2e4", "GEN", Some("1"))).unwrap().amount, "42000");
    assert_eq!(at_stake(&staked("1e-7", "GEN", Some("0"))).unwrap().amount, "0");
    for (amount, share) in [
        ("", None),
        ("-5", None),
        ("NaN", None),
        ("1e999999", None),
        (".", None),
        ("5", Some("1.1")),
        ("5", Some("x")),
    ] {
        assert_eq!(at_stake(&staked(amount, "GEN", share)), None, "{amount} {share:?}");
    }
}
