//! Evaluates an expression over a grid of steps.

use std::collections::HashMap;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, METRIC_NAME, Matcher};

use super::functions::{Bucket, Sum, bucket_quantile, increase};
use super::parse::{Expr, Fold, Op, parse};
use super::{LIMITS, QueryError, Source};
use crate::store::{Sample, SelectError, Series, is_stale};

/// How long a sample counts as the present one.
const LOOK_BACK_MS: i64 = 5 * 60 * 1000;

/// The most points a series of an answer has, as in Prometheus.
pub(super) const MAX_POINTS: i64 = 11_000;

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, the same at every step.
    Scalar(f64),
    /// Series with a value, or none, at each step.
    Vector(Vec<Line>),
}

/// One series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its labels.
    pub labels: LabelSet,
    /// At each step of the query its value, if it has one.
    pub points: Vec<Option<f64>>,
}

/// The steps of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The first.
    pub start: UnixMillis,
    /// None is later.
    pub end: UnixMillis,
    /// From one to the next; more than 0.
    pub step: i64,
}

impl Steps {
    /// The times.
    pub fn times(self) -> impl Iterator<Item = UnixMillis> {
        (self.start..=self.end).step_by(usize::try_from(self.step).unwrap_or(1).max(1))
    }
}

/// Evaluates an expression at every step from `start` to `end`, both inclusive, in milliseconds.
///
/// # Errors
/// [`QueryError::BadData`] for an expression or steps that cannot be used, [`QueryError::Execution`] for one
/// that has no answer over these data, or too large a one.
pub fn evaluate_range(
    source: &dyn Source,
    expr: &str,
    start: UnixMillis,
    end: UnixMillis,
    step: i64,
) -> Result<Value, QueryError> {
    let expr = parse(expr)?;
    if step <= 0 {
        return Err(QueryError::BadData(
            "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a \
             positive integer"
                .to_owned(),
        ));
    }
    if end < start {
        return Err(QueryError::BadData(
            "invalid parameter \"end\": end timestamp must not be before start time".to_owned(),
        ));
    }
    if end.saturating_sub(start) / step > MAX_POINTS {
        return Err(QueryError::BadData(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution \
             (?step=XX)"
                .to_owned(),
        ));
    }
    Evaluator { source, steps: Steps { start, end, step } }.eval(&expr)
}

struct Evaluator<'a> {
    source: &'a dyn Source,
    steps: Steps,
}

impl Evaluator<'_> {
    fn eval(&self, expr: &Expr) -> Result<Value, QueryError> {
        Ok(match expr {
            Expr::Number(number) => Value::Scalar(*number),
            Expr::Instant(selector) => Value::Vector(self.instant(&selector.matchers)?),
            Expr::Growth { per_second, of, window_ms } => {
                Value::Vector(self.growth(&of.matchers, *window_ms, *per_second)?)
            }
            Expr::Quantile { quantile, of } => {
                let Value::Scalar(quantile) = self.eval(quantile)? else {
                    return Err(type_error("histogram_quantile", "a number first"));
                };
                let Value::Vector(lines) = self.eval(of)? else {
                    return Err(type_error("histogram_quantile", "an instant vector"));
                };
                Value::Vector(quantiles(quantile, lines))
            }
            Expr::Aggregate { fold, by, without, of } => {
                let Value::Vector(lines) = self.eval(of)? else {
                    return Err(type_error("an aggregation", "an instant vector"));
                };
                Value::Vector(aggregate(*fold, by, *without, lines))
            }
            Expr::Binary { op, left, right } => binary(*op, self.eval(left)?, self.eval(right)?)?,
        })
    }

    fn select(&self, matchers: &[Matcher], back_ms: i64) -> Result<Vec<Series>, QueryError> {
        let start = self.steps.start.saturating_sub(back_ms).saturating_add(1);
        let failed = |error: SelectError| QueryError::Execution(error.to_string());
        let series = self.source.select(matchers, start, self.steps.end).map_err(failed)?;
        let points = series.len().saturating_mul(self.steps.times().count());
        if points > LIMITS.max_samples {
            let most = LIMITS.max_samples;
            let problem = format!(
                "the query makes {points} points, more than {most}; use a larger step, or add label matchers"
            );
            return Err(QueryError::Execution(problem));
        }
        Ok(series)
    }

    /// The newest sample of each series, at most five minutes old and not stale.
    fn instant(&self, matchers: &[Matcher]) -> Result<Vec<Line>, QueryError> {
        let line = |series: Series| {
            let mut next = 0;
            let at = |time: UnixMillis| {
                while series.samples.get(next).is_some_and(|&(at, _)| at <= time) {
                    next += 1;
                }
                let &(at, value) = series.samples.get(next.checked_sub(1)?)?;
                (at > time - LOOK_BACK_MS && !is_stale(value)).then_some(value)
            };
            Line { points: self.steps.times().map(at).collect(), labels: series.labels }
        };
        Ok(some(self.select(matchers, LOOK_BACK_MS)?.into_iter().map(line)))
    }

    fn growth(
        &self,
        matchers: &[Matcher],
        window_ms: i64,
        per_second: bool,
    ) -> Result<Vec<Line>, QueryError> {
        let line = |mut series: Series| {
            series.samples.retain(|&(_, value)| !is_stale(value));
            let samples: &[Sample] = &series.samples;
            let (mut first, mut behind) = (0, 0);
            let at = |time: UnixMillis| {
                while samples.get(behind).is_some_and(|&(at, _)| at <= time) {
                    behind += 1;
                }
                while first < behind && samples[first].0 <= time - window_ms {
                    first += 1;
                }
                let growth = increase(&samples[first..behind], time - window_ms, time)?;
                Some(if per_second { growth / (window_ms as f64 / 1000.0) } else { growth })
            };
            Line { points: self.steps.times().map(at).collect(), labels: nameless(&series.labels) }
        };
        let lines = some(self.select(matchers, window_ms)?.into_iter().map(line));
        unique(&lines)?;
        Ok(lines)
    }
}

/// Lines that have any point.
fn some(lines: impl Iterator<Item = Line>) -> Vec<Line> {
    lines.filter(|line| line.points.iter().any(Option::is_some)).collect()
}

fn nameless(labels: &LabelSet) -> LabelSet {
    labels.without(|name| name == METRIC_NAME)
}

fn type_error(what: &str, wanted: &str) -> QueryError {
    QueryError::BadData(format!("invalid parameter \"query\": parse error: {what} takes {wanted}"))
}

/// Without their names two series may have become one.
fn unique(lines: &[Line]) -> Result<(), QueryError> {
    let mut seen = std::collections::HashSet::with_capacity(lines.len());
    match lines.iter().find(|line| !seen.insert(&line.labels)) {
        Some(_) => {
            Err(QueryError::Execution("vector cannot contain metrics with the same labelset".to_owned()))
        }
        None => Ok(()),
    }
}

fn binary(op: Op, left: Value, right: Value) -> Result<Value, QueryError> {
    let apply = |a: f64, b: f64| match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div => a / b,
    };
    let each = |lines: Vec<Line>, with: &dyn Fn(f64) -> f64| {
        let line = |line: Line| Line {
            labels: nameless(&line.labels),
            points: line.points.into_iter().map(|point| point.map(with)).collect(),
        };
        let lines: Vec<Line> = lines.into_iter().map(line).collect();
        unique(&lines).map(|()| Value::Vector(lines))
    };
    match (left, right) {
        (Value::Scalar(a), Value::Scalar(b)) => Ok(Value::Scalar(apply(a, b))),
        (Value::Vector(lines), Value::Scalar(b)) => each(lines, &|a| apply(a, b)),
        (Value::Scalar(a), Value::Vector(lines)) => each(lines, &|b| apply(a, b)),
        (Value::Vector(left), Value::Vector(right)) => matched(left, right, apply),
    }
}

/// One to one, on all labels but the name.
fn matched(left: Vec<Line>, right: Vec<Line>, apply: impl Fn(f64, f64) -> f64) -> Result<Value, QueryError> {
    let many = |labels: &LabelSet, side: &str| {
        QueryError::Execution(format!(
            "found duplicate series for the match group {labels} on the {side} hand-side of the operation; \
             many-to-many matching not allowed: matching labels must be unique on one side"
        ))
    };
    let mut by_labels: HashMap<LabelSet, Vec<Option<f64>>> = HashMap::with_capacity(right.len());
    for line in right {
        let labels = nameless(&line.labels);
        if by_labels.insert(labels.clone(), line.points).is_some() {
            return Err(many(&labels, "right"));
        }
    }
    let mut seen = std::collections::HashSet::new();
    let mut lines = Vec::new();
    for line in left {
        let labels = nameless(&line.labels);
        let Some(others) = by_labels.get(&labels) else { continue };
        if !seen.insert(labels.clone()) {
            return Err(many(&labels, "left"));
        }
        let pairs = line.points.iter().zip(others);
        let points = pairs.map(|(a, b)| Some(apply((*a)?, (*b)?))).collect();
        lines.push(Line { labels, points });
    }
    Ok(Value::Vector(some(lines.into_iter())))
}

fn aggregate(fold: Fold, by: &[String], without: bool, lines: Vec<Line>) -> Vec<Line> {
    let mut groups: Vec<(LabelSet, Vec<Line>)> = Vec::new();
    let mut places: HashMap<LabelSet, usize> = HashMap::new();
    for line in lines {
        let named = |name: &str| by.iter().any(|label| label == name);
        let labels = line
            .labels
            .without(|name| if without { name == METRIC_NAME || named(name) } else { !named(name) });
        let place = *places.entry(labels.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push((labels, Vec::new()));
        }
        groups[place].1.push(line);
    }
    let group = |(labels, lines): (LabelSet, Vec<Line>)| {
        let steps = lines.first().map_or(0, |line| line.points.len());
        let at = |step: usize| folded(fold, lines.iter().filter_map(|line| line.points[step]));
        Line { labels, points: (0..steps).map(at).collect() }
    };
    some(groups.into_iter().map(group))
}

fn folded(fold: Fold, values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count, mut best) = (Sum::default(), 0u64, f64::NAN);
    for value in values {
        count += 1;
        sum.add(value);
        let better = if fold == Fold::Max { value > best } else { value < best };
        if best.is_nan() || better {
            best = value;
        }
    }
    (count > 0).then(|| match fold {
        Fold::Sum => sum.get(),
        Fold::Avg => sum.get() / count as f64,
        Fold::Count => count as f64,
        Fold::Max | Fold::Min => best,
    })
}

fn quantiles(quantile: f64, lines: Vec<Line>) -> Vec<Line> {
    let mut groups: Vec<(LabelSet, Vec<(f64, Line)>)> = Vec::new();
    let mut places: HashMap<LabelSet, usize> = HashMap::new();
    for line in lines {
        // A series without a bound is no bucket.
        let Some(upper) = line.labels.get("le").and_then(|le| le.parse::<f64>().ok()) else { continue };
        let labels = line.labels.without(|name| name == METRIC_NAME || name == "le");
        let place = *places.entry(labels.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push((labels, Vec::new()));
        }
        groups[place].1.push((upper, line));
    }
    let group = |(labels, lines): (LabelSet, Vec<(f64, Line)>)| {
        let steps = lines.first().map_or(0, |(_, line)| line.points.len());
        let at = |step: usize| {
            let bucket =
                |(upper, line): &(f64, Line)| line.points[step].map(|count| Bucket { upper: *upper, count });
            let buckets: Vec<Bucket> = lines.iter().filter_map(bucket).collect();
            (!buckets.is_empty()).then(|| bucket_quantile(quantile, buckets))
        };
        Line { labels, points: (0..steps).map(at).collect() }
    };
    some(groups.into_iter().map(group))
}
