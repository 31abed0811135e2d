//! What pages are made of. A component gets signals and renders; it fetches nothing.

pub mod age;
pub mod alert_banner;
pub mod chips;
pub mod connection;
pub mod copy;
pub mod filter_box;
pub mod frame;
pub mod icon;
pub mod install;
pub mod media;
pub mod node_link;
pub mod notice;
pub mod risk_meter;
pub mod segments;
pub mod severity_mark;
pub mod share_banner;
pub mod spark;
pub mod status_mark;
pub mod suggestions;
pub mod theme_toggle;
pub mod token_form;
pub mod viewport;
pub mod words;

use leptos::ev::KeyboardEvent;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// Whether a key goes into a field, so that it is no shortcut.
pub fn typing(event: &KeyboardEvent) -> bool {
    let Some(target) = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else {
        return false;
    };
    matches!(target.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT") || target.is_content_editable()
}
