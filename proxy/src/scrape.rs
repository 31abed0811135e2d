//! Scrape: asks every target for all its endpoints, in rounds spread over the interval.
//!
//! Gives raw answers with their times; what they mean is decided in [`crate::round`].

mod client;
mod failure;
mod schedule;

pub use client::{Client, ClientError, Reply};
pub use failure::Failure;
pub use schedule::{Pace, RoundHandler, Scheduler};
