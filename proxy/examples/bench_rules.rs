//! Measures rules: a thousand of them over a thousand targets, the rules of risks when a round lands, and a
//! back-test over a day of a hundred nodes.
//!
//! `cargo run --release -p fleetglass --example bench_rules`
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use fleetglass::alerts::Alerts;
use fleetglass::rules::{LoadedFile, Nodes, RuleSet, Rules};
use fleetglass::state::StateFile;
use fleetglass::store::{Limits, Put, Store, TargetIdent};
use fleetglass_shared::promql::{Options, Query, Steps};
use fleetglass_shared::rule::{Rule, RuleKind, backtest};

const STEP_MS: i64 = 15_000;
const START: i64 = 1_700_000_000_000;
const TARGETS: usize = 1_000;
const SERIES: usize = 40;
const RULES: usize = 1_000;
const GROUPS: usize = 20;

/// Every node answers.
struct All;

impl Nodes for All {
    fn contains(&self, _: &str) -> bool {
        true
    }

    fn answers(&self, _: &str) -> bool {
        true
    }

    fn all_asked(&self) -> bool {
        true
    }
}

fn main() {
    evaluation();
    back_test();
}

fn ident(target: usize) -> TargetIdent {
    let labels = BTreeMap::from([("region".to_owned(), ["eu", "us", "ap"][target % 3].to_owned())]);
    TargetIdent { instance: format!("node-{target}"), job: "bench".to_owned(), labels }
}

fn round(store: &Store, target: usize, at: i64, names: &[String]) {
    let mut row = store.begin(&ident(target), at).expect("time goes on");
    row.put(&Put::gauge("up", 1.0, "")).expect("few series");
    for (series, name) in names.iter().enumerate() {
        // One of a hundred is over the bound.
        let value = if (target + series).is_multiple_of(100) { 95.0 } else { (target % 50) as f64 };
        row.put(&Put::gauge(name, value + (at / STEP_MS % 3) as f64, "")).expect("few series");
    }
    row.commit();
}

/// A third are thresholds, a third rates over five minutes, a third ratios; one of ten is of a risk.
fn rules() -> RuleSet {
    let mut files = Vec::new();
    for group in 0..GROUPS {
        let mut text = format!("groups:\n- name: g{group}\n  rules:\n");
        for rule in (0..RULES / GROUPS).map(|rule| group * (RULES / GROUPS) + rule) {
            let (a, b) = (rule % SERIES, (rule + 7) % SERIES);
            let expr = match rule % 3 {
                0 => format!("metric_{a} > 90"),
                1 => format!("rate(metric_{a}[5m]) > 100"),
                _ => format!("metric_{a} / metric_{b} > 4"),
            };
            let labels =
                if rule.is_multiple_of(10) { "severity: critical, risk: r" } else { "severity: warning" };
            text += &format!(
                "  - alert: Rule{rule}\n    expr: {expr}\n    for: 1m\n    labels: {{{labels}}}\n    annotations: {{summary: \"{{{{ \
                 $labels.instance }}}} has {{{{ $value | humanize }}}}\"}}\n"
            );
        }
        files.push(LoadedFile::read(&format!("bench-{group}.yml"), &text, &[], STEP_MS));
    }
    RuleSet { files }
}

fn evaluation() {
    let store = Arc::new(Store::new(Limits::default()));
    let names: Vec<String> = (0..SERIES).map(|series| format!("metric_{series}")).collect();
    let rounds = 40;
    for step in 0..rounds {
        for target in 0..TARGETS {
            round(&store, target, START + step * STEP_MS, &names);
        }
    }
    let alerts = Arc::new(Alerts::new(Arc::new(StateFile::open(None))));
    let rules_ =
        Rules::new(Arc::clone(&store), Arc::clone(&alerts), Arc::new(All), String::new(), BTreeMap::new());
    rules_.apply(rules(), START);
    let groups = rules_.groups();
    println!("{RULES} alerting rules over {TARGETS} targets with {SERIES} series each, one core:");
    for turn in 0..4 {
        let at = START + (rounds - 5 + turn) * STEP_MS;
        let begun = Instant::now();
        groups.iter().for_each(|group| group.evaluate(&rules_, at));
        let firing = alerts.all().len();
        let took = begun.elapsed().as_secs_f64();
        println!(
            "  turn {turn}: {took:.2} s, {:.1} % of an interval of 15 s; {firing} alerts",
            took / STEP_MS as f64 * 1e5
        );
    }
    let begun = Instant::now();
    let landed = 200;
    for target in 0..landed {
        rules_.landed(&format!("node-{target}"), START + rounds * STEP_MS);
    }
    println!(
        "a round lands, {} rules of risks for one node: {:.2} ms",
        RULES / 10,
        begun.elapsed().as_secs_f64() * 1e3 / f64::from(u16::try_from(landed).unwrap_or(1))
    );
}

fn back_test() {
    let (nodes, day) = (100, 86_400_000i64);
    let store = Store::new(Limits { retention_ms: 2 * day, ..Limits::default() });
    let names = ["lag_seconds".to_owned()];
    for step in 0..day / STEP_MS {
        for target in 0..nodes {
            round(&store, target, START + step * STEP_MS, &names);
        }
    }
    let kind = RuleKind::Alerting { for_ms: 300_000, keep_firing_for_ms: 0, annotations: BTreeMap::new() };
    println!("a back-test over 24 h of {nodes} nodes, a sample each 15 s:");
    for text in ["lag_seconds > 49", "rate(lag_seconds[5m]) > 0.001", "avg_over_time(lag_seconds[1h]) > 40"] {
        let rule = Rule {
            name: "Bench".to_owned(),
            kind: kind.clone(),
            query: Query::parse(text).expect("it is PromQL"),
            labels: BTreeMap::new(),
            place: fleetglass_shared::rule::Place::default(),
        };
        for step in [30_000, STEP_MS] {
            let begun = Instant::now();
            let steps = Steps { start: START, end: START + day, step };
            let found = backtest(&rule, &store, steps, &Options::default()).expect("it has an answer");
            println!(
                "  {text:<40} every {:>2} s: {:>4.0} ms, {} firings",
                step / 1000,
                begun.elapsed().as_secs_f64() * 1e3,
                found.firings.len()
            );
        }
    }
}
