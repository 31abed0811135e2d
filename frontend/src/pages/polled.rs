//! An answer of the proxy that a page asks for again and again, and what stands there until it has come.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::client;
use crate::components::notice::failed;
use crate::dom::{El, button, div, effect, group, p};
use crate::json::Json;
use crate::state::{Link, use_fleet};

/// The answer; a handle that may be copied into every closure.
pub struct Polled<T: Send + Sync + 'static> {
    told: RwSignal<Option<Arc<T>>>,
    trouble: RwSignal<Option<String>>,
    again: RwSignal<u64>,
}

impl<T: Send + Sync + 'static> Clone for Polled<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Polled<T> {}

impl<T: Send + Sync + 'static> Polled<T> {
    /// Asks at once, again after so long, when the path changes, and when the connection came back.
    pub fn start(
        path: impl Fn() -> String + 'static,
        every_ms: i64,
        read: impl Fn(&Json) -> T + Clone + 'static,
    ) -> Self {
        let polled =
            Self { told: RwSignal::new(None), trouble: RwSignal::new(None), again: RwSignal::new(0) };
        // Of two answers on their way the one that was asked for last counts.
        let asked = StoredValue::new(0_u64);
        let ask = move |path: String| {
            let read = read.clone();
            let turn = asked.get_value() + 1;
            asked.set_value(turn);
            let take = move |answer: Result<Json, client::ClientError>| match answer {
                _ if asked.try_get_value() != Some(turn) => {}
                Ok(json) => {
                    polled.told.set(Some(Arc::new(read(&json))));
                    polled.trouble.set(None);
                }
                Err(error) => polled.trouble.set(Some(error.in_words())),
            };
            spawn_local(async move { take(client::get_value(&path).await) });
        };
        turns(every_ms, polled.again, Box::new(move || ask(path())));
        polled
    }

    /// What was answered, read.
    pub fn with<R: Default>(self, read: impl FnOnce(&T) -> R) -> R {
        self.told.with(|told| told.as_deref().map(read).unwrap_or_default())
    }

    /// Whether there is an answer.
    pub fn is_known(self) -> bool {
        self.told.with(Option::is_some)
    }

    /// Asks now.
    pub fn again(self) {
        self.again.update(|again| *again += 1);
    }

    /// What stands there as long as nothing has come: a sketch, or why not.
    pub fn awaited(self, what: &'static str) -> El {
        awaited(what, self.is_known_signal(), self.trouble, self.again)
    }

    fn is_known_signal(self) -> Memo<bool> {
        Memo::new(move |_| self.is_known())
    }
}

fn turns(every_ms: i64, again: RwSignal<u64>, ask: Box<dyn Fn()>) {
    let fleet = use_fleet();
    let turn =
        Memo::new(move |_| (fleet.now().get() / every_ms, fleet.link().with(|link| *link == Link::Live)));
    effect(move || {
        // A memo that is not read is not worked out again.
        turn.get();
        again.track();
        ask();
    });
}

fn awaited(
    what: &'static str,
    known: Memo<bool>,
    trouble: RwSignal<Option<String>>,
    again: RwSignal<u64>,
) -> El {
    let troubled = Memo::new(move |_| trouble.with(Option::is_some));
    let why = move || trouble.get().unwrap_or_default();
    group()
        .when(
            move || !known.get() && !troubled.get(),
            move || {
                div("loading")
                    .attr("aria-busy", "true")
                    .child(p("sr-only").attr("role", "status").text(format!("{what}: loading")))
                    .child(div("skeleton skeleton-table"))
            },
        )
        .when(
            move || !known.get() && troubled.get(),
            move || {
                failed(format!("{what}: nothing came"), why).child(
                    button("button").on_click(move || again.update(|again| *again += 1)).text("Try again"),
                )
            },
        )
}
