//! Unit tests of rules, in promtool's format: series, rules, and what should come of them when.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::AlertState;
use super::file::duration;
use super::group::{Context, GroupState, instant};
use super::tune::Tuned;
use super::yaml::{self, Kind, Node, Place};
use super::{ALERT_NAME, Rule, RuleGroup};
use crate::labels::{LabelSet, Matcher};
use crate::promql::notation::{self, Sample};
use crate::promql::{EachSeries, EvalError, Options, Query, SeriesRef, Storage};
use crate::sample::go_float;

/// A test file.
#[derive(Clone, Debug)]
pub struct TestFile {
    /// The rule files it tests, as it names them: patterns, from its own folder.
    pub rule_files: Vec<String>,
    evaluation_interval_ms: i64,
    group_eval_order: Vec<String>,
    tests: Vec<Test>,
}

#[derive(Clone, Debug, Default)]
struct Test {
    name: String,
    interval_ms: i64,
    input: Vec<notation::Series>,
    alerts: Vec<AlertTest>,
    exprs: Vec<ExprTest>,
    external_labels: LabelSet,
    external_url: String,
}

#[derive(Clone, Debug)]
struct AlertTest {
    at: i64,
    alert: String,
    expected: Vec<Alert>,
}

/// Labels and annotations.
type Alert = (BTreeMap<String, String>, BTreeMap<String, String>);

#[derive(Clone, Debug)]
struct ExprTest {
    at: i64,
    expr: String,
    expected: Vec<(LabelSet, f64)>,
}

/// Something in a test file that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct TestFault {
    /// Where.
    pub place: Place,
    /// What.
    pub message: String,
}

type Read<T> = Result<T, TestFault>;

fn fault<T>(node: &Node, message: impl Into<String>) -> Read<T> {
    Err(TestFault { place: node.place, message: message.into() })
}

/// The fields of a mapping, none that is not known.
fn fields<'a>(node: &'a Node, known: &[&str]) -> Read<Vec<(&'a str, &'a Node)>> {
    let Kind::Map(pairs) = &node.kind else {
        return if node.is_null() {
            Ok(Vec::new())
        } else {
            fault(node, format!("a mapping is needed, not {}", node.word()))
        };
    };
    let mut found: Vec<(&str, &Node)> = Vec::new();
    for (key, value) in pairs {
        let name = key.text().unwrap_or_default();
        if !known.contains(&name) {
            return fault(key, format!("field {name} not found; there may be {}", known.join(", ")));
        }
        if found.iter().any(|(own, _)| *own == name) {
            return fault(key, format!("mapping key {name:?} already defined"));
        }
        found.push((name, value));
    }
    Ok(found)
}

fn list(node: &Node) -> Read<&[Node]> {
    match &node.kind {
        Kind::List(items) => Ok(items),
        _ if node.is_null() => Ok(&[]),
        _ => fault(node, format!("a list is needed, not {}", node.word())),
    }
}

fn text(node: &Node) -> Read<&str> {
    node.text().map_or_else(|| fault(node, format!("a text is needed, not {}", node.word())), Ok)
}

fn texts(node: &Node) -> Read<BTreeMap<String, String>> {
    match &node.kind {
        Kind::Map(pairs) => {
            pairs.iter().map(|(key, value)| Ok((text(key)?.to_owned(), text(value)?.to_owned()))).collect()
        }
        _ if node.is_null() => Ok(BTreeMap::new()),
        _ => fault(node, format!("a mapping is needed, not {}", node.word())),
    }
}

fn millis(node: &Node) -> Read<i64> {
    duration(text(node)?).or_else(|message| fault(node, message))
}

impl TestFile {
    /// Reads a test file.
    ///
    /// # Errors
    /// What is not understood, and where.
    pub fn read(source: &str) -> Read<Self> {
        let root =
            yaml::read(source).map_err(|error| TestFault { place: error.place, message: error.message })?;
        let mut file = Self {
            rule_files: Vec::new(),
            evaluation_interval_ms: 60_000,
            group_eval_order: Vec::new(),
            tests: Vec::new(),
        };
        let Some(root) = root else { return Ok(file) };
        let mut tests: &[Node] = &[];
        let known = ["rule_files", "evaluation_interval", "group_eval_order", "tests", "fuzzy_compare"];
        for (name, node) in fields(&root, &known)? {
            let texts =
                |node| list(node)?.iter().map(|item| text(item).map(str::to_owned)).collect::<Read<Vec<_>>>();
            match name {
                "rule_files" => file.rule_files = texts(node)?,
                "evaluation_interval" => file.evaluation_interval_ms = millis(node)?.max(1),
                "group_eval_order" => file.group_eval_order = texts(node)?,
                "tests" => tests = list(node)?,
                _ => {}
            }
        }
        for node in tests {
            file.tests.push(test(node, file.evaluation_interval_ms)?);
        }
        Ok(file)
    }

    /// Whether it tests nothing: then its rule files are not even read, as with promtool.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// Runs all its tests over the groups of its rule files. What went wrong, in promtool's form; nothing when
    /// all went well.
    pub fn run(&self, groups: &[RuleGroup]) -> Vec<String> {
        let order = |group: &RuleGroup| self.group_eval_order.iter().position(|name| *name == group.name);
        let mut groups: Vec<&RuleGroup> = groups.iter().collect();
        groups.sort_by_key(|group| order(group).unwrap_or(usize::MAX));
        let mut failures = Vec::new();
        for test in &self.tests {
            let found = test.run(&groups, self.evaluation_interval_ms);
            if !found.is_empty() && !test.name.is_empty() {
                failures.push(format!("    name: {},", test.name));
            }
            failures.extend(found);
        }
        failures
    }
}

fn test(node: &Node, interval_ms: i64) -> Read<Test> {
    let mut test = Test { interval_ms, ..Test::default() };
    let known = [
        "name",
        "interval",
        "input_series",
        "alert_rule_test",
        "promql_expr_test",
        "external_labels",
        "external_url",
        "start_timestamp",
    ];
    for (name, node) in fields(node, &known)? {
        match name {
            "name" => test.name = text(node)?.to_owned(),
            "interval" => test.interval_ms = millis(node)?.max(1),
            "input_series" => test.input = list(node)?.iter().map(input).collect::<Read<_>>()?,
            "alert_rule_test" => test.alerts = list(node)?.iter().map(alert_test).collect::<Read<_>>()?,
            "promql_expr_test" => test.exprs = list(node)?.iter().map(expr_test).collect::<Read<_>>()?,
            "external_labels" => test.external_labels = LabelSet::from_pairs(texts(node)?),
            "external_url" => test.external_url = text(node)?.to_owned(),
            _ => return fault(node, format!("{name} is not supported")),
        }
    }
    Ok(test)
}

fn input(node: &Node) -> Read<notation::Series> {
    let (mut series, mut values) = ("", "");
    for (name, node) in fields(node, &["series", "values"])? {
        *(if name == "series" { &mut series } else { &mut values }) = text(node)?;
    }
    let (labels, rest) = notation::metric(series.trim()).or_else(|message| fault(node, message))?;
    if !rest.trim().is_empty() {
        return fault(node, format!("{series}: not a series"));
    }
    let samples = notation::samples(values).or_else(|message| fault(node, message))?;
    Ok(notation::Series { labels, samples })
}

fn alert_test(node: &Node) -> Read<AlertTest> {
    let mut found = AlertTest { at: 0, alert: String::new(), expected: Vec::new() };
    for (name, node) in fields(node, &["eval_time", "alertname", "exp_alerts"])? {
        match name {
            "eval_time" => found.at = millis(node)?,
            "alertname" => found.alert = text(node)?.to_owned(),
            _ => found.expected = list(node)?.iter().map(expected_alert).collect::<Read<_>>()?,
        }
    }
    for (labels, _) in &mut found.expected {
        labels.insert(ALERT_NAME.to_owned(), found.alert.clone());
    }
    Ok(found)
}

fn expected_alert(node: &Node) -> Read<Alert> {
    let mut found = Alert::default();
    for (name, node) in fields(node, &["exp_labels", "exp_annotations"])? {
        *(if name == "exp_labels" { &mut found.0 } else { &mut found.1 }) = texts(node)?;
    }
    Ok(found)
}

fn expr_test(node: &Node) -> Read<ExprTest> {
    let mut found = ExprTest { at: 0, expr: String::new(), expected: Vec::new() };
    for (name, node) in fields(node, &["expr", "eval_time", "exp_samples"])? {
        match name {
            "expr" => found.expr = text(node)?.to_owned(),
            "eval_time" => found.at = millis(node)?,
            _ => found.expected = list(node)?.iter().map(expected_sample).collect::<Read<_>>()?,
        }
    }
    Ok(found)
}

fn expected_sample(node: &Node) -> Read<(LabelSet, f64)> {
    let (mut labels, mut value) = (LabelSet::default(), 0.0);
    for (name, node) in fields(node, &["labels", "value", "histogram"])? {
        match name {
            "labels" => {
                let (set, rest) =
                    notation::metric(text(node)?.trim()).or_else(|message| fault(node, message))?;
                if !rest.trim().is_empty() {
                    return fault(node, "not a series");
                }
                labels = set;
            }
            "value" => {
                let (number, rest) =
                    notation::number(text(node)?.trim()).or_else(|message| fault(node, message))?;
                if !rest.is_empty() {
                    return fault(node, "not a number");
                }
                value = number;
            }
            _ => return fault(node, "native histograms are not supported"),
        }
    }
    Ok((labels, value))
}

impl Test {
    fn run(&self, groups: &[&RuleGroup], evaluation_interval_ms: i64) -> Vec<String> {
        let mut samples = Samples::default();
        for series in &self.input {
            let placed = series.samples.iter().zip((0i64..).map(|step| step * self.interval_ms));
            let floats = placed.filter_map(|(sample, at)| match sample {
                Some(Sample::Float(value)) => Some((at, *value)),
                _ => None,
            });
            samples.0.entry(series.labels.clone()).or_default().extend(floats);
        }
        let mut states = vec![GroupState::default(); groups.len()];
        let last = self.alerts.iter().map(|test| test.at).chain(self.exprs.iter().map(|test| test.at)).max();
        let mut failures = Vec::new();
        let mut at = 0;
        while last.is_some_and(|last| at <= last) {
            for (group, state) in groups.iter().zip(&mut states) {
                for (index, rule) in group.rules.iter().enumerate() {
                    let outcome =
                        state.evaluate(group, index, &Tuned::default(), at, &self.context(&samples));
                    if let Some(error) = outcome.error {
                        failures.push(format!("    rule: {}, time: {}, err: {error}", rule.name, words(at)));
                    }
                    for (labels, value) in outcome.samples {
                        samples.0.entry(labels).or_default().push((at, value));
                    }
                }
            }
            if !failures.is_empty() {
                return failures;
            }
            for test in self.alerts.iter().filter(|test| (at..at + evaluation_interval_ms).contains(&test.at))
            {
                failures.extend(test.failure(groups, &states));
            }
            at += evaluation_interval_ms;
        }
        failures.extend(self.exprs.iter().filter_map(|test| test.failure(&self.context(&samples))));
        failures
    }

    fn context<'a>(&'a self, samples: &'a Samples) -> Context<'a> {
        Context {
            storage: samples,
            external_labels: &self.external_labels,
            external_url: &self.external_url,
            evidence: &(),
            options: Options::default(),
        }
    }
}

impl AlertTest {
    fn failure(&self, groups: &[&RuleGroup], states: &[GroupState]) -> Option<String> {
        let mut got: Vec<Alert> = Vec::new();
        for (group, state) in groups.iter().zip(states) {
            let named = |rule: &Rule| rule.is_alerting() && rule.name == self.alert;
            for (_, state) in group.rules.iter().zip(&state.rules).filter(|(rule, _)| named(rule)) {
                let firing = state.active.iter().filter(|(_, alert)| alert.state == AlertState::Firing);
                got.extend(firing.map(|(labels, alert)| (labels.to_map(), alert.annotations.clone())));
            }
        }
        got.sort();
        let mut expected = self.expected.clone();
        expected.sort();
        (got != expected).then(|| {
            format!(
                "    alertname: {}, time: {}, \n        exp:{}, \n        got:{}",
                self.alert,
                words(self.at),
                listed(&expected),
                listed(&got)
            )
        })
    }
}

impl ExprTest {
    fn failure(&self, context: &Context<'_>) -> Option<String> {
        let at = words(self.at);
        let fails = |error: String| Some(format!("    expr: {:?}, time: {at}, err: {error}", self.expr));
        let query = match Query::parse(&self.expr) {
            Ok(query) => query,
            Err(error) => return fails(error.to_string()),
        };
        let mut got = match instant(&query, self.at, context) {
            Ok(given) => given.vector,
            Err(error) => return fails(error.to_string()),
        };
        got.sort_by(|a, b| a.0.cmp(&b.0));
        let mut expected = self.expected.clone();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        (got != expected).then(|| {
            let one = |(labels, value): &(LabelSet, f64)| format!("{labels} {}", go_float(*value));
            let all = |samples: &[(LabelSet, f64)]| match samples {
                [] => "nil".to_owned(),
                _ => samples.iter().map(one).collect::<Vec<_>>().join(", "),
            };
            format!(
                "    expr: {:?}, time: {at},\n        exp: {}\n        got: {}",
                self.expr,
                all(&expected),
                all(&got)
            )
        })
    }
}

/// Alerts as promtool lists them.
fn listed(alerts: &[Alert]) -> String {
    if alerts.is_empty() {
        return "[]".to_owned();
    }
    let set = |pairs: &BTreeMap<String, String>| {
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        format!("{{{}}}", pairs.join(", "))
    };
    let one = |(index, (labels, annotations)): (usize, &Alert)| {
        let pad = " ".repeat(12);
        format!("{pad}{index}:\n{pad}  Labels:{}\n{pad}  Annotations:{}", set(labels), set(annotations))
    };
    let alerts: Vec<String> = alerts.iter().enumerate().map(one).collect();
    format!("[\n{}\n            ]", alerts.join(",\n"))
}

/// A duration as Prometheus writes it: `1h30m`.
fn words(ms: i64) -> String {
    const UNITS: [(&str, i64, bool); 7] = [
        ("y", 365 * 86_400_000, true),
        ("w", 7 * 86_400_000, true),
        ("d", 86_400_000, false),
        ("h", 3_600_000, false),
        ("m", 60_000, false),
        ("s", 1000, false),
        ("ms", 1, false),
    ];
    let (mut rest, mut out) = (ms, String::new());
    for (unit, size, exact) in UNITS {
        if rest >= size && !(exact && rest % size != 0) {
            out.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

/// Series that grow while rules are evaluated.
#[derive(Default)]
struct Samples(BTreeMap<LabelSet, Vec<(i64, f64)>>);

impl Storage for Samples {
    fn scan(&self, matchers: &[Matcher], from: i64, to: i64, each: EachSeries<'_>) -> Result<(), EvalError> {
        for (labels, samples) in &self.0 {
            let inside = || samples.iter().filter(|(at, _)| (from..=to).contains(at));
            if matchers.iter().all(|matcher| matcher.matches_set(labels)) && inside().next().is_some() {
                let times: Arc<[i64]> = inside().map(|(at, _)| *at).collect();
                let values: Vec<f64> = inside().map(|(_, value)| *value).collect();
                each(SeriesRef { labels, times: &times, values: &values })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_in_prometheus() {
        for (ms, text) in
            [(0, "0s"), (420_000, "7m"), (5_400_000, "1h30m"), (90 * 86_400_000, "90d"), (1_500, "1s500ms")]
        {
            assert_eq!(words(ms), text);
        }
    }
}
