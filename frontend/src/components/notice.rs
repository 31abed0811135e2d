//! Loading, empty and failed are three different things on the screen.

use leptos::prelude::*;

use crate::dom::{El, Words, div, p};

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

/// Nothing to show: what is so in a few words, why, and what to do. What to press may be added as children.
pub fn empty(title: impl Into<Words>, detail: impl Into<Words>) -> El {
    div("notice").child(p("notice-title").text(title)).child(p("notice-detail").text(detail))
}

/// Something failed: what, why and what to do ([`crate::client::ClientError::in_words`]). A button to try
/// again may be added as a child.
pub fn failed(title: impl Into<Words>, detail: impl Into<Words>) -> El {
    empty(title, detail).class("notice notice-failed").attr("role", "alert")
}
