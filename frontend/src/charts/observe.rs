//! What the browser tells about an element: its size, whether it is in view, and how many pixels a pixel has.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{
    Element, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit, ResizeObserver,
};

/// The width and height of an element in CSS pixels; zero until it is laid out.
pub fn use_size(element: Signal<Option<Element>, LocalStorage>) -> Signal<(f64, f64)> {
    let size = RwSignal::new((0.0, 0.0));
    let changed = Closure::<dyn FnMut(js_sys::Array)>::new(move |entries: js_sys::Array| {
        for entry in entries.iter() {
            let rect = entry.unchecked_into::<web_sys::ResizeObserverEntry>().content_rect();
            let now = (rect.width(), rect.height());
            if size.try_get_untracked().is_some_and(|held| held != now) {
                size.set(now);
            }
        }
    });
    let observer = ResizeObserver::new(changed.as_ref().unchecked_ref()).ok();
    watch(element, observer.clone(), ResizeObserver::observe);
    let kept = StoredValue::new_local((changed, observer));
    on_cleanup(move || kept.with_value(|(_, observer)| observer.iter().for_each(ResizeObserver::disconnect)));
    size.into()
}

/// Keeps `in_view` true while an element is on the screen, or less than 200 pixels from it.
pub fn keep_in_view(element: Signal<Option<Element>, LocalStorage>, in_view: RwSignal<bool>) {
    let changed = Closure::<dyn FnMut(js_sys::Array)>::new(move |entries: js_sys::Array| {
        for entry in entries.iter() {
            let seen = entry.unchecked_into::<IntersectionObserverEntry>().is_intersecting();
            if in_view.try_get_untracked().is_some_and(|held| held != seen) {
                in_view.set(seen);
            }
        }
    });
    let options = IntersectionObserverInit::new();
    options.set_root_margin("200px");
    let observer = IntersectionObserver::new_with_options(changed.as_ref().unchecked_ref(), &options).ok();
    watch(element, observer.clone(), IntersectionObserver::observe);
    let kept = StoredValue::new_local((changed, observer));
    on_cleanup(move || {
        kept.with_value(|(_, observer)| observer.iter().for_each(IntersectionObserver::disconnect))
    });
}

fn watch<O: 'static>(
    element: Signal<Option<Element>, LocalStorage>,
    observer: Option<O>,
    observe: fn(&O, &Element),
) {
    let observer = StoredValue::new_local(observer);
    Effect::new(move |_| {
        if let Some(element) = element.get() {
            observer.with_value(|observer| observer.iter().for_each(|observer| observe(observer, &element)));
        }
    });
}

/// Device pixels for a CSS pixel: changes when the page is zoomed or moved to another screen.
pub fn use_pixel_ratio() -> Signal<f64> {
    let ratio = RwSignal::new(window().device_pixel_ratio());
    let listener = window_event_listener(leptos::ev::resize, move |_| {
        let now = window().device_pixel_ratio();
        if ratio.try_get_untracked().is_some_and(|held| held != now) {
            ratio.set(now);
        }
    });
    on_cleanup(move || listener.remove());
    ratio.into()
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
    pub fn request(self, work: impl FnOnce() + 'static) {
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
