//! Rows, their labels, and keys by which they are grouped and matched.

use hashbrown::HashMap;

use crate::labels::{LabelSet, METRIC_NAME, MatchOp};
use crate::promql::error::EvalError;
use crate::promql::plan::Selector;
use crate::promql::storage::is_stale;

/// One series of a vector over the grid.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) labels: LabelSet,
    /// The name is there still, to be dropped at the end.
    pub(super) nameless: bool,
    /// At each step the value, or a stale marker.
    pub(super) values: Vec<f64>,
}

impl Row {
    pub(super) fn drop_name(&mut self) {
        if std::mem::take(&mut self.nameless) {
            self.labels = nameless(&self.labels);
        }
    }
}

pub(super) fn nameless(labels: &LabelSet) -> LabelSet {
    labels.without(|name| name == METRIC_NAME)
}

pub(super) fn selects_one_name(selector: &Selector) -> bool {
    selector.matchers.iter().any(|m| m.name() == METRIC_NAME && m.op() == MatchOp::Equal)
}

/// Rows with the same labels as one; an error where two of them have a value at the same step.
pub(super) fn merged(rows: Vec<Row>) -> Result<Vec<Row>, EvalError> {
    merged_or(rows, EvalError::same_labels)
}

/// As [`merged`], with another error.
pub(super) fn merged_or(rows: Vec<Row>, error: fn() -> EvalError) -> Result<Vec<Row>, EvalError> {
    // A name that is to go later makes another row of it.
    let mut places: HashMap<(LabelSet, bool), usize> = HashMap::with_capacity(rows.len());
    let mut kept: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        let place = *places.entry((row.labels.clone(), row.nameless)).or_insert(kept.len());
        let Some(first) = kept.get_mut(place) else {
            kept.push(row);
            continue;
        };
        for (at, value) in first.values.iter_mut().zip(row.values) {
            match (is_stale(*at), is_stale(value)) {
                (_, true) => {}
                (true, false) => *at = value,
                (false, false) => return Err(error()),
            }
        }
    }
    Ok(kept)
}

/// Which labels say where a row belongs.
#[derive(Clone, Copy)]
pub(super) struct Grouping<'a> {
    /// Sorted.
    pub(super) labels: &'a [String],
    /// All but those (and the name), rather than those.
    pub(super) without: bool,
}

/// A byte that no text in UTF-8 has.
const END: u8 = 0xff;

impl Grouping<'_> {
    fn lists(&self, name: &str) -> bool {
        self.labels.iter().any(|label| label == name)
    }

    fn takes(&self, name: &str) -> bool {
        if self.without { name != METRIC_NAME && !self.lists(name) } else { self.lists(name) }
    }

    /// Writes the key of a row's group.
    pub(super) fn key(&self, labels: &LabelSet, nameless: bool, key: &mut Vec<u8>) {
        key.clear();
        if self.without || self.labels.len() > 3 {
            for (name, value) in labels {
                if self.takes(name) && !(nameless && name == METRIC_NAME) {
                    key.extend_from_slice(name.as_bytes());
                    key.push(END);
                    key.extend_from_slice(value.as_bytes());
                    key.push(END);
                }
            }
            return;
        }
        for label in self.labels {
            if !(nameless && label == METRIC_NAME) {
                key.extend_from_slice(labels.get(label).unwrap_or("").as_bytes());
            }
            key.push(END);
        }
    }

    /// The labels that a row's group has.
    pub(super) fn of(&self, labels: &LabelSet) -> LabelSet {
        labels.without(|name| !self.takes(name))
    }
}

/// The places of groups in the order they were first seen.
#[derive(Default)]
pub(super) struct Places {
    places: HashMap<Vec<u8>, usize>,
}

impl Places {
    /// The place of a key; the next one where it is new.
    pub(super) fn of(&mut self, key: &[u8]) -> usize {
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        let place = self.places.len();
        self.places.insert(key.to_vec(), place);
        place
    }

    pub(super) fn find(&self, key: &[u8]) -> Option<usize> {
        self.places.get(key).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}

/// Labels as Prometheus's errors write them.
pub(super) fn in_words(labels: &LabelSet) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}={}", crate::labels::quote::quoted(value)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}
