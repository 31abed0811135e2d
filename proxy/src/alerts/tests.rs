#![allow(clippy::unwrap_used)]
//! Alerts over time.
