//! Any series of the node: found by words, charted by a press.

use std::sync::Arc;

use fleetglass_shared::format;
use fleetglass_shared::wire::{NodeSeries, PanelQuery, SeriesInfo};
use leptos::html::Section;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::feed::feed;
use super::load::NodeLoad;
use super::series_view::{Mode, from_zero, matches, query, unit};
use crate::charts::{Board, Chart, keep_in_view};
use crate::client;
use crate::components::icon::{Icon, IconMark};
use crate::state::use_fleet;

/// The list is asked anew at most this often.
const REFRESH_MS: i64 = 15_000;
/// Rows shown at first, and added by each press of "Show more".
const ROWS: usize = 50;

/// The list as it stands.
#[derive(Clone, Debug, PartialEq)]
enum Listing {
    Loading,
    Failed(String),
    Ready(Arc<Vec<SeriesInfo>>),
}

/// A search over all series, and the charts of those that were pressed.
#[component]
pub(super) fn AnyMetric(load: NodeLoad) -> impl IntoView {
    let place = NodeRef::<Section>::new();
    let in_view = RwSignal::new(false);
    keep_in_view(Signal::derive_local(move || place.get().map(|section| (*section).clone())), in_view);
    let listing = listing(load, in_view);
    let words = RwSignal::new(String::new());
    let limit = RwSignal::new(ROWS);
    let charted = RwSignal::new(Vec::<SeriesInfo>::new());
    let all = Memo::new(move |_| match listing.get() {
        Listing::Ready(all) => Some(all),
        Listing::Loading | Listing::Failed(_) => None,
    });
    let found = Memo::new(move |_| {
        let words = words.get().to_lowercase();
        all.with(|all| {
            let all = all.iter().flat_map(|all| all.iter());
            all.filter(|series| matches(series, &words))
                .map(|series| series.selector.clone())
                .collect::<Vec<_>>()
        })
    });
    let tally = move || {
        let total = all.with(|all| all.as_ref().map_or(0, |all| all.len()));
        let found = found.with(Vec::len);
        if found == total { format!("{total} series") } else { format!("{found} of {total} series") }
    };
    view! {
            <section class="card" aria-labelledby="metrics-title" node_ref=place>
                <div class="section-head">
                    <h2 class="card-title" id="metrics-title">"Any metric"</h2>
                    <p class="card-note num" role="status">{move || all.with(Option::is_some).then(tally)}</p>
                </div>
                <Show when=move || charted.with(|charted| !charted.is_empty())>
                    <div class="panel-grid panel-grid-inner">
                        <For each=move || charted.get() key=|series| series.selector.clone() let(series)>
                            <OneSeries series charted/>
                        </For>
                    </div>
                </Show>
                <label class="sr-only" for="series-words">"Search the series of this node"</label>
                <input
                    id="series-words"
                    class="field"
                    type="search"
                    placeholder="Search name, label or help"
                    autocomplete="off"
                    spellcheck="false"
                    prop:value=words
                    on:input=move |event| {
                        words.set(event_target_value(&event));
                        limit.set(ROWS);
                    }
                />
                {move || match listing.get() {
                    Listing::Loading => view! { <p class="sr-only" role="status">"Loading the series"</p>
    <div class="skeleton series-sketch"></div> }.into_any(),
                    Listing::Failed(why) => view! {
                        <p class="chart-failed series-none"><strong>"The list of series did not come."</strong> " " {why}</p>
                    }
                    .into_any(),
                    Listing::Ready(all) if all.is_empty() => view! {
                        <p class="muted series-none">"This node exposes no series, and none could be derived from its answers."</p>
                    }
                    .into_any(),
                    Listing::Ready(_) => view! { <Rows all found limit charted/> }.into_any(),
                }}
            </section>
        }
}

/// The series of the node, loaded once the list comes near the screen and now and then while it is there.
fn listing(load: NodeLoad, in_view: RwSignal<bool>) -> RwSignal<Listing> {
    let board = Board::expect();
    let now = use_fleet().now();
    let listing = RwSignal::new(Listing::Loading);
    let asked = StoredValue::new(0_i64);
    Effect::new(move |_| {
        board.refresh.track();
        let at = now.get_untracked();
        if !in_view.get() || at - asked.get_value() < REFRESH_MS {
            return;
        }
        asked.set_value(at);
        let path = format!("{}/series", load.path());
        spawn_local(async move {
            let answer = client::get_json::<NodeSeries>(&path).await;
            let newer = answer.map_or_else(
                |error| Listing::Failed(error.in_words()),
                |all| Listing::Ready(Arc::new(all.series)),
            );
            listing.try_set(newer);
        });
    });
    listing
}

#[component]
fn Rows(
    all: Memo<Option<Arc<Vec<SeriesInfo>>>>,
    found: Memo<Vec<String>>,
    limit: RwSignal<usize>,
    charted: RwSignal<Vec<SeriesInfo>>,
) -> impl IntoView {
    let shown =
        Memo::new(move |_| found.with(|found| found.iter().take(limit.get()).cloned().collect::<Vec<_>>()));
    let rest = Memo::new(move |_| found.with(Vec::len).saturating_sub(limit.get()));
    let more = Memo::new(move |_| rest.get() > 0);
    view! {
        <Show when=move || found.with(Vec::is_empty)>
            <p class="muted series-none">"No series has all of these words."</p>
        </Show>
        <ul class="series-list">
            <For each=move || shown.get() key=Clone::clone let(selector)>
                <SeriesRow all selector charted/>
            </For>
        </ul>
        <Show when=move || more.get()>
            <button type="button" class="button" on:click=move |_| limit.update(|limit| *limit += ROWS * 2)>
                "Show more (" {rest} " left)"
            </button>
        </Show>
    }
}

#[component]
fn SeriesRow(
    all: Memo<Option<Arc<Vec<SeriesInfo>>>>,
    selector: String,
    charted: RwSignal<Vec<SeriesInfo>>,
) -> impl IntoView {
    let key = selector.clone();
    let series = Memo::new(move |_| {
        all.with(|all| all.iter().flat_map(|all| all.iter()).find(|series| series.selector == key).cloned())
    });
    let pressed =
        Memo::new(move |_| charted.with(|charted| charted.iter().any(|series| series.selector == selector)));
    let value = move || {
        series.with(|series| {
            series
                .as_ref()
                .map(|series| format::value(&series.value, unit(series, Mode::Value)))
                .unwrap_or_default()
        })
    };
    let press = move |_| {
        let Some(series) = series.get_untracked() else { return };
        charted.update(|charted| match charted.iter().position(|other| other.selector == series.selector) {
            Some(index) => drop(charted.remove(index)),
            None => charted.insert(0, series),
        });
    };
    let fixed = series.get_untracked()?;
    Some(view! {
        <li>
            <button
                type="button"
                class="series-row"
                aria-pressed=move || if pressed.get() { "true" } else { "false" }
                title=fixed.help.clone()
                on:click=press
            >
                <span class="series-name mono">
                    {fixed.metric.clone()}
                    <span class="series-labels">{labels(&fixed)}</span>
                </span>
                <span class="series-kind">
                    {fixed.kind.clone()} {fixed.derived.then_some(", derived")}
                </span>
                <span class="series-value num">{value}</span>
            </button>
        </li>
    })
}

/// The labels as an exposition has them; nothing where there are none.
fn labels(series: &SeriesInfo) -> String {
    if series.labels.is_empty() {
        return String::new();
    }
    let pairs: Vec<String> =
        series.labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// The chart of one series: a counter by its rate or as it counts.
#[component]
fn OneSeries(series: SeriesInfo, charted: RwSignal<Vec<SeriesInfo>>) -> impl IntoView {
    let board = Board::expect();
    let first = Mode::first(&series);
    let mode = RwSignal::new(first);
    let title = format!("{}{}", series.metric, labels(&series));
    let selector = series.selector.clone();
    let close = move |_| charted.update(|charted| charted.retain(|other| other.selector != selector));
    let choices = (first == Mode::Rate).then(|| view! {
        <div class="choices" role="group" aria-label="Shown as">
            {[(Mode::Rate, "rate"), (Mode::Value, "total")].into_iter().map(|(choice, word)| {
                let pressed = move || if mode.get() == choice { "true" } else { "false" };
                view! {
                    <button type="button" class="choice" aria-pressed=pressed on:click=move |_| mode.set(choice)>
                        {word}
                    </button>
                }
            }).collect_view()}
        </div>
    });
    view! {
        <div class="series-chart">
            <div class="series-chart-bar">
                {choices}
                <button type="button" class="icon-button" aria-label=format!("Remove the chart of {title}") on:click=close>
                    <IconMark icon=Icon::Close/>
                </button>
            </div>
            {move || {
                let mode = mode.get();
                let in_view = RwSignal::new(false);
                let asked = vec![PanelQuery {
                    expr: query(&series, mode, board.interval.get_untracked()),
                    legend: String::new(),
                }];
                let queries = StoredValue::new(asked);
                let shown = feed(Signal::derive(move || queries.get_value()), in_view);
                let unit = unit(&series, mode).to_owned();
                let from_zero = from_zero(&series, mode);
                view! { <Chart title=title.clone() unit from_zero bound=None shown in_view/> }
            }}
        </div>
    }
}
