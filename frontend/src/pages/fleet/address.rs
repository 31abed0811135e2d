//! Keeps the view in the address, so that a link shows the same.

use std::time::Duration;

use leptos::prelude::*;

use crate::dom::effect;
use crate::route::{Page, Route, use_route};
use crate::state::view::View;

/// The address is written when the view has rested for so long: browsers limit how often it may change.
const REST: Duration = Duration::from_millis(250);

/// The view that the address says; what changes in one changes in the other.
pub fn view_in_address() -> RwSignal<View> {
    let route = use_route();
    let view = RwSignal::new(untrack(|| said(route)));

    // Back, forward, a link: the address leads. On its way to another page it says nothing about the view.
    effect(move || {
        let asked = said(route);
        if route.page() == Page::Fleet && view.with_untracked(|view| view.to_query() != asked.to_query()) {
            view.set(asked);
        }
    });

    // A press, a key: the view leads.
    let timer = StoredValue::new(None::<TimeoutHandle>);
    effect(move || {
        let address = address(&view.get());
        if let Some(timer) = timer.get_value() {
            timer.clear();
        }
        let write = move || {
            // Another page may have been opened meanwhile.
            let differs =
                || route.page() == Page::Fleet && view.with(|view| view.to_query() != said(route).to_query());
            if untrack(differs) {
                route.replace(&address);
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

fn said(route: Route) -> View {
    View::from_query(|key| route.query(key))
}

fn address(view: &View) -> String {
    let members: Vec<_> = view
        .to_query()
        .into_iter()
        .map(|(key, value)| format!("{key}={}", String::from(js_sys::encode_uri_component(&value))))
        .collect();
    if members.is_empty() { "/".to_owned() } else { format!("/?{}", members.join("&")) }
}
