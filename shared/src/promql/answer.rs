//! What an evaluation comes to.

use super::storage::is_stale;
use crate::labels::LabelSet;

/// A value, and what to know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The value.
    pub value: Value,
    /// What may be wrong with it, in Prometheus's words.
    pub warnings: Vec<String>,
    /// What may be surprising.
    pub infos: Vec<String>,
    /// How many samples were read for it.
    pub samples: usize,
}

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number at each step.
    Scalar(Vec<f64>),
    /// Series with a value, or none, at each step. Sorted by labels, but for an instant query that sorts.
    Vector(Vec<Line>),
    /// Series and their samples: an instant query of a range.
    Matrix(Vec<Samples>),
    /// A string.
    Text(String),
}

/// A series and its samples, each a time in milliseconds and a value.
pub type Samples = (LabelSet, Vec<(i64, f64)>);

/// One series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its labels.
    pub labels: LabelSet,
    /// At each step its value, or a stale marker where it has none.
    pub values: Vec<f64>,
}

impl Line {
    /// At each step the value, if there is one.
    pub fn points(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        self.values.iter().map(|value| Some(*value).filter(|value| !is_stale(*value)))
    }
}
