//! One task a way to somebody: takes the oldest message of its queue, and tries until it is taken, refused, or
//! too old. One that is down delays no other.

use std::{sync::Arc, time::Duration};

use fleetglass_shared::wire::NotifyAttempt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    Notify, chart,
    client::{Outcome, backoff, chance},
    link::Links,
    message::Message,
    plan::{Plan, Way},
    receiver::Outbound,
    status,
    words::{Rendered, Words},
};
use crate::{
    alerts::Alerts,
    clock,
    state::{After, Queued},
    store::Store,
};

/// How long it waits for a state file that gives no answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Delivers until it is cancelled, or the plan has the way no more.
pub(super) async fn run(notify: Arc<Notify>, id: String, cancel: CancellationToken) {
    let mut woken = notify.woken.subscribe();
    loop {
        woken.borrow_and_update();
        let plan = notify.plan.load_full();
        let Some(way) = plan.way(&id) else {
            if notify.ends(&id) {
                return;
            }
            continue;
        };
        let wait = match notify.sources.state.next_queued(&id).await {
            Ok(None) => None,
            Ok(Some(queued)) if queued.next_at > clock::now() => {
                let ms = queued.next_at.saturating_sub(clock::now());
                Some(Duration::from_millis(u64::try_from(ms).unwrap_or_default()))
            }
            Ok(Some(queued)) => {
                tokio::select! {
                    // What is cut off here is sent again under the same key.
                    () = cancel.cancelled() => return,
                    () = notify.attempt(&plan, &way, queued) => {}
                }
                continue;
            }
            Err(error) => {
                tracing::warn!("{id}: the queue cannot be read: {error}");
                Some(PATIENCE)
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = pause(wait, &mut woken) => {}
        }
    }
}

/// Waits until there may be something to do.
async fn pause(wait: Option<Duration>, woken: &mut watch::Receiver<u64>) {
    let later = async {
        match wait {
            Some(wait) => tokio::time::sleep(wait).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = later => {}
        changed = woken.changed() => if changed.is_err() { std::future::pending::<()>().await },
    }
}

/// What messages are made with: links that are signed, and charts from the store.
pub struct Outlet {
    pub(super) links: Links,
    pub(super) store: Arc<Store>,
    /// Where a proxy runs: all alerts.
    pub(super) alerts: Option<Arc<Alerts>>,
}

impl Outlet {
    fn words<'a>(&'a self, plan: &'a Plan, way: &Way, now: i64) -> Words<'a> {
        let receiver = plan.receiver(&way.receiver);
        Words {
            external_url: &plan.external_url,
            links: &self.links,
            link_ms: plan.link_ms,
            title: receiver.and_then(|receiver| receiver.title.as_ref()),
            body: receiver.and_then(|receiver| receiver.body.as_ref()),
            now,
        }
    }

    fn rendered(&self, plan: &Plan, way: &Way, message: &Message, now: i64) -> Rendered {
        let mut rendered = self.words(plan, way, now).render(message);
        if plan.receiver(&way.receiver).is_some_and(|receiver| !receiver.chart) {
            (rendered.chart, rendered.chart_url) = (None, None);
        }
        rendered
    }

    /// Sends a message once; gives its title, and what became of it.
    pub(super) async fn send(&self, plan: &Plan, way: &Way, message: &Message) -> (String, Outcome) {
        let now = clock::now();
        let rendered = self.rendered(plan, way, message, now);
        let picture = match &rendered.chart {
            Some(link) if way.service.takes_pictures() => {
                let (store, link) = (Arc::clone(&self.store), link.clone());
                // Without a picture a message is better than none.
                tokio::task::spawn_blocking(move || chart::png(&store, &link)).await.ok().flatten()
            }
            _ => None,
        };
        let words = self.words(plan, way, now);
        let out = Outbound {
            client: &plan.client,
            message,
            rendered: &rendered,
            chart: picture.as_deref(),
            words: &words,
            firing: self
                .alerts
                .as_ref()
                .map(|alerts| alerts.all().iter().filter(|one| one.is_open()).count()),
            now,
        };
        let outcome = way.service.deliver(&out).await;
        (rendered.title, outcome)
    }
}

impl Notify {
    /// Tries the oldest message of a way once.
    async fn attempt(&self, plan: &Plan, way: &Way, queued: Queued) {
        let at = clock::now();
        let message: Message = match serde_json::from_str(&queued.message) {
            Ok(message) => message,
            Err(error) => {
                let words = format!("it is not as this version writes messages: {error}");
                return self.tried(way, at, "given_up", "", words, Some((queued.id, After::Done))).await;
            }
        };
        if at.saturating_sub(queued.at) > plan.max_age_ms {
            let words = format!("it was not taken in {} attempts, and is too old now", queued.attempts);
            let title = self.title(plan, way, &message);
            return self.tried(way, at, "given_up", &title, words, Some((queued.id, After::Done))).await;
        }
        let (title, outcome) = self.outlet.send(plan, way, &message).await;
        let (word, words, after) = match outcome {
            Outcome::Delivered(words) => ("delivered", words, After::Done),
            Outcome::Refused(words) => ("refused", words, After::Done),
            Outcome::Gone(words) => {
                self.gone(way);
                ("gone", words, After::Done)
            }
            Outcome::Again(words, asked) => {
                let wait = backoff(queued.attempts, chance(), asked);
                let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                ("again", words, After::Again(clock::now().saturating_add(wait)))
            }
        };
        self.tried(way, at, word, &title, words, Some((queued.id, after))).await;
    }

    fn title(&self, plan: &Plan, way: &Way, message: &Message) -> String {
        self.outlet.rendered(plan, way, message, clock::now()).title
    }

    /// Keeps how an attempt went.
    pub(super) async fn tried(
        &self,
        way: &Way,
        at: i64,
        outcome: &str,
        title: &str,
        text: String,
        message: Option<(i64, After)>,
    ) {
        let attempt = NotifyAttempt {
            way: way.id.clone(),
            at,
            took_ms: clock::now().saturating_sub(at).max(0),
            outcome: outcome.to_owned(),
            title: title.to_owned(),
            text,
        };
        match outcome {
            "delivered" => tracing::debug!("{}: {title}: {}", attempt.way, attempt.text),
            "gone" => tracing::info!("{}: {}", attempt.way, attempt.text),
            "again" => tracing::warn!("{}: {title} is tried again: {}", attempt.way, attempt.text),
            _ => tracing::error!("{}: {title} is lost: {}", attempt.way, attempt.text),
        }
        self.sources.telemetry.notify().attempt(way.service.name(), &way.receiver, outcome);
        status::note(self.health.lock().entry(way.id.clone()).or_default(), &attempt);
        self.sources.state.record_attempt(attempt, message);
        if message.is_some() {
            // Else a power cut would have what was delivered delivered again.
            let _ = self.sources.state.flush().await;
        }
    }
}
