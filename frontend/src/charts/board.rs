//! What all charts of a page share: the crosshair, the colours, the window of time and when to ask again.

use fleetglass_shared::health::UnixMillis;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, PointerEvent};

use super::observe::watch_pixel_ratio;
use super::paint::{Paint, watch_theme};
use super::scale::zone_label;
use super::series::Grid;
use crate::dom::on_window;

/// More times than this are not asked for: a chart is a few hundred pixels wide.
const MOST_POINTS: i64 = 240;

/// How much time the charts of a page show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// The last quarter of an hour.
    Quarter,
    /// The last hour: all that the proxy keeps in memory.
    #[default]
    Hour,
}

impl Window {
    /// Every choice, in the order of the buttons.
    pub const ALL: [Self; 2] = [Self::Quarter, Self::Hour];

    /// The word in the address of the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quarter => "15m",
            Self::Hour => "1h",
        }
    }

    /// The word on the button.
    pub fn title(self) -> &'static str {
        match self {
            Self::Quarter => "15 min",
            Self::Hour => "1 h",
        }
    }

    /// What a word in an address means; what it does not know is the default.
    pub fn parse(word: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|window| Some(window.as_str()) == word).unwrap_or_default()
    }

    /// Its length in milliseconds.
    pub fn millis(self) -> i64 {
        match self {
            Self::Quarter => 15 * 60_000,
            Self::Hour => 60 * 60_000,
        }
    }
}

/// The charts of one page together.
#[derive(Clone, Copy)]
pub struct Board {
    /// The time under the crosshair.
    pub hovered: RwSignal<Option<UnixMillis>>,
    /// Goes up when there may be newer values.
    pub refresh: RwSignal<u64>,
    /// From one value of the page's series to the next, in milliseconds.
    pub interval: StoredValue<i64>,
    /// How far the viewer's zone is ahead of UTC, in milliseconds.
    pub offset: i64,
    /// The word for the window of time, from the page's address.
    range: Memo<String>,
    pub(super) paint: StoredValue<Paint>,
    /// Goes up when the colours or the screen's pixels have changed.
    pub(super) repaint: RwSignal<u64>,
}

impl Board {
    /// Makes the board of a page and hands it down to its charts.
    pub fn provide(range: Memo<String>) -> Self {
        let board = Self {
            hovered: RwSignal::new(None),
            refresh: RwSignal::new(0),
            interval: StoredValue::new(15_000),
            offset: crate::clock::zone_offset(),
            range,
            paint: StoredValue::new(Paint::read()),
            repaint: RwSignal::new(0),
        };
        provide_context(board);
        watch_theme(board.paint, board.repaint);
        watch_pixel_ratio(board.repaint);
        // After a finger has read a value the crosshair stays; a tap anywhere else takes it away.
        on_window("pointerdown", move |event: PointerEvent| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let in_chart =
                target.is_some_and(|target| target.closest(".chart-plot").ok().flatten().is_some());
            if !in_chart {
                board.hover(None);
            }
        });
        board
    }

    /// How much time is shown.
    pub fn window(self) -> Window {
        self.range.with(|range| Window::parse(Some(range)))
    }

    /// Puts the crosshair of all charts at a time, or takes it away.
    pub(super) fn hover(self, at: Option<UnixMillis>) {
        // A pointer moves over many pixels of the same time.
        if self.hovered.get_untracked() != at {
            self.hovered.set(at);
        }
    }

    /// The board of this page.
    pub fn expect() -> Self {
        expect_context()
    }

    /// The times a chart asks for now: as close as the values are, but no more than it has use for.
    pub fn grid(self, now: UnixMillis) -> Grid {
        let window = untrack(|| self.window()).millis();
        let step = self.interval.get_value().max(window / MOST_POINTS);
        // Whole seconds: what Prometheus's API takes without a fraction.
        Grid::last(window, (step + 999) / 1000 * 1000, now)
    }

    /// The zone of the times: its name where the browser tells one, and its distance from UTC.
    pub fn zone(self) -> String {
        let formatter = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
        let name = js_sys::Reflect::get(&formatter.resolved_options(), &"timeZone".into()).ok();
        let distance = zone_label(self.offset);
        match name.and_then(|name| name.as_string()) {
            Some(name) if name != distance => format!("{} ({distance})", name.replace('_', " ")),
            _ => distance,
        }
    }
}
