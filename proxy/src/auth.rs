//! Who may ask, and what they may see and do.
//!
//! | module | is |
//! |---|---|
//! | `who` | [`Who`]: a name, a role, and the part of the fleet that it is limited to |
//! | `token` | bearer tokens of the config |
//! | `groups` | [`role_of`]: which role the groups of somebody give |
//! | `header` | [`HeaderLogin`]: a reverse proxy's word for who asks |
//! | `guard` | [`require`]: every request has a [`Who`] behind it, or goes no further |

mod groups;
mod guard;
mod header;
mod token;
mod who;

pub use groups::{GroupRole, role_of};
pub use guard::{Guard, require};
pub use header::HeaderLogin;
pub use token::{HashFileError, TokenHash, Tokens, new_token};
pub use who::{Role, Via, Who};
