//! The Fleetglass proxy: asks every node how it is, keeps what it heard, and serves the dashboard.
//!
//! Modules are named for the stage of the data they are: see ARCHITECTURE.md for the map.

pub mod query;
pub mod sim;
pub mod store;
