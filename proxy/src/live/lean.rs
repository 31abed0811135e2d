//! The live stream for phones: a few times a minute what matters, and everything of the nodes on the screen.
//!
//! What matters is what somebody would act on: state, reasons, since when, version, restarts, which risk is worst and
//! whether it fires. A value that moves, an age, a spark do not matter of a node that nobody looks at, nor does an
//! alert that is only pending, unless all are asked for. A client that shows other nodes comes back with their names and
//! its `Last-Event-ID`, without the pending alerts that it held: it is told those it wants now.

mod looks;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use fleetglass_shared::{
    attention::SOON_MS,
    health::UnixMillis,
    patch,
    wire::{Alert, AlertState, LivePing, ServerInfo},
};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use looks::{Gone, Looks};

use super::{AlertChanges, PING_EVERY_MS, Published, State, Subscription, frame, frame_of_text, with_spark};
use crate::clock;

/// So often it is told what changed.
const PACE: Duration = Duration::from_secs(5);
/// How many nodes and alerts that went are remembered for those who come back.
const KEPT_GONE: usize = 1_000;
/// The most nodes that a screen shows.
const MOST_ON_SCREEN: usize = 100;

/// The hash of what matters of a node or an alert, and the number under which it changed last.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    gist: u64,
    seq: u64,
    /// It is a node, or an alert that was more than pending: every client may hold it.
    told: bool,
}

/// What the deltas of phones are made from.
#[derive(Debug, Default)]
pub(super) struct Marks {
    nodes: BTreeMap<String, Mark>,
    alerts: BTreeMap<String, Mark>,
    /// What went at which number.
    gone: VecDeque<(u64, Gone, String)>,
    /// Whoever saw less than this cannot be told what went.
    forgotten: u64,
    families: u64,
}

/// Where a subscription comes from.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) server: ServerInfo,
    pub(super) state: Arc<Mutex<State>>,
}

/// A subscription of a phone.
#[derive(Debug)]
pub struct Lean {
    source: Source,
    /// They end it.
    frames: mpsc::Receiver<Bytes>,
    /// The number that the client holds; `None`: it holds nothing.
    seen: Option<u64>,
    looks: Looks,
    begun: bool,
    sent_at: UnixMillis,
}

impl Subscription {
    /// The same for a phone that shows these nodes and perhaps all alerts, and saw this event last.
    pub fn lean(self, last_event_id: Option<&str>, on_screen: &[String], all_alerts: bool) -> Lean {
        let Self { frames, source, .. } = self;
        let seq = |id: &str| {
            let (epoch, seq) = id.rsplit_once('-')?;
            (epoch == source.server.epoch).then(|| seq.parse::<u64>().ok())?
        };
        let seen = last_event_id.and_then(seq);
        let on_screen = on_screen.iter().take(MOST_ON_SCREEN).map(|id| (id.clone(), None)).collect();
        let looks = Looks { on_screen, all_alerts, pending: None };
        Lean { source, frames, seen, looks, begun: false, sent_at: 0 }
    }
}

impl Lean {
    /// The next frame; `None` when the stream is over.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if std::mem::replace(&mut self.begun, true) {
                self.pause().await?;
            }
            if let Some(frame) = self.step(clock::now()) {
                return Some(frame);
            }
        }
    }

    async fn pause(&mut self) -> Option<()> {
        let pause = tokio::time::sleep(PACE);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return Some(()),
                frame = self.frames.recv() => drop(frame?),
            }
        }
    }

    /// What is to be told now.
    fn step(&mut self, now: UnixMillis) -> Option<Bytes> {
        let state = self.source.state.lock();
        let known = self.seen.filter(|seen| *seen <= state.seq && *seen >= state.marks.forgotten);
        let told = match known {
            None => Some(("snapshot", state.lean_snapshot(&self.source.server, &mut self.looks))),
            Some(seen) => state.lean_delta(seen, &mut self.looks).map(|delta| ("delta", delta)),
        };
        let seq = state.seq;
        drop(state);
        if let Some((event, body)) = told {
            (self.seen, self.sent_at) = (Some(seq), now);
            let id = format!("{}-{seq}", self.source.server.epoch);
            return Some(frame_of_text(event, Some(&id), &body.to_string()));
        }
        if now - self.sent_at < PING_EVERY_MS {
            return None;
        }
        self.sent_at = now;
        Some(frame("ping", None, &LivePing { seq: known.unwrap_or_default(), at: now }))
    }
}

impl State {
    /// Notes what matters of the changes that get the next number.
    pub(super) fn mark(&mut self, nodes: &BTreeMap<String, Value>, alerts: &AlertChanges, at: UnixMillis) {
        let seq = self.seq + 1;
        for id in nodes.keys() {
            match self.nodes.get(id) {
                None => {
                    self.marks.nodes.remove(id);
                    self.marks.note_gone(seq, Gone::Node, id);
                }
                Some(node) => {
                    let mark = Mark { gist: gist_of_node(&node.value, at), seq, told: true };
                    note(&mut self.marks.nodes, id, mark);
                }
            }
        }
        for (id, alert) in alerts {
            match alert {
                None => {
                    let told = self.marks.alerts.remove(id).is_none_or(|mark| mark.told);
                    self.marks.note_gone(seq, if told { Gone::Alert } else { Gone::Pending }, id);
                }
                Some(alert) => {
                    let told = alert.state != AlertState::Pending;
                    note(&mut self.marks.alerts, id, Mark { gist: gist_of_alert(alert), seq, told });
                }
            }
        }
    }

    /// The families are others under the next number.
    pub(super) fn mark_families(&mut self) {
        self.marks.families = self.seq + 1;
    }

    fn lean_snapshot(&self, server: &ServerInfo, looks: &mut Looks) -> Value {
        let of = |(id, node): (&String, &Published)| match looks.on_screen.get_mut(id) {
            Some(held) => hold(held, node),
            None => slim(&node.value),
        };
        let nodes: Vec<Value> = self.nodes.iter().map(of).collect();
        let alerts: Vec<&Alert> = self.alerts.values().filter(|alert| looks.wants(alert)).collect();
        looks.pending = Some(BTreeSet::new());
        alerts.iter().for_each(|alert| looks.tell(alert));
        json!({
            "seq": self.seq, "at": self.at, "server": server, "families": self.families,
            "nodes": nodes, "alerts": alerts,
        })
    }

    fn lean_delta(&self, seen: u64, looks: &mut Looks) -> Option<Value> {
        let (mut nodes, mut alerts) = (Map::new(), Map::new());
        if seen < self.seq {
            for (_, gone, id) in self.marks.gone.iter().filter(|(seq, ..)| *seq > seen) {
                if matches!(gone, Gone::Node) {
                    nodes.insert(id.clone(), Value::Null);
                } else if looks.forget(gone, id) {
                    alerts.insert(id.clone(), Value::Null);
                }
            }
            let newer = |(_, mark): &(&String, &Mark)| mark.seq > seen;
            for (id, _) in self.marks.nodes.iter().filter(newer) {
                if let Some(node) = self.nodes.get(id).filter(|_| !looks.on_screen.contains_key(id)) {
                    nodes.insert(id.clone(), slim(&node.value));
                }
            }
        }
        let is_first = looks.pending.is_none();
        for (id, alert) in &self.alerts {
            let Some(mark) = self.marks.alerts.get(id) else { continue };
            let is_due = mark.seq > seen || is_first && alert.state == AlertState::Pending;
            if is_due && looks.wants(alert) {
                looks.tell(alert);
                alerts.insert(id.clone(), json!(alert));
            } else if is_due && mark.told && mark.seq > seen {
                // It was more, and is held.
                alerts.insert(id.clone(), Value::Null);
            }
        }
        looks.pending.get_or_insert_default();
        for (id, held) in &mut looks.on_screen {
            let Some(node) = self.nodes.get(id) else { continue };
            let before = held.take();
            let whole = hold(held, node);
            let change = match &before {
                None => Some(whole),
                Some(before) => shown_change(before, &whole),
            };
            if let Some(change) = change {
                nodes.insert(id.clone(), change);
            }
        }
        let families = self.marks.families > seen;
        if nodes.is_empty() && alerts.is_empty() && !families {
            return None;
        }
        let mut delta = json!({"seq": self.seq, "since": seen, "at": self.at, "nodes": nodes});
        if !alerts.is_empty() {
            delta["alerts"] = Value::Object(alerts);
        }
        if families {
            delta["families"] = json!(self.families);
        }
        Some(delta)
    }
}

impl Marks {
    fn note_gone(&mut self, seq: u64, gone: Gone, id: &str) {
        self.gone.push_back((seq, gone, id.to_owned()));
        if self.gone.len() > KEPT_GONE
            && let Some((seq, ..)) = self.gone.pop_front()
        {
            self.forgotten = seq;
        }
    }
}

fn note(marks: &mut BTreeMap<String, Mark>, id: &str, new: Mark) {
    match marks.get_mut(id) {
        Some(mark) if mark.gist == new.gist => {}
        Some(mark) => *mark = Mark { told: mark.told || new.told, ..new },
        None => drop(marks.insert(id.to_owned(), new)),
    }
}

/// A node without what the pages of its risks ask for themselves: half of its bytes.
fn slim(node: &Value) -> Value {
    let mut node = node.clone();
    if let Some(risk) = node.get_mut("worst_risk").and_then(Value::as_object_mut) {
        risk.remove("stake");
        risk.insert("action".to_owned(), Value::from(""));
    }
    node
}

/// A whole node that is on the screen, and is held from now on.
fn hold(held: &mut Option<Value>, node: &Published) -> Value {
    let whole = with_spark(&slim(&node.value), &node.spark);
    *held = Some(whole.clone());
    whole
}

/// What a client that shows a node must be told of it: of its spark the newest values.
fn shown_change(before: &Value, now: &Value) -> Option<Value> {
    let spark = |value: &Value| serde_json::from_value(value["spark"].clone()).unwrap_or_default();
    let bare = |value: &Value| {
        let mut bare = value.clone();
        if let Value::Object(members) = &mut bare {
            members.remove("spark");
        }
        bare
    };
    let mut change = patch::diff(&bare(before), &bare(now));
    if let Some(tail) = super::spark_tail(&spark(before), &spark(now)) {
        change.get_or_insert_with(|| Value::Object(Map::new()))["spark"] = json!(tail);
    }
    change
}

/// Words without their numbers, which move while the meaning stays.
fn hash_words(text: &str, hasher: &mut DefaultHasher) {
    text.bytes().filter(|byte| !byte.is_ascii_digit() && *byte != b'.').for_each(|byte| byte.hash(hasher));
    0xff_u8.hash(hasher);
}

fn gist_of_node(value: &Value, at: UnixMillis) -> u64 {
    let mut hasher = DefaultHasher::new();
    for name in ["status", "draining", "since", "version", "version_majority", "restarts", "labels", "family"]
    {
        value[name].to_string().hash(&mut hasher);
    }
    for reason in value["reasons"].as_array().into_iter().flatten() {
        hash_words(&reason.to_string(), &mut hasher);
    }
    let risk = &value["worst_risk"];
    for name in ["name", "severity", "firing"] {
        risk[name].to_string().hash(&mut hasher);
    }
    let breach_at = risk["outlook"]["breach_at"].as_i64();
    breach_at.is_some_and(|breach| breach - at < SOON_MS).hash(&mut hasher);
    hasher.finish()
}

fn gist_of_alert(alert: &Alert) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut bare = alert.clone();
    bare.value = None;
    bare.held = bare.held.filter(|_| bare.state == AlertState::Firing);
    for text in std::mem::take(&mut bare.annotations).values() {
        hash_words(text, &mut hasher);
    }
    json!(bare).to_string().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use fleetglass_shared::health::Status;

    use super::super::tests::{live, node, spark};
    use super::*;

    fn body(frame: &Bytes) -> (String, Value) {
        let text = std::str::from_utf8(frame).unwrap();
        let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        (line("event: ").to_owned(), serde_json::from_str(line("data: ")).unwrap())
    }

    #[test]
    fn a_phone_hears_all_of_what_it_shows_and_what_matters_of_the_rest() {
        let live = live();
        let two =
            |a: u64, b: u64| vec![node("a", a, spark(1, &[a as f32])), node("b", b, spark(1, &[b as f32]))];
        live.publish(two(1, 1), AlertChanges::new(), &[], 10);
        let mut phone = live.subscribe(None).unwrap().lean(None, &["a".to_owned()], false);
        let (event, snapshot) = body(&phone.step(10).unwrap());
        assert_eq!(event, "snapshot");
        assert!(snapshot["nodes"][0]["spark"].is_object() && snapshot["nodes"][1]["spark"].is_null());

        live.publish(two(2, 2), AlertChanges::new(), &[], 20);
        let (event, delta) = body(&phone.step(20).unwrap());
        assert_eq!(event, "delta");
        assert_eq!((delta["since"].as_u64(), delta["seq"].as_u64()), (Some(1), Some(2)));
        assert_eq!(delta["nodes"], json!({"a": {"peers": 2, "spark": {"minute": 1, "values": [2.0]}}}));

        let mut ill = two(2, 3);
        ill[1].1.as_mut().unwrap().status = Status::Unhealthy;
        live.publish(ill, AlertChanges::new(), &[], 30);
        let (_, delta) = body(&phone.step(30).unwrap());
        assert_eq!(delta["nodes"]["b"]["status"], "unhealthy");
        assert_eq!(delta["nodes"]["b"]["id"], "b", "whole, because what is held of it is not known here");
        assert!(phone.step(31).is_none());
        let (event, ping) = body(&phone.step(30 + PING_EVERY_MS).unwrap());
        assert_eq!((event.as_str(), ping["seq"].as_u64()), ("ping", Some(3)));
    }

    #[test]
    fn of_a_risk_a_phone_hears_what_it_shows() {
        let live = live();
        let mut at_risk = node("a", 1, spark(1, &[]));
        at_risk.1.as_mut().unwrap().worst_risk = serde_json::from_value(json!({
            "name": "r", "title": "R", "severity": "critical", "bound": 1.0, "meaning": "m", "action": "Do it.",
            "firing": true, "stake": {"amount": "5", "unit": "tokens", "calculation": ["one", "two"]},
        }))
        .unwrap();
        live.publish(vec![at_risk], AlertChanges::new(), &[], 1);
        for on_screen in [&["a".to_owned()][..], &[]] {
            let (_, snapshot) =
                body(&live.subscribe(None).unwrap().lean(None, on_screen, false).step(2).unwrap());
            let risk = &snapshot["nodes"][0]["worst_risk"];
            assert_eq!((&risk["title"], &risk["action"]), (&json!("R"), &json!("")));
            assert!(risk["stake"].is_null(), "the page of the risk asks for it");
        }
    }

    #[test]
    fn pending_alerts_are_told_of_nodes_on_the_screen_and_where_all_are_asked_for() {
        let live = live();
        let alert = |id: &str, node: &str, state: &str| -> AlertChanges {
            let alert = json!({
                "id": id, "name": "Lag", "state": state, "severity": "critical", "node": node,
                "labels": {}, "annotations": {}, "active_at": 5,
            });
            [(id.to_owned(), serde_json::from_value(alert).unwrap())].into()
        };
        let gone = |id: &str| -> AlertChanges { [(id.to_owned(), None)].into() };
        let publish = |alerts: AlertChanges| live.publish(Vec::new(), alerts, &[], 1);
        let nodes = vec![node("a", 1, spark(1, &[])), node("b", 1, spark(1, &[]))];
        live.publish(nodes, alert("1", "a", "pending"), &[], 1);
        publish(alert("2", "b", "pending"));
        let of = |frame: Option<Bytes>| body(&frame.unwrap()).1["alerts"].clone();
        let held = |alerts: &Value| -> Vec<String> {
            let ids =
                alerts.as_array().into_iter().flatten().map(|alert| alert["id"].as_str().unwrap().to_owned());
            ids.chain(
                alerts
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(id, alert)| if alert.is_null() { format!("-{id}") } else { id.clone() }),
            )
            .collect()
        };
        let subscribe = |seen: Option<&str>, screen: &[String], all: bool| {
            live.subscribe(None).unwrap().lean(seen, screen, all)
        };
        let screen = ["a".to_owned()];
        let mut list = subscribe(None, &[], true);
        let mut fleet = subscribe(None, &[], false);
        let mut page = subscribe(None, &screen, false);
        assert_eq!(held(&of(list.step(2))), ["1", "2"]);
        assert_eq!(held(&of(fleet.step(2))), [""; 0]);
        assert_eq!(held(&of(page.step(2))), ["1"]);
        // Who comes back holds none of them, and hears them again.
        assert_eq!(held(&of(subscribe(Some("e1-2"), &[], true).step(2))), ["1", "2"]);
        assert!(subscribe(Some("e1-2"), &[], false).step(2).is_none());

        publish(gone("2"));
        assert_eq!(held(&of(list.step(3))), ["-2"]);
        assert!(fleet.step(3).is_none() && page.step(3).is_none(), "they never held it");
        publish(alert("1", "a", "firing"));
        for phone in [&mut list, &mut fleet, &mut page] {
            assert_eq!(held(&of(phone.step(4))), ["1"]);
        }
        // What fired once is held by everybody.
        publish(alert("1", "a", "pending"));
        assert_eq!(held(&of(list.step(5))), ["1"]);
        assert_eq!(held(&of(fleet.step(5))), ["-1"]);
        assert_eq!(held(&of(subscribe(Some("e1-4"), &[], false).step(5))), ["-1"]);
        publish(gone("1"));
        for phone in [&mut list, &mut fleet, &mut page] {
            assert_eq!(held(&of(phone.step(6))), ["-1"]);
        }
    }

    #[test]
    fn a_phone_that_comes_back_hears_what_it_missed_and_what_went() {
        let live = live();
        let two = vec![node("a", 1, spark(1, &[])), node("b", 1, spark(1, &[]))];
        live.publish(two, AlertChanges::new(), &[], 1);
        live.publish(vec![("b".into(), None)], AlertChanges::new(), &[], 2);
        let mut back = live.subscribe(None).unwrap().lean(Some("e1-1"), &[], false);
        let (event, delta) = body(&back.step(3).unwrap());
        assert_eq!((event.as_str(), &delta["nodes"]), ("delta", &json!({"b": null})));
        for unknown in ["e0-1", "e1-99", "x"] {
            let mut new = live.subscribe(None).unwrap().lean(Some(unknown), &[], false);
            assert_eq!(body(&new.step(3).unwrap()).0, "snapshot", "{unknown}");
        }
        for round in 0..=KEPT_GONE as u64 {
            live.publish(vec![node("c", round, spark(1, &[]))], AlertChanges::new(), &[], 3);
            live.publish(vec![("c".into(), None)], AlertChanges::new(), &[], 3);
        }
        let mut late = live.subscribe(None).unwrap().lean(Some("e1-1"), &[], false);
        assert_eq!(body(&late.step(4).unwrap()).0, "snapshot", "what went since is not known any more");
    }
}
