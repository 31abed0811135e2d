//! Pure: what the viewers of a link see, in words.

use std::collections::BTreeSet;

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::wire::{ScopeSpec, Share, View};

use crate::components::words::counted;

/// What a view is called.
pub(super) fn title(view: View) -> &'static str {
    match view {
        View::Fleet => "The list of nodes, live",
        View::Node => "Each node’s page",
        View::Charts => "Charts and queries",
        View::Alerts => "Alerts",
        View::Risks => "Slash risks",
    }
}

/// The same in a word, for a list.
pub(super) fn short(view: View) -> &'static str {
    match view {
        View::Fleet => "fleet",
        View::Node => "nodes",
        View::Charts => "charts",
        View::Alerts => "alerts",
        View::Risks => "risks",
    }
}

/// What is kept back, in a few words each.
pub(super) fn kept_back(scope: &ScopeSpec) -> Vec<String> {
    let mut words = Vec::new();
    words.push(if scope.addresses { "with addresses" } else { "no addresses" }.to_owned());
    if scope.aliases {
        words.push("aliases".to_owned());
    }
    if !scope.drop_labels.is_empty() {
        words.push(format!("without {}", scope.drop_labels.join(", ")));
    }
    if !scope.hide_metrics.is_empty() {
        words.push(format!("hides {}", scope.hide_metrics.join(", ")));
    }
    if let Some(seconds) = scope.oldest_seconds {
        words.push(format!("last {}", span(seconds)));
    }
    words
}

fn span(seconds: u64) -> String {
    duration_ms(i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX))
}

/// What somebody sees who opens the link, sentence by sentence; `nodes` is how many there are now.
pub(super) fn sees(scope: &ScopeSpec, nodes: Option<usize>) -> Vec<String> {
    let has = |view: View| scope.views.contains(&view);
    let mut words = Vec::new();
    words.push(match nodes {
        Some(0) => "No node just now; whichever the selector selects later is shown then.".to_owned(),
        Some(nodes) => {
            format!(
                "{} now; a node that the selector selects later is shown then.",
                counted(nodes, "node", "nodes")
            )
        }
        None => "The nodes that the selector selects, looked at anew each time.".to_owned(),
    });
    let parts: Vec<&str> = View::ALL
        .into_iter()
        .filter(|view| has(*view))
        .map(|view| match view {
            View::Fleet => "their list, live, and how much of the time they were up",
            View::Node => "what each says of itself and what happened to it",
            View::Charts => "their charts and series",
            View::Alerts => "what is wrong with them",
            View::Risks => "how near each is to a slash",
        })
        .collect();
    words.push(match parts.as_slice() {
        [] => "Nothing of them: choose at least one view.".to_owned(),
        parts => format!("Of them: {}.", parts.join("; ")),
    });
    words.push(match (scope.aliases, scope.addresses) {
        (true, true) => "Aliases in place of names, and addresses.".to_owned(),
        (true, false) => "Aliases in place of names, and no addresses or host names.".to_owned(),
        (false, true) => "Their names, addresses and host names.".to_owned(),
        (false, false) => "Their names, and no addresses or host names.".to_owned(),
    });
    if !scope.drop_labels.is_empty() {
        words.push(format!("Not the labels {}.", scope.drop_labels.join(", ")));
    }
    if !scope.hide_metrics.is_empty() {
        let names = scope.hide_metrics.join(", ");
        words.push(format!(
            "Not the values of {names}, nor facts, peers, risks and texts that may hold them."
        ));
    }
    if let Some(seconds) = scope.oldest_seconds {
        words.push(format!("Nothing that is older than {}.", span(seconds)));
    }
    words.push("Nothing that changes anything: the link is read-only.".to_owned());
    words
}

/// Whether a link opens no more, and why.
pub(super) fn ended(share: &Share, now: i64) -> Option<&'static str> {
    match share {
        share if share.revoked_at.is_some() => Some("taken back"),
        share if share.expires_at.is_some_and(|at| at <= now) => Some("ended"),
        share if share.max_views.is_some_and(|most| share.views >= most) && share.viewers == 0 => {
            Some("used up")
        }
        _ => None,
    }
}

/// How often it was opened.
pub(super) fn opened(share: &Share) -> String {
    let times = match share.views {
        0 => return "not opened yet".to_owned(),
        1 => "opened once".to_owned(),
        views => format!("opened {} times", crate::components::words::whole(views as usize)),
    };
    match share.max_views {
        Some(most) => format!("{times} of {most}"),
        None => times,
    }
}

/// Entries that stand on lines, or between commas or blanks.
pub(super) fn entries(text: &str) -> Vec<String> {
    let all = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    all.map(str::to_owned).collect()
}

/// Selectors, one a line.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The views that a page of the app is about.
pub(super) fn views_of(page: &str) -> BTreeSet<View> {
    match page {
        "risks" => [View::Fleet, View::Risks].into(),
        "alerts" => [View::Fleet, View::Alerts].into(),
        _ => View::ALL.into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn scope(json: &str) -> ScopeSpec {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_words_say_what_the_viewer_sees_and_what_not() {
        let plain = sees(&scope(r#"{"select":["{a=\"b\"}"],"views":["fleet","risks"]}"#), Some(12));
        assert_eq!(plain[0], "12 nodes now; a node that the selector selects later is shown then.");
        assert!(plain[1].contains("up; how near each is to a slash."), "{plain:?}");
        assert!(plain[2].contains("no addresses"));
        let careful = scope(
            r#"{"select":["x"],"views":["node"],"aliases":true,"drop_labels":["team"],"hide_metrics":["bond_*"],"oldest_seconds":86400}"#,
        );
        let words = sees(&careful, None).join(" ");
        for part in ["Aliases", "labels team", "values of bond_*", "older than 1 d"] {
            assert!(words.contains(part), "{part}: {words}");
        }
        assert_eq!(
            kept_back(&careful),
            ["no addresses", "aliases", "without team", "hides bond_*", "last 1 d"]
        );
    }

    #[test]
    fn entries_and_lines_are_told_apart() {
        assert_eq!(entries(" team, owner\nhost "), ["team", "owner", "host"]);
        assert_eq!(lines("{a=\"b\", c=\"d\"}\n\n {e=\"f\"} "), ["{a=\"b\", c=\"d\"}", "{e=\"f\"}"]);
        assert!(entries(" , ").is_empty() && lines("\n").is_empty());
    }
}
