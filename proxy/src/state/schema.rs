//! The tables of the state file, one migration a version. A migration that was released is never changed:
//! a later one comes after it. docs/state.md says what each table is for.

use rusqlite_migration::{M, Migrations};

/// "FGst": what SQLite keeps in the head of the file, so that `file` and we can tell whose it is.
pub(super) const APPLICATION_ID: i32 = 0x4647_7374;

/// The newest version this build knows, as `user_version` has it.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

const MIGRATIONS: &[M<'static>] = &[
    M::up(FIRST),
    M::up(ALERTS),
    M::up(super::notify::TABLES),
    M::up(super::share::TABLE),
    M::up(super::people::TABLES),
    M::up(super::share::NOTE),
    M::up(super::share::STATUS_COLUMNS),
    M::up(super::status::TABLES),
    M::up(super::push::TABLE),
];

const FIRST: &str = "
    PRAGMA application_id = 0x46477374;

    -- What happened, in the order in which it was seen.
    CREATE TABLE event (
        id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given out twice
        at INTEGER NOT NULL,                  -- Unix milliseconds, of the round
        node TEXT,                            -- NULL: Fleetglass's own
        kind TEXT NOT NULL,                   -- a word of wire::EventKind
        was TEXT NOT NULL,                    -- `from` on the wire
        became TEXT NOT NULL,                 -- `to` on the wire
        text TEXT NOT NULL
    ) STRICT;
    CREATE INDEX event_by_time ON event (at);
    CREATE INDEX event_by_node ON event (node, at);
    -- All that uptime reads, without a look at the table.
    CREATE INDEX event_of_state ON event (node, id, at, kind, became)
        WHERE kind IN ('state', 'added', 'removed');

    -- When Fleetglass observed: one row a run, and one more after each time it stood still.
    CREATE TABLE seen (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        since INTEGER NOT NULL,
        until INTEGER NOT NULL,
        closed INTEGER NOT NULL DEFAULT 0     -- 1: its end has an event
    ) STRICT;

    -- What events are told against: the last that was known of each node of the fleet.
    CREATE TABLE node (
        id TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        draining INTEGER NOT NULL,
        version TEXT,
        endpoints TEXT NOT NULL               -- JSON: endpoint to kind of failure, null where it answers
    ) STRICT, WITHOUT ROWID;

    -- Alerts that pend, fire, or ended not long ago.
    CREATE TABLE alert (
        fingerprint TEXT PRIMARY KEY,         -- of its labels, as Prometheus's
        labels TEXT NOT NULL,                 -- JSON
        annotations TEXT NOT NULL,            -- JSON
        state TEXT NOT NULL,                  -- pending, firing, resolved
        value REAL,
        active_at INTEGER NOT NULL,
        fired_at INTEGER,
        resolved_at INTEGER
    ) STRICT, WITHOUT ROWID;

    -- Silences, in Alertmanager's words.
    CREATE TABLE silence (
        id TEXT PRIMARY KEY,
        matchers TEXT NOT NULL,               -- JSON
        starts_at INTEGER NOT NULL,
        ends_at INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        comment TEXT NOT NULL,
        updated_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- Links that show a part of the fleet to somebody without a login.
    CREATE TABLE share (
        id TEXT PRIMARY KEY,
        token_hash BLOB NOT NULL UNIQUE,      -- SHA-256: the token itself is nowhere
        title TEXT NOT NULL,
        scope TEXT NOT NULL,                  -- JSON: what it shows
        created_by TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER
    ) STRICT, WITHOUT ROWID;

    -- People who are logged in.
    CREATE TABLE session (
        token_hash BLOB PRIMARY KEY,          -- SHA-256 of the cookie
        user TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        used_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    ";

const ALERTS: &str = "
    -- Nothing was ever written into the first one.
    DROP TABLE alert;
    CREATE TABLE alert (
        rule TEXT NOT NULL,                   -- file, group and name of its rule
        labels TEXT NOT NULL,                 -- JSON
        annotations TEXT NOT NULL,            -- JSON
        state TEXT NOT NULL,                  -- pending, firing, resolved
        value REAL,                           -- NULL: not a number
        active_at INTEGER NOT NULL,
        fired_at INTEGER,
        resolved_at INTEGER,
        held_since INTEGER,                   -- its expression gives nothing since, though it is kept
        PRIMARY KEY (rule, labels)
    ) STRICT, WITHOUT ROWID;

    -- Everything that happened to an alert.
    CREATE TABLE alert_change (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        alert TEXT NOT NULL,                  -- its id
        name TEXT NOT NULL,
        node TEXT,
        severity TEXT NOT NULL,
        what TEXT NOT NULL,                   -- pending, firing, resolved, acknowledged, ...
        value REAL,
        text TEXT NOT NULL
    ) STRICT;
    CREATE INDEX alert_change_by_time ON alert_change (at);
    CREATE INDEX alert_change_by_alert ON alert_change (alert, id);

    -- Who has taken which alert.
    CREATE TABLE acknowledgement (
        alert TEXT PRIMARY KEY,               -- its id
        taken_by TEXT NOT NULL,
        note TEXT NOT NULL,
        at INTEGER NOT NULL,
        until INTEGER                         -- NULL: until the alert is resolved
    ) STRICT, WITHOUT ROWID;
    ";

/// What makes any older file, or an empty one, one of [`VERSION`].
pub(super) fn migrations() -> Migrations<'static> {
    Migrations::from_slice(MIGRATIONS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rusqlite::Connection;

    use super::*;

    #[test]
    fn an_empty_file_becomes_one_of_the_newest_version() {
        migrations().validate().unwrap();
        let mut connection = Connection::open_in_memory().unwrap();
        migrations().to_latest(&mut connection).unwrap();
        let pragma =
            |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(pragma("user_version"), VERSION);
        assert_eq!(pragma("application_id"), i64::from(APPLICATION_ID));
    }
}
