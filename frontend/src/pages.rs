//! One module a page.

pub mod alarm;
pub mod alert;
pub mod alerts;
pub mod embed;
pub mod fleet;
pub mod glance;
pub mod later;
pub mod more;
pub mod node;
pub mod not_found;
pub mod notifications;
pub mod people;
pub mod polled;
pub mod risks;
pub mod rules;
pub mod shares;
pub mod status;
pub mod timeline;
