//! Order that waits: live updates never move what is under the pointer or being read.

use std::sync::Arc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, FocusEvent, Node, PointerEvent};

use crate::clock::local_now;
use crate::dom::{El, effect};
use crate::state::use_fleet;

/// A finger's touch or a scroll means reading for so long.
const READING_MS: i64 = 4000;

/// Whether a part of the page is being read.
#[derive(Clone, Copy)]
pub struct Reading {
    pointer: RwSignal<bool>,
    focus: RwSignal<bool>,
    until: RwSignal<i64>,
}

impl Reading {
    /// Nobody reads it yet.
    pub fn new() -> Self {
        Self { pointer: RwSignal::new(false), focus: RwSignal::new(false), until: RwSignal::new(0) }
    }

    /// Whether it is being read now.
    pub fn now(self) -> Signal<bool> {
        let clock = use_fleet().now();
        let touched = Memo::new(move |_| {
            clock.track();
            local_now() < self.until.get()
        });
        Signal::derive(move || self.pointer.get() || self.focus.get() || touched.get())
    }

    /// Hears whether a part of the page is being read.
    pub fn watch(self, part: El) -> El {
        part.on("pointerenter", move |event| self.enter(&event))
            .on("pointerleave", move |_: Event| self.pointer.set(false))
            .on("focusin", move |event| self.focus(&event))
            .on("focusout", move |event| self.blur(&event))
    }

    fn enter(self, event: &PointerEvent) {
        if event.pointer_type() == "mouse" {
            self.pointer.set(true);
        } else {
            self.glance();
        }
    }

    /// Only a focus that shows, not that of a click.
    fn focus(self, event: &FocusEvent) {
        let shows = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .is_some_and(|target| target.matches(":focus-visible").unwrap_or(false));
        self.focus.set(shows);
    }

    fn blur(self, event: &FocusEvent) {
        let inside = event
            .current_target()
            .and_then(|list| list.dyn_into::<Node>().ok())
            .zip(event.related_target().and_then(|to| to.dyn_into::<Node>().ok()))
            .is_some_and(|(list, to)| list.contains(Some(&to)));
        if !inside {
            self.focus.set(false);
        }
    }

    /// A touch or a scroll.
    pub fn glance(self) {
        self.until.set(local_now() + READING_MS);
    }
}

/// The newest value and the one shown; the shown one follows unless it is being read, or `asked`
/// changed: then the person wants to see it move.
pub fn held<T, K>(
    latest: Signal<Arc<T>>,
    asked: impl Fn() -> K + 'static,
    reading: Signal<bool>,
) -> RwSignal<Arc<T>>
where
    T: Send + Sync + 'static,
    K: PartialEq + 'static,
{
    let shown = RwSignal::new(latest.get_untracked());
    let mut before = None;
    effect(move || {
        let (latest, now, reading) = (latest.get(), Some(asked()), reading.get());
        if !reading || before != now {
            shown.set(latest);
        }
        before = now;
    });
    shown
}
