//! Which alert quiets which: rules in Alertmanager's form.

use std::collections::BTreeMap;

use fleetglass_shared::{
    labels::{LabelSet, MatchOp, Matcher},
    wire::AlertState,
};

use crate::egress;

/// While a source fires, targets with equal labels are quiet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inhibition {
    /// What a source must pass.
    pub source: Vec<Matcher>,
    /// What a target must pass.
    pub target: Vec<Matcher>,
    /// Labels that both must have alike; a missing one is empty.
    pub equal: Vec<String>,
}

/// The alert of a node that cannot be reached.
pub const UNREACHABLE: &str = "NodeUnreachable";

/// The alert that a risk will be one soon.
const BREACH_SOON: &str = "BreachSoon";

/// What a family's alert names that says more than one for any node does: that one's name.
const STANDS_FOR: &str = "stands_for";

/// The alerts for any node of which a family may have its own.
const GENERAL: [&str; 2] = ["NodeUnhealthy", "NodeCrashLoop"];

/// A node that cannot be reached quiets its own other alerts. While our own way out is gone that a node cannot be
/// reached says nothing of it, and is quiet, too. So is what a family's own alert says better, and that a breach is
/// near once it is there.
pub fn built_in() -> Vec<Inhibition> {
    let general = GENERAL.map(|name| Inhibition {
        source: vec![Matcher::equal(STANDS_FOR, name)],
        target: vec![Matcher::equal("alertname", name), Matcher::equal(STANDS_FOR, "")],
        equal: vec!["instance".to_owned()],
    });
    // Once a risk has its own alert, that it was to come is no news.
    let soon = Inhibition {
        source: [("alertname", BREACH_SOON), ("risk", "")]
            .into_iter()
            .filter_map(|(name, value)| Matcher::new(name, MatchOp::NotEqual, value).ok())
            .collect(),
        target: vec![Matcher::equal("alertname", BREACH_SOON)],
        equal: vec!["instance".to_owned(), "risk".to_owned()],
    };
    let reach = [
        Inhibition {
            source: vec![Matcher::equal("alertname", UNREACHABLE)],
            target: Matcher::new("alertname", MatchOp::NotEqual, UNREACHABLE).into_iter().collect(),
            equal: vec!["instance".to_owned()],
        },
        Inhibition {
            source: vec![Matcher::equal("alertname", egress::ALERT)],
            target: vec![Matcher::equal("alertname", UNREACHABLE)],
            equal: Vec::new(),
        },
    ];
    reach.into_iter().chain(general).chain([soon]).collect()
}

fn passes(matchers: &[Matcher], labels: &LabelSet) -> bool {
    matchers.iter().all(|matcher| matcher.matches_set(labels))
}

/// Of each alert that is quiet the ids of those that quiet it. As in Alertmanager an alert that is both
/// source and target of a rule is not quieted by another such one.
pub(super) fn inhibited<'a>(
    inhibitions: &[Inhibition],
    alerts: impl Iterator<Item = (&'a str, &'a LabelSet, AlertState)> + Clone,
) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Inhibition { source, target, equal } in inhibitions {
        let key = |labels: &LabelSet| -> Vec<String> {
            equal.iter().map(|name| labels.get(name).unwrap_or_default().to_owned()).collect()
        };
        let mut sources: BTreeMap<Vec<String>, Vec<(&str, bool)>> = BTreeMap::new();
        for (id, labels, _) in
            alerts.clone().filter(|(_, labels, state)| *state == AlertState::Firing && passes(source, labels))
        {
            sources.entry(key(labels)).or_default().push((id, passes(target, labels)));
        }
        if sources.is_empty() {
            continue;
        }
        for (id, labels, _) in alerts.clone().filter(|(_, labels, _)| passes(target, labels)) {
            let both = passes(source, labels);
            let own = sources.get(&key(labels)).into_iter().flatten();
            let by = own.filter(|(source, is_target)| *source != id && !(both && *is_target));
            found.entry(id.to_owned()).or_default().extend(by.map(|(source, _)| (*source).to_owned()));
        }
    }
    found.retain(|_, by| !by.is_empty());
    found
}
