//! Numbers and strings.

use super::{Eval, Steps, binary, math};
use crate::promql::error::EvalError;
use crate::promql::function::Func;
use crate::promql::plan::{Expr, Node};
use crate::promql::storage::{is_stale, stale_marker};

impl Eval<'_> {
    /// The value of a scalar at every step.
    pub(super) fn scalar(&self, expr: &Expr) -> Result<Vec<f64>, EvalError> {
        let steps = self.steps();
        Ok(match &expr.node {
            Node::Number(number) => vec![*number; steps],
            Node::Negate(of) => {
                let mut values = self.scalar(of)?;
                values.iter_mut().for_each(|value| *value = -*value);
                values
            }
            Node::Invariant(of) => {
                let once = self.on(Steps::instant(self.grid.start)).scalar(of)?;
                vec![once.first().copied().unwrap_or(f64::NAN); steps]
            }
            Node::Binary(binary) => {
                let mut left = self.scalar(&binary.left)?;
                let right = self.scalar(&binary.right)?;
                for (a, b) in left.iter_mut().zip(right) {
                    *a = binary::scalars(binary.op, *a, b);
                }
                left
            }
            Node::Call(func, args) => self.scalar_call(*func, args)?,
            _ => return Err(EvalError::execution("expected a scalar")),
        })
    }

    fn scalar_call(&self, func: Func, args: &[Expr]) -> Result<Vec<f64>, EvalError> {
        let steps = self.steps();
        let query = self.env.query;
        let seconds = |ms: i64| ms as f64 / 1000.0;
        Ok(match (func, args) {
            (Func::Time, _) => self.grid.times().map(seconds).collect(),
            (Func::Pi, _) => vec![std::f64::consts::PI; steps],
            (Func::QueryStart, _) => vec![seconds(query.start); steps],
            (Func::QueryEnd, _) => vec![seconds(query.end); steps],
            (Func::QueryStep, _) => vec![if self.env.instant { 0.0 } else { seconds(query.step) }; steps],
            (Func::QueryRange, _) => vec![seconds(query.end.saturating_sub(query.start)); steps],
            (Func::MinOf | Func::MaxOf, [a, b]) => {
                let pick = if func == Func::MinOf { math::go_min } else { math::go_max };
                self.scalar(a)?.into_iter().zip(self.scalar(b)?).map(|(a, b)| pick(a, b)).collect()
            }
            (Func::Scalar, [of]) => {
                let mut only = vec![stale_marker(); steps];
                let mut many = vec![false; steps];
                self.each(of, &mut |_, _, values| {
                    for (step, value) in values.iter().enumerate().filter(|(_, value)| !is_stale(**value)) {
                        many[step] |= !is_stale(only[step]);
                        only[step] = *value;
                    }
                    Ok(())
                })?;
                let one = |(value, many): (f64, bool)| if many || is_stale(value) { f64::NAN } else { value };
                only.into_iter().zip(many).map(one).collect()
            }
            _ => return Err(EvalError::execution("expected a scalar")),
        })
    }

    pub(super) fn text<'e>(&self, expr: &'e Expr) -> Result<&'e str, EvalError> {
        match &expr.plain().node {
            Node::Text(text) => Ok(text),
            _ => Err(EvalError::execution("expected a string")),
        }
    }
}
