//! The fleet page.

use leptos::prelude::*;

use crate::components::frame::TopBar;
use crate::state::use_fleet;

/// What needs a person first, then the fleet at a glance, then every node.
#[component]
pub fn FleetPage() -> impl IntoView {
    let fleet = use_fleet();
    view! {
        <main id="main" class="page" tabindex="-1">
            <TopBar><h1 class="page-title">"Fleet"</h1></TopBar>
            <p>{move || { fleet.changes().track(); fleet.nodes().len() }} " nodes"</p>
        </main>
    }
}
