//! The views of a panel. A state is a shape and a word, never its colour alone; lists put the worst first.

use fleetglass_shared::{
    format::{UNKNOWN, age, duration_ms, duration_seconds, number},
    health::{Status, UnixMillis},
    wire::UptimeWindow,
};
use maud::{Markup, html};

use crate::embed::{
    chart::{drawn, spark},
    model::{
        AlertLine, AlertsPart, ChartPart, FleetPart, NodeLine, NodePart, Panel, RiskLine, RiskPart,
        UptimePart, percent, window,
    },
};

const WINDOWS: [(&str, &str); 4] = [("24h", "24 h"), ("7d", "7 d"), ("30d", "30 d"), ("90d", "90 d")];

/// More letters than fit beside a mark where a panel is 200 pixels wide.
const LONG: usize = 24;

pub(super) fn fleet(panel: &Panel, part: &FleetPart) -> Markup {
    html! {
        (headline(panel))
        @if part.total == 0 {
            p class="muted" { "This link selects no node now." }
        } @else {
            (bar(part))
            ul class="counts" {
                @for status in [Status::Healthy, Status::Degraded, Status::Unhealthy, Status::Unreachable, Status::Unknown] {
                    @if let Some(count) = part.counts.get(status.as_str()).filter(|count| **count > 0) {
                        li { (mark(status)) b class="num" { (count) } " " (status.as_str()) }
                    }
                }
            }
            ul class="rows" tabindex="0" aria-label="Nodes, the worst first" {
                @for line in &part.nodes { (node_row(line, panel.at)) }
                (more(part.more, "node", "nodes"))
            }
        }
    }
}

/// The shares of the states as one bar, for the eye: the words stand below it.
fn bar(part: &FleetPart) -> Markup {
    let mut left = 0.0;
    let parts: Vec<(Status, f64, f64)> = Status::WORST_FIRST
        .into_iter()
        .rev()
        .filter_map(|status| {
            let count = *part.counts.get(status.as_str()).filter(|count| **count > 0)?;
            let width = 100.0 * count as f64 / part.total.max(1) as f64;
            let from = left;
            left += width;
            Some((status, from, width))
        })
        .collect();
    html! {
        svg class="bar" aria-hidden="true" {
            @for (status, from, width) in parts {
                rect class=(format!("fill {}", class(status))) x=(format!("{from:.2}%")) width=(format!("{width:.2}%")) height="100%" {}
            }
        }
    }
}

fn node_row(line: &NodeLine, now: UnixMillis) -> Markup {
    html! {
        // That a node does not answer is no old news.
        li class=(if line.stale && line.status != Status::Unreachable { "row old" } else { "row" }) data-key=(line.node) {
            (mark(line.status))
            bdi class="name" { (line.node) }
            span class="why" {
                @if line.reason.is_empty() { (line.status.as_str()) } @else { (line.reason) }
                @if line.draining { " ↓ draining" }
            }
            (since(line.since, now))
        }
    }
}

pub(super) fn node(panel: &Panel, part: &NodePart) -> Markup {
    let line = &part.summary;
    html! {
        p class="headline" {
            (mark(line.status))
            bdi class="big" { (line.node) }
            span class=(format!("word {}", class(line.status))) { (line.status.as_str()) }
            @if line.draining { span class="word" { "↓ draining" } }
        }
        p class="sub muted" {
            @if part.reasons.is_empty() { "For " } @else { (part.reasons.join(" · ")) ", for " }
            (since(line.since, panel.at))
            @if line.stale {
                @match line.answered_at {
                    Some(at) => { ", last answer " (since(at, panel.at)) " ago" },
                    None => ", never answered",
                }
            }
        }
        dl class="facts" {
            (fact("Version", line.version.as_deref().unwrap_or(UNKNOWN)))
            @if let Some(peers) = line.peers { (fact("Peers", &number(peers as f64, ""))) }
            @if let Some(seconds) = part.uptime_seconds { (fact("Runs for", &duration_seconds(seconds))) }
            @for (name, words) in WINDOWS {
                @if let Some(window) = window(&part.uptime, name) { (fact(&format!("Up, {words}"), &percent(window.ratio))) }
            }
            (fact("Family", &line.family))
        }
        @if let Some(risk) = &part.risk {
            ul class="rows" tabindex="0" aria-label="The nearest risk" { (risk_row(risk, panel.at, false)) }
        }
        // One value is no line.
        @if part.spark.iter().flatten().nth(1).is_some() {
            figure class="small-chart" {
                (spark(&part.spark))
                figcaption class="muted" {
                    (part.spark_title) ", last hour: "
                    b class="num" { (last_of(&part.spark, &part.spark_unit)) }
                }
            }
        }
    }
}

fn last_of(values: &[Option<f32>], unit: &str) -> String {
    values
        .iter()
        .rev()
        .flatten()
        .next()
        .map_or_else(|| UNKNOWN.to_owned(), |value| number(f64::from(*value), unit))
}

fn fact(title: &str, value: &str) -> Markup {
    html! { div { dt { (title) } dd class="num" { bdi { (value) } } } }
}

pub(super) fn chart(panel: &Panel, part: &ChartPart) -> Markup {
    html! {
        p class="headline" {
            span class="big" { (part.name) }
            @if let Some(node) = &part.node { bdi class="muted" { (node) } }
            b class="now num" { (panel.headline) }
        }
        @if part.series.is_empty() {
            p class="muted" { "There are no values in this time." }
        } @else {
            (drawn(part))
        }
    }
}

pub(super) fn alerts(panel: &Panel, part: &AlertsPart) -> Markup {
    html! {
        p class="headline" {
            @if let Some(status) = panel.status { (mark(status)) }
            span class="big" { (panel.headline) }
            @if part.firing > 0 && part.pending > 0 { span class="muted" { (part.pending) " pending" } }
        }
        @if part.alerts.is_empty() {
            p class="muted" { "Nothing fires, and nothing is pending." }
        } @else {
            ul class="rows" tabindex="0" aria-label="Alerts, the worst first" {
                @for line in &part.alerts { (alert_row(line, panel.at)) }
                (more(part.more, "alert", "alerts"))
            }
        }
    }
}

fn alert_row(line: &AlertLine, now: UnixMillis) -> Markup {
    let state = severity(line.severity);
    html! {
        li class=(if line.quiet { "row row-tall old" } else { "row row-tall" }) data-key=(format!("{}/{}/{}", line.name, line.node, line.since)) {
            (mark(state))
            span class="name" { (line.name) @if !line.node.is_empty() { " " bdi class="muted" { (line.node) } } }
            span class="why" {
                (line.severity)
                @if line.state == "pending" { ", pending" }
                @if line.quiet { ", handled" }
                @if !line.summary.is_empty() { ": " (line.summary) }
            }
            (since(line.since, now))
        }
    }
}

fn severity(word: &str) -> Status {
    match word {
        "critical" => Status::Unreachable,
        "info" => Status::Unknown,
        _ => Status::Degraded,
    }
}

pub(super) fn risks(panel: &Panel, part: &RiskPart) -> Markup {
    html! {
        (headline(panel))
        @if part.risks.is_empty() {
            p class="muted" { "Nothing is known that these nodes could be slashed or stopped for." }
        } @else {
            ul class="rows" tabindex="0" aria-label="Risks, the worst first" {
                @for line in &part.risks { (risk_row(line, panel.at, true)) }
                (more(part.more, "risk", "risks"))
            }
        }
    }
}

fn risk_row(line: &RiskLine, now: UnixMillis, is_named: bool) -> Markup {
    let state = match line.state {
        "breached" => Status::Unreachable,
        "approaching" => Status::Degraded,
        "unknown" => Status::Unknown,
        _ => Status::Healthy,
    };
    html! {
        li class="row row-tall row-risk" data-key=(format!("{}/{}", line.node, line.title)) {
            (mark(state))
            span class="name" { (line.title) @if is_named { " " bdi class="muted" { (line.node) } } }
            span class="why num" {
                (line.state)
                // Of yes and no the state says enough.
                @if line.unit != "bool" || line.value.is_none() { ": " (line.text) }
            }
            @if let Some(used) = line.used {
                svg class="meter" aria-hidden="true" {
                    rect class="track" width="100%" height="100%" {}
                    rect class=(format!("fill {}", class(state))) width=(format!("{:.0}%", used * 100.0)) height="100%" {}
                }
            }
            @if let Some(at) = line.breach_at.filter(|_| line.state == "approaching") {
                time class="age num" data-at=(at) data-how="left" { "in " (duration_ms(at - now)) }
            }
        }
    }
}

pub(super) fn uptime(panel: &Panel, part: &UptimePart) -> Markup {
    html! {
        p class="headline" {
            @if let Some(status) = panel.status { (mark(status)) }
            span class="big num" { (panel.headline) }
        }
        @if panel.status.is_none() {
            p class="muted" { "It is told as soon as the nodes have been observed for a while." }
        }
        table class="uptime" {
            thead { tr {
                th scope="col" { "Node" }
                @for (name, words) in WINDOWS { @if has(&part.all, name) { th scope="col" class=(column(part, name)) { (words) } } }
            } }
            tbody {
                @if part.nodes.len() != 1 { tr class="all" { th scope="row" { "All" } (cells(part, &part.all)) } }
                @for line in &part.nodes {
                    tr data-key=(line.node) { th scope="row" { bdi { (line.node) } } (cells(part, &line.windows)) }
                }
                @if part.more > 0 {
                    tr class="more" data-key="more" { th scope="row" { "and " (part.more) (if part.more == 1 { " more node" } else { " more nodes" }) } }
                }
            }
        }
    }
}

fn has(windows: &[UptimeWindow], name: &str) -> bool {
    window(windows, name).is_some()
}

/// Where there is room for one, it is the one of the headline.
fn column(part: &UptimePart, name: &str) -> String {
    format!("num w-{name}{}", if name == part.window { " is-window" } else { "" })
}

fn cells(part: &UptimePart, windows: &[UptimeWindow]) -> Markup {
    html! {
        @for (name, _) in WINDOWS {
            @if has(&part.all, name) {
                td class=(column(part, name)) {
                    @let own = window(windows, name);
                    (percent(own.and_then(|own| own.ratio)))
                }
            }
        }
    }
}

fn headline(panel: &Panel) -> Markup {
    let is_long = panel.headline.chars().count() > LONG;
    html! {
        p class=(if is_long { "headline long" } else { "headline" }) {
            @if let Some(status) = panel.status { (mark(status)) }
            span class="big" { (panel.headline) }
        }
    }
}

fn more(count: usize, one: &str, many: &str) -> Markup {
    html! {
        @if count > 0 {
            li class="row more muted" data-key="more" { "and " (count) " more " (if count == 1 { one } else { many }) }
        }
    }
}

/// How long ago, which the script keeps true.
fn since(at: UnixMillis, now: UnixMillis) -> Markup {
    html! { time class="age num" data-at=(at) data-how="age" { (age(now, at)) } }
}

/// The shape of a state; its word stands beside it.
fn mark(status: Status) -> Markup {
    // The same outlines as the app's.
    let path = match status {
        Status::Healthy => "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z",
        Status::Degraded => "M8 2.2 14.4 13.4H1.6z",
        Status::Unhealthy => "M3.2 3.2h9.6v9.6H3.2z",
        Status::Unreachable => "M3.5 3.5 12.5 12.5M12.5 3.5 3.5 12.5",
        Status::Unknown => "M8 3.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z",
    };
    html! { svg class=(format!("mark {}", class(status))) viewBox="0 0 16 16" aria-hidden="true" { path d=(path) {} } }
}

fn class(status: Status) -> &'static str {
    match status {
        Status::Healthy => "state-healthy",
        Status::Degraded => "state-degraded",
        Status::Unhealthy => "state-unhealthy",
        Status::Unreachable => "state-unreachable",
        Status::Unknown => "state-unknown",
    }
}
