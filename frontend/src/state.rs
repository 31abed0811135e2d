//! What the app knows. [`Fleet`] is handed down by context; the rest are pure functions over its nodes.

mod fleet;
pub mod model;

pub use fleet::{Fleet, Link, NodeSignal, use_fleet};
pub use model::Node;
