//! The course of a risk as lines of a chart: its values, and the slope that was fitted to them, with its
//! uncertainty, on to the bound. Pure.

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::RiskDetail;

use crate::charts::{Band, ChartData, Grid, Look, Range, Series, Tier};

/// More times than this are more than a chart has pixels for.
const MOST_POINTS: i64 = 400;
/// The way ahead is shown for so many times what lies behind: farther on, the values would be pressed flat.
const AHEAD: i64 = 4;
/// Values this many intervals apart have a gap between them.
const GAP: i64 = 3;
/// A second, in milliseconds.
const SECOND: i64 = 1_000;

/// The lines of a risk; `None` where there are too few values to draw one.
pub fn course(detail: &RiskDetail, range: Range) -> Option<ChartData> {
    let values = &detail.values;
    let (first, last) = (values.first()?.0, values.last()?.0);
    let behind = last - first;
    if behind <= 0 {
        return None;
    }
    let interval = interval(values);
    let fitted = detail.fit.last().map_or(last, |end| end.0);
    let ahead = (fitted - last).clamp(0, behind * AHEAD);
    // A little air behind the bound, so that it is seen to be crossed.
    let end = last + ahead + ahead / 20;
    let step = interval.max((end - first) / MOST_POINTS).max(1);
    let grid = Grid { start: first, end: first + (end - first + step - 1) / step * step, step };
    let times = || (0..grid.len()).map(move |index| grid.time(index));
    let along = |points: &[(UnixMillis, f64)], gap: i64| times().map(|at| at_time(points, at, gap)).collect();

    let measured = Series { name: "measured".to_owned(), values: along(values, interval * GAP), band: None };
    let mut series = vec![measured];
    let mut looks = vec![Look { colour: 0, dashed: false }];
    // A line through what only wanders, or has jumped, says nothing.
    let outlook = detail.risk.risk.outlook.as_ref();
    let moves = outlook.and_then(|outlook| outlook.slope).is_some_and(|slope| slope != 0.0);
    if moves && detail.fit.len() > 1 {
        let band = Band { low: along(&detail.fit_low, i64::MAX), high: along(&detail.fit_high, i64::MAX) };
        let values = along(&detail.fit, i64::MAX);
        let name = if ahead > 0 { "slope, if this goes on" } else { "slope" };
        series.push(Series { name: name.to_owned(), values, band: Some(band) });
        looks.push(Look { colour: 1, dashed: true });
    }
    Some(ChartData { range, tier: Tier::Raw, grid, series, looks })
}

/// From one value to the next, as most are.
fn interval(values: &[(UnixMillis, f64)]) -> i64 {
    let mut steps: Vec<i64> =
        values.windows(2).map(|pair| pair[1].0 - pair[0].0).filter(|step| *step > 0).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied().unwrap_or(SECOND).max(SECOND)
}

/// The value of a line through points at a time; not a number where there is none, or where the points around
/// it are `gap` or more apart.
fn at_time(points: &[(UnixMillis, f64)], at: UnixMillis, gap: i64) -> f64 {
    let after = points.partition_point(|point| point.0 < at);
    match (after.checked_sub(1).and_then(|before| points.get(before)), points.get(after)) {
        (_, Some(here)) if here.0 == at => here.1,
        (Some(before), Some(next)) if next.0 - before.0 < gap => {
            let share = (at - before.0) as f64 / (next.0 - before.0) as f64;
            before.1 + (next.1 - before.1) * share
        }
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn detail(own: Value) -> RiskDetail {
        let mut whole = json!({"at": 0, "expr": "lag", "values": [], "fit": [], "fit_low": [], "fit_high": [],
            "risk": {"node": "n", "family": "f", "risk": {"name": "lag", "title": "Lag", "severity": "critical",
                "bound": 600.0, "meaning": "", "action": "", "firing": false,
                "outlook": {"trend": "approaching", "slope": 1.0}}}});
        fleetglass_shared::patch::merge(&mut whole, &own);
        serde_json::from_value(whole).unwrap()
    }

    fn drawn(own: Value) -> Option<ChartData> {
        course(&detail(own), Range::default())
    }

    #[test]
    fn values_lead_into_a_slope_that_goes_on_to_the_bound() {
        let values: Vec<(i64, f64)> = (0..=60).map(|step| (step * 10_000, step as f64 * 10.0)).collect();
        let data = drawn(json!({
            "values": values,
            "fit": [[0, 0.0], [600_000, 600.0], [1_200_000, 1_200.0]],
            "fit_low": [[0, -10.0], [600_000, 590.0], [1_200_000, 1_100.0]],
            "fit_high": [[0, 10.0], [600_000, 610.0], [1_200_000, 1_300.0]],
        }))
        .unwrap();
        let [measured, slope] = data.series.as_slice() else { panic!("two lines") };
        let index = |at: i64| data.grid.index(at).unwrap();
        assert_eq!((measured.values[index(300_000)], measured.last()), (300.0, Some(600.0)));
        assert!(measured.values[index(610_000)].is_nan(), "what lies ahead was not measured");
        assert!((slope.values[index(900_000)] - 900.0).abs() < 1e-6);
        let band = slope.band.as_ref().unwrap();
        assert!(
            (band.low[index(900_000)] - 845.0).abs() < 1e-6
                && (band.high[index(900_000)] - 955.0).abs() < 1e-6
        );
        assert!(data.grid.end > 1_200_000, "the crossing is not at the very edge");
        assert!(data.looks[1].dashed && !data.looks[0].dashed);
        assert_eq!(slope.name, "slope, if this goes on");
    }

    #[test]
    fn no_slope_is_drawn_through_what_stands() {
        let data = drawn(json!({
            "values": [[0, 1.0], [15_000, 2.0]], "fit": [[0, 1.0], [15_000, 1.0]],
            "fit_low": [[0, 0.0], [15_000, 0.0]], "fit_high": [[0, 2.0], [15_000, 2.0]],
            "risk": {"risk": {"outlook": {"trend": "steady", "slope": 0.0}}},
        }));
        assert_eq!(data.unwrap().series.len(), 1);
    }

    #[test]
    fn a_breach_far_ahead_does_not_press_the_values_flat() {
        let data = drawn(json!({
            "values": [[0, 1.0], [15_000, 2.0], [30_000, 3.0]], "fit": [[0, 1.0], [86_400_000, 9.0]],
            "fit_low": [[0, 1.0], [86_400_000, 9.0]], "fit_high": [[0, 1.0], [86_400_000, 9.0]],
        }))
        .unwrap();
        assert!(data.grid.end <= 30_000 * 6, "{:?}", data.grid);
        assert!(data.grid.len() <= 402);
    }

    #[test]
    fn a_missed_scrape_is_bridged_and_a_long_silence_is_a_gap() {
        let data =
            drawn(json!({"values": [[0, 1.0], [15_000, 2.0], [45_000, 4.0], [60_000, 5.0], [300_000, 9.0],
            [315_000, 9.0]]}))
            .unwrap();
        let at = |at: i64| data.series[0].values[data.grid.index(at).unwrap()];
        assert_eq!(at(30_000), 3.0);
        assert!(at(150_000).is_nan());
        assert_eq!(data.series.len(), 1, "nothing was fitted");
    }

    #[test]
    fn one_value_is_no_line() {
        assert_eq!(drawn(json!({})), None);
        assert_eq!(drawn(json!({"values": [[5, 1.0]]})), None);
        assert_eq!(drawn(json!({"values": [[5, 1.0], [5, 2.0]]})), None);
        assert!(drawn(json!({"values": [[0, 1.0], [1, 2.0]]})).is_some());
    }
}
