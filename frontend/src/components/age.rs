//! How old something is, in words that stay true as time goes by.

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::health::UnixMillis;
use leptos::prelude::*;

use crate::dom::{El, span};

use super::words::ago;
use crate::state::use_fleet;

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
