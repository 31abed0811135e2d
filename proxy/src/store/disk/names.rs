//! The names of series in a file of history: a table of metrics, and one of the further labels.

use fleetglass_shared::labels::{LabelSet, METRIC_NAME, MatchOp, Matcher};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::bytes::{Corrupt, Input, put_labels};
use super::day::DiskError;

/// Names a series of a target; gives its id.
pub(super) fn insert_series(
    transaction: &Transaction<'_>,
    target: i64,
    labels: &LabelSet,
) -> Result<u32, DiskError> {
    let name = labels.metric();
    let found = transaction
        .prepare_cached("SELECT id FROM metric WHERE name = ?1")?
        .query_row([name], |row| row.get::<_, i64>(0))
        .optional()?;
    let metric = match found {
        Some(id) => id,
        None => {
            transaction.prepare_cached("INSERT INTO metric (name) VALUES (?1)")?.execute([name])?;
            transaction.last_insert_rowid()
        }
    };
    let mut rest = Vec::new();
    put_labels(&mut rest, &labels.without(|name| name == METRIC_NAME));
    transaction
        .prepare_cached("INSERT INTO series (target, metric, labels) VALUES (?1, ?2, ?3)")?
        .execute(params![target, metric, rest])?;
    u32::try_from(transaction.last_insert_rowid())
        .map_err(|_| DiskError::Foreign("a day has more than four thousand million series".to_owned()))
}

/// The series of a target that pass the matchers, by id. Matchers that the target's own labels answer are
/// for the caller to look at.
pub(super) fn series_of(
    connection: &Connection,
    target: i64,
    matchers: &[&Matcher],
) -> Result<Vec<(u32, LabelSet)>, DiskError> {
    const ALL: &str = "SELECT series.id, name, labels FROM series JOIN metric ON metric.id = series.metric
        WHERE target = ?1";
    const NAMED: &str = "SELECT series.id, name, labels FROM metric JOIN series
        ON series.target = ?1 AND series.metric = metric.id WHERE name = ?2";
    let name = matchers.iter().find(|m| m.name() == METRIC_NAME && m.op() == MatchOp::Equal);
    let mut statement = connection.prepare_cached(if name.is_some() { NAMED } else { ALL })?;
    let mut rows = match name {
        Some(name) => statement.query(params![target, name.value()])?,
        None => statement.query([target])?,
    };
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let rest = Input(row.get_ref(2)?.as_blob().unwrap_or_default()).labels()?;
        let name = row.get_ref(1)?.as_str().map_err(|_| Corrupt("a metric has no name"))?;
        let labels = LabelSet::from_pairs(rest.iter().chain([(METRIC_NAME, name)]));
        if matchers.iter().all(|matcher| matcher.matches_set(&labels)) {
            found.push((row.get(0)?, labels));
        }
    }
    Ok(found)
}
