//! A query over down-sampled history: each selector says which value of a slot it wants.
//!
//! Where a span is longer than can be drawn sample by sample, its samples are kept as slots of some minutes:
//! the smallest, largest, last and so on. A storage of slots shows one value a slot; the matcher
//! [`SLOT_VALUE`]`="…"`, which this module puts into every selector, says which.

use super::function::{Func, Window};
use super::parse::Query;
use super::plan::{Aggregate, Binary, Card, Expr, Node, Op, Selector, Subquery};
use crate::labels::Matcher;

/// The label by which a selector says which value of a slot it wants: `last`, `min`, `max`, `mean`, `sum`,
/// `count`, or `total`, a counter as if it had never been reset.
pub const SLOT_VALUE: &str = "__slot_value__";

impl Query {
    /// The same query over slots of `slot_ms`, for steps of `step_ms`. Windows become so long that two slots,
    /// and what lies between two steps, are in each; what then would grow with the window is scaled back.
    #[must_use]
    pub fn over_slots(&self, slot_ms: i64, step_ms: i64) -> Self {
        let mut query = self.clone();
        Slots { slot_ms, step_ms }.rewrite(&mut query.expr);
        query
    }

    /// For a plain selector: the smallest and the largest value in the `range_ms` before each step.
    pub fn extremes(&self, range_ms: i64) -> Option<[Self; 2]> {
        let Node::Instant(selector) = &self.expr.plain().node else { return None };
        Some([Window::Min, Window::Max].map(|window| {
            let range = Expr { at: self.expr.at, node: Node::Range(selector.clone(), range_ms) };
            let node = Node::Call(Func::Window(window), vec![range]);
            Self { expr: Expr { at: self.expr.at, node }, ..self.clone() }
        }))
    }
}

struct Slots {
    slot_ms: i64,
    step_ms: i64,
}

impl Slots {
    fn rewrite(&self, expr: &mut Expr) {
        let at = expr.at;
        match &mut expr.node {
            Node::Number(_) | Node::Text(_) => {}
            Node::Instant(selector) => want(selector, "last"),
            Node::Range(selector, range_ms) => {
                want(selector, "last");
                *range_ms = (*range_ms).max(2 * self.slot_ms);
            }
            Node::Subquery(subquery) => {
                let Subquery { of, step_ms, range_ms, .. } = &mut **subquery;
                *step_ms = Some(step_ms.unwrap_or(self.slot_ms).max(self.slot_ms));
                *range_ms = (*range_ms).max(2 * self.slot_ms);
                self.rewrite(of);
            }
            Node::Negate(of) | Node::Invariant(of) => self.rewrite(of),
            Node::Binary(binary) => {
                self.rewrite(&mut binary.left);
                self.rewrite(&mut binary.right);
            }
            Node::Aggregate(aggregate) => {
                let Aggregate { param, of, .. } = &mut **aggregate;
                param.iter_mut().for_each(|param| self.rewrite(param));
                self.rewrite(of);
            }
            Node::Call(func, args) => {
                let window = match func {
                    Func::Window(window) => Some(*window),
                    _ => None,
                };
                let range = args.iter_mut().find_map(|arg| match &mut arg.node {
                    Node::Range(selector, range_ms) => Some((selector, range_ms)),
                    _ => None,
                });
                let (Some(window), Some((selector, range_ms))) = (window, range) else {
                    args.iter_mut().for_each(|arg| self.rewrite(arg));
                    return;
                };
                let asked = *range_ms;
                let (value, scales) = match window {
                    Window::Rate | Window::Irate => ("total", false),
                    Window::Increase => ("total", true),
                    Window::Min => ("min", false),
                    Window::Max => ("max", false),
                    Window::Avg => ("mean", false),
                    Window::Sum => ("sum", true),
                    Window::Count => ("count", true),
                    _ => ("last", false),
                };
                want(selector, value);
                let widens = scales || value != "last";
                *range_ms = asked.max(2 * self.slot_ms).max(if widens { self.step_ms } else { 0 });
                // How often there was something in a slot is a sum of slots.
                if window == Window::Count {
                    *func = Func::Window(Window::Sum);
                }
                let factor = asked as f64 / *range_ms as f64;
                if scales && factor != 1.0 {
                    let left = std::mem::replace(expr, Expr { at, node: Node::Number(factor) });
                    let right = std::mem::replace(expr, Expr { at, node: Node::Number(0.0) });
                    expr.node = Node::Binary(Box::new(times(left, right)));
                }
            }
        }
    }
}

fn times(left: Expr, right: Expr) -> Binary {
    Binary {
        op: Op::Mul,
        bool_result: false,
        labels: Vec::new(),
        on: false,
        card: Card::OneToOne,
        left,
        right,
    }
}

fn want(selector: &mut Selector, value: &str) {
    selector.matchers.push(Matcher::equal(SLOT_VALUE, value));
}
