//! Keeps the view in the address, so that a link shows the same.

use std::time::Duration;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};

use crate::dom::effect;
use crate::state::view::View;

/// The address is written when the view has rested for so long: browsers limit how often it may change.
const REST: Duration = Duration::from_millis(250);

/// The view that the address says; what changes in one changes in the other.
pub fn view_in_address() -> RwSignal<View> {
    let query = use_query_map();
    let read = move || query.with(|query| View::from_query(|key| query.get(key)));
    let view = RwSignal::new(untrack(read));

    // Back, forward, a link: the address leads.
    effect(move || {
        let asked = read();
        if view.with_untracked(|view| view.to_query() != asked.to_query()) {
            view.set(asked);
        }
    });

    // A press, a key: the view leads.
    let navigate = use_navigate();
    let path = use_location().pathname;
    let timer = StoredValue::new(None::<TimeoutHandle>);
    effect(move || {
        let address = address(&view.get());
        if let Some(timer) = timer.get_value() {
            timer.clear();
        }
        let navigate = navigate.clone();
        let write = move || {
            let known = query.with_untracked(|query| View::from_query(|key| query.get(key)));
            // Another page may have been opened meanwhile.
            if path.with_untracked(|path| path == "/")
                && view.with_untracked(|view| view.to_query() != known.to_query())
            {
                navigate(
                    &address,
                    NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() },
                );
            }
        };
        timer.set_value(set_timeout_with_handle(write, REST).ok());
    });
    on_cleanup(move || {
        if let Some(timer) = timer.try_get_value().flatten() {
            timer.clear();
        }
    });
    view
}

fn address(view: &View) -> String {
    let members: Vec<_> = view
        .to_query()
        .into_iter()
        .map(|(key, value)| format!("{key}={}", String::from(js_sys::encode_uri_component(&value))))
        .collect();
    if members.is_empty() { "/".to_owned() } else { format!("/?{}", members.join("&")) }
}
