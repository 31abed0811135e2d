//! Keeps what explains the alerts up to date: our own way out, and the incidents.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{app::App, clock, round::Rounds};

/// How often it is looked whether an alert has changed.
const TICK: Duration = Duration::from_secs(1);

/// Looks at both until it is cancelled.
pub(super) async fn keep(app: Arc<App>, rounds: Arc<Rounds>, cancel: CancellationToken) {
    let fleet = Arc::clone(&app.fleet);
    let looking =
        tokio::spawn(Arc::clone(&app.egress).run(move |own| fleet.reach(own), cancel.child_token()));
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            _ = ticks.tick() => {}
        }
        let (app, rounds) = (Arc::clone(&app), Arc::clone(&rounds));
        let work = move || {
            app.incidents.update(&app.alerts, &app.fleet, &app.egress, || rounds.families(), clock::now());
        };
        if let Err(error) = tokio::task::spawn_blocking(work).await {
            tracing::error!("the incidents are not worked out any more: {error}");
        }
    }
    // Ended by the same token.
    let _ = looking.await;
}
