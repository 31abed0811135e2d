//! Panels that other pages embed, and badges: what is asked, what is said, and how it is drawn as HTML and SVG. Pure: what
//! has been cut by the scope comes in, with the time.
//!
//! | module | is |
//! |---|---|
//! | `ask` | [`Ask`]: the parameters of an address, each fault in words |
//! | `model` | [`Panel`]: what a panel says, which is also the JSON for those who draw their own |
//! | `draw`, `chart` | the same as HTML and SVG |
//! | `badge`, `verdana` | badges in the style of shields |
//! | `files` | the style sheet and the scripts that go with them |

mod ask;
mod badge;
mod chart;
mod draw;
mod files;
pub mod model;
mod verdana;

pub use ask::{Ask, Kind, Theme};
pub use badge::{Badge, Of, Style};
pub use draw::{Place, fragment, page, said};
pub use files::{File, file};
pub use model::Panel;
