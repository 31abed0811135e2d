//! Evaluates a plan over a grid of steps.
//!
//! Rows flow: a selector or a function of windows hands one series after the other to whoever asked
//! ([`Eval::each`]), in a buffer that is used again, so an aggregation over any number of series holds its
//! groups only. A step at which a row has no value holds a stale marker, which no arithmetic makes.
//!
//! | module | evaluates |
//! |---|---|
//! | this file | what calls what; the final answer |
//! | `scalar` | numbers and strings |
//! | `shape` | what is known of an expression before it is evaluated |
//! | `source` | selectors and subqueries: which samples lie at or in front of each step |
//! | `window` | functions of windows; `regression` those that fit a line or smooth |
//! | `map`, `date` | functions of one value |
//! | `aggregate`, `pick` | aggregations: those that fold, those that choose |
//! | `binary`, `sets` | operators between vectors; `and`, `or`, `unless` |
//! | `relabel` | `label_replace`, `label_join`, `absent`'s labels, sorting |
//! | `histogram` | classic histograms |
//! | `math` | compensated sums, quantiles, Go's `min` and `max` |
//! | `rows` | rows, their labels and keys |

mod aggregate;
mod binary;
mod date;
mod histogram;
mod map;
mod math;
mod pick;
mod regression;
mod relabel;
mod rows;
mod scalar;
mod sets;
mod shape;
mod source;
mod window;

use std::cell::{Cell, RefCell};

use super::answer::{Answer, Line, Samples, Value};
use super::error::EvalError;
use super::function::{Func, Map, Window};
use super::notes::{Note, Notes};
use super::parse::Query;
use super::plan::{Expr, Kind, Node};
use super::storage::{Storage, is_stale, stale_marker};
use crate::labels::LabelSet;
use rows::{Row, merged};
use shape::{flows, folds, one_name, ordered};

/// How much one evaluation may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Series read.
    pub max_series: usize,
    /// Samples read.
    pub max_samples: usize,
    /// Values held at once, 8 bytes each.
    pub max_points: usize,
}

impl Default for Limits {
    /// 1,000,000 series, 200,000,000 samples read, 20,000,000 values held (160 MB).
    fn default() -> Self {
        Self { max_series: 1_000_000, max_samples: 200_000_000, max_points: 20_000_000 }
    }
}

/// How to evaluate.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// How long a sample counts as the present one.
    pub look_back_ms: i64,
    /// The step of a subquery that names none.
    pub default_step_ms: i64,
    /// Drop metric names at the very end rather than in each function, as Prometheus's feature
    /// `promql-delayed-name-removal` does. Off there by default.
    pub delayed_name_removal: bool,
    /// What to refuse.
    pub limits: Limits,
    /// Asked all the time whether to stop, and why.
    pub stop: &'a dyn Fn() -> Option<EvalError>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            look_back_ms: crate::sample::LOOK_BACK_MS,
            default_step_ms: 60_000,
            delayed_name_removal: false,
            limits: Limits::default(),
            stop: &|| None,
        }
    }
}

/// The steps of a query, in Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The first.
    pub start: i64,
    /// None is later.
    pub end: i64,
    /// From one to the next; more than 0. An instant query has one step, and 0 here or anything.
    pub step: i64,
}

impl Steps {
    /// The one step of an instant query.
    pub fn instant(at: i64) -> Self {
        Self { start: at, end: at, step: 0 }
    }

    /// How many there are.
    pub fn count(self) -> usize {
        if self.end < self.start {
            return 0;
        }
        let span = self.end.saturating_sub(self.start);
        usize::try_from(span / self.step.max(1)).map_or(usize::MAX, |steps| steps.saturating_add(1))
    }

    /// The times.
    pub fn times(self) -> impl Iterator<Item = i64> {
        (0..self.count()).map(move |step| self.time(step))
    }

    /// The last of them; the start where there is none.
    pub(super) fn last(self) -> i64 {
        self.time(self.count().saturating_sub(1))
    }

    fn time(self, step: usize) -> i64 {
        self.start.saturating_add(self.step.saturating_mul(step as i64))
    }
}

impl Query {
    /// Evaluates at one time.
    ///
    /// # Errors
    /// As [`EvalError`] says.
    pub fn instant(
        &self,
        storage: &dyn Storage,
        at: i64,
        options: &Options<'_>,
    ) -> Result<Answer, EvalError> {
        self.evaluate(storage, Steps::instant(at), options, true)
    }

    /// Evaluates at every step.
    ///
    /// # Errors
    /// As [`EvalError`] says; also for a text or a range, which have no value at a step.
    pub fn range(
        &self,
        storage: &dyn Storage,
        steps: Steps,
        options: &Options<'_>,
    ) -> Result<Answer, EvalError> {
        let kind = self.expr.kind();
        if matches!(kind, Kind::Text | Kind::Matrix) {
            return Err(EvalError::execution(format!(
                "invalid expression type {:?} for range query, must be Scalar or instant Vector",
                kind.as_str()
            )));
        }
        self.evaluate(storage, steps, options, false)
    }

    /// Whether a range query of it is a mistake, and what it comes to then: "string", "range vector".
    pub fn no_value_at_a_step(&self) -> Option<&'static str> {
        Some(self.expr.kind()).filter(|kind| matches!(kind, Kind::Text | Kind::Matrix)).map(Kind::as_str)
    }

    fn evaluate(
        &self,
        storage: &dyn Storage,
        steps: Steps,
        options: &Options<'_>,
        instant: bool,
    ) -> Result<Answer, EvalError> {
        self.supported()?;
        let env = Env {
            text: &self.text,
            options,
            query: steps,
            instant,
            notes: RefCell::default(),
            series: Cell::new(0),
            samples: Cell::new(0),
            points: Cell::new(0),
        };
        env.hold(steps.count())?;
        let eval = Eval { storage, env: &env, grid: steps };
        let value = eval.answer(&self.expr)?;
        let samples = env.samples.get();
        let (warnings, infos) = env.notes.into_inner().into_lists();
        Ok(Answer { value, warnings, infos, samples })
    }
}

/// What all parts of one evaluation share.
struct Env<'a> {
    text: &'a str,
    options: &'a Options<'a>,
    query: Steps,
    instant: bool,
    notes: RefCell<Notes>,
    series: Cell<usize>,
    samples: Cell<usize>,
    points: Cell<usize>,
}

impl Env<'_> {
    fn note(&self, note: &Note, at: usize) {
        self.notes.borrow_mut().add(self.text, note, at);
    }

    fn go_on(&self) -> Result<(), EvalError> {
        (self.options.stop)().map_or(Ok(()), Err)
    }

    /// Counts a series that was read, and its samples.
    fn read(&self, samples: usize) -> Result<(), EvalError> {
        // The clock is asked now and then: series are read in less time than it takes to ask.
        if self.series.get().is_multiple_of(64) {
            self.go_on()?;
        }
        let Limits { max_series, max_samples, .. } = self.options.limits;
        self.series.set(self.series.get() + 1);
        self.samples.set(self.samples.get() + samples);
        if self.series.get() > max_series {
            return Err(EvalError::Limit(format!(
                "the query selects more than {max_series} series; add label matchers"
            )));
        }
        if self.samples.get() > max_samples {
            return Err(EvalError::Limit(format!(
                "query processing would load too many samples into memory: more than {max_samples}; shorten the \
                 range, or add label matchers"
            )));
        }
        Ok(())
    }

    /// Counts values that are kept.
    fn hold(&self, points: usize) -> Result<(), EvalError> {
        let most = self.options.limits.max_points;
        self.points.set(self.points.get().saturating_add(points));
        if self.points.get() > most {
            return Err(EvalError::Limit(format!(
                "the query holds more than {most} points; use a larger step, or add label matchers"
            )));
        }
        Ok(())
    }
}

/// Takes rows as they come: labels, whether the name is to be dropped, and a value or a stale marker for
/// each step. The buffer may be taken; it is used again otherwise.
type Sink<'s> = &'s mut dyn FnMut(&LabelSet, bool, &mut Vec<f64>) -> Result<(), EvalError>;

/// An evaluation over one grid.
#[derive(Clone, Copy)]
struct Eval<'a> {
    storage: &'a dyn Storage,
    env: &'a Env<'a>,
    grid: Steps,
}

impl<'a> Eval<'a> {
    fn on(&self, grid: Steps) -> Self {
        Self { grid, ..*self }
    }

    fn steps(&self) -> usize {
        self.grid.count()
    }

    fn answer(&self, expr: &Expr) -> Result<Value, EvalError> {
        Ok(match expr.kind() {
            Kind::Scalar => Value::Scalar(self.scalar(expr)?),
            Kind::Text => Value::Text(self.text(expr)?.to_owned()),
            Kind::Matrix => Value::Matrix(self.matrix(expr)?),
            Kind::Vector => {
                let mut rows = self.rows(expr)?;
                if self.env.options.delayed_name_removal {
                    rows.iter_mut().for_each(Row::drop_name);
                    rows = merged(rows)?;
                }
                rows.retain(|row| row.values.iter().any(|value| !is_stale(*value)));
                if !(self.env.instant && ordered(expr)) {
                    rows.sort_by(|a, b| a.labels.cmp(&b.labels));
                }
                Value::Vector(
                    rows.into_iter().map(|row| Line { labels: row.labels, values: row.values }).collect(),
                )
            }
        })
    }

    /// The samples themselves, for an instant query of a range.
    fn matrix(&self, expr: &Expr) -> Result<Vec<Samples>, EvalError> {
        let mut found = Vec::new();
        self.windows(expr, &mut |series| {
            let (from, to) = series.bounds.first().copied().unwrap_or((0, 0));
            let samples = series.times[from as usize..to as usize].iter().copied();
            let samples: Vec<_> =
                samples.zip(series.values[from as usize..to as usize].iter().copied()).collect();
            self.env.hold(samples.len() * 2)?;
            if !samples.is_empty() {
                let labels =
                    if series.nameless { rows::nameless(series.labels) } else { series.labels.clone() };
                found.push((labels, samples));
            }
            Ok(())
        })?;
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    /// The rows of a vector, all of them, no two with the same labels.
    fn rows(&self, expr: &Expr) -> Result<Vec<Row>, EvalError> {
        match &expr.node {
            Node::Binary(binary)
                if binary.left.kind() == Kind::Vector && binary.right.kind() == Kind::Vector =>
            {
                if binary.op.is_set() { self.set_operation(binary) } else { self.matched(binary) }
            }
            Node::Aggregate(aggregate) if !folds(aggregate) => self.pick(aggregate),
            Node::Call(func, args) => match (func, args.as_slice()) {
                (Func::Window(Window::Absent), [of]) => self.absent_over_time(of),
                (Func::Absent, [of]) => self.absent(of),
                (Func::LabelReplace, args) => self.label_replace(args),
                (Func::LabelJoin, args) => self.label_join(args),
                (Func::Sort | Func::SortDesc, [of]) => self.sorted(of, *func == Func::SortDesc),
                (Func::SortByLabel | Func::SortByLabelDesc, args) => {
                    self.sorted_by_label(args, *func == Func::SortByLabelDesc)
                }
                (Func::HistogramQuantile, [q, of]) => self.histogram_quantile(q, of),
                (Func::HistogramQuantiles, args) => self.histogram_quantiles(args),
                (Func::HistogramFraction, [low, high, of]) => self.histogram_fraction(low, high, of),
                _ => self.collected(expr),
            },
            _ => self.collected(expr),
        }
    }

    /// The rows that flow from an expression, kept.
    fn collected(&self, expr: &Expr) -> Result<Vec<Row>, EvalError> {
        let delayed = self.env.options.delayed_name_removal;
        let mut rows = Vec::new();
        let mut dropped = false;
        self.flow(expr, &mut |labels, nameless, values| {
            self.env.hold(values.len() + 8)?;
            dropped |= nameless;
            let labels = if nameless && !delayed { rows::nameless(labels) } else { labels.clone() };
            rows.push(Row { labels, nameless: nameless && delayed, values: std::mem::take(values) });
            Ok(())
        })?;
        if dropped && !delayed && !one_name(expr) { merged(rows) } else { Ok(rows) }
    }

    /// Hands over the rows of a vector one by one.
    fn each(&self, expr: &Expr, sink: Sink<'_>) -> Result<(), EvalError> {
        if flows(expr) && (self.env.options.delayed_name_removal || one_name(expr)) {
            return self.flow(expr, sink);
        }
        for mut row in self.rows(expr)? {
            sink(&row.labels, row.nameless, &mut row.values)?;
        }
        Ok(())
    }

    /// As [`Eval::each`], for what [`flows`].
    fn flow(&self, expr: &Expr, sink: Sink<'_>) -> Result<(), EvalError> {
        match &expr.node {
            Node::Instant(selector) => self.instant(selector, sink),
            Node::Invariant(of) => {
                let steps = self.steps();
                self.on(Steps::instant(self.grid.start)).each(of, &mut |labels, nameless, values| {
                    let value = values.first().copied().unwrap_or_else(stale_marker);
                    values.clear();
                    values.resize(steps, value);
                    sink(labels, nameless, values)
                })
            }
            Node::Negate(of) => self.each(of, &mut |labels, _, values| {
                values.iter_mut().filter(|value| !is_stale(**value)).for_each(|value| *value = -*value);
                sink(labels, true, values)
            }),
            Node::Binary(binary) => self.with_scalar(binary, sink),
            Node::Aggregate(aggregate) => self.fold(aggregate, sink),
            Node::Call(func, args) => match (func, args.as_slice()) {
                (Func::Window(window), args) => self.window(*window, args, sink),
                (Func::Map(map), args) => self.map(*map, args, sink),
                (Func::Timestamp, [of]) => self.timestamp(of, sink),
                (Func::Vector, [of]) => sink(&LabelSet::default(), false, &mut self.scalar(of)?),
                _ => Err(EvalError::execution("expected an instant vector")),
            },
            _ => Err(EvalError::execution("expected an instant vector")),
        }
    }

    /// A function of values without a vector, at each step of its own time.
    fn own_time(&self, map: Map, sink: Sink<'_>) -> Result<(), EvalError> {
        let mut values: Vec<f64> =
            self.grid.times().map(|time| date::part(map, time as f64 / 1000.0)).collect();
        sink(&LabelSet::default(), false, &mut values)
    }
}
