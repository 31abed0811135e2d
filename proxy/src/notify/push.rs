//! Browsers that are told by Web Push: each is a receiver with a route of its own, beside those of the config.

use std::{collections::BTreeMap, sync::Arc};

use fleetglass_shared::{
    health::UnixMillis,
    labels::{LabelSet, Matcher},
    route::{Route, Spec, Tree},
    scope::node_selector,
    wire::{Alert, Severity},
};
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use super::{
    Notify, Plan,
    plan::{Receiver, Way},
    receiver::{Service, push},
};
use crate::letters::hex;
use crate::{
    auth::{Via, Who},
    config::Secret,
    fleet::Fleet,
    state::{KeptPush, StateFile},
};

/// Under this name the state file keeps the key.
const KEY: &str = "vapid_key";
const MOST: usize = 500;
const MOST_OF_ONE: usize = 20;
const LONGEST_LABEL: usize = 60;
const LONGEST_ENDPOINT: usize = 1_000;
/// A moment for alerts that come together.
const WAIT_MS: i64 = 2_000;
const INTERVAL_MS: i64 = 60_000;
const REPEAT_MS: i64 = 4 * 3_600_000;

/// The subscriptions, and the key by which push services know us.
pub(super) struct Pushes {
    pub(super) key: Arc<push::VapidKey>,
    all: Mutex<BTreeMap<String, KeptPush>>,
    state: Arc<StateFile>,
}

/// That somebody was vouched for again is kept no more often.
const RENEWED_EVERY_MS: i64 = 3_600_000;

/// A browser in the plan.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) receiver: Receiver,
    /// It is told no more from then on.
    until: Option<UnixMillis>,
    tree: Tree,
    severities: Vec<Severity>,
    /// A node passes one of each list.
    select: Vec<Vec<Vec<Matcher>>>,
}

/// How a browser is reached.
#[derive(Clone, Debug)]
pub struct Reached {
    /// Where its push service takes messages.
    pub endpoint: String,
    /// Its public key.
    pub p256dh: Vec<u8>,
    /// Its authentication secret.
    pub auth: Vec<u8>,
}

impl Reached {
    /// Its authentication secret, if all of it is well.
    fn checked(&self, allow_private: bool) -> Result<[u8; 16], PushError> {
        let bad = |words: &str| PushError::Bad(words.to_owned());
        if self.endpoint.len() > LONGEST_ENDPOINT {
            return Err(bad("the endpoint is too long"));
        }
        push::endpoint(&self.endpoint, allow_private).map_err(PushError::Bad)?;
        web_push_native::p256::PublicKey::from_sec1_bytes(&self.p256dh)
            .map_err(|_| bad("`p256dh` is not a point of P-256"))?;
        self.auth.as_slice().try_into().map_err(|_| bad("`auth` is not of 16 bytes"))
    }
}

/// What a browser asks for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How it is reached.
    pub at: Reached,
    /// What its owner calls it.
    pub label: String,
    /// Of which alerts it is told.
    pub severities: Vec<Severity>,
    /// Of which nodes.
    pub select: String,
}

/// Why a subscription is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// Something of it is wrong.
    #[error("{0}")]
    Bad(String),
    /// There are enough.
    #[error("{0} browsers are subscribed already: take one away first")]
    TooMany(usize),
    /// There is none to be renewed.
    #[error("there is no such subscription: subscribe anew on the page Notifications")]
    Unknown,
    /// The state file does not keep it.
    #[error("it cannot be kept just now: try again")]
    State,
}

impl Pushes {
    /// What the state file has; a key is made where there is none.
    pub(super) async fn open(state: Arc<StateFile>) -> Result<Self, getrandom::Error> {
        let kept = state.kept(KEY).await.ok().flatten();
        let bytes = |text: String| -> Option<Vec<u8>> {
            text.is_ascii().then_some(())?;
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
        };
        let key = match kept.and_then(bytes).and_then(|bytes| push::VapidKey::of(&bytes)) {
            Some(key) => key,
            None => loop {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes)?;
                if let Some(key) = push::VapidKey::of(&bytes) {
                    state.keep(KEY, &hex(&bytes));
                    break key;
                }
            },
        };
        let all = state.pushes().await.unwrap_or_else(|error| {
            tracing::error!("the push subscriptions are not known: {error}");
            Vec::new()
        });
        let all = all.into_iter().map(|push| (push.id.clone(), push)).collect();
        Ok(Self { key: Arc::new(key), all: Mutex::new(all), state })
    }

    /// As the plan has them.
    pub(super) fn devices(&self, plan: &Plan) -> Arc<Vec<Device>> {
        let all = self.all.lock();
        Arc::new(all.values().map(|push| Device::of(push, plan, &self.key)).collect())
    }
}

impl Device {
    fn of(to: &KeptPush, plan: &Plan, key: &Arc<push::VapidKey>) -> Self {
        let name = format!("{} ({})", to.label, &to.id[..to.id.len().min(6)]);
        let service = Service::Push(Box::new(push::Push {
            to: to.clone(),
            key: Arc::clone(key),
            contact: plan.push_contact.clone(),
            allow_private: plan.push_allow_private,
            client: plan.push_client.clone(),
        }));
        let way = Way { id: way_id(&to.id), receiver: name.clone(), service };
        let spec = Spec {
            receiver: Some(name.clone()),
            group_by: Some(vec!["alertname".to_owned()]),
            wait_ms: Some(WAIT_MS),
            interval_ms: Some(INTERVAL_MS),
            repeat_ms: Some(REPEAT_MS),
            ..Spec::default()
        };
        // Both were read when they were taken; what cannot be read any more lets nothing pass.
        let read = |texts: &[String]| -> Vec<Vec<Matcher>> {
            texts.iter().filter_map(|text| node_selector(text).ok()).collect()
        };
        let own: Vec<String> = Some(to.select.clone()).filter(|text| !text.is_empty()).into_iter().collect();
        let select = [own.as_slice(), &to.within].into_iter().filter(|texts| !texts.is_empty()).map(read);
        Self {
            until: ends_at(to, plan),
            receiver: Receiver {
                name,
                send_resolved: true,
                chart: false,
                title: None,
                body: None,
                ways: vec![Arc::new(way)],
            },
            tree: Tree::new(&spec),
            severities: to.severities.clone(),
            select: select.collect(),
        }
    }

    pub(super) fn routes(&self) -> Vec<&Route> {
        self.tree.routes()
    }

    /// Its route, if it is told of this alert. `node` has the labels of the alert's node.
    pub(super) fn route(&self, alert: &Alert, node: Option<&LabelSet>, now: UnixMillis) -> Option<&Route> {
        if self.until.is_some_and(|until| until <= now) {
            return None;
        }
        let passes = |selectors: &Vec<Vec<Matcher>>| {
            let passes = |one: &Vec<Matcher>, labels| one.iter().all(|matcher| matcher.matches_set(labels));
            node.is_some_and(|labels| selectors.iter().any(|one| passes(one, labels)))
        };
        let told = self.severities.contains(&alert.severity) && self.select.iter().all(passes);
        told.then(|| self.tree.routes().into_iter().next()).flatten()
    }
}

/// The labels of the nodes that alerts are about.
pub(super) fn labels_of(fleet: &Fleet, alerts: &[Alert]) -> BTreeMap<String, LabelSet> {
    let about: std::collections::BTreeSet<&str> =
        alerts.iter().filter_map(|alert| alert.node.as_deref()).collect();
    let labels = fleet.select(|node, _| {
        about.contains(node.id.as_str()).then(|| {
            let own = node.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let given = [("instance", node.id.as_str()), ("job", &node.family), ("family", &node.family)];
            (node.id.clone(), LabelSet::from_pairs(given.into_iter().chain(own)))
        })
    });
    labels.into_iter().collect()
}

/// When a subscription ends unless its owner is vouched for again.
fn ends_at(push: &KeptPush, plan: &Plan) -> Option<UnixMillis> {
    // What they may do may have become less since, and nobody would say so.
    is_vouched_for(&push.owner).then(|| push.created_at.saturating_add(plan.vouched_for_ms))
}

/// Whether only somebody else knows what an owner may do.
fn is_vouched_for(owner: &str) -> bool {
    let via = owner.split_once(':').and_then(|(via, _)| Via::parse(via));
    via.is_some_and(|via| Who { via, ..Who::local() }.is_vouched_for())
}

fn way_id(id: &str) -> String {
    format!("push/{id}")
}

impl Notify {
    /// The key that browsers subscribe with.
    pub fn push_key(&self) -> &str {
        &self.pushes.key.public
    }

    /// The subscriptions of somebody.
    pub fn pushes_of(&self, owner: &str) -> Vec<KeptPush> {
        self.pushes.all.lock().values().filter(|push| push.owner == owner).cloned().collect()
    }

    /// The subscriptions of everybody.
    pub fn pushes(&self) -> Vec<KeptPush> {
        self.pushes.all.lock().values().cloned().collect()
    }

    /// When a subscription ends unless its owner signs in again.
    pub fn push_ends_at(&self, push: &KeptPush) -> Option<UnixMillis> {
        ends_at(push, &self.plan.load())
    }

    /// Subscribes a browser, or changes what it is told of.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn subscribe_push(
        &self,
        wish: Wish,
        owner: &str,
        within: &[String],
        now: UnixMillis,
    ) -> Result<KeptPush, PushError> {
        let auth = wish.at.checked(self.plan.load().push_allow_private)?;
        if wish.severities.is_empty() {
            let words = "`severities` is empty: name at least one of critical, warning, info";
            return Err(PushError::Bad(words.to_owned()));
        }
        if !wish.select.is_empty() {
            node_selector(&wish.select).map_err(|error| PushError::Bad(error.to_string()))?;
        }
        let label: String = wish.label.chars().filter(|c| !c.is_control()).take(LONGEST_LABEL).collect();
        let label = Some(label.trim().to_owned()).filter(|label| !label.is_empty());
        let push = {
            let mut all = self.pushes.all.lock();
            let held = all.values().find(|push| push.endpoint.reveal() == wish.at.endpoint).cloned();
            let of_owner = all.values().filter(|push| push.owner == owner).count();
            if held.is_none() && (all.len() >= MOST || of_owner >= MOST_OF_ONE) {
                return Err(PushError::TooMany(of_owner));
            }
            let mut random = [0; 8];
            getrandom::fill(&mut random).map_err(|_| PushError::State)?;
            let push = KeptPush {
                // A browser that somebody else signs in with is theirs from now on.
                id: held
                    .as_ref()
                    .filter(|held| held.owner == owner)
                    .map_or_else(|| hex(&random), |h| h.id.clone()),
                endpoint: Secret::new(wish.at.endpoint),
                p256dh: wish.at.p256dh,
                auth,
                label: label.unwrap_or_else(|| "a browser".to_owned()),
                owner: owner.to_owned(),
                severities: wish.severities,
                select: wish.select,
                within: within.to_vec(),
                created_at: held
                    .as_ref()
                    .filter(|_| !is_vouched_for(owner))
                    .map_or(now, |held| held.created_at),
            };
            if let Some(held) = held {
                all.remove(&held.id);
                self.pushes.state.remove_push(&held.id);
            }
            if !self.pushes.state.record_push(&push) {
                return Err(PushError::State);
            }
            all.insert(push.id.clone(), push.clone());
            push
        };
        self.pushes.state.flush().await.map_err(|_| PushError::State)?;
        self.with_devices();
        Ok(push)
    }

    /// Has a subscription reached in another way: the push service gave its browser another one. Whoever knows the
    /// secret of the one before is that browser, for nobody else but us has it.
    ///
    /// # Errors
    /// What is wrong with it; [`PushError::Unknown`] for no subscription and for another secret alike.
    pub async fn renew_push(
        &self,
        endpoint: &str,
        secret: &[u8],
        fresh: Reached,
    ) -> Result<KeptPush, PushError> {
        let auth = fresh.checked(self.plan.load().push_allow_private)?;
        let push = {
            let mut all = self.pushes.all.lock();
            let known = all.values().find(|push| push.endpoint.reveal() == endpoint);
            let known = known.filter(|push| bool::from(push.auth.as_slice().ct_eq(secret)));
            let before = known.cloned().ok_or(PushError::Unknown)?;
            // Browsers ask at each start whether they are known.
            if before.endpoint.reveal() == fresh.endpoint
                && before.p256dh == fresh.p256dh
                && before.auth == auth
            {
                return Ok(before);
            }
            // Whoever subscribed the other one meanwhile has said what it is told of.
            let held = all.values().find(|push| push.endpoint.reveal() == fresh.endpoint).cloned();
            let push = held.filter(|held| held.id != before.id).unwrap_or_else(|| KeptPush {
                endpoint: Secret::new(fresh.endpoint),
                p256dh: fresh.p256dh,
                auth,
                ..before.clone()
            });
            if !self.pushes.state.record_push(&push) {
                return Err(PushError::State);
            }
            if push.id != before.id {
                all.remove(&before.id);
                self.pushes.state.remove_push(&before.id);
            }
            all.insert(push.id.clone(), push.clone());
            push
        };
        self.pushes.state.flush().await.map_err(|_| PushError::State)?;
        self.with_devices();
        Ok(push)
    }

    /// Takes a subscription away; whether there was one of this id, and of this owner where one is named.
    pub fn unsubscribe_push(&self, id: &str, owner: Option<&str>) -> bool {
        {
            let mut all = self.pushes.all.lock();
            let is_theirs = |push: &KeptPush| owner.is_none_or(|owner| push.owner == owner);
            if !all.get(id).is_some_and(is_theirs) {
                return false;
            }
            all.remove(id);
        }
        self.pushes.state.remove_push(id);
        self.with_devices();
        true
    }

    /// Takes away every subscription of somebody who may look no more.
    pub fn forget_pushes_of(&self, owner: &str) {
        for push in self.pushes_of(owner) {
            self.unsubscribe_push(&push.id, Some(owner));
        }
    }

    /// Somebody has just been vouched for: what they subscribed goes on.
    pub fn renew_pushes_of(&self, owner: &str, now: UnixMillis) {
        let mut has_changed = false;
        for push in self.pushes.all.lock().values_mut().filter(|push| push.owner == owner) {
            if now - push.created_at >= RENEWED_EVERY_MS {
                push.created_at = now;
                has_changed = true;
                // Where it is not kept, the next time is.
                self.pushes.state.record_push(push);
            }
        }
        if has_changed {
            self.with_devices();
        }
    }

    /// The receiver of a subscription, for a test of it.
    pub fn receiver_of_push(&self, id: &str) -> Option<String> {
        Some(self.plan.load().way(&way_id(id))?.receiver.clone())
    }

    /// The browser of a way has unsubscribed.
    pub(super) fn gone(&self, way: &Way) {
        if let Some(id) = way.id.strip_prefix("push/") {
            tracing::info!("{}: the browser is not subscribed any more", way.receiver);
            self.unsubscribe_push(id, None);
        }
    }

    /// Has the plan know the browsers that there are now.
    fn with_devices(&self) {
        let plan = self.plan.load_full();
        let devices = self.pushes.devices(&plan);
        self.plan.store(Arc::new(Plan::clone(&plan).with(devices)));
        self.wake();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn whoever_is_vouched_for_is_told_until_that_is_too_long_ago() {
        for (owner, is) in [
            ("oidc:ada", true),
            ("header:ada", true),
            ("password:ada", false),
            ("token:oidc:ada", false),
            ("local:the operator", false),
            ("oidc", false),
        ] {
            assert_eq!(is_vouched_for(owner), is, "{owner}");
        }
        let receiver = Receiver {
            name: "phone".into(),
            send_resolved: true,
            chart: false,
            title: None,
            body: None,
            ways: Vec::new(),
        };
        let spec = Spec { receiver: Some("phone".into()), ..Spec::default() };
        let device = Device {
            receiver,
            until: Some(5),
            tree: Tree::new(&spec),
            severities: vec![Severity::Critical],
            select: Vec::new(),
        };
        let alert: Alert = serde_json::from_value(serde_json::json!({
            "id": "0", "name": "A", "state": "firing", "severity": "critical", "labels": {}, "active_at": 1,
        }))
        .unwrap();
        assert!(device.route(&alert, None, 4).is_some() && device.route(&alert, None, 5).is_none());
    }
}
