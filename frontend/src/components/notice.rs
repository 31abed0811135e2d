//! Loading, empty and failed are three different things on the screen.

use leptos::prelude::*;

/// Nothing to show: says why, and what to do.
#[component]
pub fn Empty(
    /// What is so, in a few words.
    #[prop(into)]
    title: Signal<String>,
    /// Why, and what to do.
    #[prop(into, optional)]
    detail: Signal<String>,
    /// What to press, if anything helps.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="notice">
            <p class="notice-title">{title}</p>
            <p class="notice-detail">{detail}</p>
            {children.map(|children| children())}
        </div>
    }
}

/// Something failed: says what and what to do.
#[component]
pub fn Failed(
    /// What failed, in a few words.
    #[prop(into)]
    title: Signal<String>,
    /// Why, and what to do: [`crate::client::ClientError::in_words`].
    #[prop(into)]
    detail: Signal<String>,
    /// A button to try again.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="notice notice-failed" role="alert">
            <p class="notice-title">{title}</p>
            <p class="notice-detail">{detail}</p>
            {children.map(|children| children())}
        </div>
    }
}
