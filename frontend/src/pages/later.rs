//! The pages that the first one does not need, behind one door: see `crate::rest`. `xtask/src/app/parts.rs`
//! knows its name.

use super::{
    alarm, alert, alerts, embed, glance, more, node, not_found, notifications, people, risks, rules, shares,
    status, timeline,
};
use crate::components::filter_box::Combobox;
use crate::components::suggestions::suggestions;
use crate::components::token_form::token_form;
use crate::dom::El;
use crate::route::Page;

/// What the first part asks the rest for.
pub enum Later {
    /// A page.
    Page(Page),
    /// Asks who looks.
    SignIn,
    /// What the filter box offers.
    Suggestions(Combobox),
    /// What sounds and notifies while an alert is new; nothing to see.
    Alarm,
}

/// The door.
#[inline(never)]
pub fn later(what: Later) -> El {
    match what {
        Later::Page(Page::Node(id)) => node::node_page(&id),
        Later::Page(Page::Risks) => risks::risks_page(),
        Later::Page(Page::Alerts) => alerts::alerts_page(),
        Later::Page(Page::Alert(id)) => alert::alert_page(&id),
        Later::Page(Page::Notifications) => notifications::notifications_page(),
        Later::Page(Page::Glance) => glance::glance_page(),
        Later::Page(Page::More) => more::more_page(),
        Later::Page(Page::People) => people::people_page(),
        Later::Page(Page::Rules) => rules::rules_page(),
        Later::Page(Page::Shares) => shares::shares_page(),
        Later::Page(Page::Status) => status::status_page(),
        Later::Page(Page::Timeline) => timeline::timeline_page(),
        Later::Page(Page::Embed) => embed::embed_page(),
        Later::Page(Page::Fleet | Page::Unknown) => not_found::not_found_page(),
        Later::SignIn => token_form(),
        Later::Suggestions(combobox) => suggestions(combobox),
        Later::Alarm => alarm::alarm(),
    }
}
