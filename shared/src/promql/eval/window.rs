//! Functions of windows of samples: `rate`, `max_over_time` and their like.
//!
//! Source of the arithmetic: Prometheus's documentation of its functions, and its own tests.

use super::math::{self, Mean, Sum};
use super::regression;
use super::rows::{Row, merged};
use super::source::Windowed;
use super::{Eval, Sink};
use crate::labels::LabelSet;
use crate::promql::error::EvalError;
use crate::promql::function::Window;
use crate::promql::notes::Note;
use crate::promql::plan::{Expr, Kind, Node};
use crate::promql::storage::{is_stale, stale_marker};

/// The samples of one window, never none.
#[derive(Clone, Copy)]
struct Samples<'w> {
    times: &'w [i64],
    values: &'w [f64],
    /// Where it begins in the series.
    from: usize,
    /// The step.
    step: usize,
}

impl Samples<'_> {
    fn first(&self) -> (i64, f64) {
        (self.times[0], self.values[0])
    }

    fn last(&self) -> (i64, f64) {
        let last = self.values.len() - 1;
        (self.times[last], self.values[last])
    }
}

impl Eval<'_> {
    /// A function of windows over every series of its range.
    pub(super) fn window(&self, window: Window, args: &[Expr], sink: Sink<'_>) -> Result<(), EvalError> {
        let Some(range) = args.iter().find(|arg| arg.kind() == Kind::Matrix) else {
            return Err(EvalError::execution("expected a range vector"));
        };
        let params: Vec<Vec<f64>> = args
            .iter()
            .filter(|arg| arg.kind() == Kind::Scalar)
            .map(|arg| self.scalar(arg))
            .collect::<Result<_, _>>()?;
        let frame = self.frame(range);
        let ends: Vec<i64> = self.looks_at(frame.1).collect();
        let steps: Vec<i64> = self.grid.times().collect();
        let mut row = Vec::new();
        let mut resets = Vec::new();
        let mut scratch = Vec::new();
        self.windows(range, &mut |series| {
            row.clear();
            match window {
                Window::Rate | Window::Increase | Window::Delta => {
                    let growth = Growth {
                        counter: window != Window::Delta,
                        per_second: window == Window::Rate,
                        range_ms: frame.0,
                        ends: &ends,
                    };
                    growth.row(&series, &mut resets, &mut row);
                }
                Window::PredictLinear => slide(&series, &mut row, |samples| {
                    let ahead = params.first().map_or(f64::NAN, |ahead| ahead[samples.step]);
                    let (slope, there) =
                        regression::line(samples.times, samples.values, steps[samples.step])?;
                    Some(slope * ahead + there)
                }),
                Window::Smoothing => {
                    let mut problem = None;
                    slide(&series, &mut row, |samples| {
                        let param = |at: usize| params.get(at).map_or(f64::NAN, |p| p[samples.step]);
                        regression::smoothed(samples.values, param(0), param(1)).unwrap_or_else(|error| {
                            problem = Some(error);
                            None
                        })
                    });
                    if let Some(problem) = problem {
                        return Err(problem);
                    }
                }
                Window::Quantile => slide(&series, &mut row, |samples| {
                    let q = params.first().map_or(f64::NAN, |q| q[samples.step]);
                    if q.is_nan() || !(0.0..=1.0).contains(&q) {
                        self.env.note(&Note::Quantile(q), args[0].at);
                    }
                    scratch.clear();
                    scratch.extend_from_slice(samples.values);
                    Some(math::quantile(q, &mut scratch))
                }),
                Window::Mad => slide(&series, &mut row, |samples| {
                    scratch.clear();
                    scratch.extend_from_slice(samples.values);
                    let median = math::quantile(0.5, &mut scratch);
                    scratch.iter_mut().for_each(|value| *value = (*value - median).abs());
                    Some(math::quantile(0.5, &mut scratch))
                }),
                _ => plain(window, &series, &mut row),
            }
            if row.iter().all(|value| is_stale(*value)) {
                return Ok(());
            }
            if matches!(window, Window::Rate | Window::Increase) {
                self.note_if_no_counter(series.labels, series.nameless, range.at);
            }
            sink(series.labels, series.nameless || !window.keeps_name(), &mut row)
        })
    }

    /// The length of a range, and where it looks.
    fn frame(&self, range: &Expr) -> (i64, crate::promql::plan::Shift) {
        match &range.plain().node {
            Node::Range(selector, range_ms) => (*range_ms, selector.shift),
            Node::Subquery(subquery) => (subquery.range_ms, subquery.shift),
            _ => Default::default(),
        }
    }

    fn note_if_no_counter(&self, labels: &LabelSet, nameless: bool, at: usize) {
        let metric = labels.metric();
        let counter = ["_total", "_sum", "_count", "_bucket"].iter().any(|end| metric.ends_with(end));
        let named = !metric.is_empty() && (!nameless || self.env.options.delayed_name_removal);
        if named && !counter {
            self.env.note(&Note::NotCounter(metric.to_owned()), at);
        }
    }

    /// 1 where no series has a sample in its window.
    pub(super) fn absent_over_time(&self, range: &Expr) -> Result<Vec<Row>, EvalError> {
        let mut values = vec![1.0; self.steps()];
        self.windows(range, &mut |series| {
            for (value, &(from, to)) in values.iter_mut().zip(series.bounds) {
                if from < to {
                    *value = stale_marker();
                }
            }
            Ok(())
        })?;
        let labels = match &range.plain().node {
            Node::Range(selector, _) => super::relabel::wanted_labels(selector),
            _ => LabelSet::default(),
        };
        merged(vec![Row { labels, nameless: false, values }])
    }
}

/// Applies a function to each window that is not empty.
fn slide(series: &Windowed<'_>, row: &mut Vec<f64>, mut of: impl FnMut(Samples<'_>) -> Option<f64>) {
    row.extend(series.bounds.iter().enumerate().map(|(step, &(from, to))| {
        let (from, to) = (from as usize, to as usize);
        if from == to {
            return stale_marker();
        }
        let samples =
            Samples { times: &series.times[from..to], values: &series.values[from..to], from, step };
        of(samples).unwrap_or_else(stale_marker)
    }));
}

/// The functions that need nothing but the samples.
fn plain(window: Window, series: &Windowed<'_>, row: &mut Vec<f64>) {
    let seconds = |time: i64| time as f64 / 1000.0;
    match window {
        Window::Sum => slide(series, row, |s| {
            let mut sum = Sum::default();
            s.values.iter().for_each(|value| sum.add(*value));
            Some(sum.get())
        }),
        Window::Avg => slide(series, row, |s| {
            let mut mean = Mean::default();
            s.values.iter().for_each(|value| mean.add(*value));
            Some(mean.get())
        }),
        Window::Min => slide(series, row, |s| {
            Some(s.values.iter().fold(s.values[0], |min, &v| if v < min || min.is_nan() { v } else { min }))
        }),
        Window::Max => slide(series, row, |s| {
            Some(s.values.iter().fold(s.values[0], |max, &v| if v > max || max.is_nan() { v } else { max }))
        }),
        Window::TsOfMin => slide(series, row, |s| Some(seconds(extreme(s, |v, best| v <= best)))),
        Window::TsOfMax => slide(series, row, |s| Some(seconds(extreme(s, |v, best| v >= best)))),
        Window::Count => slide(series, row, |s| Some(s.values.len() as f64)),
        Window::Last => slide(series, row, |s| Some(s.last().1)),
        Window::First => slide(series, row, |s| Some(s.first().1)),
        Window::TsOfLast => slide(series, row, |s| Some(seconds(s.last().0))),
        Window::TsOfFirst => slide(series, row, |s| Some(seconds(s.first().0))),
        Window::Present => slide(series, row, |_| Some(1.0)),
        Window::Stdvar => slide(series, row, |s| Some(variance(s.values))),
        Window::Stddev => slide(series, row, |s| Some(variance(s.values).sqrt())),
        Window::Changes => slide(series, row, |s| {
            let changed = |w: &&[f64]| w[1] != w[0] && !(w[0].is_nan() && w[1].is_nan());
            Some(s.values.windows(2).filter(changed).count() as f64)
        }),
        Window::Resets => {
            slide(series, row, |s| Some(s.values.windows(2).filter(|w| w[1] < w[0]).count() as f64));
        }
        Window::Irate | Window::Idelta => slide(series, row, |s| {
            let before = s.values.len().checked_sub(2)?;
            let ((last_at, last), first) = (s.last(), s.values[before]);
            let elapsed = last_at - s.times[before];
            if elapsed == 0 {
                return None;
            }
            let reset = window == Window::Irate && last < first;
            let growth = if reset { last } else { last - first };
            Some(if window == Window::Irate { growth / seconds(elapsed) } else { growth })
        }),
        Window::Deriv => {
            slide(series, row, |s| regression::line(s.times, s.values, s.times[0]).map(|line| line.0));
        }
        // Those with parameters, and the one that looks at all series at once, are done elsewhere.
        _ => slide(series, row, |_| None),
    }
}

fn extreme(samples: Samples<'_>, better: impl Fn(f64, f64) -> bool) -> i64 {
    let (mut at, mut best) = samples.first();
    for (&time, &value) in samples.times.iter().zip(samples.values) {
        if better(value, best) || best.is_nan() {
            (at, best) = (time, value);
        }
    }
    at
}

/// The population variance, by Welford's way with compensated sums.
fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut squares, mut count) = (Sum::default(), Sum::default(), 0.0);
    for value in values {
        count += 1.0;
        let delta = value - (mean.sum + mean.lost);
        mean.add(delta / count);
        squares.add(delta * (value - (mean.sum + mean.lost)));
    }
    (squares.sum + squares.lost) / count
}

/// `rate`, `increase`, `delta`: growth between a window's first and last sample, extrapolated to its ends.
struct Growth<'g> {
    counter: bool,
    per_second: bool,
    range_ms: i64,
    ends: &'g [i64],
}

impl Growth<'_> {
    fn row(&self, series: &Windowed<'_>, resets: &mut Vec<u32>, row: &mut Vec<f64>) {
        // Where a counter fell it began again at 0: found once, not once a window.
        resets.clear();
        if self.counter {
            let fell = |at: &usize| series.values[*at] < series.values[at - 1];
            resets.extend((1..series.values.len()).filter(fell).map(|at| at as u32));
        }
        let mut passed = 0;
        slide(series, row, |samples| {
            let to = samples.from + samples.values.len();
            while resets.get(passed).is_some_and(|&at| at as usize <= samples.from) {
                passed += 1;
            }
            let within = resets[passed..].iter().take_while(|at| (**at as usize) < to);
            let had = within.map(|&at| series.values[at as usize - 1]);
            self.of(samples, had)
        });
    }

    fn of(&self, samples: Samples<'_>, had: impl Iterator<Item = f64>) -> Option<f64> {
        let between = samples.values.len().checked_sub(1).filter(|&between| between > 0)?;
        let ((first_at, first), (last_at, last)) = (samples.first(), samples.last());
        let growth = had.fold(last - first, |growth, had| growth + had);
        let end = self.ends[samples.step];
        let seconds = |ms: i64| ms as f64 / 1000.0;
        let sampled = seconds(last_at - first_at);
        let average = sampled / between as f64;
        // A series that begins well inside the window is taken to have begun half an interval earlier.
        let within = |gap: f64| if gap >= average * 1.1 { average / 2.0 } else { gap };
        let mut before = within(seconds(first_at - end.saturating_sub(self.range_ms)));
        if self.counter && growth > 0.0 && first >= 0.0 {
            // Nor can a counter have been below 0.
            let to_zero = sampled * (first / growth);
            if to_zero < before {
                before = to_zero;
            }
        }
        let after = within(seconds(end - last_at));
        let mut factor = (sampled + before + after) / sampled;
        if self.per_second {
            factor /= seconds(self.range_ms);
        }
        Some(growth * factor)
    }
}
