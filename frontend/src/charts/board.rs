//! What all charts of a page share: the crosshair, what is being selected, the range of time, the marks, the
//! colours and when to ask again.

use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, PointerEvent};

use super::marks::Mark;
use super::observe::watch_pixel_ratio;
use super::paint::{Paint, watch_theme};
use super::range::Range;
use super::series::Grid;
use super::times::{SECOND, Zone, zone_label};
use crate::clock;
use crate::dom::on_window;
use crate::route::{Route, use_route};
use crate::state::use_fleet;

/// The charts of one page together.
#[derive(Clone, Copy)]
pub struct Board {
    /// The time under the crosshair.
    pub hovered: RwSignal<Option<UnixMillis>>,
    /// Where a selection began and where it is now.
    pub selection: RwSignal<Option<(UnixMillis, UnixMillis)>>,
    /// What happened, in order of time.
    pub marks: RwSignal<Arc<Vec<Mark>>>,
    /// Goes up when there may be newer values.
    pub refresh: RwSignal<u64>,
    /// From one value of the page's series to the next, in milliseconds.
    pub interval: StoredValue<i64>,
    /// The viewer's zone.
    pub zone: Zone,
    range: Memo<Range>,
    route: Route,
    now: Signal<UnixMillis>,
    /// A person may choose another range by what is selected.
    zooms: bool,
    /// What says that the pointer or the focus is in one part of the page.
    active: StoredValue<Option<RwSignal<bool>>>,
    pub(super) paint: StoredValue<Paint>,
    /// Goes up when the colours or the screen's pixels have changed.
    pub(super) repaint: RwSignal<u64>,
}

impl Board {
    /// Makes the board of a page and hands it down to its charts. Its range is the address's.
    pub fn provide() -> Self {
        Self::make(true)
    }

    /// The same for a page whose charts each have a span of their own: it can be read, not changed.
    pub fn provide_fixed() -> Self {
        Self::make(false)
    }

    /// Whether another range can be chosen.
    pub(super) fn zooms(self) -> bool {
        self.zooms
    }

    fn make(zooms: bool) -> Self {
        let route = use_route();
        let said = move |name| route.query(name);
        let range = move |_: Option<&Range>| {
            Range::parse(said("range").as_deref(), said("from").as_deref(), said("to").as_deref())
        };
        let board = Self {
            hovered: RwSignal::new(None),
            selection: RwSignal::new(None),
            marks: RwSignal::new(Arc::default()),
            refresh: RwSignal::new(0),
            interval: StoredValue::new(15_000),
            zone: clock::zone_offset,
            range: Memo::new(range),
            route,
            now: use_fleet().now(),
            zooms,
            active: StoredValue::new(None),
            paint: StoredValue::new(Paint::read()),
            repaint: RwSignal::new(0),
        };
        provide_context(board);
        watch_theme(board.paint, board.repaint);
        watch_pixel_ratio(board.repaint);
        // After a finger has read a value the crosshair stays; a tap anywhere else takes it away.
        on_window("pointerdown", move |event: PointerEvent| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let in_chart = target
                .is_some_and(|target| target.closest(".chart-plot,.lane-plot").ok().flatten().is_some());
            if !in_chart {
                board.hover(None);
            }
        });
        board
    }

    /// The board of this page.
    pub fn expect() -> Self {
        expect_context()
    }

    /// How much time is shown.
    pub fn range(self) -> Range {
        self.range.get()
    }

    /// Shows another range, in place of the one in the address.
    pub fn choose(self, range: Range) {
        self.leave();
        self.route.replace(&range.query());
    }

    /// Shows another range, from which the browser's Back leads to this one.
    pub fn go(self, range: Range) {
        self.leave();
        if range != self.range.get_untracked() {
            self.route.step(&range.query());
        }
    }

    /// Shows what was selected, up to now at most: what lies ahead holds nothing.
    pub(super) fn zoom(self, from: UnixMillis, to: UnixMillis) {
        let now = self.now.get_untracked().div_euclid(SECOND) * SECOND;
        self.go(Range::between(from.min(now), to.min(now)));
    }

    /// How many ranges Back leads through before it leaves the page.
    pub fn steps(self) -> u32 {
        self.route.steps()
    }

    /// Shows the range before this one.
    pub fn back(self) {
        self.leave();
        self.route.back();
    }

    /// What was pointed at is no longer there.
    fn leave(self) {
        self.hover(None);
        self.select(None);
    }

    /// Puts the crosshair of all charts at a time, or takes it away.
    pub(super) fn hover(self, at: Option<UnixMillis>) {
        // A pointer moves over many pixels of the same time.
        if self.hovered.get_untracked() != at {
            self.hovered.set(at);
        }
    }

    /// The pointer, the finger or the focus is in this part now, and in no other.
    pub(super) fn activate(self, part: RwSignal<bool>) {
        if let Some(before) = self.active.get_value().filter(|before| *before != part) {
            // It may be gone by now.
            before.try_set(false);
        }
        self.active.set_value(Some(part));
        if !part.get_untracked() {
            part.set(true);
        }
    }

    /// Selects from one time to another, or nothing.
    pub(super) fn select(self, span: Option<(UnixMillis, UnixMillis)>) {
        let span = span.filter(|_| self.zooms);
        if self.selection.get_untracked() != span {
            self.selection.set(span);
        }
    }

    /// The times a chart asks for now.
    pub fn grid(self, now: UnixMillis) -> Grid {
        Grid::of(self.range.get_untracked(), self.interval.get_value(), now)
    }

    /// The zone of the times: its name where the browser tells one, and its distance from UTC.
    pub fn zone_name(self, now: UnixMillis) -> String {
        let formatter = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
        let name = js_sys::Reflect::get(&formatter.resolved_options(), &"timeZone".into()).ok();
        let distance = zone_label((self.zone)(now));
        match name.and_then(|name| name.as_string()) {
            Some(name) if name != distance => format!("{} ({distance})", name.replace('_', " ")),
            _ => distance,
        }
    }
}
