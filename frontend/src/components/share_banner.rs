//! Who shows this page through a share link, and that it is read-only.

use leptos::prelude::untrack;

use super::install::install_offer;
use crate::dom::{El, div, el, group, p, span, with_class};
use crate::route::{Page, use_route};
use crate::shared::{Shared, base, file};

/// Who shows this page, and that it is read-only.
pub fn share_banner(link: &'static Shared) -> El {
    let some = |text: &'static str| (!text.is_empty()).then_some(text);
    let preview = link.is_preview.then(|| {
        let words = format!("You preview what {} shows. ", link.title);
        // Out of the preview: not a path below it.
        let back = el("a").attr("href", file("/shares")).attr("rel", "external").text("Back to the shares");
        p("banner").child(span("banner-text").text(words)).child(back)
    });
    // Not over whatever somebody came to read.
    let first = untrack(|| matches!(use_route().page(), Page::Fleet | Page::Glance));
    let install = (first && !link.is_preview).then(|| div("install-over").child(install_offer(&link.title)));
    group()
        .maybe(preview)
        .child(
            div("banner share-banner")
                .maybe(some(&link.logo).map(|at| {
                    let at = if at == "logo" { format!("{}/logo", base()) } else { at.to_owned() };
                    with_class("img", "share-logo").attr("src", at).attr("alt", "")
                }))
                .child(p("").text(format!("{}: read-only, shared by {}", link.title, link.by)))
                .maybe(some(&link.note).map(|note| p("share-note").text(note))),
        )
        .maybe(install)
}
