//! The rules: what of the files cannot be used, then every group, how it does, and its rules.
//!
//! | module | is |
//! |---|---|
//! | `read` | pure: the proxy's answer |
//! | `group` | a group and its rules |
//! | `edit` | pure: a rule as it is edited |
//! | `backtest` | when it would have fired |

mod backtest;
mod edit;
mod group;
mod read;

use leptos::prelude::*;

use self::read::{Fault, Rule, Rules, Stand};
use super::alerts::address::{InAddress, in_address};
use super::alerts::search::{choice, search};
use super::polled::Polled;
use crate::clock;
use crate::components::connection::banners;
use crate::components::frame::top_bar;
use crate::components::notice::empty;
use crate::components::words::counted;
use crate::dom::{El, div, el, p, span, with_class};
use crate::json::Json;
use crate::route::Page;

/// Asked again after so long.
const AGAIN_MS: i64 = 10_000;

/// What the address says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct View {
    /// Words that rules must hold.
    filter: String,
    /// Only those that stand so.
    stand: Option<Stand>,
}

/// The choices, in the order of the page.
const STANDS: [(Option<Stand>, &str); 4] = [
    (None, "All"),
    (Some(Stand::Error), "Errors"),
    (Some(Stand::Firing), "Firing"),
    (Some(Stand::Pending), "Pending"),
];

impl InAddress for View {
    const PAGE: Page = Page::Rules;
    const PATH: &'static str = "/rules";

    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let word = get("show").unwrap_or_default();
        let stand = STANDS.into_iter().find_map(|(stand, _)| stand.filter(|stand| stand.word() == word));
        Self { filter: get("q").unwrap_or_default(), stand }
    }

    fn members(&self) -> Vec<(&'static str, String)> {
        let mut members = Vec::new();
        if let Some(stand) = self.stand {
            members.push(("show", stand.word().to_owned()));
        }
        if !self.filter.trim().is_empty() {
            members.push(("q", self.filter.trim().to_owned()));
        }
        members
    }
}

impl View {
    fn wants(&self, rule: &Rule) -> bool {
        self.stand.is_none_or(|stand| stand == rule.stand) && rule.holds(&self.filter.to_lowercase())
    }
}

type Load = Polled<Rules>;

/// The page at `/rules`.
pub fn rules_page() -> El {
    let view = in_address::<View>();
    let read = |json: &Json| Rules::read(json, clock::from_iso);
    let load = Load::start(|| "/api/v1/rules".to_owned(), AGAIN_MS, read);
    let known = move || load.is_known();
    let find = search(
        "Filter rules: name, expression, severity",
        move || view.with(|view| view.filter.clone()),
        move |text| view.update(|view| view.filter = text),
    );
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([el("h1").class("page-title alerts-title").text("Rules"), find]))
        .child(banners())
        .child(
            div("page-body rules-page")
                .child(load.awaited("Rules"))
                .when(known, move || bar(view, load))
                .when(move || load.with(|rules| !rules.faults.is_empty()), move || faults(load))
                .when(known, move || groups(view, load)),
        )
}

fn bar(view: RwSignal<View>, load: Load) -> El {
    let one = move |(stand, title): (Option<Stand>, &'static str)| {
        let count =
            move || Some(load.with(|rules| stand.map_or_else(|| rules.total(), |stand| rules.count(stand))));
        choice(
            title,
            count,
            move || view.with(|view| view.stand == stand),
            move || view.update(|view| view.stand = stand),
        )
    };
    div("alerts-bar").child(
        div("choices alerts-tabs")
            .attr("role", "group")
            .attr("aria-label", "Which rules")
            .children(STANDS.map(one)),
    )
}

/// What cannot be used comes first: it would be missed else.
fn faults(load: Load) -> El {
    let title = move || {
        let count = load.with(|rules| rules.faults.len());
        format!("{} cannot be used", counted(count, "rule", "rules"))
    };
    let one = |fault: Fault| {
        el("li")
            .class("fault")
            .child(span("fault-place mono").text(fault.place))
            .child(span("fault-what").text(fault.what))
            .child(span("fault-message").text(fault.message))
    };
    with_class("section", "faults state-unhealthy")
        .attr("aria-labelledby", "faults-title")
        .child(el("h2").class("faults-title").attr("id", "faults-title").text(title))
        .child(
            p("muted").text(
                "The others of these files are in use. Mend the file; it is read again when it is saved.",
            ),
        )
        .child(with_class("ul", "").each(
            move || load.with(|rules| rules.faults.clone()),
            |fault| format!("{} {}", fault.place, fault.message),
            one,
        ))
}

/// Groups and rules keep their element while their name stays: what is unfolded stays so.
fn groups(view: RwSignal<View>, load: Load) -> El {
    let keys = move || {
        load.with(|rules| {
            view.with(|view| {
                let groups = rules.groups.iter();
                let groups = groups.filter(|group| group.rules.iter().any(|rule| view.wants(rule)));
                groups.map(|group| (group.file.clone(), group.name.clone())).collect::<Vec<_>>()
            })
        })
    };
    let none = move || keys().is_empty();
    let detail = move || match load.with(Rules::total) {
        0 => "The config names no rule file, and the built-in rules are switched off.".to_owned(),
        total => format!("There are {} in all.", counted(total, "rule", "rules")),
    };
    div("rules-groups")
        .each(keys, |(file, name)| format!("{file} {name}"), move |key| one_group(view, load, key))
        .when(none, move || empty("No rule to show", detail))
}

fn one_group(view: RwSignal<View>, load: Load, (file, name): (String, String)) -> El {
    let group = Memo::new(move |before: Option<&read::Group>| {
        let now = load.with(|rules| {
            rules.groups.iter().find(|group| group.file == file && group.name == name).cloned()
        });
        now.or_else(|| before.cloned()).unwrap_or_default()
    });
    let shown = move || {
        group.with(|group| {
            view.with(|view| {
                let rules = group.rules.iter().enumerate();
                let shown = rules.filter(|(_, rule)| view.wants(rule));
                shown.map(|(index, rule)| (index, rule.name.clone())).collect::<Vec<_>>()
            })
        })
    };
    let row = move |(index, _): (usize, String)| {
        let rule = Memo::new(move |before: Option<&Rule>| {
            let now = group.with(|group| group.rules.get(index).cloned());
            now.or_else(|| before.cloned()).unwrap_or_default()
        });
        group::rule(rule)
    };
    with_class("section", "rules-group").child(group::head(group)).child(with_class("ul", "").each(
        shown,
        |(index, name)| format!("{index} {name}"),
        row,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_shows_the_same() {
        let view = View { filter: "lag".into(), stand: Some(Stand::Pending) };
        let members = view.members();
        let get = |key: &str| members.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
        assert_eq!(View::read(get), view);
        assert!(View::default().members().is_empty());
        assert!(!view.wants(&Rule { name: "Lag".into(), ..Rule::default() }));
        assert!(view.wants(&Rule { name: "Lag".into(), stand: Stand::Pending, ..Rule::default() }));
    }
}
