//! The store against what it promises, and against a naive model of it.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use fleetglass_shared::exposition::{Format, Mode, parse};
use fleetglass_shared::labels::Selector;
use fleetglass_shared::sample::{format_value, is_stale};
use proptest::prelude::*;

use super::*;

const EVERYTHING: SelectLimits = SelectLimits { max_series: usize::MAX, max_samples: usize::MAX };

fn target(id: &str) -> TargetIdent {
    let labels = BTreeMap::from([("region".to_owned(), "eu".to_owned())]);
    TargetIdent { instance: id.to_owned(), job: "decdn".to_owned(), labels }
}

fn expose(row: &mut Row, endpoint: &str, body: &str) -> Result<Exposed, StoreError> {
    let parser = parse(body.as_bytes(), Format::PrometheusText, Mode::Lenient);
    row.expose(endpoint, &mut Reader::new(parser))
}

/// One round of one endpoint.
fn scrape(store: &Store, at: UnixMillis, body: &str) -> RowStats {
    let mut row = store.begin(&target("a"), at).unwrap();
    expose(&mut row, "metrics", body).unwrap();
    row.commit()
}

/// The samples of every selected series, a stale marker as "-".
fn read(store: &Store, selector: &str) -> Vec<String> {
    let matchers = Selector::parse(selector).unwrap().matchers;
    let mut found: Vec<String> = (store.select(&matchers, i64::MIN, i64::MAX, EVERYTHING).unwrap().iter())
        .map(|series| {
            let own = series.labels.without(|n| ["instance", "job", "region"].contains(&n));
            let samples = series.samples.iter().map(|&(at, value)| {
                let value = if is_stale(value) { "-".to_owned() } else { format_value(value) };
                format!(" {at}:{value}")
            });
            format!("{own}{}", samples.collect::<String>())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_series_that_is_missing_is_stale_once() {
    let store = Store::new(Limits::default());
    scrape(&store, 1000, "a 1\nb 2\n");
    let stats = scrape(&store, 2000, "a 1\n");
    assert_eq!(stats, RowStats { samples: 1, series_added: 0, staled: 1 });
    scrape(&store, 3000, "a 3\n");
    scrape(&store, 4000, "a 4\nb 4\n");
    assert_eq!(read(&store, "{instance=\"a\"}"), ["a 1000:1 2000:1 3000:3 4000:4", "b 1000:2 2000:- 4000:4"]);
    // A failed round: nothing is exposed, everything is stale.
    store.begin(&target("a"), 5000).unwrap().commit();
    assert_eq!(read(&store, "b"), ["b 1000:2 2000:- 4000:4 5000:-"]);
    assert!(store.latest("a").is_empty());
}

#[test]
fn a_metric_is_found_wherever_each_node_has_it() {
    let store = Store::new(Limits::default());
    let bodies = [
        ("a", "m 1\nx 1\n"),
        ("b", "m 2\nx 2\n"),
        ("c", "x 3\nm 3\n"),
        ("d", "m{k=\"1\"} 4\nm{k=\"2\"} 5\n"),
        ("e", "x 6\n"),
        ("f", "m 7\n"),
    ];
    for (id, body) in bodies {
        let mut row = store.begin(&target(id), 1000).unwrap();
        expose(&mut row, "metrics", body).unwrap();
        row.commit();
    }
    let values = |selector: &str| -> Vec<f64> {
        let matchers = Selector::parse(selector).unwrap().matchers;
        let found = store.select(&matchers, 0, 9999, EVERYTHING).unwrap();
        found.iter().map(|series| series.samples[0].1).collect()
    };
    assert_eq!(values("m"), [1.0, 2.0, 3.0, 4.0, 5.0, 7.0]);
    assert_eq!(values("x"), [1.0, 2.0, 3.0, 6.0]);
    assert_eq!(values("nobody_has_it"), [0.0; 0]);

    // A second series of the metric takes the first one's place alone, and gives it back when it is abandoned.
    let small = Store::new(Limits { max_series_per_target: 1, ..Limits::default() });
    scrape(&small, 1000, "m 1\n");
    let mut row = small.begin(&target("a"), 2000).unwrap();
    assert!(expose(&mut row, "metrics", "m 2\nm{k=\"1\"} 3\n").is_err());
    row.commit();
    scrape(&small, 3000, "m 4\n");
    assert_eq!(read(&small, "m"), ["m 1000:1 2000:- 3000:4"]);
}

#[test]
fn staleness_crosses_the_edge_of_a_block() {
    let store = Store::new(Limits::default());
    for round in 1..=200 {
        scrape(&store, round * 1000, if round == 64 || round == 129 { "a 1\nb 1\n" } else { "a 1\n" });
    }
    assert_eq!(read(&store, "b"), ["b 64000:1 65000:- 129000:1 130000:-"]);
    let matchers = Selector::parse("b").unwrap().matchers;
    let from = store.select(&matchers, 65_000, 65_000, EVERYTHING).unwrap();
    assert!(is_stale(from[0].samples[0].1));
}

#[test]
fn labels_of_the_target_win_and_the_exposed_ones_are_kept() {
    let store = Store::new(Limits::default());
    scrape(&store, 1000, "a{instance=\"x\",job=\"y\",k=\"v\"} 1\n");
    let series = store.series(&Selector::parse("a").unwrap().matchers, 0, 9999);
    assert_eq!(
        series[0].to_string(),
        r#"a{exported_instance="x",exported_job="y",instance="a",job="decdn",k="v",region="eu"}"#
    );
    assert_eq!(
        store.series(&Selector::parse("a{exported_job='y',region='eu'}").unwrap().matchers, 0, 9999).len(),
        1
    );
    assert_eq!(store.series(&Selector::parse("a{job='y'}").unwrap().matchers, 0, 9999).len(), 0);
    let names: Vec<String> = store.labels(&[], 0, 9999).into_iter().collect();
    assert_eq!(names, ["__name__", "exported_instance", "exported_job", "instance", "job", "k", "region"]);
    assert_eq!(store.label_values("job", &[], 0, 9999).into_iter().collect::<Vec<_>>(), ["decdn"]);
    // A target with other labels: its rows until now carry them too.
    let mut other = target("a");
    other.labels = BTreeMap::from([("k".to_owned(), "mine".to_owned())]);
    store.retarget(&other);
    assert_eq!(read(&store, "a{k='mine',exported_k='v'}").len(), 1);
    assert_eq!(read(&store, "a{region='eu'}").len(), 0);
}

#[test]
fn a_broken_exposition_leaves_the_other_endpoints_alone() {
    let store = Store::new(Limits::default());
    let mut row = store.begin(&target("a"), 1000).unwrap();
    expose(&mut row, "one", "a 1\n").unwrap();
    let error = expose(&mut row, "two", "b 1\nc 1\nd{ oops\n").unwrap_err();
    assert!(error.to_string().contains("line 3"), "{error}");
    assert_eq!(row.commit(), RowStats { samples: 1, series_added: 1, staled: 0 });
    assert_eq!(store.stats().series, 1);
    assert_eq!(read(&store, "{instance='a'}"), ["a 1000:1"]);
    // And later it is read as if nothing had been.
    let mut row = store.begin(&target("a"), 2000).unwrap();
    expose(&mut row, "two", "b 1\nc 1\n").unwrap();
    row.commit();
    assert_eq!(read(&store, "{instance='a'}"), ["a 1000:1 2000:-", "b 2000:1", "c 2000:1"]);
}

#[test]
fn beyond_a_limit_what_was_stored_stays() {
    let limits = Limits { max_series_per_target: 3, max_series: 4, ..Limits::default() };
    let store = Store::new(limits);
    scrape(&store, 1000, "a 1\nb 1\n");
    let mut row = store.begin(&target("a"), 2000).unwrap();
    let error = expose(&mut row, "metrics", "a 2\nb 2\nc 2\nd 2\n").unwrap_err();
    assert!(matches!(error, StoreError::SeriesLimit { limit: 3, .. }));
    assert!(error.to_string().contains("store.max_series_per_target"));
    assert!(row.put(&Put::gauge("up", 0.0, "Whether it answers")).unwrap());
    row.commit();
    assert_eq!(read(&store, "{instance='a'}"), ["a 1000:1 2000:-", "b 1000:1 2000:-", "up 2000:0"]);
    let mut row = store.begin(&target("b"), 1000).unwrap();
    let error = expose(&mut row, "metrics", "a 1\nb 1\n").unwrap_err();
    assert!(matches!(error, StoreError::SeriesLimit { limit: 4, setting: "store.max_series", .. }));
    drop(row);
    assert_eq!(store.stats().series, 3);
}

#[test]
fn a_row_that_is_dropped_never_was() {
    let store = Store::new(Limits::default());
    scrape(&store, 1000, "a 1\n");
    let mut row = store.begin(&target("a"), 2000).unwrap();
    expose(&mut row, "metrics", "b 1\na 2\nc 1\n").unwrap();
    drop(row);
    assert_eq!(store.stats().series, 1);
    scrape(&store, 3000, "c 3\na 3\n");
    assert_eq!(read(&store, "{instance='a'}"), ["a 1000:1 3000:3", "c 3000:3"]);
}

#[test]
fn our_own_series_never_replace_exposed_ones() {
    let store = Store::new(Limits::default());
    let mut row = store.begin(&target("a"), 1000).unwrap();
    expose(&mut row, "metrics", "peers 7\n").unwrap();
    assert!(!row.put(&Put { derived: true, ..Put::gauge("peers", 6.0, "Peers") }).unwrap());
    assert!(row.put(&Put { derived: true, ..Put::gauge("ready", 1.0, "Ready") }).unwrap());
    row.commit();
    let latest = store.latest("a");
    assert_eq!(
        latest.iter().map(|s| (s.metric.as_str(), s.value.as_str(), s.derived)).collect::<Vec<_>>(),
        [("peers", "7", false), ("ready", "1", true)]
    );
    assert_eq!((latest[1].kind.as_str(), latest[1].help.as_str()), ("gauge", "Ready"));
    assert_eq!(store.own_series().len(), 1);
}

#[test]
fn what_is_put_first_gives_way_to_a_whole_exposition_only() {
    let store = Store::new(Limits::default());
    let mut row = store.begin(&target("a"), 1000).unwrap();
    row.put(&Put::gauge("peers", 6.0, "Peers")).unwrap();
    assert!(expose(&mut row, "metrics", "peers 7\noops{\n").is_err());
    row.commit();
    let mut row = store.begin(&target("a"), 2000).unwrap();
    row.put(&Put::gauge("peers", 6.0, "Peers")).unwrap();
    expose(&mut row, "metrics", "peers 7\n").unwrap();
    row.commit();
    assert_eq!(read(&store, "peers"), ["peers 1000:6 2000:7"]);
}

#[test]
fn two_endpoints_with_one_series_do_not_alternate() {
    let store = Store::new(Limits::default());
    let mut row = store.begin(&target("a"), 1000).unwrap();
    expose(&mut row, "node", "fds 1\n").unwrap();
    assert_eq!(expose(&mut row, "staking", "fds 100\nx 1\n").unwrap().duplicates, 1);
    row.commit();
    // The first one fails: its series is stale, not the other's.
    let mut row = store.begin(&target("a"), 2000).unwrap();
    expose(&mut row, "staking", "fds 100\nx 1\n").unwrap();
    row.commit();
    // It answers and has it no more: now it is the other's.
    let mut row = store.begin(&target("a"), 3000).unwrap();
    expose(&mut row, "node", "y 1\n").unwrap();
    row.commit();
    let mut row = store.begin(&target("a"), 4000).unwrap();
    expose(&mut row, "staking", "fds 100\n").unwrap();
    row.commit();
    assert_eq!(read(&store, "fds"), ["fds 1000:1 2000:- 4000:100"]);
}

#[test]
fn big_integers_keep_their_digits() {
    let store = Store::new(Limits::default());
    scrape(&store, 1000, "wei 18446744073709551617\nsmall 12\nbig 1e300\n");
    let value = |metric: &str| store.latest("a").into_iter().find(|s| s.metric == metric).unwrap().value;
    assert_eq!(value("wei"), "18446744073709551617");
    assert_eq!(value("small"), "12");
    assert_eq!(value("big"), "1e+300");
    scrape(&store, 2000, "wei 5\n");
    assert_eq!(value("wei"), "5");
}

#[test]
fn samples_with_their_own_times_keep_them() {
    let store = Store::new(Limits { retention_ms: 100_000, ..Limits::default() });
    scrape(&store, 200_000, "a 1 199000\n");
    scrape(&store, 215_000, "a 1 199000\n");
    scrape(&store, 230_000, "a 2 229000\nold 1 5\nfuture 1 9999999999\n");
    scrape(&store, 245_000, "b 1\n");
    assert_eq!(read(&store, "a"), ["a 199000:1 229000:2"]);
    assert_eq!(read(&store, "{__name__=~'old|future'}").len(), 0);
    assert_eq!(store.latest("a").iter().map(|s| s.at).collect::<Vec<_>>(), [229_000, 245_000]);
}

#[test]
fn a_clock_set_back_a_little_waits_and_set_back_far_is_believed() {
    let store = Store::new(Limits::default());
    for round in 1..=100 {
        scrape(&store, 1_000_000 + round * 15_000, &format!("a {round}\n"));
    }
    let last = 2_500_000;
    assert_eq!(
        store.begin(&target("a"), last - 1000).err(),
        Some(StoreError::OutOfOrder { at: last - 1000, last })
    );
    scrape(&store, 1_060_000, "a -1\n");
    assert_eq!(read(&store, "a"), ["a 1015000:1 1030000:2 1045000:3 1060000:-1"]);
}

#[test]
fn what_is_too_old_goes_with_its_series() {
    let store = Store::new(Limits { retention_ms: 600_000, ..Limits::default() });
    for round in 0..1000 {
        scrape(&store, round * 15_000, &format!("a 1\nb{{round=\"{round}\"}} 1\n"));
    }
    let stats = store.stats();
    assert!(stats.oldest.unwrap() >= 999 * 15_000 - 600_000 - 65 * 15_000);
    assert!(stats.series < 300, "{stats:?}");
    assert_eq!(store.series(&Selector::parse("b").unwrap().matchers, 0, i64::MAX).len(), stats.series - 1);
    store.remove("a", 16_000_000);
    assert!(store.latest("a").is_empty());
    store.sweep(16_600_001);
    assert_eq!(store.stats(), Stats { bytes: store.stats().bytes, ..Stats::default() });
}

#[test]
fn a_selector_selects_exactly_its_series() {
    let store = Store::new(Limits::default());
    scrape(&store, 1000, "a 1\na{x=\"1\"} 2\na{x=\"1\",y=\"2\"} 3\n");
    for series in store.latest("a") {
        let found = store.series(&Selector::parse(&series.selector).unwrap().matchers, 0, 9999);
        assert_eq!(found.len(), 1, "{}", series.selector);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_store_is_a_map_of_vectors(
        rounds in prop::collection::vec(
            (1u16..40_000, prop::option::weighted(0.9, prop::collection::vec(prop::option::weighted(0.8, -2i8..3), 1..7))),
            1..200,
        ),
        order in any::<u64>(),
        from in 0usize..200,
    ) {
        let limit = 5;
        let store = Store::new(Limits { max_series_per_target: limit, retention_ms: i64::MAX / 4, ..Limits::default() });
        let mut model: BTreeMap<String, Vec<(i64, Option<f64>)>> = BTreeMap::new();
        let (mut at, mut times) = (0i64, Vec::new());
        for (number, (gap, values)) in rounds.iter().enumerate() {
            at += i64::from(*gap);
            times.push(at);
            let mut lines: Vec<(String, f64)> = values.iter().flatten().enumerate()
                .filter_map(|(i, value)| Some((format!("m{{i=\"{i}\"}}"), f64::from((*value)?)))).collect();
            if order >> (number % 64) & 1 == 1 {
                lines.reverse();
            }
            let body: String = lines.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
            let mut row = store.begin(&target("a"), at).unwrap();
            let added = lines.iter().filter(|(name, _)| !model.contains_key(name)).count();
            let refused = model.len() + added > limit;
            let outcome = values.as_ref().map(|_| expose(&mut row, "metrics", &body));
            if let Some(outcome) = &outcome {
                prop_assert_eq!(outcome.is_err(), refused);
            }
            row.commit();
            let seen: BTreeMap<String, f64> =
                if outcome.is_some_and(|o| o.is_ok()) { lines.into_iter().collect() } else { BTreeMap::new() };
            for (name, samples) in &mut model {
                if !seen.contains_key(name) && samples.last().is_some_and(|(_, value)| value.is_some()) {
                    samples.push((at, None));
                }
            }
            for (name, value) in seen {
                model.entry(name).or_default().push((at, Some(value)));
            }
        }
        let start = times[from % times.len()];
        let found = store.select(&Selector::parse("m").unwrap().matchers, start, at, EVERYTHING).unwrap();
        let found: BTreeMap<String, Vec<(i64, Option<f64>)>> = found.into_iter().map(|series| {
            let own = series.labels.without(|n| ["instance", "job", "region"].contains(&n));
            let samples = series.samples.iter().map(|&(at, v)| (at, (!is_stale(v)).then_some(v)));
            (own.to_string(), samples.collect())
        }).collect();
        for samples in model.values_mut() {
            samples.retain(|&(at, _)| at >= start);
        }
        model.retain(|_, samples| !samples.is_empty());
        prop_assert_eq!(found, model);
    }
}

#[test]
fn an_open_row_is_read_and_takes_what_is_worked_out_from_it() {
    let store = Store::new(Limits::default());
    let tap = store.tap();
    let ident = TargetIdent { instance: "a".into(), job: "j".into(), labels: BTreeMap::new() };
    // Also in the row that fills a block, and in the one that begins the next.
    for at in 1..=130_i64 {
        let mut row = store.begin(&ident, at * 1000).unwrap();
        row.put(&Put::gauge("x", at as f64, "")).unwrap();
        let open = row.commit_open();
        let now = |expr: &str| crate::query::evaluate_instant(&store, expr, at * 1000).unwrap();
        assert_eq!(now("x"), [at as f64]);
        let twice = Put::gauge("twice", now("2 * x")[0], "");
        let again = Put::gauge("x", 0.0, "");
        let stats = if at % 3 == 0 { open.close(&[]) } else { open.close(&[twice, again]) };
        assert_eq!(stats.samples, if at % 3 == 0 { 1 } else { 2 });
        assert_eq!(stats.staled, usize::from(at % 3 == 0));
        assert_eq!(now("x"), [at as f64]);
        assert_eq!(now("twice"), if at % 3 == 0 { vec![] } else { vec![2.0 * at as f64] });
        let tapped = tap.next(std::time::Duration::ZERO).unwrap();
        // The second is a value, or the end of the series.
        assert_eq!(tapped.samples.len(), 2);
    }
    assert_eq!(store.stats().samples, 130 + 87);
}

#[test]
fn a_row_that_nobody_closes_is_closed() {
    let store = Store::new(Limits::default());
    let ident = TargetIdent { instance: "a".into(), job: "j".into(), labels: BTreeMap::new() };
    let commit = |at: i64| {
        let mut row = store.begin(&ident, at).unwrap();
        row.put(&Put::gauge("x", at as f64, "")).unwrap();
        row.commit_open()
    };
    for at in 1..=200 {
        drop(commit(at));
    }
    let late = commit(201);
    // The next row comes first; what was worked out for the one before is too late, and is no harm.
    drop(commit(202));
    late.close(&[Put::gauge("y", 1.0, "")]);
    assert_eq!(store.stats().samples, 202);
    assert!(crate::query::evaluate_instant(&store, "y", 202).unwrap().is_empty());
}

/// What a share link may show of a node: a rule may have worked out a series of its name from all nodes.
#[test]
fn a_target_s_own_series_are_not_those_of_rules() {
    use fleetglass_shared::{labels::LabelSet, promql::Storage};
    let store = Store::new(Limits::default());
    for instance in ["a", "b"] {
        let ident = TargetIdent { instance: instance.into(), job: "j".into(), labels: BTreeMap::new() };
        let mut row = store.begin(&ident, 1_000).unwrap();
        row.put(&Put::gauge("up", 1.0, "")).unwrap();
        row.commit();
    }
    let recorded = LabelSet::from_pairs([("__name__", "rank"), ("instance", "a"), ("job", "j")]);
    store.ingest(&TargetIdent::nobody(), vec![(recorded, vec![(1_000, 7.0)])], 1_000);
    let mut seen = Vec::new();
    let mut note = |series: fleetglass_shared::promql::SeriesRef<'_>| {
        seen.push(series.labels.to_string());
        Ok(())
    };
    store.of_target("a").scan(&[], 0, 2_000, &mut note).unwrap();
    assert_eq!(seen, ["up{instance=\"a\",job=\"j\"}"]);
}
