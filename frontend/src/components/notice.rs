//! Loading, empty and failed are three different things on the screen.

use crate::dom::{El, Words, div, p};

/// Nothing to show: what is so in a few words, why, and what to do. What to press may be added as children.
pub fn empty(title: impl Into<Words>, detail: impl Into<Words>) -> El {
    div("notice").child(p("notice-title").text(title)).child(p("notice-detail").text(detail))
}

/// Something failed: what, why and what to do ([`crate::client::ClientError::in_words`]). A button to try
/// again may be added as a child.
pub fn failed(title: impl Into<Words>, detail: impl Into<Words>) -> El {
    empty(title, detail).class("notice notice-failed").attr("role", "alert")
}
