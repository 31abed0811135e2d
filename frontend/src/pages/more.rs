//! The pages that the bar of a phone has no room for.

use crate::components::connection::banners;
use crate::components::frame::top_bar;
use crate::components::icon::{Icon, icon};
use crate::components::install::install_offer;
use crate::dom::{El, div, el, link, span, with_class};

/// Where to, its name, what is there, and its mark.
const PLACES: [(&str, &str, &str, Icon); 7] = [
    ("/glance", "At a glance", "The whole fleet in one look", Icon::Check),
    ("/rules", "Rules", "What is found wrong, and when", Icon::Rules),
    ("/notifications", "Notifications", "Who is told of alerts, and how it goes", Icon::Bell),
    ("/shares", "Share links", "Who sees chosen nodes without a login", Icon::Share),
    ("/status", "Status pages", "What you tell everybody", Icon::Status),
    ("/embed", "Embed", "A share link in somebody else's page, and badges", Icon::Grid),
    ("/people", "People", "You, who else may see what, and who did what", Icon::People),
];

/// The page at `/more`.
pub fn more_page() -> El {
    let place =
        |(to, name, what, mark): (&'static str, &'static str, &'static str, Icon)| {
            el("li").child(link("more-place", to).child(icon(mark)).child(
                div("more-words").child(span("more-name").text(name)).child(span("more-what").text(what)),
            ))
        };
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([el("h1").class("page-title").text("More")]))
        .child(banners())
        .child(
            div("page-body")
                .child(with_class("ul", "more-places").children(PLACES.map(place)))
                .child(install_offer("Fleetglass")),
        )
}
