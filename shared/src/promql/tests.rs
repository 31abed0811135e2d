//! Queries over a few series in memory.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::labels::{LabelSet, METRIC_NAME};

/// Two counters every 15 s from 0 to 600 s, one with a reset, and a gauge with a gap.
fn storage() -> MemoryStorage {
    let mut storage = MemoryStorage::default();
    for (node, factor) in [("a", 1.0), ("b", 2.0)] {
        let samples: Vec<_> = (0..=40).map(|n| (n * 15_000, (n % 25) as f64 * 30.0 * factor)).collect();
        storage.add(LabelSet::from_pairs([(METRIC_NAME, "served_total"), ("node", node)]), &samples);
    }
    let gauge: Vec<_> =
        (0..=40).map(|n| (n * 15_000, if n == 20 { stale_marker() } else { n as f64 })).collect();
    storage.add(LabelSet::from_pairs([(METRIC_NAME, "peers"), ("node", "a")]), &gauge);
    storage
}

fn instant(query: &str, at: i64) -> Result<Answer, String> {
    let query = Query::parse(query).map_err(|e| e.to_string())?;
    query.instant(&storage(), at, &Options::default()).map_err(|e| e.to_string())
}

fn values(query: &str, at: i64) -> Vec<f64> {
    match instant(query, at).unwrap().value {
        Value::Vector(lines) => lines.iter().map(|line| line.values[0]).collect(),
        Value::Scalar(values) => values,
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_by_hand() {
    for (query, at, expected) in [
        ("increase(served_total[1m])", 60_000, vec![120.0, 240.0]),
        ("peers", 300_000, vec![]),
        ("peers", 315_000, vec![21.0]),
        ("peers", 899_999, vec![40.0]),
        ("peers", 900_000, vec![]),
        ("count_over_time(peers[1m])", 300_000, vec![3.0]),
        ("sum(served_total) / 3", 15_000, vec![30.0]),
        ("resets(served_total{node='a'}[10m])", 600_000, vec![1.0]),
        ("scalar(peers) + 1", 30_000, vec![3.0]),
        ("topk(1, served_total)", 15_000, vec![60.0]),
        ("served_total offset 15s @ 30", 0, vec![30.0, 60.0]),
        ("max_over_time(sum(served_total)[1m:15s])", 60_000, vec![360.0]),
    ] {
        assert_eq!(values(query, at), expected, "{query}");
    }
}

/// What is the same at all steps, what slides, and what has gaps: at each step as an instant query says.
#[test]
fn a_range_is_its_instants() {
    let storage = storage();
    let steps = Steps { start: -30_000, end: 930_000, step: 17_000 };
    let options = Options::default();
    for text in [
        "peers",
        "rate(served_total[50s])",
        "increase(served_total[4m] offset 1m)",
        "avg_over_time(peers[2m])",
        "sum by (node) (served_total) > 100",
        "topk(1, served_total)",
        "peers or served_total",
        "served_total unless on (node) peers",
        "served_total * on (node) group_left () peers",
        "quantile_over_time(0.3, (peers * 2)[3m:20s])",
        "absent(peers)",
        "timestamp(peers)",
        "stddev(served_total @ 100) + vector(time())",
        "predict_linear(peers[3m], 60)",
        "count_values('v', served_total)",
    ] {
        let query = Query::parse(text).unwrap();
        let Value::Vector(lines) = query.range(&storage, steps, &options).unwrap().value else { panic!() };
        for (step, time) in steps.times().enumerate() {
            let Value::Vector(now) = query.instant(&storage, time, &options).unwrap().value else { panic!() };
            let mut now: Vec<_> =
                now.into_iter().map(|line| (line.labels, line.values[0].to_bits())).collect();
            now.sort();
            let there = lines.iter().filter(|line| !is_stale(line.values[step]));
            let then: Vec<_> = there.map(|line| (line.labels.clone(), line.values[step].to_bits())).collect();
            assert_eq!(now, then, "{text} at {time}");
        }
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (query, problem) in [
        ("", "1:1: parse error: no expression found"),
        ("1 +\n nosuch(x)", "2:2: parse error: unknown function with name"),
        ("sum(peers) peers", "1:12: parse error: unexpected \"peers\""),
        ("peers +", "1:8: parse error: unexpected end of input"),
        ("peers[5]", ""),
        ("peers[0s]", "1:7: parse error: duration must be greater than 0"),
        ("peers[1e300]", "duration out of range"),
        ("peers offset NaN", "duration"),
        ("peers[5m+1m]", "experimental and not supported"),
        ("peers[99999999999y]", "bad number or duration"),
        ("topk('a', peers)", "expected type scalar"),
        ("limitk('a', peers)", "1:8: parse error: expected type scalar"),
        ("{__name__='a', 'b'}", "metric name must not be set twice"),
        ("peers{a=~'('}", "1:1: parse error"),
        ("{a=''}", "at least one non-empty matcher"),
        ("1 == 1", "comparisons between scalars must use BOOL modifier"),
    ] {
        match Query::parse(query) {
            Err(error) if !problem.is_empty() => {
                assert!(error.to_string().contains(problem), "{query}: {error}");
            }
            Ok(_) if problem.is_empty() => {}
            other => panic!("{query}: {other:?}"),
        }
    }
    let deep = |text: &str| Query::parse(text).unwrap_err().to_string();
    assert!(deep(&"(".repeat(100_000)).contains("nested too deeply"));
    assert!(deep(&"1+".repeat(100_000)).contains("more than 500 operators"));
    assert!(deep(&"-".repeat(100_000)).contains("more than 500 operators"));
    assert!(instant("info(peers)", 0).unwrap_err().contains("info() is not supported"));
    assert!(instant("histogram_sum(peers)", 0).unwrap_err().contains("native histograms"));
    assert!(instant("served_total - on () peers", 30_000).unwrap_err().contains("many-to-one matching must"));
    assert!(instant("{node='a'} * 2", 30_000).unwrap_err().contains("same labelset"));
}

#[test]
fn the_deepest_that_is_allowed_fits_the_stack() {
    let sum = format!("{}peers", "peers + ".repeat(500));
    let nested = format!("{}peers{}", "abs(".repeat(99), ")".repeat(99));
    let signs = format!("{}peers", "-".repeat(499));
    for query in [sum, nested, signs] {
        assert_eq!(values(&query, 15_000).len(), 1);
        assert!(!Query::parse(&query).unwrap().formatted().is_empty());
    }
}

#[test]
fn limits_are_named() {
    let query = Query::parse("served_total").unwrap();
    let with = |limits: Limits| {
        let options = Options { limits, ..Options::default() };
        query.instant(&storage(), 60_000, &options).unwrap_err().to_string()
    };
    assert!(with(Limits { max_series: 1, ..Limits::default() }).contains("more than 1 series"));
    assert!(with(Limits { max_samples: 1, ..Limits::default() }).contains("too many samples"));
    assert!(with(Limits { max_points: 1, ..Limits::default() }).contains("more than 1 points"));
    let stopped = Options { stop: &|| Some(EvalError::Cancelled), ..Options::default() };
    assert_eq!(query.instant(&storage(), 60_000, &stopped), Err(EvalError::Cancelled));
}

#[test]
fn notes_have_prometheus_s_words_and_places() {
    let answer = instant("sum(rate(peers[5m])) +\n quantile(7, peers)", 60_000).unwrap();
    assert_eq!(
        answer.infos,
        ["PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \
          \"peers\" (1:10)"]
    );
    assert_eq!(answer.warnings, ["PromQL warning: quantile value should be between 0 and 1, got 7 (2:11)"]);
}

#[test]
fn an_expression_is_written_again() {
    let query = Query::parse("sum by(a)(rate(x{b!=\"c\"}[5m] offset 1h))>bool 1").unwrap();
    assert_eq!(query.formatted(), "sum by (a) (rate(x{b!=\"c\"}[5m] offset 1h)) > bool 1");
    let tree = query.tree();
    assert_eq!(
        (&tree["type"], &tree["op"], &tree["bool"]),
        (&"binaryExpr".into(), &">".into(), &true.into())
    );
    let range = &tree["lhs"]["expr"]["args"][0];
    assert_eq!((range["range"].as_i64(), range["offset"].as_i64()), (Some(300_000), Some(3_600_000)));
}

proptest::proptest! {
    #[test]
    fn nothing_panics(
        text in "((rate|sum|by|topk|peers|served_total|offset|label_replace|on|group_left|bool|or|and|start)|[0-9.]+|[(){}\\[\\]\"=,+*/@:^<>-]| |5m|'a'|\\PC){0,30}"
    ) {
        if let Ok(query) = Query::parse(&text) {
            let _ = query.instant(&storage(), 60_000, &Options::default());
            query.formatted();
            query.tree();
        }
    }

    #[test]
    fn likely_queries_never_panic(
        outer in "(sum|topk|avg|count_values|quantile|rate|abs|histogram_quantile|label_join|absent_over_time|sort|clamp|scalar|stddev)",
        modifier in "( by \\(node\\)| without \\(\\)|)",
        arguments in "(1, |-1, |NaN, |1e30, |\"a\", |)",
        inner in "(peers|served_total|\\{node=\"a\"\\}|1|time\\(\\))(\\[5m\\]|\\[1m:7s\\]|\\[1ms:1h\\]|)( offset -5m| @ 1e9| @ end\\(\\)|)",
        rest in "( [-+*/^%] peers| > bool 2| or on \\(\\) peers| == on \\(node\\) group_right \\(x\\) peers|)",
    ) {
        let text = format!("{outer}{modifier}({arguments}{inner}){rest}");
        if let Ok(query) = Query::parse(&text) {
            let _ = query.range(&storage(), Steps { start: 0, end: 600_000, step: 33_000 }, &Options::default());
        }
    }
}
