//! One risk of one node, or the same risk of many: a line that unfolds. On a phone it is a card.

use std::collections::BTreeSet;
use std::sync::Arc;

use fleetglass_shared::format::number;
use fleetglass_shared::wire::Risk;
use leptos::prelude::*;

use super::detail::detail;
use super::listing::{Listing, RiskRef, key as key_of};
use super::load::RisksLoad;
use super::parts::{bar, severity_words, standing_mark, timer};
use super::standing::{Bar, Standing, certainty, room, stake};
use crate::components::icon::{Icon, icon};
use crate::components::node_link::node_path;
use crate::components::risk_meter::against_bound;
use crate::components::status_mark::state_class;
use crate::components::words::counted;
use crate::dom::{El, button, div, el, group, link, span, unseen, with_class};
use crate::pages::node::load::escaped;
use crate::state::breach::breach_at;
use crate::state::use_fleet;

/// As many nodes of a line that stands for many are shown at first, and with each press.
const SOME: usize = 50;

/// What rows share.
#[derive(Clone, Copy)]
pub struct Rows {
    /// What the proxy said last.
    pub load: RisksLoad,
    /// What is unfolded, by key.
    pub open: RwSignal<BTreeSet<String>>,
    /// What is shown.
    pub shown: RwSignal<Arc<Listing>>,
}

impl Rows {
    /// Whether a row is unfolded, and what a press on it does.
    fn folding(self, key: &str) -> (Memo<bool>, impl Fn() + Clone + 'static) {
        let (own, pressed) = (key.to_owned(), key.to_owned());
        let is_open = Memo::new(move |_| self.open.with(|open| open.contains(&own)));
        let press = move || {
            self.open.update(|open| {
                if !open.remove(&pressed) {
                    open.insert(pressed.clone());
                }
            });
        };
        (is_open, press)
    }
}

/// One risk of one node. What it says follows the answers; its link and button stay, and with them the focus.
pub fn risk_row(rows: Rows, first: RiskRef) -> El {
    let own = key_of(&first);
    let id = format!("risk-{}-{}", escaped(&first.node), escaped(&first.risk.name));
    let (is_open, press) = rows.folding(&own);
    let kept = first.clone();
    let now = Memo::new(move |before: Option<&RiskRef>| {
        let found = rows.load.answer().and_then(|answer| answer.find(&own));
        found.or_else(|| before.cloned()).unwrap_or_else(|| kept.clone())
    });
    let risk = Memo::new(move |_| now.with(|now| now.risk.clone()));
    let face = div("risk-face")
        .child(span("risk-state").live(move || Some(standing_mark(&risk.get()))))
        .child(
            div("risk-what")
                .child(link("risk-node", node_path(&first.node)).child(el("bdi").text(&first.node)))
                .child(
                    title(&id, is_open, press)
                        .text(move || risk.with(|risk| risk.title.clone()))
                        .child(unseen(format!(" of {}", first.node))),
                ),
        )
        .child(
            span("risk-do")
                .child(el("strong").text("Do: "))
                .child(span("").text(move || risk.with(|risk| risk.action.clone()))),
        )
        .child(measure(risk))
        .child(time(risk))
        .child(cost(risk))
        .child(chevron());
    el("li").class(move || class(&risk.get(), is_open.get())).child(face).child(
        div("risk-fold")
            .attr("id", id)
            .flag("hidden", move || !is_open.get())
            .when(move || is_open.get(), move || detail(&first, now)),
    )
}

/// The same risk of many nodes: how many, and the worst of them.
pub fn many_row(rows: Rows, key: String) -> El {
    let own = key.clone();
    let members = Memo::new(move |before: Option<&Arc<Vec<RiskRef>>>| {
        let now = rows.shown.with(|shown| shown.many(&own));
        now.or_else(|| before.cloned()).unwrap_or_default()
    });
    let Some(first) = members.with_untracked(|members| members.first().cloned()) else {
        return el("li").attr("hidden", "");
    };
    let id = format!("risks-{}", escaped(&key));
    let (is_open, press) = rows.folding(&key);
    let limit = RwSignal::new(SOME);
    // As they are by now, and not as they were when the line was made.
    let kept = first.risk.clone();
    let worst = Memo::new(move |_| {
        let answer = rows.load.answer();
        members.with(|members| {
            let now = |risk: &RiskRef| answer.as_ref().and_then(|answer| answer.find(&key_of(risk)));
            let all = members.iter().map(|risk| now(risk).unwrap_or_else(|| risk.clone()));
            let first = all.min_by_key(|risk| breach_at(&risk.risk).unwrap_or(i64::MAX));
            first.map_or_else(|| kept.clone(), |risk| risk.risk.clone())
        })
    });
    let count = move || members.with(|members| counted(members.len(), "node", "nodes"));
    let (fleet, name) = (use_fleet(), first.family.clone());
    let family = move || fleet.family_title(&name);
    let face = div("risk-face")
        .child(span("risk-state").live(move || Some(standing_mark(&worst.get()))))
        .child(
            div("risk-what").child(span("risk-node num").text(count)).child(
                title(&id, is_open, press)
                    .text(&first.risk.title)
                    .child(unseen(" of "))
                    .child(unseen(family.clone())),
            ),
        )
        .child(span("risk-do").child(el("strong").text("Do: ")).child(span("").text(&first.risk.action)))
        .child(span("risk-measure muted").text(family))
        .child(time(worst))
        .child(div("risk-cost").child(severity_words(&first.risk.severity)))
        .child(chevron());
    let some = move || members.with(|members| members.iter().take(limit.get()).cloned().collect::<Vec<_>>());
    let left = move || members.with(|members| members.len()).saturating_sub(limit.get());
    el("li").class(move || format!("{} risk-many", class(&worst.get(), is_open.get()))).child(face).child(
        div("risk-fold").attr("id", id).flag("hidden", move || !is_open.get()).when(
            move || is_open.get(),
            move || {
                div("risk-members")
                    .child(with_class("ul", "risk-list").each(
                        some,
                        |risk| key_of(risk),
                        move |risk| risk_row(rows, risk),
                    ))
                    .when(
                        move || left() > 0,
                        move || {
                            button("button risk-more")
                                .on_click(move || limit.update(|limit| *limit += SOME))
                                .text(move || format!("Show more: {} left", left()))
                        },
                    )
            },
        ),
    )
}

/// The button that unfolds; it reaches over the whole line.
fn title(id: &str, is_open: Memo<bool>, press: impl Fn() + 'static) -> El {
    button("risk-name")
        .aria("aria-expanded", move || is_open.get())
        .attr("aria-controls", id.to_owned())
        .on_click(press)
}

fn chevron() -> El {
    span("risk-chevron").child(icon(Icon::Back))
}

/// The value against its bound, as a bar and in words.
fn measure(risk: Memo<Risk>) -> El {
    let space = Memo::new(move |_| risk.with(room));
    span("risk-measure")
        .child(
            span("risk-against num").text(move || risk.with(against)).when(
                move || space.with(Option::is_some),
                move || span("risk-room").text(move || space.get()),
            ),
        )
        .child(bar(Memo::new(move |_| risk.with(Bar::of))))
}

/// The value against its bound; of a value that nobody knows, the bound.
fn against(risk: &Risk) -> String {
    match risk.value {
        None if risk.unit == "bool" => String::new(),
        None => format!("bound {}", number(risk.bound, &risk.unit)),
        Some(_) => against_bound(risk),
    }
}

/// The time left, and how sure that is; else where it is going.
fn time(risk: Memo<Risk>) -> El {
    let now = use_fleet().now();
    let at = Memo::new(move |_| risk.with(breach_at));
    let certainty = move || {
        at.get()?;
        risk.with(|risk| certainty(risk.outlook.as_ref()?, now.get()))
    };
    let words = move || match risk.with(Standing::of) {
        Standing::Over => "now",
        Standing::Blind => "cannot be told",
        _ => "",
    };
    span("risk-time")
        .when(
            move || at.with(Option::is_some),
            move || group().child(unseen("breach in ")).child(timer("risk-left num", move || at.get())),
        )
        .when(move || at.with(Option::is_none), move || span("risk-left risk-left-none").text(words))
        .child(span("risk-sure num").text(certainty))
}

/// How bad a breach is, and what it costs.
fn cost(risk: Memo<Risk>) -> El {
    let severity = Memo::new(move |_| risk.with(|risk| risk.severity.clone()));
    let amount = move || {
        risk.with(|risk| {
            let of =
                risk.stake.as_ref().filter(|of| of.amount.contains(|digit| matches!(digit, '1'..='9')))?;
            // Wide numbers may be broken between their groups.
            Some(format!("{} at stake", stake(of).replace(',', ",\u{200b}")))
        })
    };
    div("risk-cost")
        .live(move || Some(severity_words(&severity.get())))
        .child(span("risk-stake num").text(amount))
}

fn class(risk: &Risk, is_open: bool) -> String {
    let standing = Standing::of(risk);
    let kind = match standing {
        Standing::Over => "risk-over",
        Standing::Approaching => "risk-approaching",
        Standing::Blind => "risk-blind",
        _ => "risk-quiet",
    };
    let open = if is_open { " risk-open" } else { "" };
    format!("risk-row {kind} {}{open}", state_class(standing.colour(risk)))
}
