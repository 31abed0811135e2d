//! `and`, `or` and `unless`.

use super::Eval;
use super::rows::{Places, Row, merged};
use crate::promql::error::EvalError;
use crate::promql::plan::{Binary, Op};
use crate::promql::storage::{is_stale, stale_marker};

impl Eval<'_> {
    pub(super) fn set_operation(&self, binary: &Binary) -> Result<Vec<Row>, EvalError> {
        let mut left = self.rows(&binary.left)?;
        let mut right = self.rows(&binary.right)?;
        match binary.op {
            Op::And => keep(&mut left, &self.there(binary, &right)?, binary, true),
            Op::Unless => keep(&mut left, &self.there(binary, &right)?, binary, false),
            _ => {
                keep(&mut right, &self.there(binary, &left)?, binary, false);
                left.append(&mut right);
                return merged(left);
            }
        }
        Ok(left)
    }

    /// By match group, at which steps there is any sample.
    fn there(&self, binary: &Binary, rows: &[Row]) -> Result<There, EvalError> {
        let mut there = There { places: Places::default(), steps: Vec::new() };
        let mut key = Vec::new();
        for row in rows {
            self.env.go_on()?;
            binary.grouping().key(&row.labels, false, &mut key);
            let place = there.places.of(&key);
            if place == there.steps.len() {
                self.env.hold(row.values.len() / 8)?;
                there.steps.push(vec![false; row.values.len()]);
            }
            for (there, value) in there.steps[place].iter_mut().zip(&row.values) {
                *there |= !is_stale(*value);
            }
        }
        Ok(there)
    }
}

struct There {
    places: Places,
    steps: Vec<Vec<bool>>,
}

/// Keeps the samples whose match group is there, or is not.
fn keep(rows: &mut [Row], there: &There, binary: &Binary, wanted: bool) {
    let mut key = Vec::new();
    for row in rows {
        binary.grouping().key(&row.labels, false, &mut key);
        match there.places.find(&key).map(|place| &there.steps[place]) {
            Some(there) => {
                for (value, there) in row.values.iter_mut().zip(there) {
                    if *there != wanted {
                        *value = stale_marker();
                    }
                }
            }
            None if wanted => row.values.fill(stale_marker()),
            None => {}
        }
    }
}
