//! The fleet at a glance: counts by state and by version. Each is a button that filters.

use leptos::prelude::*;

use crate::components::segments::{Segment, SegmentedBar};
use crate::components::status_mark::{StatusShape, state_class};
use crate::components::words::whole;
use crate::state::filter::{has_term, toggle_term};
use crate::state::tally::{States, versions};
use crate::state::use_fleet;
use crate::state::view::View;

/// As many versions have a colour and a button; the rest are one part.
const VERSIONS: usize = 7;

/// The band under what needs a person.
#[component]
pub fn Summary(
    /// Whose filter the buttons change.
    view: RwSignal<View>,
) -> impl IntoView {
    let fleet = use_fleet();
    let states = Memo::new(move |_| fleet.every_node().with(|nodes| States::of(nodes.iter())));
    let versions = Memo::new(move |_| fleet.every_node().with(|nodes| versions(nodes.iter())));
    let skewed = Memo::new(move |_| {
        fleet.every_node().with(|nodes| nodes.iter().filter(|node| node.version_majority.is_some()).count())
    });
    let draining = Memo::new(move |_| {
        fleet.every_node().with(|nodes| nodes.iter().filter(|node| node.draining).count())
    });
    let state_segments = Signal::derive(move || {
        let segment = |(status, count): (fleetglass_shared::health::Status, usize)| Segment {
            name: status.as_str().to_owned(),
            count,
            class: state_class(status).to_owned(),
        };
        states.get().present().into_iter().map(segment).collect::<Vec<_>>()
    });
    let version_segments = Signal::derive(move || {
        versions.with(|versions| {
            let named = versions.iter().take(VERSIONS).enumerate().map(|(index, version)| Segment {
                name: version.version.clone(),
                count: version.count,
                class: format!("series-{}", index + 1),
            });
            let rest: usize = versions.iter().skip(VERSIONS).map(|version| version.count).sum();
            let rest = (rest > 0).then(|| Segment {
                name: "other versions".to_owned(),
                count: rest,
                class: "series-rest".to_owned(),
            });
            named.chain(rest).collect::<Vec<_>>()
        })
    });
    let present =
        Memo::new(move |_| states.get().present().into_iter().map(|(status, _)| status).collect::<Vec<_>>());
    let named = Memo::new(move |_| {
        versions
            .with(|all| all.iter().take(VERSIONS).map(|version| version.version.clone()).collect::<Vec<_>>())
    });
    view! {
        <section class="summary" aria-label="The fleet at a glance">
            <div class="summary-part">
                <h2 class="summary-title">"State"</h2>
                <SegmentedBar segments=state_segments/>
                <ul class="legend">
                    <For each=move || present.get() key=|status| status.as_str() children=move |status| {
                        let count = Signal::derive(move || states.get().count(status));
                        legend_item(view, "state", status.as_str(), status.as_str().to_owned(), count, move || {
                            view! { <StatusShape status=Signal::derive(move || status)/> }.into_any()
                        })
                    }/>
                    <Show when=move || draining.get() != 0>
                        {legend_item(view, "is", "draining", "draining".to_owned(), draining.into(), || {
                            view! { <span class="legend-mark" aria-hidden="true">"↓"</span> }.into_any()
                        })}
                    </Show>
                </ul>
            </div>
            <div class="summary-part">
                <h2 class="summary-title">"Version"</h2>
                <SegmentedBar segments=version_segments/>
                <ul class="legend">
                    <For each=move || named.get().into_iter().enumerate() key=Clone::clone children=move |(index, version)| {
                        let name = version.clone();
                        let count = Signal::derive(move || {
                            versions.with(|all| all.iter().find(|entry| entry.version == name).map_or(0, |entry| entry.count))
                        });
                        legend_item(view, "version", &version, version.clone(), count, move || {
                            view! { <span class=format!("legend-dot series-{}", index + 1) aria-hidden="true"></span> }.into_any()
                        })
                    }/>
                    <Show when=move || skewed.get() != 0>
                        {legend_item(view, "is", "skewed", "differ from their family".to_owned(), skewed.into(), || {
                            view! { <span class="legend-mark" aria-hidden="true">"≠"</span> }.into_any()
                        })}
                    </Show>
                </ul>
            </div>
        </section>
    }
}

fn legend_item(
    view: RwSignal<View>,
    key: &'static str,
    value: &str,
    name: String,
    count: Signal<usize>,
    mark: impl Fn() -> AnyView,
) -> AnyView {
    let value = StoredValue::new(value.to_owned());
    let pressed =
        Memo::new(move |_| value.with_value(|value| view.with(|view| has_term(&view.filter, key, value))));
    let toggle = move |_| {
        view.update(|view| view.filter = value.with_value(|value| toggle_term(&view.filter, key, value)));
    };
    view! {
        <li>
            <button
                type="button"
                class="legend-item"
                aria-pressed=move || if pressed.get() { "true" } else { "false" }
                on:click=toggle
            >
                {mark()}
                <span class="legend-count num">{move || whole(count.get())}</span>
                <span class="legend-name">{name}</span>
            </button>
        </li>
    }
    .into_any()
}
