//! One module a page.

pub mod alarm;
pub mod alert;
pub mod alerts;
pub mod embed;
pub mod fleet;
pub mod later;
pub mod node;
pub mod not_found;
pub mod notifications;
pub mod risks;
pub mod rules;
pub mod timeline;
