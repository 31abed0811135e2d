//! The offer to install what is shown. `static/keep.js` knows whether there is one and marks the root with how
//! (`data-install`): the style sheet shows what fits, and nothing where there is none.

use super::icon::{Icon, icon};
use crate::dom::{El, button, div, span};
use crate::rest::call_of;

/// One line: what is installed, how, and a way to be asked no more.
pub fn install_offer(name: &str) -> El {
    div("install")
        .child(icon(Icon::Down))
        .child(
            div("install-text")
                .child(span("install-name").text(format!("Install {name}")))
                .child(
                    span("install-what install-ask")
                        .text("An icon of its own, and a start without a network"),
                )
                .child(
                    span("install-what install-words")
                        .text("Press Share in Safari, then \u{201c}Add to Home Screen\u{201d}"),
                ),
        )
        .child(button("button install-ask").on_click(|| call("take")).text("Install"))
        .child(
            button("icon-button")
                .attr("aria-label", "Do not offer to install again")
                .attr("title", "Do not offer again")
                .on_click(|| call("decline"))
                .child(icon(Icon::Close)),
        )
}

/// Calls a function of `static/keep.js`. The offer is not shown before that is there.
fn call(name: &str) {
    let _ = call_of("fleetglassInstall", name);
}
