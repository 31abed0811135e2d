//! The Fleetglass proxy: asks every node how it is, keeps what it heard, and serves the dashboard.
//!
//! Modules are named for the stage of the data they are; see ARCHITECTURE.md for the map.
//!
//! | stage | modules |
//! |---|---|
//! | who is asked | [`config`], [`discovery`], [`target`] |
//! | scrape | [`scrape`] |
//! | parse, normalise | [`round`], over `fleetglass_shared::{exposition, family}` |
//! | store | [`data_dir`], [`store`], [`state`], [`long_term`], [`transfer`], [`query`] |
//! | to and from other stores | [`remote`] |
//! | evaluate | [`rules`], [`alerts`], [`egress`], [`incidents`] |
//! | notify | [`notify`] |
//! | publish | [`fleet`], [`live`], [`share`], [`status`], [`embed`], [`api`], [`app`], [`edge`], [`auth`], [`assets`] |
//! | running | [`cli`], [`serve`], [`clock`], [`letters`], [`small_page`], [`telemetry`] |
//! | not part of the path | [`sim`], nodes to look at |

pub mod alerts;
pub mod api;
pub mod app;
pub mod assets;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod data_dir;
pub mod discovery;
pub mod edge;
pub mod egress;
pub mod embed;
mod etag;
pub mod fleet;
pub mod incidents;
pub mod letters;
pub mod live;
pub mod long_term;
pub mod notify;
pub mod query;
pub mod remote;
pub mod round;
pub mod rules;
pub mod scrape;
pub mod serve;
pub mod share;
pub mod sim;
pub mod small_page;
pub mod state;
pub mod status;
pub mod store;
pub mod target;
pub mod telemetry;
pub mod transfer;
