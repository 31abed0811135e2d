//! Who may ask, and what they may see and do.
//!
//! | module | is |
//! |---|---|
//! | `who` | [`Who`]: a name, a role, and the part of the fleet that it is limited to |
//! | `token` | bearer tokens of the config |
//! | `api_token` | tokens that people make for programs |
//! | [`audit`] | who did what, written down at one place |
//! | `people` | [`People`]: everybody who is known, found fast |
//! | `users`, [`password`] | names with passwords: made, changed, proved |
//! | `session` | who is logged in: cookies, how long they last, what ends them |
//! | `throttle` | how fast passwords may be tried |
//! | `origin` | whether a request that changes something comes from a page of ours |
//! | `groups` | [`role_of`]: which role the groups of somebody give |
//! | `header` | [`HeaderLogin`]: a reverse proxy's word for who asks |
//! | `guard` | [`require`]: every request has a [`Who`] behind it, or goes no further |
//! | `may` | [`permit`]: the table of every guarded route, with the role it needs |
//! | [`oidc`] | people who sign in with an OpenID provider |
//! | [`page`] | how pages look that the proxy draws itself |
//! | [`login`] | the pages where one signs in and out |

mod api_token;
pub mod audit;
mod groups;
mod guard;
mod header;
pub mod login;
mod may;
pub mod oidc;
mod origin;
pub mod password;
mod people;
mod session;
mod throttle;
mod token;
mod users;
mod who;

use crate::letters::hex;
pub use api_token::{ApiToken, SCOPES, drafted_token};
pub use groups::{GroupRole, role_of};
pub use guard::{Credential, Guard, look, require};
pub use header::HeaderLogin;
pub(crate) use may::refused_to_limited;
pub use may::{Need, Permission, needed, permit};
use people::random;
pub use people::{People, PeopleError, Way};
pub use session::{Identity, Session};
pub use token::{HashFileError, TokenHash, Tokens, new_token};
pub use users::drafted;
pub use who::{Role, Via, Who};
