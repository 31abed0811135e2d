//! The list of alerts, of which only the rows in sight are in the page.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use super::incidents;
use super::listing::{Listing, Slot, What, between, counts_in_words};
use super::row::{Rows, alert_row};
use super::view::{GroupBy, Tab, View};
use crate::components::icon::{Icon, icon};
use crate::components::media::use_screen;
use crate::components::notice::empty;
use crate::components::typing;
use crate::components::viewport::Viewport;
use crate::components::words::{ago, whole};
use crate::dom::{El, button, div, el, group, on_window, p, span, with_class};
use crate::pages::fleet::held::{Reading, held};
use crate::shared::shared;
use crate::state::alerts::AlertRef;
use crate::state::use_fleet;

/// Rows out of sight that are kept in the page, in pixels.
const MARGIN: i32 = 320;
const HEAD: i32 = 40;

/// What is in sight: keys in order, and where each lies.
#[derive(Default, PartialEq)]
struct Seen {
    order: Vec<(What, String)>,
    places: HashMap<String, (i32, usize)>,
}

/// The list; in its place a quiet line when there is nothing.
pub fn list(
    rows: Rows,
    view: RwSignal<View>,
    latest: Memo<Arc<Listing>>,
    reading: Reading,
    scroller: &El,
) -> El {
    let screen = use_screen();
    let shown = held(latest.into(), move || view.get(), reading.now());
    let place = div("alerts-list");
    let viewport = Viewport::look_at(scroller, &place, move |_| {
        if screen.touch.get_untracked() {
            reading.glance();
        }
    });
    let row = Memo::new(move |_| match (screen.phone.get(), screen.touch.get()) {
        // Through a share link a card has no buttons.
        (true, _) if shared().is_some() => 136,
        (true, _) => 188,
        (false, true) => 60,
        (false, false) => 44,
    });
    let placed = Memo::new(move |_| shown.with(|shown| Arc::new(shown.place(HEAD, row.get()))));
    let seen = Memo::new(move |_| {
        let sight = viewport.sight().get();
        let span = (sight.top - MARGIN, sight.top + sight.height + MARGIN);
        placed.with(|placed| shown.with(|shown| Arc::new(in_sight(shown, &placed.0, span))))
    });
    let item = move |(what, key): (What, String)| {
        let at = {
            let key = key.clone();
            Memo::new(move |before: Option<&(i32, usize)>| {
                let now = seen.with(|seen| seen.places.get(&key).copied());
                now.or(before.copied()).unwrap_or_default()
            })
        };
        let made = match what {
            What::Group(_) => group_head(key, view, shown),
            What::Alert(index) => {
                let first = shown.with_untracked(|shown| shown.alerts.get(index).cloned());
                match first {
                    Some(first) => {
                        let id = first.id.clone();
                        alert_row(rows, first, current(id))
                    }
                    None => div("").attr("hidden", ""),
                }
            }
        };
        div("alerts-item")
            .attr("role", "listitem")
            .attr("aria-posinset", move || (at.get().1 + 1).to_string())
            .attr("aria-setsize", move || placed.with(|placed| placed.0.len()).to_string())
            .style("transform", move || format!("translate(0px,{}px)", at.get().0))
            .style("height", move || {
                format!("{}px", if matches!(what, What::Group(_)) { HEAD } else { row.get() })
            })
            .child(made)
    };
    let place = place
        .attr("role", "list")
        .attr("aria-label", "Alerts")
        .style("height", move || format!("{}px", placed.with(|placed| placed.1)))
        .each(move || seen.with(|seen| seen.order.clone()), |(_, key)| key.clone(), item);
    walk_by_keys(".alerts-shown .alert-name");
    let none = move || shown.with(|shown| shown.is_empty());
    let no_row = move || shown.with(|shown| shown.alerts.is_empty());
    let both = move || shown.with(|shown| !shown.alerts.is_empty() && !shown.bundles.is_empty());
    let waiting = Memo::new(move |_| latest.with(|latest| shown.with(|shown| changes(latest, shown))));
    div("alerts-part")
        .when(
            move || waiting.get() > 0,
            move || {
                button("button changes alerts-changes")
                    .on_click(move || shown.set(latest.get_untracked()))
                    .text(move || format!("{} new or moved: show", whole(waiting.get())))
            },
        )
        .child(
            reading.watch(
                div("alerts-shown")
                    .child(incidents::cards(rows, view, shown))
                    .when(both, || with_class("h2", "section-title alerts-rest").text("Each on its own"))
                    .child(div("alerts-frame").flag("hidden", no_row).child(place)),
            ),
        )
        .when(none, move || nothing(view))
}

/// An alert as it is now, by its id.
pub fn current(id: String) -> Memo<Option<AlertRef>> {
    let fleet = use_fleet();
    Memo::new(move |_| {
        fleet.alerts().with(|alerts| {
            let at = alerts.binary_search_by(|alert| alert.id.as_str().cmp(&id)).ok()?;
            alerts.get(at).cloned()
        })
    })
}

/// How many alerts came, or stand elsewhere, since what is shown was made.
fn changes(latest: &Arc<Listing>, shown: &Arc<Listing>) -> usize {
    if Arc::ptr_eq(latest, shown) {
        return 0;
    }
    let ids = |listing: &Listing| {
        let bundled = listing.bundles.iter().flat_map(|bundle| &bundle.alerts);
        bundled.chain(&listing.alerts).map(|alert| alert.id.clone()).collect::<Vec<_>>()
    };
    let (latest, shown) = (ids(latest), ids(shown));
    let longest = latest.len().max(shown.len());
    (0..longest).filter(|&index| latest.get(index) != shown.get(index)).count()
}

fn in_sight(shown: &Listing, slots: &[Slot], (top, end): (i32, i32)) -> Seen {
    let mut seen = Seen::default();
    let visible = between(slots, top, end);
    let first = visible.first().map_or(0, |first| slots.partition_point(|slot| slot.1 < first.1));
    for (offset, (what, y, _)) in visible.iter().enumerate() {
        let key = match what {
            What::Group(index) => shown.groups.get(*index).map(|group| format!("g {}", group.text)),
            What::Alert(index) => shown.alerts.get(*index).map(|alert| format!("a {}", alert.id)),
        };
        let Some(key) = key else { continue };
        seen.places.insert(key.clone(), (*y, first + offset));
        seen.order.push((*what, key));
    }
    seen
}

fn group_head(key: String, view: RwSignal<View>, shown: RwSignal<Arc<Listing>>) -> El {
    let text = key.strip_prefix("g ").unwrap_or_default().to_owned();
    let title = match (text.as_str(), view.with_untracked(|view| view.group)) {
        ("", GroupBy::Node) => "No node".to_owned(),
        ("", _) => "None".to_owned(),
        (family, GroupBy::Family) => use_fleet().family_title(family),
        (text, _) => text.to_owned(),
    };
    let counts = move || {
        shown.with(|shown| {
            let group = shown.groups.iter().find(|group| group.text == text);
            group.map(|group| counts_in_words(group.counts)).unwrap_or_default()
        })
    };
    div("alerts-head")
        .child(el("h2").class("group-title").text(title))
        .child(span("group-total num").text(counts))
}

/// `j` and `k` lead from row to row; `names` selects what takes the focus in each.
pub fn walk_by_keys(names: &'static str) {
    on_window("keydown", move |event: KeyboardEvent| {
        let plain = !(event.ctrl_key() || event.meta_key() || event.alt_key());
        let step = match event.key().as_str() {
            "j" => 1,
            "k" => -1,
            _ => return,
        };
        if !plain || typing(&event) {
            return;
        }
        let Ok(names) = document().query_selector_all(names) else { return };
        let focused = document().active_element();
        let at = (0..names.length()).find(|&index| {
            let row = names.item(index).and_then(|name| name.parent_node());
            row.is_some_and(|row| row.contains(focused.as_ref().map(|focused| focused.as_ref())))
        });
        let next = at.map_or(0, |at| i64::from(at) + step).max(0) as u32;
        if let Some(name) = names.item(next).and_then(|name| name.dyn_into::<HtmlElement>().ok()) {
            event.prevent_default();
            let _ = name.focus();
        }
    });
}

/// Why there is no row.
fn nothing(view: RwSignal<View>) -> El {
    let fleet = use_fleet();
    let filtered = move || view.with(|view| !view.filter.trim().is_empty());
    let words = move || match view.with(|view| view.tab) {
        Tab::Firing => "No alert is firing.",
        Tab::Pending => "No alert is pending.",
        Tab::Acknowledged => "Nobody has taken an alert.",
        Tab::Silenced => "No alert is silenced.",
        Tab::History => "",
    };
    let checked = move || {
        let at = fleet.heard_at().get();
        (at > 0).then(|| format!("Last word from Fleetglass {}", ago(at, fleet.now().get())))
    };
    group()
        .when(filtered, move || {
            empty("No alert matches", move || {
                format!("Nothing here holds “{}”.", view.with(|view| view.filter.trim().to_owned()))
            })
            .child(
                button("button")
                    .on_click(move || view.update(|view| view.filter.clear()))
                    .text("Clear filter"),
            )
        })
        .when(
            move || !filtered(),
            move || {
                p("all-well alerts-none")
                    .child(icon(Icon::Check))
                    .child(span("all-well-words").text(words))
                    .child(span("muted num").text(checked))
            },
        )
}
