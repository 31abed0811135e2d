//! Remote write out: everything that is committed goes to other stores.
//!
//! For each receiver a thread moves rows from the store's tap into a queue, and a task sends the queue's
//! batches, one after the other. The requests of a batch hold different series, so they may be under way
//! together (the shards) and each series still arrives in order.
//!
//! | module | gives |
//! |---|---|
//! | `requests` | a batch as requests |
//! | `post` | one request, and what its answer means |
//! | `backoff` | how long to wait before it is sent again |

mod backoff;
mod post;
mod requests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
        mpsc::RecvTimeoutError,
    },
    time::Duration,
};

use anyhow::Context;
use backoff::{Backoff, chance};
use fleetglass_shared::health::UnixMillis;
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use post::{Outcome, Receiver};
use requests::{Request, requests};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    often::Often,
    queue::{Batch, Queue},
};
use crate::{
    clock,
    config::{LoadedConfig, RemoteWriteConfig},
    store::{Store, Tap},
    telemetry::{RemoteMetrics, SendMetrics},
};

/// A batch ends after so long: how late a sample leaves.
const BATCH_AGE: Duration = Duration::from_secs(1);
/// The queue's file is brought to the disk this often.
const SYNC_EVERY: Duration = Duration::from_secs(5);
/// Nothing came for so long: time to look at other things.
const PATIENCE: Duration = Duration::from_millis(100);
/// At the end what waits is sent for so long.
const LAST_SENDS: Duration = Duration::from_secs(2);
/// A disk that fails is tried again after so long.
const DISK_PAUSE: Duration = Duration::from_secs(5);

/// One receiver, its queue, and what both ends of the queue know.
struct Remote {
    name: String,
    queue: Mutex<Queue>,
    /// A batch may have ended.
    more: Notify,
    /// Nothing will come into the queue any more.
    filled: AtomicBool,
    /// The time of the oldest sample that is being sent; the greatest of all while none is.
    oldest: AtomicI64,
    metrics: SendMetrics,
    receiver: Receiver,
    external_labels: BTreeMap<String, String>,
    most_samples: usize,
    most_shards: usize,
    refusals: Mutex<Often>,
    troubles: Mutex<Often>,
}

/// What keeps on sending until it is ended.
#[derive(Debug, Default)]
pub struct Sending {
    running: Vec<(std::thread::JoinHandle<()>, tokio::task::JoinHandle<()>)>,
    stop: CancellationToken,
}

impl Sending {
    /// Starts a queue and a sender for each `[[remote_write]]`. Queues are in `data_dir`, in memory without one.
    ///
    /// # Errors
    /// The TLS set-up of this machine cannot be used, or the system gives no thread.
    pub fn start(
        loaded: &LoadedConfig,
        data_dir: Option<&Path>,
        store: &Store,
        metrics: &RemoteMetrics,
    ) -> anyhow::Result<Self> {
        let mut sending = Self::default();
        for config in &loaded.config.remote_writes {
            let token = config.bearer_token_file.as_deref().map(|file| loaded.resolve(file));
            let remote = Arc::new(Remote::new(config, token, data_dir, metrics)?);
            let (tap, filled, stop) = (store.tap(), Arc::clone(&remote), sending.stop.clone());
            let thread = std::thread::Builder::new()
                .name(format!("queue-{}", config.name))
                .spawn(move || filled.fill(&tap, &stop))
                .context("no thread for a remote write queue")?;
            let task = tokio::spawn(async move { remote.send().await });
            sending.running.push((thread, task));
        }
        Ok(sending)
    }

    /// Puts what was committed into the queues, sends what waits for a moment, and stops. The rest stays in the
    /// queues for the next start.
    pub async fn end(self) {
        self.stop.cancel();
        let (threads, tasks): (Vec<_>, Vec<_>) = self.running.into_iter().unzip();
        for thread in threads {
            // One that panicked has said so.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        let until = tokio::time::Instant::now() + LAST_SENDS;
        for mut task in tasks {
            if tokio::time::timeout_at(until, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

impl Remote {
    fn new(
        config: &RemoteWriteConfig,
        token: Option<PathBuf>,
        data_dir: Option<&Path>,
        metrics: &RemoteMetrics,
    ) -> anyhow::Result<Self> {
        let most_shards = config.shards.most();
        let bound = config.queue_size.0 as u64;
        let batch_samples = config.max_samples_per_send * most_shards;
        let folder = data_dir.map(|dir| dir.join("remote-write").join(&config.name));
        let queue = Queue::open(folder.as_deref(), bound, batch_samples).or_else(|error| {
            tracing::warn!("remote write to {}: the queue is in memory only: {error}", config.name);
            Queue::open(None, bound, batch_samples)
        })?;
        Ok(Self {
            name: config.name.clone(),
            queue: Mutex::new(queue),
            more: Notify::new(),
            filled: AtomicBool::new(false),
            oldest: AtomicI64::new(UnixMillis::MAX),
            metrics: metrics.of(&config.name),
            receiver: Receiver::new(config, token).context("the HTTP client cannot start")?,
            external_labels: config.external_labels.clone(),
            most_samples: config.max_samples_per_send,
            most_shards,
            refusals: Mutex::default(),
            troubles: Mutex::default(),
        })
    }

    /// Moves what is committed into the queue until the store is gone or it is stopped.
    fn fill(&self, tap: &Tap, stop: &CancellationToken) {
        let mut open_since = None;
        let mut synced = clock::monotonic();
        loop {
            let stopping = stop.is_cancelled();
            let came = tap.next(if stopping { Duration::ZERO } else { PATIENCE });
            let now = clock::monotonic();
            let mut ended = false;
            if let Ok(row) = &came {
                open_since.get_or_insert(now);
                let appended = self.queue.lock().append(row);
                ended = appended.unwrap_or_else(|error| {
                    self.metrics.dropped.inc_by(row.samples.len() as u64);
                    self.trouble(&format!("its queue cannot be written: {error}"));
                    false
                });
            }
            let last = match came {
                Ok(_) => false,
                Err(RecvTimeoutError::Timeout) => stopping,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            let old = open_since.is_some_and(|since| now.duration_since(since) >= BATCH_AGE);
            if ended || old || last {
                open_since = None;
                // A batch that cannot be ended ends with its segment.
                let _ = self.queue.lock().end_batch();
                self.more.notify_one();
            }
            self.count(tap.take_lost());
            if now.duration_since(synced) >= SYNC_EVERY {
                synced = now;
                let growing = self.queue.lock().growing();
                // The system writes it anyway, only later.
                let _ = growing.map(|file| file.sync_data());
            }
            if last {
                self.filled.store(true, Ordering::Release);
                self.more.notify_one();
                return;
            }
        }
    }

    /// Notes what did not fit into the tap, and how full and how late the queue is.
    fn count(&self, lost: u64) {
        let (pending, dropped) = {
            let mut queue = self.queue.lock();
            (queue.pending_bytes(), queue.take_dropped())
        };
        self.metrics.dropped.inc_by(lost + dropped);
        self.metrics.pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
        let late = clock::now().saturating_sub(self.oldest.load(Ordering::Relaxed));
        self.metrics.lag.set(late.max(0) as f64 / 1000.0);
        if lost + dropped > 0 {
            self.trouble(
                "more waits than [[remote_write]] queue_size allows, the oldest samples are dropped",
            );
        }
    }

    /// Sends batch after batch, until the queue is empty and stays so.
    async fn send(&self) {
        loop {
            // Looked at first: what came before it was set is in the queue.
            let filled = self.filled.load(Ordering::Acquire);
            let next = self.queue.lock().next();
            match next {
                Ok(Some(batch)) => {
                    self.send_batch(batch).await;
                    let noted = self.queue.lock().sent();
                    if let Err(error) = noted {
                        self.trouble(&format!("what was sent cannot be written down: {error}"));
                    }
                }
                Ok(None) if filled => return,
                Ok(None) => {
                    self.oldest.store(UnixMillis::MAX, Ordering::Relaxed);
                    self.metrics.shards.set(0);
                    self.more.notified().await;
                }
                Err(error) => {
                    self.trouble(&format!("its queue cannot be read: {error}"));
                    tokio::time::sleep(DISK_PAUSE).await;
                }
            }
        }
    }

    async fn send_batch(&self, batch: Batch) {
        self.oldest.store(batch.oldest, Ordering::Relaxed);
        let requests = requests(batch, &self.external_labels, self.most_samples);
        let shards = requests.len().clamp(1, self.most_shards);
        self.metrics.shards.set(shards as i64);
        stream::iter(requests)
            .for_each_concurrent(shards, |request| async move { self.send_request(&request).await })
            .await;
    }

    /// Sends a request until it is taken or refused for good.
    async fn send_request(&self, request: &Request) {
        let mut backoff = Backoff::default();
        loop {
            match self.receiver.post(request).await {
                Outcome::Taken => {
                    self.metrics.samples.inc_by(request.samples as u64);
                    return;
                }
                Outcome::Refused(words) => {
                    self.metrics.failed.inc_by(request.samples as u64);
                    if let Some(before) = self.refusals.lock().due(clock::monotonic()) {
                        let (name, samples) = (&self.name, request.samples);
                        tracing::warn!(
                            before,
                            "remote write to {name}: {samples} samples are refused: {words}"
                        );
                    }
                    return;
                }
                Outcome::Again(words, asked) => {
                    self.metrics.retries.inc();
                    self.trouble(&words);
                    tokio::time::sleep(backoff.next(chance(), asked)).await;
                }
            }
        }
    }

    /// Says what is wrong, at most once a minute.
    fn trouble(&self, words: &str) {
        if let Some(before) = self.troubles.lock().due(clock::monotonic()) {
            tracing::warn!(before, "remote write to {}: {words}", self.name);
        }
    }
}
