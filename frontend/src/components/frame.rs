//! What stands around every page: the skip link, the rail, and the bar at the top.

use leptos::prelude::*;

use crate::dom::{El, div, drawing, link, span, svg, unseen, with_class};
use leptos_router::components::A;
use leptos_router::hooks::use_location;

use super::connection::{Connection, ConnectionBanner, connection};
use super::icon::{Icon, IconMark, icon};
use super::theme_toggle::{ThemeToggle, theme_toggle};
use crate::clock::local_hours_minutes;
use crate::state::use_fleet;

/// Lets keyboard users past the rail and the bar.
#[component]
pub fn SkipLink() -> impl IntoView {
    view! { <a class="skip-link" href="#main" rel="external">"Skip to content"</a> }
}

/// The rail at the left: only what exists.
#[component]
pub fn Rail() -> impl IntoView {
    view! {
        <nav class="rail" aria-label="Main">
            <span class="rail-logo">
                <svg viewBox="0 0 24 24" class="logo" aria-hidden="true">
                    <circle cx="10.5" cy="10.5" r="7"></circle>
                    <path d="M15.8 15.8 21 21"></path>
                    <path class="logo-trace" d="M6.5 11h2l1.4-3.4 1.9 5.6 1.2-2.2h1.6"></path>
                </svg>
                <span class="sr-only">"Fleetglass"</span>
            </span>
            <A href="/" exact=true attr:class="rail-item" attr:title="Fleet">
                <IconMark icon=Icon::Fleet/>
                <span class="rail-label">"Fleet"</span>
            </A>
        </nav>
    }
}

/// The bar at the top of a page: the page's own part, then time, connection and theme. Below it, when
/// the connection is broken, a banner that says so.
#[component]
pub fn TopBar(
    /// The page's own part: its filter, or where one is.
    children: Children,
) -> impl IntoView {
    let fleet = use_fleet();
    let time = Memo::new(move |_| local_hours_minutes(fleet.to_local(fleet.now().get())));
    view! {
        <header class="top-bar">
            <div class="top-bar-own">{children()}</div>
            <span class="top-bar-time num" title="Your local time">{time}</span>
            <Connection/>
            <ThemeToggle/>
        </header>
        <ConnectionBanner/>
    }
}

/// Lets keyboard users past the rail and the bar.
pub fn skip_link() -> El {
    link("skip-link", "#main").attr("rel", "external").text("Skip to content")
}

/// The rail at the left: only what exists.
pub fn rail() -> El {
    let path = use_location().pathname;
    let logo = drawing("logo", "0 0 24 24", "M15.8 15.8 21 21")
        .child(svg("circle").attr("cx", "10.5").attr("cy", "10.5").attr("r", "7"))
        .child(svg("path").class("logo-trace").attr("d", "M6.5 11h2l1.4-3.4 1.9 5.6 1.2-2.2h1.6"));
    with_class("nav", "rail")
        .attr("aria-label", "Main")
        .child(span("rail-logo").child(logo).child(unseen("Fleetglass")))
        .child(
            link("rail-item", "/")
                .attr("title", "Fleet")
                .attr("aria-current", move || path.with(|path| path == "/").then_some("page"))
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
