//! The HTTP API: one file a group of endpoints. Errors are `application/problem+json`.

pub mod fleet;
pub mod live;
pub mod nodes;
pub mod own;
pub mod problem;
pub mod write;
