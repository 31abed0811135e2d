//! The fleet as the live stream tells it: a snapshot, and deltas laid over it. Pure: no signals, no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetglass_shared::wire::{AlertState, FamilyInfo, FleetSnapshot, NodeSummary, ServerInfo};

use super::alerts::AlertRef;
use super::read::{self, Delta};

/// One node's summary, shared between the model, its signal and the lists.
pub type Node = Arc<NodeSummary>;

/// Everything the stream has told so far.
#[derive(Debug, Default)]
pub struct Model {
    /// The number of the last change.
    pub seq: u64,
    /// The proxy; `None` before the first snapshot.
    pub server: Option<ServerInfo>,
    /// The families a person may see named.
    pub families: Vec<FamilyInfo>,
    /// Every node by id.
    pub nodes: BTreeMap<String, Node>,
    /// Every alert by id.
    pub alerts: BTreeMap<String, AlertRef>,
}

/// What a delta did.
#[derive(Debug, Default, PartialEq)]
pub struct Applied {
    /// Nodes that were there and differ now.
    pub changed: Vec<Node>,
    /// Nodes that are new.
    pub added: Vec<Node>,
    /// Ids of nodes that are gone.
    pub removed: Vec<String>,
    /// The families differ.
    pub families: bool,
    /// Alerts differ.
    pub alerts: bool,
}

/// Why a delta cannot be laid over what is held: only a new snapshot helps.
#[derive(Debug, PartialEq, Eq)]
pub enum Gap {
    /// Its number is not one more than the last.
    Sequence,
    /// A patch does not give a node.
    Malformed,
}

impl Model {
    /// Forgets what was held and takes the snapshot.
    pub fn replace(&mut self, snapshot: FleetSnapshot) {
        self.seq = snapshot.seq;
        self.server = Some(snapshot.server);
        self.families = snapshot.families;
        self.nodes.clear();
        for node in snapshot.nodes {
            self.nodes.insert(node.id.clone(), Arc::new(node));
        }
        self.alerts.clear();
        for alert in snapshot.alerts {
            self.alerts.insert(alert.id.clone(), Arc::new(alert));
        }
    }

    /// Forgets the alerts that are pending; whether there were some.
    pub fn drop_pending(&mut self) -> bool {
        // `retain` of a map would cost the first page a kilobyte.
        let pending = self.alerts.values().filter(|alert| alert.state == AlertState::Pending);
        let ids: Vec<String> = pending.map(|alert| alert.id.clone()).collect();
        for id in &ids {
            self.alerts.remove(id);
        }
        !ids.is_empty()
    }

    /// Lays a delta over what is held. On an error nothing has changed.
    pub fn apply(&mut self, delta: Delta) -> Result<Applied, Gap> {
        let follows = delta.since.map_or(delta.seq == self.seq + 1, |since| since == self.seq);
        if self.server.is_none() || !follows {
            return Err(Gap::Sequence);
        }
        let mut applied = Applied::default();
        for (id, patch) in delta.nodes {
            match (self.nodes.get(&id), patch.is_null()) {
                (Some(_), true) => applied.removed.push(id),
                (None, true) => {}
                // What has an id is the whole node.
                (Some(held), false) if !patch.get("id").is_null() => {
                    let mut node = read::node(&patch).map_err(|_| Gap::Malformed)?;
                    if node.id != held.id {
                        return Err(Gap::Malformed);
                    }
                    if node.spark.values.is_empty() {
                        node.spark = held.spark.clone();
                    }
                    applied.changed.push(Arc::new(node));
                }
                (Some(node), false) => {
                    let mut node = NodeSummary::clone(node);
                    read::patch(&mut node, &patch).map_err(|_| Gap::Malformed)?;
                    applied.changed.push(Arc::new(node));
                }
                (None, false) => {
                    let node = read::node(&patch).map_err(|_| Gap::Malformed)?;
                    applied.added.push(Arc::new(node));
                }
            }
        }
        for id in &applied.removed {
            self.nodes.remove(id);
        }
        for node in applied.changed.iter().chain(&applied.added) {
            self.nodes.insert(node.id.clone(), node.clone());
        }
        applied.alerts = !delta.alerts.is_empty();
        for (id, alert) in delta.alerts {
            match alert {
                Some(alert) => drop(self.alerts.insert(id, Arc::new(alert))),
                None => drop(self.alerts.remove(&id)),
            }
        }
        if let Some(families) = delta.families {
            self.families = families;
            applied.families = true;
        }
        self.seq = delta.seq;
        Ok(applied)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Gap, Model, Node};
    use crate::json::Json;
    use crate::state::alerts::tests::sample;
    use crate::state::read::{self, Delta};
    use fleetglass_shared::health::Status;
    use serde_json::{Value, json};

    /// A node from the few members a test cares about.
    pub(crate) fn node(members: Value) -> Node {
        let mut whole = json!({
            "id": "n", "family": "f", "status": "healthy", "since": 0, "interval_ms": 15000,
            "spark": {"minute": 0, "values": []},
        });
        fleetglass_shared::patch::merge(&mut whole, &members);
        serde_json::from_value(whole).unwrap()
    }

    fn model() -> Model {
        let snapshot = read::snapshot(&Json(json!({
            "seq": 7, "at": 1, "server": {"version": "1", "epoch": "e", "started_at": 0}, "families": [],
            "nodes": [
                node(json!({"id": "a", "peers": 3, "spark": {"minute": 10, "values": [1.0, 2.0]},
                            "labels": {"region": "eu"}})).as_ref(),
                node(json!({"id": "b"})).as_ref(),
            ],
        })))
        .unwrap();
        let mut model = Model::default();
        model.replace(snapshot);
        model
    }

    fn delta(seq: u64, nodes: Value) -> Delta {
        read::delta(&Json(json!({"seq": seq, "at": 2, "nodes": nodes}))).unwrap()
    }

    #[test]
    fn a_delta_changes_adds_and_removes() {
        let mut model = model();
        let new = serde_json::to_value(node(json!({"id": "c"})).as_ref()).unwrap();
        let patch = json!({"status": "degraded", "peers": null, "spark": {"minute": 11, "values": [5.0]}});
        let applied = model.apply(delta(8, json!({"a": patch, "b": null, "c": new, "gone": null}))).unwrap();
        assert_eq!(applied.removed, ["b"]);
        assert_eq!(applied.added[0].id, "c");
        let changed = &applied.changed[0];
        assert_eq!((changed.status, changed.peers), (Status::Degraded, None));
        assert_eq!(changed.spark.values, [Some(1.0), Some(2.0), Some(5.0)]);
        assert_eq!(changed.labels["region"], "eu");
        assert_eq!(model.nodes.keys().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(model.seq, 8);
    }

    #[test]
    fn what_pends_is_forgotten_and_what_fires_is_not() {
        let mut model = model();
        for (id, state) in [("1", "pending"), ("2", "firing"), ("3", "resolved")] {
            model.alerts.insert(id.into(), sample(json!({"id": id, "state": state})));
        }
        assert!(model.drop_pending());
        assert_eq!(model.alerts.keys().collect::<Vec<_>>(), ["2", "3"]);
        assert!(!model.drop_pending());
    }

    #[test]
    fn a_phones_delta_follows_on_what_it_says_and_may_hold_whole_nodes() {
        let mut model = model();
        let whole = serde_json::to_value(node(json!({"id": "a", "version": "2"})).as_ref()).unwrap();
        let lean = |since: u64, whole: &Value| {
            let json = json!({"seq": 19, "since": since, "at": 2, "nodes": {"a": whole}});
            read::delta(&Json(json)).unwrap()
        };
        assert_eq!(model.apply(lean(6, &whole)), Err(Gap::Sequence));
        let applied = model.apply(lean(7, &whole)).unwrap();
        let changed = &applied.changed[0];
        assert_eq!(
            (changed.peers, changed.version.as_deref()),
            (None, Some("2")),
            "nothing of before is left"
        );
        assert_eq!(changed.spark.values.len(), 2, "but for the spark, which off the screen is not told");
        assert_eq!(model.seq, 19);
        let other = json!({"id": "b", "family": "f", "status": "healthy", "since": 0, "interval_ms": 1});
        assert_eq!(model.apply(lean(19, &other)), Err(Gap::Malformed));
    }

    #[test]
    fn a_gap_or_a_patch_that_gives_no_node_is_refused_and_nothing_changes() {
        let mut model = model();
        assert_eq!(model.apply(delta(9, json!({"b": null}))), Err(Gap::Sequence));
        assert_eq!(model.apply(delta(7, json!({"b": null}))), Err(Gap::Sequence));
        for patch in [json!({"status": "?"}), json!({"id": "other"}), json!(3), json!({"spark": 1})] {
            assert_eq!(model.apply(delta(8, json!({"b": null, "a": patch}))), Err(Gap::Malformed));
        }
        assert_eq!(model.apply(delta(8, json!({"new": {"status": "healthy"}}))), Err(Gap::Malformed));
        assert_eq!(model.nodes.len(), 2);
        assert_eq!(model.seq, 7);
        assert_eq!(Model::default().apply(delta(1, json!({}))), Err(Gap::Sequence));
    }
}
