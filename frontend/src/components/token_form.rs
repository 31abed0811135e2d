//! Asks for the token that the proxy wants.

use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;

use crate::client::{has_token, set_token, try_now};

/// A form of one field. The token is kept for this tab only.
#[component]
pub fn TokenForm() -> impl IntoView {
    let field = NodeRef::<Input>::new();
    let enter = move |event: SubmitEvent| {
        event.prevent_default();
        let token = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        if !token.trim().is_empty() {
            set_token(token.trim());
            try_now();
        }
    };
    // The form is shown anew after each refusal: with a token entered, that one was refused.
    let refused = has_token();
    Effect::new(move |_| field.get().map(|field| field.focus()));
    view! {
        <main id="main" class="token-page" tabindex="-1">
            <form class="token-form" on:submit=enter>
                <h1 class="token-title">"This Fleetglass asks for a token"</h1>
                <p class="muted" id="token-help">
                    "Whoever runs it makes one with " <code>"fleetglass token new"</code>
                    ". It is kept in this tab only, and forgotten when you close it."
                </p>
                <label class="field-label" for="token">"Token"</label>
                <input
                    id="token"
                    class="field"
                    type="password"
                    autocomplete="current-password"
                    spellcheck="false"
                    aria-describedby="token-help"
                    aria-invalid=refused.then_some("true")
                    node_ref=field
                />
                {refused.then(|| view! {
                    <p class="token-refused" role="alert">"This token is not accepted. Is it whole, and does the config list its hash?"</p>
                })}
                <button type="submit" class="button button-primary">"Open the dashboard"</button>
            </form>
        </main>
    }
}
