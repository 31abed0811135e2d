//! The series that a viewer's query can see.

use std::sync::Arc;

use super::{Inside, Scope};
use crate::health::UnixMillis;
use crate::labels::{METRIC_NAME, Matcher};
use crate::promql::{EachSeries, EvalError, Query, SCOPE_MARK, SLOT_VALUE, SeriesRef, Storage};

/// The nodes of a scope as a storage of their own: whatever is asked of it, there is nothing else in it. Names and
/// labels are the viewer's, in what is asked and in what is answered.
///
/// It answers only selectors that [`Scoped::query`] has marked in the plan: a query that was forgotten sees nothing.
pub struct Scoped<'a> {
    scope: &'a Scope,
    nodes: &'a [Inside],
    oldest: UnixMillis,
    of: &'a dyn Fn(&str) -> Box<dyn Storage + 'a>,
}

impl<'a> Scoped<'a> {
    /// The series of `nodes`; `of` gives the storage that holds the series of one of them, by its id, and no others.
    pub fn new(
        scope: &'a Scope,
        nodes: &'a [Inside],
        oldest: UnixMillis,
        of: &'a dyn Fn(&str) -> Box<dyn Storage + 'a>,
    ) -> Self {
        Self { scope, nodes, oldest, of }
    }

    /// The query as this storage answers it.
    #[must_use]
    pub fn query(&self, query: &Query) -> Query {
        query.within(&self.mark())
    }

    /// The matchers of a selector that is not part of a query.
    pub fn matchers(&self, mut matchers: Vec<Matcher>) -> Vec<Matcher> {
        matchers.push(self.mark());
        matchers
    }

    fn mark(&self) -> Matcher {
        Matcher::equal(SCOPE_MARK, &self.scope.opaque("scope"))
    }
}

impl Storage for Scoped<'_> {
    fn scan(&self, matchers: &[Matcher], from: i64, to: i64, each: EachSeries<'_>) -> Result<(), EvalError> {
        let mark = self.mark();
        let Some(marked) = matchers.iter().position(|matcher| *matcher == mark) else { return Ok(()) };
        let (from, names) = (from.max(self.oldest), [METRIC_NAME, SLOT_VALUE]);
        if from > to {
            return Ok(());
        }
        // Metrics are named as they are. All else is compared with what the viewer may read.
        let (below, own): (Vec<&Matcher>, Vec<&Matcher>) = matchers
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != marked)
            .map(|(_, matcher)| matcher)
            .partition(|matcher| names.contains(&matcher.name()));
        let below: Vec<Matcher> = below.into_iter().cloned().collect();
        for node in self.nodes {
            let is_meant = |matcher: &&Matcher| matcher.name() != "instance" || matcher.matches(&node.shown);
            if !own.iter().all(is_meant) {
                continue;
            }
            (self.of)(&node.id).scan(&below, from, to, &mut |series| self.show(node, &own, series, each))?;
        }
        Ok(())
    }
}

impl Scoped<'_> {
    fn show(
        &self,
        node: &Inside,
        own: &[&Matcher],
        series: SeriesRef<'_>,
        each: EachSeries<'_>,
    ) -> Result<(), EvalError> {
        let scope = self.scope;
        if series.labels.get("instance") != Some(&node.id)
            || scope.hides_metric(series.labels.metric())
            || !scope.takes_series(series.labels)
        {
            return Ok(());
        }
        let labels = scope.labels(node, series.labels);
        if !own.iter().all(|matcher| matcher.matches_set(&labels)) {
            return Ok(());
        }
        let first = series.times.partition_point(|at| *at < self.oldest);
        if first == 0 {
            return each(SeriesRef { labels: &labels, ..series });
        }
        let times: Arc<[i64]> = series.times[first..].into();
        if times.is_empty() {
            return Ok(());
        }
        each(SeriesRef { labels: &labels, times: &times, values: &series.values[first..] })
    }
}
