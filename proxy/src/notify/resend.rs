//! Alertmanagers are told what fires again and again, before they would take it for over, and what ended until
//! they have heard it. So there is no queue: what could not be told is told the next time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fleetglass_shared::{health::UnixMillis, wire::AlertState};
use tokio_util::sync::CancellationToken;

use super::{
    Notify,
    client::{Outcome, backoff, chance},
    message::{Item, since},
    receiver::{Service, alertmanager::RESEND_MS},
};
use crate::clock;

const TICK: Duration = Duration::from_secs(1);
/// So many alerts are told in one request.
const BATCH: usize = 500;

/// What one Alertmanager knows of an alert.
struct Known {
    item: Arc<Item>,
    told_at: UnixMillis,
}

/// Tells one Alertmanager until it is cancelled, or the plan has it no more.
pub(super) async fn run(notify: Arc<Notify>, id: String, cancel: CancellationToken) {
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    let (mut failures, mut not_before) = (0, 0);
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let plan = notify.plan.load_full();
        let Some(way) = plan.way(&id) else {
            if notify.ends(&id) {
                return;
            }
            continue;
        };
        let Service::Alertmanager(service) = &way.service else { return };
        let now = clock::now();
        if now < not_before {
            continue;
        }
        let routed = notify.routed.load_full();
        let batch = due(&known, routed.get(&way.receiver).map(Vec::as_slice).unwrap_or_default(), now);
        if batch.is_empty() {
            continue;
        }
        let items: Vec<&Item> = batch.iter().map(|item| &**item).collect();
        let base = plan.external_url.clone();
        let page = move |item: &Item| format!("{base}/alerts/{}", item.alert.id);
        let sent = tokio::select! {
            () = cancel.cancelled() => return,
            sent = service.send(&plan.client, &items, &page, now) => sent.unwrap_or_else(|outcome| outcome),
        };
        let firing = items.iter().filter(|item| item.fires()).count();
        let title = format!("{firing} alerts fire, {} are over", items.len() - firing);
        let (word, words, again) = match sent {
            Outcome::Delivered(words) => ("delivered", words, None),
            // A refusal may be of what one alert says, so the others go on being tried.
            Outcome::Refused(words) => ("refused", words, Some(None)),
            Outcome::Again(words, asked) => ("again", words, Some(asked)),
        };
        match again {
            None => {
                failures = 0;
                note(&mut known, batch, now);
            }
            Some(asked) => {
                let wait = backoff(failures, chance(), asked);
                not_before = now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                failures += 1;
            }
        }
        notify.tried(&way, now, word, &title, words, None).await;
    }
}

/// What is to be told now. What was told to fire is told until it is over, also when it is muted meanwhile: not to
/// be told of any more would be over for Alertmanager, which would say so.
fn due(known: &BTreeMap<String, Known>, routed: &[Arc<Item>], now: UnixMillis) -> Vec<Arc<Item>> {
    let mut due: Vec<Arc<Item>> = Vec::new();
    let mut seen: BTreeMap<&str, &Arc<Item>> = BTreeMap::new();
    for item in routed {
        seen.insert(&item.alert.id, item);
        let before = known.get(&item.alert.id);
        let same = before.is_some_and(|known| {
            since(&known.item.alert) == since(&item.alert) && known.item.alert.state == item.alert.state
        });
        let late = before.is_some_and(|known| now.saturating_sub(known.told_at) >= RESEND_MS);
        let wanted = match item.alert.state {
            AlertState::Firing => {
                let alert = &item.alert;
                let muted = !(alert.silenced_by.is_empty()
                    && alert.inhibited_by.is_empty()
                    && alert.muted_by.is_empty());
                (!same && !muted) || (same && late)
            }
            // After a restart it is not known what was told: the end is told once more, as Prometheus does.
            AlertState::Resolved => !same,
            AlertState::Pending => false,
        };
        if wanted {
            due.push(Arc::clone(item));
        }
    }
    // What is gone altogether, or pends anew, is over too.
    for (id, known) in known {
        let fires = known.item.fires();
        let now_pending = seen.get(id.as_str()).is_some_and(|item| item.alert.state == AlertState::Pending);
        if fires && (!seen.contains_key(id.as_str()) || now_pending) {
            let mut item = (*known.item).clone();
            item.alert.state = AlertState::Resolved;
            item.alert.resolved_at = Some(now);
            due.push(Arc::new(item));
        }
    }
    due.truncate(BATCH);
    due
}

/// Keeps what was told. What ended is kept for as long as it is routed, so that it is told once.
fn note(known: &mut BTreeMap<String, Known>, told: Vec<Arc<Item>>, now: UnixMillis) {
    for item in told {
        known.insert(item.alert.id.clone(), Known { item, told_at: now });
    }
    // An ended alert is forgotten by us after a quarter of an hour.
    known.retain(|_, known| known.item.fires() || now.saturating_sub(known.told_at) < 3_600_000);
}
