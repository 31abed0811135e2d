//! One group of rules, and each of its rules, which unfolds.

use fleetglass_shared::format::{duration_ms, duration_seconds};
use fleetglass_shared::health::Status;
use leptos::prelude::*;

use super::backtest::backtest;
use super::read::{Group, Rule, Stand};
use crate::components::severity_mark::{severity_class, severity_shape};
use crate::components::status_mark::{state_class, status_shape};
use crate::components::words::{ago, counted};
use crate::dom::{El, button, div, drawing, el, link, p, span, with_class};
use crate::pages::node::load::escaped;
use crate::state::use_fleet;

/// The head of a group: when it was evaluated, how long that took, what was missed.
pub fn head(group: Memo<Group>) -> El {
    let now = use_fleet().now();
    let words = move || {
        group.with(|group| {
            let last = match group.last {
                Some(at) => format!("evaluated {}", ago(at, now.get())),
                None => "not evaluated yet".to_owned(),
            };
            let every = duration_seconds(group.interval);
            format!("{last} in {}, every {every}", duration_seconds(group.took))
        })
    };
    let missed = move || group.with(|group| group.missed);
    div("rules-head")
        .child(el("h2").class("group-title").text(move || group.with(|group| group.name.clone())))
        .child(span("rules-file mono").text(move || group.with(|group| group.file.clone())))
        .child(span("toolbar-space"))
        .when(
            move || missed() > 0,
            move || {
                span("chip chip-skew")
                    .attr("title", "Evaluations that were left out because the one before took too long")
                    .text(move || format!("{} missed", missed()))
            },
        )
        .child(span("rules-timing num").text(words))
}

/// The state whose shape and colour a rule has.
fn status(rule: &Rule) -> Status {
    match rule.stand {
        Stand::Error => Status::Unhealthy,
        Stand::Firing => Status::Unreachable,
        Stand::Pending => Status::Degraded,
        Stand::Quiet => Status::Healthy,
        Stand::Unknown => Status::Unknown,
    }
}

/// One rule. What is unfolded stays so through updates.
pub fn rule(rule: Memo<Rule>) -> El {
    let open = RwSignal::new(false);
    let stand = move || rule.with(|rule| rule.stand);
    let name = rule.with_untracked(|rule| rule.name.clone());
    let count = move || rule.with(|rule| rule.alerts);
    let mark = span("")
        .class(move || format!("status rule-stand {}", state_class(rule.with(status))))
        .live(move || {
            let shape = rule.with(status);
            // What fires has the shape of its severity.
            let severity = rule.with(|rule| rule.severity.as_ref().map(|(severity, _)| *severity));
            Some(match (stand(), severity) {
                (Stand::Firing, Some(severity)) => {
                    span(severity_class(severity)).child(severity_shape(severity))
                }
                _ => status_shape(move || shape),
            })
        })
        .child(span("status-word").text(move || match (stand(), count()) {
            (stand @ (Stand::Firing | Stand::Pending), count @ 1..) => format!("{} {count}", stand.word()),
            (stand, _) => stand.word().to_owned(),
        }));
    let severity = move || {
        rule.with(|rule| match &rule.severity {
            Some((severity, own)) if own.is_empty() || own == severity.as_str() => {
                severity.as_str().to_owned()
            }
            // A template: each of its alerts has one of its own.
            Some((_, own)) if own.contains("{{") => "varies".to_owned(),
            Some((severity, own)) => format!("{} {own}", severity.as_str()),
            None => "records".to_owned(),
        })
    };
    let lasts = move || {
        rule.with(|rule| match (rule.for_seconds * 1000.0) as i64 {
            _ if !rule.alerting => String::new(),
            0 => "at once".to_owned(),
            millis => format!("for {}", duration_ms(millis)),
        })
    };
    let press = button("rule-line")
        .aria("aria-expanded", move || open.get())
        .on_click(move || open.update(|open| *open = !*open))
        .child(drawing("icon fold-arrow", "0 0 20 20", "M7.5 5l5 5-5 5"))
        .child(mark)
        .child(span("rule-name").text(name))
        .child(
            span("rule-query-line mono")
                .text(move || rule.with(|rule| rule.query.split_whitespace().collect::<Vec<_>>().join(" "))),
        )
        .child(span("rule-for num").text(lasts))
        .child(span("rule-severity").text(severity));
    let troubled = move || rule.with(|rule| !rule.error.is_empty());
    el("li")
        .class("rule")
        .child(press)
        .when(troubled, move || {
            p("rule-error")
                .child(el("strong").text("Cannot be evaluated: "))
                .text(move || rule.with(|rule| rule.error.clone()))
        })
        .when(move || open.get(), move || details(rule))
}

fn details(rule: Memo<Rule>) -> El {
    let now = rule.get_untracked();
    let alerts = format!("/alerts?q={}", escaped(&now.name));
    let pair =
        |(name, value): &(String, String)| el("div").child(el("dt").text(name)).child(el("dd").text(value));
    let took = duration_seconds(now.took);
    div("rule-details")
        .child(with_class("pre", "rule-query").attr("tabindex", "0").child(el("code").text(&now.query)))
        .children(now.warnings.iter().map(|warning| p("rule-warning").text(warning)))
        .maybe((!now.annotations.is_empty() || !now.labels.is_empty()).then(|| {
            with_class("dl", "rule-pairs")
                .children(now.labels.iter().map(pair))
                .children(now.annotations.iter().map(pair))
        }))
        .child(p("card-note num").text(format!("Line {}; its last evaluation took {took}.", now.line)))
        .maybe(now.alerting.then(|| {
            p("card-note").live(move || {
                let count = rule.with(|rule| rule.alerts);
                let words = format!("Show its {}", counted(count, "alert", "alerts"));
                (count > 0).then(|| link("", alerts.clone()).text(words))
            })
        }))
        .maybe(
            now.alerting.then(|| {
                div("rule-backtest").child(el("h3").text("Would it have fired?")).child(backtest(&now))
            }),
        )
}
