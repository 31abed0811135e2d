//! How old something is, in words that stay true as time goes by.

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::health::UnixMillis;
use leptos::prelude::*;

use crate::dom::{El, span};

use super::words::ago;
use crate::state::use_fleet;

/// `3 min ago`, or `–` when the time is not known.
#[component]
pub fn Ago(
    /// The time it was true, by the proxy's clock.
    #[prop(into)]
    at: Signal<Option<UnixMillis>>,
) -> impl IntoView {
    let now = use_fleet().now();
    // A memo, so that the page is touched only when the words change.
    let words = Memo::new(move |_| at.get().map_or_else(|| "–".to_owned(), |at| ago(at, now.get())));
    view! { <span class="num">{words}</span> }
}

/// `for 3 min`'s time alone: `3 min`.
#[component]
pub fn Since(
    /// When it began, by the proxy's clock.
    #[prop(into)]
    at: Signal<UnixMillis>,
) -> impl IntoView {
    let now = use_fleet().now();
    let words = Memo::new(move |_| duration_ms(now.get() - at.get()));
    view! { <span class="num">{words}</span> }
}

/// `3 min ago`, or `–` when the time (by the proxy's clock) is not known.
pub fn ago_mark(at: impl Fn() -> Option<UnixMillis> + 'static) -> El {
    let now = use_fleet().now();
    span("num").text(move || at().map_or_else(|| "–".to_owned(), |at| ago(at, now.get())))
}

/// `for 3 min`'s time alone: `3 min`, from a time by the proxy's clock.
pub fn since_mark(at: impl Fn() -> UnixMillis + 'static) -> El {
    let now = use_fleet().now();
    span("num").text(move || duration_ms(now.get() - at()))
}
