//! Notifications in the state file: what was told of each group, what waits to be delivered, and how it went.

use std::collections::{BTreeMap, BTreeSet};

use fleetglass_shared::{health::UnixMillis, wire::NotifyAttempt};
use rusqlite::{OptionalExtension, Row, params};

use super::{StateError, StateFile};

/// So many attempts are remembered of each way to somebody.
const ATTEMPTS: i64 = 200;

/// A message that waits for one way to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Its number in the queue.
    pub id: i64,
    /// The way: receiver, service, and which of them.
    pub way: String,
    /// What a receiver can tell a second copy by.
    pub key: String,
    /// When it was made.
    pub at: UnixMillis,
    /// JSON.
    pub message: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before this.
    pub next_at: UnixMillis,
}

/// What becomes of a message after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It leaves the queue.
    Done,
    /// It is tried again then.
    Again(UnixMillis),
}

/// How much waits for a way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Messages.
    pub count: u64,
    /// When the oldest was made.
    pub oldest: Option<UnixMillis>,
}

impl StateFile {
    /// Keeps what was told of groups (`None`: nobody believes anything of it to fire), and the messages that tell it:
    /// both or neither. Gives whether it was taken.
    pub fn record_notices(&self, groups: Vec<(String, Option<String>)>, messages: Vec<Queued>) -> bool {
        self.write(move |connection| {
            for (key, state) in &groups {
                match state {
                    Some(state) => connection
                        .prepare_cached("INSERT OR REPLACE INTO notify_group (key, state) VALUES (?1, ?2)")?
                        .execute(params![key, state])?,
                    None => connection
                        .prepare_cached("DELETE FROM notify_group WHERE key = ?1")?
                        .execute(params![key])?,
                };
            }
            for message in &messages {
                connection
                    .prepare_cached(
                        "INSERT OR IGNORE INTO notify_queue (way, key, at, message, attempts, next_at)
                         VALUES (?1, ?2, ?3, ?4, 0, ?5)",
                    )?
                    .execute(params![
                        message.way,
                        message.key,
                        message.at,
                        message.message,
                        message.next_at
                    ])?;
            }
            Ok(())
        })
    }

    /// What was told of each group, as JSON.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn notify_groups(&self) -> Result<BTreeMap<String, String>, StateError> {
        self.ask(|connection| {
            let mut statement = connection.prepare("SELECT key, state FROM notify_group")?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .await
    }

    /// The oldest message that waits for a way.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn next_queued(&self, way: &str) -> Result<Option<Queued>, StateError> {
        let way = way.to_owned();
        self.ask(move |connection| {
            connection
                .prepare_cached(
                    "SELECT id, way, key, at, message, attempts, next_at FROM notify_queue
                     WHERE way = ?1 ORDER BY id LIMIT 1",
                )?
                .query_row([&way], queued)
                .optional()
        })
        .await
    }

    /// How much waits, by way.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn waiting(&self) -> Result<BTreeMap<String, Waiting>, StateError> {
        self.ask(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT way, count(*), min(at) FROM notify_queue GROUP BY way")?;
            let row = |row: &Row<'_>| {
                let count = row.get::<_, i64>(1)?.unsigned_abs();
                Ok((row.get(0)?, Waiting { count, oldest: row.get(2)? }))
            };
            statement.query_map([], row)?.collect()
        })
        .await
    }

    /// Keeps how an attempt went, and what becomes of its message (`None`: it is in no queue).
    pub fn record_attempt(&self, attempt: NotifyAttempt, message: Option<(i64, After)>) {
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO notify_attempt (way, at, took_ms, outcome, title, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    attempt.way,
                    attempt.at,
                    attempt.took_ms,
                    attempt.outcome,
                    attempt.title,
                    attempt.text
                ])?;
            connection
                .prepare_cached(
                    "DELETE FROM notify_attempt WHERE way = ?1 AND id <=
                     (SELECT id FROM notify_attempt WHERE way = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                )?
                .execute(params![attempt.way, ATTEMPTS])?;
            match message {
                None => {}
                Some((id, After::Done)) => {
                    connection.prepare_cached("DELETE FROM notify_queue WHERE id = ?1")?.execute([id])?;
                }
                Some((id, After::Again(at))) => {
                    connection
                        .prepare_cached(
                            "UPDATE notify_queue SET attempts = attempts + 1, next_at = ?2 WHERE id = ?1",
                        )?
                        .execute(params![id, at])?;
                }
            }
            Ok(())
        });
    }

    /// The last attempts of every way, the newest first, at most a thousand.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn attempts(&self) -> Result<Vec<NotifyAttempt>, StateError> {
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT way, at, took_ms, outcome, title, text FROM notify_attempt
                 ORDER BY id DESC LIMIT 1000",
            )?;
            let row = |row: &Row<'_>| {
                Ok(NotifyAttempt {
                    way: row.get(0)?,
                    at: row.get(1)?,
                    took_ms: row.get(2)?,
                    outcome: row.get(3)?,
                    title: row.get(4)?,
                    text: row.get(5)?,
                })
            };
            statement.query_map([], row)?.collect()
        })
        .await
    }

    /// Messages for ways that are no more, which nobody will deliver, leave the queue when they are too old.
    pub fn prune_queue(&self, ways: BTreeSet<String>, before: UnixMillis) {
        self.write(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT id, way FROM notify_queue WHERE at < ?1")?;
            let old =
                statement.query_map([before], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
            for (id, way) in old.collect::<rusqlite::Result<Vec<_>>>()? {
                if !ways.contains(&way) {
                    connection.execute("DELETE FROM notify_queue WHERE id = ?1", [id])?;
                }
            }
            Ok(())
        });
    }

    /// A value of our own that outlives the run.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn kept(&self, name: &str) -> Result<Option<String>, StateError> {
        let name = name.to_owned();
        self.ask(move |connection| {
            let query = "SELECT value FROM kept WHERE name = ?1";
            connection.query_row(query, [&name], |row| row.get(0)).optional()
        })
        .await
    }

    /// Keeps a value of our own.
    pub fn keep(&self, name: &str, value: &str) {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.write(move |connection| {
            let query = "INSERT OR REPLACE INTO kept (name, value) VALUES (?1, ?2)";
            connection.execute(query, params![name, value]).map(drop)
        });
    }

    /// Links that were used up, and until when each could have been.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn used_links(&self) -> Result<BTreeMap<String, UnixMillis>, StateError> {
        self.ask(|connection| {
            let mut statement = connection.prepare("SELECT mark, expires_at FROM used_link")?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .await
    }

    /// Keeps that a link is used up, and forgets those that could not be used any more.
    pub fn record_used_link(&self, mark: &str, expires_at: UnixMillis, now: UnixMillis) {
        let mark = mark.to_owned();
        self.write(move |connection| {
            connection.execute("DELETE FROM used_link WHERE expires_at < ?1", [now])?;
            let query = "INSERT OR REPLACE INTO used_link (mark, expires_at) VALUES (?1, ?2)";
            connection.execute(query, params![mark, expires_at]).map(drop)
        });
    }
}

fn queued(row: &Row<'_>) -> rusqlite::Result<Queued> {
    Ok(Queued {
        id: row.get(0)?,
        way: row.get(1)?,
        key: row.get(2)?,
        at: row.get(3)?,
        message: row.get(4)?,
        attempts: row.get(5)?,
        next_at: row.get(6)?,
    })
}

/// The tables, as a migration makes them.
pub(super) const TABLES: &str = "
    -- What was told of each group of alerts, and to whom.
    CREATE TABLE notify_group (
        key TEXT PRIMARY KEY,                 -- receiver and Alertmanager's group key
        state TEXT NOT NULL                   -- JSON
    ) STRICT, WITHOUT ROWID;

    -- Messages that wait to be delivered.
    CREATE TABLE notify_queue (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        way TEXT NOT NULL,                    -- receiver, service, and which of them
        key TEXT NOT NULL,                    -- what a receiver can tell a second copy by
        at INTEGER NOT NULL,
        message TEXT NOT NULL,                -- JSON; no secrets
        attempts INTEGER NOT NULL,
        next_at INTEGER NOT NULL,
        UNIQUE (way, key)
    ) STRICT;

    -- How the last attempts to deliver went.
    CREATE TABLE notify_attempt (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        way TEXT NOT NULL,
        at INTEGER NOT NULL,
        took_ms INTEGER NOT NULL,
        outcome TEXT NOT NULL,                -- delivered, again, refused, given_up
        title TEXT NOT NULL,
        text TEXT NOT NULL                    -- what the receiver said
    ) STRICT;
    CREATE INDEX notify_attempt_by_way ON notify_attempt (way, id);

    -- Links that can be used once, and were.
    CREATE TABLE used_link (
        mark TEXT PRIMARY KEY,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- Our own: the key that signs links, the day of the last summary.
    CREATE TABLE kept (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    ";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn message(way: &str, key: &str, at: i64) -> Queued {
        let (way, key) = (way.to_owned(), key.to_owned());
        Queued { id: 0, way, key, at, message: "{}".to_owned(), attempts: 0, next_at: at }
    }

    fn attempt(way: &str, at: i64) -> NotifyAttempt {
        let (way, outcome) = (way.to_owned(), "again".to_owned());
        NotifyAttempt { way, at, took_ms: 1, outcome, title: String::new(), text: String::new() }
    }

    #[tokio::test]
    async fn a_message_waits_in_order_until_it_is_done_and_is_never_there_twice() {
        let state = StateFile::open(None);
        let two = vec![message("a", "k1", 1), message("a", "k2", 2), message("b", "k1", 3)];
        assert!(state.record_notices(vec![("g".to_owned(), Some("{}".to_owned()))], two.clone()));
        assert!(state.record_notices(Vec::new(), two));
        let waiting = state.waiting().await.unwrap();
        assert_eq!((waiting["a"].clone(), waiting["b"].count), (Waiting { count: 2, oldest: Some(1) }, 1));
        let first = state.next_queued("a").await.unwrap().unwrap();
        state.record_attempt(attempt("a", 5), Some((first.id, After::Again(9))));
        let again = state.next_queued("a").await.unwrap().unwrap();
        assert_eq!((again.id, again.key.as_str(), again.attempts, again.next_at), (first.id, "k1", 1, 9));
        state.record_attempt(attempt("a", 9), Some((first.id, After::Done)));
        assert_eq!(state.next_queued("a").await.unwrap().unwrap().key, "k2");
        assert_eq!(state.attempts().await.unwrap().iter().map(|a| a.at).collect::<Vec<_>>(), [9, 5]);
        state.prune_queue(BTreeSet::from(["a".to_owned()]), 100);
        assert_eq!(state.waiting().await.unwrap().keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(state.notify_groups().await.unwrap().len(), 1);
        state.record_notices(vec![("g".to_owned(), None)], Vec::new());
        assert!(state.notify_groups().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn only_the_last_attempts_are_remembered() {
        let state = StateFile::open(None);
        (0..ATTEMPTS + 20).for_each(|at| state.record_attempt(attempt("a", at), None));
        state.record_attempt(attempt("b", 0), None);
        let attempts = state.attempts().await.unwrap();
        assert_eq!(attempts.iter().filter(|attempt| attempt.way == "a").count(), 200);
        assert_eq!(attempts.iter().filter(|attempt| attempt.way == "b").count(), 1);
    }

    #[tokio::test]
    async fn a_used_link_stays_used_and_our_own_values_stay() {
        let state = StateFile::open(None);
        state.record_used_link("m", 10, 0);
        state.record_used_link("n", 100, 50);
        assert_eq!(state.used_links().await.unwrap().keys().collect::<Vec<_>>(), ["n"]);
        assert_eq!(state.kept("key").await.unwrap(), None);
        state.keep("key", "v");
        assert_eq!(state.kept("key").await.unwrap().as_deref(), Some("v"));
    }
}
