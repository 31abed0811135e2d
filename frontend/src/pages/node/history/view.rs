//! The lanes: what the node was over the range, with the crosshair and the zoom of the charts.

use std::rc::Rc;
use std::sync::Arc;

use fleetglass_shared::health::{Status, UnixMillis};
use leptos::prelude::*;

use super::lanes::columns;
use super::load::{History, Known};
use super::ready;
use super::words::{reading, spoken, state_word, summary};
use crate::charts::{Board, Mark, Pin, Sign, Size, Surface, moment_label, near, pins, sign_mark, time_ticks};
use crate::components::status_mark::state_class;
use crate::dom::{El, div, p, span};

/// A column of a lane, in pixels: what is shorter is as wide as that.
const COLUMN: f64 = 3.0;
/// A letter of a label, and the room around it.
const LETTER: f64 = 6.6;
const AROUND: f64 = 12.0;
/// From the crosshair to a mark that it points at, in pixels.
const REACH: f64 = 7.0;

/// The lanes and what they say under the crosshair.
pub(super) fn lanes(known: RwSignal<Known>) -> El {
    let board = Board::expect();
    let held = move || known.with(|known| ready(known).cloned());
    let words_spoken = RwSignal::new(String::new());
    let plot = div("lane-plot")
        .attr("role", "img")
        .attr("aria-label", move || held().map(|history| description(&history, board)).unwrap_or_default());
    let size = Size::of(&plot);
    let (width, wide) = (size.clone(), size);
    let surface = Surface {
        board,
        active: RwSignal::new(false),
        spoken: words_spoken,
        time_at: Rc::new(move |x| {
            let grid = untrack(held)?.grid;
            let share = (x / untrack(|| width.get()).0.max(1.0)).clamp(0.0, 1.0);
            Some(grid.start + (share * grid.length() as f64) as i64)
        }),
        grid: Rc::new(move || Some(held()?.grid)),
        reading: Rc::new(move |at| held().map(|history| read(&history, at, 0, board)).unwrap_or_default()),
    };
    let share = move |at: UnixMillis| {
        let grid = held()?.grid;
        Some(((at - grid.start) as f64 / grid.length().max(1) as f64 * 100.0).clamp(0.0, 100.0))
    };
    // The edge of a selection stands where the crosshair would.
    let cross = move || board.hovered.get().filter(|_| board.selection.get().is_none()).and_then(share);
    let selected = move || {
        let (from, to) = board.selection.get()?;
        Some((share(from.min(to))?, share(from.max(to))?))
    };
    let pixels = wide.clone();
    let plot = surface
        .on(plot)
        .live(move || {
            let (history, width) = (held()?, wide.get().0);
            (width > 0.0).then(|| rows(&history, width, board))
        })
        .when(
            move || cross().is_some(),
            move || div("lane-cross").style("left", move || format!("{}%", cross().unwrap_or_default())),
        )
        .when(
            move || selected().is_some(),
            move || {
                let edge =
                    move |read: fn((f64, f64)) -> f64| move || format!("{}%", selected().map_or(0.0, read));
                div("lane-selection")
                    .style("left", edge(|(from, _)| from))
                    .style("width", edge(|(from, to)| to - from))
            },
        );
    let line = move || {
        let history = held()?;
        let Some(at) = board.hovered.get() else { return Some(summary(&history.lanes, &history.events)) };
        let reach = REACH / pixels.get().0.max(1.0) * history.grid.length() as f64;
        Some(read(&history, at, reach as i64, board))
    };
    div("lanes")
        .child(p("lane-reading num").text(line))
        .child(plot)
        .child(p("sr-only").attr("aria-live", "polite").text(words_spoken))
}

/// What was at a time, and what happened no farther than `reach` from it.
fn read(history: &History, at: UnixMillis, reach: i64, board: Board) -> String {
    let length = history.grid.length();
    let mut words = format!(
        "{} · {}",
        moment_label(at, length, board.zone),
        reading(&history.lanes, at.min(history.now + 1))
    );
    board.marks.with(|marks| {
        for mark in near(marks, at, reach.max(history.grid.step / 2)) {
            // A change of state is said by the state.
            if !matches!(mark.sign, Sign::State(_)) {
                words.push_str(&format!(" · {}", mark.words));
            }
        }
    });
    words
}

/// All lanes in words, for readers that do not see them.
fn description(history: &History, board: Board) -> String {
    let length = history.grid.length();
    let time = |at: UnixMillis| moment_label(at, length, board.zone);
    let lanes = &history.lanes;
    format!(
        "State: {}. Version: {}. Left and right arrow keys read, with Shift they select. A table of all events \
         follows.",
        spoken(&lanes.states, |state| state_word(*state).to_owned(), time),
        spoken(
            &lanes.versions,
            |version| if version.is_empty() { "not known".into() } else { version.clone() },
            time
        ),
    )
}

/// Every lane, and the times below them.
fn rows(history: &Arc<History>, width: f64, board: Board) -> El {
    let (grid, lanes) = (history.grid, &history.lanes);
    let between = (grid.start, grid.end);
    let count = (width / COLUMN) as usize;
    let places = Places { count, width };
    let states = columns(&lanes.states, between, count, |one, other| rank(*one) > rank(*other));
    let states = states.into_iter().map(|(from, to, state)| {
        let class =
            state.map_or("piece piece-unseen".to_owned(), |state| format!("piece {}", state_class(state)));
        places.piece(from, to, class, state_word(state))
    });
    let drained = columns(&lanes.draining, between, count, |(), ()| true);
    let drained: Vec<El> = drained
        .into_iter()
        .map(|(from, to, ())| places.piece(from, to, "piece piece-drain".to_owned(), "↓ draining"))
        .collect();
    // Every second one is darker: two that meet are told apart by more than a line.
    let (mut second, mut before) = (true, String::new());
    let versions = columns(&lanes.versions, between, count, |_, _| true).into_iter();
    let versions = versions.map(|(from, to, version)| {
        let turns = version != before;
        second ^= turns;
        before.clone_from(&version);
        if version.is_empty() {
            return places.piece(from, to, "piece piece-unseen".to_owned(), "not known");
        }
        let class = |on: bool, name: &'static str| if on { name } else { "" };
        let (second, turns) = (class(second, " piece-second"), class(turns, " piece-turn"));
        places.piece(from, to, format!("piece piece-version{second}{turns}"), &version)
    });
    let failing = columns(&lanes.failing, between, count, |_, _| true);
    let failing = failing
        .into_iter()
        .map(|(from, to, words)| places.piece(from, to, "piece piece-failing".to_owned(), &words));
    let marks: Vec<Mark> = board.marks.get_untracked().to_vec();
    let some = |keep: fn(Sign) -> bool| -> Vec<Mark> {
        marks.iter().filter(|mark| keep(mark.sign)).cloned().collect()
    };
    let (restarts, own) = (some(|sign| sign == Sign::Restart), some(Sign::is_own));
    let signs = |marks: &[Mark]| {
        let times: Vec<_> = marks.iter().map(|mark| mark.at).collect();
        let all = pins(&times, grid.start, grid.end, width);
        all.iter().map(|pin| one_pin(pin, marks, between)).collect::<Vec<_>>()
    };
    let ticks = time_ticks(grid.start, grid.end, board.zone, ((width / 68.0) as usize).clamp(2, 10));
    let label = |at: &i64| {
        let share = (at - grid.start) as f64 / grid.length().max(1) as f64 * 100.0;
        span("lane-tick").style("left", format!("{share}%")).text(ticks.label(*at, board.zone))
    };
    div("lane-rows")
        .child(lane("State", "lane lane-state", states))
        .maybe((!drained.is_empty()).then(|| lane("Draining", "lane lane-thin", drained)))
        .child(lane("Version", "lane", versions))
        .child(lane("Restarts", "lane lane-thin", signs(&restarts)))
        .child(lane("Failed scrapes", "lane lane-thin", failing))
        .maybe((!own.is_empty()).then(|| lane("Fleetglass", "lane lane-thin", signs(&own))))
        .child(div("lane-axis num").children(ticks.at.iter().map(label)))
}

/// What leads where several states share a column: the worst; what was seen before what nobody saw.
fn rank(state: Option<Status>) -> u8 {
    match state {
        None => 0,
        Some(Status::Healthy) => 1,
        Some(Status::Unknown) => 2,
        Some(Status::Degraded) => 3,
        Some(Status::Unhealthy) => 4,
        Some(Status::Unreachable) => 5,
    }
}

fn lane(name: &'static str, class: &'static str, pieces: impl IntoIterator<Item = El>) -> El {
    div(class).child(span("lane-name").text(name)).child(div("lane-track").children(pieces))
}

/// The columns of a lane.
#[derive(Clone, Copy)]
struct Places {
    count: usize,
    /// In pixels.
    width: f64,
}

impl Places {
    /// Something from one column up to another, with its word where there is room for it.
    fn piece(self, from: usize, to: usize, class: String, word: &str) -> El {
        let share = |columns: usize| columns as f64 / self.count.max(1) as f64;
        let fits = share(to - from) * self.width >= word.chars().count() as f64 * LETTER + AROUND;
        span("")
            .class(class)
            .style("left", format!("{}%", share(from) * 100.0))
            .style("width", format!("{}%", share(to - from) * 100.0))
            .attr("title", word.to_owned())
            .maybe(fits.then(|| span("piece-word").text(word.to_owned())))
    }
}

fn one_pin(pin: &Pin, marks: &[Mark], (from, to): (UnixMillis, UnixMillis)) -> El {
    let share = (pin.at - from) as f64 / (to - from).max(1) as f64 * 100.0;
    let place = span("lane-pin").style("left", format!("{share}%"));
    match &marks[pin.marks.clone()] {
        [one] => place.attr("title", one.words.clone()).child(sign_mark(one.sign)),
        several => place.child(span("lane-count num").text(several.len().to_string())),
    }
}
