//! An address that names no page.

use crate::components::connection::banners;
use crate::components::frame::top_bar;
use crate::components::notice::empty;
use crate::dom::{El, el, link, with_class};

/// Says so, and shows the way back.
pub fn not_found_page() -> El {
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([el("h1").class("page-title").text("No such page")]))
        .child(banners())
        .child(
            empty("There is nothing at this address", "The link may be old, or mistyped.")
                .child(link("button", "/").text("Go to the fleet")),
        )
}
