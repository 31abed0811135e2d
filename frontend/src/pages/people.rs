//! People: you, who else may see and do what, and who did what.
//!
//! | module | is |
//! |---|---|
//! | `read` | pure: the proxy's answers |
//! | `you`, `users`, `tokens`, `sessions`, `audit` | a part of the page each |
//! | `parts` | what they share |

mod audit;
pub mod parts;
mod read;
mod sessions;
mod tokens;
mod users;
mod you;

use leptos::prelude::*;

use self::read::Me;
use super::alerts::address::{InAddress, in_address};
use super::alerts::search::choice;
use super::polled::Polled;
use crate::components::connection::banners;
use crate::components::frame::top_bar;
use crate::dom::{El, div, el, group, with_class};
use crate::route::Page;

/// Asked again after so long.
const AGAIN_MS: i64 = 30_000;

/// A part of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    You,
    Users,
    Tokens,
    Sessions,
    Audit,
}

/// The parts in the order of the page: title, word in the address, whether only an admin has it.
const PARTS: [(Part, &str, &str, bool); 5] = [
    (Part::You, "You", "you", false),
    (Part::Tokens, "Tokens", "tokens", false),
    (Part::Sessions, "Sessions", "sessions", false),
    (Part::Users, "Users", "users", true),
    (Part::Audit, "Audit log", "audit", true),
];

impl InAddress for Part {
    const PAGE: Page = Page::People;
    const PATH: &'static str = "/people";

    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let word = get("show").unwrap_or_default();
        PARTS.into_iter().find(|part| part.2 == word).map_or_else(Self::default, |part| part.0)
    }

    fn members(&self) -> Vec<(&'static str, String)> {
        let word = PARTS.into_iter().find(|part| part.0 == *self).map(|part| part.2);
        word.filter(|_| *self != Self::default()).map(|word| ("show", word.to_owned())).into_iter().collect()
    }
}

/// The page at `/people`.
pub fn people_page() -> El {
    let part = in_address::<Part>();
    let me = Polled::start(|| "/api/v1/me".to_owned(), AGAIN_MS, Me::read);
    let is_admin = Memo::new(move |_| me.with(|me| me.keeps_people));
    let tab = move |(own, title, _, admin): (Part, &'static str, &'static str, bool)| {
        let tab = choice(title, || None, move || part.get() == own, move || part.set(own));
        tab.flag("hidden", move || admin && !is_admin.get())
    };
    let shown = move || {
        let part = part.get();
        Some(untrack(|| match part {
            Part::You => you::you(me),
            Part::Users => users::users(),
            Part::Tokens => tokens::tokens(),
            Part::Sessions => sessions::sessions(),
            Part::Audit => audit::audit(),
        }))
    };
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([el("h1").class("page-title").text("People")]))
        .child(banners())
        .child(
            div("page-body people-page")
                .child(
                    div("alerts-bar").child(
                        div("choices people-tabs")
                            .attr("role", "group")
                            .attr("aria-label", "Which part")
                            .children(PARTS.map(tab)),
                    ),
                )
                .child(me.awaited("People"))
                .when(move || me.is_known(), move || group().live(shown)),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_shows_the_same_part() {
        for (part, ..) in PARTS {
            let members = part.members();
            let get =
                |key: &str| members.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
            assert_eq!(Part::read(get), part);
        }
        assert!(Part::You.members().is_empty());
    }
}
