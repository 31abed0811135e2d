//! What the node is asked and how each endpoint answered; and the last scrapes that failed.

use fleetglass_shared::format;
use fleetglass_shared::health::ScrapeFailure;
use fleetglass_shared::wire::EndpointDetail;
use leptos::prelude::*;

use super::load::NodeLoad;
use crate::charts::{Board, clock_label};
use crate::components::age::Ago;
use crate::state::use_fleet;

/// A table of the endpoints; on a phone each is a card of its own.
#[component]
pub(super) fn Endpoints(load: NodeLoad) -> impl IntoView {
    let names =
        load.part(|detail| detail.endpoints.iter().map(|endpoint| endpoint.name.clone()).collect::<Vec<_>>());
    view! {
        <section class="card" aria-labelledby="endpoints-title">
            <h2 class="card-title" id="endpoints-title">"Endpoints"</h2>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"URL"</th>
                        <th scope="col">"Answer"</th>
                        <th scope="col" class="right">"Took"</th>
                        <th scope="col" class="right">"Samples"</th>
                        <th scope="col" class="right">"Asked"</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || names.get() key=Clone::clone let(name)>
                        <OneEndpoint load name/>
                    </For>
                </tbody>
            </table>
        </section>
    }
}

#[component]
fn OneEndpoint(load: NodeLoad, name: String) -> impl IntoView {
    let title = name.clone();
    let endpoint =
        load.part(move |detail| detail.endpoints.iter().find(|endpoint| endpoint.name == name).cloned());
    let part = move |read: fn(&EndpointDetail) -> String| {
        Memo::new(move |_| endpoint.with(|endpoint| endpoint.as_ref().map(read).unwrap_or_default()))
    };
    let asked = Memo::new(move |_| {
        endpoint.with(|endpoint| endpoint.as_ref().and_then(|endpoint| endpoint.asked_at))
    });
    let answered = Memo::new(move |_| {
        endpoint.with(|endpoint| {
            endpoint.as_ref().map(|endpoint| (endpoint.http_status, endpoint.failure.clone()))
        })
    });
    let url = part(|endpoint| endpoint.url.clone());
    let took = part(|endpoint| endpoint.duration_seconds.map_or_else(unknown, format::duration_seconds));
    let samples = part(|endpoint| endpoint.samples.map_or_else(unknown, |count| format::count(count as f64)));
    view! {
        <tr>
            <th scope="row" class="mono">{title}</th>
            <td class="mono wrap">{url}</td>
            <td>{move || answered.get().map(|(status, failure)| answer(status, failure))}</td>
            <td class="right num" data-label="took ">{took}</td>
            <td class="right num" data-label="samples ">{samples}</td>
            <td class="right" data-label="asked "><Ago at=asked/></td>
        </tr>
    }
}

fn unknown() -> String {
    format::UNKNOWN.to_owned()
}

fn answer(status: Option<u16>, failure: Option<ScrapeFailure>) -> AnyView {
    match (failure, status) {
        (Some(failure), _) => view! {
            <span class="failure">{capital(failure.kind.as_words())}</span>
            <small class="failure-message">{failure.message}</small>
        }
        .into_any(),
        (None, Some(status)) => view! { <span class="num">"HTTP " {status}</span> }.into_any(),
        (None, None) => view! { <span class="muted">"not asked yet"</span> }.into_any(),
    }
}

/// The last failures and what was read over, the newest first.
#[component]
pub(super) fn Failures(load: NodeLoad) -> impl IntoView {
    let failures = load.part(|detail| detail.failures.clone());
    let warnings = load.part(|detail| detail.warnings.clone());
    view! {
        <section class="card" aria-labelledby="failures-title">
            <h2 class="card-title" id="failures-title">
                "Last failed scrapes"
                <span class="card-note">
                    {move || match failures.with(Vec::len) {
                        0 => "none since Fleetglass started".to_owned(),
                        count => format!("{count}, the newest first"),
                    }}
                </span>
            </h2>
            <Listed items=failures/>
            <Show when=move || warnings.with(|warnings| !warnings.is_empty())>
                <h3 class="card-subtitle">"Read in spite of faults"</h3>
                <Listed items=warnings/>
            </Show>
        </section>
    }
}

/// This many are shown; a person who needs more needs the logs.
const MOST_LISTED: usize = 20;

#[component]
fn Listed(items: Memo<Vec<ScrapeFailure>>) -> impl IntoView {
    let fleet = use_fleet();
    let offset = Board::expect().offset;
    view! {
        <ul class="failures">
            {move || items.get().into_iter().take(MOST_LISTED).map(|failure| view! {
                <li class="failed">
                    <time class="row-time num">{clock_label(fleet.to_local(failure.at), offset, true)}</time>
                    <span class="mono">{failure.endpoint}</span>
                    <span class="failed-words">
                        <span class="failure">{capital(failure.kind.as_words())}</span>
                        <small class="failure-message">{failure.message}</small>
                    </span>
                </li>
            }).collect_view()}
        </ul>
    }
}

/// The words with a capital first letter.
fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
