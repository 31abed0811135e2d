//! The pages and the frame around every one of them.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;

use crate::client::get_value;
use crate::clock::sleep;
use crate::components::alert_banner::tell_tab;
use crate::components::connection::banners;
use crate::components::frame::{rail, skip_link, top_bar};
use crate::components::icon::{Icon, icon};
use crate::components::media::Screen;
use crate::components::notice::failed;
use crate::components::viewport::LeftAt;
use crate::dom::{El, button, div, effect, group, link, unseen, with_class};
use crate::kept::kept;
use crate::pages::fleet::fleet_page;
use crate::pages::later::{Later, later};
use crate::rest::{Rest, RestOfApp, draw_glance, use_rest};
use crate::route::{Page, Route};
use crate::shared::{prepare, shared};
use crate::state::{Fleet, Link};

/// Under this name the browser keeps which alerts sound and notify.
pub const ALARM: &str = "fleetglass-alarm";

/// Puts the app where the page's loading sketch was.
pub fn start() {
    let Some(root) = document().get_element_by_id("app") else {
        leptos::logging::error!(
            "The page has no element with the id `app`: it is not Fleetglass's index.html."
        );
        return;
    };
    let place = root.clone();
    let mount = move || {
        let begun = RwSignal::new(false);
        let app = app(begun.into());
        spawn_local(async move {
            // The frame, the page in it, and its layout are a task each: on a slow phone each takes long enough. What the
            // page's sketch shows stays until all is there.
            sleep(0).await;
            begun.set(true);
            sleep(0).await;
            place.set_inner_html("");
            let _ = place.append_child(app.element());
            draw_glance();
        });
    };
    spawn_local(async move {
        prepare().await;
        sleep(0).await;
        leptos::mount::mount_to(root.unchecked_into(), mount).forget();
    });
}

/// A page of the rest of the app, as soon as that is there.
fn when_there(make: impl Fn() -> El + 'static) -> El {
    let rest = use_rest();
    rest.fetch();
    group().when(move || rest.state() == Rest::There, make).when(
        move || rest.state() != Rest::There,
        move || {
            waiting_page().when(move || rest.state() != Rest::Failed, loading).when(
                move || rest.state() == Rest::Failed,
                move || {
                    failed(
                        "This page could not be loaded",
                        "Fleetglass did not send this part of the app. Check that it runs.",
                    )
                    .child(button("button").on_click(move || rest.fetch()).text("Try again"))
                },
            )
        },
    )
}

/// What sounds and notifies, as soon as the rest is there; only where somebody has asked for it.
fn alarm() -> El {
    let rest = use_rest();
    if kept(ALARM).is_some_and(|settings| !settings.is_empty()) {
        rest.fetch();
    }
    group().when(move || rest.state() == Rest::There, || later(Later::Alarm))
}

/// The proxy itself asks for the password of a share link, and says that a link has ended.
fn ask_again() -> El {
    let _ = window().location().reload();
    group()
}

fn waiting_page() -> El {
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([link("icon-button node-back", "/")
            .attr("aria-label", "Back to the fleet")
            .child(icon(Icon::Back))]))
        .child(banners())
}

fn loading() -> El {
    div("loading")
        .attr("aria-busy", "true")
        .child(unseen("The page is loading"))
        .child(div("skeleton skeleton-table"))
}

/// Tells the style sheets what whoever looks may do, each time that they are let in.
fn tell_role(fleet: Fleet) {
    let is_in = Memo::new(move |_| fleet.link().with(|link| *link == Link::Live));
    effect(move || {
        if is_in.get() && shared().is_none() {
            spawn_local(async {
                let role = get_value("/api/v1/me").await.ok().and_then(|me| me.get("role").text());
                if let (Some(role), Some(root)) = (role, document().document_element()) {
                    let _ = root.set_attribute("data-role", &role);
                }
            });
        }
    });
}

fn app(begun: Signal<bool>) -> El {
    Screen::provide();
    LeftAt::provide();
    RestOfApp::provide();
    let route = Route::provide();
    let fleet = Fleet::provide();
    let locked = move || fleet.link().with(|link| *link == Link::Unauthorized);
    tell_tab();
    tell_role(fleet);
    let page = Memo::new(move |_| route.page());
    let shown = move || {
        let page = begun.get().then(|| page.get())?;
        Some(untrack(|| match page {
            Page::Fleet => fleet_page(),
            page => when_there(move || later(Later::Page(page.clone()))),
        }))
    };
    group()
        .child(skip_link())
        .child(
            div("frame")
                .child(rail())
                .when(locked, || match shared() {
                    Some(link) if !link.is_preview => ask_again(),
                    _ => when_there(|| later(Later::SignIn)),
                })
                .when(move || !locked(), move || group().live(shown)),
        )
        .child(alarm())
}
