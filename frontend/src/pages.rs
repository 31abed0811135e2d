//! One module a page.

pub mod fleet;
pub mod node;
pub mod not_found;
