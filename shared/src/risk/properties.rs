//! Whatever the values are: no panic, and no answer that contradicts itself.

use proptest::prelude::*;

use super::*;
use crate::health::UnixMillis;
use crate::wire::Trend;

const NOW: UnixMillis = 1_767_378_770_000;

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-1_000..1_000_i32).prop_map(f64::from),
        2 => 0.0..1.0_f64,
        1 => any::<f64>(),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::MAX), Just(9.2e18), Just(0.0)],
    ]
}

fn samples() -> impl Strategy<Value = Vec<(UnixMillis, f64)>> {
    let time = prop_oneof![
        6 => (0..700_000_i64).prop_map(|ago| NOW - ago),
        1 => any::<i64>(),
        1 => Just(NOW),
    ];
    prop::collection::vec((time, value()), 0..160)
}

fn watch() -> impl Strategy<Value = Watch> {
    let side = prop_oneof![Just(Side::Above), Just(Side::Below)];
    let kind = prop_oneof![4 => Just(Kind::Gauge), 2 => Just(Kind::Counter), 1 => Just(Kind::Flag)];
    let window = prop_oneof![4 => Just(600_000), 1 => any::<i64>()];
    (side, kind, value(), window).prop_map(|(side, kind, bound, window_ms)| Watch {
        side,
        bound,
        kind,
        window_ms,
    })
}

/// Times before now and well-formed values, for what must hold exactly.
fn tame() -> impl Strategy<Value = Vec<(UnixMillis, f64)>> {
    prop::collection::vec((0..80_i64, -500..500_i32), 5..80).prop_map(|raw| {
        let mut samples: Vec<_> =
            raw.iter().map(|(ago, value)| (NOW - ago * 8_000, f64::from(*value))).collect();
        samples.push((NOW, 0.0));
        samples
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn anything_has_an_answer_that_fits_itself(
        watch in watch(), now_value in value(), samples in samples(),
        now in prop_oneof![9 => Just(NOW), 1 => any::<i64>()]
    ) {
        let Prediction { outlook, line } = predict(&watch, now_value, &samples, now);
        prop_assert_eq!(outlook.breach_at.is_some(), outlook.trend == Trend::Approaching);
        prop_assert_eq!(outlook.trend == Trend::Breached, watch.is_breached(now_value));
        if let Some(breach) = outlook.breach_at {
            prop_assert!(breach >= now && outlook.earliest.is_some_and(|at| at >= now && at <= breach));
            prop_assert!(outlook.latest.is_none_or(|at| at >= breach));
            let slope = outlook.slope.unwrap_or(0.0);
            prop_assert!(if watch.side == Side::Above { slope > 0.0 } else { slope < 0.0 }, "{outlook:?}");
        }
        prop_assert!(outlook.slope.is_none_or(f64::is_finite));
        prop_assert!(line.is_none_or(|line| line.low <= line.slope && line.slope <= line.high));
        let told = settled(Some(&outlook), outlook.clone(), now);
        prop_assert_eq!(told.breach_at, outlook.breach_at);
        if let Some(part) = headroom(&watch, now_value) {
            prop_assert!((-100.0..=1.0).contains(&part));
            prop_assert!(if watch.is_breached(now_value) { part <= 0.0 } else { part >= 0.0 }, "{part}");
        }
    }

    #[test]
    fn what_happens_later_is_foreseen_as_much_later(samples in tame(), by in -1_000_000_000..1_000_000_000_i64) {
        let watch = Watch { side: Side::Above, bound: 600.0, kind: Kind::Gauge, window_ms: 600_000 };
        let later: Vec<_> = samples.iter().map(|(at, value)| (at + by, *value)).collect();
        let (one, other) = (predict(&watch, 0.0, &samples, NOW), predict(&watch, 0.0, &later, NOW + by));
        prop_assert_eq!(one.outlook.breach_at.map(|at| at + by), other.outlook.breach_at);
        prop_assert_eq!(one.outlook.latest.map(|at| at + by), other.outlook.latest);
        prop_assert_eq!((one.outlook.trend, one.line), (other.outlook.trend, other.line));
    }

    #[test]
    fn another_unit_changes_nothing(samples in tame(), exponent in -20..20_i32) {
        let scale = 2_f64.powi(exponent);
        let watch = Watch { side: Side::Above, bound: 600.0, kind: Kind::Gauge, window_ms: 600_000 };
        let scaled: Vec<_> = samples.iter().map(|(at, value)| (*at, value * scale)).collect();
        let other = predict(&Watch { bound: 600.0 * scale, ..watch }, 0.0, &scaled, NOW).outlook;
        let one = predict(&watch, 0.0, &samples, NOW).outlook;
        prop_assert_eq!((one.trend, one.breach_at, one.latest), (other.trend, other.breach_at, other.latest));
    }

    #[test]
    fn the_other_side_is_the_mirror(samples in tame()) {
        let watch = Watch { side: Side::Above, bound: 600.0, kind: Kind::Gauge, window_ms: 600_000 };
        let mirrored: Vec<_> = samples.iter().map(|(at, value)| (*at, -value)).collect();
        let below = Watch { side: Side::Below, bound: -600.0, ..watch };
        let (one, other) = (predict(&watch, 0.0, &samples, NOW).outlook, predict(&below, 0.0, &mirrored, NOW).outlook);
        prop_assert_eq!((one.trend, one.breach_at, one.earliest), (other.trend, other.breach_at, other.earliest));
    }

    #[test]
    fn a_ramp_meets_its_bound_where_it_must(first in 0..400_i32, step in 1..20_i32, count in 12..60_usize) {
        let last = f64::from(first) + f64::from(step) * (count - 1) as f64;
        let steps_left = 7.0;
        let bound = last + f64::from(step) * steps_left;
        let watch = Watch { side: Side::Above, bound, kind: Kind::Gauge, window_ms: 600_000 };
        let samples: Vec<_> = (0..count)
            .map(|n| (NOW - (count - 1 - n) as i64 * 10_000, f64::from(first) + f64::from(step) * n as f64))
            .collect();
        let outlook = predict(&watch, last, &samples, NOW).outlook;
        // With the beginning of the window unseen it is believed in the second half of the way.
        if count > 16 || last > bound / 2.0 {
            prop_assert_eq!(outlook.trend, Trend::Approaching);
            prop_assert_eq!(outlook.breach_at, Some(NOW + 70_000));
        }
    }
}
