//! When Fleetglass observed: from its start on, kept every few seconds, so that a death without a word
//! leaves no time that was not observed but counts as up.

use fleetglass_shared::{health::UnixMillis, wire::EventKind};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Draft, StateError, StateFile};

/// Without a word for so long, nothing was observed: the machine slept, or its clock was set forward.
const GAP_MS: UnixMillis = 60_000;

/// The observing of this run.
#[derive(Debug)]
pub struct Watch {
    since: UnixMillis,
    until: UnixMillis,
    /// It sees nothing: its span is closed, and no other is open.
    blind: bool,
}

impl Watch {
    /// This run begins. A run before it that ended without a word gets its `stop`, at the time until which
    /// it is known to have observed.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn begin(state: &StateFile, version: &str, now: UnixMillis) -> Result<Self, StateError> {
        let left = state.ask(left_open).await?;
        let mut drafts = Vec::new();
        if let Some(until) = left {
            let text = "Fleetglass ended without saying so; this is when it was last seen to run";
            drafts.push(Draft::own(until, EventKind::Stop, "", text.to_owned()));
        }
        drafts.push(Draft::own(now, EventKind::Start, version, format!("Fleetglass {version} started")));
        state.record_with(drafts, move |connection| open(connection, now));
        Ok(Self { since: now, until: now, blind: false })
    }

    /// Nothing can be seen from `since` on, though it runs: until it goes on, nobody knows how the nodes are.
    pub fn is_blind(&mut self, state: &StateFile, since: UnixMillis) {
        if std::mem::replace(&mut self.blind, true) {
            return;
        }
        self.until = since.clamp(self.since, self.until.max(self.since));
        let until = self.until;
        let what = "Fleetglass had no way out of its machine and could see no node";
        let draft = Draft::own(until, EventKind::Stop, "", what.to_owned());
        state.record_with(vec![draft], move |connection| {
            advance(connection, until)?;
            close(connection)
        });
    }

    /// It still observes. `true` when it did not for a while, or the clock was set.
    pub fn goes_on(&mut self, state: &StateFile, now: UnixMillis) -> bool {
        if std::mem::take(&mut self.blind) {
            (self.since, self.until) = (now, now);
            let draft = Draft::own(now, EventKind::Start, "", "Fleetglass sees the nodes again".to_owned());
            state.record_with(vec![draft], move |connection| open(connection, now));
            return false;
        }
        let (since, until) = (self.since, self.until);
        self.until = now;
        if (since..=until.saturating_add(GAP_MS)).contains(&now) {
            state.write(move |connection| advance(connection, now));
            // A step back within the run is told by the ends of the span alone.
            return now < until;
        }
        self.since = now;
        let what = if now < since {
            "The clock was set back"
        } else {
            "Fleetglass stood still, as when a machine sleeps, or the clock was set forward"
        };
        let drafts = vec![
            Draft::own(until, EventKind::Stop, "", what.to_owned()),
            Draft::own(now, EventKind::Start, "", "Fleetglass observes again".to_owned()),
        ];
        state.record_with(drafts, move |connection| open(connection, now));
        true
    }

    /// This run ends well: everything is on disk when this returns.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn end(self, state: &StateFile, now: UnixMillis) -> Result<(), StateError> {
        let draft = Draft::own(now, EventKind::Stop, "", "Fleetglass stopped".to_owned());
        state.record_with(vec![draft], move |connection| {
            advance(connection, now)?;
            close(connection)
        });
        state.flush().await
    }
}

/// The end of the last span, if nobody has said that it ended.
fn left_open(connection: &Connection) -> rusqlite::Result<Option<UnixMillis>> {
    connection
        .query_row("SELECT until FROM seen WHERE closed = 0 ORDER BY id DESC LIMIT 1", [], |row| row.get(0))
        .optional()
}

fn open(connection: &Connection, now: UnixMillis) -> rusqlite::Result<()> {
    close(connection)?;
    connection.execute("INSERT INTO seen (since, until) VALUES (?1, ?1)", [now]).map(drop)
}

fn advance(connection: &Connection, now: UnixMillis) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE seen SET until = ?1 WHERE closed = 0")?.execute(params![now]).map(drop)
}

fn close(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE seen SET closed = 1 WHERE closed = 0", []).map(drop)
}
