//! What happened to some nodes and to no others: what those are told who see a part of the fleet.

use fleetglass_shared::wire::{AlertHistory, Events};

use super::{AlertQuery, EventQuery, StateError, StateFile, alert, event};

impl StateFile {
    /// The newest events of these nodes; which others there are changes nothing.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn events_within(&self, nodes: &[String], query: EventQuery) -> Result<Events, StateError> {
        let nodes = json(nodes);
        self.ask(move |connection| event::find_within(connection, &nodes, &query)).await
    }

    /// The newest changes of alerts of these names, about these nodes.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn alert_history_within(
        &self,
        nodes: &[String],
        names: &[String],
        query: AlertQuery,
    ) -> Result<AlertHistory, StateError> {
        let (nodes, names) = (json(nodes), json(names));
        self.ask(move |connection| alert::find_within(connection, (&nodes, &names), &query)).await
    }
}

fn json(words: &[String]) -> String {
    serde_json::to_string(words).unwrap_or_else(|_| "[]".to_owned())
}
