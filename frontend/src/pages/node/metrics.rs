//! Any series of the node: found by words, charted by a press.

use std::cell::Cell;
use std::sync::Arc;

use fleetglass_shared::format;
use fleetglass_shared::wire::{NodeSeries, PanelQuery, SeriesInfo};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::Event;

use super::feed::feed;
use super::load::NodeLoad;
use super::no_answer;
use super::series_view::{Mode, from_zero, matches, query, unit};
use crate::charts::{Board, chart, keep_in_view};
use crate::client;
use crate::components::icon::{Icon, icon};
use crate::dom::{El, button, div, effect, el, p, span, with_class};
use crate::state::use_fleet;

/// The list is asked anew at most this often.
const REFRESH_MS: i64 = 15_000;
/// Rows shown at first, and added by each press of "Show more".
const ROWS: usize = 50;

/// The list as it stands. Without a list and without trouble it is on its way.
#[derive(Clone, Copy)]
struct Listing {
    all: RwSignal<Option<Arc<Vec<SeriesInfo>>>>,
    /// Why there is none.
    trouble: RwSignal<Option<String>>,
}

impl Listing {
    /// The series of the node, loaded once the list comes near the screen and now and then while it is there.
    fn start(load: NodeLoad, in_view: RwSignal<bool>) -> Self {
        let board = Board::expect();
        let now = use_fleet().now();
        let listing = Self { all: RwSignal::new(None), trouble: RwSignal::new(None) };
        let asked = Cell::new(0_i64);
        effect(move || {
            board.refresh.track();
            let at = now.get_untracked();
            if !in_view.get() || at - asked.get() < REFRESH_MS {
                return;
            }
            asked.set(at);
            let path = format!("{}/series", load.path());
            spawn_local(async move {
                let (all, trouble) = match client::get_json::<NodeSeries>(&path).await {
                    Ok(all) => (Some(Arc::new(all.series)), None),
                    Err(error) => (None, Some(error.in_words())),
                };
                listing.all.try_set(all);
                listing.trouble.try_set(trouble);
            });
        });
        listing
    }

    /// How many there are, once that is known.
    fn count(self) -> Option<usize> {
        self.all.with(|all| all.as_ref().map(|all| all.len()))
    }

    /// Those that hold all of the words.
    fn found(self, words: &str) -> Vec<String> {
        let all = self.all.get();
        let all = all.iter().flat_map(|all| all.iter());
        all.filter(|series| matches(series, words)).map(|series| series.selector.clone()).collect()
    }

    fn one(self, selector: &str) -> Option<SeriesInfo> {
        self.all.get()?.iter().find(|series| series.selector == selector).cloned()
    }
}

/// The charts of the page beyond the family's, the newest first.
type Charted = RwSignal<Vec<SeriesInfo>>;

/// A search over all series, and the charts of those that were pressed.
pub(super) fn any_metric(load: NodeLoad) -> El {
    let in_view = RwSignal::new(false);
    let listing = Listing::start(load, in_view);
    let words = RwSignal::new(String::new());
    let limit = RwSignal::new(ROWS);
    let charted: Charted = RwSignal::new(Vec::new());
    // A memo: a search over thousands of series that several parts of the page read.
    let found = Memo::new(move |_| listing.found(&words.get().to_lowercase()));
    let tally = move || match (listing.count(), found.with(Vec::len)) {
        (None, _) => String::new(),
        (Some(total), found) if found == total => format!("{total} series"),
        (Some(total), found) => format!("{found} of {total} series"),
    };
    let head = div("section-head")
        .child(with_class("h2", "card-title").attr("id", "metrics-title").text("Any metric"))
        .child(p("card-note num").attr("role", "status").text(tally));
    let field = with_class("input", "field")
        .attr("id", "series-words")
        .attr("type", "search")
        .attr("placeholder", "Search name, label or help")
        .attr("autocomplete", "off")
        .attr("spellcheck", "false")
        .prop("value", words)
        .on("input", move |event: Event| {
            words.set(event_target_value(&event));
            limit.set(ROWS);
        });
    let loading = move || listing.count().is_none() && listing.trouble.with(Option::is_none);
    let some = move || listing.count().is_some_and(|count| count > 0);
    let rest = move || found.with(Vec::len).saturating_sub(limit.get());
    let section = with_class("section", "card")
        .attr("aria-labelledby", "metrics-title")
        .child(head)
        .when(move || charted.with(|charted| !charted.is_empty()), move || charts(charted))
        .child(
            with_class("label", "sr-only").attr("for", "series-words").text("Search the series of this node"),
        )
        .child(field)
        .when(loading, || p("sr-only").attr("role", "status").text("Loading the series"))
        .when(loading, || div("skeleton series-sketch"))
        .live(move || {
            let why = listing.trouble.get()?;
            Some(no_answer("chart-failed series-none", "The list of series did not come.", &why))
        })
        .when(
            move || listing.count() == Some(0),
            || none("This node exposes no series, and none could be derived from its answers."),
        )
        .when(move || some() && found.with(Vec::is_empty), || none("No series has all of these words."))
        .when(some, move || {
            let shown = move || found.with(|found| found.iter().take(limit.get()).cloned().collect());
            let row = move |selector| series_row(listing, selector, charted);
            with_class("ul", "series-list").each(shown, String::clone, row)
        })
        .when(
            move || rest() > 0,
            move || {
                button("button")
                    .on_click(move || limit.update(|limit| *limit += ROWS * 2))
                    .text(move || format!("Show more ({} left)", rest()))
            },
        );
    keep_in_view(&section, in_view);
    section
}

fn none(words: &'static str) -> El {
    p("muted series-none").text(words)
}

fn charts(charted: Charted) -> El {
    div("panel-grid panel-grid-inner").each(
        move || charted.get(),
        |series| series.selector.clone(),
        move |series| one_series(series, charted),
    )
}

fn series_row(listing: Listing, selector: String, charted: Charted) -> El {
    // A row is made for what the list holds; the list may be gone within the same turn.
    let Some(fixed) = listing.one(&selector) else { return el("li") };
    let selector = StoredValue::new(selector);
    let series = move || selector.with_value(|selector| listing.one(selector));
    let pressed = move || {
        selector.with_value(|selector| {
            charted.with(|charted| charted.iter().any(|series| series.selector == *selector))
        })
    };
    let value = move || {
        series().map(|series| format::value(&series.value, unit(&series, Mode::Value))).unwrap_or_default()
    };
    let press = move || {
        let Some(series) = untrack(series) else { return };
        charted.update(|charted| match charted.iter().position(|other| other.selector == series.selector) {
            Some(index) => drop(charted.remove(index)),
            None => charted.insert(0, series),
        });
    };
    let name = span("series-name mono").text(&fixed.metric).child(span("series-labels").text(labels(&fixed)));
    let kind = if fixed.derived { format!("{}, derived", fixed.kind) } else { fixed.kind };
    el("li").child(
        button("series-row")
            .aria("aria-pressed", pressed)
            .attr("title", fixed.help)
            .on_click(press)
            .child(name)
            .child(span("series-kind").text(kind))
            .child(span("series-value num").text(value)),
    )
}

/// The labels as an exposition has them; nothing where there are none.
fn labels(series: &SeriesInfo) -> String {
    if series.labels.is_empty() {
        return String::new();
    }
    let pairs: Vec<String> =
        series.labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// The chart of one series: a counter by its rate or as it counts.
fn one_series(series: SeriesInfo, charted: Charted) -> El {
    let board = Board::expect();
    let first = Mode::first(&series);
    let by_rate = RwSignal::new(first == Mode::Rate);
    let title = format!("{}{}", series.metric, labels(&series));
    let selector = series.selector.clone();
    let close = move || charted.update(|charted| charted.retain(|other| other.selector != selector));
    let choice = move |(rate, word): (bool, &'static str)| {
        button("choice")
            .aria("aria-pressed", move || by_rate.get() == rate)
            .on_click(move || by_rate.set(rate))
            .text(word)
    };
    let choices = (first == Mode::Rate).then(|| {
        div("choices")
            .attr("role", "group")
            .attr("aria-label", "Shown as")
            .children([(true, "rate"), (false, "total")].map(choice))
    });
    let close = button("icon-button")
        .attr("aria-label", format!("Remove the chart of {title}"))
        .on_click(close)
        .child(icon(Icon::Close));
    div("series-chart").child(div("series-chart-bar").maybe(choices).child(close)).live(move || {
        let mode = if by_rate.get() { Mode::Rate } else { Mode::Value };
        let in_view = RwSignal::new(false);
        let asked = series.clone();
        let queries = move |step| {
            let expr = query(&asked, mode, board.interval.get_value(), step);
            vec![PanelQuery { expr, legend: String::new() }]
        };
        let shown = feed(queries, in_view);
        let (unit, from_zero) = (unit(&series, mode), from_zero(&series, mode));
        Some(untrack(|| chart(&title, unit, from_zero, None, shown, in_view)))
    })
}
