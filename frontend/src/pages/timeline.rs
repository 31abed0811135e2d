//! The timeline: what happened to nodes, alerts and Fleetglass itself, the newest first.
//!
//! | module | is |
//! |---|---|
//! | `view` | pure: what is shown, its words in the address, days |

mod view;

use std::sync::Arc;

use fleetglass_shared::wire::Event;
use leptos::prelude::*;
use leptos::task::spawn_local;

use self::view::{Part, View, by_day};
use super::alerts::address::{InAddress, in_address};
use super::alerts::search::{choice, search};
use crate::charts::{Sign, clock_label, sign_mark};
use crate::client::{self, ClientError};
use crate::clock::zone_offset;
use crate::components::connection::banners;
use crate::components::frame::top_bar;
use crate::components::node_link::node_path;
use crate::components::notice::{empty, failed};
use crate::dom::{El, button, div, effect, el, link, p, span, with_class};
use crate::json::Malformed;
use crate::pages::node::history::load::read;
use crate::pages::node::load::escaped;
use crate::route::Page;
use crate::state::{Link, use_fleet};

/// As many at first, and with each press more.
const FIRST: usize = 150;
const MOST: usize = 5_000;
/// The newest are asked again after so long.
const AGAIN_MS: i64 = 10_000;

impl InAddress for View {
    const PAGE: Page = Page::Timeline;
    const PATH: &'static str = "/timeline";

    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        Self::from_query(get)
    }

    fn members(&self) -> Vec<(&'static str, String)> {
        self.to_query()
    }
}

#[derive(Clone, Copy)]
struct Told {
    events: RwSignal<Option<Arc<Vec<Event>>>>,
    more: RwSignal<bool>,
    wanted: RwSignal<usize>,
    trouble: RwSignal<Option<String>>,
    again: RwSignal<u64>,
    turn: StoredValue<u64>,
}

impl Told {
    fn follow(view: RwSignal<View>) -> Self {
        let fleet = use_fleet();
        let told = Self {
            events: RwSignal::new(None),
            more: RwSignal::new(false),
            wanted: RwSignal::new(FIRST),
            trouble: RwSignal::new(None),
            again: RwSignal::new(0),
            turn: StoredValue::new(0),
        };
        let asked = Memo::new(move |_| view.with(|view| (view.part, view.node.clone())));
        let turn =
            Memo::new(move |_| (fleet.now().get() / AGAIN_MS, fleet.link().with(|link| *link == Link::Live)));
        effect(move || {
            turn.get();
            told.again.track();
            let ((part, node), wanted) = (asked.get(), told.wanted.get());
            told.turn.update_value(|turn| *turn += 1);
            let mine = told.turn.get_value();
            spawn_local(async move {
                let mut path = format!("/api/v1/events?limit={wanted}");
                if let Some(kinds) = part.kinds() {
                    path.push_str(&format!("&kind={kinds}"));
                }
                if !node.trim().is_empty() {
                    path.push_str(&format!("&node={}", escaped(node.trim())));
                }
                let answer = client::get_value(&path).await.and_then(|json| {
                    read(&json).map_err(|Malformed(name)| ClientError::Malformed(name.to_owned()))
                });
                // Something else may have been asked for meanwhile.
                if told.turn.try_get_value() != Some(mine) {
                    return;
                }
                match answer {
                    Ok(events) => {
                        told.events.try_set(Some(Arc::new(events.events)));
                        told.more.try_set(events.more);
                        told.trouble.try_set(None);
                    }
                    Err(error) => drop(told.trouble.try_set(Some(error.in_words()))),
                }
            });
        });
        told
    }
}

/// The page at `/timeline`.
pub fn timeline_page() -> El {
    let view = in_address::<View>();
    let told = Told::follow(view);
    let known = move || told.events.with(Option::is_some);
    let troubled = move || told.trouble.with(Option::is_some);
    let why = move || told.trouble.get().unwrap_or_default();
    let now = use_fleet().now();
    let today = Memo::new(move |_| now.get() / 60_000);
    let days = Memo::new(move |_| {
        let now = today.get() * 60_000;
        told.events.with(|events| {
            let events = events.as_ref().map(|events| events.as_slice()).unwrap_or_default();
            view.with(|view| by_day(events, view, now, zone_offset))
        })
    });
    let titles = move || days.with(|days| days.iter().map(|day| day.title.clone()).collect::<Vec<_>>());
    let none = move || known() && days.with(Vec::is_empty);
    let find = search(
        "Filter what happened",
        move || view.with(|view| view.filter.clone()),
        move |text| view.update(|view| view.filter = text),
    );
    let day = move |title: String| {
        let own = title.clone();
        let events = move || {
            days.with(|days| {
                let day = days.iter().find(|day| day.title == own);
                day.map(|day| day.events.clone()).unwrap_or_default()
            })
        };
        with_class("section", "timeline-day")
            .child(el("h2").class("timeline-date").text(title))
            .child(with_class("ul", "timeline-list").each(events, |event| event.id.to_string(), line))
    };
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([el("h1").class("page-title alerts-title").text("Timeline"), find]))
        .child(banners())
        .child(
            div("page-body timeline-page")
                .child(bar(view))
                .when(
                    move || !known() && !troubled(),
                    || {
                        div("loading")
                            .attr("aria-busy", "true")
                            .child(p("sr-only").attr("role", "status").text("The timeline is loading"))
                            .child(div("skeleton skeleton-table"))
                    },
                )
                .when(
                    move || troubled() && !known(),
                    move || {
                        failed("The timeline did not come", why).child(
                            button("button")
                                .on_click(move || told.again.update(|again| *again += 1))
                                .text("Try again"),
                        )
                    },
                )
                .when(
                    move || troubled() && known(),
                    move || {
                        p("node-old")
                            .attr("role", "status")
                            .text("What stands below could not be refreshed. ")
                            .text(why)
                    },
                )
                .each(titles, String::clone, day)
                .when(none, move || {
                    empty(
                        "Nothing to show",
                        "Nothing of this kind is recorded, or the filter leaves nothing.",
                    )
                    .child(
                        button("button").on_click(move || view.set(View::default())).text("Show everything"),
                    )
                })
                .when(
                    move || told.more.get() && told.wanted.get() < MOST,
                    move || {
                        div("timeline-more").child(
                            button("button")
                                .on_click(move || {
                                    told.wanted.update(|wanted| *wanted = (*wanted * 2).min(MOST));
                                })
                                .text("Show older"),
                        )
                    },
                ),
        )
}

fn bar(view: RwSignal<View>) -> El {
    let one = move |part: Part| {
        choice(
            part.title(),
            || None,
            move || view.with(|view| view.part == part),
            move || view.update(|view| view.part = part),
        )
    };
    let node = move || view.with(|view| view.node.clone());
    div("alerts-bar")
        .child(
            div("choices alerts-tabs")
                .attr("role", "group")
                .attr("aria-label", "What is shown")
                .children(Part::ALL.map(one)),
        )
        .when(
            move || !node().is_empty(),
            move || {
                button("button")
                    .attr("aria-label", move || format!("Show all nodes, not only {}", node()))
                    .on_click(move || view.update(|view| view.node.clear()))
                    .text(move || format!("only {}", node()))
                    .child(span("").attr("aria-hidden", "true").text(" ✕"))
            },
        )
}

fn line(event: Event) -> El {
    let at = event.at;
    let sign = Sign::of(&event);
    let view = |node: &str| format!("/timeline?node={}", escaped(node));
    let whose = match &event.node {
        Some(node) => {
            span("timeline-node").child(link("", node_path(node)).child(el("bdi").text(node))).child(
                link("timeline-only", view(node))
                    .attr("aria-label", format!("Only {node}"))
                    .attr("title", "Only this node")
                    .text("only"),
            )
        }
        None => span("timeline-node muted").text(if sign.is_own() { "Fleetglass" } else { "–" }),
    };
    el("li")
        .class("timeline-line")
        .child(with_class("time", "timeline-time num").text(clock_label(at, zone_offset(at), true)))
        .child(span("timeline-sign").child(sign_mark(sign)).child(span("").text(sign.word())))
        .child(whose)
        .child(span("timeline-words").text(event.text))
}
