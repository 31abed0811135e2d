//! The button that goes through system, light and dark.

use leptos::prelude::*;

use super::icon::{Icon, live_icon};
use crate::dom::{El, button};
use crate::theme::Theme;

/// Goes to the next theme at each press, and says which one is shown.
pub fn theme_toggle() -> El {
    let theme = RwSignal::new(Theme::stored());
    let label = move || format!("Theme: {}. Change to {}", theme.get().as_str(), theme.get().next().as_str());
    button("icon-button")
        .attr("aria-label", label)
        .attr("title", label)
        .on_click(move || {
            theme.update(|theme| *theme = theme.next());
            theme.get_untracked().apply();
        })
        .child(live_icon(move || match theme.get() {
            Theme::System => Icon::System,
            Theme::Light => Icon::Sun,
            Theme::Dark => Icon::Moon,
        }))
}
