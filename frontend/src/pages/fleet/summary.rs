//! The fleet at a glance: counts by state and by version. Each is a button that filters.

use fleetglass_shared::health::Status;
use fleetglass_shared::wire::NodeSummary;
use leptos::prelude::*;

use crate::components::segments::{Segment, segmented_bar};
use crate::components::status_mark::{state_class, status_shape};
use crate::components::words::whole;
use crate::dom::{El, button, div, el, span, with_class};
use crate::state::filter::{has_term, toggle_term};
use crate::state::tally::{States, VersionCount, versions};
use crate::state::use_fleet;
use crate::state::view::View;

/// As many versions have a colour and a button; the rest are one part.
const VERSIONS: usize = 7;

/// The band under what needs a person. Its buttons change the view's filter.
pub fn summary(view: RwSignal<View>) -> El {
    let fleet = use_fleet();
    let states = Memo::new(move |_| fleet.every_node().with(|nodes| States::of(nodes.iter())));
    let versions = Memo::new(move |_| fleet.every_node().with(|nodes| versions(nodes.iter())));
    let count = move |which: fn(&NodeSummary) -> bool| {
        Memo::new(move |_| fleet.every_node().with(|nodes| nodes.iter().filter(|node| which(node)).count()))
    };
    let skewed = count(|node| node.version_majority.is_some());
    let draining = count(|node| node.draining);

    let state_item = move |status: Status| {
        let mark = status_shape(move || status);
        legend_item(view, "state", status.as_str(), status.as_str(), mark, move || {
            states.with(|states| states.count(status))
        })
    };
    let state_legend = with_class("ul", "legend")
        .each(
            move || states.with(|states| states.present().into_iter().map(|(status, _)| status).collect()),
            |status| status.as_str().to_owned(),
            state_item,
        )
        .when(
            move || draining.get() != 0,
            move || legend_item(view, "is", "draining", "draining", sign("↓"), move || draining.get()),
        );

    let version_item = move |(index, version): (usize, String)| {
        let mark = span("").class(format!("legend-dot series-{}", index + 1)).attr("aria-hidden", "true");
        let name = version.clone();
        legend_item(view, "version", &version, &version, mark, move || {
            versions.with(|all| all.iter().find(|entry| entry.version == name).map_or(0, |entry| entry.count))
        })
    };
    let named = move || {
        versions.with(|all| {
            all.iter().take(VERSIONS).map(|version| version.version.clone()).enumerate().collect()
        })
    };
    let version_legend = with_class("ul", "legend")
        .each(named, |(index, version)| format!("{index} {version}"), version_item)
        .when(
            move || skewed.get() != 0,
            move || {
                let name = "differ from their family";
                legend_item(view, "is", "skewed", name, sign("≠"), move || skewed.get())
            },
        );

    let state_bar = segmented_bar(Signal::derive(move || states.with(state_segments)));
    let version_bar = segmented_bar(Signal::derive(move || versions.with(|all| version_segments(all))));
    with_class("section", "summary")
        .attr("aria-label", "The fleet at a glance")
        .child(part("State", state_bar, state_legend))
        .child(part("Version", version_bar, version_legend))
}

fn part(title: &'static str, bar: El, legend: El) -> El {
    div("summary-part").child(el("h2").class("summary-title").text(title)).child(bar).child(legend)
}

fn sign(sign: &'static str) -> El {
    span("legend-mark").attr("aria-hidden", "true").text(sign)
}

/// One part for each state that occurs.
pub fn state_segments(states: &States) -> Vec<Segment> {
    let segment = |(status, count): (Status, usize)| Segment {
        name: status.as_str().to_owned(),
        count,
        class: state_class(status).to_owned(),
    };
    states.present().into_iter().map(segment).collect()
}

fn version_segments(versions: &[VersionCount]) -> Vec<Segment> {
    let named = versions.iter().take(VERSIONS).enumerate().map(|(index, version)| Segment {
        name: version.version.clone(),
        count: version.count,
        class: format!("series-{}", index + 1),
    });
    let rest: usize = versions.iter().skip(VERSIONS).map(|version| version.count).sum();
    let rest = (rest > 0).then(|| Segment {
        name: "other versions".to_owned(),
        count: rest,
        class: "series-rest".to_owned(),
    });
    named.chain(rest).collect()
}

fn legend_item(
    view: RwSignal<View>,
    key: &'static str,
    value: &str,
    name: &str,
    mark: El,
    count: impl Fn() -> usize + 'static,
) -> El {
    let value = StoredValue::new(value.to_owned());
    let pressed = move || value.with_value(|value| view.with(|view| has_term(&view.filter, key, value)));
    let toggle = move || {
        view.update(|view| view.filter = value.with_value(|value| toggle_term(&view.filter, key, value)));
    };
    el("li").child(
        button("legend-item")
            .aria("aria-pressed", pressed)
            .on_click(toggle)
            .child(mark)
            .child(span("legend-count num").text(move || whole(count())))
            .child(span("legend-name").text(name.to_owned())),
    )
}
