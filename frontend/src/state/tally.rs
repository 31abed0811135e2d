//! Counting the fleet: by state, by version.

use std::collections::HashMap;

use fleetglass_shared::health::Status;
use fleetglass_shared::natural::natural;

use super::model::Node;
use super::order::sorted;

/// How many nodes have each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct States([usize; 5]);

impl States {
    /// Counts the nodes.
    pub fn of<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> Self {
        let mut states = Self::default();
        for node in nodes {
            states.0[node.status as usize] += 1;
        }
        states
    }

    /// How many have this state.
    pub fn count(&self, status: Status) -> usize {
        self.0[status as usize]
    }

    /// How many there are in all.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// The states that occur, the worst first.
    pub fn present(&self) -> Vec<(Status, usize)> {
        Status::WORST_FIRST
            .into_iter()
            .map(|status| (status, self.count(status)))
            .filter(|(_, n)| *n > 0)
            .collect()
    }
}

/// A version and how many nodes run it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionCount {
    /// As the nodes report it.
    pub version: String,
    /// How many run it.
    pub count: usize,
}

/// The versions, the most common first.
pub fn versions<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> Vec<VersionCount> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for version in nodes.into_iter().filter_map(|node| node.version.as_deref()) {
        *counts.entry(version).or_default() += 1;
    }
    let versions =
        counts.into_iter().map(|(version, count)| VersionCount { version: version.to_owned(), count });
    sorted(versions.collect(), |a, b| b.count.cmp(&a.count).then_with(|| natural(&a.version, &b.version)))
}

#[cfg(test)]
mod tests {
    use fleetglass_shared::health::Status;
    use serde_json::json;

    use super::{States, versions};
    use crate::state::model::tests::node;

    #[test]
    fn counts_by_state_and_by_version() {
        let nodes = [
            node(json!({"version": "1.2"})),
            node(json!({"version": "1.10", "status": "unreachable"})),
            node(json!({"version": "1.2"})),
            node(json!({"status": "unreachable"})),
        ];
        let states = States::of(&nodes);
        assert_eq!(states.present(), [(Status::Unreachable, 2), (Status::Healthy, 2)]);
        assert_eq!(states.total(), 4);
        let versions: Vec<_> = versions(&nodes).into_iter().map(|v| (v.version, v.count)).collect();
        assert_eq!(versions, [("1.2".to_owned(), 2), ("1.10".to_owned(), 1)]);
    }
}
