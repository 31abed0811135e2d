//! A [`Normalised`] as text that a reviewer reads.

use std::fmt::Write as _;

use fleetglass_shared::family::Normalised;

pub(crate) fn shown(about: &str, normalised: &Normalised) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(about.to_owned());
    line(String::new());
    let draining = if normalised.draining { ", draining" } else { "" };
    let answered = if normalised.answered { "" } else { ", nothing usable answered" };
    line(format!("status: {}{draining}{answered}", normalised.status.as_str()));
    for reason in &normalised.reasons {
        line(format!("  because [{}] {}: {}", reason.status.as_str(), reason.code, reason.text));
    }
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    line(format!(
        "peers {}, version {}, uptime {}, spark {}",
        or_none(normalised.peers.map(|n| n.to_string())),
        or_none(normalised.version.clone()),
        or_none(normalised.uptime_seconds.map(|n| n.to_string())),
        or_none(normalised.spark.map(|n| n.to_string())),
    ));
    line("facts:".to_owned());
    for fact in &normalised.facts {
        line(format!("  {} · {} ({}) = {} {}", fact.endpoint, fact.title, fact.name, fact.value, fact.unit));
    }
    line("checks:".to_owned());
    for check in &normalised.checks {
        let stale = if check.stale { ", stale" } else { "" };
        let words = [&*check.endpoint, &check.name, check.status.as_str(), &check.text];
        line(format!("  {} · {} = {} ({}) at {}{stale}", words[0], words[1], words[2], words[3], check.at));
    }
    line("derived series:".to_owned());
    for series in &normalised.series {
        let mut labels = String::new();
        for (name, value) in &series.labels {
            let comma = if labels.is_empty() { "" } else { "," };
            write!(labels, "{comma}{name}={value:?}").unwrap();
        }
        line(format!("  {} {}{{{labels}}} {}", series.kind, series.name, series.value));
    }
    line(format!("not exposed by this node: {}", normalised.missing.join(" ")));
    line("failures:".to_owned());
    for failure in &normalised.failures {
        line(format!("  {} · {:?}: {}", failure.endpoint, failure.kind, failure.message));
    }
    line("warnings:".to_owned());
    for warning in &normalised.warnings {
        line(format!("  {} · {:?}: {}", warning.endpoint, warning.kind, warning.message));
    }
    out
}
