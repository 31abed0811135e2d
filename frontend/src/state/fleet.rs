//! The fleet as signals: one a node, so that a delta touches only the rows it changes.

use std::collections::HashMap;
use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::{FamilyInfo, ServerInfo};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::alerts::{AlertRef, Open};
use super::listing::Listing;
use super::model::{Applied, Model, Node};
use super::read;
use crate::app::ALARM;
use crate::client::{self, LiveEvent, Refusal, StreamUpdate, Trouble};
use crate::clock;
use crate::components::media::use_screen;
use crate::json::Json;
use crate::kept::kept;
use crate::rest::{heard, last_fleet};

/// A node that tells its readers when it changes.
pub type NodeSignal = ArcRwSignal<Node>;

/// After so long without an event, what is on the screen may be old.
const STALE_MS: i64 = 15_000;

/// Nodes are asked for when they have been on the screen for so long.
const RESTED_MS: i64 = 700;

/// How this page is connected to the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// The first try is in the air.
    Connecting,
    /// Events are coming.
    Live,
    /// The stream is open, but has said nothing for a while.
    Stale,
    /// A later try is in the air.
    Retrying(Trouble),
    /// Waiting for the next try.
    Waiting {
        /// Why the last one failed.
        trouble: Trouble,
        /// By the browser's clock.
        retry_at: UnixMillis,
    },
    /// The proxy asks for a token.
    Unauthorized,
}

/// All that the app knows; a handle that may be copied into every closure.
#[derive(Clone, Copy)]
pub struct Fleet {
    model: StoredValue<Model>,
    signals: StoredValue<HashMap<String, NodeSignal>>,
    /// Nodes changed since the last beat.
    behind: StoredValue<bool>,
    link: RwSignal<Link>,
    now: RwSignal<UnixMillis>,
    heard_at: RwSignal<UnixMillis>,
    clock_ahead: StoredValue<i64>,
    members: RwSignal<u64>,
    every_node: RwSignal<Arc<Vec<Node>>>,
    families: RwSignal<Vec<FamilyInfo>>,
    server: RwSignal<Option<ServerInfo>>,
    alerts: RwSignal<Arc<Vec<AlertRef>>>,
    open: Memo<Open>,
    /// What is shown was kept by this browser from an earlier visit.
    from_before: RwSignal<bool>,
    /// The stream is one for phones.
    lean: bool,
    /// The nodes on the screen: of the page, and of its first list.
    on_screen: StoredValue<[Vec<String>; 2]>,
    /// They are others than those that the stream was opened for, since this local time.
    moved_at: StoredValue<Option<UnixMillis>>,
    /// How many pages show the pending alerts of all nodes, which a phone's stream leaves out: two, where one follows the
    /// other.
    all_alerts: StoredValue<u32>,
    /// The stream was opened for all alerts.
    tells_all: StoredValue<bool>,
    /// Those that are pending are known as far as they can be.
    alerts_known: RwSignal<bool>,
    /// The stream was opened and has said nothing yet.
    opening: StoredValue<bool>,
    order: StoredValue<Arc<Listing>>,
}

/// The fleet of this app; [`Fleet::provide`] put it there.
pub fn use_fleet() -> Fleet {
    expect_context()
}

impl Fleet {
    /// Makes the fleet, hands it down, starts the clock and follows the live stream.
    pub fn provide() -> Self {
        let alerts = RwSignal::new(Arc::<Vec<AlertRef>>::default());
        let fleet = Self {
            model: StoredValue::new(Model::default()),
            signals: StoredValue::new(HashMap::new()),
            behind: StoredValue::new(false),
            link: RwSignal::new(Link::Connecting),
            now: RwSignal::new(clock::local_now()),
            heard_at: RwSignal::new(0),
            clock_ahead: StoredValue::new(0),
            members: RwSignal::new(0),
            every_node: RwSignal::new(Arc::default()),
            families: RwSignal::new(Vec::new()),
            server: RwSignal::new(None),
            alerts,
            open: Memo::new(move |_| alerts.with(|alerts| Open::of(alerts))),
            from_before: RwSignal::new(false),
            lean: use_screen().lean,
            on_screen: StoredValue::default(),
            moved_at: StoredValue::new(None),
            all_alerts: StoredValue::new(0),
            tells_all: StoredValue::new(false),
            alerts_known: RwSignal::new(true),
            opening: StoredValue::new(false),
            order: StoredValue::default(),
        };
        provide_context(fleet);
        clock::every_second(move || fleet.tick());
        let _ = window_event_listener_untyped("online", |_| client::try_now());
        let _ = window_event_listener_untyped("fleetglass-refresh", |_| {
            client::try_now();
            client::reopen();
        });
        // A tab that sounds or notifies must hear.
        let lean = fleet.lean;
        client::sleep_while_hidden(move || lean && kept(ALARM).is_none_or(|settings| settings.is_empty()));
        leptos::task::spawn_local(client::follow(move || fleet.stream(), move |update| fleet.hear(update)));
        fleet
    }

    /// Where the stream is: a phone asks for what matters, and for all of what it shows.
    fn stream(self) -> String {
        self.moved_at.set_value(None);
        if !self.lean {
            return "/api/v1/live".to_owned();
        }
        let all = self.all_alerts.get_value() > 0;
        self.tells_all.set_value(all);
        self.opening.set_value(true);
        let ids = self.on_screen.with_value(|lists| lists.concat());
        let ids: Vec<_> = ids.iter().map(|id| String::from(js_sys::encode_uri_component(id))).collect();
        let alerts = if all { "&alerts=all" } else { "" };
        format!("/api/v1/live?detail=low&nodes={}{alerts}", ids.join(","))
    }

    /// Asks for all alerts, those that are only pending too, while the caller's owner lives; whether they are known.
    pub fn follow_all_alerts(self) -> Signal<bool> {
        if self.lean {
            self.all_alerts.update_value(|pages| *pages += 1);
            on_cleanup(move || self.all_alerts.update_value(|pages| *pages -= 1));
            if !self.tells_all.get_value() {
                self.alerts_known.set(false);
                client::reopen();
            }
        }
        self.alerts_known.into()
    }

    /// Says which nodes are on the screen: of the page (0), or of the list above its own (1).
    pub fn show(self, list: usize, ids: Vec<String>) {
        self.on_screen.update_value(|lists| {
            let known = |id: &String| lists.iter().any(|list| list.contains(id));
            if self.lean && !ids.iter().all(known) {
                self.moved_at.set_value(Some(clock::local_now()));
            }
            lists[list] = ids;
        });
    }

    /// The nodes in the order of the list that was looked at last.
    pub fn order(self) -> Arc<Listing> {
        self.order.get_value()
    }

    /// Keeps that order.
    pub fn set_order(self, order: Arc<Listing>) {
        self.order.set_value(order);
    }

    /// Whether what is shown is from an earlier visit of this browser: the proxy has not been heard yet.
    pub fn is_from_before(self) -> Signal<bool> {
        self.from_before.into()
    }

    /// How this page is connected.
    pub fn link(self) -> Signal<Link> {
        self.link.into()
    }

    /// The proxy's time now; ticks once a second. Ages are told against it, so a browser whose clock
    /// is wrong still tells them right.
    pub fn now(self) -> Signal<UnixMillis> {
        self.now.into()
    }

    /// When the proxy was last heard, in its own time; 0 before that.
    pub fn heard_at(self) -> Signal<UnixMillis> {
        self.heard_at.into()
    }

    /// The browser's clock minus this is the proxy's clock; for countdowns to local times.
    pub fn to_local(self, at: UnixMillis) -> UnixMillis {
        at - self.clock_ahead.get_value()
    }

    /// Whether a first snapshot has come.
    pub fn loaded(self) -> Signal<bool> {
        Signal::derive(move || self.server.with(Option::is_some))
    }

    /// The families, in the proxy's order.
    pub fn families(self) -> Signal<Vec<FamilyInfo>> {
        self.families.into()
    }

    /// What a person reads for a family's name.
    pub fn family_title(self, name: &str) -> String {
        self.families.with(|families| {
            families.iter().find(|family| family.name == name).map_or(name, |family| &family.title).to_owned()
        })
    }

    /// Changes whenever nodes come or go.
    pub fn members(self) -> Signal<u64> {
        self.members.into()
    }

    /// All nodes in order of id, as of the last beat: at most once a second, so that what is computed
    /// from the whole fleet is not computed four times a second.
    pub fn every_node(self) -> Signal<Arc<Vec<Node>>> {
        self.every_node.into()
    }

    /// All alerts in order of id: those that pend, fire, or were resolved a short while ago.
    pub fn alerts(self) -> Signal<Arc<Vec<AlertRef>>> {
        self.alerts.into()
    }

    /// The alerts that ask for somebody, in short.
    pub fn open_alerts(self) -> Memo<Open> {
        self.open
    }

    /// One node; `None` when the fleet has none of this id. Not tracked: see [`Self::members`].
    pub fn node(self, id: &str) -> Option<NodeSignal> {
        self.signals.with_value(|signals| signals.get(id).cloned())
    }

    fn tick(self) {
        // What scrolls by is not asked for.
        let rested = |at: UnixMillis| clock::local_now() - at >= RESTED_MS;
        if self.moved_at.get_value().is_some_and(rested) {
            self.moved_at.set_value(None);
            client::reopen();
        }
        if self.behind.get_value() {
            self.beat();
        }
        self.now.set(clock::local_now() + self.clock_ahead.get_value());
        let silent = self.now.get_untracked() - self.heard_at.get_untracked() > STALE_MS;
        if silent && self.link.with_untracked(|link| *link == Link::Live) {
            self.link.set(Link::Stale);
        }
    }

    fn beat(self) {
        self.behind.set_value(false);
        self.every_node.set(self.model.with_value(|model| Arc::new(model.nodes.values().cloned().collect())));
    }

    fn hear(self, update: StreamUpdate) -> Result<(), Refusal> {
        match update {
            // A page that asks for a token goes on asking until one is taken.
            StreamUpdate::Connecting => self.link.update(|link| {
                if let Link::Waiting { trouble, .. } = link {
                    *link = Link::Retrying(trouble.clone());
                }
            }),
            StreamUpdate::Waiting { trouble, retry_at } => {
                self.link.set(Link::Waiting { trouble, retry_at });
                self.alerts_known.set(true);
                self.remember();
            }
            StreamUpdate::Unauthorized => {
                heard("forget", &Json::of(JsValue::NULL));
                self.link.set(Link::Unauthorized);
            }
            StreamUpdate::Event(event) => self.take(event)?,
        }
        Ok(())
    }

    /// Shows what this browser kept, until the proxy is heard.
    fn remember(self) {
        if self.loaded().get_untracked() {
            return;
        }
        leptos::task::spawn_local(async move {
            let kept = last_fleet().await.and_then(|json| read::snapshot(&json).ok());
            if let Some(snapshot) = kept.filter(|_| !self.loaded().get_untracked()) {
                self.heard_at.set(snapshot.at);
                self.from_before.set(true);
                self.model.update_value(|model| model.replace(snapshot));
                self.publish_all();
            }
        });
    }

    /// At the first event of a phone's stream: the pending alerts of the one before are not told of any more.
    fn begin(self) -> bool {
        if !self.opening.get_value() {
            return false;
        }
        self.opening.set_value(false);
        if self.all_alerts.get_value() > 0 && !self.tells_all.get_value() {
            client::reopen();
        } else {
            self.alerts_known.set(true);
        }
        self.model.try_update_value(Model::drop_pending).unwrap_or_default()
    }

    fn take(self, event: LiveEvent) -> Result<(), Refusal> {
        let dropped = self.begin();
        let at = match event {
            LiveEvent::Snapshot(snapshot) => {
                let at = snapshot.at;
                self.model.update_value(|model| model.replace(*snapshot));
                self.publish_all();
                at
            }
            LiveEvent::Delta(delta) => {
                let at = delta.at;
                let applied = self.model.try_update_value(|model| model.apply(delta)).ok_or(Refusal)?;
                self.publish(applied.map_err(|_gap| Refusal)?);
                at
            }
            LiveEvent::Ping { seq, at } => {
                if self.model.with_value(|model| model.seq != seq) {
                    return Err(Refusal);
                }
                at
            }
        };
        if dropped {
            self.publish_alerts();
        }
        self.clock_ahead.set_value(at - clock::local_now());
        self.heard_at.set(at);
        if self.link.with_untracked(|link| *link != Link::Live) {
            self.now.set(at);
            self.from_before.set(false);
            self.link.set(Link::Live);
        }
        Ok(())
    }

    /// After a snapshot: every signal that differs, and a new one for every new node.
    fn publish_all(self) {
        let (families, server) =
            self.model.with_value(|model| (model.families.clone(), model.server.clone()));
        self.families.set(families);
        self.signals.update_value(|signals| {
            self.model.with_value(|model| {
                signals.retain(|id, _| model.nodes.contains_key(id));
                for (id, node) in &model.nodes {
                    match signals.get(id) {
                        Some(signal) if signal.with_untracked(|held| held == node) => {}
                        Some(signal) => signal.set(node.clone()),
                        None => drop(signals.insert(id.clone(), NodeSignal::new(node.clone()))),
                    }
                }
            });
        });
        self.beat();
        self.publish_alerts();
        self.server.set(server);
        self.members.update(|count| *count += 1);
    }

    fn publish_alerts(self) {
        self.alerts.set(self.model.with_value(|model| Arc::new(model.alerts.values().cloned().collect())));
    }

    fn publish(self, applied: Applied) {
        let members = !(applied.added.is_empty() && applied.removed.is_empty());
        self.signals.update_value(|signals| {
            for id in &applied.removed {
                signals.remove(id);
            }
            for node in &applied.added {
                signals.insert(node.id.clone(), NodeSignal::new(node.clone()));
            }
            for node in &applied.changed {
                if let Some(signal) = signals.get(&node.id) {
                    signal.set(node.clone());
                }
            }
        });
        if applied.families {
            self.families.set(self.model.with_value(|model| model.families.clone()));
        }
        if applied.alerts {
            self.publish_alerts();
        }
        if members {
            self.members.update(|count| *count += 1);
        }
        if members {
            self.beat();
        } else if !applied.changed.is_empty() {
            self.behind.set_value(true);
        }
    }
}
