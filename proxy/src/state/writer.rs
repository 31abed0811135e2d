//! The thread that alone touches SQLite. What is written goes at once into an open transaction, which the
//! same connection's questions see, and is committed a second after its first write.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::{Stats, disk::Disk, fault::Fault};
use crate::clock;

/// At most this much is lost when the power fails.
const COMMIT_AFTER: Duration = Duration::from_secs(1);
/// How often a file that could not be written is tried again.
const GO_BACK_AFTER: Duration = Duration::from_secs(60);
/// What waits for a file that somebody else holds is given up beyond this.
const MOST_PENDING: usize = 20_000;

/// Something to write. It may be done a second time, in memory, when the disk refuses the first.
pub(super) type Write = Box<dyn Fn(&Connection) -> rusqlite::Result<()> + Send>;
/// Something to ask; says what was wrong with the file, if anything was.
pub(super) type Question = Box<dyn FnOnce(&Connection) -> Result<(), Fault> + Send>;

/// What the thread is told to do.
pub(super) enum Job {
    Write(Write),
    Ask(Question),
    /// As `Ask`, after all that was written before is on disk.
    AskCommitted(Question),
}

/// The thread's own.
pub(super) struct Writer {
    disk: Disk,
    /// Written since the last commit, and to be written again should that fail.
    pending: Vec<Write>,
    /// So many of them are in the open transaction.
    applied: usize,
    commit_at: Option<Instant>,
    go_back_at: Instant,
    stats: Arc<Stats>,
}

impl Writer {
    pub(super) fn new(disk: Disk, stats: Arc<Stats>) -> Self {
        stats.set_in_memory(disk.in_memory());
        Self {
            disk,
            pending: Vec::new(),
            applied: 0,
            commit_at: None,
            go_back_at: clock::monotonic() + GO_BACK_AFTER,
            stats,
        }
    }

    /// Works until nobody can give it work any more.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let job = match self.wakes_at() {
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => jobs.recv_timeout(at.saturating_duration_since(clock::monotonic())),
            };
            match job {
                Ok(Job::Write(write)) => self.write(write),
                Ok(Job::Ask(question)) => self.ask(question),
                Ok(Job::AskCommitted(question)) => {
                    self.commit();
                    self.ask(question);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.commit(),
            }
            let now = clock::monotonic();
            if self.commit_at.is_some_and(|at| at <= now) {
                self.commit();
            }
            if self.disk.may_return() && self.go_back_at <= now {
                self.go_back_at = now + GO_BACK_AFTER;
                self.commit();
                self.disk.go_back();
                self.stats.set_in_memory(self.disk.in_memory());
            }
        }
    }

    fn wakes_at(&self) -> Option<Instant> {
        let back = self.disk.may_return().then_some(self.go_back_at);
        [self.commit_at, back].into_iter().flatten().min()
    }

    fn write(&mut self, write: Write) {
        if self.pending.len() >= MOST_PENDING {
            self.commit();
        }
        if self.pending.len() >= MOST_PENDING {
            self.stats.write_failed();
            return;
        }
        self.pending.push(write);
        self.commit_at.get_or_insert(clock::monotonic() + COMMIT_AFTER);
        if let Err(error) = self.apply() {
            self.recover(&error);
        }
    }

    fn ask(&mut self, question: Question) {
        if let Err(Fault::Corrupt) = question(&self.disk.connection) {
            self.begin_anew();
        }
    }

    /// Puts what is pending into the open transaction, beginning one where there is none.
    fn apply(&mut self) -> rusqlite::Result<()> {
        let connection = &self.disk.connection;
        // SQLite ends a transaction by itself when the disk is full.
        if connection.is_autocommit() {
            self.applied = 0;
            connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        while let Some(write) = self.pending.get(self.applied) {
            connection.execute_batch("SAVEPOINT one")?;
            match write(connection) {
                Ok(()) => {}
                Err(error) if Fault::of(&error) == Fault::Statement => {
                    tracing::error!("not kept in the state file: {error}");
                    self.stats.write_failed();
                    connection.execute_batch("ROLLBACK TO one")?;
                }
                Err(error) => return Err(error),
            }
            connection.execute_batch("RELEASE one")?;
            self.applied += 1;
        }
        Ok(())
    }

    fn commit(&mut self) {
        self.commit_at = None;
        if self.pending.is_empty() {
            return;
        }
        if let Err(error) = self.try_commit() {
            self.recover(&error);
        }
    }

    fn try_commit(&mut self) -> rusqlite::Result<()> {
        self.apply()?;
        self.disk.connection.execute_batch("COMMIT")?;
        self.pending.clear();
        self.applied = 0;
        Ok(())
    }

    /// Does what an error asks for, and tries what is pending again.
    fn recover(&mut self, error: &rusqlite::Error) {
        self.stats.write_failed();
        if !self.disk.connection.is_autocommit() {
            let _ = self.disk.connection.execute_batch("ROLLBACK");
        }
        self.applied = 0;
        let moved = match Fault::of(error) {
            Fault::Disk if !self.disk.in_memory() => {
                self.go_back_at = clock::monotonic() + GO_BACK_AFTER;
                self.disk.fall_back(&error.to_string()).is_ok()
            }
            Fault::Corrupt => return self.begin_anew(),
            Fault::Busy => {
                tracing::warn!("the state file cannot be written just now: {error}");
                self.commit_at = Some(clock::monotonic() + COMMIT_AFTER);
                return;
            }
            Fault::Disk | Fault::Statement => false,
        };
        self.stats.set_in_memory(self.disk.in_memory());
        if !moved || self.try_commit().is_err() {
            self.give_up(error);
        }
    }

    fn begin_anew(&mut self) {
        if !self.disk.connection.is_autocommit() {
            let _ = self.disk.connection.execute_batch("ROLLBACK");
        }
        self.applied = 0;
        let begun = self.disk.begin_anew(clock::now());
        self.stats.set_in_memory(self.disk.in_memory());
        if let Err(error) = begun.and_then(|()| self.try_commit()) {
            self.give_up(&error);
        }
    }

    fn give_up(&mut self, error: &rusqlite::Error) {
        tracing::error!("{} changes are not kept in the state file: {error}", self.pending.len());
        if !self.disk.connection.is_autocommit() {
            let _ = self.disk.connection.execute_batch("ROLLBACK");
        }
        self.pending.clear();
        self.applied = 0;
    }
}
