//! What the node answers now, as it came: health, readiness and exposition in tabs, searchable.

use std::sync::Arc;

use fleetglass_shared::format::{duration_seconds, is_json, pretty_json};
use leptos::ev::KeyboardEvent;
use leptos::html::Section;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::load::NodeLoad;
use super::raw_text::RawText;
use crate::charts::keep_in_view;
use crate::client::{self, ClientError};

/// What the proxy passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Role {
    Health,
    Ready,
    Metrics,
}

impl Role {
    const ALL: [Self; 3] = [Self::Health, Self::Ready, Self::Metrics];

    /// Its word in the API, and in ids.
    fn as_str(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Ready => "ready",
            Self::Metrics => "metrics",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Health => "Health",
            Self::Ready => "Readiness",
            Self::Metrics => "Exposition",
        }
    }
}

/// What a tab shows.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Loading,
    /// The family has no such endpoint.
    None(String),
    Failed(String),
    Ready(Arc<Told>),
}

/// An answer, ready to be read.
#[derive(Debug, PartialEq)]
struct Told {
    status: u16,
    seconds: Option<f64>,
    text: String,
}

/// The tabs; the node is asked once the section comes near the screen, and at each change of tab.
#[component]
pub(super) fn Raw(load: NodeLoad) -> impl IntoView {
    let place = NodeRef::<Section>::new();
    let in_view = RwSignal::new(false);
    keep_in_view(Signal::derive_local(move || place.get().map(|section| (*section).clone())), in_view);
    let role = RwSignal::new(Role::Health);
    let answer = RwSignal::new(Answer::Loading);
    let turn = StoredValue::new(0_u32);
    let ask = move || {
        let role = role.get_untracked();
        let path = format!("{}/{}", load.path(), role.as_str());
        turn.update_value(|turn| *turn += 1);
        let mine = turn.get_value();
        answer.set(Answer::Loading);
        spawn_local(async move {
            let told = client::get_node_answer(&path).await;
            // Another tab, or a later press, has the word by now.
            if turn.try_get_value() == Some(mine) {
                answer.set(read(told));
            }
        });
    };
    let seen = Memo::new(move |before: Option<&bool>| before == Some(&true) || in_view.get());
    Effect::new(move |_| {
        role.track();
        if seen.get() {
            ask();
        }
    });
    view! {
        <section class="card" aria-labelledby="raw-title" node_ref=place>
            <div class="section-head">
                <h2 class="card-title" id="raw-title">"Its own words"</h2>
                <button type="button" class="button" on:click=move |_| ask()>"Ask again"</button>
            </div>
            <Tabs role/>
            <div
                class="raw"
                role="tabpanel"
                id="raw-panel"
                tabindex="-1"
                aria-labelledby=move || format!("raw-tab-{}", role.get().as_str())
            >
                {move || match answer.get() {
                    Answer::Loading => view! {
                        <p class="sr-only" role="status">"Asking the node"</p>
                        <div class="skeleton raw-sketch"></div>
                    }
                    .into_any(),
                    Answer::None(why) => view! { <p class="muted raw-none">{why}</p> }.into_any(),
                    Answer::Failed(why) => view! {
                        <p class="chart-failed raw-none"><strong>"No answer passed on."</strong> " " {why}</p>
                    }
                    .into_any(),
                    Answer::Ready(told) => {
                        let status = format!("HTTP {}", told.status);
                        let took = told.seconds.map(|seconds| format!(" in {}", duration_seconds(seconds)));
                        let odd = !(200..300).contains(&told.status);
                        view! {
                            <p class="raw-status num">
                                <span class:raw-odd=odd>{status}</span> {took} ", " {format_size(told.text.len())}
                            </p>
                            <RawText text=told.text.clone()/>
                        }
                        .into_any()
                    }
                }}
            </div>
        </section>
    }
}

fn read(answer: Result<client::NodeAnswer, ClientError>) -> Answer {
    match answer {
        Ok(answer) => {
            let text = if is_json(&answer.body) { pretty_json(&answer.body) } else { answer.body };
            Answer::Ready(Arc::new(Told { status: answer.status, seconds: answer.seconds, text }))
        }
        Err(ClientError::Http { status: 404, detail }) => Answer::None(detail),
        Err(error) => Answer::Failed(error.in_words()),
    }
}

fn format_size(bytes: usize) -> String {
    fleetglass_shared::format::bytes(bytes as f64)
}

/// Tabs as the ARIA practices have them: one stop of the Tab key, arrows in between.
#[component]
fn Tabs(role: RwSignal<Role>) -> impl IntoView {
    let go = move |event: KeyboardEvent| {
        let here = Role::ALL.iter().position(|other| *other == role.get_untracked()).unwrap_or(0);
        let count = Role::ALL.len();
        let next = match event.key().as_str() {
            "ArrowRight" => (here + 1) % count,
            "ArrowLeft" => (here + count - 1) % count,
            "Home" => 0,
            "End" => count - 1,
            _ => return,
        };
        event.prevent_default();
        role.set(Role::ALL[next]);
        let id = format!("raw-tab-{}", Role::ALL[next].as_str());
        if let Some(tab) = document().get_element_by_id(&id) {
            // A tab is a button, and a button can always be focused.
            let _ = wasm_bindgen::JsCast::unchecked_into::<web_sys::HtmlElement>(tab).focus();
        }
    };
    view! {
        <div class="tabs" role="tablist" aria-labelledby="raw-title" on:keydown=go>
            {Role::ALL.into_iter().map(|tab| {
                let selected = Memo::new(move |_| role.get() == tab);
                view! {
                    <button
                        type="button"
                        class="tab"
                        role="tab"
                        id=format!("raw-tab-{}", tab.as_str())
                        aria-controls="raw-panel"
                        aria-selected=move || if selected.get() { "true" } else { "false" }
                        tabindex=move || if selected.get() { "0" } else { "-1" }
                        on:click=move |_| role.set(tab)
                    >
                        {tab.title()}
                    </button>
                }
            }).collect_view()}
        </div>
    }
}
