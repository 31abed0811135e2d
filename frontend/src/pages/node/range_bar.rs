//! How much time the charts and the lanes show: the choices, following the time, a step back. It stays in sight
//! while the charts scroll.

use fleetglass_shared::format::duration_ms;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, PointerEvent};

use super::range_form::range_form;
use crate::charts::{Board, CHOICES, Range, span_label};
use crate::components::media::use_screen;
use crate::dom::{El, button, div, drawing, effect, el, on_window, p, span};
use crate::state::use_fleet;

const BUTTON: &str = "range-button";
const MENU: &str = "range-menu";
const MINUTE: i64 = 60_000;

/// The bar. On a phone the choices fold into a menu.
pub fn range_bar() -> El {
    let board = Board::expect();
    let phone = use_screen().phone;
    let open = RwSignal::new(false);
    // Once a minute is enough for words without seconds.
    let fleet = use_fleet();
    let minute = Memo::new(move |_| fleet.now().get() / MINUTE * MINUTE);
    let now = move || fleet.now().get_untracked();
    let title = move || board.range().title(now(), board.zone);
    let chosen = move |range: Range| {
        open.set(false);
        board.choose(range);
    };
    // What the pressed button does not say: when that is, or how long.
    let between = move || match board.range() {
        Range::Last(millis) => span_label(minute.get() - millis, minute.get(), minute.get(), board.zone),
        Range::Between(from, to) => format!("{} shown", duration_ms(to - from)),
    };
    let is_custom = move || !CHOICES.iter().any(|(millis, ..)| board.range() == Range::Last(*millis));
    let menu_words = move || if phone.get() || is_custom() { title() } else { "Custom".to_owned() };
    let menu_button = button("choice range-button")
        .attr("id", BUTTON)
        .attr("aria-haspopup", "dialog")
        .aria("aria-expanded", move || open.get())
        .aria("aria-pressed", is_custom)
        .attr("aria-label", move || match (menu_words(), title()) {
            (words, title) if words == title => format!("Time range: {title}"),
            (words, title) => format!("Time range: {words}, now {title}"),
        })
        .on_click(move || open.update(|open| *open = !*open))
        .child(span("range-words num").text(menu_words))
        .child(drawing("icon range-arrow", "0 0 20 20", "M6 8l4 4 4-4"));
    let choices = div("choices")
        .attr("role", "group")
        .attr("aria-label", "Time shown")
        .children(CHOICES.map(|(millis, _, words)| {
            let range = Range::Last(millis);
            button("choice range-choice")
                .aria("aria-pressed", move || board.range() == range)
                .on_click(move || chosen(range))
                .text(words)
        }))
        .child(menu_button);
    let back = move || {
        button("icon-button range-back")
            .attr("aria-label", "Step back to the range before")
            .attr("title", "Step back to the range before")
            .on_click(move || board.back())
            .child(drawing("icon", "0 0 20 20", "M7.5 4.5L3.5 8.5l4 4M4 8.5h7.5a4.5 4.5 0 0 1 0 9H8"))
    };
    let controls = div("range-controls")
        .when(move || board.steps() > 0, back)
        .child(choices)
        .child(follow_button(board))
        .when(move || open.get(), move || menu(board, phone, open));
    close_from_outside(open);
    focus_with(open, phone);
    div("range-bar")
        .attr("role", "group")
        .attr("aria-label", "Time range")
        .child(
            p("range-span num")
                .text(between)
                .child(span("zone").text(format!(" · {}", board.zone_name(now())))),
        )
        .child(controls)
}

/// Whether the range goes on with the time: pressed it holds what is shown, or comes up to now.
fn follow_button(board: Board) -> El {
    let now = use_fleet().now();
    // A memo: one that lies ahead ends one day.
    let ends_ahead = Memo::new(move |_| board.range().follows(now.get()));
    let follows = move || ends_ahead.get();
    let words = move || match follows() {
        true => "Follows the time. Press to hold what is shown.",
        false => "Holds still. Press to show as much up to now.",
    };
    let press = move || {
        let (range, now) = (untrack(|| board.range()), now.get_untracked());
        board.go(match range {
            Range::Last(_) => {
                let (from, to) = range.at(now);
                Range::between(from, to)
            }
            // In whole minutes: nobody asks for the last 37 min 21 s.
            Range::Between(..) => Range::last((range.millis() + MINUTE - 1) / MINUTE * MINUTE),
        });
    };
    button("choice range-live")
        .aria("aria-pressed", follows)
        .attr("title", words)
        .on_click(press)
        .child(span("range-dot").attr("aria-hidden", "true"))
        .text("Live")
}

/// The choices again, for a phone, and the form for any other range.
fn menu(board: Board, phone: Signal<bool>, open: RwSignal<bool>) -> El {
    let choice = move |(millis, _, words): (i64, &str, &'static str)| {
        let range = Range::Last(millis);
        let choose = move || {
            board.choose(range);
            open.set(false);
        };
        el("li").child(
            button("range-item")
                .aria("aria-pressed", move || board.range() == range)
                .on_click(choose)
                .text(format!("Last {words}")),
        )
    };
    let hear = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            open.set(false);
        }
    };
    div("range-menu")
        .attr("id", MENU)
        .attr("role", "dialog")
        .attr("aria-label", "Time range")
        .attr("tabindex", "-1")
        .on("keydown", hear)
        .when(move || phone.get(), move || el("ul").class("range-items").children(CHOICES.map(choice)))
        .child(range_form(board, open))
}

/// A press anywhere else closes the menu, and Escape wherever the focus is.
fn close_from_outside(open: RwSignal<bool>) {
    on_window("keydown", move |event: KeyboardEvent| {
        if event.key() == "Escape" && open.get_untracked() {
            open.set(false);
        }
    });
    on_window("pointerdown", move |event: PointerEvent| {
        if !open.get_untracked() {
            return;
        }
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let inside = format!("#{BUTTON},#{MENU}");
        if target.is_none_or(|target| target.closest(&inside).ok().flatten().is_none()) {
            open.set(false);
        }
    });
}

/// The focus goes into the menu with it, and back to its button.
fn focus_with(open: RwSignal<bool>, phone: Signal<bool>) {
    let mut was_open = false;
    effect(move || {
        let is_open = open.get();
        if is_open != was_open {
            was_open = is_open;
            // On a phone a field with the focus would bring the keyboard up.
            let id = match (is_open, phone.get_untracked()) {
                (true, false) => "range-from",
                (true, true) => MENU,
                (false, _) => BUTTON,
            };
            request_animation_frame(move || focus(id, is_open));
        }
    });
}

fn focus(id: &str, is_open: bool) {
    let lost = document().active_element().is_none_or(|element| element.tag_name() == "BODY");
    // Closed by a press elsewhere, the focus is where the person wants it.
    if is_open || lost {
        let element =
            document().get_element_by_id(id).and_then(|element| element.dyn_into::<HtmlElement>().ok());
        if let Some(element) = element {
            let _ = element.focus();
        }
    }
}
