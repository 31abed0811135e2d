//! The fleet page: what needs a person first, then the fleet at a glance, then every node.

mod address;
mod attention;
mod held;
mod nodes;
mod row;
mod summary;
mod tile;
mod toolbar;

use leptos::html::Div;
use leptos::prelude::*;

use crate::components::filter_box::FilterBox;
use crate::components::frame::TopBar;
use crate::components::notice::{Empty, Failed};
use crate::state::attention::urgency;
use crate::state::{Link, use_fleet};
use attention::Attention;
use nodes::Nodes;
use summary::Summary;

/// The page at `/`.
#[component]
pub fn FleetPage() -> impl IntoView {
    let fleet = use_fleet();
    let view = address::view_in_address();
    let scroller = NodeRef::<Div>::new();
    let empty = Memo::new(move |_| fleet.every_node().with(|nodes| nodes.is_empty()));
    Effect::new(move |_| {
        let count =
            fleet.every_node().with(|nodes| nodes.iter().filter(|node| urgency(node).is_some()).count());
        // Seen on the tab, too, while another one is open.
        document().set_title(&if count == 0 {
            "Fleetglass".to_owned()
        } else {
            format!("({count}) Fleetglass")
        });
    });
    let quiet = Memo::new(move |_| !matches!(fleet.link().get(), Link::Live | Link::Connecting));
    let (filter, set_filter) =
        create_slice(view, |view| view.filter.clone(), |view, text| view.filter = text);
    view! {
        <main id="main" class="page" tabindex="-1">
            <TopBar>
                <h1 class="sr-only">"Fleet"</h1>
                <FilterBox text=filter set_text=set_filter/>
            </TopBar>
            <div class=move || if quiet.get() { "page-body fleet-old" } else { "page-body" } node_ref=scroller>
                <Show when=move || fleet.loaded().get() fallback=NotYet>
                    <Show when=move || !empty.get() fallback=FirstRun>
                        <Attention view/>
                        <Summary view/>
                        <Nodes view scroller/>
                    </Show>
                </Show>
            </div>
        </main>
    }
}

/// Before the first snapshot: the layout to come, or why it does not come.
#[component]
fn NotYet() -> impl IntoView {
    let fleet = use_fleet();
    let failed = Memo::new(move |_| matches!(fleet.link().get(), Link::Waiting { .. } | Link::Retrying(_)));
    view! {
        <Show
            when=move || failed.get()
            fallback=|| {
                view! {
                    <div class="loading" aria-busy="true">
                        <p class="sr-only">"The fleet is loading"</p>
                        <div class="skeleton skeleton-line"></div>
                        <div class="skeleton skeleton-band"></div>
                        <div class="skeleton skeleton-table"></div>
                    </div>
                }
            }
        >
            <Failed
                title="The fleet is not known yet"
                detail="This page has not reached Fleetglass since it was opened. It goes on trying by itself."
            />
        </Show>
    }
}

/// The proxy has no target.
#[component]
fn FirstRun() -> impl IntoView {
    view! {
        <Empty
            title="No node yet"
            detail="Name your nodes in the config file; Fleetglass reads it again as soon as it is saved."
        >
            <pre class="sample" tabindex="0"><code>
                "[[target]]\nid = \"eu-1\"\nfamily = \"auto\"\nurl = \"http://10.0.0.5:9090\"\nlabels = { region = \"eu\" }"
            </code></pre>
        </Empty>
    }
}
