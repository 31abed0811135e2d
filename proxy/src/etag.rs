//! Whether somebody has already what they ask for.

use axum::http::{HeaderMap, header};

/// Whether `If-None-Match` names this. Compared weakly, as HTTP has it: whoever packs an answer on its way makes its tag a
/// weak one.
pub(crate) fn is_held(headers: &HeaderMap, etag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let held = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    held.is_some_and(|held| held.split(',').any(|tag| plain(tag) == plain(etag) || tag.trim() == "*"))
}
