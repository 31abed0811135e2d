//! The offer to install what is shown. `static/keep.js` knows whether there is one and marks the root with how
//! (`data-install`): the style sheet shows what fits, and nothing where there is none.

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::icon::{Icon, icon};
use crate::dom::{El, button, div, span};

/// One line: what is installed, how, and a way to be asked no more.
pub fn install_offer(name: &str) -> El {
    div("install")
        .child(icon(Icon::Down))
        .child(
            div("more-words")
                .child(span("more-name").text(format!("Install {name}")))
                .child(
                    span("more-what install-ask").text("An icon of its own, and a start without a network"),
                )
                .child(
                    span("more-what install-words")
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

/// Calls a function of `fleetglassInstall`. The offer is not shown before that is there.
fn call(name: &str) {
    let get = |of: &JsValue, name: &str| Reflect::get(of, &JsValue::from_str(name)).ok();
    let install = get(&js_sys::global(), "fleetglassInstall").filter(JsValue::is_object);
    let function =
        install.as_ref().and_then(|install| get(install, name)?.dyn_into::<Function>().ok()).zip(install);
    if let Some((function, install)) = function {
        let _ = function.call0(&install);
    }
}
