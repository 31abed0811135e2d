//! The sections of an alert's page.

use fleetglass_shared::format::{count, duration_ms};
use fleetglass_shared::wire::{AlertChange, AlertIncident};
use leptos::prelude::*;

use super::load::AlertLoad;
use super::words::whose;
use crate::components::node_link::{alert_link, alert_path, node_path};
use crate::components::status_mark::status_mark;
use crate::components::words::counted;
use crate::dom::{El, button, div, el, group, head_cell, link, p, span, with_class};
use crate::pages::alerts::history::{change_row, key};
use crate::pages::node::load::escaped;
use crate::pages::risks::parts::timer;
use crate::shared::{shared, shows};
use crate::state::breach::breach_at;
use crate::state::use_fleet;

/// Nodes named before a press for more.
const FEW: usize = 12;
/// Changes shown at first.
const ROWS: usize = 20;

fn card(id: &'static str, title: &'static str) -> El {
    with_class("section", "card")
        .attr("aria-labelledby", id)
        .child(with_class("h2", "card-title").attr("id", id).text(title))
}

/// The node, its state and the way there.
pub fn node_line(id: &str) -> El {
    let fleet = use_fleet();
    let own = id.to_owned();
    let node = Memo::new(move |_| {
        fleet.members().track();
        fleet.node(&own).map(|node| node.get())
    });
    p("alert-head-node").child(link("", node_path(id)).child(el("bdi").text(id.to_owned()))).live(move || {
        let node = node.get()?;
        let (status, draining) = (node.status, node.draining);
        Some(
            group()
                .child(status_mark(move || status, move || draining))
                .child(span("muted").text(fleet.family_title(&node.family))),
        )
    })
}

/// Of an alert about a slash risk: how long is left, where the live stream tells, and the way to its course.
pub fn risk_line(load: AlertLoad) -> El {
    let fleet = use_fleet();
    let of = Memo::new(move |_| {
        let alert = load.alert().filter(|_| shows("risks"))?;
        Some((alert.node.clone()?, alert.labels.get("risk").cloned()?))
    });
    let breach = Memo::new(move |_| {
        let (node, name) = of.get()?;
        fleet.members().track();
        let node = fleet.node(&node)?.get();
        breach_at(node.worst_risk.as_ref().filter(|risk| risk.name == name)?)
    });
    let path = move || {
        of.with(|of| {
            let (node, name) = of.as_ref()?;
            Some(format!("/risks?node={}&risk={}", escaped(node), escaped(name)))
        })
    };
    group().when(
        move || of.with(Option::is_some),
        move || {
            p("alert-risk")
                .when(
                    move || breach.with(Option::is_some),
                    move || {
                        group()
                            .child(span("muted").text("Breach in "))
                            .child(timer("alert-left num", move || breach.get()))
                    },
                )
                .child(link("alert-course", path).text("Show where it is going"))
        },
    )
}

/// The incident that it is part of, when others are, too.
pub fn incident_line(incident: &AlertIncident) -> Option<El> {
    let others = incident.alerts.checked_sub(1).filter(|others| *others > 0)?;
    let count = counted(others as usize, "other alert", "other alerts");
    Some(
        p("alert-incident")
            .text("Part of an incident with ")
            .child(link("", "/alerts").text(format!("{count}: {}", incident.title))),
    )
}

/// What it means and what to do, as its rule says, with its value.
pub fn told(load: AlertLoad) -> El {
    let note = move |name: &'static str| {
        move || {
            let text = load.alert()?.annotations.get(name).cloned();
            text.filter(|text| !text.trim().is_empty())
        }
    };
    let part = |title: &'static str, class: &'static str, text: Box<dyn Fn() -> Option<String>>| {
        let text = std::rc::Rc::new(text);
        let any = text.clone();
        group().when(
            move || any().is_some(),
            move || {
                let text = text.clone();
                div(class).child(el("h3").text(title)).child(p("").text(move || text().unwrap_or_default()))
            },
        )
    };
    let runbook = move || {
        let address = note("runbook_url")()?;
        // Only what a browser follows safely.
        let safe = address.starts_with("https://") || address.starts_with("http://");
        safe.then(|| {
            link("button", address)
                .attr("target", "_blank")
                .attr("rel", "noreferrer")
                .text("Open the runbook")
        })
    };
    let value = move || load.alert().and_then(|alert| alert.value).map(count);
    let bound = move || load.detail().and_then(|detail| detail.rule.as_ref()?.bound).map(count);
    let measure = move || {
        let bound = bound().map(|bound| format!(" · bound {bound}")).unwrap_or_default();
        format!("{}{bound}", value().unwrap_or_else(|| "–".to_owned()))
    };
    div("alert-told")
        .child(div("alert-told-value").child(el("h3").text("Value")).child(p("num").text(measure)))
        .child(part("What it means", "alert-told-part", Box::new(note("description"))))
        .child(part("What to do", "alert-told-part alert-told-do", Box::new(note("action"))))
        .live(runbook)
}

/// "Mine or everyone's?", with the nodes that are like it.
pub fn others(load: AlertLoad) -> El {
    let others = move || load.detail().and_then(|detail| detail.others.clone());
    let all = RwSignal::new(false);
    let alike = move || {
        let nodes = others().map(|others| others.alike).unwrap_or_default();
        let limit = if all.get() { usize::MAX } else { FEW };
        nodes.into_iter().take(limit).collect::<Vec<_>>()
    };
    let hidden = move || others().map_or(0, |others| others.alike.len()).saturating_sub(FEW);
    let name = move || load.alert().map(|alert| alert.name.clone()).unwrap_or_default();
    group().when(
        move || others().is_some(),
        move || {
            card("others-title", "Mine or everyone's?")
                .child(p("").text(move || others().map(|others| whose(&others)).unwrap_or_default()))
                .child(with_class("ul", "alert-alike").each(alike, String::clone, |node| {
                    el("li").child(link("label", node_path(&node)).text(&node))
                }))
                .when(
                    move || hidden() > 0 && !all.get(),
                    move || {
                        button("button button-quiet")
                            .on_click(move || all.set(true))
                            .text(move || format!("Show {} more", hidden()))
                    },
                )
                .when(
                    move || others().is_some_and(|others| !others.alike.is_empty()),
                    move || {
                        p("card-note").child(
                            link("", move || format!("/alerts?q={}", escaped(&name())))
                                .text("Show all alerts of this name"),
                        )
                    },
                )
        },
    )
}

/// What happened to it, with values.
pub fn history(load: AlertLoad) -> El {
    let limit = RwSignal::new(ROWS);
    let changes = move || load.detail().map(|detail| detail.history.clone()).unwrap_or_default();
    let rows = move || changes().into_iter().take(limit.get()).collect::<Vec<AlertChange>>();
    let left = move || changes().len().saturating_sub(limit.get());
    // Who, and why, is not told through a share link.
    let titles = ["Time", "What", "Value", "Note"].into_iter().take(if shared().is_some() { 3 } else { 4 });
    let heads = titles.map(|title| head_cell("col", "").text(title)).collect::<Vec<_>>();
    card("history-title", "What happened to it")
        .child(
            with_class("table", "table events")
                .child(el("thead").child(el("tr").children(heads)))
                .child(el("tbody").each(rows, key, |change| change_row(change, false))),
        )
        .when(move || changes().is_empty(), || p("muted").text("Nothing is recorded yet."))
        .when(
            move || left() > 0,
            move || {
                button("button")
                    .on_click(move || limit.update(|limit| *limit += ROWS * 2))
                    .text(move || format!("Show more ({} left)", left()))
            },
        )
}

/// Its labels.
pub fn labels(load: AlertLoad) -> El {
    let labels = move || {
        let alert = load.alert();
        let labels = alert.iter().flat_map(|alert| &alert.labels);
        labels.map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>()
    };
    card("labels-title", "Labels").child(div("alert-labels").each(
        labels,
        |(name, value)| format!("{name}={value}"),
        |(name, value)| span("label").child(span("muted").text(format!("{name}="))).text(value),
    ))
}

/// The rule that it comes from.
pub fn rule(load: AlertLoad) -> El {
    let rule = move || load.detail().and_then(|detail| detail.rule.clone());
    let text = move |read: fn(&fleetglass_shared::wire::AlertRule) -> String| {
        move || rule().map(|rule| read(&rule)).unwrap_or_default()
    };
    let name = move || load.alert().map(|alert| alert.name.clone()).unwrap_or_default();
    let waits = |rule: &fleetglass_shared::wire::AlertRule| match (rule.for_seconds * 1000.0) as i64 {
        0 => "Fires at once.".to_owned(),
        millis => format!("Fires when it has been true for {}.", duration_ms(millis)),
    };
    card("rule-title", "Its rule")
        .child(
            with_class("pre", "rule-query")
                .attr("tabindex", "0")
                .child(el("code").text(text(|rule| rule.query.clone()))),
        )
        .child(p("").text(text(waits)))
        .child(
            p("card-note")
                .text(text(|rule| format!("Group {}, {}. ", rule.group, rule.file)))
                .child(link("", move || format!("/rules?q={}", escaped(&name()))).text("Show the rule")),
        )
}

/// The alerts of one node, for its page: nothing while it has none.
pub fn of_node(id: &str) -> El {
    let fleet = use_fleet();
    let id = id.to_owned();
    let all = Memo::new(move |_| {
        let mut own: Vec<_> = fleet.alerts().with(|alerts| {
            let own = alerts.iter().filter(|alert| alert.node.as_ref() == Some(&id));
            own.filter(|alert| alert.state != fleetglass_shared::wire::AlertState::Resolved)
                .cloned()
                .collect()
        });
        own.sort_by_key(|alert: &crate::state::alerts::AlertRef| {
            (!alert.is_open(), alert.state, alert.severity)
        });
        own
    });
    let now = fleet.now();
    let line = move |alert: crate::state::alerts::AlertRef| {
        let held = alert.clone();
        el("li").class("node-alert").child(
            alert_link("node-alert-link", alert_path(&alert.id))
                .class(format!(
                    "node-alert-link {}",
                    crate::components::severity_mark::severity_class(alert.severity)
                ))
                .child(crate::components::severity_mark::severity_mark(&alert))
                .child(span("node-alert-name").text(&alert.name))
                .child(span("node-alert-words").text(crate::state::alerts::summary(&alert).to_owned()))
                .child(
                    span("node-alert-since num muted").text(move || super::words::stands(&held, now.get())),
                ),
        )
    };
    group().when(
        move || all.with(|all| !all.is_empty()),
        move || {
            with_class("section", "node-alerts").attr("aria-label", "Alerts of this node").child(
                with_class("ul", "").each(
                    move || all.get(),
                    |alert| {
                        format!("{} {:?} {:?} {}", alert.id, alert.state, alert.fired_at, alert.is_open())
                    },
                    line,
                ),
            )
        },
    )
}
