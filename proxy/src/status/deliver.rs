//! Tells subscribers: takes what is due from the queue on the disk, some at a time, and tries until it is taken,
//! refused, or too old. Pages that are closed tell nobody anything.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fleetglass_shared::{
    health::UnixMillis,
    wire::{StatusPost, StatusUpdate, SubscriberKind},
};
use futures_util::StreamExt;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Purpose, StatusPages, board, feed, feed::Place, hook::Message, mail::Letter, page};
use crate::{
    clock::{self, rfc3339},
    config::Secret,
    notify::client::{Outcome, backoff, chance, struck},
    share::OpenShare,
    state::{After, CONFIRM, Due},
};

/// So much is taken from the queue at a time, and so much of it is under way at once.
const BATCH: u32 = 32;
const AT_ONCE: usize = 4;
const MAIL_TIMEOUT: Duration = Duration::from_secs(20);
/// News of yesterday are on the page.
const MOST_AGE_MS: i64 = 24 * 3_600_000;
/// A server that does not echo its challenge by then wants nothing of us.
const MOST_CHALLENGES: u32 = 5;
const EVERY: Duration = Duration::from_secs(1);
const PRUNE_EVERY_MS: i64 = 3_600_000;

impl StatusPages {
    /// Begins and ends maintenances, and delivers, until it is cancelled.
    pub async fn run(self: Arc<Self>, cancel: CancellationToken) {
        let mut pruned_at = UnixMillis::MIN;
        loop {
            let now = clock::now();
            if now.saturating_sub(pruned_at) >= PRUNE_EVERY_MS {
                self.prune(now);
                pruned_at = now;
            }
            let went_on = tokio::select! {
                () = cancel.cancelled() => return,
                went_on = async { self.tick(now).await; self.deliver(now).await } => went_on,
            };
            if went_on {
                continue;
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.woken.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Delivers what is due; whether there was any.
    async fn deliver(&self, now: UnixMillis) -> bool {
        let due = match self.sources.state.status_due(now, BATCH).await {
            Ok((due, _)) => due,
            Err(error) => {
                tracing::warn!("the queue of status pages cannot be read: {error}");
                return false;
            }
        };
        if due.is_empty() {
            return false;
        }
        futures_util::stream::iter(&due).for_each_concurrent(AT_ONCE, |due| self.attempt(due)).await;
        // Else a power cut would have what was delivered delivered again.
        self.sources.state.flush().await.is_ok()
    }

    async fn attempt(&self, due: &Due) {
        let now = clock::now();
        let outcome = match self.title_for(&due.to, now).and_then(|(_, slug)| self.find(&slug, now)) {
            None => Outcome::Refused("its page is closed".to_owned()),
            Some(_) if now - due.at > MOST_AGE_MS => Outcome::Refused("it is too old now".to_owned()),
            Some(share) if due.what == CONFIRM => self.confirm(&share, due, now).await,
            Some(share) => match self.settled_news(&share, &due.what, now).await {
                None => Outcome::Refused("it is on the page no more".to_owned()),
                Some((post, update)) => self.tell(&share, due, &post, &update, now).await,
            },
        };
        let (id, kind) = (&due.to.id, due.to.kind.as_str());
        let hidden = Secret::new(due.to.address.as_str());
        let after = match outcome {
            Outcome::Delivered(_) => {
                tracing::debug!(subscriber = id, kind, "told");
                After::Done
            }
            Outcome::Again(words, asked) => {
                let is_last = due.what == CONFIRM
                    && due.to.kind == SubscriberKind::Webhook
                    && due.attempts + 1 >= MOST_CHALLENGES;
                tracing::info!(
                    subscriber = id,
                    kind,
                    is_last,
                    "not told yet: {}",
                    struck(&words, &[&hidden])
                );
                let wait =
                    i64::try_from(backoff(due.attempts, chance(), asked).as_millis()).unwrap_or(i64::MAX);
                if is_last { After::Done } else { After::Again(clock::now().saturating_add(wait)) }
            }
            Outcome::Refused(words) | Outcome::Gone(words) => {
                tracing::info!(subscriber = id, kind, "not told: {}", struck(&words, &[&hidden]));
                After::Done
            }
        };
        self.sources.state.record_status_attempt(due.id, after);
    }

    /// As [`Self::news`], once whatever is being written is written: it is in the queue a moment before it is here.
    async fn settled_news(
        &self,
        share: &OpenShare,
        update: &str,
        now: UnixMillis,
    ) -> Option<(StatusPost, StatusUpdate)> {
        if let Some(found) = self.news(share, update, now) {
            return Some(found);
        }
        let _one = self.changing.lock().await;
        self.news(share, update, now)
    }

    /// An update as readers of its page may read it, with its post as it was then.
    fn news(&self, share: &OpenShare, update: &str, now: UnixMillis) -> Option<(StatusPost, StatusUpdate)> {
        let members = self.members();
        let parts = board::names(share, &members, now);
        let known =
            parts.iter().flat_map(|part| std::iter::once(&part.name).chain(&part.nodes)).cloned().collect();
        let told = board::told(&self.posts_of(share.id()), &known, share.scope(), now);
        told.into_iter().find_map(|post| {
            let update = post.updates.iter().find(|own| own.id == update)?.clone();
            Some((post, update))
        })
    }

    /// Asks somebody whether it was them.
    async fn confirm(&self, share: &OpenShare, due: &Due, now: UnixMillis) -> Outcome {
        let title = share.shared_with().title;
        match due.to.kind {
            SubscriberKind::Email => {
                let link = self.link(Purpose::Confirm, &due.to.id);
                let text = format!(
                    "Somebody, we hope you, asked to be told of incidents and planned maintenance of {title}.\n\n\
                     Open this link and press the button to confirm it:\n\n{link}\n\n\
                     If it was not you, do nothing: you hear no more of it.\n"
                );
                let subject = format!("Confirm: be told of {title}");
                self.mail(due, &subject, text, None).await
            }
            SubscriberKind::Webhook => self.challenge(due, now).await,
        }
    }

    /// Posts a random word; whoever sends it back wants to be told.
    async fn challenge(&self, due: &Due, now: UnixMillis) -> Outcome {
        let mut bytes = [0; 24];
        if getrandom::fill(&mut bytes).is_err() {
            return Outcome::Again("the system gives no randomness".to_owned(), None);
        }
        let challenge = URL_SAFE_NO_PAD.encode(bytes);
        let body = json!({
            "type": "status.challenge",
            "timestamp": rfc3339(Some(now)),
            "data": {"challenge": challenge, "unsubscribe_url": self.link(Purpose::End, &due.to.id)},
        });
        let (body, secret) = (body.to_string(), self.secret(&due.to.id));
        let id = format!("{CONFIRM}.{}", due.to.id);
        let message = Message { url: &due.to.address, id: &id, secret: &secret, body: &body };
        let reply = match self.hooks.post(&message, self.config.load().allow_private, now).await {
            Ok(reply) => reply,
            Err(outcome) => return outcome,
        };
        let said = reply.text.trim();
        let echoed = serde_json::from_str::<serde_json::Value>(said)
            .ok()
            .and_then(|json| json.get("challenge").and_then(|word| word.as_str()).map(str::to_owned));
        let is_echo = echoed.as_deref() == Some(challenge.as_str()) || said == challenge;
        if !(reply.status.is_success() && is_echo) {
            return Outcome::Again(
                format!("HTTP {} without the challenge", reply.status.as_u16()),
                reply.wait,
            );
        }
        match self.sources.state.confirm_subscriber(&due.to.id, now) {
            true => Outcome::Delivered(String::new()),
            false => Outcome::Again("the state file cannot keep up".to_owned(), None),
        }
    }

    /// Tells somebody of an update.
    async fn tell(
        &self,
        share: &OpenShare,
        due: &Due,
        post: &StatusPost,
        update: &StatusUpdate,
        now: UnixMillis,
    ) -> Outcome {
        let (title, url) = (share.shared_with().title, self.url(share.slug().unwrap_or_default()));
        let end = self.link(Purpose::End, &due.to.id);
        match due.to.kind {
            SubscriberKind::Email => {
                let subject = feed::subject(&title, post, update);
                let text = format!(
                    "{}\n\n{}\n\n{}\n\n-- \nYou asked to be told of {title}. To end it:\n{end}\n",
                    page::headline(post, update),
                    feed::plain(post, update),
                    feed::post_url(&url, post),
                );
                self.mail(due, &subject, text, Some(&end)).await
            }
            SubscriberKind::Webhook => {
                let place = Place(&url);
                let body = json!({
                    "type": "status.update",
                    "timestamp": rfc3339(Some(update.at)),
                    "data": {
                        "page": {"title": title, "url": url},
                        "post": feed::told(post, &place),
                        "update": feed::said(update),
                        "unsubscribe_url": end,
                    },
                });
                let (body, secret) = (body.to_string(), self.secret(&due.to.id));
                let message = Message { url: &due.to.address, id: &update.id, secret: &secret, body: &body };
                self.hooks.send(&message, self.config.load().allow_private, now).await
            }
        }
    }

    async fn mail(&self, due: &Due, subject: &str, text: String, end: Option<&str>) -> Outcome {
        let Some(mailer) = self.mailer() else {
            return Outcome::Again("[status] names no mail server".to_owned(), None);
        };
        let id = format!("{}.{}", due.what, due.to.id);
        let letter = Letter { from: mailer.from(), to: &due.to.address, id: &id, subject, text, end };
        match letter.written() {
            Ok(mail) => mailer.post(mail, MAIL_TIMEOUT).await,
            Err(words) => Outcome::Refused(words),
        }
    }
}
