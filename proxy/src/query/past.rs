//! The far past of a query, joined to what the store holds: what is older than the store's oldest sample is
//! read from elsewhere before the query is evaluated. Nothing is there twice: theirs end where ours begin.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, Matcher};
use fleetglass_shared::promql::{EachSeries, EvalError, Read, SeriesRef, Storage};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::long_term::LongTerm;
use crate::store::Store;

/// So many selectors of a query are read at once.
const CONCURRENT: usize = 4;

/// What was read for one query.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Before this time their samples count, from it on ours.
    before: UnixMillis,
    /// By the matchers of a selector.
    found: Vec<(Vec<Matcher>, HashMap<LabelSet, Column>)>,
    /// What could not be read, for whoever asked.
    pub(super) warnings: Vec<String>,
}

/// Times and values of one series.
type Column = (Vec<i64>, Vec<f64>);

impl Past {
    /// Reads those parts of a query's reads that the store no longer has. What cannot be read is a warning: the
    /// answer then is the store's.
    pub(super) async fn of(long_term: Option<&LongTerm>, store: &Store, reads: Vec<Read>) -> Self {
        let Some(long_term) = long_term else { return Self::default() };
        let before = store.oldest().unwrap_or(UnixMillis::MAX);
        let read = stream::iter(older(reads, before)).map(|read| async move {
            let series = long_term.read(&read.matchers, read.from, read.to, None).await?;
            Ok::<_, String>((read.matchers, series))
        });
        let all = read.buffered(CONCURRENT).try_collect::<Vec<_>>();
        let mut past = Self { before, ..Self::default() };
        match tokio::time::timeout(long_term.timeout(), all).await {
            Ok(Ok(all)) => {
                for (matchers, series) in all {
                    let columns = past.columns(matchers);
                    for series in series {
                        let (times, values) = columns.entry(series.labels).or_default();
                        times.extend(series.samples.iter().map(|sample| sample.0));
                        values.extend(series.samples.iter().map(|sample| sample.1));
                    }
                }
            }
            Ok(Err(problem)) => past.missing(&problem),
            Err(_) => {
                past.missing(&format!("no answer within {} s", long_term.timeout().as_secs_f64()));
            }
        }
        past
    }

    fn columns(&mut self, matchers: Vec<Matcher>) -> &mut HashMap<LabelSet, Column> {
        let known = self.found.iter().position(|(own, _)| *own == matchers);
        let place = known.unwrap_or_else(|| {
            self.found.push((matchers, HashMap::new()));
            self.found.len() - 1
        });
        &mut self.found[place].1
    }

    fn missing(&mut self, problem: &str) {
        let words =
            format!("what is older than the samples here could not be read from [long_term]: {problem}");
        tracing::warn!("{words}");
        self.warnings.push(words);
    }

    /// The store with this before it.
    pub(super) fn joined<'a>(&'a self, store: &'a Store) -> Joined<'a> {
        Joined { past: self, store }
    }
}

/// The parts of reads that lie before a time: in order, and none of a selector twice.
fn older(mut reads: Vec<Read>, before: UnixMillis) -> Vec<Read> {
    reads.sort_by_key(|read| read.from);
    let mut parts: Vec<Read> = Vec::new();
    for mut read in reads.into_iter().filter(|read| read.from < before) {
        read.to = read.to.min(before - 1);
        let touches = |part: &&mut Read| part.matchers == read.matchers && read.from <= part.to;
        match parts.iter_mut().find(touches) {
            Some(part) => part.to = part.to.max(read.to),
            None => parts.push(read),
        }
    }
    parts.retain(|part| part.from <= part.to);
    parts
}

/// See [`Past::joined`].
pub(super) struct Joined<'a> {
    past: &'a Past,
    store: &'a Store,
}

impl Storage for Joined<'_> {
    fn scan(
        &self,
        matchers: &[Matcher],
        from: UnixMillis,
        to: UnixMillis,
        each: EachSeries<'_>,
    ) -> Result<(), EvalError> {
        let Some((_, theirs)) = self.past.found.iter().find(|(known, _)| known == matchers) else {
            return self.store.scan(matchers, from, to, each);
        };
        let mut continued = HashSet::new();
        self.store.scan(matchers, from, to, &mut |ours| {
            // Samples that were pushed late may be older than what the store can answer for.
            let begin = ours.times.partition_point(|&at| at < self.past.before);
            match theirs.get_key_value(ours.labels) {
                None if begin == 0 => each(ours),
                old => {
                    let (mut times, mut values) =
                        old.map_or_else(Column::default, |(_, column)| column.clone());
                    continued.extend(old.map(|(labels, _)| labels));
                    times.extend(&ours.times[begin..]);
                    values.extend(&ours.values[begin..]);
                    show(ours.labels, times, &values, each)
                }
            }
        })?;
        for (labels, (times, values)) in theirs.iter().filter(|(labels, _)| !continued.contains(labels)) {
            show(labels, times.clone(), values, each)?;
        }
        Ok(())
    }
}

fn show(
    labels: &LabelSet,
    times: Vec<i64>,
    values: &[f64],
    each: &mut dyn FnMut(SeriesRef<'_>) -> Result<(), EvalError>,
) -> Result<(), EvalError> {
    let times: Arc<[i64]> = times.into();
    each(SeriesRef { labels, times: &times, values })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use fleetglass_shared::promql::{MemoryStorage, Options, Query, Steps, Value};
    use fleetglass_shared::sample::{is_stale, stale_marker};

    use super::*;
    use crate::store::{Limits, Put, TargetIdent};

    const STEP: i64 = 15_000;

    fn labels(name: &str) -> LabelSet {
        LabelSet::from_pairs([("__name__", name), ("instance", "a"), ("job", "j")])
    }

    /// One truth of two series, `x` all the time and `old` for 20 steps, cut at a time: what was before is theirs,
    /// what comes after is in the store. Where `old` ends in the store, that says so.
    fn cut(at: i64) -> (MemoryStorage, Store, Past) {
        let all: Vec<(i64, f64)> = (0..80).map(|n| (n * STEP + 7, (n * n) as f64)).collect();
        let mut truth = MemoryStorage::default();
        truth.add(labels("x"), &all);
        let mut old = all[..20].to_vec();
        old.extend((at <= all[19].0).then_some((all[20].0, stale_marker())));
        truth.add(labels("old"), &old);
        let ident = TargetIdent { instance: "a".to_owned(), job: "j".to_owned(), labels: BTreeMap::new() };
        let store = Store::new(Limits::default());
        for &(time, value) in all.iter().filter(|sample| sample.0 >= at) {
            let mut row = store.begin(&ident, time).unwrap();
            row.put(&Put::gauge("x", value, "")).unwrap();
            if time < all[20].0 {
                row.put(&Put::gauge("old", value, "")).unwrap();
            }
            row.commit();
        }
        let before = store.oldest().unwrap();
        let theirs = |series: &[(i64, f64)]| -> Column {
            series.iter().filter(|sample| sample.0 < before).copied().unzip()
        };
        let one = |name: &str, series: &[(i64, f64)]| {
            let columns = HashMap::from([(labels(name), theirs(series))]);
            (vec![Matcher::equal("__name__", name)], columns)
        };
        let found = vec![one("x", &all), one("old", &all[..20])];
        (truth, store, Past { before, found, warnings: Vec::new() })
    }

    fn shown(value: Value) -> Vec<String> {
        let Value::Vector(lines) = value else { panic!() };
        (lines.iter())
            .map(|line| {
                let values: Vec<String> = (line.values.iter())
                    .map(|value| if is_stale(*value) { "-".to_owned() } else { value.to_string() })
                    .collect();
                format!("{} {}", line.labels, values.join(" "))
            })
            .collect()
    }

    #[test]
    fn an_answer_over_the_seam_is_that_of_one_storage() {
        for at in [1, 100_000, 299_999, 600_000] {
            let (truth, store, past) = cut(at);
            for text in
                ["x", "rate(x[1m])", "old", "x offset 3m", "sum(x) + count(x)", "max_over_time(x[2m:20s])"]
            {
                let query = Query::parse(text).unwrap();
                for step in [1_000, 15_000, 61_000] {
                    let steps = Steps { start: 0, end: 80 * STEP - 8_000, step };
                    let options = Options::default();
                    let joined = query.range(&past.joined(&store), steps, &options).unwrap().value;
                    let one = query.range(&truth, steps, &options).unwrap().value;
                    assert_eq!(shown(joined), shown(one), "{text} cut at {at} by {step}");
                }
            }
        }
    }

    #[test]
    fn only_what_is_older_is_asked_for_and_nothing_twice() {
        let read = |name: &str, from, to| Read { matchers: vec![Matcher::equal("__name__", name)], from, to };
        let parts = older(
            vec![
                read("a", 50, 200),
                read("a", 10, 60),
                read("a", 100, 300),
                read("b", 20, 30),
                read("a", 1, 5),
                read("b", 90, 120),
            ],
            90,
        );
        assert_eq!(parts, [read("a", 1, 5), read("a", 10, 89), read("b", 20, 30)]);
    }
}
