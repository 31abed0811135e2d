//! Compares what came out with what should have.

use std::collections::BTreeMap;

use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::promql::{Value, is_stale};

use crate::case::{Case, Mode};
use fleetglass_shared::promql::notation::Sample;

/// Relative, as in Prometheus's own runner.
const TOLERANCE: f64 = 1e-6;

fn same(a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

/// The whole value.
pub(crate) fn value(case: &Case, value: &Value) -> Result<(), String> {
    match (value, case.mode) {
        (Value::Text(text), _) => match &case.string {
            Some(expected) if expected == text => Ok(()),
            expected => Err(format!("expected {expected:?}, got the string {text:?}")),
        },
        (Value::Matrix(series), _) => matrix(case, series),
        (Value::Scalar(values), Mode::Instant(_)) => match case.expected.as_slice() {
            [only] if only.labels.is_none() => {
                let got = values.first().copied().unwrap_or(f64::NAN);
                match only.samples.as_slice() {
                    [Some(Sample::Float(value))] if same(*value, got) => Ok(()),
                    expected => Err(format!("expected {expected:?}, got {got}")),
                }
            }
            expected => Err(format!("expected {expected:?}, got the number {values:?}")),
        },
        (Value::Scalar(values), Mode::Range(..)) => rows(case, &[(LabelSet::default(), values.clone())]),
        (Value::Vector(lines), _) => {
            let got: Vec<_> = lines.iter().map(|line| (line.labels.clone(), line.values.clone())).collect();
            rows(case, &got)
        }
    }
}

/// The middle one of three steps.
pub(crate) fn middle(case: &Case, value: &Value) -> Result<(), String> {
    match value {
        Value::Scalar(values) => rows_or_number(case, values.get(1).copied().unwrap_or(f64::NAN)),
        Value::Vector(lines) => {
            let got: Vec<_> = lines
                .iter()
                .filter_map(|line| Some((line.labels.clone(), vec![*line.values.get(1)?])))
                .filter(|(_, values)| !is_stale(values[0]))
                .collect();
            rows(case, &got)
        }
        _ => Ok(()),
    }
}

fn rows_or_number(case: &Case, got: f64) -> Result<(), String> {
    match case.expected.first().and_then(|expected| expected.samples.first()) {
        Some(Some(Sample::Float(value))) if same(*value, got) => Ok(()),
        expected => Err(format!("expected {expected:?}, got {got}")),
    }
}

fn rows(case: &Case, got: &[(LabelSet, Vec<f64>)]) -> Result<(), String> {
    let mut missing: BTreeMap<LabelSet, &[Option<Sample>]> = BTreeMap::new();
    for expected in &case.expected {
        missing.insert(expected.labels.clone().unwrap_or_default(), &expected.samples);
    }
    for (at, (labels, values)) in got.iter().enumerate() {
        let Some(expected) = missing.remove(labels) else {
            return Err(format!("unexpected {labels} {values:?}"));
        };
        if case.ordered && case.expected.get(at).and_then(|e| e.labels.as_ref()) != Some(labels) {
            return Err(format!("{labels} is at place {at}, and should not"));
        }
        for (step, value) in values.iter().enumerate() {
            let fits = match expected.get(step).copied().flatten() {
                None => is_stale(*value),
                Some(Sample::Float(expected)) => !is_stale(*value) && same(expected, *value),
                Some(Sample::Histogram) => false,
            };
            if !fits {
                return Err(format!("{labels}: expected {expected:?}, got {values:?} (step {step})"));
            }
        }
        if expected.iter().skip(values.len()).any(Option::is_some) {
            return Err(format!("{labels}: expected {expected:?}, got {values:?}"));
        }
    }
    missing.retain(|_, samples| samples.iter().any(Option::is_some));
    if missing.is_empty() { Ok(()) } else { Err(format!("missing {missing:?}, got {got:?}")) }
}

fn matrix(case: &Case, got: &[(LabelSet, Vec<(i64, f64)>)]) -> Result<(), String> {
    let Some((start, _, step)) = case.range_vector else {
        return Err(format!("got a range vector {got:?}"));
    };
    if got.len() != case.expected.len() {
        return Err(format!("expected {:?}, got {got:?}", case.expected));
    }
    for expected in &case.expected {
        let found = got.iter().find(|(labels, _)| Some(labels) == expected.labels.as_ref());
        let times = (0..).map(|at| start + at * step);
        let wanted: Vec<_> = times
            .zip(&expected.samples)
            .filter_map(|(time, sample)| match sample {
                Some(Sample::Float(value)) => Some((time, *value)),
                _ => None,
            })
            .collect();
        let fits = found.is_some_and(|(_, samples)| {
            samples.len() == wanted.len()
                && samples.iter().zip(&wanted).all(|(a, b)| a.0 == b.0 && same(a.1, b.1))
        });
        if !fits {
            return Err(format!("expected {wanted:?}, got {found:?}"));
        }
    }
    Ok(())
}
