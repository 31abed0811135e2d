//! A long text that can be searched and copied.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};

use crate::clock;

/// What is shown at once; a browser lays this out in a blink, and ten times as much not.
const MOST_SHOWN: usize = 256 * 1024;
/// Matches that are marked; more are counted.
const MOST_MARKED: usize = 1000;

/// A text with a search field that counts and marks what it finds.
#[component]
pub(super) fn RawText(text: String) -> impl IntoView {
    let text = StoredValue::new(text);
    let words = RwSignal::new(String::new());
    let here = RwSignal::new(0_usize);
    let found = Memo::new(move |_| text.with_value(|text| words.with(|words| find(text, words))));
    let tally = move || match found.with(Vec::len) {
        _ if words.with(String::is_empty) => String::new(),
        0 => "no match".to_owned(),
        count => format!("{} of {count}", here.get() + 1),
    };
    let step = move |event: KeyboardEvent| {
        let count = found.with_untracked(Vec::len).min(MOST_MARKED);
        if event.key() != "Enter" || count == 0 {
            return;
        }
        event.prevent_default();
        let back = if event.shift_key() { count - 1 } else { 1 };
        here.update(|here| *here = (*here + back) % count);
    };
    Effect::new(move |_| {
        if found.with(Vec::is_empty) {
            return;
        }
        let id = format!("match-{}", here.get());
        request_animation_frame(move || scroll_to(&id));
    });
    let cut = text.with_value(String::len) > MOST_SHOWN;
    view! {
        <div class="raw-bar">
            <label class="sr-only" for="raw-words">"Search in this answer"</label>
            <input
                id="raw-words"
                class="field"
                type="search"
                placeholder="Search in this answer"
                autocomplete="off"
                spellcheck="false"
                prop:value=words
                on:input=move |event| {
                    here.set(0);
                    words.set(event_target_value(&event));
                }
                on:keydown=step
            />
            <span class="raw-tally num" role="status">{tally}</span>
            <Copy text/>
        </div>
        {cut.then(|| view! {
            <p class="muted raw-cut">"The first 256 KiB are shown; copying takes all of it."</p>
        })}
        <pre class="raw-text" role="region" tabindex="0" aria-label="The answer" id="raw-text">
            {move || text.with_value(|text| found.with(|found| marked(text, found, words.with(String::len), here)))}
        </pre>
    }
}

/// Where the words begin, in bytes; case does not matter in ASCII.
fn find(text: &str, words: &str) -> Vec<usize> {
    if words.is_empty() {
        return Vec::new();
    }
    text.to_ascii_lowercase().match_indices(&words.to_ascii_lowercase()).map(|(at, _)| at).collect()
}

/// The shown part of the text, cut at the matches.
fn marked(text: &str, found: &[usize], length: usize, here: RwSignal<usize>) -> Vec<AnyView> {
    let shown = &text[..text.floor_char_boundary(MOST_SHOWN)];
    let mut parts = Vec::new();
    let mut from = 0;
    for (index, &at) in
        found.iter().enumerate().take(MOST_MARKED).take_while(|(_, at)| **at + length <= shown.len())
    {
        parts.push(shown[from..at].to_owned().into_any());
        from = at + length;
        let word = shown[at..from].to_owned();
        let current = move || here.get() == index;
        parts
            .push(view! { <mark id=format!("match-{index}") class:current=current>{word}</mark> }.into_any());
    }
    parts.push(shown[from..].to_owned().into_any());
    parts
}

/// Brings a match into the box, without moving the page.
fn scroll_to(id: &str) {
    let (Some(text), Some(mark)) =
        (document().get_element_by_id("raw-text"), document().get_element_by_id(id))
    else {
        return;
    };
    let (frame, place) = (text.get_bounding_client_rect(), mark.get_bounding_client_rect());
    let off = place.top() - frame.top() - frame.height() / 2.0;
    text.set_scroll_top(text.scroll_top() + off as i32);
}

/// Copies the whole text; absent where the browser offers no clipboard (a page without TLS on another host).
#[component]
fn Copy(text: StoredValue<String>) -> impl IntoView {
    let clipboard = js_sys::Reflect::get(&window().navigator(), &JsValue::from_str("clipboard")).ok();
    let clipboard: web_sys::Clipboard = clipboard.filter(JsValue::is_object)?.unchecked_into();
    let clipboard = StoredValue::new_local(clipboard);
    let word = RwSignal::new("Copy");
    let copy = move |_| {
        let written = clipboard.with_value(|clipboard| text.with_value(|text| clipboard.write_text(text)));
        spawn_local(async move {
            let done = wasm_bindgen_futures::JsFuture::from(written).await.is_ok();
            word.try_set(if done { "Copied" } else { "Not allowed" });
            clock::sleep(2000).await;
            word.try_set("Copy");
        });
    };
    Some(view! { <button type="button" class="button" on:click=copy>{word}</button> })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn matches_do_not_overlap_and_ignore_case() {
        assert_eq!(find("aAaa", "aa"), [0, 2]);
        assert_eq!(find("ünder Under", "under"), [7]);
        assert!(find("text", "").is_empty());
        assert!(find("text", "no").is_empty());
    }
}
