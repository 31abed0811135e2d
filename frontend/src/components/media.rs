//! What the screen is like, as signals.

use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::MediaQueryListEvent;

/// Whether a media query holds, now and from now on. For the life of the page: ask once and hand it down.
pub fn media(query: &str) -> Signal<bool> {
    let Some(list) = window().match_media(query).ok().flatten() else {
        return Signal::derive(|| false);
    };
    let holds = ArcRwSignal::new(list.matches());
    let hear = holds.clone();
    let listener = Closure::<dyn FnMut(MediaQueryListEvent)>::new(move |event: MediaQueryListEvent| {
        hear.set(event.matches());
    });
    let _ = list.add_event_listener_with_callback("change", listener.as_ref().unchecked_ref());
    listener.forget();
    Signal::from(holds.read_only())
}

/// What the pages ask about the screen; made once by the app.
#[derive(Clone, Copy)]
pub struct Screen {
    /// At most 640 px wide: cards instead of columns.
    pub phone: Signal<bool>,
    /// Fingers instead of a mouse: rows of 48 px.
    pub touch: Signal<bool>,
    /// The viewer asked for less motion.
    pub still: Signal<bool>,
    /// Held in a hand, or asked to spare data: it is told less.
    pub lean: bool,
    /// How large the viewer has text, against the usual: never less than 1.
    pub text: f64,
}

impl Screen {
    /// Asks the browser, and hands the answers down.
    pub fn provide() {
        let touch = media("(pointer: coarse)");
        let small = media("(max-width: 640px), (max-height: 640px)");
        let spares = member(&window().navigator(), "connection")
            .and_then(|connection| member(&connection, "saveData"))
            .is_some_and(|spares| spares.is_truthy());
        provide_context(Self {
            // `static/theme.js` has looked.
            text: member(&window(), "fleetglassText")
                .and_then(|text| text.as_f64())
                .unwrap_or(1.0)
                .clamp(1.0, 3.0),
            lean: spares || (touch.get_untracked() && small.get_untracked()),
            phone: media("(max-width: 640px)"),
            touch,
            still: media("(prefers-reduced-motion: reduce)"),
        });
    }
}

fn member(of: &JsValue, name: &str) -> Option<JsValue> {
    js_sys::Reflect::get(of, &JsValue::from_str(name)).ok().filter(|value| !value.is_undefined())
}

/// The screen of this app.
pub fn use_screen() -> Screen {
    expect_context()
}
