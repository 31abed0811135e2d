//! The lists of risks: those that need a person, those that nobody can see, and, folded, those that are quiet.

use std::sync::Arc;

use leptos::prelude::*;

use super::listing::{Line, Listing, key};
use super::row::{Rows, many_row, risk_row};
use super::standing::Standing;
use super::view::{Show, View};
use crate::components::icon::{Icon, icon};
use crate::components::notice::empty;
use crate::components::words::{counted, whole};
use crate::dom::{El, button, div, effect, group, p, span, with_class};
use crate::state::order::changes as moves;

/// As many lines stand in the page at first, and so many more come with each press.
const LINES: usize = 100;

/// A part of the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Urgent,
    Blind,
    Quiet,
}

impl Part {
    fn lines(self, listing: &Listing) -> &[Line] {
        match self {
            Self::Urgent => &listing.urgent,
            Self::Blind => &listing.blind,
            Self::Quiet => &listing.quiet,
        }
    }

    fn id(self) -> &'static str {
        match self {
            Self::Urgent => "risks-urgent",
            Self::Blind => "risks-blind",
            Self::Quiet => "risks-quiet",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Urgent => "Over the bound, on the way there, or near it",
            Self::Blind => "Not exposed by their nodes",
            Self::Quiet => "Quiet",
        }
    }
}

/// The lists; each is there while it holds something.
pub fn lists(view: RwSignal<View>, rows: Rows) -> El {
    let shown = rows.shown;
    let any = move |part: Part| move || shown.with(|shown| !part.lines(shown).is_empty());
    let chosen = RwSignal::new(None::<bool>);
    let asked = Memo::new(move |_| view.get());
    // Whoever asks for quiet ones, or for one node or word, wants to see them.
    let unfolds = move || {
        asked.with(|view| view.show == Show::Quiet || !view.node.is_empty() || !view.filter.trim().is_empty())
    };
    let unfolded = Memo::new(move |_| chosen.get().unwrap_or_else(unfolds));
    effect(move || {
        asked.track();
        chosen.set(None);
    });
    group()
        .when(any(Part::Urgent), move || section(rows, Part::Urgent))
        .when(any(Part::Blind), move || section(rows, Part::Blind))
        .when(any(Part::Quiet), move || quiet(shown, unfolded, chosen))
        .when(move || any(Part::Quiet)() && unfolded.get(), move || section(rows, Part::Quiet))
}

/// A list with its head.
fn section(rows: Rows, part: Part) -> El {
    let limit = RwSignal::new(LINES);
    let shown = rows.shown;
    let lines =
        move || shown.with(|shown| part.lines(shown).iter().take(limit.get()).cloned().collect::<Vec<_>>());
    let left = move || shown.with(|shown| part.lines(shown).len()).saturating_sub(limit.get());
    let head = with_class("h2", "risk-head").attr("id", part.id()).text(part.title());
    let make = move |line: Line| match line {
        Line::One(risk) => risk_row(rows, risk),
        Line::Many(_) => many_row(rows, line.key()),
    };
    let id = move |line: &Line| match line {
        Line::One(risk) => format!("1 {}", key(risk)),
        Line::Many(_) => format!("2 {}", line.key()),
    };
    with_class("section", "risk-section")
        .attr("aria-labelledby", part.id())
        .child(if part == Part::Blind { head } else { head.class("risk-head sr-only") })
        .child(with_class("ul", "risk-list risk-frame").each(lines, id, make))
        .when(
            move || left() > 0,
            move || {
                button("button risk-more")
                    .on_click(move || limit.update(|limit| *limit += LINES))
                    .text(move || format!("Show more: {} left", whole(left())))
            },
        )
}

/// The quiet ones in one line.
fn quiet(shown: RwSignal<Arc<Listing>>, unfolded: Memo<bool>, chosen: RwSignal<Option<bool>>) -> El {
    let counts = Memo::new(move |_| shown.with(|shown| by_standing(&shown.quiet)));
    let words = move || {
        let [steady, recovering, unclear] = counts.get();
        let all = counted(steady + recovering + unclear, "quiet risk", "quiet risks");
        let parts =
            [(steady, "steady"), (recovering, "recovering"), (unclear, "with too little data to tell")];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{} {word}", whole(count)))
            .collect();
        format!("{all}: {}", parts.join(", "))
    };
    div("risk-quiet-line").child(icon(Icon::Check)).child(p("risk-quiet-words num").text(words)).child(
        button("button button-quiet")
            .aria("aria-expanded", move || unfolded.get())
            .on_click(move || chosen.set(Some(!unfolded.get_untracked())))
            .text(move || if unfolded.get() { "Hide" } else { "Show" })
            .child(span("sr-only").text(" the quiet risks")),
    )
}

/// Steady, recovering, too little data.
fn by_standing(lines: &[Line]) -> [usize; 3] {
    let mut counts = [0; 3];
    let mut count = |standing: Standing, nodes: usize| match standing {
        Standing::Recovering => counts[1] += nodes,
        Standing::Unclear => counts[2] += nodes,
        _ => counts[0] += nodes,
    };
    for line in lines {
        match line {
            Line::One(risk) => count(Standing::of(&risk.risk), 1),
            Line::Many(risks) => {
                if let Some(first) = risks.first() {
                    count(Standing::of(&first.risk), risks.len());
                }
            }
        }
    }
    counts
}

/// How many lines came, or stand elsewhere, since what is shown was made.
pub fn changes(latest: &Arc<Listing>, shown: &Arc<Listing>) -> usize {
    if Arc::ptr_eq(latest, shown) {
        return 0;
    }
    let (latest, shown) = (latest.keys(), shown.keys());
    moves(shown.iter().map(String::as_str), latest.iter().map(String::as_str))
}

/// Why nothing is listed.
pub fn nothing(view: RwSignal<View>) -> El {
    let words = move || match view.with(|view| view.show) {
        Show::Over => "No risk is over its bound.",
        Show::Approaching => "No risk is on its way to its bound.",
        Show::Near => "No risk stands near its bound.",
        Show::Blind => "Every risk is exposed by its node.",
        Show::Quiet => "No risk is quiet.",
        Show::All => "No risk matches.",
    };
    let others = move || view.with(|view| View { show: Show::All, ..view.clone() }.is_narrow());
    group()
        .when(others, move || {
            empty("No risk matches", "Nothing here is of this kind and holds these words.")
                .child(button("button").on_click(move || view.set(View::default())).text("Show all risks"))
        })
        .when(
            move || !others(),
            move || {
                p("all-well risks-none").child(icon(Icon::Check)).child(span("all-well-words").text(words))
            },
        )
}
