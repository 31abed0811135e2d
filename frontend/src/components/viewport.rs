//! Which part of a long list is in sight, so that only that part is in the page.

use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::ResizeObserver;

use crate::dom::El;

/// Scrolling redraws in steps of so many pixels, not at each one.
const STEP: i32 = 96;

/// The part of a list that is in sight, in CSS pixels from the list's top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// The first height in sight, in whole steps; negative when the list begins further down.
    pub top: i32,
    /// The height of the scroller.
    pub height: i32,
    /// The width of the list.
    pub width: i32,
}

/// How far the fleet page was scrolled when it was left, so that coming back shows the same.
#[derive(Clone, Copy)]
pub struct LeftAt(StoredValue<i32>);

impl LeftAt {
    /// Hands it down.
    pub fn provide() {
        provide_context(Self(StoredValue::new(0)));
    }
}

/// A list in a scroller.
#[derive(Clone, Copy)]
pub struct Viewport {
    scroller: StoredValue<El>,
    list: StoredValue<El>,
    sight: RwSignal<Sight>,
}

impl Viewport {
    /// Watches the scroller and the list: scrolling, resizing, and what grows above the list. Begins where the
    /// list was left.
    pub fn watch(scroller: &El, list: &El, on_scroll: impl Fn() + 'static) -> Self {
        let LeftAt(left_at) = expect_context();
        let viewport = Self::look_at(scroller, list, move |top| {
            on_scroll();
            left_at.set_value(top);
        });
        let before = left_at.get_value();
        // The list gets its height in this turn; a frame later there is room to scroll.
        let restored = scroller.clone();
        request_animation_frame(move || {
            if viewport.sight.try_get_untracked().is_some() {
                restored.element().set_scroll_top(before);
                viewport.look();
            }
        });
        viewport
    }

    /// The same, of a list that begins at its top each time. `on_scroll` is told how far it is scrolled.
    pub fn look_at(scroller: &El, list: &El, on_scroll: impl Fn(i32) + 'static) -> Self {
        let viewport = Self {
            scroller: StoredValue::new(scroller.clone()),
            list: StoredValue::new(list.clone()),
            sight: RwSignal::new(Sight::default()),
        };
        scroller.listen("scroll", move || {
            viewport.look();
            if let Some(top) = viewport.scroller.try_with_value(|scroller| scroller.element().scroll_top()) {
                on_scroll(top);
            }
        });
        let resize = Closure::<dyn FnMut()>::new(move || viewport.look());
        if let Ok(observer) = ResizeObserver::new(resize.as_ref().unchecked_ref()) {
            observer.observe(scroller.element());
            observer.observe(list.element());
            // They live as long as the page that holds this list: kept by the owner, dropped with it.
            let kept = StoredValue::new_local((resize, observer));
            on_cleanup(move || {
                kept.try_with_value(|(_, observer)| observer.disconnect());
            });
        }
        viewport
    }

    /// What is in sight.
    pub fn sight(self) -> Signal<Sight> {
        self.sight.into()
    }

    /// Measures anew; sets nothing when nothing differs.
    pub fn look(self) {
        let (Some(scroller), Some(list)) = (self.scroller.try_get_value(), self.list.try_get_value()) else {
            return;
        };
        let (scroller, list) = (scroller.element(), list.element());
        let frame = scroller.get_bounding_client_rect();
        let inner = list.get_bounding_client_rect();
        let top = (frame.top() - inner.top()) as i32;
        let sight = Sight {
            top: top.div_euclid(STEP) * STEP,
            height: frame.height() as i32,
            width: inner.width() as i32,
        };
        if self.sight.with_untracked(|held| *held != sight) {
            self.sight.set(sight);
        }
    }

    /// Scrolls just far enough that a row at `y`, `height` high, is in sight below `covered` pixels.
    pub fn reveal(self, y: i32, height: i32, covered: i32) {
        let (Some(scroller), Some(list)) = (self.scroller.try_get_value(), self.list.try_get_value()) else {
            return;
        };
        let (scroller, list) = (scroller.element(), list.element());
        let frame = scroller.get_bounding_client_rect();
        let at = list.get_bounding_client_rect().top() - frame.top() + f64::from(y);
        let (above, below) = (at - f64::from(covered), at + f64::from(height) - frame.height());
        if above < 0.0 {
            scroller.set_scroll_top(scroller.scroll_top() + above.floor() as i32);
        } else if below > 0.0 {
            scroller.set_scroll_top(scroller.scroll_top() + below.ceil() as i32);
        }
        self.look();
    }
}

/// Slides an element from where it lay to where it lies: `from` is the way back, in pixels.
pub fn slide(element: &web_sys::Element, from: (i32, i32), to: (i32, i32)) {
    let frame = |(x, y): (i32, i32)| {
        let frame = js_sys::Object::new();
        let transform = JsValue::from_str(&format!("translate({x}px,{y}px)"));
        let _ = js_sys::Reflect::set(&frame, &JsValue::from_str("transform"), &transform);
        frame
    };
    let frames = js_sys::Array::of2(&frame(from), &frame(to));
    let options = js_sys::Object::new();
    let _ = js_sys::Reflect::set(&options, &JsValue::from_str("duration"), &JsValue::from_f64(180.0));
    let _ = js_sys::Reflect::set(
        &options,
        &JsValue::from_str("easing"),
        &JsValue::from_str("cubic-bezier(.2,0,0,1)"),
    );
    // A browser without `animate` shows it in its place at once.
    if let Ok(animate) = js_sys::Reflect::get(element, &JsValue::from_str("animate"))
        && let Ok(animate) = animate.dyn_into::<js_sys::Function>()
    {
        let _ = animate.call2(element, &frames, &options);
    }
}
