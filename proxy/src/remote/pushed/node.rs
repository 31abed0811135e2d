//! One node that is pushed to us: what its series say about it, and how it is by that. Pure.

use std::collections::BTreeMap;

use fleetglass_shared::{
    format,
    health::{Reason, Status, UnixMillis},
    labels::{LabelSet, METRIC_NAME},
    sample::is_stale,
};

use super::kept::Kept;
use crate::{
    config::{RemoteWriteInConfig, Span},
    store::Sample,
};

/// Pushed nodes are looked at as if they came this often until it is known better.
const USUAL_INTERVAL_MS: i64 = 15_000;
/// A node is not silent before this, however often it usually comes.
const LEAST_SILENCE_MS: i64 = 60_000;
/// A node has few jobs; whoever pushes more `up` than this means something else by it.
const MOST_UPS: usize = 100;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Node {
    /// The value of the family label, the first that names a family if one does.
    pub(super) family: String,
    /// Its labels in the fleet; `None` before its first series.
    labels: Option<BTreeMap<String, String>>,
    /// The newest value of each `up`.
    ups: BTreeMap<LabelSet, Sample>,
    /// A series to see the interval by, and the time of its newest sample.
    paced: Option<(LabelSet, UnixMillis)>,
    interval_ms: Option<i64>,
    /// Something came since the start.
    heard: bool,
    /// When something came last.
    pub(super) arrived_at: UnixMillis,
    /// When it was looked at last, and whether something came since.
    pub(super) looked_at: Option<UnixMillis>,
    pub(super) news: bool,
}

impl Node {
    /// A node as it was kept, with its id.
    pub(super) fn of(kept: Kept) -> (String, Self) {
        let Kept { id, family, labels, interval_ms, arrived_at } = kept;
        let labels = Some(labels);
        (id, Self { family, labels, interval_ms, arrived_at, ..Self::default() })
    }

    /// What is kept of it.
    pub(super) fn kept(&self, id: &str) -> Kept {
        let (id, family, labels) = (id.to_owned(), self.family.clone(), self.labels());
        Kept { id, family, labels, interval_ms: self.interval_ms, arrived_at: self.arrived_at }
    }

    /// Takes in series that came, with all their labels.
    pub(super) fn note(
        &mut self,
        config: &RemoteWriteInConfig,
        series: &[(LabelSet, Vec<Sample>)],
        is_family: impl Fn(&str) -> bool,
        now: UnixMillis,
    ) {
        for (labels, samples) in series {
            let Some(&(newest, value)) = samples.last() else { continue };
            if !is_stale(value) {
                (self.arrived_at, self.news, self.heard) = (now, true, true);
            }
            let is_up = labels.metric() == "up";
            if is_up {
                self.note_up(labels, (newest, value));
            }
            self.note_pace(labels, newest, is_up);
            self.note_labels(config, labels);
            let word = labels.get(&config.family_label).unwrap_or("");
            if self.family.is_empty() || (!is_family(&self.family) && is_family(word)) {
                self.family = word.to_owned();
            }
        }
    }

    fn note_up(&mut self, labels: &LabelSet, sample: Sample) {
        let known = self.ups.get(labels);
        if known.is_some_and(|known| known.0 > sample.0) {
            return; // It came late.
        }
        self.news = true;
        if is_stale(sample.1) {
            self.ups.remove(labels);
        } else if known.is_some() || self.ups.len() < MOST_UPS {
            self.ups.insert(labels.clone(), sample);
        }
    }

    fn note_pace(&mut self, labels: &LabelSet, newest: UnixMillis, is_up: bool) {
        match &mut self.paced {
            Some((paced, last)) if paced == labels => {
                if newest > *last {
                    self.interval_ms = Some(newest - *last);
                    *last = newest;
                }
            }
            // `up` comes at each scrape; others may come by another's clock.
            Some((paced, _)) if !is_up || paced.metric() == "up" => {}
            _ => self.paced = Some((labels.clone(), newest)),
        }
    }

    fn note_labels(&mut self, config: &RemoteWriteInConfig, labels: &LabelSet) {
        let own = |name: &str| {
            name != METRIC_NAME
                && name != config.node_label
                && name != config.family_label
                && !matches!(name, "instance" | "job")
        };
        if !config.labels.is_empty() {
            let known = self.labels.get_or_insert_default();
            for name in &config.labels {
                if let Some(value) = labels.get(name).filter(|_| own(name)) {
                    known.entry(name.clone()).or_insert_with(|| value.to_owned());
                }
            }
            return;
        }
        match &mut self.labels {
            Some(common) => common.retain(|name, value| labels.get(name) == Some(value)),
            None => {
                let first = labels.iter().filter(|(name, _)| own(name));
                self.labels = Some(first.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
            }
        }
    }

    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        self.labels.clone().unwrap_or_default()
    }

    pub(super) fn interval_ms(&self) -> i64 {
        self.interval_ms.unwrap_or(USUAL_INTERVAL_MS)
    }

    /// Whether it is to be looked at again.
    pub(super) fn is_due(&self, now: UnixMillis) -> bool {
        let interval = self.interval_ms().max(USUAL_INTERVAL_MS);
        self.news || self.looked_at.is_none_or(|at| now - at >= interval)
    }

    /// Since when nothing has come, if that is for too long.
    fn silent_ms(&self, config: &RemoteWriteInConfig, now: UnixMillis) -> Option<i64> {
        let usual = self.interval_ms().saturating_mul(3).max(LEAST_SILENCE_MS);
        let limit = config.stale_after.map_or(usual, Span::as_time);
        Some(now - self.arrived_at).filter(|&silent| silent > limit)
    }

    /// How the node is, and why.
    pub(super) fn verdict(&self, config: &RemoteWriteInConfig, now: UnixMillis) -> (Status, Option<Reason>) {
        let because =
            |status, code: &str, text| (status, Some(Reason { code: code.to_owned(), text, status }));
        if let Some(silent) = self.silent_ms(config, now) {
            let text = format!("Nothing was pushed for {}", format::duration_ms(silent));
            return because(Status::Unreachable, "nothing-pushed", text);
        }
        if !self.heard {
            let text = "Nothing was pushed since the start".to_owned();
            return because(Status::Unknown, "not-pushed-yet", text);
        }
        let down: Vec<&LabelSet> =
            self.ups.iter().filter(|(_, sample)| sample.1 != 1.0).map(|(labels, _)| labels).collect();
        match (down.as_slice(), self.ups.len()) {
            ([], _) => (Status::Healthy, None),
            (all, ups) if all.len() == ups => {
                let text = "Whoever pushes it cannot reach it (its `up` is 0)".to_owned();
                because(Status::Unreachable, "up-is-0", text)
            }
            ([first, ..], ups) => {
                let text = format!("{} of {ups} `up` are 0, e.g. {first}", down.len());
                because(Status::Degraded, "up-is-0", text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fleetglass_shared::sample::stale_marker;

    use super::*;
    use crate::config::Span;

    fn series(metric: &str, further: &[(&str, &str)], at: i64, value: f64) -> (LabelSet, Vec<Sample>) {
        let fixed = [(METRIC_NAME, metric), ("instance", "a")];
        (LabelSet::from_pairs(fixed.into_iter().chain(further.iter().copied())), vec![(at, value)])
    }

    fn is_family(word: &str) -> bool {
        word == "known"
    }

    fn noted(node: &mut Node, all: &[(LabelSet, Vec<Sample>)], now: i64) {
        node.note(&RemoteWriteInConfig::default(), all, is_family, now);
    }

    fn code(node: &Node, now: i64) -> (Status, String) {
        let (status, reason) = node.verdict(&RemoteWriteInConfig::default(), now);
        (status, reason.map_or(String::new(), |reason| reason.code))
    }

    #[test]
    fn up_decides_while_something_comes_and_silence_after_that() {
        let mut node = Node::default();
        let well = (Status::Healthy, String::new());
        noted(&mut node, &[series("up", &[("job", "x")], 0, 1.0), series("m", &[], 0, 5.0)], 1_000);
        assert_eq!(code(&node, 2_000), well);
        noted(&mut node, &[series("up", &[("job", "x")], 15_000, 0.0)], 16_000);
        assert_eq!(code(&node, 17_000), (Status::Unreachable, "up-is-0".into()));
        noted(&mut node, &[series("up", &[("job", "y")], 15_000, 1.0)], 16_000);
        assert_eq!(code(&node, 17_000), (Status::Degraded, "up-is-0".into()));
        // One that came late says nothing of now, and a stale one nothing at all.
        noted(&mut node, &[series("up", &[("job", "x")], 14_000, 1.0)], 16_500);
        assert_eq!(code(&node, 17_000).0, Status::Degraded);
        noted(&mut node, &[series("up", &[("job", "x")], 30_000, stale_marker())], 31_000);
        assert_eq!((code(&node, 31_000), node.arrived_at), (well, 16_500), "the end of a series is no life");
        assert_eq!(code(&node, 16_500 + 60_001), (Status::Unreachable, "nothing-pushed".into()));
    }

    #[test]
    fn silence_is_three_intervals_and_a_minute_at_least_unless_told() {
        let mut node = Node::default();
        noted(&mut node, &[series("m", &[], 0, 1.0), series("up", &[], 0, 1.0)], 0);
        noted(&mut node, &[series("up", &[], 60_000, 1.0), series("m", &[], 1, 1.0)], 60_000);
        assert_eq!(node.interval_ms(), 60_000);
        let silent = |node: &Node, now| code(node, now).1 == "nothing-pushed";
        assert!(!silent(&node, 60_000 + 180_000) && silent(&node, 60_000 + 180_001));
        let config =
            RemoteWriteInConfig { stale_after: Some(Span(Duration::from_secs(5))), ..Default::default() };
        let (status, reason) = node.verdict(&config, 66_000);
        let text = reason.map(|reason| reason.text).unwrap_or_default();
        assert_eq!((status, text.as_str()), (Status::Unreachable, "Nothing was pushed for 6 s"));
    }

    #[test]
    fn its_labels_are_those_that_all_series_share_or_those_that_were_asked_for() {
        let both = [
            series("up", &[("job", "x"), ("region", "eu"), ("rack", "1")], 0, 1.0),
            series("m", &[("job", "x"), ("region", "eu"), ("le", "1"), ("rack", "2")], 0, 1.0),
        ];
        let mut node = Node::default();
        noted(&mut node, &both, 0);
        assert_eq!(node.labels(), BTreeMap::from([("region".to_owned(), "eu".to_owned())]));
        let config =
            RemoteWriteInConfig { labels: vec!["rack".to_owned(), "le".to_owned()], ..Default::default() };
        let mut node = Node::default();
        node.note(&config, &both, is_family, 0);
        let expected = [("le", "1"), ("rack", "1")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(node.labels(), BTreeMap::from(expected));
    }

    #[test]
    fn the_family_is_the_first_that_is_one() {
        let mut node = Node::default();
        noted(&mut node, &[series("m", &[("job", "other")], 0, 1.0)], 0);
        assert_eq!(node.family, "other");
        noted(
            &mut node,
            &[series("m", &[("job", "known")], 0, 1.0), series("m", &[("job", "z")], 0, 1.0)],
            0,
        );
        assert_eq!(node.family, "known");
    }

    #[test]
    fn it_is_looked_at_when_something_came_and_now_and_then() {
        let mut node = Node::default();
        noted(&mut node, &[series("m", &[], 0, 1.0)], 0);
        assert!(node.is_due(0));
        (node.news, node.looked_at) = (false, Some(1000));
        assert!(!node.is_due(15_999) && node.is_due(16_000));
    }
}
