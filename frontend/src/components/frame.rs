//! What stands around every page: the skip link, the rail, and the bar at the top.

use leptos::prelude::*;

use crate::dom::{El, div, drawing, link, span, svg, unseen, with_class};

use super::connection::connection;
use super::icon::{Icon, icon};
use super::theme_toggle::theme_toggle;
use crate::clock::local_hours_minutes;
use crate::route::{Page, use_route};
use crate::state::use_fleet;

/// Lets keyboard users past the rail and the bar.
pub fn skip_link() -> El {
    link("skip-link", "#main").attr("rel", "external").text("Skip to content")
}

/// The rail at the left: only what exists.
pub fn rail() -> El {
    let route = use_route();
    let logo = drawing("logo", "0 0 24 24", "M15.8 15.8 21 21")
        .child(svg("circle").attr("cx", "10.5").attr("cy", "10.5").attr("r", "7"))
        .child(svg("path").class("logo-trace").attr("d", "M6.5 11h2l1.4-3.4 1.9 5.6 1.2-2.2h1.6"));
    with_class("nav", "rail")
        .attr("aria-label", "Main")
        .child(span("rail-logo").child(logo).child(unseen("Fleetglass")))
        .child(
            link("rail-item", "/")
                .attr("title", "Fleet")
                .attr("aria-current", move || (route.page() == Page::Fleet).then_some("page"))
                .child(icon(Icon::Fleet))
                .child(span("rail-label").text("Fleet")),
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
