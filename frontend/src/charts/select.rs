//! Reading and zooming by pointer, finger and keyboard, for whatever lies along the axis of time: a drag along it
//! selects, and what is selected is shown alone. One finger reads and two fingers zoom ([`super::pinch`]). Across it
//! a finger scrolls the page, as the style sheet says (`touch-action: pan-y`).

use std::rc::Rc;

use fleetglass_shared::health::UnixMillis;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, KeyboardEvent, PointerEvent};

use super::board::Board;
use super::pinch::{Finger, Pinch};
use super::series::Grid;
use crate::dom::El;

/// A pointer that moved less has pressed, not dragged.
const LEAST_DRAG: f64 = 8.0;
/// Steps of the keys for far ways.
const FAR: usize = 10;

/// A part of the page along the axis of time.
#[derive(Clone)]
pub struct Surface {
    /// The board of the page.
    pub board: Board,
    /// The pointer or the focus is in this part.
    pub active: RwSignal<bool>,
    /// What readers are told.
    pub spoken: RwSignal<String>,
    /// The time so many pixels from the left edge.
    pub time_at: Rc<dyn Fn(f64) -> Option<UnixMillis>>,
    /// The times that can be read; none while there is nothing to read.
    pub grid: Rc<dyn Fn() -> Option<Grid>>,
    /// What there is at a time, in words.
    pub reading: Rc<dyn Fn(UnixMillis) -> String>,
}

/// A pointer that was pressed.
#[derive(Clone, Copy)]
struct Press {
    /// Where, in pixels of the window.
    x: f64,
    at: UnixMillis,
    pointer: i32,
}

/// What is pressed.
#[derive(Clone, Default)]
struct Pressed {
    /// A mouse or a pen, which selects.
    press: Option<Press>,
    /// Fingers: one reads, two zoom.
    pinch: Pinch,
}

impl Surface {
    /// Makes an element readable. None of the listeners holds it.
    pub fn on(self, place: El) -> El {
        let pressed = StoredValue::new(Pressed::default());
        let (down, moved, up, keys) = (self.clone(), self.clone(), self.clone(), self.clone());
        let board = self.board;
        let give_up = move || {
            pressed.set_value(Pressed::default());
            board.select(None);
        };
        place
            .attr("tabindex", "0")
            .on("pointerdown", move |event: PointerEvent| {
                let Some(at) = down.read(&event) else { return };
                let (x, pointer) = (f64::from(event.client_x()), event.pointer_id());
                if is_finger(&event) {
                    pressed.update_value(|pressed| pressed.pinch.touch(Finger { pointer, x, at }));
                } else if event.button() == 0 && event.is_primary() {
                    pressed.update_value(|pressed| pressed.press = Some(Press { x, at, pointer }));
                }
            })
            .on("pointermove", move |event: PointerEvent| {
                let Some(at) = moved.read(&event) else { return };
                let (x, pointer) = (f64::from(event.client_x()), event.pointer_id());
                if is_finger(&event) {
                    let Some(grid) = untrack(|| (moved.grid)()) else { return };
                    let span = pressed.try_update_value(|pressed| pressed.pinch.moved(pointer, x, grid));
                    if let Some(span) = span.flatten() {
                        board.select(Some(span));
                    }
                    return;
                }
                let press = pressed.with_value(|pressed| pressed.press);
                let Some(press) = press.filter(|press| press.pointer == pointer) else { return };
                let selecting = board.selection.get_untracked().is_some();
                if selecting || (x - press.x).abs() >= LEAST_DRAG {
                    if !selecting {
                        capture(&event);
                    }
                    board.select(Some((press.at, at)));
                }
            })
            .on("pointerup", move |_: PointerEvent| {
                let was_pressed =
                    pressed.with_value(|pressed| pressed.press.is_some() || pressed.pinch.is_on());
                pressed.set_value(Pressed::default());
                if was_pressed {
                    up.zoom();
                }
            })
            // The finger scrolls the page instead: it was not to read.
            .on("pointercancel", move |_: PointerEvent| {
                give_up();
                board.hover(None);
            })
            .on("pointerleave", move |event: PointerEvent| {
                // A finger that is lifted leaves its value to be read.
                if event.pointer_type() == "mouse" {
                    self.active.set(false);
                    board.hover(None);
                }
            })
            .on("blur", move |_: Event| {
                self.active.set(false);
                board.hover(None);
                give_up();
            })
            .on("keydown", move |event: KeyboardEvent| {
                if keys.hear(&event) {
                    event.prevent_default();
                } else if event.key() == "Escape" {
                    give_up();
                }
            })
    }

    /// Puts the crosshair under the pointer; gives the exact time there.
    fn read(&self, event: &PointerEvent) -> Option<UnixMillis> {
        let place = event.current_target()?.dyn_into::<Element>().ok()?;
        let at = (self.time_at)(f64::from(event.client_x()) - place.get_bounding_client_rect().left())?;
        let grid = untrack(|| (self.grid)())?;
        self.board.activate(self.active);
        self.board.hover(Some(nearest(grid, at)));
        Some(at)
    }

    /// Shows what is selected, if anything is.
    fn zoom(&self) -> bool {
        let Some((from, to)) = self.board.selection.get_untracked() else { return false };
        self.board.select(None);
        if from != to {
            self.board.zoom(from, to);
        }
        true
    }

    /// Whether a key means something here; then it was heard.
    fn hear(&self, event: &KeyboardEvent) -> bool {
        let board = self.board;
        let Some(grid) = untrack(|| (self.grid)()) else { return false };
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return false;
        }
        if event.key() == "Enter" {
            return self.zoom();
        }
        let selection = board.selection.get_untracked();
        if event.key() == "Escape" && selection.is_some() {
            board.select(None);
            self.spoken.set("Nothing is selected".to_owned());
            return true;
        }
        let here = board.hovered.get_untracked();
        let Some(at) = moved(here, grid, &event.key()) else { return false };
        board.activate(self.active);
        board.hover(at);
        let Some(at) = at else {
            self.spoken.set(String::new());
            return true;
        };
        let mut words = untrack(|| (self.reading)(at));
        if event.shift_key() && board.zooms() {
            let from = selection.map_or(here.unwrap_or(at), |(from, _)| from);
            board.select(Some((from, at)));
            let length = fleetglass_shared::format::duration_ms((at - from).abs());
            words = format!("{length} selected, Enter shows them alone. {words}");
        } else {
            board.select(None);
        }
        self.spoken.set(words);
        true
    }
}

fn is_finger(event: &PointerEvent) -> bool {
    event.pointer_type() == "touch"
}

/// From here on the pointer belongs to the element, wherever it goes.
fn capture(event: &PointerEvent) {
    if let Some(place) = event.current_target().and_then(|target| target.dyn_into::<Element>().ok()) {
        // Refused for a pointer that is gone already.
        let _ = place.set_pointer_capture(event.pointer_id());
    }
}

/// The time of the grid next to a time.
fn nearest(grid: Grid, at: UnixMillis) -> UnixMillis {
    let last = grid.len().saturating_sub(1);
    grid.time((grid.place(at).round().max(0.0) as usize).min(last))
}

/// Where a key moves the crosshair: `None` when the key means nothing here, `Some(None)` when it goes away.
fn moved(from: Option<UnixMillis>, grid: Grid, key: &str) -> Option<Option<UnixMillis>> {
    let last = grid.len().checked_sub(1)?;
    let here = from.and_then(|at| grid.index(at));
    let left = |step: usize| here.map_or(last, |index| index.saturating_sub(step));
    let right = |step: usize| here.map_or(last, |index| (index + step).min(last));
    let index = match key {
        "ArrowLeft" => left(1),
        "ArrowRight" => right(1),
        "PageUp" => left(FAR),
        "PageDown" => right(FAR),
        "Home" => 0,
        "End" => last,
        "Escape" => return from.map(|_| None),
        _ => return None,
    };
    Some(Some(grid.time(index)))
}

#[cfg(test)]
mod tests {
    use super::{Grid, moved, nearest};

    const GRID: Grid = Grid { start: 0, end: 150_000, step: 15_000 };

    #[test]
    fn keys_walk_over_the_grid_and_stay_on_it() {
        for (from, key, to) in [
            (None, "ArrowLeft", Some(Some(150_000))),
            (Some(150_000), "ArrowLeft", Some(Some(135_000))),
            (Some(150_000), "ArrowRight", Some(Some(150_000))),
            (Some(15_000), "PageUp", Some(Some(0))),
            (Some(0), "PageDown", Some(Some(150_000))),
            (Some(15_000), "End", Some(Some(150_000))),
            (Some(15_000), "Escape", Some(None)),
            (None, "Escape", None),
            (None, "a", None),
        ] {
            assert_eq!(moved(from, GRID, key), to, "{from:?} {key}");
        }
    }

    #[test]
    fn the_crosshair_stands_on_a_time_of_the_grid() {
        for (at, stands) in
            [(-9, 0), (7_000, 0), (8_000, 15_000), (149_000, 150_000), (i64::MAX / 2, 150_000)]
        {
            assert_eq!(nearest(GRID, at), stands, "{at}");
        }
    }
}
