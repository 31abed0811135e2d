//! The part of the app that the first page does not need: `cargo xtask` puts it into a file of its own,
//! `static/boot.js` fetches it. Where the app is whole, as with `trunk serve`, it is there at once.

use js_sys::{Function, Promise, Reflect};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, Event};

use crate::dom::on_window;
use crate::json::Json;

/// Links to what needs the rest.
const PAGES: &str = "nav a,a[href*='/nodes/'],a[href*='/alerts'],a[href*='/risks'],[role=row]";

/// How far the rest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nobody has asked for it.
    Away,
    /// It is being fetched.
    Coming,
    /// It is there.
    There,
    /// It did not come.
    Failed,
}

/// The rest of this app.
#[derive(Clone, Copy)]
pub struct RestOfApp(RwSignal<Rest>);

/// The rest of this app; [`RestOfApp::provide`] put it there.
pub fn use_rest() -> RestOfApp {
    expect_context()
}

impl RestOfApp {
    /// Hands it down, and fetches it as soon as somebody is about to open a page of it: points at a link
    /// there, or walks to one by keyboard.
    pub fn provide() {
        let there = call("there").is_none_or(|there| there.is_truthy());
        let rest = Self(RwSignal::new(if there { Rest::There } else { Rest::Away }));
        provide_context(rest);
        let foresee = move |event: Event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let at_page = |target: Element| target.closest(PAGES).ok().flatten();
            if target.and_then(at_page).is_some() {
                rest.fetch();
            }
        };
        on_window("pointerover", foresee);
        on_window("keydown", foresee);
    }

    /// How far it is.
    pub fn state(self) -> Rest {
        self.0.get()
    }

    /// Asks for it, if it is neither there nor on its way.
    pub fn fetch(self) {
        if matches!(self.0.get_untracked(), Rest::There | Rest::Coming) {
            return;
        }
        self.0.set(Rest::Coming);
        let promise = call("fetch").and_then(|promise| promise.dyn_into::<Promise>().ok());
        spawn_local(async move {
            let came = match promise {
                Some(promise) => JsFuture::from(promise).await.is_ok(),
                None => false,
            };
            self.0.set(if came { Rest::There } else { Rest::Failed });
        });
    }
}

/// Shows the fleet in a few lines where the sketch of the page is, as soon as it has come.
pub fn draw_glance() {
    call("draw");
}

/// The fleet as this browser heard it last.
pub async fn last_fleet() -> Option<Json> {
    let promise: Promise = call("last")?.dyn_into().ok()?;
    let kept = Json::of(JsFuture::from(promise).await.ok()?);
    (!kept.is_null()).then_some(kept)
}

/// Tells `static/keep.js` what the live stream said, or to `forget` it.
pub fn heard(kind: &str, what: &Json) {
    let Ok(ears) = Reflect::get(&js_sys::global(), &JsValue::from_str("fleetglassHeard")) else { return };
    let push = Reflect::get(&ears, &JsValue::from_str("push")).ok().and_then(|push| push.dyn_into().ok());
    if let Some(push) = push as Option<Function> {
        let _ = push.call1(&ears, &js_sys::Array::of2(&JsValue::from_str(kind), &what.raw()));
    }
}

/// Calls a function of `static/boot.js`.
fn call(name: &str) -> Option<JsValue> {
    call_of("fleetglassRest", name)
}

/// Calls a function of an object that a script beside the app has put there.
pub fn call_of(object: &str, name: &str) -> Option<JsValue> {
    let object = Reflect::get(&js_sys::global(), &JsValue::from_str(object)).ok()?;
    let function: Function = Reflect::get(&object, &JsValue::from_str(name)).ok()?.dyn_into().ok()?;
    function.call0(&object).ok()
}
