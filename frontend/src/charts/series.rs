//! A range of a query on one grid of times: what the answer of the chart API becomes before it is drawn.

use std::collections::BTreeMap;

use fleetglass_shared::health::UnixMillis;
use serde::Deserialize;

use super::range::Range;
use super::times::{DAY, HOUR, MINUTE, SECOND};

/// The times of a chart: `start`, `start + step`, … up to `end`, all in Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The first time, a multiple of `step` so that two refreshes ask for the same times.
    pub start: i64,
    /// The last time.
    pub end: i64,
    /// From one time to the next.
    pub step: i64,
}

/// More times than this are not asked for: a chart is a few hundred pixels wide.
const MOST_POINTS: i64 = 240;

/// Whole seconds, as Prometheus's API takes them without a fraction; from five minutes on whole numbers of the
/// tiers' steps, so that a value is one of theirs.
const STEPS: [i64; 18] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    20 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
];

impl Grid {
    /// The grid of a range: as close as the values are, which come every `interval`, but with no more times than
    /// a chart has use for. It holds all of the range, and a little more at its ends.
    pub fn of(range: Range, interval: i64, now: UnixMillis) -> Self {
        let least = interval.max(range.millis() / MOST_POINTS);
        let step = STEPS.into_iter().find(|step| *step >= least).unwrap_or((least / DAY + 1) * DAY);
        let (from, to) = range.at(now);
        // The newest value of close ones is there already; of far ones the last is still being made.
        if matches!(range, Range::Last(_)) && step <= MINUTE {
            return Self::last(range.millis(), step, now);
        }
        let start = from.div_euclid(step) * step;
        Self { start, end: (to + step - 1).div_euclid(step) * step, step }
    }

    /// How long it is.
    pub fn length(self) -> i64 {
        self.end - self.start
    }

    /// A time as a place between the indices.
    pub fn place(self, at: UnixMillis) -> f64 {
        (at - self.start) as f64 / self.step as f64
    }

    /// The same span with another step.
    pub fn with_step(self, step: i64) -> Self {
        if step > 0 { Self { step, ..self } } else { self }
    }

    /// The grid of the last `window` milliseconds before `now`.
    pub fn last(window: i64, step: i64, now: i64) -> Self {
        let step = step.max(1);
        let end = now.div_euclid(step) * step;
        let start = (end - window).div_euclid(step) * step;
        Self { start, end, step }
    }

    /// How many times there are.
    pub fn len(self) -> usize {
        usize::try_from((self.end - self.start) / self.step + 1).unwrap_or(0)
    }

    /// The time nearest to `at`, as an index.
    pub fn index(self, at: i64) -> Option<usize> {
        let nearest = (at - self.start + self.step / 2).div_euclid(self.step);
        usize::try_from(nearest).ok().filter(|&index| index < self.len())
    }

    /// The time of an index.
    pub fn time(self, index: usize) -> i64 {
        self.start + self.step * index as i64
    }
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What the legend says; empty for the only line of a chart.
    pub name: String,
    /// One value for each time of the grid; NaN where there is none.
    pub values: Vec<f64>,
    /// The smallest and the largest value of each step, where the values stand for more than themselves.
    pub band: Option<Band>,
}

/// Two values for each time of the grid; NaN where there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// The smallest.
    pub low: Vec<f64>,
    /// The largest.
    pub high: Vec<f64>,
}

impl Series {
    /// The last value there is.
    pub fn last(&self) -> Option<f64> {
        self.values.iter().rev().copied().find(|value| !value.is_nan())
    }

    /// The smallest and the largest finite value, those of the band included.
    pub fn range(&self) -> Option<(f64, f64)> {
        let band = self.band.iter().flat_map(|band| band.low.iter().chain(&band.high));
        let finite = self.values.iter().chain(band).copied().filter(|value| value.is_finite());
        finite.fold(None, |range, value| match range {
            None => Some((value, value)),
            Some((low, high)) => Some((value.min(low), value.max(high))),
        })
    }
}

/// One series of a `matrix` as it came: its labels and its samples (Unix seconds, value as text).
#[derive(Deserialize)]
pub struct Raw {
    metric: BTreeMap<String, String>,
    values: Vec<(f64, String)>,
}

/// What values stand for, from the closest to the coarsest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// As they were scraped.
    #[default]
    Raw,
    /// Five minutes each.
    Minutes,
    /// An hour each.
    Hours,
    /// Whatever the long-term store keeps.
    LongTerm,
}

impl Tier {
    fn parse(word: &str) -> Self {
        match word {
            "5m" => Self::Minutes,
            "1h" => Self::Hours,
            "long_term" => Self::LongTerm,
            _ => Self::Raw,
        }
    }

    /// What a person reads; nothing for values as they were scraped.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Raw => "",
            Self::Minutes => "5-minute values",
            Self::Hours => "hourly values",
            Self::LongTerm => "values of the long-term store",
        }
    }
}

/// What the chart API answers to one query.
pub struct Answer {
    result: Vec<Raw>,
    low: Vec<Raw>,
    high: Vec<Raw>,
    /// What the values stand for.
    pub tier: Tier,
    /// From one time to the next, in milliseconds; 0 when it is the one that was asked for.
    pub step: i64,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Raw>,
    #[serde(default)]
    low: Vec<Raw>,
    #[serde(default)]
    high: Vec<Raw>,
    #[serde(default)]
    tier: String,
    #[serde(default)]
    step: f64,
}

/// Reads the body of an answer of `/api/v1/chart`; the error is in words.
pub fn parse_answer(body: &str) -> Result<Answer, String> {
    let body: Body =
        crate::json::read(body).map_err(|error| format!("The answer is not readable: {error}"))?;
    match body.data {
        Some(Data { result, low, high, tier, step }) => {
            Ok(Answer { result, low, high, tier: Tier::parse(&tier), step: (step * 1000.0).round() as i64 })
        }
        None if body.error.is_empty() => Err("The answer holds no data".to_owned()),
        None => Err(body.error),
    }
}

/// Lays the answers of a chart's queries on its grid. Each comes with its legend: `{label}` stands for a
/// label's value; empty means the labels in which the series of that answer differ.
pub fn lay_out(grid: Grid, answers: Vec<(&str, Answer)>) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    for (legend, answer) in answers {
        let differing = differing_labels(&answer.result);
        for raw in &answer.result {
            let name = if legend.is_empty() {
                named_by(&raw.metric, &differing)
            } else {
                filled(legend, &raw.metric)
            };
            let values = on_grid(grid, &raw.values);
            if values.iter().any(|value| !value.is_nan()) {
                all.push(Series { name, values, band: band(grid, &answer, raw) });
            }
        }
    }
    all
}

fn band(grid: Grid, answer: &Answer, raw: &Raw) -> Option<Band> {
    let of = |side: &[Raw]| {
        side.iter().find(|other| other.metric == raw.metric).map(|found| on_grid(grid, &found.values))
    };
    Some(Band { low: of(&answer.low)?, high: of(&answer.high)? })
}

fn on_grid(grid: Grid, samples: &[(f64, String)]) -> Vec<f64> {
    let mut values = vec![f64::NAN; grid.len()];
    for (seconds, text) in samples {
        if let Some(index) = grid.index((seconds * 1000.0).round() as i64) {
            values[index] = parse_value(text);
        }
    }
    values
}

/// Prometheus writes infinities as `+Inf`, which Rust reads as well; anything else that is no number is a gap.
fn parse_value(text: &str) -> f64 {
    crate::json::number(text)
}

fn differing_labels(raws: &[Raw]) -> Vec<&str> {
    let Some((first, rest)) = raws.split_first() else { return Vec::new() };
    let mut names: Vec<&str> = raws.iter().flat_map(|raw| raw.metric.keys()).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| rest.iter().any(|raw| raw.metric.get(*name) != first.metric.get(*name)));
    names
}

/// One differing label is its value alone; several are `a=1 b=2`.
fn named_by(labels: &BTreeMap<String, String>, differing: &[&str]) -> String {
    match differing {
        [only] => labels.get(*only).cloned().unwrap_or_default(),
        _ => {
            let pairs = differing.iter().filter_map(|name| Some(format!("{name}={}", labels.get(*name)?)));
            pairs.collect::<Vec<_>>().join(" ")
        }
    }
}

/// Replaces each `{label}` by its value, or by nothing.
fn filled(legend: &str, labels: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(legend.len());
    let mut rest = legend;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        out.push_str(labels.get(name).map_or("", String::as_str));
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GRID: Grid = Grid { start: 60_000, end: 120_000, step: 15_000 };

    #[test]
    fn a_grid_does_not_jitter_between_refreshes() {
        let one = Grid::last(900_000, 15_000, 1_700_000_003_000);
        let two = Grid::last(900_000, 15_000, 1_700_000_009_000);
        assert_eq!(one, two);
        assert_eq!(one.len(), 61);
        assert_eq!(one.index(one.start - 10_000), None);
        assert_eq!(one.index(one.time(7) + 7_000), Some(7));
        assert_eq!(one.index(one.end + 8_000), None);
    }

    #[test]
    fn missed_steps_and_words_that_are_no_numbers_are_gaps() {
        let body = r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"__name__":"up","a":"x"},"values":[[60,"1"],[75,"NaN"],[105.001,"2"],[120,"what"]]}]}}"#;
        let answer = parse_answer(body).unwrap();
        assert_eq!((answer.tier, answer.step), (Tier::Raw, 0));
        let series = lay_out(GRID, vec![("", answer)]);
        assert_eq!(series.len(), 1);
        assert_eq!(series[0].name, "");
        let shown: Vec<String> = series[0].values.iter().map(f64::to_string).collect();
        assert_eq!(shown, ["1", "NaN", "NaN", "2", "NaN"]);
        assert_eq!((series[0].last(), series[0].range()), (Some(2.0), Some((1.0, 2.0))));
    }

    #[test]
    fn names_come_from_the_legend_or_from_what_differs() {
        let raws = || {
            ["in", "out"].map(|direction| Raw {
                metric: BTreeMap::from([
                    ("direction".into(), direction.into()),
                    ("instance".into(), "n".into()),
                ]),
                values: vec![(60.0, "1".into())],
            })
        };
        let names = |legend: &str| -> Vec<String> {
            let answer =
                Answer { result: raws().into(), low: vec![], high: vec![], tier: Tier::Raw, step: 0 };
            lay_out(GRID, vec![(legend, answer)]).into_iter().map(|series| series.name).collect()
        };
        assert_eq!(names(""), ["in", "out"]);
        assert_eq!(names("to {direction}{gone}"), ["to in", "to out"]);
        assert_eq!(names("open {"), ["open {", "open {"]);
    }

    #[test]
    fn an_error_of_the_api_is_said() {
        assert_eq!(parse_answer(r#"{"status":"error","error":"bad query"}"#).err().unwrap(), "bad query");
        assert!(parse_answer("<html>").is_err());
        let none = parse_answer(r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#);
        assert!(none.unwrap().result.is_empty());
    }

    #[test]
    fn a_tier_brings_its_low_and_high() {
        let body = r#"{"status":"success","data":{"resultType":"matrix","tier":"5m","step":30,
            "result":[{"metric":{"a":"x"},"values":[[60,"2"],[90,"3"]]},{"metric":{"a":"y"},"values":[[60,"7"]]}],
            "low":[{"metric":{"a":"x"},"values":[[60,"1"]]}],"high":[{"metric":{"a":"x"},"values":[[60,"9"]]}]}}"#;
        let answer = parse_answer(body).unwrap();
        assert_eq!((answer.tier.in_words(), answer.step), ("5-minute values", 30_000));
        let series = lay_out(GRID.with_step(answer.step), vec![("", answer)]);
        let band = series[0].band.as_ref().unwrap();
        assert_eq!((band.low[0], band.high[0], band.low.len()), (1.0, 9.0, 3));
        assert!(band.low[1].is_nan());
        assert_eq!(series[0].range(), Some((1.0, 9.0)));
        assert_eq!((series[1].band.as_ref(), series[1].range()), (None, Some((7.0, 7.0))));
    }

    #[test]
    fn a_range_has_few_times_and_lies_within_its_grid() {
        let now = 1_700_000_003_000;
        for (_, word, _) in crate::charts::range::CHOICES {
            let range = Range::parse(Some(word), None, None);
            let grid = Grid::of(range, 15_000, now);
            assert!((60..=250).contains(&grid.len()), "{word} {}", grid.len());
            assert_eq!((grid.start % grid.step, grid.length() % grid.step), (0, 0), "{word}");
            assert!(grid.start <= now - range.millis() && grid.end > now - grid.step.min(MINUTE), "{word}");
        }
        let grid = Grid::of(Range::Between(1_000, 61_000), 15_000, now);
        assert_eq!(grid, Grid { start: 0, end: 75_000, step: 15_000 });
        assert_eq!(Grid::of(Range::last(5 * 365 * DAY), 15_000, now).step, 8 * DAY);
        assert_eq!(grid.place(7_500), 0.5);
    }
}
