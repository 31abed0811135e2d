//! The state file: what happened, what was last known of each node, and what people decided.
//!
//! | module | what it is |
//! |---|---|
//! | this file | [`StateFile`], the one handle to it |
//! | `schema` | its tables, one migration a version |
//! | `disk`, `fault` | opened, set aside when broken, in memory while the disk takes nothing |
//! | `writer` | the thread that alone touches SQLite, with one commit a second |
//! | `event` | events: kept, asked for, pruned |
//! | `alert` | alerts, what happened to them, who has taken them, silences |
//! | `notify` | what was told of alerts, what waits to be delivered, and how it went |
//! | `audit` | who did what |
//! | `people` | users, sessions, tokens |
//! | `lost` | whether users are in a file that is not ours to write |
//! | `share` | links that show a part of the fleet |
//! | `status` | what is written on public status pages, and who is told of it |
//! | `known` | what was last known of each node |
//! | `watch` | when Fleetglass observed |
//! | [`uptime`] | how much of the time a node was up |

mod alert;
mod audit;
mod disk;
mod event;
mod fault;
mod known;
mod lost;
mod notify;
mod people;
mod push;
mod schema;
mod share;
mod status;
#[cfg(test)]
mod tests;
pub mod uptime;
mod watch;
mod within;
mod writer;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread::JoinHandle,
};

pub use alert::{AlertQuery, KeptAlert, KeptSilence};
pub use audit::AuditQuery;
pub use event::{Draft, EventQuery};
use fault::Fault;
use fleetglass_shared::{
    health::UnixMillis,
    wire::{EventKind, Events},
};
pub use known::Known;
pub use lost::{has_users, users_set_aside};
pub use notify::{After, Queued, Waiting};
pub use people::{KeptSession, KeptToken, KeptUser};
pub use push::KeptPush;
use rusqlite::Connection;
pub use share::KeptShare;
pub use status::{CONFIRM, Due, KeptSubscriber, MOST_SUBSCRIBERS};
use tokio::sync::oneshot;
pub use watch::Watch;
use writer::{Job, Writer};

use crate::clock;

/// Jobs that wait for the thread: all nodes of a large fleet may be added or gone at once, and a commit to a
/// slow disk takes a while. One is 32 bytes beside what it holds.
const QUEUE: usize = 32_768;

/// The state of a data folder, shared by all who read and write it.
///
/// SQLite is not asynchronous, and one writer at a time is its rule; so one thread owns the connection,
/// and everybody else sends it what to do. Nothing here waits for the disk but the futures it returns.
pub struct StateFile {
    jobs: Option<mpsc::SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    stats: Arc<Stats>,
}

/// Why the state cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// More is waiting than is taken in.
    #[error("the state file cannot keep up; try again in a moment")]
    Busy,
    /// The thread has ended.
    #[error("the state file is closed")]
    Closed,
    /// SQLite says no.
    #[error("the state file cannot be read: {0}")]
    Sql(String),
}

/// What the state file counts about itself.
#[derive(Debug, Default)]
pub struct Stats {
    in_memory: AtomicBool,
    write_errors: AtomicU64,
    events: [AtomicU64; EventKind::ALL.len()],
}

impl StateFile {
    /// Opens the state of a data folder; `None` keeps it in memory. Never refuses: a file that cannot be read,
    /// or that a newer Fleetglass made, is set aside, and a disk that takes nothing means memory.
    ///
    /// # Panics
    /// When the system gives neither memory nor a thread.
    pub fn open(folder: Option<&Path>) -> Self {
        let disk =
            disk::Disk::open(folder, clock::now()).expect("a database in memory needs nothing but memory");
        let stats = Arc::new(Stats::default());
        let writer = Writer::new(disk, Arc::clone(&stats));
        let (sender, jobs) = mpsc::sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("state".to_owned())
            .spawn(move || writer.run(&jobs))
            .expect("a process that starts can have one more thread");
        Self { jobs: Some(sender), thread: Some(thread), stats }
    }

    /// Keeps events, in this order, and on disk within a second. Never waits.
    pub fn record(&self, drafts: Vec<Draft>) {
        self.record_with(drafts, |_| Ok(()));
    }

    /// As [`Self::record`], with something that is true from the same moment on.
    fn record_with(
        &self,
        drafts: Vec<Draft>,
        also: impl Fn(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) {
        let kinds: Vec<EventKind> = drafts.iter().map(|draft| draft.kind).collect();
        let taken = self.write(move |connection| {
            event::insert(connection, &drafts)?;
            also(connection)
        });
        if taken {
            kinds.into_iter().for_each(|kind| self.stats.count(kind));
        }
    }

    /// Keeps what happened to a node together with what is known of it now.
    pub fn record_node(&self, id: &str, known: &Known, drafts: Vec<Draft>) {
        let (id, known) = (id.to_owned(), known.clone());
        self.record_with(drafts, move |connection| known::save(connection, &id, &known));
    }

    /// Keeps that a node left the fleet.
    pub fn record_removed(&self, id: &str, drafts: Vec<Draft>) {
        let id = id.to_owned();
        self.record_with(drafts, move |connection| known::remove(connection, &id));
    }

    /// What was last known of each node of the fleet.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn known(&self) -> Result<BTreeMap<String, Known>, StateError> {
        self.ask(known::load).await
    }

    /// The newest events that are asked for.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn events(&self, query: EventQuery) -> Result<Events, StateError> {
        self.ask(move |connection| event::find(connection, &query)).await
    }

    /// What uptime is worked out from, up to `now`.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn history(&self, now: UnixMillis) -> Result<uptime::History, StateError> {
        self.ask(move |connection| uptime::History::load(connection, now)).await
    }

    /// Takes away events from before a time, but not the one that says how a node has been since.
    pub fn prune(&self, before: UnixMillis) {
        self.write(move |connection| event::prune(connection, before));
    }

    /// Does something to the state within the second's transaction; `false` when more is waiting than is
    /// taken in. It is done again should the disk refuse it, so it must not depend on being done once.
    pub fn write(&self, write: impl Fn(&Connection) -> rusqlite::Result<()> + Send + 'static) -> bool {
        let taken = self.send(Job::Write(Box::new(write)));
        if taken.is_err() {
            self.stats.write_failed();
        }
        taken.is_ok()
    }

    /// Asks the state something. All that was written before is seen, committed or not.
    ///
    /// # Errors
    /// SQLite cannot answer, or more is waiting than is taken in.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StateError> {
        self.answer(Job::Ask, question).await
    }

    /// Returns when all that was written before is on disk.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn flush(&self) -> Result<(), StateError> {
        self.answer(Job::AskCommitted, |_| Ok(())).await
    }

    /// Writes a whole copy of the state into a new file, while everything goes on.
    ///
    /// # Errors
    /// As [`Self::ask`]; the file is there already, or cannot be written.
    pub async fn copy_to(&self, file: PathBuf) -> Result<(), StateError> {
        self.answer(Job::AskCommitted, move |connection| {
            connection.execute("VACUUM INTO ?1", [file.to_string_lossy()]).map(drop)
        })
        .await
    }

    /// What it counts about itself.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    async fn answer<T: Send + 'static>(
        &self,
        job: impl FnOnce(writer::Question) -> Job,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StateError> {
        let (sender, answer) = oneshot::channel();
        self.send(job(Box::new(move |connection| {
            let found = question(connection);
            let fault = found.as_ref().err().map(Fault::of);
            // Whoever asked may have gone.
            let _ = sender.send(found.map_err(|error| StateError::Sql(error.to_string())));
            fault.map_or(Ok(()), Err)
        })))?;
        answer.await.map_err(|_| StateError::Closed)?
    }

    fn send(&self, job: Job) -> Result<(), StateError> {
        let jobs = self.jobs.as_ref().ok_or(StateError::Closed)?;
        jobs.try_send(job).map_err(|error| match error {
            mpsc::TrySendError::Full(_) => StateError::Busy,
            mpsc::TrySendError::Disconnected(_) => StateError::Closed,
        })
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        // Without a sender the thread commits what it has and ends.
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for StateFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateFile").field("stats", &self.stats).finish_non_exhaustive()
    }
}

impl Stats {
    /// Whether nothing of the state is on disk.
    pub fn in_memory(&self) -> bool {
        self.in_memory.load(Ordering::Relaxed)
    }

    /// How many changes the file did not take at once.
    pub fn write_errors(&self) -> u64 {
        self.write_errors.load(Ordering::Relaxed)
    }

    /// How many events of each kind this run recorded.
    pub fn events(&self) -> impl Iterator<Item = (EventKind, u64)> + '_ {
        EventKind::ALL.into_iter().zip(&self.events).map(|(kind, n)| (kind, n.load(Ordering::Relaxed)))
    }

    fn set_in_memory(&self, in_memory: bool) {
        self.in_memory.store(in_memory, Ordering::Relaxed);
    }

    fn write_failed(&self) {
        self.write_errors.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self, kind: EventKind) {
        let counters = EventKind::ALL.iter().zip(&self.events);
        for (_, counter) in counters.filter(|(own, _)| **own == kind) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}
