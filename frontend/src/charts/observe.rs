//! What the browser tells about an element: its size, whether it is in view, and how many pixels a pixel has.

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;
use web_sys::{
    Event, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit, ResizeObserver,
    ResizeObserverEntry,
};

use crate::dom::{El, on_window};

/// The width and height of an element in CSS pixels; zero until it is laid out.
#[derive(Clone)]
pub struct Size {
    now: Rc<Cell<(f64, f64)>>,
    turn: RwSignal<u64>,
}

impl Size {
    /// Watches an element.
    pub fn of(element: &El) -> Self {
        let size = Self { now: Rc::default(), turn: RwSignal::new(0) };
        let told = size.clone();
        let changed = each_entry(Box::new(move |entry| {
            let rect = entry.unchecked_into::<ResizeObserverEntry>().content_rect();
            let now = (rect.width(), rect.height());
            if told.now.replace(now) != now {
                told.turn.try_update(|turn| *turn += 1);
            }
        }));
        if let Ok(observer) = ResizeObserver::new(changed.as_ref().unchecked_ref()) {
            observer.observe(element.element());
            at_end(Box::new(move || {
                observer.disconnect();
                drop(changed);
            }));
        }
        size
    }

    /// The size now; whoever asks is told when it changes.
    pub fn get(&self) -> (f64, f64) {
        self.turn.track();
        self.now.get()
    }
}

/// Keeps `in_view` true while an element is on the screen, or less than 200 pixels from it.
pub fn keep_in_view(element: &El, in_view: RwSignal<bool>) {
    let changed = each_entry(Box::new(move |entry| {
        let seen = entry.unchecked_into::<IntersectionObserverEntry>().is_intersecting();
        if in_view.try_get_untracked().is_some_and(|held| held != seen) {
            in_view.set(seen);
        }
    }));
    let options = IntersectionObserverInit::new();
    options.set_root_margin("200px");
    let callback = changed.as_ref().unchecked_ref();
    if let Ok(observer) = IntersectionObserver::new_with_options(callback, &options) {
        observer.observe(element.element());
        at_end(Box::new(move || {
            observer.disconnect();
            drop(changed);
        }));
    }
}

/// What an observer calls.
fn each_entry(hear: Box<dyn Fn(JsValue)>) -> Closure<dyn FnMut(js_sys::Array)> {
    Closure::new(move |entries: js_sys::Array| entries.iter().for_each(&hear))
}

/// Runs when the owner ends; what it holds lives until then.
pub(super) fn at_end(end: Box<dyn FnOnce()>) {
    // There is one thread only, which is what the wrapper asks for.
    let end = SendWrapper::new(end);
    on_cleanup(move || end.take()());
}

/// Tells when the page is zoomed or moved to a screen with other pixels.
pub fn watch_pixel_ratio(changed: RwSignal<u64>) {
    let ratio = Cell::new(window().device_pixel_ratio());
    on_window("resize", move |_: Event| {
        let now = window().device_pixel_ratio();
        if ratio.replace(now) != now {
            changed.try_update(|count| *count += 1);
        }
    });
}

/// Runs work in the next frame, once however often it is asked for before that.
#[derive(Clone, Copy)]
pub struct Frame(StoredValue<bool>);

impl Frame {
    /// Nothing asked for yet.
    pub fn new() -> Self {
        Self(StoredValue::new(false))
    }

    /// Asks for the work; dropped when the owner is gone by then.
    pub fn request(self, work: Box<dyn FnOnce()>) {
        if self.0.try_get_value() != Some(false) {
            return;
        }
        self.0.set_value(true);
        request_animation_frame(move || {
            if self.0.try_update_value(|pending| *pending = false).is_some() {
                work();
            }
        });
    }
}
