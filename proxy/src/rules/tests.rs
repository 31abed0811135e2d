#![allow(clippy::unwrap_used)]
//! Groups over time.
