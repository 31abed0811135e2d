//! The whole fleet in one look: how it is in huge letters, how many are how, the worst three, and how old that is.

use fleetglass_shared::health::Status;
use leptos::prelude::*;

use crate::clock::local_hours_minutes;
use crate::components::age::since_mark;
use crate::components::connection::banners;
use crate::components::frame::top_bar;
use crate::components::node_link::node_path;
use crate::components::status_mark::{state_class, status_mark, status_shape};
use crate::components::words::{ago, counted, whole};
use crate::dom::{El, Words, div, effect, el, group, link, p, span, with_class};
use crate::state::alerts::Open;
use crate::state::attention::attention;
use crate::state::breach::{breach_at, breach_in};
use crate::state::tally::States;
use crate::state::{Link, Node, use_fleet};

/// So many nodes are named.
const WORST: usize = 3;

/// The page at `/glance`.
pub fn glance_page() -> El {
    let fleet = use_fleet();
    let loaded = move || fleet.loaded().get();
    let old = move || !matches!(fleet.link().get(), Link::Live | Link::Connecting);
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([el("h1").class("page-title").text("At a glance")]))
        .child(banners())
        .child(
            div("page-body")
                .class(move || if old() { "page-body glance fleet-old" } else { "page-body glance" })
                .when(
                    move || !loaded(),
                    || {
                        div("loading")
                            .attr("aria-busy", "true")
                            .child(p("sr-only").text("The fleet is loading"))
                            .child(div("skeleton skeleton-table"))
                    },
                )
                .when(loaded, look),
        )
}

fn look() -> El {
    let fleet = use_fleet();
    let need = Memo::new(move |_| {
        let now = fleet.now().get_untracked();
        fleet.every_node().with(|nodes| attention(nodes, now))
    });
    let states = Memo::new(move |_| fleet.every_node().with(|nodes| States::of(nodes.iter())));
    let open = fleet.open_alerts();
    // The state of the whole: of its worst node that needs somebody. They are in the order of what to do first.
    let worst = move || need.with(|need| need.iter().map(look_of).max());
    let whole_state = move || match (need.with(Vec::is_empty), open.with(Open::urgent)) {
        (false, _) => worst().unwrap_or(Status::Unhealthy),
        (true, 0) if states.with(States::total) == 0 => Status::Unknown,
        (true, 1..) => Status::Degraded,
        (true, 0) => Status::Healthy,
    };
    let title = move || match (need.with(Vec::len), states.with(States::total)) {
        (0, 0) => "No node yet".to_owned(),
        (0, _) if open.with(Open::urgent) > 0 => {
            counted(open.with(Open::urgent), "alert needs you", "alerts need you")
        }
        (0, total) => format!("All {} well", whole(total)),
        (1, _) => "1 needs you".to_owned(),
        (count, _) => format!("{} need you", whole(count)),
    };
    let age = move || {
        let at = fleet.heard_at().get();
        let clock = local_hours_minutes(fleet.to_local(at));
        match fleet.link().with(|link| *link == Link::Live) {
            true => format!("Live, {clock}"),
            false => format!("As of {clock}, {}", ago(at, fleet.now().get())),
        }
    };
    let three = move || need.with(|need| need.iter().take(WORST).cloned().collect::<Vec<_>>());
    effect(move || fleet.show(0, three().iter().map(|node| node.id.clone()).collect()));
    let alerts = move || match open.with(Open::total) {
        0 => "No alert is open".to_owned(),
        _ => format!("Open alerts: {}", open.with(Open::in_words)),
    };
    group()
        .child(
            el("section")
                .class(move || format!("glance-state {}", state_class(whole_state())))
                .attr("aria-label", "State of the fleet")
                .child(status_shape(whole_state))
                .child(p("glance-title").attr("aria-live", "polite").text(title))
                .child(p("glance-age num").text(age)),
        )
        .child(with_class("ul", "glance-counts").attr("aria-label", "Nodes by state").each(
            move || states.with(States::present),
            |(status, count)| format!("{} {count}", status.as_str()),
            |(status, count)| {
                el("li")
                    .class(format!("glance-count {}", state_class(status)))
                    .child(span("glance-number num").text(whole(count)))
                    .child(status_mark(move || status, || false))
            },
        ))
        .child(with_class("ul", "glance-worst").attr("aria-label", "The worst nodes").each(
            three,
            |node| format!("{node:?}"),
            one,
        ))
        .child(p("glance-alerts").text(alerts))
}

/// How bad a node that needs somebody looks: one that says it is well while a risk fires is not.
fn look_of(node: &Node) -> Status {
    if node.status == Status::Healthy { Status::Unhealthy } else { node.status }
}

fn one(node: Node) -> El {
    let (status, since) = (node.status, node.since);
    let why = match node.worst_risk.as_ref().map(|risk| (risk, breach_at(risk))) {
        Some((risk, _)) if risk.firing => Words::from(risk.meaning.clone()),
        Some((risk, Some(at))) => {
            let (now, title, meaning) = (use_fleet().now(), risk.title.clone(), risk.meaning.clone());
            Words::from(move || format!("{title}: {}. {meaning}", breach_in(at, now.get())))
        }
        _ => node.reasons.first().map(|reason| reason.text.clone()).unwrap_or_default().into(),
    };
    el("li").class(state_class(look_of(&node))).child(
        link("glance-node", node_path(&node.id))
            .child(span("glance-name").child(el("bdi").text(node.id.clone())))
            .child(status_mark(move || status, || false))
            .child(span("glance-why").text(why))
            .child(span("glance-since num").text("for ").child(since_mark(move || since))),
    )
}
