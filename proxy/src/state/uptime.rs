//! How much of the time a node was up, worked out from its events and from when Fleetglass observed.
//!
//! Up is healthy or degraded, down is unhealthy or unreachable; whether it drains does not matter. Nobody
//! knows anything of the time before it was added, while its status was unknown, and while Fleetglass did
//! not run.

mod days;

use std::{collections::HashMap, ops::AddAssign};

use fleetglass_shared::{
    health::{Status, UnixMillis},
    wire::{EventKind, UptimeWindow},
};
use rusqlite::{Connection, named_params};

const HOUR: UnixMillis = 3_600_000;

/// The spans that uptime is told of, all up to now.
pub const WINDOWS: [(&str, UnixMillis); 4] =
    [("24h", 24 * HOUR), ("7d", 7 * 24 * HOUR), ("30d", 30 * 24 * HOUR), ("90d", 90 * 24 * HOUR)];
const LONGEST: UnixMillis = WINDOWS[3].1;

/// What counts of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It did its work.
    Up,
    /// It did not.
    Down,
    /// Nobody can say.
    Unknown,
}

impl From<Status> for Condition {
    fn from(status: Status) -> Self {
        match status {
            Status::Healthy | Status::Degraded => Self::Up,
            Status::Unhealthy | Status::Unreachable => Self::Down,
            Status::Unknown => Self::Unknown,
        }
    }
}

/// From when on a node was how.
pub type Change = (UnixMillis, Condition);
/// From when until when Fleetglass observed.
pub type Observed = (UnixMillis, UnixMillis);

/// What uptime is worked out from.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Up to when.
    pub now: UnixMillis,
    /// Each node's changes, the newest first.
    pub nodes: HashMap<String, Vec<Change>>,
    /// When Fleetglass observed, the newest first.
    pub observed: Vec<Observed>,
}

/// What one window came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How long all of it is, in milliseconds.
    pub all_ms: u64,
    /// How long it was up.
    pub up_ms: u64,
    /// How long it was down.
    pub down_ms: u64,
    /// How many times of being down touch the window.
    pub outages: u32,
}

impl History {
    /// Reads what the longest window needs, in one pass over one index.
    pub(super) fn load(connection: &Connection, now: UnixMillis) -> rusqlite::Result<Self> {
        let start = now.saturating_sub(LONGEST);
        // Of each node: from the last change before the window on. The CROSS JOIN has SQLite begin with the
        // nodes, so that it looks for that change once a node and not once an event.
        let mut statement = connection.prepare_cached(
            "SELECT event.node, event.at, event.kind, event.became
             FROM node CROSS JOIN event INDEXED BY event_of_state ON event.node = node.id
                 AND event.kind IN ('state', 'added', 'removed')
                 AND event.id >= coalesce((
                     SELECT base.id FROM event AS base INDEXED BY event_of_state
                     WHERE base.node = node.id AND base.kind IN ('state', 'added', 'removed')
                         AND base.at < :start
                     ORDER BY base.id DESC LIMIT 1
                 ), 0)
             ORDER BY node.id, event.id DESC",
        )?;
        let mut nodes: HashMap<String, Vec<Change>> = HashMap::new();
        let mut rows = statement.query(named_params! {":start": start})?;
        while let Some(row) = rows.next()? {
            let node = row.get_ref(0)?.as_str()?;
            let how = match row.get_ref(2)?.as_str()? {
                word if word == EventKind::State.as_str() => {
                    Status::parse(row.get_ref(3)?.as_str()?).map_or(Condition::Unknown, Condition::from)
                }
                _ => Condition::Unknown,
            };
            let change = (row.get(1)?, how);
            match nodes.get_mut(node) {
                Some(changes) => changes.push(change),
                None => drop(nodes.insert(node.to_owned(), vec![change])),
            }
        }
        let mut statement = connection.prepare_cached(
            "SELECT since, CASE closed WHEN 0 THEN :now ELSE until END FROM seen
             WHERE until >= :start OR closed = 0 ORDER BY id DESC",
        )?;
        let observed = statement
            .query_map(named_params! {":now": now, ":start": start}, |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self { now, nodes, observed })
    }

    /// The windows of one node; all unknown where nothing is known of it.
    pub fn of(&self, node: &str) -> [Tally; WINDOWS.len()] {
        tally(self.nodes.get(node).map_or(&[], Vec::as_slice), &self.observed, self.now)
    }
}

/// Counts each window up to `now`. What was seen later is right about a time that both speak of, as after a
/// clock was set back.
pub fn tally(changes: &[Change], observed: &[Observed], now: UnixMillis) -> [Tally; WINDOWS.len()] {
    let floor = now.saturating_sub(LONGEST);
    let states = disjoint(changes.iter().map(|&(from, how)| (from, UnixMillis::MAX, how)), floor, now);
    let seen = disjoint(observed.iter().map(|&(from, until)| (from, until, ())), floor, now);
    let mut tallies = WINDOWS.map(|(_, ms)| Tally { all_ms: length(0, ms), ..Tally::default() });
    let mut was = [Condition::Unknown; WINDOWS.len()];
    let mut seen = seen.iter().peekable();
    for (from, until, how) in states {
        while let Some(&&(since, end, ())) = seen.peek() {
            let (a, b) = (from.max(since), until.min(end));
            if a < b {
                for ((tally, was), (_, ms)) in tallies.iter_mut().zip(&mut was).zip(WINDOWS) {
                    tally.add(a.max(now.saturating_sub(ms)), b, how, was);
                }
            }
            if end > until {
                break; // it reaches into the next state
            }
            seen.next();
        }
    }
    tallies
}

/// Cuts spans, the newest first, so that none overlaps another and all lie between `floor` and `now`; gives
/// them oldest first.
fn disjoint<T>(
    newest_first: impl Iterator<Item = (UnixMillis, UnixMillis, T)>,
    floor: UnixMillis,
    now: UnixMillis,
) -> Vec<(UnixMillis, UnixMillis, T)> {
    let mut end = now;
    let mut spans = Vec::new();
    for (from, until, what) in newest_first {
        let (a, b) = (from.max(floor), until.min(end));
        if a < b {
            spans.push((a, b, what));
        }
        end = end.min(from);
        if end <= floor {
            break;
        }
    }
    spans.reverse();
    spans
}

impl Tally {
    fn add(&mut self, from: UnixMillis, until: UnixMillis, how: Condition, was: &mut Condition) {
        if from >= until {
            return;
        }
        match how {
            Condition::Up => self.up_ms += length(from, until),
            Condition::Down => self.down_ms += length(from, until),
            // Before and after a time that nobody knows of it may be the same outage.
            Condition::Unknown => return,
        }
        if how == Condition::Down && *was != Condition::Down {
            self.outages += 1;
        }
        *was = how;
    }

    /// As the API has it.
    pub fn window(&self, name: &str) -> UptimeWindow {
        let known = self.up_ms + self.down_ms;
        UptimeWindow {
            window: name.to_owned(),
            ratio: (known > 0).then(|| self.up_ms as f64 / known as f64),
            up_ms: self.up_ms,
            down_ms: self.down_ms,
            unknown_ms: self.all_ms.saturating_sub(known),
            outages: self.outages,
        }
    }
}

/// The sum of two nodes' times.
impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.all_ms += other.all_ms;
        self.up_ms += other.up_ms;
        self.down_ms += other.down_ms;
        self.outages = self.outages.saturating_add(other.outages);
    }
}

fn length(from: UnixMillis, until: UnixMillis) -> u64 {
    u64::try_from(until.saturating_sub(from)).unwrap_or_default()
}
