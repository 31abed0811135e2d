//! What pages are made of. A component gets signals and renders; it fetches nothing.

pub mod age;
pub mod connection;
pub mod frame;
pub mod icon;
pub mod notice;
pub mod status_mark;
pub mod theme_toggle;
pub mod token_form;
pub mod words;
