//! Who may ask, and what they may see and do.
//!
//! | module | is |
//! |---|---|
//! | `who` | [`Who`]: a name, a role, and the part of the fleet that it is limited to |
//! | `token` | bearer tokens of the config |
//! | `guard` | [`require`]: every request has a [`Who`] behind it, or goes no further |
//! | `may` | [`permit`]: the table of every guarded route, with the role it needs |

mod guard;
mod may;
mod token;
mod who;

pub use guard::{Guard, require};
pub(crate) use may::refused_to_limited;
pub use may::{Need, Permission, needed, permit};
pub use token::{HashFileError, TokenHash, Tokens, new_token};
pub use who::{Role, Via, Who};
