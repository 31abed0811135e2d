//! What is committed, handed on to whoever asked for it: remote write.
//!
//! A round never waits for it: what does not fit is left out and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::sample::stale_marker;
use parking_lot::RwLock;

use super::Store;
use super::table::Table;

/// So many rows may wait in one tap.
const MAX_ROWS: usize = 8192;
/// So many samples, 32 bytes each.
const MAX_SAMPLES: usize = 1 << 20;

/// The samples that were committed together: a row of a target, or what was pushed of it at once.
#[derive(Debug)]
pub struct Tapped {
    /// The labels that all its series carry.
    pub target: LabelSet,
    /// A series' own labels (the table's: a handle, not a copy), and a sample of it; a stale marker where the
    /// series ended. Samples of one series in the order they were committed in.
    pub samples: Vec<(LabelSet, UnixMillis, f64)>,
}

/// One end of a tap: what was committed, in order.
#[derive(Debug)]
pub struct Tap {
    rows: Receiver<Arc<Tapped>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    waiting: AtomicUsize,
    lost: AtomicU64,
}

impl Tap {
    /// What was committed next; waits so long for it.
    ///
    /// # Errors
    /// Nothing came in time, or the store is gone.
    pub fn next(&self, patience: Duration) -> Result<Arc<Tapped>, RecvTimeoutError> {
        let row = self.rows.recv_timeout(patience)?;
        self.counts.waiting.fetch_sub(row.samples.len(), Ordering::Relaxed);
        Ok(row)
    }

    /// How many samples did not fit since this was last asked.
    pub fn take_lost(&self) -> u64 {
        self.counts.lost.swap(0, Ordering::Relaxed)
    }
}

/// The other ends.
#[derive(Default)]
pub(super) struct Taps(RwLock<Vec<OtherEnd>>);

type OtherEnd = (SyncSender<Arc<Tapped>>, Arc<Counts>);

impl Taps {
    /// Whether nobody listens, so that nothing need be gathered.
    pub(super) fn are_off(&self) -> bool {
        self.0.read().is_empty()
    }

    pub(super) fn send(&self, target: &LabelSet, samples: Vec<(LabelSet, UnixMillis, f64)>) {
        if samples.is_empty() {
            return;
        }
        let row = Arc::new(Tapped { target: target.clone(), samples });
        for (sender, counts) in self.0.read().iter() {
            let many = row.samples.len();
            let fits = counts.waiting.load(Ordering::Relaxed).saturating_add(many) <= MAX_SAMPLES;
            // Counted first: the other end may take it before we go on.
            counts.waiting.fetch_add(many, Ordering::Relaxed);
            let sent = if fits { sender.try_send(row.clone()) } else { Err(TrySendError::Full(row.clone())) };
            if sent.is_err() {
                counts.waiting.fetch_sub(many, Ordering::Relaxed);
                counts.lost.fetch_add(many as u64, Ordering::Relaxed);
            }
        }
    }
}

impl Store {
    /// Everything that is committed from now on.
    pub fn tap(&self) -> Tap {
        let (sender, rows) = sync_channel(MAX_ROWS);
        let counts = Arc::<Counts>::default();
        self.shared.taps.0.write().push((sender, counts.clone()));
        Tap { rows, counts }
    }
}

impl Table {
    /// The head's row `row`, committed at `at`, with a stale marker for each series that ended there.
    pub(super) fn tapped(&self, row: usize, at: UnixMillis) -> Vec<(LabelSet, UnixMillis, f64)> {
        let sample = |(place, column): (usize, &super::table::Column)| {
            let ended = || self.was_there(place, row).then(stale_marker);
            Some((column.labels.clone(), at, column.head.get(row).or_else(ended)?))
        };
        self.columns.iter().enumerate().filter_map(sample).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use fleetglass_shared::sample::{format_value, is_stale};

    use super::*;
    use crate::store::{Limits, Put, TargetIdent};

    fn target() -> TargetIdent {
        TargetIdent { instance: "a".to_owned(), job: "j".to_owned(), labels: BTreeMap::new() }
    }

    fn commit(store: &Store, at: UnixMillis, names: &[&str]) {
        let mut row = store.begin(&target(), at).unwrap();
        for name in names {
            row.put(&Put::gauge(name, at as f64, "")).unwrap();
        }
        row.commit();
    }

    fn taken(tap: &Tap) -> Vec<String> {
        let mut seen = Vec::new();
        while let Ok(row) = tap.next(Duration::ZERO) {
            assert_eq!(row.target, target().label_set());
            seen.extend(row.samples.iter().map(|(labels, at, value)| {
                let value = if is_stale(*value) { "-".to_owned() } else { format_value(*value) };
                format!("{labels} {at}:{value}")
            }));
        }
        seen
    }

    #[test]
    fn rows_come_in_order_with_the_end_of_series_also_across_a_sealed_block() {
        let store = Store::new(Limits::default());
        commit(&store, 1, &["before"]);
        let tap = store.tap();
        commit(&store, 2, &["x", "y"]);
        commit(&store, 3, &["x"]);
        commit(&store, 4, &["x"]);
        assert_eq!(taken(&tap), ["before 2:-", "x 2:2", "y 2:2", "x 3:3", "y 3:-", "x 4:4"]);
        for at in 5..=64 {
            commit(&store, at, &["x"]);
        }
        assert_eq!(taken(&tap).len(), 60);
        commit(&store, 65, &[]);
        store.begin(&target(), 66).unwrap().commit();
        assert_eq!(taken(&tap), ["x 65:-"]);
    }

    #[test]
    fn a_target_that_goes_ends_its_series() {
        let store = Store::new(Limits::default());
        let tap = store.tap();
        commit(&store, 1, &["x"]);
        store.remove("a", 5);
        assert_eq!(taken(&tap), ["x 1:1", "x 5:-"]);
    }

    /// `cargo test -p fleetglass --lib --release tap_costs -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement"]
    fn what_a_tap_costs_a_round() {
        let names: Vec<String> = (0..1000).map(|n| format!("m{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for tapped in [false, true] {
            let store = Store::new(Limits { retention_ms: 1000, ..Limits::default() });
            let tap = tapped.then(|| store.tap());
            let mut best = Duration::MAX;
            for at in 1..300 {
                let mut row = store.begin(&target(), at).unwrap();
                for name in &names {
                    row.put(&Put::gauge(name, at as f64, "")).unwrap();
                }
                let begun = crate::clock::monotonic();
                row.commit();
                best = best.min(begun.elapsed());
                while tap.as_ref().is_some_and(|tap| tap.next(Duration::ZERO).is_ok()) {}
            }
            println!("a row of 1000 series is committed in {best:?}, tapped: {tapped}");
        }
    }

    #[test]
    fn what_does_not_fit_is_counted_and_nobody_waits() {
        let store = Store::new(Limits { retention_ms: 1000, ..Limits::default() });
        let tap = store.tap();
        for at in 0..MAX_ROWS as i64 + 10 {
            commit(&store, at + 1, &["x"]);
        }
        assert_eq!(tap.take_lost(), 10);
        assert_eq!(tap.take_lost(), 0);
        assert_eq!(taken(&tap).len(), MAX_ROWS);
    }
}
