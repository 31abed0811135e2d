//! Order that waits: live updates never move what is under the pointer or being read.

use std::sync::Arc;

use leptos::ev::{FocusEvent, PointerEvent};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Node};

use crate::clock::local_now;
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

    /// For `on:pointerenter`.
    pub fn enter(self, event: &PointerEvent) {
        if event.pointer_type() == "mouse" {
            self.pointer.set(true);
        } else {
            self.glance();
        }
    }

    /// For `on:pointerleave`.
    pub fn leave(self) {
        self.pointer.set(false);
    }

    /// For `on:focusin`: only a focus that shows, not that of a click.
    pub fn focus(self, event: &FocusEvent) {
        let shows = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .is_some_and(|target| target.matches(":focus-visible").unwrap_or(false));
        self.focus.set(shows);
    }

    /// For `on:focusout`.
    pub fn blur(self, event: &FocusEvent) {
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
    asked: impl Fn() -> K + Send + Sync + 'static,
    reading: Signal<bool>,
) -> RwSignal<Arc<T>>
where
    T: Send + Sync + 'static,
    K: PartialEq + 'static,
{
    let shown = RwSignal::new(latest.get_untracked());
    Effect::new(move |before: Option<K>| {
        let (latest, asked, reading) = (latest.get(), asked(), reading.get());
        if !reading || before.as_ref() != Some(&asked) {
            shown.set(latest);
        }
        asked
    });
    shown
}
