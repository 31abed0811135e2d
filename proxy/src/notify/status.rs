//! How it goes: the health of each way, what waits, and the last attempts.

use fleetglass_shared::wire::{Notifications, NotifyAttempt, NotifyHealth, NotifyWay};

use super::Notify;
use crate::{clock, state::StateError};

/// Under this name the heartbeat's health is kept.
pub(super) const HEARTBEAT: &str = "heartbeat";

/// What an attempt says of its way.
pub(super) fn note(health: &mut NotifyHealth, attempt: &NotifyAttempt) {
    let ok = attempt.outcome == "delivered";
    health.ok = Some(ok);
    if ok {
        health.delivered_at = Some(attempt.at);
    } else {
        health.failed_at = Some(attempt.at);
        health.error.clone_from(&attempt.text);
    }
}

impl Notify {
    /// Who is told, how it goes, and what was tried.
    ///
    /// # Errors
    /// The state file gives no answer.
    pub async fn status(&self) -> Result<Notifications, StateError> {
        let (waiting, attempts) = (self.sources.state.waiting().await?, self.sources.state.attempts().await?);
        let plan = self.plan.load();
        let health = self.health.lock().clone();
        let ways = plan.ways().map(|way| {
            let waits = waiting.get(&way.id).cloned().unwrap_or_default();
            NotifyWay {
                way: way.id.clone(),
                receiver: way.receiver.clone(),
                integration: way.service.name().to_owned(),
                health: health.get(&way.id).cloned().unwrap_or_default(),
                queue: waits.count,
                oldest: waits.oldest,
            }
        });
        let heartbeat = plan.heartbeat.as_ref().map(|_| health.get(HEARTBEAT).cloned().unwrap_or_default());
        Ok(Notifications { at: clock::now(), ways: ways.collect(), heartbeat, attempts })
    }

    /// Takes what waits into the metrics, just before they are rendered.
    pub async fn observe(&self) {
        let waiting = self.sources.state.waiting().await.unwrap_or_default();
        let plan = self.plan.load();
        let metrics = self.sources.telemetry.notify();
        let now = clock::now();
        metrics.forget_queues();
        for way in plan.ways().filter(|way| !way.is_alertmanager()) {
            let waits = waiting.get(&way.id).cloned().unwrap_or_default();
            let age = waits.oldest.map_or(0.0, |oldest| now.saturating_sub(oldest).max(0) as f64 / 1000.0);
            metrics.queue(&way.id, way.service.name(), &way.receiver, waits.count, age);
        }
    }
}
