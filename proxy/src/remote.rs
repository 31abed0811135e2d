//! Prometheus remote write, both ways.
//!
//! | module | gives |
//! |---|---|
//! | `proto` | the messages and the body of a request |
//! | `receive` | what others push to us, into the store |
//! | `pushed` | the nodes that are pushed, in the fleet |
//! | `queue` | what waits to be sent, on the disk |
//! | `send` | everything that is committed, to other stores |
//! | `often` | what happens often and is said seldom |

mod often;
pub mod proto;
mod pushed;
mod queue;
mod receive;
mod send;

pub use pushed::Pushed;
pub use receive::{Receiver, Refusal};
pub use send::Sending;
