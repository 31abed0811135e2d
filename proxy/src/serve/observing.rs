//! Keeps in the state file until when this run observed, and prunes its events.

use std::{sync::Arc, time::Duration};

use fleetglass_shared::health::UnixMillis;
use tokio_util::sync::CancellationToken;

use crate::{
    clock,
    config::Span,
    state::{StateFile, Watch},
};

/// A run that is killed is known to have observed until this long before.
const EVERY: Duration = Duration::from_secs(5);
/// So many of them are an hour.
const PRUNE_EVERY: u32 = 720;

/// This run, as the state file knows it.
pub(super) struct Observing {
    state: Arc<StateFile>,
    watch: Option<Watch>,
    retention: Span,
}

impl Observing {
    /// The run begins. A state that cannot be read holds nothing up.
    pub(super) async fn begin(state: Arc<StateFile>, retention: Span, now: UnixMillis) -> Self {
        let watch = Watch::begin(&state, env!("CARGO_PKG_VERSION"), now).await;
        let watch = watch.inspect_err(|error| tracing::error!("uptime will not count this run: {error}"));
        Self { state, watch: watch.ok(), retention }
    }

    /// Goes on until it is cancelled. `blind_since` says since when nothing can be seen from here, while that is so.
    pub(super) async fn go_on(
        mut self,
        blind_since: impl Fn() -> Option<UnixMillis> + Send,
        cancel: CancellationToken,
    ) -> Self {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut since_prune = 0;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return self,
                _ = ticks.tick() => {}
            }
            let now = clock::now();
            let jumped = match (self.watch.as_mut(), blind_since()) {
                (Some(watch), Some(since)) => {
                    watch.is_blind(&self.state, since);
                    false
                }
                (Some(watch), None) => watch.goes_on(&self.state, now),
                (None, _) => false,
            };
            // A clock that was set may be wrong now: nothing is thrown away by it for an hour.
            since_prune = if jumped { 0 } else { since_prune + 1 };
            if since_prune >= PRUNE_EVERY {
                since_prune = 0;
                let kept = self.retention.as_time();
                self.state.prune(now.saturating_sub(kept));
            }
        }
    }

    /// The run ends: all that happened is on disk when this returns.
    pub(super) async fn end(self, now: UnixMillis) {
        if let Some(watch) = self.watch
            && let Err(error) = watch.end(&self.state, now).await
        {
            tracing::warn!("the last events may be lost: {error}");
        }
    }
}
