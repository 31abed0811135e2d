//! A sign of life to somebody outside who misses it when it ends: a dead man's switch. It is given only while rules are
//! evaluated, since a proxy that runs and looks at nothing is as dead.

use std::{sync::Arc, time::Duration};

use fleetglass_shared::{health::UnixMillis, wire::NotifyAttempt};
use tokio_util::sync::CancellationToken;

use super::{
    Notify,
    client::{Outcome, send},
    status::{self, HEARTBEAT},
};
use crate::clock;

const TICK: Duration = Duration::from_secs(1);
/// Rules that were not evaluated for so many of their intervals are not evaluated any more.
const MISSED: i64 = 4;
/// A machine under load is not dead.
const LEAST_MS: i64 = 60_000;

/// Beats until it is cancelled.
pub(super) async fn run(notify: Arc<Notify>, cancel: CancellationToken) {
    let (mut next, started) = (0, clock::now());
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let now = clock::now();
        let plan = notify.plan.load_full();
        let Some((config, source)) = plan.heartbeat.as_ref().filter(|_| next <= now) else { continue };
        next = now.saturating_add(config.interval.as_time());
        let outcome = match (notify.stands_still(started, now), source.read().await) {
            (Some(why), _) | (None, Err(why)) => Outcome::Again(why, None),
            (None, Ok(url)) => match plan.client.get(url.reveal()) {
                Err(outcome) => outcome,
                Ok(request) => {
                    let secrets = [&url];
                    tokio::select! {
                        () = cancel.cancelled() => return,
                        outcome = send(request, &secrets, now) => outcome,
                    }
                }
            },
        };
        let (word, text) = match outcome {
            Outcome::Delivered(text) => ("delivered", text),
            Outcome::Again(text, _) | Outcome::Refused(text) | Outcome::Gone(text) => ("again", text),
        };
        if word != "delivered" {
            tracing::warn!("no heartbeat was given: {text}");
        }
        let (way, outcome) = (HEARTBEAT.to_owned(), word.to_owned());
        let took_ms = clock::now().saturating_sub(now);
        let attempt = NotifyAttempt { way, at: now, took_ms, outcome, title: String::new(), text };
        notify.sources.telemetry.notify().attempt(HEARTBEAT, "", word);
        status::note(notify.health.lock().entry(HEARTBEAT.to_owned()).or_default(), &attempt);
    }
}

impl Notify {
    /// Why nothing would be found wrong, if that is so.
    fn stands_still(&self, started: UnixMillis, now: UnixMillis) -> Option<String> {
        for group in self.sources.rules.groups() {
            let longest = (group.loaded().interval_ms * MISSED).max(LEAST_MS);
            let last = group.timing().0.unwrap_or(started);
            if now.saturating_sub(last) > longest {
                return Some(format!(
                    "the rules of {} / {} are not evaluated any more",
                    group.file(),
                    group.name()
                ));
            }
        }
        None
    }
}
