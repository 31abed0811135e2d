//! The router and the frame around every page.

use leptos::prelude::*;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{ParamSegment, StaticSegment};
use wasm_bindgen::JsCast;

use crate::components::frame::{rail, skip_link};
use crate::components::media::Screen;
use crate::components::token_form::token_form;
use crate::components::viewport::LeftAt;
use crate::pages::fleet::FleetPage;
use crate::pages::node::NodePage;
use crate::pages::not_found::NotFoundPage;
use crate::state::{Fleet, Link};

/// Puts the app where the page's loading sketch was.
pub fn start() {
    let Some(root) = document().get_element_by_id("app") else {
        leptos::logging::error!(
            "The page has no element with the id `app`: it is not Fleetglass's index.html."
        );
        return;
    };
    root.set_inner_html("");
    leptos::mount::mount_to(root.unchecked_into(), App).forget();
}

#[component]
fn App() -> impl IntoView {
    Screen::provide();
    LeftAt::provide();
    let fleet = Fleet::provide();
    let locked = Memo::new(move |_| fleet.link().with(|link| *link == Link::Unauthorized));
    view! {
        <Router>
            {skip_link()}
            <div class="frame">
                {rail()}
                <Show when=move || !locked.get() fallback=token_form>
                    <Routes fallback=NotFoundPage>
                        <Route path=StaticSegment("") view=FleetPage/>
                        <Route path=(StaticSegment("nodes"), ParamSegment("id")) view=NodePage/>
                    </Routes>
                </Show>
            </div>
        </Router>
    }
}
