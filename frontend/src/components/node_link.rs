//! Where a node's page is, and an alert's.

use crate::dom::{El, Words, link, span};
use crate::shared::shows;

/// The address of a node's page; any id is safe in it.
pub fn node_path(id: &str) -> String {
    format!("/nodes/{}", String::from(js_sys::encode_uri_component(id)))
}

/// The address of an alert's page.
pub fn alert_path(id: &str) -> String {
    format!("/alerts/{}", String::from(js_sys::encode_uri_component(id)))
}

/// A link to where alerts are looked at, if that is shown.
pub fn alert_link(class: &'static str, to: impl Into<Words>) -> El {
    if shows("alerts") { link(class, to) } else { span(class) }
}
