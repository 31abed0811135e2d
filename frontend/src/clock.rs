//! The only place that reads the time: the wall clock, a timer to wait on, and a tick a second.

use fleetglass_shared::health::UnixMillis;
use js_sys::Promise;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::JsFuture;

/// The browser's clock. It may differ from the proxy's: see [`crate::state::Fleet::now`].
pub fn local_now() -> UnixMillis {
    js_sys::Date::now() as UnixMillis
}

/// The wall clock in the viewer's zone, e.g. `13:05`.
pub fn local_hours_minutes(at: UnixMillis) -> String {
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at as f64));
    format!("{:02}:{:02}", date.get_hours(), date.get_minutes())
}

/// How far the viewer's zone is ahead of UTC at a time, in milliseconds.
pub fn zone_offset(at: UnixMillis) -> i64 {
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at as f64));
    -(date.get_timezone_offset() as i64) * 60_000
}

/// A time as the web's protocols write it, e.g. `2026-11-21T13:05:00.000Z`.
pub fn iso(at: UnixMillis) -> String {
    js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at as f64)).to_iso_string().into()
}

/// The time that such a text says.
pub fn from_iso(text: &str) -> Option<UnixMillis> {
    let at = js_sys::Date::parse(text);
    at.is_finite().then_some(at as UnixMillis)
}

/// Waits without blocking.
pub async fn sleep(millis: i32) {
    // A rejected timer can only mean that the page is going away.
    let _ = JsFuture::from(timer(millis)).await;
}

/// A promise that resolves with `undefined` after a while.
pub fn timer(millis: i32) -> Promise {
    Promise::new(&mut |resolve, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis);
    })
}

/// Calls back once a second for as long as the page lives.
pub fn every_second(tick: impl FnMut() + 'static) {
    let tick = Closure::<dyn FnMut()>::new(tick);
    let _ =
        window().set_interval_with_callback_and_timeout_and_arguments_0(tick.as_ref().unchecked_ref(), 1000);
    tick.forget();
}
