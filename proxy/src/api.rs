//! The HTTP API: one file a group of endpoints. Errors are `application/problem+json`.

pub mod alertmanager;
pub mod alerts;
pub mod embed;
pub mod events;
pub mod fleet;
pub mod history;
pub mod incidents;
pub mod live;
pub mod maintenance;
pub mod nodes;
pub mod notifications;
pub mod own;
mod params;
pub mod problem;
pub mod restart;
pub mod risks;
pub mod rules;
pub mod shared;
pub mod shares;
pub mod signed;
pub mod uptime;
pub mod write;
