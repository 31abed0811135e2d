//! Selectors and subqueries: which samples lie at each step, or in front of it.

use std::sync::Arc;

use super::{Eval, Sink};
use crate::labels::LabelSet;
use crate::promql::error::EvalError;
use crate::promql::plan::{Expr, Kind, Node, Selector, Shift, Subquery};
use crate::promql::reads;
use crate::promql::storage::{EachSeries, SeriesRef, is_stale, stale_marker};

/// A series with the samples of each step's window: `values[from..to]` for `(from, to)` in `bounds`.
pub(super) struct Windowed<'w> {
    pub(super) labels: &'w LabelSet,
    pub(super) nameless: bool,
    pub(super) times: &'w [i64],
    pub(super) values: &'w [f64],
    pub(super) bounds: &'w [(u32, u32)],
}

/// Takes a series, for each step whether it has a sample and where, and a buffer for the row.
type Newest<'n> = &'n mut dyn FnMut(SeriesRef<'_>, &[(u32, u32)], &mut Vec<f64>) -> Result<(), EvalError>;

/// What the times of a column say about each step, kept while series share the column.
#[derive(Default)]
struct Bounds {
    column: Option<Arc<[i64]>>,
    bounds: Vec<(u32, u32)>,
}

/// Which samples are looked at.
enum Reach {
    /// All of the span.
    All,
    /// At each step the newest alone.
    Newest,
}

impl<'a> Eval<'a> {
    /// The time that a selector looks at from each step.
    pub(super) fn looks_at(&self, shift: Shift) -> impl Iterator<Item = i64> + use<'a> {
        let query = self.env.query;
        self.grid.times().map(move |step| reads::looks_at(query, shift, step))
    }

    /// The span of time that a selector reads, `back_ms` before each time it looks at.
    fn span(&self, shift: Shift, back_ms: i64) -> (i64, i64) {
        reads::span(self.grid, self.env.query, shift, back_ms)
    }

    fn scan(
        &self,
        selector: &Selector,
        back_ms: i64,
        reach: Reach,
        each: EachSeries<'_>,
    ) -> Result<(), EvalError> {
        let (from, to) = self.span(selector.shift, back_ms);
        let mut counted = |series: SeriesRef<'_>| {
            self.env.read(series.values.len())?;
            each(series)
        };
        match reach {
            Reach::Newest if self.steps() == 1 => {
                self.storage.scan_newest(&selector.matchers, from, to, &mut counted)
            }
            Reach::Newest | Reach::All => self.storage.scan(&selector.matchers, from, to, &mut counted),
        }
    }

    /// The newest sample at each step that is not too old and does not end the series.
    pub(super) fn instant(&self, selector: &Selector, sink: Sink<'_>) -> Result<(), EvalError> {
        self.newest(selector, &mut |series, bounds, row| {
            row.extend(
                bounds.iter().map(
                    |&(found, at)| {
                        if found == 0 { stale_marker() } else { series.values[at as usize] }
                    },
                ),
            );
            sink(series.labels, false, row)
        })
    }

    /// The time of that sample, in seconds.
    pub(super) fn timestamp(&self, of: &Expr, sink: Sink<'_>) -> Result<(), EvalError> {
        if let Node::Instant(selector) = &of.plain().node {
            return self.newest(selector, &mut |series, bounds, row| {
                row.extend(bounds.iter().map(|&(found, at)| {
                    if found == 0 || is_stale(series.values[at as usize]) {
                        stale_marker()
                    } else {
                        series.times[at as usize] as f64 / 1000.0
                    }
                }));
                sink(series.labels, true, row)
            });
        }
        self.each(of, &mut |labels, _, values| {
            for (value, time) in values.iter_mut().zip(self.grid.times()) {
                if !is_stale(*value) {
                    *value = time as f64 / 1000.0;
                }
            }
            sink(labels, true, values)
        })
    }

    /// For each series and step whether there is a sample young enough (1 or 0), and where.
    fn newest(&self, selector: &Selector, each: Newest<'_>) -> Result<(), EvalError> {
        let back = self.env.options.look_back_ms;
        let mut known = Bounds::default();
        let mut row = Vec::new();
        self.scan(selector, back, Reach::Newest, &mut |series| {
            known.of(series.times, |times, bounds| {
                let mut behind = 0;
                bounds.extend(self.looks_at(selector.shift).map(|time| {
                    behind += times[behind..].iter().take_while(|&&at| at <= time).count();
                    match behind.checked_sub(1) {
                        Some(at) if times[at] > time.saturating_sub(back) => (1, at as u32),
                        _ => (0, 0),
                    }
                }));
            });
            row.clear();
            each(series, &known.bounds, &mut row)
        })
    }

    /// Hands over every series of a range with its windows.
    pub(super) fn windows(
        &self,
        range: &Expr,
        each: &mut dyn FnMut(Windowed<'_>) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        match &range.plain().node {
            Node::Range(selector, range_ms) => {
                let mut slider = Slider::new(*range_ms, self.looks_at(selector.shift).collect());
                self.scan(selector, *range_ms, Reach::All, &mut |series| slider.slide(series, false, each))
            }
            Node::Subquery(subquery) => self.subquery(subquery, each),
            _ => Err(EvalError::execution("expected a range vector")),
        }
    }

    fn subquery(
        &self,
        subquery: &Subquery,
        each: &mut dyn FnMut(Windowed<'_>) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let step = subquery.step_ms.unwrap_or(self.env.options.default_step_ms);
        let grid = reads::inner(self.span(subquery.shift, subquery.range_ms), step);
        self.env.hold(grid.count())?;
        let times: Arc<[i64]> = grid.times().collect();
        if times.is_empty() {
            return Ok(());
        }
        let mut slider = Slider::new(subquery.range_ms, self.looks_at(subquery.shift).collect());
        debug_assert_eq!(subquery.of.kind(), Kind::Vector);
        self.on(grid).each(&subquery.of, &mut |labels, nameless, values| {
            self.env.go_on()?;
            slider.slide(SeriesRef { labels, times: &times, values }, nameless, each)
        })
    }
}

impl Bounds {
    fn of(&mut self, times: &Arc<[i64]>, find: impl FnOnce(&[i64], &mut Vec<(u32, u32)>)) {
        if !self.column.as_ref().is_some_and(|column| Arc::ptr_eq(column, times)) {
            self.bounds.clear();
            find(times, &mut self.bounds);
            self.column = Some(times.clone());
        }
    }
}

/// Moves a window along a series.
struct Slider {
    range_ms: i64,
    looks_at: Vec<i64>,
    known: Bounds,
    /// For a series with gaps: its samples without them.
    times: Vec<i64>,
    values: Vec<f64>,
    bounds: Vec<(u32, u32)>,
}

impl Slider {
    fn new(range_ms: i64, looks_at: Vec<i64>) -> Self {
        let (times, values, bounds) = (Vec::new(), Vec::new(), Vec::new());
        Self { range_ms, looks_at, known: Bounds::default(), times, values, bounds }
    }

    fn slide(
        &mut self,
        series: SeriesRef<'_>,
        nameless: bool,
        each: &mut dyn FnMut(Windowed<'_>) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let Self { range_ms, looks_at, known, times, values, bounds } = self;
        let labels = series.labels;
        if !series.values.iter().any(|value| is_stale(*value)) {
            known.of(series.times, |times, bounds| find(times, looks_at, *range_ms, bounds));
            let (times, values, bounds) = (series.times.as_ref(), series.values, known.bounds.as_slice());
            return each(Windowed { labels, nameless, times, values, bounds });
        }
        times.clear();
        values.clear();
        bounds.clear();
        let there = series.times.iter().zip(series.values).filter(|(_, value)| !is_stale(**value));
        for (time, value) in there {
            times.push(*time);
            values.push(*value);
        }
        find(times, looks_at, *range_ms, bounds);
        each(Windowed { labels, nameless, times, values, bounds })
    }
}

/// The samples in `(time - range, time]` for each time.
fn find(times: &[i64], looks_at: &[i64], range_ms: i64, bounds: &mut Vec<(u32, u32)>) {
    let (mut from, mut to) = (0, 0);
    bounds.extend(looks_at.iter().map(|&time| {
        while times.get(to).is_some_and(|&at| at <= time) {
            to += 1;
        }
        let open = time.saturating_sub(range_ms);
        while from < to && times[from] <= open {
            from += 1;
        }
        (from as u32, to as u32)
    }));
}
