//! The links: what each shows, to whom it may be, how often it was opened; and taking one back.

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::wire::Share;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::words::{ended, kept_back, opened, short};
use super::{Desk, Open, sheet};
use crate::client;
use crate::components::age::ago_mark;
use crate::components::words::counted;
use crate::dom::{El, button, div, el, group, link, p, span, unseen, with_class};
use crate::state::use_fleet;

/// The links that open, and below them those that do no more.
pub(super) fn lists(desk: Desk, words: RwSignal<String>) -> El {
    let now = use_fleet().now();
    let of = move |over: bool| {
        move || {
            let (all, words) = (desk.load.all().unwrap_or_default(), words.get().to_lowercase());
            let is_of = |share: &&Share| ended(share, now.get()).is_some() == over && says(share, &words);
            all.iter().filter(is_of).map(|share| share.id.clone()).collect::<Vec<_>>()
        }
    };
    let (open, over) = (Memo::new(move |_| of(false)()), Memo::new(move |_| of(true)()));
    let list = move |ids: Memo<Vec<String>>| {
        with_class("ul", "share-list").each(move || ids.get(), String::clone, move |id| row(desk, id))
    };
    let nothing = move || open.with(Vec::is_empty) && over.with(Vec::is_empty);
    group()
        .child(
            el("h2")
                .class("section-title num")
                .attr("aria-live", "polite")
                .text(move || counted(open.with(Vec::len), "open link", "open links")),
        )
        .when(move || open.with(|open| !open.is_empty()), move || list(open))
        .when(nothing, || p("muted").text("No link says that. Empty the filter to see all."))
        .when(
            move || over.with(|over| !over.is_empty()),
            move || {
                with_class("details", "share-over")
                    .child(el("summary").text(move || {
                        counted(over.with(Vec::len), "link opens no more", "links open no more")
                    }))
                    .child(list(over))
            },
        )
}

fn says(share: &Share, words: &str) -> bool {
    let texts = [&share.title, &share.by, &share.note].into_iter().chain(&share.scope.select);
    words.split_whitespace().all(|word| texts.clone().any(|text| text.to_lowercase().contains(word)))
}

/// A link. What it says follows the answers; its buttons stay, and with them the focus.
fn row(desk: Desk, id: String) -> El {
    let now = use_fleet().now();
    let own = id.clone();
    let found = move |all: &[Share]| all.iter().find(|share| share.id == own).cloned();
    let share = Memo::new(move |before: Option<&Option<Share>>| {
        let now = desk.load.all().and_then(|all| found(&all));
        now.or_else(|| before.cloned().flatten())
    });
    let read = move |read: fn(&Share) -> String| {
        move || share.with(|share| share.as_ref().map(read).unwrap_or_default())
    };
    let over = move || share.with(|share| share.as_ref().and_then(|share| ended(share, now.get())));
    let class =
        move || if over().is_some() { "share-state state-unknown" } else { "share-state state-healthy" };
    let state = span("share-state")
        .class(class)
        .child(span("").attr("aria-hidden", "true").text(move || if over().is_some() { "○ " } else { "● " }))
        .text(move || over().unwrap_or("open"));
    let watching = move || share.with(|share| share.as_ref().map_or(0, |share| share.viewers));
    let viewed_at = move || share.with(|share| share.as_ref().and_then(|share| share.viewed_at));
    let made_at = move || share.with(|share| share.as_ref().map(|share| share.created_at));
    let until = move || {
        share.with(|share| match share.as_ref().and_then(|share| share.expires_at) {
            None => "no end".to_owned(),
            Some(at) if at > now.get() => format!("ends in {}", duration_ms(at - now.get())),
            Some(at) => format!("ended {} ago", duration_ms(now.get() - at)),
        })
    };
    let chips = move || share.with(|share| share.as_ref().map(chips).unwrap_or_default());
    let act = move |act: fn(Box<Share>) -> Open| {
        move || {
            if let Some(share) = share.get_untracked() {
                desk.open(act(Box::new(share)));
            }
        }
    };
    let title = read(|share| share.title.clone());
    let named = move |verb: &'static str| move || format!("{verb} {}", title());
    with_class("li", "share")
        .child(
            div("share-what")
                .child(p("share-title").child(el("bdi").text(title)).child(state))
                .child(
                    p("share-nodes")
                        .child(span("num").text(read(nodes)))
                        .child(el("code").text(read(|share| share.scope.select.join(" or ")))),
                )
                .child(p("share-chips").each(chips, String::clone, |words| span("chip").text(words))),
        )
        .child(
            div("share-who num")
                .child(p("share-opened").text(read(opened)).when(
                    move || viewed_at().is_some(),
                    move || group().text(", last ").child(ago_mark(viewed_at)),
                ))
                .child(
                    p("share-watching")
                        .class(
                            move || {
                                if watching() > 0 { "share-watching share-watched" } else { "share-watching" }
                            },
                        )
                        .text(move || match watching() {
                            0 => "nobody looks now".to_owned(),
                            count => counted(count, "person looks now", "people look now"),
                        }),
                )
                .child(
                    p("muted")
                        .text(until)
                        .text(" · by ")
                        .child(el("bdi").text(read(|share| share.by.clone())))
                        .text(", ")
                        .child(ago_mark(made_at)),
                ),
        )
        .child(
            div("share-acts")
                .child(
                    link("button", format!("/preview/{id}/"))
                        .attr("target", "_blank")
                        .attr("rel", "opener")
                        .attr("aria-label", named("Preview"))
                        .text("Preview"),
                )
                .when(
                    move || {
                        share.with(|share| share.as_ref().is_some_and(|share| share.revoked_at.is_none()))
                    },
                    move || {
                        group()
                            .child(
                                button("button")
                                    .attr("aria-label", named("Edit"))
                                    .on_click(act(Open::Edit))
                                    .text("Edit"),
                            )
                            .child(
                                button("button share-revoke")
                                    .attr("aria-label", named("Revoke"))
                                    .on_click(act(Open::Revoke))
                                    .text("Revoke"),
                            )
                    },
                ),
        )
}

fn nodes(share: &Share) -> String {
    share.nodes.map(|nodes| counted(nodes, "node", "nodes")).unwrap_or_default()
}

/// What a link shows and asks for, in words of their own.
fn chips(share: &Share) -> Vec<String> {
    let views: Vec<&str> = share.scope.views.iter().map(|view| short(*view)).collect();
    let mut words = vec![views.join(", ")];
    words.extend(kept_back(&share.scope));
    words.extend(share.password.then(|| "password".to_owned()));
    words.extend((!share.origins.is_empty()).then(|| format!("embeds in {}", share.origins.join(", "))));
    words.extend((!share.note.is_empty()).then(|| "note".to_owned()));
    words.extend(share.logo.then(|| "logo".to_owned()));
    words.extend(share.slug.as_ref().map(|slug| format!("public at /status/{slug}")));
    words
}

/// Whether a link is to be taken back: there is no way back from that.
pub(super) fn revoke(desk: Desk, share: &Share) -> El {
    let (trouble, busy) = (RwSignal::new(None::<String>), RwSignal::new(false));
    let path = format!("/api/v1/shares/{}", share.id);
    let press = move || {
        busy.set(true);
        let path = path.clone();
        spawn_local(async move {
            match client::delete(&path).await {
                Ok(_) => {
                    desk.load.again();
                    desk.close();
                }
                Err(error) => {
                    trouble.try_set(Some(error.in_words()));
                    busy.try_set(false);
                }
            }
        });
    };
    let cut = match share.viewers {
        0 => "Nobody looks at it now.".to_owned(),
        count => format!(
            "{} and will be cut off at once.",
            counted(count, "person looks at it now", "people look at it now")
        ),
    };
    let inside = div("sheet-form")
        .child(
            el("h2").class("sheet-title").attr("id", "sheet-title").text(format!("Revoke {}?", share.title)),
        )
        .child(
            p("")
                .text(cut)
                .text(" The link opens no more, and cannot be brought back: make another one instead."),
        )
        .child(p("range-trouble").attr("role", "alert").text(move || trouble.get().unwrap_or_default()))
        .child(
            div("sheet-buttons")
                .child(button("button").attr("autofocus", "").on_click(move || desk.close()).text("Keep it"))
                .child(
                    button("button button-danger")
                        .flag("disabled", move || busy.get())
                        .on_click(press)
                        .text("Revoke")
                        .child(unseen(" the link")),
                ),
        );
    sheet(desk, "sheet", inside)
}
