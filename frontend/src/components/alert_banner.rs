//! The open alerts in one line on every page, in the tab's title and on its icon.

use fleetglass_shared::wire::Severity;
use leptos::prelude::*;

use super::node_link::{alert_link, alert_path};
use super::severity_mark::{severity_class, severity_shape};
use super::words::whole;
use crate::dom::{El, effect, group, p, span, unseen, with_class};
use crate::route::{Page, use_route};
use crate::shared::{file, shows};
use crate::state::alerts::{Open, summary};
use crate::state::use_fleet;

/// The line; nothing while no alert is open, and not where the alerts themselves are listed.
pub fn alert_banner() -> El {
    let open = use_fleet().open_alerts();
    let route = use_route();
    let shown = move || open.with(|open| open.total() > 0) && route.page() != Page::Alerts;
    let spoken = move || match open.with(Open::total) {
        0 => "No alert is open".to_owned(),
        _ => format!("Open alerts: {}", open.with(Open::in_words)),
    };
    group().child(p("sr-only").attr("aria-live", "polite").text(spoken)).when(shown, move || line(open))
}

fn line(open: Memo<Open>) -> El {
    let worst = Memo::new(move |_| open.with(|open| open.worst.clone()));
    let severity = move || worst.with(|worst| worst.as_ref().map_or(Severity::Info, |worst| worst.severity));
    let read = move |read: fn(&fleetglass_shared::wire::Alert) -> String| {
        move || worst.with(|worst| worst.as_ref().map(|alert| read(alert)).unwrap_or_default())
    };
    let node = move || worst.with(|worst| worst.as_ref().and_then(|alert| alert.node.clone()));
    let counted = alert_link("alert-counts num", "/alerts")
        .each(
            || Severity::ALL.to_vec(),
            |severity| severity.as_str().to_owned(),
            move |severity| {
                let count = move || open.with(|open| open.counts[severity as usize]);
                group().when(
                    move || count() > 0,
                    move || {
                        span("alert-count")
                            .child(severity_shape(severity))
                            .child(span("").text(move || whole(count())))
                            .child(span("alert-count-word").text(severity.as_str()))
                    },
                )
            },
        )
        .child(unseen("open: show all alerts"));
    with_class("section", "alert-banner")
        .class(move || format!("alert-banner {}", severity_class(severity())))
        .attr("aria-label", "Open alerts")
        .child(counted)
        .child(
            alert_link("alert-worst", move || read(|alert| alert_path(&alert.id))())
                .child(span("alert-worst-text").text(read(|alert| summary(alert).to_owned())))
                .when(
                    move || node().is_some(),
                    move || span("alert-worst-node").text(move || node().unwrap_or_default()),
                ),
        )
        .child(
            alert_link("alert-all", "/alerts")
                .attr("aria-hidden", "true")
                .attr("tabindex", "-1")
                .text(if shows("alerts") { "All alerts" } else { "" }),
        )
}

/// Keeps the title and the icon of the tab true.
pub fn tell_tab() {
    let route = use_route();
    let open = use_fleet().open_alerts();
    effect(move || document().set_title(&title(&route.page(), open.with(Open::urgent))));
    let mut plain = None;
    effect(move || {
        let Some(icon) = document().query_selector("link[rel~='icon']").ok().flatten() else { return };
        let plain = plain.get_or_insert_with(|| icon.get_attribute("href").unwrap_or_default());
        let shown = match open.with(|open| open.counts) {
            [critical, ..] if critical > 0 => file("/icons/favicon-critical.svg"),
            [_, warning, _] if warning > 0 => file("/icons/favicon-warning.svg"),
            _ => plain.clone(),
        };
        let _ = icon.set_attribute("href", &shown);
    });
}

/// The title of the tab: what somebody must do, and the page.
fn title(page: &Page, urgent: usize) -> String {
    let count = if urgent == 0 { String::new() } else { format!("({urgent}) ") };
    let page = match page {
        Page::Fleet | Page::Unknown => "",
        Page::Node(id) => id,
        Page::Risks => "Risks",
        Page::Alerts | Page::Alert(_) => "Alerts",
        Page::Notifications => "Notifications",
        Page::Rules => "Rules",
        Page::Status => "Status pages",
        Page::Timeline => "Timeline",
        Page::Glance => "At a glance",
        Page::More => "More",
        Page::People => "People",
        Page::Shares => "Shares",
        Page::Embed => "Embed",
    };
    let between = if page.is_empty() { "" } else { " · " };
    format!("{count}{page}{between}Fleetglass")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tab_counts_what_somebody_must_do() {
        assert_eq!(title(&Page::Fleet, 0), "Fleetglass");
        assert_eq!(title(&Page::Fleet, 3), "(3) Fleetglass");
        assert_eq!(title(&Page::Node("eu-1".into()), 1), "(1) eu-1 · Fleetglass");
        assert_eq!(title(&Page::Alerts, 0), "Alerts · Fleetglass");
    }
}
