//! The value of an alert against its bound, over a range of time, with what happened to it.

use std::sync::Arc;

use fleetglass_shared::wire::{AlertDetail, PanelBound, PanelQuery};
use leptos::prelude::*;

use super::load::AlertLoad;
use crate::charts::{Board, Mark, Sign, chart};
use crate::dom::{El, effect, el, p, with_class};
use crate::pages::node::feed::feed;
use crate::pages::node::range_bar::range_bar;
use crate::state::{Link, use_fleet};

/// From one refresh of the chart to the next.
const REFRESH_MS: i64 = 5_000;

/// The chart; where the rule compares nothing plain, it says so.
pub fn section(load: AlertLoad) -> El {
    let board = Board::provide();
    let fleet = use_fleet();
    let turn = Memo::new(move |_| fleet.now().get() / REFRESH_MS);
    effect(move || {
        let _ = turn.get();
        if fleet.link().with_untracked(|link| *link == Link::Live) && !document().hidden() {
            board.refresh.update(|count| *count += 1);
        }
    });
    effect(move || {
        if let Some(detail) = load.detail() {
            board.marks.set(Arc::new(marks(&detail)));
        }
    });
    let plain = Memo::new(move |_| {
        let rule = load.detail()?.rule.clone()?;
        Some((rule.chart?, rule.bound))
    });
    with_class("section", "node-time alert-chart")
        .attr("aria-labelledby", "value-title")
        .child(el("h2").class("sr-only").attr("id", "value-title").text("Value against its bound"))
        .when(move || plain.with(Option::is_some), range_bar)
        .live(move || {
            let (query, bound) = plain.get()?;
            Some(untrack(|| drawn(query, bound)))
        })
        .when(
            move || plain.with(Option::is_none),
            || p("muted").text("Its rule compares no single value with a bound, so there is no chart."),
        )
}

fn drawn(query: String, bound: Option<f64>) -> El {
    let in_view = RwSignal::new(false);
    let unit = unit(&query);
    let title = query.clone();
    let shown = feed(move |_| vec![PanelQuery { expr: query.clone(), legend: String::new() }], in_view);
    let bound = bound.map(|value| PanelBound { title: "bound".to_owned(), value });
    // From zero, so that the bound is always in the picture.
    chart(&title, unit, true, bound, shown, in_view)
}

/// The unit of an expression, as far as its names say.
fn unit(query: &str) -> &'static str {
    let rate = query.contains("rate(") || query.contains("increase(");
    match () {
        () if query.contains("_timestamp") && !query.contains("time()") => "timestamp",
        () if rate => "count",
        () if query.contains('/') => "count",
        () if query.contains("_seconds") => "seconds",
        () if query.contains("_bytes") => "bytes",
        () => "count",
    }
}

fn marks(detail: &AlertDetail) -> Vec<Mark> {
    let mut marks: Vec<Mark> = detail
        .history
        .iter()
        .filter_map(|change| {
            let sign = match change.what.as_str() {
                "firing" => Sign::Alert(change.severity),
                "resolved" => Sign::AlertEnd,
                _ => return None,
            };
            Some(Mark { at: change.at, sign, words: format!("{} {}", change.name, change.what) })
        })
        .collect();
    marks.sort_by_key(|mark| mark.at);
    marks
}

#[cfg(test)]
mod tests {
    use super::unit;

    #[test]
    fn names_say_units() {
        for (query, is) in [
            ("block_lag_seconds{instance=\"a\"}", "seconds"),
            ("time() - last_beat_timestamp_seconds", "seconds"),
            ("rate(served_bytes_total[5m])", "count"),
            ("free_bytes", "bytes"),
            ("free_bytes / total_bytes", "count"),
            ("peers", "count"),
        ] {
            assert_eq!(unit(query), is, "{query}");
        }
    }
}
