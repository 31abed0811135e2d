//! A button that copies a text.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};

use crate::clock;
use crate::dom::{El, button};

/// Copies the whole text, of which `what` says what it is; absent where the browser offers no clipboard (a page without TLS on another host).
pub fn copy_button(what: Option<&'static str>, text: impl Fn() -> String + 'static) -> Option<El> {
    let clipboard = js_sys::Reflect::get(&window().navigator(), &JsValue::from_str("clipboard")).ok();
    let clipboard: web_sys::Clipboard = clipboard.filter(JsValue::is_object)?.unchecked_into();
    let word = RwSignal::new("Copy".to_owned());
    let copy = move || {
        let written = clipboard.write_text(&text());
        spawn_local(async move {
            let done = wasm_bindgen_futures::JsFuture::from(written).await.is_ok();
            word.try_set(if done { "Copied" } else { "Not allowed" }.to_owned());
            clock::sleep(2000).await;
            word.try_set("Copy".to_owned());
        });
    };
    let label = move || what.map(|what| format!("{}: {what}", word.get()));
    Some(button("button").attr("aria-label", label).on_click(copy).text(word))
}
