//! A link that was made just now: its address and its QR code. Both are told this once.

use fleetglass_shared::wire::ShareMade;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlInputElement;

use super::{Desk, qr, sheet};
use crate::dom::{El, button, div, el, link, p, with_class};
use crate::shared::placed;

/// The address, to copy or to scan.
pub(super) fn made(desk: Desk, made: &ShareMade) -> El {
    let origin = window().location().origin().unwrap_or_default();
    let url = format!("{origin}{}", placed(&made.path));
    let said = RwSignal::new("");
    let field = with_class("input", "field share-url")
        .attr("id", "share-url")
        .attr("readonly", "")
        .attr("autofocus", "")
        .attr("value", url.clone());
    let held = StoredValue::new(field.clone());
    let text = url.clone();
    let copy = move || {
        // Marked, so that whoever's browser does not let a page copy does it by hand.
        held.with_value(El::as_element::<HtmlInputElement>).select();
        let text = text.clone();
        spawn_local(async move {
            let clipboard = window().navigator().clipboard();
            // Where the page is not secure there is none.
            let copied = match wasm_bindgen::JsValue::from(clipboard.clone()).is_undefined() {
                true => false,
                false => JsFuture::from(clipboard.write_text(&text)).await.is_ok(),
            };
            said.try_set(if copied { "Copied" } else { "It is marked: copy it with your keyboard" });
        });
    };
    let code = qr::code(&url).map(|(size, path)| {
        let file = String::from(js_sys::encode_uri_component(&qr::file(size, &path)));
        div("share-code").child(qr::drawn(size, path)).child(
            // Its address is the file itself.
            el("a")
                .class("button")
                .attr("href", format!("data:image/svg+xml;charset=utf-8,{file}"))
                .attr("download", format!("share-{}.svg", made.share.id))
                .text("Download the QR code"),
        )
    });
    let inside = div("sheet-form")
        .child(el("h2").class("sheet-title").attr("id", "sheet-title").text(format!("{} is open", made.share.title)))
        .child(p("share-once").text(
            "Copy the link now: it is shown this once, and Fleetglass keeps no more of it than a hash. Whoever has it sees what it shows.",
        ))
        .child(
            div("share-copy")
                .child(with_class("label", "field-label").attr("for", "share-url").text("The link"))
                .child(
                    div("share-copy-line")
                        .child(field)
                        .child(button("button button-primary").on_click(copy).text("Copy")),
                )
                .child(p("sheet-hint").attr("role", "status").text(move || said.get())),
        )
        .maybe(code)
        .child(
            div("sheet-buttons")
                .child(link("button", format!("/embed#{}", made.path)).text("Embed it"))
                .child(link("button", made.path.clone()).attr("target", "_blank").attr("rel", "noreferrer").text("Open it"))
                .child(button("button").on_click(move || desk.close()).text("Done")),
        );
    sheet(desk, "sheet share-made", inside)
}
