//! A chart as SVG that fits whatever room it is given: the lines are drawn on a sheet of 1,000 by 1,000 that is
//! stretched, the letters stand beside it and are not.

use std::fmt::Write as _;

use fleetglass_shared::{
    calendar,
    format::{ValueAxis, axis_unit, number},
    health::UnixMillis,
};
use maud::{Markup, PreEscaped, html};
use serde_json::json;

use super::model::{ChartLine, ChartPart};

/// The sheet's width and height.
const SHEET: f64 = 1000.0;
const MOST_TIMES: i64 = 6;
const STEPS: [i64; 19] = [
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    172_800_000,
    604_800_000,
    1_209_600_000,
    2_592_000_000,
    5_184_000_000,
    7_776_000_000,
    15_552_000_000,
];

/// The chart, its legend, and what the crosshair reads.
pub(super) fn drawn(chart: &ChartPart) -> Markup {
    let last = chart.series.iter().map(|line| line.values.len()).max().unwrap_or(0).saturating_sub(1);
    let end = chart.start + chart.step_ms * i64::try_from(last).unwrap_or(0);
    let (low, high) = extremes(chart);
    let unit = axis_unit(high.abs().max(low.abs()), &chart.unit);
    let axis = ValueAxis::new(low / unit.divisor, high / unit.divisor, chart.from_zero);
    let y = |value: f64| SHEET * (1.0 - (value / unit.divisor - axis.low) / (axis.high - axis.low));
    let height = |tick: f64| (1.0 - (tick - axis.low) / (axis.high - axis.low)) * 100.0;
    let (step, times) = times(chart.start, end);
    let place = |at: UnixMillis| (at - chart.start) as f64 / (end - chart.start).max(1) as f64;
    let grid: String = axis.ticks.iter().fold(String::new(), |mut path, tick| {
        // Writing to a String never fails.
        let _ = write!(path, "M0 {:.1}H1000", height(*tick) * 10.0);
        path
    });
    let widest = axis.ticks.iter().map(|tick| axis.label(*tick).chars().count()).max().unwrap_or(1);
    let is_alone = chart.series.len() == 1;
    html! {
        div class="chart" {
            @if !unit.name.is_empty() { p class="unit faint" { (unit.name) } }
            svg class=(format!("y-axis wide-{}", widest.min(8))) aria-hidden="true" {
                @for tick in &axis.ticks {
                    text x="100%" y=(percent(height(*tick))) dy=".32em" text-anchor="end" { (axis.label(*tick)) }
                }
            }
            div class="plot" role="slider" tabindex="0" aria-label=(format!("{}, read at a time", chart.name))
                aria-valuemin="0" aria-valuemax=(last) aria-valuenow=(last) aria-valuetext=(spoken(chart)) {
                svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true" {
                    path class="grid" d=(grid) {}
                    @for (at, line) in chart.series.iter().enumerate() {
                        @let path = path(line, last, &y);
                        @if is_alone { path class="area s0" d=(area(line, last, &y)) {} }
                        path class=(format!("line s{}", at % 8)) d=(path) {}
                    }
                    @if let Some(bound) = &chart.bound { path class="bound" d=(format!("M0 {:.1}H1000", y(bound.value))) {} }
                }
                @if let Some(bound) = &chart.bound {
                    svg class="bound-name" aria-hidden="true" {
                        text x="100%" y=(percent((y(bound.value) / 10.0).clamp(0.0, 100.0))) dy="-4" text-anchor="end" {
                            (bound.title) " " (number(bound.value, &chart.unit))
                        }
                    }
                }
                svg class="cross" aria-hidden="true" data-keep="" {}
            }
            svg class="x-axis" aria-hidden="true" data-step=(step) data-start=(chart.start) data-end=(end) {
                @for at in times {
                    text x=(percent(place(at) * 100.0)) y="13" text-anchor=(anchor(place(at))) data-at=(at) {
                        (label(at, step))
                    }
                }
            }
        }
        p class="tip" data-keep="" hidden {}
        (legend(chart))
        script type="application/json" class="data" { (PreEscaped(data(chart).replace('<', "\\u003c"))) }
    }
}

fn legend(chart: &ChartPart) -> Markup {
    let is_named = chart.series.len() > 1 || chart.series.iter().any(|line| !line.name.is_empty());
    html! {
        @if is_named {
            ul class="legend" {
                @for (at, line) in chart.series.iter().enumerate() {
                    li {
                        svg class="swatch" viewBox="0 0 12 8" aria-hidden="true" { path class=(format!("line s{}", at % 8)) d="M0 4H12" {} }
                        bdi class="name" { (line.name) }
                        " " b class="num" { (line.last) }
                    }
                }
                @if chart.more > 0 { li class="faint" { "and " (chart.more) " more" } }
            }
        }
    }
}

/// What the script reads: for each time what the lines say, in words.
fn data(chart: &ChartPart) -> String {
    let words = |line: &ChartLine| -> Vec<String> {
        line.values
            .iter()
            .map(|value| value.map_or_else(String::new, |value| number(value, &chart.unit)))
            .collect()
    };
    let (low, high) = extremes(chart);
    let unit = axis_unit(high.abs().max(low.abs()), &chart.unit);
    let axis = ValueAxis::new(low / unit.divisor, high / unit.divisor, chart.from_zero);
    let heights = |line: &ChartLine| -> Vec<Option<f64>> {
        let height =
            |value: f64| ((value / unit.divisor - axis.low) / (axis.high - axis.low) * 1e4).round() / 1e4;
        line.values.iter().map(|value| value.map(height)).collect()
    };
    let lines: Vec<_> = chart
        .series
        .iter()
        .map(|line| json!({"name": line.name, "words": words(line), "heights": heights(line)}))
        .collect();
    json!({"start": chart.start, "step": chart.step_ms, "lines": lines}).to_string()
}

fn extremes(chart: &ChartPart) -> (f64, f64) {
    let values = chart.series.iter().flat_map(|line| line.values.iter().flatten().copied());
    let all = values.chain(chart.bound.as_ref().map(|bound| bound.value)).filter(|value| value.is_finite());
    all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// A chart for those who do not see it.
fn spoken(chart: &ChartPart) -> String {
    let one = |line: &ChartLine| match line.name.is_empty() {
        true => format!("now {}", line.last),
        false => format!("{}: now {}", line.name, line.last),
    };
    match chart.series.as_slice() {
        [] => "no values".to_owned(),
        lines => lines.iter().take(8).map(one).collect::<Vec<_>>().join("; "),
    }
}

fn path(line: &ChartLine, last: usize, y: &impl Fn(f64) -> f64) -> String {
    runs(line).into_iter().fold(String::new(), |mut path, run| {
        for (at, index) in run.clone().enumerate() {
            let Some(value) = line.values[index] else { continue };
            let _ = write!(path, "{}{:.1} {:.1}", if at == 0 { "M" } else { "L" }, x(index, last), y(value));
        }
        // A line of no length is a dot, with round ends.
        if run.len() == 1 {
            path.push_str("h.01");
        }
        path
    })
}

fn area(line: &ChartLine, last: usize, y: &impl Fn(f64) -> f64) -> String {
    runs(line).into_iter().filter(|run| run.len() > 1).fold(String::new(), |mut path, run| {
        let _ = write!(path, "M{:.1} 1000", x(run.start, last));
        for index in run.clone() {
            let Some(value) = line.values[index] else { continue };
            let _ = write!(path, "L{:.1} {:.1}", x(index, last), y(value));
        }
        let _ = write!(path, "L{:.1} 1000Z", x(run.end - 1, last));
        path
    })
}

fn x(index: usize, last: usize) -> f64 {
    SHEET * index as f64 / last.max(1) as f64
}

/// The stretches without a gap.
fn runs(line: &ChartLine) -> Vec<std::ops::Range<usize>> {
    let mut all: Vec<std::ops::Range<usize>> = Vec::new();
    let known = line.values.iter().enumerate().filter(|(_, value)| value.is_some_and(f64::is_finite));
    for (index, _) in known {
        match all.last_mut() {
            Some(run) if run.end == index => run.end = index + 1,
            _ => all.push(index..index + 1),
        }
    }
    all
}

/// Round times of a span, and how far they are apart.
fn times(start: UnixMillis, end: UnixMillis) -> (i64, Vec<UnixMillis>) {
    let step =
        STEPS.into_iter().find(|step| (end - start) / step < MOST_TIMES).unwrap_or(STEPS[STEPS.len() - 1]);
    let first = (start + step - 1).div_euclid(step) * step;
    (step, (0..MOST_TIMES).map(|at| first + at * step).take_while(|at| *at <= end).collect())
}

/// A time in UTC; the script writes that of the viewer's zone.
fn label(at: UnixMillis, step: i64) -> String {
    let seconds = at.div_euclid(1000);
    let (_, month, day) = calendar::civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    match step {
        86_400_000.. => format!("{month:02}-{day:02}"),
        _ => format!("{:02}:{:02}", second / 3600, second / 60 % 60),
    }
}

fn anchor(place: f64) -> &'static str {
    match place {
        ..0.04 => "start",
        0.96.. => "end",
        _ => "middle",
    }
}

fn percent(part: f64) -> String {
    format!("{part:.2}%")
}

/// The small chart of a node: the last hour, stretched to its place.
pub(super) fn spark(values: &[Option<f32>]) -> Markup {
    let line = ChartLine {
        values: values.iter().map(|value| value.map(f64::from)).collect(),
        ..ChartLine::default()
    };
    let known = line.values.iter().flatten().copied().filter(|value| value.is_finite());
    let (low, high) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    // A change of a hundredth is not to look like a cliff.
    let span = (high - low).max(high.abs() * 0.1).max(f64::MIN_POSITIVE);
    let middle = f64::midpoint(low, high);
    let y = |value: f64| (SHEET / 2.0 - (value - middle) / span * (SHEET * 0.84)).clamp(20.0, 980.0);
    let last = line.values.len().saturating_sub(1);
    html! {
        svg class="spark" viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true" {
            path class="area s0" d=(area(&line, last, &y)) {}
            path class="line s0" d=(path(&line, last, &y)) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: Vec<Option<f64>>) -> ChartPart {
        let series = vec![ChartLine { name: "</script>".to_owned(), values, last: "3".to_owned() }];
        ChartPart { start: 0, step_ms: 60_000, series, from_zero: true, ..ChartPart::default() }
    }

    #[test]
    fn gaps_are_gaps_and_a_lone_value_is_a_dot() {
        let line = chart(vec![Some(1.0), Some(2.0), None, Some(3.0), None]).series.remove(0);
        assert_eq!(path(&line, 4, &|value| value), "M0.0 1.0L250.0 2.0M750.0 3.0h.01");
        assert_eq!(area(&line, 4, &|value| value), "M0.0 1000L0.0 1.0L250.0 2.0L250.0 1000Z");
    }

    #[test]
    fn odd_values_are_drawn_or_left_out() {
        for values in
            [vec![], vec![None; 5], vec![Some(f64::INFINITY), Some(1.0)], vec![Some(1e300), Some(-1e300)]]
        {
            let html = drawn(&chart(values)).into_string();
            assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
        }
        let html = drawn(&chart(vec![Some(1.0)])).into_string();
        assert_eq!(html.matches("</script>").count(), 1, "what a name says ends no script: {html}");
    }

    #[test]
    fn times_are_round_and_few() {
        for (span, step) in [(3_600_000, 900_000), (86_400_000, 21_600_000), (30 * 86_400_000, 604_800_000)] {
            let (found, times) = times(1_700_000_123_000, 1_700_000_123_000 + span);
            assert_eq!(found, step);
            assert!((2..=6).contains(&times.len()) && times.iter().all(|at| at % step == 0), "{times:?}");
        }
        assert_eq!(label(1_700_000_000_000, 60_000), "22:13");
        assert_eq!(label(1_700_000_000_000, 86_400_000), "11-14");
    }
}
