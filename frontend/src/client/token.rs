//! The viewer's token: kept for this tab only, so that it ends with the session.

use std::cell::RefCell;

use leptos::prelude::window;

const KEY: &str = "fleetglass-token";

thread_local! {
    /// For browsers that forbid the store: the token then lives as long as the page.
    static IN_MEMORY: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The token to send, if one was entered.
pub(super) fn token() -> Option<String> {
    IN_MEMORY
        .with_borrow(Clone::clone)
        .or_else(|| storage()?.get_item(KEY).ok().flatten())
        .filter(|token| !token.is_empty())
}

/// Whether a token was entered in this tab.
pub fn has_token() -> bool {
    token().is_some()
}

/// Takes the token the viewer entered.
pub fn set_token(token: &str) {
    if let Some(store) = storage() {
        let _ = store.set_item(KEY, token);
    }
    IN_MEMORY.set(Some(token.to_owned()));
}

/// Goes on without it.
pub fn forget_token() {
    if let Some(store) = storage() {
        let _ = store.remove_item(KEY);
    }
    IN_MEMORY.set(None);
}

fn storage() -> Option<web_sys::Storage> {
    window().session_storage().ok().flatten()
}
