//! Warnings and infos: what a user should know about an answer, in Prometheus's words.
//!
//! Source of the texts: prometheus/util/annotations, v3.

use std::collections::BTreeSet;

use super::error::place;
use crate::sample::go_float;

/// What was noted during an evaluation, each text once.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    warnings: BTreeSet<String>,
    infos: BTreeSet<String>,
    /// The last one, and where: most come once a series.
    last: Option<(Note, usize)>,
}

impl Notes {
    pub(super) fn add(&mut self, text: &str, note: &Note, byte: usize) {
        if self.last.as_ref().is_some_and(|(last, at)| *at == byte && last == note) {
            return;
        }
        self.last = Some((note.clone(), byte));
        let (line, column) = place(text, byte);
        let words = note.words();
        if note.is_info() {
            self.infos.insert(format!("PromQL info: {words} ({line}:{column})"));
        } else {
            self.warnings.insert(format!("PromQL warning: {words} ({line}:{column})"));
        }
    }

    pub(super) fn into_lists(self) -> (Vec<String>, Vec<String>) {
        (self.warnings.into_iter().collect(), self.infos.into_iter().collect())
    }
}

/// One thing to know.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Note {
    /// A quantile that is none.
    Quantile(f64),
    /// A ratio beyond -1..1, and what it was taken for.
    Ratio(f64, f64),
    /// A bucket without a bound: its `le`, its metric.
    BucketLabel(String, String),
    /// Buckets that fell.
    NotMonotonic(String),
    /// `rate` of what is no counter by its name.
    NotCounter(String),
    /// The order of a range query's answer is fixed.
    SortInRange,
}

impl Note {
    fn is_info(&self) -> bool {
        matches!(self, Self::NotMonotonic(_) | Self::NotCounter(_))
    }

    fn words(&self) -> String {
        match self {
            Self::Quantile(q) => format!("quantile value should be between 0 and 1, got {}", go_float(*q)),
            Self::Ratio(ratio, to) => format!(
                "ratio value should be between -1 and 1, got {}, capping to {}",
                go_float(*ratio),
                go_float(*to)
            ),
            Self::BucketLabel(le, metric) => format!(
                "bucket label \"le\" is missing or has a malformed value of {le:?}{}",
                for_metric(metric)
            ),
            Self::NotMonotonic(metric) => format!(
                "input to histogram_quantile needed to be fixed for monotonicity (see \
                 https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile){}",
                for_metric(metric)
            ),
            Self::NotCounter(metric) => format!(
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {metric:?}"
            ),
            Self::SortInRange => {
                "sort is ineffective for range queries since results are always ordered by labels".to_owned()
            }
        }
    }
}

fn for_metric(metric: &str) -> String {
    if metric.is_empty() { String::new() } else { format!(" for metric name {metric:?}") }
}
