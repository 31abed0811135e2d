//! The alerts as a view asks for them: filtered, sorted, grouped, and where each row lies. Pure.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use fleetglass_shared::natural::natural;
use fleetglass_shared::wire::{Alert, AlertState, Incident, Severity};

use super::view::{GroupBy, Tab, View};
use crate::state::alerts::AlertRef;
use crate::state::order::sorted;

/// The alerts to show, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// Group by group.
    pub alerts: Vec<AlertRef>,
    /// The groups; empty when the view has none.
    pub groups: Vec<Group>,
    /// The incidents of several alerts, in place of these: when the view groups what fires by its cause.
    pub bundles: Vec<Bundle>,
    /// How many each tab has, whatever the filter; none for the history.
    pub counts: [usize; 4],
}

/// Alerts of one cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// What is known of it.
    pub incident: Incident,
    /// Those of its alerts that the filter leaves, quiet ones too; the worst first, then the first to begin.
    pub alerts: Vec<AlertRef>,
}

/// Alerts that share a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they share; empty for those that have nothing there.
    pub text: String,
    /// Which of the listing.
    pub range: Range<usize>,
    /// How many of each severity.
    pub counts: [usize; 3],
}

/// What stands at a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The head of a group.
    Group(usize),
    /// An alert.
    Alert(usize),
}

/// A row: what, its upper edge, its height.
pub type Slot = (What, i32, i32);

impl Listing {
    /// Filters, sorts and groups. `family` names the family of an alert's node.
    pub fn of(
        alerts: &[AlertRef],
        view: &View,
        incidents: &[Incident],
        family: impl Fn(&Alert) -> String,
    ) -> Self {
        let mut listing = Self::default();
        let words: Vec<String> = view.filter.split_whitespace().map(str::to_lowercase).collect();
        let mut bundled = HashMap::new();
        if view.group == GroupBy::Cause && view.tab == Tab::Firing {
            bundled = bundles(alerts, incidents, &words);
        }
        let apart: HashSet<&str> = incidents
            .iter()
            .filter(|incident| bundled.contains_key(incident.id.as_str()))
            .flat_map(|incident| incident.alerts.iter().map(String::as_str))
            .collect();
        let mut shown: Vec<(String, AlertRef)> = Vec::new();
        for alert in alerts {
            let Some(tab) = Tab::of(alert) else { continue };
            listing.counts[tab as usize] += 1;
            if tab == view.tab && matches(alert, &words) && !apart.contains(alert.id.as_str()) {
                let text = match view.group {
                    GroupBy::None | GroupBy::Cause => String::new(),
                    GroupBy::Name => alert.name.clone(),
                    GroupBy::Node => alert.node.clone().unwrap_or_default(),
                    GroupBy::Family => family(alert),
                    GroupBy::Severity => alert.severity.as_str().to_owned(),
                };
                shown.push((text, alert.clone()));
            }
        }
        let by_severity = view.group == GroupBy::Severity;
        let shown = sorted(shown, |(a_text, a), (b_text, b)| {
            let groups = if by_severity { a.severity.cmp(&b.severity) } else { natural(a_text, b_text) };
            groups
                .then_with(|| a.severity.cmp(&b.severity))
                .then_with(|| b.active_at.cmp(&a.active_at))
                .then_with(|| natural(&a.name, &b.name))
                .then_with(|| a.id.cmp(&b.id))
        });
        if !matches!(view.group, GroupBy::None | GroupBy::Cause) {
            let mut start = 0;
            for run in shown.chunk_by(|(a, _), (b, _)| a == b) {
                let mut counts = [0; 3];
                for (_, alert) in run {
                    counts[alert.severity as usize] += 1;
                }
                listing.groups.push(Group {
                    text: run[0].0.clone(),
                    range: start..start + run.len(),
                    counts,
                });
                start += run.len();
            }
        }
        listing.alerts = shown.into_iter().map(|(_, alert)| alert).collect();
        listing.bundles = incidents
            .iter()
            .filter_map(|incident| {
                let alerts = bundled.remove(incident.id.as_str()).filter(|alerts| !alerts.is_empty())?;
                Some(Bundle { incident: incident.clone(), alerts })
            })
            .collect();
        listing
    }

    /// Nothing is shown.
    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty() && self.bundles.is_empty()
    }

    /// Where each row lies, and how high all of them are.
    pub fn place(&self, head: i32, row: i32) -> (Vec<Slot>, i32) {
        let mut slots = Vec::with_capacity(self.alerts.len() + self.groups.len());
        let mut y = 0;
        let mut put = |what: What, height: i32| {
            slots.push((what, y, height));
            y += height;
        };
        match self.groups.as_slice() {
            [] => (0..self.alerts.len()).for_each(|index| put(What::Alert(index), row)),
            groups => {
                for (index, group) in groups.iter().enumerate() {
                    put(What::Group(index), head);
                    group.range.clone().for_each(|index| put(What::Alert(index), row));
                }
            }
        }
        (slots, y)
    }
}

/// Of each incident that has several alerts, one of which asks for somebody, those that hold the words. What another
/// alert quiets is explained by it; what somebody took or silenced has a place of its own.
fn bundles<'a>(
    alerts: &[AlertRef],
    incidents: &'a [Incident],
    words: &[String],
) -> HashMap<&'a str, Vec<AlertRef>> {
    let by_id: HashMap<&str, &AlertRef> = alerts.iter().map(|alert| (alert.id.as_str(), alert)).collect();
    let belongs = |alert: &&AlertRef| {
        alert.state == AlertState::Firing
            && alert.acknowledged.is_none()
            && alert.silenced_by.is_empty()
            && alert.muted_by.is_empty()
    };
    let mut bundles = HashMap::new();
    for incident in incidents {
        let own = incident.alerts.iter().filter_map(|id| by_id.get(id.as_str()).copied());
        let mut own: Vec<AlertRef> = own.filter(belongs).cloned().collect();
        if own.len() < 2 || !own.iter().any(|alert| alert.is_open()) {
            continue;
        }
        let title = incident.title.to_lowercase();
        if !words.iter().all(|word| title.contains(word)) {
            own.retain(|alert| matches(alert, words));
        }
        let own = sorted(own, |a, b| {
            a.severity
                .cmp(&b.severity)
                .then_with(|| a.active_at.cmp(&b.active_at))
                .then_with(|| natural(&a.name, &b.name))
                .then_with(|| natural(node_of(a), node_of(b)))
                .then_with(|| a.id.cmp(&b.id))
        });
        bundles.insert(incident.id.as_str(), own);
    }
    bundles
}

fn node_of(alert: &Alert) -> &str {
    alert.node.as_deref().unwrap_or_default()
}

/// The rows that touch what lies between two heights.
pub fn between(slots: &[Slot], top: i32, end: i32) -> &[Slot] {
    let first = slots.partition_point(|(_, y, height)| y + height <= top);
    let last = slots.partition_point(|(_, y, _)| *y < end);
    &slots[first..last.max(first)]
}

/// Whether an alert holds all the words, in lower case, anywhere.
pub fn matches(alert: &Alert, words: &[String]) -> bool {
    words.iter().all(|word| {
        let holds = |text: &String| text.to_lowercase().contains(word);
        holds(&alert.name)
            || alert.severity.as_str().contains(word.as_str())
            || holds(&alert.severity_text)
            || alert.node.as_ref().is_some_and(holds)
            || alert.labels.values().any(holds)
            || alert.annotations.get("summary").is_some_and(holds)
    })
}

/// `2 critical, 1 warning`: of which severities those of a group are.
pub fn counts_in_words(counts: [usize; 3]) -> String {
    let some = Severity::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0);
    some.map(|(severity, count)| format!("{count} {}", severity.as_str())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use fleetglass_shared::wire::CauseKind;
    use serde_json::json;

    use super::*;
    use crate::state::alerts::tests::sample;

    fn some() -> Vec<AlertRef> {
        vec![
            sample(json!({"id": "1", "name": "Lag", "node": "eu-10", "active_at": 5})),
            sample(
                json!({"id": "2", "name": "Lag", "node": "eu-2", "severity": "critical", "severity_text": "P1"}),
            ),
            sample(json!({"id": "3", "name": "Down", "node": "eu-2", "active_at": 9,
                "annotations": {"summary": "It is gone"}})),
            sample(json!({"id": "4", "name": "Soon", "state": "pending"})),
            sample(json!({"id": "5", "name": "Over", "state": "resolved"})),
        ]
    }

    fn ids(listing: &Listing) -> Vec<&str> {
        listing.alerts.iter().map(|alert| alert.id.as_str()).collect()
    }

    fn of(view: &View) -> Listing {
        Listing::of(&some(), view, &[], |_| "f".to_owned())
    }

    fn incident(id: &str, alerts: &[&str]) -> Incident {
        Incident {
            id: id.to_owned(),
            cause: CauseKind::Host,
            about: "h".to_owned(),
            title: "Host h does not answer".to_owned(),
            severity: Severity::Critical,
            since: 0,
            evidence: Vec::new(),
            nodes: 2,
            first: Vec::new(),
            alerts: alerts.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    #[test]
    fn alerts_of_one_cause_are_together_and_the_rest_stands_alone() {
        let mut all = some();
        // One that another alert quiets is part of its incident, one that somebody took is not.
        all[0] =
            sample(json!({"id": "1", "name": "Lag", "node": "eu-10", "active_at": 5, "inhibited_by": ["2"]}));
        all.push(sample(json!({"id": "6", "acknowledged": {"by": "ada", "at": 1}})));
        all.push(sample(json!({"id": "7", "muted_by": ["patches"]})));
        let incidents =
            [incident("x", &["3", "6", "7"]), incident("y", &["2", "1"]), incident("z", &["9", "8"])];
        let of = |view: &View| Listing::of(&all, view, &incidents, |_| String::new());
        let bundled = |listing: &Listing| -> Vec<Vec<String>> {
            let ids = |bundle: &Bundle| bundle.alerts.iter().map(|alert| alert.id.clone()).collect();
            listing.bundles.iter().map(ids).collect()
        };
        let listing = of(&View::default());
        assert_eq!((bundled(&listing), ids(&listing)), (vec![vec!["2".into(), "1".into()]], vec!["3"]));
        assert_eq!(listing.counts, [2, 1, 1, 2]);
        for (filter, found, alone) in [
            ("eu-10", vec![vec!["1".to_owned()]], vec![]),
            ("host answer", vec![vec!["2".into(), "1".into()]], vec![]),
            ("gone", vec![], vec!["3"]),
            ("nothing", vec![], vec![]),
        ] {
            let listing = of(&View { filter: filter.into(), ..View::default() });
            assert_eq!((bundled(&listing), ids(&listing)), (found, alone), "{filter}");
        }
        for view in
            [View { group: GroupBy::None, ..View::default() }, View { tab: Tab::Silenced, ..View::default() }]
        {
            assert!(of(&view).bundles.is_empty());
        }
    }

    #[test]
    fn the_worst_first_then_the_newest() {
        let listing = of(&View::default());
        assert_eq!(ids(&listing), ["2", "3", "1"]);
        assert_eq!(listing.counts, [3, 1, 0, 0]);
        assert_eq!(listing.place(36, 40).1, 120);
    }

    #[test]
    fn groups_are_in_natural_order() {
        let listing = of(&View { group: GroupBy::Node, ..View::default() });
        let groups: Vec<_> =
            listing.groups.iter().map(|group| (group.text.as_str(), group.range.clone())).collect();
        assert_eq!(groups, [("eu-2", 0..2), ("eu-10", 2..3)]);
        assert_eq!(ids(&listing), ["2", "3", "1"]);
        assert_eq!(counts_in_words(listing.groups[0].counts), "1 critical, 1 warning");
        let (slots, height) = listing.place(36, 40);
        assert_eq!((slots.len(), height), (5, 192));
        assert_eq!(slots[3], (What::Group(1), 116, 36));
        assert_eq!(of(&View { group: GroupBy::Severity, ..View::default() }).groups[0].text, "critical");
    }

    #[test]
    fn words_are_found_anywhere_and_all_must_be() {
        for (filter, found) in
            [("p1", &["2"][..]), ("eu-2", &["2", "3"]), ("GONE down", &["3"]), ("gone lag", &[])]
        {
            assert_eq!(ids(&of(&View { filter: filter.into(), ..View::default() })), found, "{filter}");
        }
    }

    #[test]
    fn only_what_is_in_sight() {
        let slots: Vec<Slot> = (0..100).map(|index| (What::Alert(index as usize), index * 40, 40)).collect();
        let seen = between(&slots, 395, 480);
        assert_eq!((seen[0].0, seen.len()), (What::Alert(9), 3));
        assert!(between(&slots, 9000, 9900).is_empty() && between(&slots, -500, -1).is_empty());
    }
}
