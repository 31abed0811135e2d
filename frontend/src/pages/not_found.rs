//! An address that names no page.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::components::frame::TopBar;
use crate::components::notice::Empty;

/// Says so, and shows the way back.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <main id="main" class="page" tabindex="-1">
            <TopBar><h1 class="page-title">"No such page"</h1></TopBar>
            <Empty title="There is nothing at this address" detail="The link may be old, or mistyped.">
                <A href="/" attr:class="button">"Go to the fleet"</A>
            </Empty>
        </main>
    }
}
