//! Public status pages in the state file: what is written on them, who is told of it, and what waits for whom.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use fleetglass_shared::{
    health::UnixMillis,
    wire::{Impact, PostKind, PostState, StatusPost, StatusUpdate, Subscriber, SubscriberKind},
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{After, StateError, StateFile};

/// In place of an update's id: somebody is asked whether they want to be told.
pub const CONFIRM: &str = "confirm";
/// So many are told, of all pages together.
pub const MOST_SUBSCRIBERS: i64 = 10_000;

/// The tables, as a migration makes them.
pub(super) const TABLES: &str = "
    -- Incidents and maintenances on public status pages.
    CREATE TABLE status_post (
        id TEXT PRIMARY KEY,
        share TEXT NOT NULL,                  -- the link whose page it is on
        kind TEXT NOT NULL,                   -- incident, maintenance
        title TEXT NOT NULL,
        impact TEXT NOT NULL,                 -- none, minor, major, critical
        affects TEXT NOT NULL,                -- JSON: names that readers know
        starts_at INTEGER,                    -- of a maintenance
        ends_at INTEGER,
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- What was said of them.
    CREATE TABLE status_update (
        id TEXT PRIMARY KEY,
        post TEXT NOT NULL,
        at INTEGER NOT NULL,
        state TEXT NOT NULL,                  -- a word of wire::PostState
        text TEXT NOT NULL,
        written_by TEXT NOT NULL              -- never shown to readers
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX status_update_by_post ON status_update (post, at);

    -- Who is told. Secrets and links are made from the id with a key, so none stands here.
    CREATE TABLE status_subscriber (
        id TEXT PRIMARY KEY,
        share TEXT NOT NULL,
        kind TEXT NOT NULL,                   -- email, webhook
        address TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        confirmed_at INTEGER                  -- NULL: not yet
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX status_subscriber_by_address ON status_subscriber (share, kind, address);

    -- What waits to be delivered.
    CREATE TABLE status_queue (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        subscriber TEXT NOT NULL,
        what TEXT NOT NULL,                   -- the id of an update, or 'confirm'
        at INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        next_at INTEGER NOT NULL,
        UNIQUE (subscriber, what)
    ) STRICT;
    CREATE INDEX status_queue_by_time ON status_queue (next_at);
    ";

/// Somebody who is told, or wants to be.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptSubscriber {
    /// Their id.
    pub id: String,
    /// The link of their page.
    pub share: String,
    /// How they are told.
    pub kind: SubscriberKind,
    /// Where.
    pub address: String,
    /// When they asked.
    pub created_at: UnixMillis,
    /// When they confirmed it.
    pub confirmed_at: Option<UnixMillis>,
}

impl std::fmt::Debug for KeptSubscriber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptSubscriber")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Something that is to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its number in the queue.
    pub id: i64,
    /// To whom.
    pub to: KeptSubscriber,
    /// The id of an update, or [`CONFIRM`].
    pub what: String,
    /// When it was put in.
    pub at: UnixMillis,
    /// How often it was tried.
    pub attempts: u32,
}

impl StateFile {
    /// Keeps a post as it is now; `told` is an update of it that subscribers are to hear of.
    pub fn record_status_post(
        &self,
        share: &str,
        post: &StatusPost,
        told: Option<&StatusUpdate>,
        now: UnixMillis,
    ) -> bool {
        let (share, post, told) = (share.to_owned(), post.clone(), told.map(|update| update.id.clone()));
        self.write(move |connection| {
            save(connection, &share, &post)?;
            let Some(told) = &told else { return Ok(()) };
            connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO status_queue (subscriber, what, at, attempts, next_at)
                     SELECT id, ?2, ?3, 0, ?3 FROM status_subscriber
                     WHERE share = ?1 AND confirmed_at IS NOT NULL",
                )?
                .execute(params![share, told, now])
                .map(drop)
        })
    }

    /// Takes a post away, and whatever of it still waits.
    pub fn remove_status_post(&self, id: &str) -> bool {
        let id = id.to_owned();
        self.write(move |connection| {
            for query in [
                "DELETE FROM status_queue WHERE what IN (SELECT id FROM status_update WHERE post = ?1)",
                "DELETE FROM status_update WHERE post = ?1",
                "DELETE FROM status_post WHERE id = ?1",
            ] {
                connection.prepare_cached(query)?.execute([&id])?;
            }
            Ok(())
        })
    }

    /// Every post, by the link whose page it is on; the newest first, and so are its updates.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn status_posts(&self) -> Result<BTreeMap<String, Vec<StatusPost>>, StateError> {
        self.ask(|connection| {
            let mut updates: BTreeMap<String, Vec<StatusUpdate>> = BTreeMap::new();
            let mut statement = connection.prepare(
                "SELECT post, id, at, state, text, written_by FROM status_update ORDER BY at DESC, id DESC",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let Some(state) = PostState::parse(&row.get::<_, String>(3)?) else { continue };
                updates.entry(row.get(0)?).or_default().push(StatusUpdate {
                    id: row.get(1)?,
                    at: row.get(2)?,
                    state,
                    text: row.get(4)?,
                    by: row.get(5)?,
                });
            }
            let mut posts: BTreeMap<String, Vec<StatusPost>> = BTreeMap::new();
            let mut statement = connection.prepare(
                "SELECT share, id, kind, title, impact, affects, starts_at, ends_at, created_at
                 FROM status_post ORDER BY created_at DESC, id DESC",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (share, post) = post(row, &mut updates)?;
                posts.entry(share).or_default().push(post);
            }
            Ok(posts)
        })
        .await
    }

    /// Keeps somebody who wants to be told, and that they are to be asked whether it was them. Where that mailbox is
    /// there already it is asked again.
    pub fn record_subscriber(&self, subscriber: &KeptSubscriber) -> bool {
        let new = subscriber.clone();
        self.write(move |connection| {
            let known =
                "SELECT id FROM status_subscriber WHERE share = ?1 AND kind = ?2 AND address = ?3 LIMIT 1";
            let known: Option<String> = match new.kind {
                SubscriberKind::Webhook => None,
                SubscriberKind::Email => connection
                    .prepare_cached(known)?
                    .query_row(params![new.share, new.kind.as_str(), new.address], |row| row.get(0))
                    .optional()?,
            };
            let id = match known {
                Some(id) => id,
                None => {
                    connection
                        .prepare_cached(
                            "INSERT OR IGNORE INTO status_subscriber (id, share, kind, address, created_at)
                             SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT count(*) FROM status_subscriber) < ?6",
                        )?
                        .execute(params![
                            new.id,
                            new.share,
                            new.kind.as_str(),
                            new.address,
                            new.created_at,
                            MOST_SUBSCRIBERS
                        ])?;
                    new.id.clone()
                }
            };
            connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO status_queue (subscriber, what, at, attempts, next_at)
                     VALUES (?1, ?2, ?3, 0, ?3)",
                )?
                .execute(params![id, CONFIRM, new.created_at])
                .map(drop)
        })
    }

    /// Keeps that somebody wants to be told. Another entry of theirs for the same page goes.
    pub fn confirm_subscriber(&self, id: &str, now: UnixMillis) -> bool {
        let id = id.to_owned();
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE status_subscriber SET confirmed_at = ?2 WHERE id = ?1 AND confirmed_at IS NULL",
                )?
                .execute(params![id, now])?;
            connection
                .prepare_cached(
                    "DELETE FROM status_subscriber WHERE id <> ?1 AND (share, kind, address) =
                     (SELECT share, kind, address FROM status_subscriber WHERE id = ?1)",
                )?
                .execute([&id])?;
            forget_waiting(connection)
        })
    }

    /// Takes somebody away, and whatever waits for them.
    pub fn remove_subscriber(&self, id: &str) -> bool {
        let id = id.to_owned();
        self.write(move |connection| {
            connection.prepare_cached("DELETE FROM status_subscriber WHERE id = ?1")?.execute([&id])?;
            connection
                .prepare_cached("DELETE FROM status_queue WHERE subscriber = ?1")?
                .execute([&id])
                .map(drop)
        })
    }

    /// Somebody who is told, or wants to be.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn subscriber(&self, id: &str) -> Result<Option<KeptSubscriber>, StateError> {
        let id = id.to_owned();
        self.ask(move |connection| {
            let query = "SELECT id, share, kind, address, created_at, confirmed_at FROM status_subscriber WHERE id = ?1";
            Ok(connection.prepare_cached(query)?.query_row([&id], subscriber).optional()?.flatten())
        })
        .await
    }

    /// How many are told or want to be, of all pages; and of each page those who confirmed it.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn subscriber_counts(&self) -> Result<(i64, BTreeMap<String, u64>), StateError> {
        self.ask(|connection| {
            let all = connection.query_row("SELECT count(*) FROM status_subscriber", [], |row| row.get(0))?;
            let mut statement = connection.prepare_cached(
                "SELECT share, count(*) FROM status_subscriber WHERE confirmed_at IS NOT NULL GROUP BY share",
            )?;
            let row = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()));
            Ok((all, statement.query_map([], row)?.collect::<rusqlite::Result<_>>()?))
        })
        .await
    }

    /// Everybody who is told of a page, or wants to be, the newest first.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn subscribers(&self, share: &str) -> Result<Vec<Subscriber>, StateError> {
        let share = share.to_owned();
        self.ask(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, share, kind, address, created_at, confirmed_at,
                        (SELECT count(*) FROM status_queue WHERE subscriber = status_subscriber.id)
                 FROM status_subscriber WHERE share = ?1 ORDER BY created_at DESC, id",
            )?;
            let mut found = Vec::new();
            let mut rows = statement.query([&share])?;
            while let Some(row) = rows.next()? {
                let Some(KeptSubscriber { id, kind, address, created_at, confirmed_at, .. }) =
                    subscriber(row)?
                else {
                    continue;
                };
                let waiting = row.get::<_, i64>(6)?.unsigned_abs();
                found.push(Subscriber { id, kind, address, created_at, confirmed_at, waiting });
            }
            Ok(found)
        })
        .await
    }

    /// What is to be delivered now, at most so much; and when the next is due where nothing is.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn status_due(
        &self,
        now: UnixMillis,
        most: u32,
    ) -> Result<(Vec<Due>, Option<UnixMillis>), StateError> {
        self.ask(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT s.id, s.share, s.kind, s.address, s.created_at, s.confirmed_at, q.id, q.what, q.at, q.attempts
                 FROM status_queue q JOIN status_subscriber s ON s.id = q.subscriber
                 WHERE q.next_at <= ?1 ORDER BY q.next_at, q.id LIMIT ?2",
            )?;
            let mut found = Vec::new();
            let mut rows = statement.query(params![now, most])?;
            while let Some(row) = rows.next()? {
                let Some(to) = subscriber(row)? else { continue };
                let (id, what, at, attempts) = (row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?);
                found.push(Due { id, to, what, at, attempts });
            }
            let next = connection
                .prepare_cached("SELECT min(next_at) FROM status_queue")?
                .query_row([], |row| row.get(0))?;
            Ok((found, next))
        })
        .await
    }

    /// Keeps what becomes of something after an attempt.
    pub fn record_status_attempt(&self, id: i64, after: After) {
        self.write(move |connection| {
            match after {
                After::Done => {
                    connection.prepare_cached("DELETE FROM status_queue WHERE id = ?1")?.execute([id])?;
                }
                After::Again(at) => {
                    connection
                        .prepare_cached(
                            "UPDATE status_queue SET attempts = attempts + 1, next_at = ?2 WHERE id = ?1",
                        )?
                        .execute(params![id, at])?;
                }
            }
            Ok(())
        });
    }

    /// Takes away who did not confirm since `unconfirmed`, posts from before `posts` that are over by what was said, and
    /// all of links that are no more.
    pub fn prune_status(&self, unconfirmed: UnixMillis, posts: UnixMillis) {
        self.write(move |connection| {
            connection.execute(
                "DELETE FROM status_subscriber WHERE (confirmed_at IS NULL AND created_at < ?1)
                     OR share NOT IN (SELECT id FROM share)",
                [unconfirmed],
            )?;
            connection.execute(
                "DELETE FROM status_post WHERE share NOT IN (SELECT id FROM share)
                     OR NOT EXISTS (SELECT 1 FROM status_update WHERE post = status_post.id AND at >= ?1)
                        AND coalesce(ends_at, 0) < ?1",
                [posts],
            )?;
            connection
                .execute("DELETE FROM status_update WHERE post NOT IN (SELECT id FROM status_post)", [])?;
            forget_waiting(connection)
        });
    }
}

/// What waits for somebody who is no more leaves the queue.
fn forget_waiting(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM status_queue WHERE subscriber NOT IN (SELECT id FROM status_subscriber)",
        )?
        .execute([])
        .map(drop)
}

fn save(connection: &Connection, share: &str, post: &StatusPost) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO status_post
                 (id, share, kind, title, impact, affects, starts_at, ends_at, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            post.id,
            share,
            post.kind.as_str(),
            post.title,
            post.impact.as_str(),
            serde_json::to_string(&post.affects).unwrap_or_default(),
            post.starts_at,
            post.ends_at,
            post.created_at,
        ])?;
    for update in &post.updates {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO status_update (id, post, at, state, text, written_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![update.id, post.id, update.at, update.state.as_str(), update.text, update.by])?;
    }
    Ok(())
}

fn post(
    row: &Row<'_>,
    updates: &mut BTreeMap<String, Vec<StatusUpdate>>,
) -> rusqlite::Result<(String, StatusPost)> {
    let id: String = row.get(1)?;
    let kind = match row.get::<_, String>(2)?.as_str() {
        "maintenance" => PostKind::Maintenance,
        _ => PostKind::Incident,
    };
    let updates = updates.remove(&id).unwrap_or_default();
    let post = StatusPost {
        id,
        kind,
        title: row.get(3)?,
        impact: Impact::parse(&row.get::<_, String>(4)?).unwrap_or_default(),
        affects: serde_json::from_str(&row.get::<_, String>(5)?).unwrap_or_default(),
        state: updates.first().map_or(kind.states()[0], |update| update.state),
        starts_at: row.get(6)?,
        ends_at: row.get(7)?,
        created_at: row.get(8)?,
        updates,
    };
    Ok((row.get(0)?, post))
}

fn subscriber(row: &Row<'_>) -> rusqlite::Result<Option<KeptSubscriber>> {
    let kind = match row.get::<_, String>(2)?.as_str() {
        "email" => SubscriberKind::Email,
        "webhook" => SubscriberKind::Webhook,
        _ => return Ok(None),
    };
    Ok(Some(KeptSubscriber {
        id: row.get(0)?,
        share: row.get(1)?,
        kind,
        address: row.get(3)?,
        created_at: row.get(4)?,
        confirmed_at: row.get(5)?,
    }))
}
