//! Aggregations that fold each sample into its group: a group is a few columns, whatever it is made of.

use super::math::{Mean, Sum};
use super::rows::{Grouping, Places};
use super::{Eval, Sink};
use crate::labels::{LabelSet, METRIC_NAME};
use crate::promql::error::EvalError;
use crate::promql::plan::{Aggregate, Fold};
use crate::promql::storage::{is_stale, stale_marker};

struct Group {
    labels: LabelSet,
    nameless: bool,
    state: State,
}

/// What a group has so far, at each step.
enum State {
    /// Sums, and whether there was any.
    Sum(Vec<Sum>, Vec<bool>),
    Mean(Vec<Mean>),
    /// The best so far, or a stale marker.
    Best(Vec<f64>),
    Count(Vec<f64>),
    /// Count, mean and the sum of squared differences.
    Spread(Vec<(f64, f64, f64)>),
}

impl State {
    fn new(fold: Fold, steps: usize) -> Self {
        match fold {
            Fold::Sum => Self::Sum(vec![Sum::default(); steps], vec![false; steps]),
            Fold::Avg => Self::Mean(vec![Mean::default(); steps]),
            Fold::Min | Fold::Max => Self::Best(vec![stale_marker(); steps]),
            Fold::Stddev | Fold::Stdvar => Self::Spread(vec![(0.0, 0.0, 0.0); steps]),
            _ => Self::Count(vec![0.0; steps]),
        }
    }

    fn add(&mut self, fold: Fold, values: &[f64]) {
        let there = values.iter().enumerate().filter(|(_, value)| !is_stale(**value));
        match self {
            Self::Sum(sums, any) => there.for_each(|(step, &value)| {
                // The first value is the sum, so that a lone -0 or NaN stays what it is.
                if std::mem::replace(&mut any[step], true) {
                    sums[step].add(value);
                } else {
                    sums[step].sum = value;
                }
            }),
            Self::Mean(means) => there.for_each(|(step, &value)| means[step].add(value)),
            Self::Best(best) => there.for_each(|(step, &value)| {
                let now = best[step];
                let better = if fold == Fold::Max { value > now } else { value < now };
                if better || now.is_nan() {
                    best[step] = value;
                }
            }),
            Self::Count(counts) => there.for_each(|(step, _)| counts[step] += 1.0),
            Self::Spread(spreads) => there.for_each(|(step, &value)| {
                let (count, mean, squares) = &mut spreads[step];
                *count += 1.0;
                if *count == 1.0 {
                    *mean = value;
                    *squares = if value.is_finite() { 0.0 } else { f64::NAN };
                } else {
                    let delta = value - *mean;
                    *mean += delta / *count;
                    *squares += delta * (value - *mean);
                }
            }),
        }
    }

    fn values(self, fold: Fold) -> Vec<f64> {
        let absent = stale_marker();
        match self {
            Self::Sum(sums, any) => {
                sums.into_iter().zip(any).map(|(sum, any)| if any { sum.get() } else { absent }).collect()
            }
            Self::Mean(means) => {
                means.into_iter().map(|mean| if mean.count() > 0.0 { mean.get() } else { absent }).collect()
            }
            Self::Best(best) => best,
            Self::Count(counts) => {
                let one = |count: f64| match (count > 0.0, fold) {
                    (false, _) => absent,
                    (true, Fold::Group) => 1.0,
                    (true, _) => count,
                };
                counts.into_iter().map(one).collect()
            }
            Self::Spread(spreads) => {
                let one = |(count, _, squares): (f64, f64, f64)| match (count > 0.0, fold) {
                    (false, _) => absent,
                    (true, Fold::Stddev) => (squares / count).sqrt(),
                    (true, _) => squares / count,
                };
                spreads.into_iter().map(one).collect()
            }
        }
    }
}

impl Eval<'_> {
    pub(super) fn fold(&self, aggregate: &Aggregate, sink: Sink<'_>) -> Result<(), EvalError> {
        let grouping = Grouping { labels: &aggregate.labels, without: aggregate.without };
        let delayed = self.env.options.delayed_name_removal;
        let (fold, steps) = (aggregate.fold, self.steps());
        let mut groups: Vec<Group> = Vec::new();
        let mut places = Places::default();
        let mut key = Vec::new();
        self.each(&aggregate.of, &mut |labels, nameless, values| {
            let gone = nameless && !delayed;
            grouping.key(labels, gone, &mut key);
            let place = places.of(&key);
            if place == groups.len() {
                self.env.hold(steps * 3)?;
                let labels = grouping.of(labels);
                let labels = if gone { super::rows::nameless(&labels) } else { labels };
                let named = labels.get(METRIC_NAME).is_some();
                groups.push(Group { labels, nameless: nameless && named, state: State::new(fold, steps) });
            }
            let group = &mut groups[place];
            group.nameless &= nameless;
            group.state.add(fold, values);
            Ok(())
        })?;
        for group in groups {
            sink(&group.labels, group.nameless, &mut group.state.values(fold))?;
        }
        Ok(())
    }
}
