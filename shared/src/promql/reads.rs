//! What a query will read, told before it is evaluated: for storages that must be asked beforehand.

use super::eval::{Options, Steps};
use super::parse::Query;
use super::plan::{At, Expr, Node, Shift};
use crate::labels::Matcher;

/// A selector, and the time that a query reads of it, in Unix milliseconds, both inclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What selects the series; as [`super::Storage::scan`] will be given it.
    pub matchers: Vec<Matcher>,
    /// The first time.
    pub from: i64,
    /// The last time.
    pub to: i64,
}

impl Query {
    /// Every read of an evaluation at these steps ([`Steps::instant`] for one time).
    pub fn reads(&self, steps: Steps, options: &Options<'_>) -> Vec<Read> {
        let mut walk = Walk { query: steps, options, reads: Vec::new() };
        walk.expr(&self.expr, steps);
        walk.reads
    }
}

struct Walk<'a> {
    query: Steps,
    options: &'a Options<'a>,
    reads: Vec<Read>,
}

impl Walk<'_> {
    fn read(&mut self, matchers: &[Matcher], shift: Shift, back_ms: i64, grid: Steps) {
        let (from, to) = span(grid, self.query, shift, back_ms);
        let read = Read { matchers: matchers.to_vec(), from, to };
        if !self.reads.contains(&read) {
            self.reads.push(read);
        }
    }

    fn expr(&mut self, expr: &Expr, grid: Steps) {
        match &expr.node {
            Node::Number(_) | Node::Text(_) => {}
            Node::Instant(selector) => {
                self.read(&selector.matchers, selector.shift, self.options.look_back_ms, grid);
            }
            Node::Range(selector, range_ms) => self.read(&selector.matchers, selector.shift, *range_ms, grid),
            Node::Subquery(subquery) => {
                let span = span(grid, self.query, subquery.shift, subquery.range_ms);
                let step = subquery.step_ms.unwrap_or(self.options.default_step_ms);
                self.expr(&subquery.of, inner(span, step));
            }
            Node::Negate(of) | Node::Invariant(of) => self.expr(of, grid),
            Node::Binary(binary) => {
                self.expr(&binary.left, grid);
                self.expr(&binary.right, grid);
            }
            Node::Aggregate(aggregate) => {
                self.expr(&aggregate.of, grid);
                aggregate.param.iter().for_each(|param| self.expr(param, grid));
            }
            Node::Call(_, args) => args.iter().for_each(|arg| self.expr(arg, grid)),
        }
    }
}

/// The time that a selector looks at from a step.
pub(super) fn looks_at(query: Steps, shift: Shift, step: i64) -> i64 {
    let time = match shift.at {
        None => step,
        Some(At::Start) => query.start,
        Some(At::End) => query.end,
        Some(At::Ms(ms)) => ms,
    };
    time.saturating_sub(shift.offset_ms)
}

/// The span of time that a selector reads: `back_ms` before each time it looks at.
pub(super) fn span(grid: Steps, query: Steps, shift: Shift, back_ms: i64) -> (i64, i64) {
    let first = looks_at(query, shift, grid.start);
    let last = looks_at(query, shift, grid.last());
    (first.saturating_sub(back_ms).saturating_add(1), last)
}

/// The steps of a subquery over a span. They are multiples of its step, so that they are the same wherever
/// the query begins.
pub(super) fn inner((from, end): (i64, i64), step: i64) -> Steps {
    let step = step.max(1);
    let open = from.saturating_sub(1);
    let mut start = (open / step) * step;
    if start <= open {
        start = start.saturating_add(step);
    }
    Steps { start, end, step }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::RefCell;

    use super::*;
    use crate::promql::{EvalError, SeriesRef, Storage};

    /// Notes what it is asked.
    #[derive(Default)]
    struct Asked(RefCell<Vec<Read>>);

    impl Storage for Asked {
        fn scan(
            &self,
            matchers: &[Matcher],
            from: i64,
            to: i64,
            _: &mut dyn FnMut(SeriesRef<'_>) -> Result<(), EvalError>,
        ) -> Result<(), EvalError> {
            self.0.borrow_mut().push(Read { matchers: matchers.to_vec(), from, to });
            Ok(())
        }
    }

    #[test]
    fn what_is_told_beforehand_covers_what_is_read() {
        let steps = Steps { start: 1_000_000, end: 4_000_000, step: 60_000 };
        for text in [
            "a",
            "rate(a[5m]) / b offset 1h",
            "a @ 1000 + a @ start() + a @ end()",
            "sum by (x) (a{y=\"1\"}) > scalar(b)",
            "max_over_time(rate(a[1m])[30m:10s])",
            "max_over_time((a + b)[1h:] offset 10m)",
            "clamp_max(b, scalar(a))",
            "quantile_over_time(0.9, sum(a)[10m:1m] @ 2000)",
            "histogram_quantile(0.9, sum by (le) (rate(a[2m] offset -5m)))",
            "absent_over_time(a[7m]) or vector(time())",
            "label_replace(-a, \"x\", \"$1\", \"y\", \"(.*)\")",
            "timestamp(a offset 3m)",
        ] {
            let query = Query::parse(text).unwrap();
            for steps in [steps, Steps::instant(5_000_000)] {
                let told = query.reads(steps, &Options::default());
                let asked = Asked::default();
                query.range(&asked, steps, &Options::default()).unwrap();
                for read in asked.0.borrow().iter() {
                    let covers =
                        |t: &Read| t.matchers == read.matchers && t.from <= read.from && t.to >= read.to;
                    assert!(told.iter().any(covers), "{text}: {read:?} is not in {told:?}");
                }
                assert!(told.len() <= asked.0.borrow().len().max(3), "{text}: {told:?}");
            }
        }
    }
}
