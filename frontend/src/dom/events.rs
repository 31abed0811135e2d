//! Listeners on elements and on the window, and effects: each boxed at once, so that there is one of each.

use leptos::prelude::*;
use leptos::reactive::effect::RenderEffect;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventTarget};

use super::El;

impl El {
    /// Calls the handler at each event of this name; `E` is the event's own type, e.g. `KeyboardEvent`.
    /// A handler may cause the same event again, as a click on a row that presses the link within does.
    ///
    /// It must not hold an [`El`] of its own tree: the browser could never collect the two. It asks the event
    /// for its target, or holds the element in a `StoredValue`.
    pub fn on<E: JsCast>(self, name: &'static str, handler: impl Fn(E) + 'static) -> Self {
        listen(self.element(), name, Box::new(move |event| handler(event.unchecked_into())));
        self
    }

    /// Calls the handler at each click.
    pub fn on_click(self, handler: impl Fn() + 'static) -> Self {
        self.listen("click", handler);
        self
    }

    /// Calls the handler at each event of this name, of an element that is in the page already.
    pub fn listen(&self, name: &'static str, handler: impl Fn() + 'static) {
        listen(self.element(), name, Box::new(move |_| handler()));
    }
}

/// Calls the handler at each event of this name that reaches the window, until the owner ends.
pub fn on_window<E: JsCast>(name: &'static str, handler: impl Fn(E) + 'static) {
    let target: EventTarget = window().into();
    let listener = listen(&target, name, Box::new(move |event| handler(event.unchecked_into())));
    let kept = StoredValue::new_local((target, listener));
    on_cleanup(move || {
        kept.try_with_value(|(target, listener)| {
            let _ = target.remove_event_listener_with_callback(name, listener);
        });
    });
}

/// Runs once the page is as it was built, and again whenever a signal it read has changed.
pub fn effect(run: impl FnMut() + 'static) {
    fn boxed(mut run: Box<dyn FnMut()>) {
        Effect::new(move |_| run());
    }
    boxed(Box::new(run));
}

/// Runs at once, and again whenever a signal it read has changed, until the owner ends.
pub(super) fn render(mut run: Box<dyn FnMut()>) {
    StoredValue::new_local(RenderEffect::new(move |_| run()));
}

/// The browser keeps the listener for as long as the element, and collects both together.
fn listen(target: &EventTarget, name: &'static str, handler: Box<dyn Fn(Event)>) -> js_sys::Function {
    // An event that is on its way while the page changes must not reach what is gone.
    let alive = StoredValue::new(());
    let listener = Closure::<dyn Fn(Event)>::new(move |event: Event| {
        if alive.try_get_value().is_some() {
            handler(event);
        }
    });
    let listener: js_sys::Function = listener.into_js_value().unchecked_into();
    let _ = target.add_event_listener_with_callback(name, &listener);
    listener
}
