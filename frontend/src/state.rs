//! What the app knows. [`Fleet`] is handed down by context; the rest are pure functions over its nodes.

pub mod alerts;
pub mod attention;
pub mod breach;
pub mod complete;
pub mod filter;
mod fleet;
pub mod listing;
pub mod model;
pub mod order;
pub mod read;
pub mod tally;
pub mod uptime;
pub mod view;

pub use fleet::{Fleet, Link, NodeSignal, use_fleet};
pub use model::Node;
