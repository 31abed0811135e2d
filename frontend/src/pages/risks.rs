//! The slash risks of the fleet, the worst first: how far each is from its bound, how long is left, what to do.
//!
//! | module | is |
//! |---|---|
//! | `view` | pure: which of them, its words in the address |
//! | `standing` | pure: how a risk stands, as a shape and in words |
//! | `listing` | pure: filtered, counted, those of many nodes put together |
//! | `course` | pure: its values and their slope as lines of a chart |
//! | `load` | the risks, asked anew when nodes changed |
//! | `list`, `row` | the lines |
//! | `detail` | what unfolds below one |
//! | `parts` | marks, bars, countdowns, stakes: also for the page of a node |

mod course;
mod detail;
mod list;
mod listing;
mod load;
pub mod parts;
mod row;
pub mod standing;
mod view;

use std::collections::BTreeSet;
use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use leptos::prelude::*;

use self::list::{changes, lists, nothing};
use self::listing::{Line, Listing};
use self::load::RisksLoad;
use self::parts::timer;
use self::row::Rows;
use self::view::{Show, View};
use crate::charts::Board;
use crate::components::connection::banners;
use crate::components::frame::top_bar;
use crate::components::icon::{Icon, icon};
use crate::components::media::use_screen;
use crate::components::notice::{empty, failed};
use crate::components::words::{ago, counted, whole};
use crate::dom::{El, button, div, el, group, link, p, span, with_class};
use crate::pages::alerts::address::{InAddress, in_address};
use crate::pages::alerts::list::walk_by_keys;
use crate::pages::alerts::search::{choice, menu_of, search};
use crate::pages::fleet::held::{Reading, held};
use crate::pages::node::load::escaped;
use crate::pages::shares::share_link;
use crate::route::Page;
use crate::state::breach::breach_at;
use crate::state::filter::term;
use crate::state::{Link, use_fleet};

impl InAddress for View {
    const PAGE: Page = Page::Risks;
    const PATH: &'static str = "/risks";

    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        Self::from_query(get)
    }

    fn members(&self) -> Vec<(&'static str, String)> {
        self.to_query()
    }
}

/// The page at `/risks`.
pub fn risks_page() -> El {
    let fleet = use_fleet();
    Board::provide_fixed();
    let view = in_address::<View>();
    let load = RisksLoad::start(view);
    let latest = Memo::new_with_compare(
        move |_| {
            let answer = load.answer();
            let risks = answer.as_ref().map(|answer| answer.risks.as_slice()).unwrap_or_default();
            Arc::new(view.with(|view| Listing::of(risks, view, |name| fleet.family_title(name))))
        },
        |_, _| true,
    );
    let find = search(
        "Filter risks: node, family, risk",
        move || view.with(|view| view.filter.clone()),
        move |text| view.update(|view| view.filter = text),
    );
    let quiet = move || {
        load.trouble.with(Option::is_some)
            || !fleet.link().with(|link| matches!(link, Link::Live | Link::Connecting))
    };
    let known = Memo::new(move |_| load.answer().is_some());
    let troubled = move || load.trouble.with(Option::is_some);
    let why = move || load.trouble.get().unwrap_or_default();
    let none = move || {
        load.answer().is_some_and(|answer| answer.risks.is_empty())
            && view.with(|view| view.asked().is_empty())
    };
    let some = move || known.get() && !none();
    let scroller = div("page-body")
        .class(move || if quiet() { "page-body risks-page risks-old" } else { "page-body risks-page" });
    let touched = scroller.clone();
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar(
            [el("h1").class("page-title alerts-title").text("Risks"), find]
                .into_iter()
                .chain(share_link("risks", move || view.with(share_of))),
        ))
        .child(banners())
        .child(
            scroller
                .when(move || !known.get() && !troubled(), loading)
                .when(
                    move || !known.get() && troubled(),
                    move || {
                        failed("The risks did not come", why)
                            .child(button("button").on_click(move || load.again()).text("Try again"))
                    },
                )
                .when(
                    move || known.get() && troubled(),
                    move || {
                        p("node-old")
                            .attr("role", "status")
                            .text("What stands below could not be refreshed. ")
                            .text(why)
                    },
                )
                .when(none, without)
                .when(some, move || filled(view, load, latest, &touched)),
        )
}

/// What a link is to show of what is shown here.
fn share_of(view: &View) -> String {
    let family = (!view.family.is_empty()).then(|| term("family", &view.family));
    let filter: Vec<String> = family
        .into_iter()
        .chain(Some(view.filter.clone()).filter(|words| !words.trim().is_empty()))
        .collect();
    format!("&node={}&filter={}", escaped(&view.node), escaped(&filter.join(" ")))
}

/// The headline, the choices, the lists.
fn filled(view: RwSignal<View>, load: RisksLoad, latest: Memo<Arc<Listing>>, scroller: &El) -> El {
    let reading = Reading::new();
    let touch = use_screen().touch;
    scroller.listen("scroll", move || {
        if touch.try_get_untracked() == Some(true) {
            reading.glance();
        }
    });
    let shown = held(latest.into(), move || view.get(), reading.now());
    let first = untrack(|| view.with(View::is_of_one))
        .then(|| view.with_untracked(|view| format!("{}\n{}", view.node, view.risk)));
    let rows = Rows { load, open: RwSignal::new(first.into_iter().collect::<BTreeSet<_>>()), shown };
    let waiting = Memo::new(move |_| latest.with(|latest| shown.with(|shown| changes(latest, shown))));
    walk_by_keys(".risks-shown .risk-name");
    group().child(headline(load, latest)).child(bar(view, load, latest)).child(
        div("risks-part")
            .when(
                move || waiting.get() > 0,
                move || {
                    button("button changes alerts-changes")
                        .on_click(move || shown.set(latest.get_untracked()))
                        .text(move || format!("{} new or moved: show", whole(waiting.get())))
                },
            )
            .child(reading.watch(div("risks-shown").child(lists(view, rows))))
            .when(move || shown.with(|shown| shown.is_empty()), move || nothing(view))
            .when(
                move || load.answer().is_some_and(|answer| answer.total > answer.risks.len()),
                move || {
                    let words = move || {
                        let answer = load.answer()?;
                        let (here, all) = (whole(answer.risks.len()), whole(answer.total));
                        Some(format!("These are of the {here} worst of {all} risks."))
                    };
                    div("risks-cut")
                        .child(p("muted num").text(words))
                        .child(button("button").on_click(move || load.more()).text("Ask for more"))
                },
            ),
    )
}

/// What a person woken at night reads first: how many, and how long until the next.
fn headline(load: RisksLoad, latest: Memo<Arc<Listing>>) -> El {
    let fleet = use_fleet();
    let count = move |show: Show| latest.with(|latest| latest.count(show));
    let calm = Memo::new(move |_| count(Show::Over) == 0 && count(Show::Approaching) == 0);
    let words = Memo::new(move |_| {
        let over = counted(count(Show::Over), "risk is over its bound", "risks are over their bounds");
        let near = counted(count(Show::Approaching), "is on its way there", "are on their way there");
        match (count(Show::Over), count(Show::Approaching)) {
            (0, 0) => String::new(),
            (0, 1) => "1 risk is on its way to its bound".to_owned(),
            (0, near) => format!("{} risks are on their way to their bounds", whole(near)),
            (_, 0) => over,
            _ => format!("{over}, {near}"),
        }
    });
    let next = Memo::new(move |_| latest.with(|latest| soonest(latest)));
    let next_at = move || next.with(|next| next.as_ref().map(|(at, _)| *at));
    let next_on = move || next.with(|next| next.as_ref().map(|(_, node)| format!("on {node}")));
    let well = move || match (count(Show::All), count(Show::Blind), count(Show::Quiet)) {
        (0, ..) => String::new(),
        (all, 0, _) => {
            format!("{}: none is over its bound or on its way there.", counted(all, "risk", "risks"))
        }
        (_, _, 0) => "No risk can be told: the nodes expose none of them.".to_owned(),
        (_, blind, _) => format!(
            "None that can be seen is over its bound or on its way there; {} not exposed.",
            counted(blind, "is", "are")
        ),
    };
    let checked = move || load.answer().map(|answer| format!("As of {}", ago(answer.at, fleet.now().get())));
    let spoken = move || if calm.get() { well() } else { words.get() };
    group()
        .child(p("sr-only").attr("aria-live", "polite").text(spoken))
        .when(
            move || !calm.get(),
            move || {
                div("risks-headline").child(p("risks-count num").text(words)).when(
                    move || next.with(Option::is_some),
                    move || {
                        p("risks-next")
                            .child(span("muted").text("Next breach in "))
                            .child(timer("risks-left num", next_at))
                            .child(span("risks-on muted").text(next_on))
                    },
                )
            },
        )
        .when(
            move || calm.get() && count(Show::All) > 0,
            move || {
                let blind = move || count(Show::Blind) > 0;
                p("all-well")
                    .class(move || if blind() { "all-well all-well-but" } else { "all-well" })
                    .child(icon(Icon::Check))
                    .child(span("all-well-words num").text(well))
                    .child(span("muted num").text(checked))
            },
        )
}

/// When the next bound is crossed, and on which node.
fn soonest(listing: &Listing) -> Option<(UnixMillis, String)> {
    let risks = listing.urgent.iter().flat_map(|line| match line {
        Line::One(risk) => std::slice::from_ref(risk),
        Line::Many(risks) => risks.as_slice(),
    });
    let timed = risks.filter_map(|risk| Some((breach_at(&risk.risk)?, risk)));
    timed.min_by_key(|(at, _)| *at).map(|(at, risk)| (at, risk.node.clone()))
}

/// How many a choice has. Where the answer ends before the quiet ones do, nobody counted those.
fn counts(view: RwSignal<View>, load: RisksLoad, latest: Memo<Arc<Listing>>, show: Show) -> Option<usize> {
    let here = latest.with(|latest| latest.count(show));
    let answer = load.answer()?;
    let cut = answer.total > answer.risks.len();
    let all =
        || view.with(|view| view.filter.trim().is_empty() && view.risk.is_empty()).then_some(answer.total);
    match show {
        Show::All if cut => all(),
        Show::Quiet if cut => None,
        _ => Some(here),
    }
}

/// What is shown, and of which family, severity, node.
fn bar(view: RwSignal<View>, load: RisksLoad, latest: Memo<Arc<Listing>>) -> El {
    let fleet = use_fleet();
    let one = move |show: Show| {
        choice(
            show.title(),
            move || counts(view, load, latest, show),
            move || view.with(|view| view.show == show),
            move || view.update(|view| view.show = show),
        )
    };
    let families = move || {
        let names = fleet.families().with(|families| {
            families.iter().map(|family| (family.name.clone(), family.title.clone())).collect::<Vec<_>>()
        });
        std::iter::once((String::new(), "All families".to_owned())).chain(names).collect::<Vec<_>>()
    };
    let severities = || {
        [("", "Any severity"), ("critical", "Critical"), ("warning", "Warning"), ("info", "Info")]
            .map(|(word, title)| (word.to_owned(), title.to_owned()))
            .to_vec()
    };
    let only = move || {
        view.with(|view| match (view.node.as_str(), view.risk.as_str()) {
            ("", "") => None,
            ("", risk) => Some(risk.to_owned()),
            (node, "") => Some(node.to_owned()),
            (node, risk) => Some(format!("{risk} of {node}")),
        })
    };
    let widen = move || {
        view.update(|view| {
            view.node.clear();
            view.risk.clear();
        });
    };
    div("alerts-bar risks-bar")
        .child(
            div("choices alerts-tabs")
                .attr("role", "group")
                .attr("aria-label", "Which risks")
                .children(Show::ALL.map(one)),
        )
        .when(
            move || only().is_some(),
            move || {
                button("button risks-only")
                    .attr("aria-label", move || format!("Show all, not only {}", only().unwrap_or_default()))
                    .on_click(widen)
                    .text(move || format!("only {}", only().unwrap_or_default()))
                    .child(span("").attr("aria-hidden", "true").text(" ✕"))
            },
        )
        .child(span("toolbar-space"))
        .child(menu_of(
            "Family",
            families,
            move || view.with(|view| view.family.clone()),
            move |family| view.update(|view| view.family = family),
        ))
        .child(menu_of(
            "Severity",
            severities,
            move || view.with(|view| view.severity.clone()),
            move |severity| view.update(|view| view.severity = severity),
        ))
}

/// No family names a risk, or there is no node yet.
fn without() -> El {
    let fleet = use_fleet();
    let nodes = move || fleet.every_node().with(|nodes| !nodes.is_empty());
    group()
        .when(nodes, || {
            empty(
                "No family of yours names a risk",
                "A risk is a value and the bound where it may be slashed. Name them as [[risk]] in the family's \
                 family.toml, and they stand here, the worst first.",
            )
        })
        .when(
            move || !nodes(),
            || {
                empty("No node yet", "Name your nodes in the config file; their risks then stand here.")
                    .child(link("button button-primary", "/").text("Show the fleet"))
            },
        )
}

fn loading() -> El {
    div("loading")
        .attr("aria-busy", "true")
        .child(p("sr-only").attr("role", "status").text("The risks are loading"))
        .child(div("skeleton skeleton-line"))
        .child(div("skeleton skeleton-table"))
}
