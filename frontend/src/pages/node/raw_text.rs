//! A long text that can be searched and copied.

use leptos::prelude::*;
use web_sys::{Event, KeyboardEvent};

use crate::charts::Frame;
use crate::components::copy::copy_button;
use crate::dom::{El, div, effect, el, p, span, with_class};

/// What is shown at once; a browser lays this out in a blink, and ten times as much not.
const MOST_SHOWN: usize = 256 * 1024;
/// Matches that are marked; more are counted.
const MOST_MARKED: usize = 1000;

/// A text with a search field that counts and marks what it finds.
pub(super) fn raw_text(text: &str) -> Vec<El> {
    let cut = text.len() > MOST_SHOWN;
    let text = StoredValue::new(text.to_owned());
    let words = RwSignal::new(String::new());
    // Where the words are found. Changes with them, and before they tell of it.
    let found = StoredValue::new(Vec::<usize>::new());
    let here = RwSignal::new(0_usize);
    let count = move || found.with_value(Vec::len);
    let tally = move || match (words.with(String::is_empty), count()) {
        (true, _) => String::new(),
        (false, 0) => "no match".to_owned(),
        (false, count) => format!("{} of {count}", here.get() + 1),
    };
    let search = move |event: Event| {
        let value = event_target_value(&event);
        found.set_value(text.with_value(|text| find(text, &value)));
        here.set(0);
        words.set(value);
    };
    let step = move |event: KeyboardEvent| {
        let count = count().min(MOST_MARKED);
        if event.key() != "Enter" || count == 0 {
            return;
        }
        event.prevent_default();
        let back = if event.shift_key() { count - 1 } else { 1 };
        here.update(|here| *here = (*here + back) % count);
    };
    let frame = Frame::new();
    effect(move || {
        words.track();
        here.track();
        if count() > 0 {
            frame.request(Box::new(move || scroll_to(&match_id(here.get_untracked()))));
        }
    });
    let field = with_class("input", "field")
        .attr("id", "raw-words")
        .attr("type", "search")
        .attr("placeholder", "Search in this answer")
        .attr("autocomplete", "off")
        .attr("spellcheck", "false")
        .prop("value", words)
        .on("input", search)
        .on("keydown", step);
    let bar = div("raw-bar")
        .child(with_class("label", "sr-only").attr("for", "raw-words").text("Search in this answer"))
        .child(field)
        .child(span("raw-tally num").attr("role", "status").text(tally))
        .maybe(copy_button(None, move || text.get_value()));
    let told = with_class("pre", "raw-text")
        .attr("role", "region")
        .attr("tabindex", "0")
        .attr("aria-label", "The answer")
        .attr("id", "raw-text")
        .live(move || {
            let length = words.with(String::len);
            Some(text.with_value(|text| found.with_value(|found| marked(text, found, length, here))))
        });
    let note = cut.then(|| p("muted raw-cut").text("The first 256 KiB are shown; copying takes all of it."));
    [Some(bar), note, Some(told)].into_iter().flatten().collect()
}

/// Where the words begin, in bytes; case does not matter in ASCII.
fn find(text: &str, words: &str) -> Vec<usize> {
    if words.is_empty() {
        return Vec::new();
    }
    text.to_ascii_lowercase().match_indices(&words.to_ascii_lowercase()).map(|(at, _)| at).collect()
}

fn match_id(index: usize) -> String {
    format!("match-{index}")
}

/// The shown part of the text, cut at the matches.
fn marked(text: &str, found: &[usize], length: usize, here: RwSignal<usize>) -> El {
    let shown = &text[..text.floor_char_boundary(MOST_SHOWN)];
    let mut parts = el("span");
    let mut from = 0;
    for (index, &at) in
        found.iter().enumerate().take(MOST_MARKED).take_while(|(_, at)| **at + length <= shown.len())
    {
        let mark =
            el("mark").attr("id", match_id(index)).class(move || (here.get() == index).then_some("current"));
        parts = parts.text(shown[from..at].to_owned()).child(mark.text(shown[at..at + length].to_owned()));
        from = at + length;
    }
    parts.text(shown[from..].to_owned())
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
