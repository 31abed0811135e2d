//! A range of a query on one grid of times: what Prometheus's `matrix` becomes before it is drawn.

use std::collections::BTreeMap;

use serde::Deserialize;

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

impl Grid {
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
}

impl Series {
    /// The last value there is.
    pub fn last(&self) -> Option<f64> {
        self.values.iter().rev().copied().find(|value| !value.is_nan())
    }

    /// The smallest and the largest finite value.
    pub fn range(&self) -> Option<(f64, f64)> {
        let finite = self.values.iter().copied().filter(|value| value.is_finite());
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

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Raw>,
}

/// Reads the body of a `query_range` answer; the error is in words.
pub fn parse_matrix(body: &str) -> Result<Vec<Raw>, String> {
    let answer: Answer =
        crate::json::read(body).map_err(|error| format!("The answer is not readable: {error}"))?;
    match answer.data {
        Some(data) => Ok(data.result),
        None if answer.error.is_empty() => Err("The answer holds no data".to_owned()),
        None => Err(answer.error),
    }
}

/// Lays the answers of a chart's queries on its grid. Each comes with its legend: `{label}` stands for a
/// label's value; empty means the labels in which the series of that answer differ.
pub fn lay_out(grid: Grid, answers: Vec<(&str, Vec<Raw>)>) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    for (legend, raws) in answers {
        let differing = differing_labels(&raws);
        for raw in &raws {
            let name = if legend.is_empty() {
                named_by(&raw.metric, &differing)
            } else {
                filled(legend, &raw.metric)
            };
            let values = on_grid(grid, &raw.values);
            if values.iter().any(|value| !value.is_nan()) {
                all.push(Series { name, values });
            }
        }
    }
    all
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
        let raws = parse_matrix(body).unwrap();
        let series = lay_out(GRID, vec![("", raws)]);
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
            lay_out(GRID, vec![(legend, raws().into())]).into_iter().map(|series| series.name).collect()
        };
        assert_eq!(names(""), ["in", "out"]);
        assert_eq!(names("to {direction}{gone}"), ["to in", "to out"]);
        assert_eq!(names("open {"), ["open {", "open {"]);
    }

    #[test]
    fn an_error_of_the_api_is_said() {
        assert_eq!(parse_matrix(r#"{"status":"error","error":"bad query"}"#).err().unwrap(), "bad query");
        assert!(parse_matrix("<html>").is_err());
        assert!(
            parse_matrix(r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#)
                .unwrap()
                .is_empty()
        );
    }
}
