//! Tests: a message to each way of a receiver, now and past the queue, and what came back.

use std::sync::Arc;

use fleetglass_shared::wire::{NotifyAttempt, NotifyTest};

use super::{Outlet, Plan, client::Outcome, link::Links, message::Message};
use crate::{
    clock,
    state::StateFile,
    store::{Limits, Store},
};

/// There is no receiver of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no receiver `{0}`; there are: {1}")]
pub struct NoSuchReceiver(pub String, pub String);

/// Sends a test to every way of a receiver at once. Those that keep incidents are told of the end too.
///
/// # Errors
/// There is none of that name.
pub async fn try_out(
    outlet: &Arc<Outlet>,
    plan: &Arc<Plan>,
    name: &str,
) -> Result<NotifyTest, NoSuchReceiver> {
    let Some(receiver) = plan.receiver(name) else {
        return Err(NoSuchReceiver(name.to_owned(), plan.receivers().join(", ")));
    };
    let mut tasks = tokio::task::JoinSet::new();
    for (index, way) in receiver.ways.iter().enumerate() {
        let (outlet, plan, way) = (Arc::clone(outlet), Arc::clone(plan), Arc::clone(way));
        tasks.spawn(async move {
            let mut attempts = Vec::new();
            let ends = way.service.keeps_incidents() || way.is_alertmanager();
            for fires in [true, false].into_iter().filter(|fires| *fires || ends) {
                let at = clock::now();
                let message = Message::of_test(&way.receiver, fires, at);
                let (title, outcome) = outlet.send(&plan, &way, &message).await;
                let (outcome, text) = match outcome {
                    Outcome::Delivered(text) => ("delivered", text),
                    Outcome::Again(text, _) => ("again", text),
                    Outcome::Refused(text) => ("refused", text),
                    Outcome::Gone(text) => ("gone", text),
                };
                let took_ms = clock::now().saturating_sub(at);
                let (way, outcome) = (way.id.clone(), outcome.to_owned());
                attempts.push(NotifyAttempt { way, at, took_ms, outcome, title, text });
            }
            (index, attempts)
        });
    }
    let mut all: Vec<(usize, Vec<NotifyAttempt>)> = tasks.join_all().await;
    all.sort_by_key(|(index, _)| *index);
    let attempts: Vec<NotifyAttempt> = all.into_iter().flat_map(|(_, attempts)| attempts).collect();
    let ok = attempts.iter().all(|attempt| attempt.outcome == "delivered");
    Ok(NotifyTest { ok, attempts })
}

/// What messages are made with where no proxy runs.
///
/// # Errors
/// The system gives no randomness.
pub async fn alone() -> anyhow::Result<Arc<Outlet>> {
    let links = Links::open(Arc::new(StateFile::open(None))).await;
    let links = links.map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    let nothing = Limits { retention_ms: 0, max_series_per_target: 0, max_series: 0 };
    Ok(Arc::new(Outlet { links, store: Arc::new(Store::new(nothing)), alerts: None }))
}
