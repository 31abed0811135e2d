//! Alertmanagers are told what fires again and again, before they would take it for over, and what ended until
//! they have heard it. So there is no queue: what could not be told is told the next time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use fleetglass_shared::{
    health::UnixMillis,
    wire::{Alert, AlertState},
};
use tokio_util::sync::CancellationToken;

use super::{
    Notify,
    client::{Outcome, backoff, chance},
    gather,
    message::{Item, since},
    receiver::{Service, alertmanager::RESEND_MS},
};
use crate::clock;

const TICK: Duration = Duration::from_secs(1);
/// So many alerts are told in one request.
const BATCH: usize = 500;

/// What one Alertmanager knows of an alert.
struct Known {
    alert: Alert,
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
        let sources = Arc::clone(&notify);
        let alerts = batch.clone();
        let joined = move || -> Vec<Item> {
            alerts.into_iter().map(|alert| gather::item(&sources.sources, alert)).collect()
        };
        let Ok(joined) = tokio::task::spawn_blocking(joined).await else { continue };
        let items: Vec<&Item> = joined.iter().collect();
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
            Outcome::Refused(words) | Outcome::Gone(words) => ("refused", words, Some(None)),
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
fn due(known: &BTreeMap<String, Known>, routed: &[Alert], now: UnixMillis) -> Vec<Alert> {
    let mut due: Vec<Alert> = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for alert in routed {
        seen.insert(&alert.id);
        let before = known.get(&alert.id);
        let same = before
            .is_some_and(|known| since(&known.alert) == since(alert) && known.alert.state == alert.state);
        let late = before.is_some_and(|known| now.saturating_sub(known.told_at) >= RESEND_MS);
        let wanted = match alert.state {
            AlertState::Firing => {
                let heard = before.is_some_and(|known| known.alert.state == AlertState::Firing);
                let muted = !(alert.silenced_by.is_empty()
                    && alert.inhibited_by.is_empty()
                    && alert.muted_by.is_empty());
                (!same && (!muted || heard)) || (same && late)
            }
            // After a restart it is not known what was told: the end is told once more, as Prometheus does.
            AlertState::Resolved => !same,
            AlertState::Pending => false,
        };
        if wanted {
            due.push(alert.clone());
        }
    }
    // What is gone altogether is over too.
    let gone = known.values().map(|known| &known.alert);
    for alert in gone.filter(|alert| alert.state == AlertState::Firing && !seen.contains(alert.id.as_str())) {
        due.push(Alert { state: AlertState::Resolved, resolved_at: Some(now), ..alert.clone() });
    }
    due.truncate(BATCH);
    due
}

/// Keeps what was told. What ended is kept for as long as it is routed, so that it is told once.
fn note(known: &mut BTreeMap<String, Known>, told: Vec<Alert>, now: UnixMillis) {
    for alert in told {
        known.insert(alert.id.clone(), Known { alert, told_at: now });
    }
    // An ended alert is forgotten by the rules after a quarter of an hour.
    known.retain(|_, known| {
        known.alert.state == AlertState::Firing || now.saturating_sub(known.told_at) < 3_600_000
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::message::Message;

    fn alert(fires: bool, fired_at: i64) -> Alert {
        let mut alert = Message::of_test("r", fires, fired_at).alerts.remove(0).alert;
        alert.fired_at = Some(fired_at);
        alert
    }

    fn told(known: &mut BTreeMap<String, Known>, routed: &[Alert], now: i64) -> Vec<&'static str> {
        let batch = due(known, routed, now);
        let words = batch.iter().map(|alert| alert.state.as_str()).collect();
        note(known, batch, now);
        words
    }

    #[test]
    fn what_fires_is_told_each_minute_and_its_end_once() {
        let mut known = BTreeMap::new();
        let fires = [alert(true, 0)];
        assert_eq!(told(&mut known, &fires, 0), ["firing"]);
        assert!(told(&mut known, &fires, RESEND_MS - 1).is_empty());
        assert_eq!(told(&mut known, &fires, RESEND_MS), ["firing"]);
        let over = [alert(false, 0)];
        assert_eq!(told(&mut known, &over, RESEND_MS + 1), ["resolved"]);
        assert!(told(&mut known, &over, 3 * RESEND_MS).is_empty());
        assert!(told(&mut known, &[], 4 * RESEND_MS).is_empty());
        assert_eq!(told(&mut known, &[alert(true, 5)], 5 * RESEND_MS), ["firing"]);
        assert_eq!(told(&mut known, &[], 5 * RESEND_MS + 1), ["resolved"], "what is gone is over");
    }

    #[test]
    fn what_is_silenced_is_not_told_but_what_was_told_is_kept_up() {
        let mut known = BTreeMap::new();
        let silenced = [Alert { silenced_by: vec!["s".to_owned()], ..alert(true, 0) }];
        assert!(told(&mut known, &silenced, 0).is_empty());
        assert_eq!(told(&mut known, &[alert(true, 0)], 1), ["firing"]);
        assert_eq!(told(&mut known, &silenced, RESEND_MS + 1), ["firing"]);
    }
}
