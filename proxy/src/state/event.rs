//! Events in the state file: kept in order, found by node, kind and time, pruned by age.

use fleetglass_shared::{
    health::UnixMillis,
    wire::{Event, EventKind, Events},
};
use rusqlite::{Connection, Row, named_params, params};

/// An event that has no number yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// When it was seen.
    pub at: UnixMillis,
    /// Whose it is; `None` for Fleetglass's own.
    pub node: Option<String>,
    /// What kind of thing.
    pub kind: EventKind,
    /// What was before.
    pub from: String,
    /// What is from here on.
    pub to: String,
    /// What happened, in words a person understands.
    pub text: String,
}

impl Draft {
    /// An event of Fleetglass itself.
    pub fn own(at: UnixMillis, kind: EventKind, to: &str, text: String) -> Self {
        Self { at, node: None, kind, from: String::new(), to: to.to_owned(), text }
    }
}

/// Which events are asked for. Both ends of the time belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQuery {
    /// Of this node only.
    pub node: Option<String>,
    /// With Fleetglass's own beside those of `node`.
    pub own: bool,
    /// Of these kinds; of all where there are none.
    pub kinds: Vec<EventKind>,
    /// Not before this.
    pub since: UnixMillis,
    /// Not after this.
    pub until: UnixMillis,
    /// The newest so many. More come where several happened at the time of the first: whoever asks again
    /// with `until` before it then misses none.
    pub limit: usize,
}

pub(super) fn insert(connection: &Connection, drafts: &[Draft]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO event (at, node, kind, was, became, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for Draft { at, node, kind, from, to, text } in drafts {
        insert.execute(params![at, node, kind.as_str(), from, to, text])?;
    }
    Ok(())
}

pub(super) fn find(connection: &Connection, query: &EventQuery) -> rusqlite::Result<Events> {
    // A node's own index serves each half; one condition with OR would read the whole span.
    let halves: &[&str] = match (&query.node, query.own) {
        (None, true) => &["TRUE"],
        (None, false) => &["node IS NOT NULL"],
        (Some(_), true) => &["node = :node", "node IS NULL"],
        (Some(_), false) => &["node = :node"],
    };
    let mut found = Vec::new();
    let mut more = false;
    for half in halves {
        more |= find_half(connection, query, half, &mut found)?;
    }
    Ok(newest(found, more, query.limit))
}

/// The newest of these nodes, a JSON list, and of no others.
pub(super) fn find_within(
    connection: &Connection,
    nodes: &str,
    query: &EventQuery,
) -> rusqlite::Result<Events> {
    let mut statement = connection.prepare_cached(
        "SELECT id, at, node, kind, was, became, text FROM event
         WHERE node IN (SELECT value FROM json_each(?1)) AND at BETWEEN ?2 AND ?3
         ORDER BY at DESC, id DESC",
    )?;
    let mut rows = statement.query(params![nodes, query.since, query.until])?;
    let (mut found, mut last, mut more) = (Vec::new(), None, false);
    while let Some(row) = rows.next()? {
        let event = event_of(row)?;
        if !query.kinds.is_empty() && !query.kinds.contains(&event.kind) {
            continue;
        }
        if found.len() >= query.limit && last != Some(event.at) {
            more = true;
            break;
        }
        last = Some(event.at);
        found.push(event);
    }
    Ok(newest(found, more, query.limit))
}

/// The newest of what was found, in order.
fn newest(mut found: Vec<Event>, mut more: bool, limit: usize) -> Events {
    found.sort_by_key(|event: &Event| (event.at, event.id));
    let cut = found.len().saturating_sub(limit);
    if let Some(first) = found.get(cut).map(|event| event.at) {
        let kept = found.partition_point(|event| event.at < first);
        more |= kept > 0;
        found.drain(..kept);
    }
    // The order in which things were seen is what a clock that was set back cannot change.
    found.sort_by_key(|event| event.id);
    Events { events: found, more }
}

/// The newest of one condition, and whether there are older ones.
fn find_half(
    connection: &Connection,
    query: &EventQuery,
    half: &str,
    found: &mut Vec<Event>,
) -> rusqlite::Result<bool> {
    let kinds = if query.kinds.is_empty() {
        String::new()
    } else {
        let words: Vec<String> = query.kinds.iter().map(|kind| format!("'{}'", kind.as_str())).collect();
        format!("AND kind IN ({})", words.join(", "))
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, at, node, kind, was, became, text FROM event
         WHERE {half} AND at BETWEEN :since AND :until {kinds}
         ORDER BY at DESC, id DESC"
    ))?;
    // A statement without the parameter refuses it.
    if half.contains(":node") {
        statement.raw_bind_parameter(":node", &query.node)?;
    }
    statement.raw_bind_parameter(":since", query.since)?;
    statement.raw_bind_parameter(":until", query.until)?;
    let mut rows = statement.raw_query();
    let (mut count, mut last) = (0, None);
    while let Some(row) = rows.next()? {
        let event = event_of(row)?;
        if count >= query.limit && last != Some(event.at) {
            return Ok(true);
        }
        last = Some(event.at);
        count += 1;
        found.push(event);
    }
    Ok(false)
}

fn event_of(row: &Row<'_>) -> rusqlite::Result<Event> {
    let kind: String = row.get(3)?;
    Ok(Event {
        id: u64::try_from(row.get::<_, i64>(0)?).unwrap_or_default(),
        at: row.get(1)?,
        node: row.get(2)?,
        kind: EventKind::parse(&kind).ok_or_else(|| {
            let unknown = format!("`{kind}` is no kind of event").into();
            rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, unknown)
        })?,
        from: row.get(4)?,
        to: row.get(5)?,
        text: row.get(6)?,
    })
}

/// Takes away what is older, but not the last word on a node that is still here: without it nobody would
/// know how a node that never changes has been.
pub(super) fn prune(connection: &Connection, before: UnixMillis) -> rusqlite::Result<()> {
    let pruned = connection.execute(
        "DELETE FROM event WHERE at < :before AND id NOT IN (
             SELECT max(id) FROM event
             WHERE kind IN ('state', 'added', 'removed') AND node IN (SELECT id FROM node)
             GROUP BY node
         )",
        named_params! {":before": before},
    )?;
    connection.execute("DELETE FROM seen WHERE until < ?1 AND closed = 1", [before])?;
    if pruned > 0 {
        tracing::info!(pruned, "events older than [store] events_retention are gone");
    }
    Ok(())
}
