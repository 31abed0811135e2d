//! The family's charts, three a row, in groups that fold; and how much time all charts of the page show.

use fleetglass_shared::wire::Panel;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

use super::feed::feed;
use super::load::NodeLoad;
use crate::charts::{Board, Chart, Window};

/// With more charts than this only the first groups are open.
const OPEN_CHARTS: usize = 12;

/// The charts of the family; says so where it names none.
#[component]
pub(super) fn Panels(load: NodeLoad) -> impl IntoView {
    let panels = load.part(|detail| detail.panels.clone());
    let groups = Memo::new(move |_| panels.with(|panels| grouped(panels)));
    view! {
        <section class="node-section" aria-labelledby="panels-title">
            <div class="section-head">
                <h2 class="section-title" id="panels-title">"Charts"</h2>
                <WindowChoice/>
            </div>
            {move || {
                let groups = groups.get();
                if groups.is_empty() {
                    return view! {
                        <p class="muted">"The family names no charts. Any series of this node can be charted below."</p>
                    }
                    .into_any();
                }
                let single = groups.len() == 1;
                let mut before = 0;
                groups
                    .into_iter()
                    .map(|(name, panels)| {
                        let open = before == 0 || before + panels.len() <= OPEN_CHARTS;
                        before += panels.len();
                        if single {
                            view! { <PanelGrid panels/> }.into_any()
                        } else {
                            view! { <Group name panels open/> }.into_any()
                        }
                    })
                    .collect_view()
                    .into_any()
            }}
        </section>
    }
}

/// The subsystems in the order in which they come.
fn grouped(panels: &[Panel]) -> Vec<(String, Vec<Panel>)> {
    let mut groups: Vec<(String, Vec<Panel>)> = Vec::new();
    for panel in panels {
        match groups.iter_mut().find(|(name, _)| *name == panel.subsystem) {
            Some((_, members)) => members.push(panel.clone()),
            None => groups.push((panel.subsystem.clone(), vec![panel.clone()])),
        }
    }
    groups
}

/// A group that folds. What is folded away is not there at all, so it costs nothing.
#[component]
fn Group(name: String, panels: Vec<Panel>, open: bool) -> impl IntoView {
    let shown = RwSignal::new(open);
    let title = if name.is_empty() { "General".to_owned() } else { name };
    let count = panels.len();
    view! {
        <div class="fold">
            <h3 class="fold-head">
                <button
                    type="button"
                    class="fold-button"
                    aria-expanded=move || if shown.get() { "true" } else { "false" }
                    on:click=move |_| shown.update(|shown| *shown = !*shown)
                >
                    <svg class="icon fold-arrow" viewBox="0 0 20 20" aria-hidden="true"><path d="M7.5 5l5 5-5 5"></path></svg>
                    {title}
                    <span class="fold-count num">{count}</span>
                </button>
            </h3>
            <Show when=move || shown.get()>
                <PanelGrid panels=panels.clone()/>
            </Show>
        </div>
    }
}

#[component]
fn PanelGrid(panels: Vec<Panel>) -> impl IntoView {
    view! {
        <div class="panel-grid">
            {panels.into_iter().map(|panel| view! { <OnePanel panel/> }).collect_view()}
        </div>
    }
}

#[component]
fn OnePanel(panel: Panel) -> impl IntoView {
    let in_view = RwSignal::new(false);
    let queries = StoredValue::new(panel.queries);
    let shown = feed(Signal::derive(move || queries.get_value()), in_view);
    view! {
        <Chart title=panel.title unit=panel.unit from_zero=panel.from_zero bound=panel.bound shown in_view/>
    }
}

/// The buttons for the window of time, and the zone of all times.
#[component]
fn WindowChoice() -> impl IntoView {
    let board = Board::expect();
    let navigate = use_navigate();
    let path = use_location().pathname;
    let choose = move |window: Window| {
        let address = format!("{}?range={}", path.get_untracked(), window.as_str());
        navigate(&address, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
    };
    view! {
        <div class="window-choice">
            <span class="zone">{board.zone()}</span>
            <div class="choices" role="group" aria-label="Time shown">
                {Window::ALL.into_iter().map(|window| {
                    let choose = choose.clone();
                    let pressed = move || if board.window.get() == window { "true" } else { "false" };
                    view! {
                        <button type="button" class="choice" aria-pressed=pressed on:click=move |_| choose(window)>
                            {window.title()}
                        </button>
                    }
                }).collect_view()}
            </div>
        </div>
    }
}
