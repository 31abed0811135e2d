//! Alerts in the state file: as they stand, what happened to them, who has taken them, and silences.

use std::collections::BTreeMap;

use fleetglass_shared::{
    health::UnixMillis,
    wire::{Acknowledgement, AlertChange, AlertHistory, AlertState, Severity},
};
use rusqlite::{Connection, Row, params};

use super::{StateError, StateFile};

/// An alert as the file has it.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptAlert {
    /// Its rule: file, group and name.
    pub rule: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Where it stands.
    pub state: AlertState,
    /// Its last value.
    pub value: f64,
    /// Since when it is true.
    pub active_at: UnixMillis,
    /// Since when it fires.
    pub fired_at: Option<UnixMillis>,
    /// When it was resolved.
    pub resolved_at: Option<UnixMillis>,
    /// Since when its expression gives nothing.
    pub held_since: Option<UnixMillis>,
}

/// A silence as the file has it; its matchers in the words of Alertmanager's API.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptSilence {
    /// Its id.
    pub id: String,
    /// JSON.
    pub matchers: String,
    /// From when.
    pub starts_at: UnixMillis,
    /// Until when.
    pub ends_at: UnixMillis,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// When it was last changed.
    pub updated_at: UnixMillis,
}

/// Which changes of alerts are asked for. Both ends of the time belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertQuery {
    /// Of this alert only.
    pub alert: Option<String>,
    /// Of this node only.
    pub node: Option<String>,
    /// Not before this.
    pub since: UnixMillis,
    /// Not after this.
    pub until: UnixMillis,
    /// The newest so many.
    pub limit: usize,
}

/// Who has taken which alert.
pub(crate) type Acknowledgements = BTreeMap<String, Acknowledgement>;

fn json(map: &BTreeMap<String, String>) -> String {
    serde_json::to_string(map).unwrap_or_else(|_| "{}".to_owned())
}

fn number(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

impl StateFile {
    /// Keeps alerts as they stand now, takes away those of `gone` (rule and labels), and keeps what happened.
    pub fn record_alerts(
        &self,
        kept: Vec<KeptAlert>,
        gone: Vec<(String, BTreeMap<String, String>)>,
        changes: Vec<AlertChange>,
    ) {
        self.write(move |connection| {
            for alert in &kept {
                save(connection, alert)?;
            }
            for (rule, labels) in &gone {
                connection
                    .prepare_cached("DELETE FROM alert WHERE rule = ?1 AND labels = ?2")?
                    .execute(params![rule, json(labels)])?;
            }
            changes.iter().try_for_each(|change| insert(connection, change))
        });
    }

    /// Keeps who has taken an alert, or that nobody has any more.
    pub fn record_acknowledgement(&self, alert: &str, taken: Option<Acknowledgement>) {
        let alert = alert.to_owned();
        self.write(move |connection| match &taken {
            None => connection.execute("DELETE FROM acknowledgement WHERE alert = ?1", [&alert]).map(drop),
            Some(taken) => connection
                .execute(
                    "INSERT OR REPLACE INTO acknowledgement (alert, taken_by, note, at, until)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![alert, taken.by, taken.note, taken.at, taken.until],
                )
                .map(drop),
        });
    }

    /// Keeps a silence.
    pub fn record_silence(&self, silence: KeptSilence) {
        self.write(move |connection| {
            connection
                .execute(
                    "INSERT OR REPLACE INTO silence
                     (id, matchers, starts_at, ends_at, created_by, comment, updated_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        silence.id,
                        silence.matchers,
                        silence.starts_at,
                        silence.ends_at,
                        silence.created_by,
                        silence.comment,
                        silence.updated_at
                    ],
                )
                .map(drop)
        });
    }

    /// Takes away silences that ended before a time, and what happened to alerts before another.
    pub fn prune_alerts(&self, silences_before: UnixMillis, changes_before: UnixMillis) {
        self.write(move |connection| {
            connection.execute("DELETE FROM silence WHERE ends_at < ?1", [silences_before])?;
            connection.execute("DELETE FROM alert_change WHERE at < ?1", [changes_before]).map(drop)
        });
    }

    /// Alerts, who has taken them, and silences, as an earlier run left them.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn alerts(&self) -> Result<(Vec<KeptAlert>, Acknowledgements, Vec<KeptSilence>), StateError> {
        self.ask(|connection| Ok((load(connection)?, acknowledgements(connection)?, silences(connection)?)))
            .await
    }

    /// What happened to alerts, the newest first.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn alert_history(&self, query: AlertQuery) -> Result<AlertHistory, StateError> {
        self.ask(move |connection| find(connection, &query)).await
    }
}

fn save(connection: &Connection, alert: &KeptAlert) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO alert
             (rule, labels, annotations, state, value, active_at, fired_at, resolved_at, held_since)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            alert.rule,
            json(&alert.labels),
            json(&alert.annotations),
            alert.state.as_str(),
            number(Some(alert.value)),
            alert.active_at,
            alert.fired_at,
            alert.resolved_at,
            alert.held_since
        ])
        .map(drop)
}

fn load(connection: &Connection) -> rusqlite::Result<Vec<KeptAlert>> {
    let mut statement = connection.prepare(
        "SELECT rule, labels, annotations, state, value, active_at, fired_at, resolved_at, held_since FROM alert",
    )?;
    let alerts = statement.query_map([], |row| {
        let (labels, annotations, state): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(KeptAlert {
            rule: row.get(0)?,
            labels: serde_json::from_str(&labels).unwrap_or_default(),
            annotations: serde_json::from_str(&annotations).unwrap_or_default(),
            state: AlertState::parse(&state).unwrap_or(AlertState::Pending),
            value: row.get::<_, Option<f64>>(4)?.unwrap_or(f64::NAN),
            active_at: row.get(5)?,
            fired_at: row.get(6)?,
            resolved_at: row.get(7)?,
            held_since: row.get(8)?,
        })
    })?;
    alerts.collect()
}

fn acknowledgements(connection: &Connection) -> rusqlite::Result<Acknowledgements> {
    let mut statement = connection.prepare("SELECT alert, taken_by, note, at, until FROM acknowledgement")?;
    let found = statement.query_map([], |row| {
        let taken =
            Acknowledgement { by: row.get(1)?, note: row.get(2)?, at: row.get(3)?, until: row.get(4)? };
        Ok((row.get(0)?, taken))
    })?;
    found.collect()
}

fn silences(connection: &Connection) -> rusqlite::Result<Vec<KeptSilence>> {
    let mut statement = connection.prepare(
        "SELECT id, matchers, starts_at, ends_at, created_by, comment, updated_at FROM silence ORDER BY starts_at",
    )?;
    let found = statement.query_map([], |row| {
        Ok(KeptSilence {
            id: row.get(0)?,
            matchers: row.get(1)?,
            starts_at: row.get(2)?,
            ends_at: row.get(3)?,
            created_by: row.get(4)?,
            comment: row.get(5)?,
            updated_at: row.get(6)?,
        })
    })?;
    found.collect()
}

fn insert(connection: &Connection, change: &AlertChange) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO alert_change (at, alert, name, node, severity, what, value, text)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            change.at,
            change.alert,
            change.name,
            change.node,
            change.severity.as_str(),
            change.what,
            number(change.value),
            change.text
        ])
        .map(drop)
}

fn find(connection: &Connection, query: &AlertQuery) -> rusqlite::Result<AlertHistory> {
    let mut statement = connection.prepare_cached(
        "SELECT at, alert, name, node, severity, what, value, text FROM alert_change
         WHERE (?1 IS NULL OR alert = ?1) AND (?2 IS NULL OR node = ?2) AND at BETWEEN ?3 AND ?4
         ORDER BY id DESC LIMIT ?5",
    )?;
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX - 1);
    let rows = statement
        .query_map(params![query.alert, query.node, query.since, query.until, limit + 1], change_of)?;
    let mut changes = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let more = changes.len() > query.limit;
    changes.truncate(query.limit);
    Ok(AlertHistory { changes, more })
}

/// As [`find`], about some nodes and of alerts of some names alone: JSON lists.
pub(super) fn find_within(
    connection: &Connection,
    (nodes, names): (&str, &str),
    query: &AlertQuery,
) -> rusqlite::Result<AlertHistory> {
    let mut statement = connection.prepare_cached(
        "SELECT at, alert, name, node, severity, what, value, text FROM alert_change
         WHERE (?1 IS NULL OR alert = ?1) AND (?2 IS NULL OR node = ?2) AND at BETWEEN ?3 AND ?4
           AND node IN (SELECT value FROM json_each(?6)) AND name IN (SELECT value FROM json_each(?7))
         ORDER BY id DESC LIMIT ?5",
    )?;
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX - 1);
    let rows = statement.query_map(
        params![query.alert, query.node, query.since, query.until, limit + 1, nodes, names],
        change_of,
    )?;
    let mut changes = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let more = changes.len() > query.limit;
    changes.truncate(query.limit);
    Ok(AlertHistory { changes, more })
}

fn change_of(row: &Row<'_>) -> rusqlite::Result<AlertChange> {
    let severity: String = row.get(4)?;
    Ok(AlertChange {
        at: row.get(0)?,
        alert: row.get(1)?,
        name: row.get(2)?,
        node: row.get(3)?,
        severity: Severity::of(&severity),
        what: row.get(5)?,
        value: row.get(6)?,
        text: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[tokio::test]
    async fn alerts_come_back_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFile::open(Some(folder.path()));
        let alert = |name: &str, value| KeptAlert {
            rule: "f;g;r".to_owned(),
            labels: map(&[("alertname", name)]),
            annotations: map(&[("summary", "x")]),
            state: AlertState::Firing,
            value,
            active_at: 5,
            fired_at: Some(7),
            resolved_at: None,
            held_since: None,
        };
        let change = |at, what: &str| AlertChange {
            at,
            alert: "00ff".to_owned(),
            name: "A".to_owned(),
            node: Some("n".to_owned()),
            severity: Severity::Critical,
            what: what.to_owned(),
            value: Some(2.5),
            text: String::new(),
        };
        state.record_alerts(
            vec![alert("A", 2.5), alert("B", f64::NAN)],
            Vec::new(),
            vec![change(5, "pending"), change(7, "firing"), change(9, "firing")],
        );
        state.record_alerts(Vec::new(), vec![("f;g;r".to_owned(), map(&[("alertname", "B")]))], Vec::new());
        let taken = Acknowledgement { by: "ada".to_owned(), note: "mine".to_owned(), at: 8, until: Some(99) };
        state.record_acknowledgement("00ff", Some(taken.clone()));
        state.record_acknowledgement("00fe", Some(taken.clone()));
        state.record_acknowledgement("00fe", None);
        let silence = KeptSilence {
            id: "s".to_owned(),
            matchers: "[]".to_owned(),
            starts_at: 1,
            ends_at: 50,
            created_by: "ada".to_owned(),
            comment: "works".to_owned(),
            updated_at: 1,
        };
        state.record_silence(silence.clone());
        drop(state);

        let state = StateFile::open(Some(folder.path()));
        let (alerts, taken_by, silences) = state.alerts().await.unwrap();
        assert_eq!(alerts, [alert("A", 2.5)]);
        assert_eq!(taken_by, BTreeMap::from([("00ff".to_owned(), taken)]));
        assert_eq!(silences, [silence]);
        let all = AlertQuery { alert: None, node: None, since: 0, until: 99, limit: 2 };
        let history = state.alert_history(all.clone()).await.unwrap();
        assert_eq!(history.changes, [change(9, "firing"), change(7, "firing")]);
        assert!(history.more);
        let since = AlertQuery { alert: Some("00ff".to_owned()), since: 8, ..all.clone() };
        let fired = state.alert_history(since).await.unwrap().changes.into_iter();
        assert_eq!(fired.filter(|change| change.what == "firing").count(), 1);
        state.prune_alerts(51, 6);
        let history = state.alert_history(AlertQuery { limit: 9, ..all }).await.unwrap();
        assert_eq!((history.changes.len(), history.more), (2, false));
        assert!(state.alerts().await.unwrap().2.is_empty());
    }
}
