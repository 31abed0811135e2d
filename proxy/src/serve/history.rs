//! The thread that keeps history on disk: it writes the row log each second, what is due every ten, and
//! looks once a minute for days to roll up and files to remove.

use std::{
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use crate::{
    clock,
    store::{Retention, Store},
};

const TICK: Duration = Duration::from_secs(1);
/// Ticks from one sync of the row log to the next.
const SYNC_TICKS: u64 = 5;
const FLUSH_TICKS: u64 = 10;
const TIDY_TICKS: u64 = 60;
/// Each file of the row log names all series anew, so there should not be many.
const TURN_TICKS: u64 = 900;
/// An error that stays is said again after so many ticks.
const SAY_AGAIN_TICKS: u64 = 300;

/// The thread; it ends with a last write when this is told to stop.
pub(super) struct Keeper {
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Keeper {
    /// Starts it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(store: Arc<Store>, retention: Retention) -> std::io::Result<Self> {
        let (stop, stopped) = sync_channel(1);
        let thread = std::thread::Builder::new().name("history".to_owned()).spawn(move || {
            let mut work = Work { store, retention, said: None };
            for tick in 1.. {
                match stopped.recv_timeout(TICK) {
                    Err(RecvTimeoutError::Timeout) => work.tick(tick),
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            work.last();
        })?;
        Ok(Self { stop, thread })
    }

    /// Writes what is left, and ends.
    pub(super) fn stop(self) {
        // It may have ended by itself; then there is nothing to tell.
        let _ = self.stop.try_send(());
        if self.thread.join().is_err() {
            tracing::error!("the thread that writes history had crashed");
        }
    }
}

struct Work {
    store: Arc<Store>,
    retention: Retention,
    /// Since which tick writing fails.
    said: Option<u64>,
}

impl Work {
    fn tick(&mut self, tick: u64) {
        let now = clock::now();
        let logged = self.store.flush_log(tick.is_multiple_of(SYNC_TICKS)).map_err(|error| error.to_string());
        self.note(tick, "the row log", logged);
        if tick.is_multiple_of(FLUSH_TICKS) {
            let flushed = self.store.flush(now, false).map(drop).map_err(|error| error.to_string());
            self.note(tick, "segments", flushed);
        }
        if tick.is_multiple_of(TURN_TICKS) {
            self.store.turn_log();
        }
        if tick.is_multiple_of(TIDY_TICKS) {
            let tidied = self.store.tidy(&self.retention, now);
            self.note(tick, "history", tidied.map_err(|error| error.to_string()));
        }
    }

    fn last(&mut self) {
        if let Err(error) = self.store.flush_log(true) {
            tracing::error!(%error, "the last rows could not be written to the row log");
        }
    }

    /// Says once that something fails, now and then that it still does, and that it works again.
    fn note(&mut self, tick: u64, what: &str, result: Result<(), String>) {
        match (result, self.said) {
            (Err(error), since) if since.is_none_or(|since| tick - since >= SAY_AGAIN_TICKS) => {
                tracing::error!(
                    %error,
                    "{what} cannot be written; everything stays in memory for now. Is the disk full?"
                );
                self.said = Some(tick);
            }
            (Ok(()), Some(since)) if tick > since && what == "segments" => {
                tracing::info!("history is written again");
                self.said = None;
            }
            _ => {}
        }
    }
}
