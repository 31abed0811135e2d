//! What stands around every page: the skip link, the rail, and the bar at the top.

use leptos::prelude::*;

use crate::dom::{El, div, drawing, group, link, span, svg, unseen, with_class};

use super::connection::connection;
use super::icon::{Icon, icon};
use super::theme_toggle::theme_toggle;
use crate::clock::local_hours_minutes;
use crate::route::{Page, use_route};
use crate::shared::{shared, shows};
use crate::state::alerts::Open;
use crate::state::use_fleet;

/// Lets keyboard users past the rail and the bar.
pub fn skip_link() -> El {
    link("skip-link", "#main").attr("rel", "external").text("Skip to content")
}

/// The rail at the left, on a phone the bar at the bottom: only what exists.
pub fn rail() -> El {
    let logo = drawing("logo", "0 0 24 24", "M15.8 15.8 21 21")
        .child(svg("circle").attr("cx", "10.5").attr("cy", "10.5").attr("r", "7"))
        .child(svg("path").class("logo-trace").attr("d", "M6.5 11h2l1.4-3.4 1.9 5.6 1.2-2.2h1.6"));
    let rail = with_class("nav", "rail")
        .attr("aria-label", "Main")
        .child(span("rail-logo").child(logo).child(unseen("Fleetglass")))
        .child(rail_item("/", "Fleet", Icon::Fleet, |page| {
            matches!(page, Page::Fleet | Page::Node(_) | Page::Glance)
        }));
    let risks =
        shows("risks").then(|| rail_item("/risks", "Risks", Icon::Risks, |page| *page == Page::Risks));
    let alerts = shows("alerts").then(|| {
        rail_item("/alerts", "Alerts", Icon::Bell, |page| {
            matches!(page, Page::Alerts | Page::Alert(_) | Page::Notifications)
        })
        .child(open_count())
    });
    let rail = rail.maybe(risks).maybe(alerts);
    if shared().is_some() {
        return rail;
    }
    rail.child(rail_item("/timeline", "Timeline", Icon::Timeline, |page| *page == Page::Timeline))
        // A phone has room for five: what is needed less often is a page of its own there.
        .child(wide(rail_item("/rules", "Rules", Icon::Rules, |page| *page == Page::Rules)))
        .child(of_operator(rail_item("/shares", "Shares", Icon::Share, |page| {
            matches!(page, Page::Shares | Page::Embed)
        })))
        .child(of_operator(rail_item("/status", "Status pages", Icon::Status, |page| *page == Page::Status)))
        .child(wide(rail_item("/people", "People", Icon::People, |page| *page == Page::People)))
        .child(
            rail_item("/more", "More", Icon::More, |page| {
                matches!(
                    page,
                    Page::More | Page::Rules | Page::Shares | Page::Embed | Page::Status | Page::People
                )
            })
            .class("rail-item rail-more")
            .child(unseen(" pages")),
        )
}

fn wide(item: El) -> El {
    item.class("rail-item rail-wide")
}

fn of_operator(item: El) -> El {
    item.class("rail-item rail-wide of-operator")
}

fn rail_item(to: &'static str, name: &'static str, mark: Icon, is_of: fn(&Page) -> bool) -> El {
    let route = use_route();
    link("rail-item", to)
        .attr("title", name)
        .attr("aria-current", move || is_of(&route.page()).then_some("page"))
        .child(icon(mark))
        .child(span("rail-label").text(name))
}

/// How many alerts somebody must act on, at the corner of the bell.
fn open_count() -> El {
    let open = use_fleet().open_alerts();
    let urgent = move || open.with(Open::urgent);
    group().when(
        move || urgent() > 0,
        move || {
            let class = move || match open.with(|open| open.counts[0]) {
                0 => "rail-count num state-degraded",
                _ => "rail-count num state-unreachable",
            };
            let words = move || if urgent() > 99 { "99+".to_owned() } else { urgent().to_string() };
            span("rail-count").class(class).text(words).child(unseen(" open"))
        },
    )
}

/// The bar at the top of a page: the page's own part, then time, connection and theme.
pub fn top_bar(own: impl IntoIterator<Item = El>) -> El {
    let fleet = use_fleet();
    let time = move || local_hours_minutes(fleet.to_local(fleet.now().get()));
    with_class("header", "top-bar")
        .child(div("top-bar-own").children(own))
        .child(span("top-bar-time num").attr("title", "Your local time").text(time))
        .child(connection())
        .child(theme_toggle())
}
