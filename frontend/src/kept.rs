//! What this browser keeps from one visit to the next: settings and a name, never data of the fleet.

use leptos::prelude::window;

/// What was kept under a name.
pub fn kept(name: &str) -> Option<String> {
    window().local_storage().ok().flatten()?.get_item(name).ok().flatten()
}

/// Keeps a text. A full or forbidden store costs only the memory of it.
pub fn keep(name: &str, text: &str) {
    if let Some(store) = window().local_storage().ok().flatten() {
        let _ = store.set_item(name, text);
    }
}
