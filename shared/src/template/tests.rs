//! Templates that users could have written, with what Prometheus 2.42 makes of them.
//!
//! A table is a text file of cases. A case is a template, and below it `=>` and its output, or `!>` and the
//! error, from `executing` on where it ran. `⏎` stands for a line break. A line that begins with `#` says
//! something to the reader.
#![allow(clippy::unwrap_used)]

mod limits;
mod notification;
mod place;

use super::{AlertData, Host, Sample, expand};
use crate::labels::{LabelSet, METRIC_NAME};

/// The alert that all tables are about, and its surroundings.
struct Surroundings;

impl Host for Surroundings {
    fn query(&mut self, expression: &str) -> Result<Vec<Sample>, String> {
        let sample = |instance, job, value| Sample {
            labels: LabelSet::from_pairs([(METRIC_NAME, "up"), ("instance", instance), ("job", job)]),
            value,
        };
        match expression {
            "up" => Ok(vec![sample("b", "n", 1.0), sample("a", "n", 0.0), sample("c", "m", 2.0)]),
            "nope" => Ok(vec![]),
            "up{" => Err("1:4: parse error: unexpected end of input inside braces".to_owned()),
            other => Err(format!("no such query in the tables: {other}")),
        }
    }

    fn now(&self) -> Option<f64> {
        Some(1_435_065_584.128)
    }

    fn external_url(&self) -> &'static str {
        "http://prom.example.com:9090/prom"
    }
}

fn expanded(text: &str) -> String {
    let labels = LabelSet::from_pairs([
        (METRIC_NAME, "node"),
        ("instance", "web-1.example.com:9100"),
        ("job", "node"),
        ("mount", "/data"),
    ]);
    let external_labels = LabelSet::from_pairs([("region", "eu"), ("site", "x")]);
    let data = AlertData {
        labels: &labels,
        external_labels: &external_labels,
        external_url: "http://prom.example.com:9090/prom",
        value: 1234.5,
    };
    match expand("__alert_X", text, &data, &mut Surroundings) {
        Ok(output) => format!("=> {output}"),
        Err(error) => {
            let error = error.to_string();
            // Where it is, is another test's.
            let message = error.splitn(5, ':').nth(4).unwrap_or("").trim_start();
            format!("!> {message}")
        }
    }
}

fn holds(table: &str) {
    let mut lines = table.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    let mut wrong = Vec::new();
    let mut count = 0;
    while let (Some(template), Some(wanted)) = (lines.next(), lines.next()) {
        count += 1;
        let given = expanded(&template.replace('⏎', "\n")).replace('\n', "⏎");
        if given.trim_end() != wanted {
            wrong.push(format!("{template}\n  wanted {wanted}\n  got    {given}"));
        }
    }
    assert!(count > 10);
    assert!(wrong.is_empty(), "{} of {count} are wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_language() {
    holds(include_str!("tests/language.txt"));
}

#[test]
fn builtin_functions() {
    holds(include_str!("tests/builtin.txt"));
}

#[test]
fn formats() {
    holds(include_str!("tests/format.txt"));
}

#[test]
fn prometheus_functions() {
    holds(include_str!("tests/prometheus.txt"));
}

#[test]
fn numbers_for_people() {
    holds(include_str!("tests/humanize.txt"));
}

/// What Prometheus learned after 2.42, Alertmanager's functions, and where these templates differ.
#[test]
fn newer_and_different() {
    holds(include_str!("tests/newer.txt"));
}
