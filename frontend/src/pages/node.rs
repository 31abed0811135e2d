//! The page of one node.

use leptos::prelude::*;

/// Everything known about one node; the id comes from the address.
#[component]
pub fn NodePage() -> impl IntoView {}
