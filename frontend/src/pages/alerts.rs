//! The alerts: what fires, pends, was taken, is silenced, and what happened.
//!
//! | module | is |
//! |---|---|
//! | `view`, `address` | what is shown, and its words in the address |
//! | `listing` | pure: filtered, sorted, grouped |
//! | `list`, `row` | the rows in sight |
//! | `incidents` | alerts of one cause, with the evidence |
//! | `desk`, `sheet` | taking and silencing, and taking that back |
//! | `silences`, `maintenance`, `history` | what is asked for besides the live stream |
//! | `settings` | sound and notification |
//! | `search` | the field and the choices that the lists share |

pub mod address;
pub mod desk;
pub mod history;
mod incidents;
pub mod list;
mod listing;
mod maintenance;
pub mod row;
pub mod search;
mod settings;
mod sheet;
pub mod silences;
mod view;

use std::sync::Arc;

use fleetglass_shared::wire::Alert;
use leptos::prelude::*;

use self::address::{InAddress, in_address};
use self::desk::Desk;
use self::listing::Listing;
use self::row::Rows;
use self::search::{choice, menu, search};
use self::view::{GroupBy, Tab, View};
use crate::components::connection::banners;
use crate::components::frame::top_bar;
use crate::dom::{El, div, el, group, p, span, with_class};
use crate::pages::fleet::held::Reading;
use crate::pages::node::load::escaped;
use crate::pages::shares::share_link;
use crate::route::Page;
use crate::shared::shared;
use crate::state::{Fleet, use_fleet};

impl InAddress for View {
    const PAGE: Page = Page::Alerts;
    const PATH: &'static str = "/alerts";

    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        Self::from_query(get)
    }

    fn members(&self) -> Vec<(&'static str, String)> {
        self.to_query()
    }
}

/// The page at `/alerts`.
pub fn alerts_page() -> El {
    let fleet = use_fleet();
    let view = in_address::<View>();
    let desk = Desk::new();
    let silences = silences::follow(desk);
    let causes = incidents::follow();
    let latest = Memo::new_with_compare(
        move |_| {
            let family = move |alert: &Alert| family_of(fleet, alert);
            let listing = |alerts: &[_], view: &View| {
                causes.with(|causes| {
                    let causes = causes.as_ref().map_or(&[][..], |causes| causes.as_slice());
                    Arc::new(Listing::of(alerts, view, causes, family))
                })
            };
            fleet.alerts().with(|alerts| view.with(|view| listing(alerts, view)))
        },
        |_, _| true,
    );
    let filter = move || format!("&filter={}", view.with(|view| escaped(&view.filter)));
    // Silences, what was done, and what is told are an operator's.
    let own = shared().is_none();
    let body = div("page-body alerts-page");
    let scroller = body.clone();
    let find = search(
        "Filter alerts: name, node, label, summary",
        move || view.with(|view| view.filter.clone()),
        move |text| view.update(|view| view.filter = text),
    );
    let at = move |tab: Tab| move || view.with(|view| view.tab == tab);
    let (heard, all_known) = (fleet.loaded(), fleet.follow_all_alerts());
    let loaded = Memo::new(move |_| heard.get() && all_known.get() && causes.with(Option::is_some));
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar(
            [el("h1").class("page-title alerts-title").text("Alerts"), find]
                .into_iter()
                .chain(share_link("alerts", filter))
                .chain(own.then(settings::settings)),
        ))
        .child(banners())
        .child(
            body.child(tabs(view, latest))
                .when(move || !loaded.get(), loading)
                .when(
                    move || own && loaded.get() && at(Tab::Silenced)(),
                    move || group().child(silences::list(desk, silences)).child(maintenance::list()),
                )
                .when(
                    move || loaded.get() && !(own && at(Tab::History)()),
                    move || list::list(Rows { desk, silences }, view, latest, Reading::new(), &scroller),
                )
                .when(move || own && at(Tab::History)(), move || history::history(view)),
        )
        .child(desk.parts())
}

/// The family of an alert's node, else of its labels.
fn family_of(fleet: Fleet, alert: &Alert) -> String {
    let node = alert.node.as_ref().and_then(|node| fleet.node(node));
    node.map(|node| node.with_untracked(|node| node.family.clone()))
        .or_else(|| alert.labels.get("family").cloned())
        .unwrap_or_default()
}

fn tabs(view: RwSignal<View>, latest: Memo<Arc<Listing>>) -> El {
    let tab = move |tab: Tab| {
        let count = move || {
            let counts = latest.with(|latest| latest.counts);
            counts.get(tab as usize).copied()
        };
        choice(
            tab.title(),
            count,
            move || view.with(|view| view.tab == tab),
            move || view.update(|view| view.tab = tab),
        )
    };
    // What happened, and what has one cause, is not told through a share link.
    let own = shared().is_none();
    let is_told = |tab: &Tab| own || *tab != Tab::History;
    let by = GroupBy::ALL.into_iter().filter(move |group| own || *group != GroupBy::Cause);
    let groups = by.map(|group| (group.word(), group.title()));
    let set = move |word: String| {
        let group = GroupBy::ALL.into_iter().find(|group| group.word() == word);
        view.update(|view| view.group = group.unwrap_or_default());
    };
    div("alerts-bar")
        .child(
            div("choices alerts-tabs")
                .attr("role", "group")
                .attr("aria-label", "Which alerts")
                .children(Tab::ALL.into_iter().filter(is_told).map(tab)),
        )
        .child(span("toolbar-space"))
        .child(group().when(
            move || view.with(|view| view.tab != Tab::History),
            move || menu("Group", groups.clone(), move || view.with(|view| view.group.word()), set),
        ))
}

fn loading() -> El {
    div("loading")
        .attr("aria-busy", "true")
        .child(p("sr-only").attr("role", "status").text("The alerts are loading"))
        .child(div("skeleton skeleton-table"))
}
