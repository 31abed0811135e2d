//! What most links do not need, folded: what is kept back, who may open it, and a word from whoever shares it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event, HtmlInputElement};

use super::form::Form;
use super::wish::{Logo, Written};
use crate::dom::{El, button, div, el, group, p, span, with_class};

/// Bytes of a picture that the proxy takes.
const MOST_LOGO: f64 = 65_536.0;

/// The options.
pub(super) fn more(form: Form) -> El {
    let locked = form.of.with_value(|of| of.as_ref().is_some_and(|share| share.password));
    let flag = move |read: fn(&Written) -> bool| Memo::new(move |_| form.written.with(read));
    let password = with_class("input", "field").attr("type", "password");
    let password_title = if locked { "Another password" } else { "Password to ask for" };
    let part = |title: &'static str| with_class("h3", "share-part").text(title);
    with_class("details", "share-more")
        .child(el("summary").text("More: what is kept back, who may open it, a note"))
        .child(part("Kept back"))
        .child(form.check(
            "Aliases in place of the nodes’ names",
            flag(|written| written.aliases),
            move |on| {
                form.written.update(|written| written.aliases = on);
            },
        ))
        .child(form.check("Show addresses and host names", flag(|written| written.addresses), move |on| {
            form.written.update(|written| written.addresses = on);
        }))
        .child(helped(
            form.line("drop", "Labels to leave out", |written| &mut written.drop_labels, false),
            "share-drop-help",
            "With commas, such as team, owner.",
        ))
        .child(helped(
            form.line("hide", "Metrics to hide", |written| &mut written.hide_metrics, false),
            "share-hide-help",
            "bond_* is all that begin so. Facts, peers and risks go with them: they may be the same numbers.",
        ))
        .child(helped(
            form.line("oldest", "Oldest data", |written| &mut written.oldest, false),
            "share-oldest-help",
            "Such as 24h or 30d; empty for all there is.",
        ))
        .child(part("Who may open it"))
        .child(helped(
            form.field(
                "password",
                password_title,
                password.attr("autocomplete", "new-password"),
                |written| &mut written.password,
            ),
            "share-password-help",
            "8 characters at least. Say it on another way than the link.",
        ))
        .maybe(locked.then(|| {
            form.check("Ask for no password any more", flag(|written| written.unlocked), move |on| {
                form.written.update(|written| written.unlocked = on);
            })
        }))
        .child(helped(
            form.field(
                "most",
                "How often it may be opened",
                with_class("input", "field").attr("type", "text").attr("inputmode", "numeric"),
                |written| &mut written.max_views,
            ),
            "share-most-help",
            "Empty for any number.",
        ))
        .child(helped(
            form.field(
                "origins",
                "Pages that may embed it",
                with_class("textarea", "field mono").attr("rows", "2"),
                |written| &mut written.origins,
            ),
            "share-origins-help",
            "One a line, such as https://portal.example, for all pages of that site. Not together with a password.",
        ))
        .child(part("A public status page"))
        .child(helped(
            form.line("slug", "Its name in the address", |written| &mut written.slug, false),
            "share-slug-help",
            "Such as acme: everybody may then read /status/acme, without the link. Empty for none.",
        ))
        .child(helped(
            form.line(
                "group",
                "The label whose values are its groups",
                |written| &mut written.group_by,
                false,
            ),
            "share-group-help",
            "Such as region. Empty for none.",
        ))
        .child(part("From you"))
        .child(helped(
            form.line("by", "Who shares it", |written| &mut written.by, false),
            "share-by-help",
            "The name of your login, if empty.",
        ))
        .child(helped(
            form.field(
                "note",
                "A note",
                with_class("textarea", "field").attr("rows", "3").attr("maxlength", "500"),
                |written| &mut written.note,
            ),
            "share-note-help",
            "Plain text, 500 characters at most.",
        ))
        .child(logo(form))
}

fn helped(field: El, id: &'static str, words: &'static str) -> El {
    field.child(p("sheet-hint").attr("id", id).text(words))
}

fn logo(form: Form) -> El {
    let said = RwSignal::new(String::new());
    let had = form.of.with_value(|of| of.as_ref().is_some_and(|share| share.logo));
    let words = Memo::new(move |_| {
        form.written.with(|written| match &written.logo {
            Logo::Kept if had => "There is one.".to_owned(),
            Logo::Kept | Logo::Gone => "None.".to_owned(),
            Logo::New(name, _) => name.clone(),
        })
    });
    let some = move || {
        form.written
            .with(|written| matches!(written.logo, Logo::New(..)) || had && written.logo == Logo::Kept)
    };
    let take = move |event: Event| {
        let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        let Some(file) = input.and_then(|input| input.files()).and_then(|files| files.get(0)) else { return };
        if file.size() > MOST_LOGO {
            said.set(format!("{} is larger than 64 KiB.", file.name()));
            return;
        }
        said.set(String::new());
        spawn_local(async move {
            let Ok(buffer) = JsFuture::from(file.array_buffer()).await else {
                return drop(said.try_set(format!("{} cannot be read.", file.name())));
            };
            let bytes = js_sys::Uint8Array::new(&buffer).to_vec();
            // A letter a byte is what the browser's base64 takes.
            let letters: String = bytes.into_iter().map(char::from).collect();
            if let Ok(text) = window().btoa(&letters) {
                form.written.try_update(|written| written.logo = Logo::New(file.name(), text));
            }
        });
    };
    div("sheet-field")
        .child(with_class("label", "field-label").attr("for", "share-logo").text("Your logo"))
        .child(
            div("share-logo-line")
                .child(
                    el("input")
                        .attr("id", "share-logo")
                        .attr("type", "file")
                        .attr("accept", "image/png,image/jpeg,image/webp")
                        .on("change", take),
                )
                .child(span("muted").text(words))
                .child(group().when(some, move || {
                    button("button button-quiet")
                        .on_click(move || form.written.update(|written| written.logo = Logo::Gone))
                        .text("Take it away")
                })),
        )
        .child(p("sheet-hint").text("PNG, JPEG or WebP, at most 64 KiB."))
        .child(p("range-trouble").attr("role", "alert").text(said))
}
