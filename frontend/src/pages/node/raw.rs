//! What the node answers now, as it came: health, readiness and exposition in tabs, searchable.

use std::sync::Arc;

use fleetglass_shared::format::{bytes, duration_seconds, is_json, pretty_json};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use super::load::NodeLoad;
use super::no_answer;
use super::raw_text::raw_text;
use crate::charts::keep_in_view;
use crate::client::{self, ClientError, NodeAnswer};
use crate::dom::{El, button, div, effect, el, p, with_class};

/// What the proxy passes on: the word in the API and in ids, and what a person reads.
const ROLES: [(&str, &str); 3] = [("health", "Health"), ("ready", "Readiness"), ("metrics", "Exposition")];

/// What a tab shows.
#[derive(Clone)]
enum Answer {
    Loading,
    /// The family has no such endpoint.
    None(String),
    Failed(String),
    Ready(Arc<NodeAnswer>),
}

/// The tabs; the node is asked once the section comes near the screen, and at each change of tab.
pub(super) fn raw(load: NodeLoad) -> El {
    let in_view = RwSignal::new(false);
    let role = RwSignal::new(0_usize);
    let answer = RwSignal::new(Answer::Loading);
    let turn = StoredValue::new(0_u64);
    let ask = move || {
        let path = format!("{}/{}", load.path(), ROLES[role.get_untracked()].0);
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
    // A memo: once seen it stays so, and tells of nothing more.
    let seen = Memo::new(move |before: Option<&bool>| before == Some(&true) || in_view.get());
    effect(move || {
        role.track();
        if seen.get() {
            ask();
        }
    });
    let head = div("section-head")
        .child(with_class("h2", "card-title").attr("id", "raw-title").text("Its own words"))
        .child(button("button").on_click(ask).text("Ask again"));
    let panel = div("raw")
        .attr("role", "tabpanel")
        .attr("id", "raw-panel")
        .attr("tabindex", "-1")
        .attr("aria-labelledby", move || tab_id(role.get()))
        .live(move || {
            let answer = answer.get();
            Some(untrack(|| shown(answer)))
        });
    let section = with_class("section", "card")
        .attr("aria-labelledby", "raw-title")
        .child(head)
        .child(tabs(role))
        .child(panel);
    keep_in_view(&section, in_view);
    section
}

fn shown(answer: Answer) -> El {
    match answer {
        Answer::Loading => el("div")
            .child(p("sr-only").attr("role", "status").text("Asking the node"))
            .child(div("skeleton raw-sketch")),
        Answer::None(why) => p("muted raw-none").text(why),
        Answer::Failed(why) => no_answer("chart-failed raw-none", "No answer passed on.", &why),
        Answer::Ready(told) => {
            let odd = !(200..300).contains(&told.status);
            let status = el("span").class(odd.then_some("raw-odd")).text(format!("HTTP {}", told.status));
            let took = told.seconds.map(|seconds| format!(" in {}", duration_seconds(seconds)));
            let took = format!("{}, {}", took.unwrap_or_default(), bytes(told.body.len() as f64));
            el("div").child(p("raw-status num").child(status).text(took)).children(raw_text(&told.body))
        }
    }
}

fn read(answer: Result<NodeAnswer, ClientError>) -> Answer {
    match answer {
        Ok(mut answer) => {
            if is_json(&answer.body) {
                answer.body = pretty_json(&answer.body);
            }
            Answer::Ready(Arc::new(answer))
        }
        Err(ClientError::Http { status: 404, detail }) => Answer::None(detail),
        Err(error) => Answer::Failed(error.in_words()),
    }
}

fn tab_id(role: usize) -> String {
    format!("raw-tab-{}", ROLES[role].0)
}

/// Tabs as the ARIA practices have them: one stop of the Tab key, arrows in between.
fn tabs(role: RwSignal<usize>) -> El {
    let go = move |event: KeyboardEvent| {
        let (here, count) = (role.get_untracked(), ROLES.len());
        let next = match event.key().as_str() {
            "ArrowRight" => (here + 1) % count,
            "ArrowLeft" => (here + count - 1) % count,
            "Home" => 0,
            "End" => count - 1,
            _ => return,
        };
        event.prevent_default();
        role.set(next);
        // By its id: a listener that held the tabs would keep them for ever.
        if let Some(tab) = document().get_element_by_id(&tab_id(next)) {
            // A tab is a button, and a button can always be focused.
            let _ = tab.unchecked_into::<HtmlElement>().focus();
        }
    };
    let tab = |(index, (_, title)): (usize, (&str, &'static str))| {
        let selected = move || role.get() == index;
        button("tab")
            .attr("role", "tab")
            .attr("id", tab_id(index))
            .attr("aria-controls", "raw-panel")
            .aria("aria-selected", selected)
            .attr("tabindex", move || if selected() { "0" } else { "-1" })
            .on_click(move || role.set(index))
            .text(title)
    };
    div("tabs")
        .attr("role", "tablist")
        .attr("aria-labelledby", "raw-title")
        .on("keydown", go)
        .children(ROLES.into_iter().enumerate().map(tab))
}
