//! Once a second: which alerts belong to which groups, and what is to be told of each. What counts as told and
//! the messages that tell it go to the disk together, and only then are messages delivered.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fleetglass_shared::{
    health::UnixMillis,
    route::{Audience, Group, Notice, Route, Why},
    wire::{Alert, AlertState},
};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{Notify, Plan, gather, message::Message, push};
use crate::{clock, state::Queued};

const TICK: Duration = Duration::from_secs(1);

/// What is kept of a group from one run to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    route: String,
    receiver: String,
    escalates_to: Option<String>,
    labels: BTreeMap<String, String>,
    group: Group,
}

/// A group as the alerts make it now.
struct Now<'a> {
    route: &'a Route,
    labels: BTreeMap<String, String>,
    alerts: BTreeMap<&'a str, &'a Alert>,
}

type Groups = BTreeMap<String, Kept>;

/// Dispatches until it is cancelled.
pub(super) async fn run(notify: Arc<Notify>, cancel: CancellationToken) {
    let mut kept = restored(&notify).await;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let (own, now) = (Arc::clone(&notify), clock::now());
        let mut groups = std::mem::take(&mut kept);
        let work = tokio::task::spawn_blocking(move || {
            let told = tick(&own, &mut groups, now);
            (groups, told)
        });
        let told = match work.await {
            Ok((groups, told)) => {
                kept = groups;
                told
            }
            Err(error) => {
                tracing::error!("what is to be told cannot be worked out: {error}");
                Told::Lost
            }
        };
        if told == Told::Lost {
            // As it is on the disk, so that it is told the next time.
            kept = restored(&notify).await;
        }
        if told == Told::Queued {
            // On the disk first: what was delivered and forgotten would be told twice.
            if let Err(error) = notify.sources.state.flush().await {
                tracing::warn!("messages are not on the disk yet: {error}");
            }
            notify.wake();
        }
        if now / 1000 % 600 == 0 {
            let ways = notify.plan.load().ways().map(|way| way.id.clone()).collect();
            notify.sources.state.prune_queue(ways, now.saturating_sub(notify.plan.load().max_age_ms));
        }
    }
}

async fn restored(notify: &Notify) -> Groups {
    match notify.sources.state.notify_groups().await {
        Ok(groups) => groups
            .into_iter()
            .filter_map(|(key, state)| Some((key, serde_json::from_str(&state).ok()?)))
            .collect(),
        Err(error) => {
            tracing::error!("what was told of alerts is not known any more, they are told again: {error}");
            Groups::new()
        }
    }
}

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    /// There is something new in the queue.
    Queued,
    /// There should be, but it could not be kept.
    Lost,
}

/// One look.
fn tick(notify: &Notify, kept: &mut Groups, now: UnixMillis) -> Told {
    let plan = notify.plan.load();
    let alerts = gather::alerts(&notify.sources);
    if plan.tree.is_none() && plan.devices.is_empty() {
        return Told::Nothing;
    }
    let nodes = match plan.devices.is_empty() {
        true => BTreeMap::new(),
        false => push::labels_of(&notify.sources.fleet, &alerts),
    };
    let mut groups: BTreeMap<String, Now<'_>> = BTreeMap::new();
    for alert in &alerts {
        let labels = gather::labels(alert);
        let node = alert.node.as_ref().and_then(|node| nodes.get(node));
        let found = plan.tree.as_ref().map(|tree| tree.find(&labels)).unwrap_or_default();
        let devices = plan.devices.iter().filter_map(|device| device.route(alert, node, now));
        for route in found.into_iter().chain(devices) {
            let own = match route.group_by {
                Some(_) => route.group_labels(&labels),
                // All labels are the alert's own.
                None => alert.labels.clone(),
            };
            let key = format!("{}\n{}", route.receiver, route.group_key(&own));
            let group =
                groups.entry(key).or_insert_with(|| Now { route, labels: own, alerts: BTreeMap::new() });
            group.alerts.insert(&alert.id, alert);
        }
    }
    let mut changed = Changed::default();
    changed.adopted(kept, &groups);
    let keys: std::collections::BTreeSet<String> = kept.keys().chain(groups.keys()).cloned().collect();
    let empty = BTreeMap::new();
    for key in keys {
        let before = kept.get(&key);
        let route = match (groups.get(&key), before) {
            (Some(group), _) => Some(group.route),
            (None, Some(kept)) => {
                plan.routes().into_iter().find(|r| r.key == kept.route && r.receiver == kept.receiver)
            }
            (None, None) => None,
        };
        let own = groups.get(&key).map_or(&empty, |group| &group.alerts);
        let mut group = before.map(|kept| kept.group.clone()).unwrap_or_default();
        let (notices, escalates_to) = match route {
            Some(route) if plan.is_muted(route, now) => continue,
            Some(route) => {
                let escalation = route.escalation.as_ref();
                let to = escalation.map(|escalation| escalation.receiver.clone());
                (group.step(own, route.pace, escalation.map(|escalation| escalation.after_ms), now), to)
            }
            // Of a route that is gone only what ends is told.
            None => (group.close(&still(&alerts), now), None),
        };
        if notices.is_empty() {
            continue;
        }
        let labels = groups.get(&key).map(|group| group.labels.clone());
        let state = Kept {
            route: route
                .map(|route| route.key.clone())
                .or(before.map(|kept| kept.route.clone()))
                .unwrap_or_default(),
            receiver: key.split('\n').next().unwrap_or_default().to_owned(),
            // Who was told of the begin is told of the end, whatever the config says by then.
            escalates_to: escalates_to.or(before.and_then(|kept| kept.escalates_to.clone())),
            labels: labels.or(before.map(|kept| kept.labels.clone())).unwrap_or_default(),
            group,
        };
        changed.tell(notify, &plan, &key, &state, notices, now);
        changed.groups.push(key.clone());
        match state.group.is_over() {
            true => kept.remove(&key),
            false => kept.insert(key, state),
        };
    }
    route_to_alertmanagers(notify, &plan, kept, &groups, now);
    changed.record(notify, kept)
}

/// The alerts by id.
fn still(alerts: &[Alert]) -> BTreeMap<&str, &Alert> {
    alerts.iter().map(|alert| (alert.id.as_str(), alert)).collect()
}

/// What a look changes.
#[derive(Default)]
struct Changed {
    groups: Vec<String>,
    messages: Vec<Queued>,
}

impl Changed {
    /// When the tree was changed an alert may be of another group of the same receiver, who heard of it already.
    fn adopted(&mut self, kept: &mut Groups, groups: &BTreeMap<String, Now<'_>>) {
        let mut moves: Vec<(String, String, String)> = Vec::new();
        for (from, old) in kept.iter() {
            let here = |id: &str| groups.get(from).is_some_and(|group| group.alerts.contains_key(id));
            for id in old.group.told.alerts.keys().filter(|id| !here(id)) {
                let to = groups.iter().find(|(_, group)| {
                    group.route.receiver == old.receiver
                        && group
                            .alerts
                            .get(id.as_str())
                            .is_some_and(|alert| alert.state == AlertState::Firing)
                });
                moves.extend(to.map(|(to, _)| (from.clone(), to.clone(), id.clone())));
            }
        }
        for (from, to, id) in moves {
            let Some(mut old) = kept.remove(&from) else { continue };
            let heir = kept.entry(to.clone()).or_insert_with(|| Kept {
                route: groups.get(&to).map(|group| group.route.key.clone()).unwrap_or_default(),
                receiver: old.receiver.clone(),
                escalates_to: old.escalates_to.clone(),
                labels: groups.get(&to).map(|group| group.labels.clone()).unwrap_or_default(),
                group: Group::default(),
            });
            heir.group.adopt(&mut old.group, &id);
            if !old.group.is_over() {
                kept.insert(from.clone(), old);
            }
            self.groups.extend([from, to]);
        }
    }

    fn tell(
        &mut self,
        notify: &Notify,
        plan: &Plan,
        key: &str,
        kept: &Kept,
        notices: Vec<Notice>,
        now: UnixMillis,
    ) {
        let group_key = key.split_once('\n').map_or(key, |(_, group_key)| group_key);
        for notice in notices {
            let why = notice.why;
            let to = match notice.to {
                Audience::Receiver => Some(kept.receiver.as_str()),
                Audience::Escalation => kept.escalates_to.as_deref(),
            };
            let Some(receiver) = to.and_then(|name| plan.receiver(name)) else { continue };
            let message = Message::of(notice, &receiver.name, group_key, &kept.labels, now, |alert| {
                gather::item(&notify.sources, alert)
            });
            for way in receiver.ways.iter().filter(|way| !way.is_alertmanager()) {
                let keeps = way.service.keeps_incidents();
                if why == Why::Acknowledged && !keeps {
                    continue;
                }
                let message = match receiver.send_resolved || keeps {
                    true => Some(message.clone()),
                    false => message.clone().without_resolved(),
                };
                self.messages.extend(message.and_then(|message| queued(&way.id, &message)));
            }
        }
    }

    fn record(self, notify: &Notify, kept: &Groups) -> Told {
        if self.groups.is_empty() {
            return Told::Nothing;
        }
        let told = if self.messages.is_empty() { Told::Nothing } else { Told::Queued };
        let states = self.groups.into_iter().map(|key| {
            let state = kept.get(&key).and_then(|kept| serde_json::to_string(kept).ok());
            (key, state)
        });
        if !notify.sources.state.record_notices(states.collect(), self.messages) {
            tracing::error!("the state file cannot keep up, and messages wait for it");
            return Told::Lost;
        }
        told
    }
}

/// A message as the queue has it.
pub(super) fn queued(way: &str, message: &Message) -> Option<Queued> {
    let text = serde_json::to_string(message);
    let text = text.inspect_err(|error| tracing::error!("a message cannot be written: {error}")).ok()?;
    let (way, key, at) = (way.to_owned(), message.key.clone(), message.at);
    Some(Queued { id: 0, way, key, at, message: text, attempts: 0, next_at: at })
}

/// What Alertmanagers are to know: they group by themselves, so they get all that is not muted here.
fn route_to_alertmanagers(
    notify: &Notify,
    plan: &Plan,
    kept: &Groups,
    groups: &BTreeMap<String, Now<'_>>,
    now: UnixMillis,
) {
    let mut routed: BTreeMap<String, BTreeMap<&str, &Alert>> = BTreeMap::new();
    for receiver in &plan.receivers {
        if receiver.ways.iter().any(|way| way.is_alertmanager()) {
            routed.insert(receiver.name.clone(), BTreeMap::new());
        }
    }
    if routed.is_empty() {
        return;
    }
    for (key, group) in groups {
        if let Some(all) = routed.get_mut(&group.route.receiver)
            && !plan.is_muted(group.route, now)
        {
            all.extend(group.alerts.iter().map(|(id, alert)| (*id, *alert)));
        }
        let escalation = group.route.escalation.as_ref();
        if let Some((all, kept)) = escalation.and_then(|e| routed.get_mut(&e.receiver)).zip(kept.get(key)) {
            let late = |id: &&str| kept.group.escalated.alerts.contains_key(*id);
            all.extend(group.alerts.iter().filter(|(id, _)| late(id)).map(|(id, alert)| (*id, *alert)));
        }
    }
    let alerts = |alerts: BTreeMap<&str, &Alert>| alerts.into_values().cloned().collect();
    notify.routed.store(Arc::new(routed.into_iter().map(|(name, all)| (name, alerts(all))).collect()));
}
