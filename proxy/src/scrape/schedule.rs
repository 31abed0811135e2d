//! Who is asked when: one light task a target, its rounds at a place in the interval that its id's
//! hash chooses, at most `concurrency` rounds at a time. A target that is near danger is asked more often.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Semaphore, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::target::Target;

/// The first rounds after the start are spread over no more than this, so that a fleet shows soon.
const FIRST_ROUND: Duration = Duration::from_secs(3);

/// No more targets than this are asked more often at one time: when all are near, what is near is the network.
const MOST_CLOSE: usize = 100;

/// How soon a target is to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At its place in the next interval.
    Usual,
    /// Sooner: a value of it is close to a bound that must not be crossed.
    Close,
}

/// What a round is: asks one target once and passes on what it said.
pub trait RoundHandler: Send + Sync + 'static {
    /// What is kept of a target between its rounds.
    type State: Send + 'static;

    /// The state of a target that was never asked.
    fn begin(&self, target: &Arc<Target>) -> Self::State;

    /// One round; says when the next is wanted.
    fn round(&self, target: &Arc<Target>, state: &mut Self::State) -> impl Future<Output = Pace> + Send;

    /// The target is no longer in the fleet.
    fn end(&self, target: &Arc<Target>);
}

/// Keeps one task a target going.
#[derive(Debug)]
pub struct Scheduler<H> {
    handler: Arc<H>,
    permits: Arc<Semaphore>,
    close: Arc<Close>,
    running: Mutex<HashMap<String, Running>>,
    cancel: CancellationToken,
}

/// Targets near danger.
#[derive(Debug)]
struct Close {
    interval: Duration,
    permits: Semaphore,
}

#[derive(Debug)]
struct Running {
    target: Arc<Target>,
    cancel: CancellationToken,
    done: tokio::task::JoinHandle<()>,
}

/// What a change of the target list came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Targets that are new or are asked in another way now.
    pub started: usize,
    /// Targets that are gone or are asked in another way now.
    pub stopped: usize,
    /// Targets that go on as they were.
    pub unchanged: usize,
}

impl<H: RoundHandler> Scheduler<H> {
    /// A scheduler with no targets yet, that ends with `cancel`. Targets near danger are asked each
    /// `close_interval`, if that is shorter than their own.
    pub fn new(
        handler: Arc<H>,
        concurrency: usize,
        close_interval: Duration,
        cancel: CancellationToken,
    ) -> Self {
        let close = Close { interval: close_interval, permits: Semaphore::new(MOST_CLOSE) };
        Self {
            handler,
            permits: Arc::new(Semaphore::new(concurrency)),
            close: Arc::new(close),
            running: Mutex::default(),
            cancel,
        }
    }

    /// Makes `targets` the fleet. A target that did not change goes on with all it remembers.
    pub async fn apply(&self, targets: Vec<Target>) -> Applied {
        let mut applied = Applied::default();
        let mut wanted: HashMap<String, Target> =
            targets.into_iter().map(|target| (target.id.clone(), target)).collect();
        let stopped: Vec<Running> = {
            let mut running = self.running.lock();
            let gone: Vec<String> = running
                .iter()
                .filter(|(id, task)| wanted.get(*id) != Some(&*task.target))
                .map(|(id, _)| id.clone())
                .collect();
            gone.iter().filter_map(|id| running.remove(id)).collect()
        };
        for task in stopped {
            task.cancel.cancel();
            // Its last round must not write after the node was taken out.
            let _ = task.done.await;
            if !wanted.contains_key(&task.target.id) {
                self.handler.end(&task.target);
            }
            applied.stopped += 1;
        }
        let mut running = self.running.lock();
        for (id, target) in wanted.drain() {
            if running.contains_key(&id) {
                applied.unchanged += 1;
                continue;
            }
            let target = Arc::new(target);
            let cancel = self.cancel.child_token();
            let done = tokio::spawn(keep_asking(
                Arc::clone(&self.handler),
                Arc::clone(&target),
                Arc::clone(&self.permits),
                Arc::clone(&self.close),
                cancel.clone(),
            ));
            running.insert(id, Running { target, cancel, done });
            applied.started += 1;
        }
        applied
    }
}

async fn keep_asking<H: RoundHandler>(
    handler: Arc<H>,
    target: Arc<Target>,
    permits: Arc<Semaphore>,
    close: Arc<Close>,
    cancel: CancellationToken,
) {
    let mut state = handler.begin(&target);
    let (first, slot) = offsets(&target.id, target.interval);
    let start = tokio::time::Instant::now();
    // The second round is the first one at the target's own place that is not on the first's heels.
    let second = if slot < first + target.interval / 4 { slot + target.interval } else { slot };
    let mut ticks = tokio::time::interval_at(start + second, target.interval);
    // A round that was late is not made up for: the next one comes at its own place.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut next_is_first = true;
    let mut pace = Pace::Usual;
    loop {
        let ended_at = tokio::time::Instant::now();
        let soon = match pace {
            Pace::Close if close.interval < target.interval => close.permits.try_acquire().ok(),
            Pace::Close | Pace::Usual => None,
        };
        let due = async {
            if next_is_first {
                tokio::time::sleep_until(start + first).await;
            } else if soon.is_some() {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = tokio::time::sleep_until(ended_at + close.interval) => {}
                }
            } else {
                ticks.tick().await;
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = due => next_is_first = false,
        }
        let asked = async {
            // The semaphore is never closed.
            let _permit = permits.acquire().await;
            handler.round(&target, &mut state).await
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            wanted = asked => pace = wanted,
        }
    }
}

/// When a target's first round is, and its place in the interval, both from its id's hash.
fn offsets(id: &str, interval: Duration) -> (Duration, Duration) {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    let share = hasher.finish() as f64 / u64::MAX as f64;
    (interval.min(FIRST_ROUND).mul_f64(share), interval.mul_f64(share))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::offsets;

    #[test]
    fn rounds_are_spread_over_the_interval() {
        let interval = Duration::from_secs(15);
        let mut buckets = [0; 15];
        for node in 0..1500 {
            let (first, slot) = offsets(&format!("node-{node}"), interval);
            assert!(first <= Duration::from_secs(3) && slot <= interval);
            buckets[(slot.as_secs() as usize).min(14)] += 1;
        }
        assert!(buckets.iter().all(|&n| (50..150).contains(&n)), "{buckets:?}");
    }
}
