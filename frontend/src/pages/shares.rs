//! The share links: who may look at what without a login; made, looked at beforehand, changed, taken back.
//!
//! | module | is |
//! |---|---|
//! | `load` | the links, asked again now and then |
//! | `list` | the links, and taking one back |
//! | `form`, `more` | what a link says, and its options |
//! | `wish` | pure: what stands in the form as a request |
//! | `made` | a link that was made: its address and its QR code, shown once |
//! | `select` | pure: what is filtered in the app as a selector |
//! | `words` | pure: what its viewers see, in words |
//! | `qr` | a QR code as a drawing |

mod form;
mod list;
mod load;
mod made;
mod more;
mod qr;
mod select;
mod wish;
mod words;

use fleetglass_shared::wire::{Share, ShareMade};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlDialogElement};

use self::load::SharesLoad;
use self::wish::Asked;
use super::alerts::search::search;
use crate::components::connection::banners;
use crate::components::frame::top_bar;
use crate::components::icon::{Icon, icon};
use crate::components::notice::{empty, failed};
use crate::dom::{El, button, div, effect, el, group, link, p, with_class};
use crate::route::{Route, use_route};
use crate::shared::shared;
use crate::state::use_fleet;

/// The way to a link that shows what is on another page; `more` is what of it, as it is read in `wish`. Through a share
/// link nobody makes one.
pub fn share_link(page: &'static str, more: impl Fn() -> String + 'static) -> Option<El> {
    shared().is_none().then(|| {
        link("icon-button share-link of-operator", move || format!("/shares?new={page}{}", more()))
            .attr("aria-label", "Share")
            .attr("title", "Share")
            .child(icon(Icon::Share))
    })
}

/// What lies over the page.
#[derive(Clone, Debug, PartialEq)]
enum Open {
    /// The form for a new link.
    New(Asked),
    /// The form for a link that is there.
    Edit(Box<Share>),
    /// A link that was made just now.
    Made(Box<ShareMade>),
    /// Whether a link is to be taken back.
    Revoke(Box<Share>),
}

/// What every part of the page has.
#[derive(Clone, Copy)]
struct Desk {
    load: SharesLoad,
    open: RwSignal<Option<Open>>,
    route: Route,
}

impl Desk {
    fn open(self, what: Open) {
        self.open.set(Some(what));
    }

    /// Nothing lies over the page any more.
    fn close(self) {
        // Closed before it goes, the browser gives the focus back to where it was.
        if let Ok(Some(dialog)) = document().query_selector("dialog[open]") {
            dialog.unchecked_into::<HtmlDialogElement>().close();
        }
        self.open.try_set(None);
        // What was asked for in the address is done.
        if self.route.query("new").is_some() {
            self.route.replace("/shares");
        }
    }
}

/// The page at `/shares`.
pub fn shares_page() -> El {
    let (load, route) = (SharesLoad::start(), use_route());
    let desk = Desk { load, open: RwSignal::new(None), route };
    let words = RwSignal::new(String::new());
    // A link made from what is on the screen elsewhere: as soon as the fleet is there to read it by.
    let loaded = use_fleet().loaded();
    let asked = Memo::new(move |_| Asked::read(|name| route.query(name)));
    effect(move || {
        if let Some(asked) = asked.get()
            && loaded.get()
        {
            desk.open(Open::New(asked));
        }
    });
    let known = move || load.all().is_some();
    let troubled = move || load.trouble.with(Option::is_some);
    let why = move || load.trouble.get().unwrap_or_default();
    let none = move || load.all().is_some_and(|all| all.is_empty());
    let find =
        search("Filter links: title, node, who made it", move || words.get(), move |text| words.set(text));
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([el("h1").class("page-title alerts-title").text("Shares"), find, new(desk)]))
        .child(banners())
        .child(
            div("page-body shares-page")
                .when(move || !known() && !troubled(), loading)
                .when(
                    move || !known() && troubled(),
                    move || {
                        failed("The links did not come", why)
                            .child(button("button").on_click(move || load.again()).text("Try again"))
                    },
                )
                .when(
                    move || known() && troubled(),
                    move || {
                        p("node-old")
                            .attr("role", "status")
                            .text("What stands below could not be refreshed. ")
                            .text(why)
                    },
                )
                .when(none, move || {
                    empty(
                        "No link yet",
                        "A link shows the nodes you choose to somebody without a login: live and with charts, without \
                         addresses, read-only, until you take it back.",
                    )
                    .child(first(desk))
                })
                .when(move || known() && !none(), move || list::lists(desk, words)),
        )
        .child(over(desk))
}

fn new(desk: Desk) -> El {
    button("button button-primary share-new")
        .on_click(move || desk.open(Open::New(Asked::default())))
        .text("New link")
}

fn first(desk: Desk) -> El {
    button("button button-primary")
        .on_click(move || desk.open(Open::New(Asked::default())))
        .text("Make the first one")
}

fn loading() -> El {
    div("loading")
        .attr("aria-busy", "true")
        .child(p("sr-only").attr("role", "status").text("The links are loading"))
        .child(div("skeleton skeleton-line"))
        .child(div("skeleton skeleton-table"))
}

/// What lies over the page, one at a time.
fn over(desk: Desk) -> El {
    let open = move || desk.open.get().into_iter().collect();
    group().each(
        open,
        |open| format!("{open:?}"),
        move |open| match open {
            Open::New(asked) => form::form(desk, None, &asked),
            Open::Edit(share) => form::form(desk, Some(*share), &Asked::default()),
            Open::Made(made) => made::made(desk, &made),
            Open::Revoke(share) => list::revoke(desk, &share),
        },
    )
}

/// A modal sheet: the browser keeps the focus in it, and Esc closes it.
fn sheet(desk: Desk, class: &'static str, inside: El) -> El {
    let dialog = with_class("dialog", class).attr("aria-labelledby", "sheet-title");
    let shown = StoredValue::new(dialog.clone());
    effect(move || {
        let dialog: HtmlDialogElement = shown.with_value(El::as_element);
        // One that the browser cannot show as a modal one is shown all the same.
        if dialog.show_modal().is_err() {
            dialog.set_open(true);
        }
    });
    dialog.on("close", move |_: Event| desk.close()).child(inside)
}
