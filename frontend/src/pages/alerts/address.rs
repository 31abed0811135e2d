//! Keeps what a page shows in the address, so that a link shows the same.

use std::time::Duration;

use leptos::prelude::*;

use crate::dom::effect;
use crate::pages::node::load::escaped;
use crate::route::{Page, Route, use_route};

/// The address is written when what is shown has rested for so long.
const REST: Duration = Duration::from_millis(250);

/// What is shown at an address.
pub trait InAddress: Clone + PartialEq + Send + Sync + 'static {
    /// Its page.
    const PAGE: Page;
    /// The path of that.
    const PATH: &'static str;
    /// Reads the query member by member.
    fn read(get: impl Fn(&str) -> Option<String>) -> Self;
    /// The members of the query.
    fn members(&self) -> Vec<(&'static str, String)>;
}

/// What the address says; what changes in one changes in the other.
pub fn in_address<T: InAddress>() -> RwSignal<T> {
    let route = use_route();
    let said = move || T::read(|name| route.query(name));
    let shown = RwSignal::new(untrack(said));
    effect(move || {
        let asked = said();
        if route.page() == T::PAGE && shown.with_untracked(|shown| shown.members() != asked.members()) {
            shown.set(asked);
        }
    });
    let timer = StoredValue::new(None::<TimeoutHandle>);
    effect(move || {
        let address = shown.with(address);
        if let Some(timer) = timer.get_value() {
            timer.clear();
        }
        let write = move || {
            let differs =
                || route.page() == T::PAGE && shown.with(|shown| shown.members() != said().members());
            if untrack(differs) {
                Route::replace(route, &address);
            }
        };
        timer.set_value(set_timeout_with_handle(write, REST).ok());
    });
    on_cleanup(move || {
        if let Some(timer) = timer.try_get_value().flatten() {
            timer.clear();
        }
    });
    shown
}

fn address<T: InAddress>(shown: &T) -> String {
    let members: Vec<_> =
        shown.members().into_iter().map(|(key, value)| format!("{key}={}", escaped(&value))).collect();
    if members.is_empty() { T::PATH.to_owned() } else { format!("{}?{}", T::PATH, members.join("&")) }
}
