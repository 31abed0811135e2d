//! Publish: a snapshot, then numbered deltas that hold only what changed, to every browser that looks.
//!
//! Each frame is made once and shared. Every client has a short queue of its own; one that does not
//! keep up is dropped and comes back with `Last-Event-ID`, so it never slows the others.
//!
//! | module | what it is |
//! |---|---|
//! | `lean` | the same stream for phones: what matters, and all of the nodes on the screen |
//! | `glance` | the fleet in a few lines, for a first view |

mod glance;
mod lean;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use fleetglass_shared::{
    health::UnixMillis,
    patch,
    wire::{Alert, FamilyInfo, LiveDelta, LivePing, NodeSummary, ServerInfo, Spark},
};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

pub use lean::Lean;

/// How many deltas a client may have missed and still catch up: a minute at four a second.
const KEPT_DELTAS: usize = 240;
/// How many frames may wait for one client.
const CLIENT_QUEUE: usize = 64;
/// How many clients are served at one time.
const MAX_CLIENTS: usize = 2_000;
/// A client hears something at least this often.
const PING_EVERY_MS: UnixMillis = 5_000;

/// What the fleet page shows, and who is looking at it.
#[derive(Debug)]
pub struct Live {
    server: ServerInfo,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    seq: u64,
    at: UnixMillis,
    nodes: BTreeMap<String, Published>,
    alerts: BTreeMap<String, Alert>,
    marks: lean::Marks,
    families: Vec<FamilyInfo>,
    recent: VecDeque<(u64, Bytes)>,
    snapshot: Option<Arc<str>>,
    clients: Vec<mpsc::Sender<Bytes>>,
    sent_at: UnixMillis,
    dropped: u64,
}

/// A node as the clients hold it: the spark apart, because its deltas are appended and not merged.
#[derive(Debug)]
struct Published {
    value: Value,
    spark: Spark,
}

/// What happened to a node: its new summary, or `None` when it is gone.
pub type Change = (String, Option<NodeSummary>);
/// What happened to alerts: each as it is now, or `None` when it is gone.
pub type AlertChanges = BTreeMap<String, Option<Alert>>;

/// The newest frames for one client, and those to come.
#[derive(Debug)]
pub struct Subscription {
    /// To be sent at once: a snapshot, or the deltas it missed.
    pub first: Vec<Bytes>,
    /// Ends when the client was too slow or the proxy stops.
    pub frames: mpsc::Receiver<Bytes>,
    source: lean::Source,
}

/// More browsers are looking than are served.
#[derive(Debug, thiserror::Error)]
#[error("{MAX_CLIENTS} live streams are open already")]
pub struct TooManyClients;

#[derive(Serialize)]
struct SnapshotBody<'a> {
    seq: u64,
    at: UnixMillis,
    server: &'a ServerInfo,
    families: &'a [FamilyInfo],
    nodes: Vec<Value>,
    alerts: Vec<&'a Alert>,
}

impl Live {
    /// An empty fleet, published by this run of the proxy.
    pub fn new(server: ServerInfo) -> Self {
        let state = State { at: server.started_at, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), server }
    }

    /// When this run of the proxy began.
    pub fn started_at(&self) -> UnixMillis {
        self.server.started_at
    }

    /// Publishes what changed, as one delta; sends a ping when nothing did for a while.
    pub fn publish(
        &self,
        changes: Vec<Change>,
        mut alerts: AlertChanges,
        families: &[FamilyInfo],
        at: UnixMillis,
    ) {
        let mut state = self.state.lock();
        alerts.retain(|id, alert| state.lay_alert(id, alert.as_ref()));
        let mut nodes = BTreeMap::new();
        for (id, summary) in changes {
            if let Some(patch) = state.lay(&id, summary) {
                nodes.insert(id, patch);
            }
        }
        state.mark(&nodes, &alerts, at);
        let new_families = (state.families != families).then(|| families.to_vec());
        if nodes.is_empty() && alerts.is_empty() && new_families.is_none() {
            if at - state.sent_at >= PING_EVERY_MS {
                let ping = frame("ping", None, &LivePing { seq: state.seq, at });
                state.send(ping, at);
            }
            return;
        }
        if let Some(families) = &new_families {
            state.families.clone_from(families);
            state.mark_families();
        }
        state.seq += 1;
        state.at = at;
        state.snapshot = None;
        let seq = state.seq;
        let delta = LiveDelta { seq, at, nodes, alerts, families: new_families };
        let delta = frame("delta", Some(&self.event_id(seq)), &delta);
        state.recent.push_back((seq, delta.clone()));
        if state.recent.len() > KEPT_DELTAS {
            state.recent.pop_front();
        }
        state.send(delta, at);
    }

    /// The fleet as JSON, with the number of the last delta that is in it.
    pub fn snapshot(&self) -> Arc<str> {
        self.state.lock().snapshot(&self.server)
    }

    /// How many of the published nodes were asked at least once; those that are pushed to us do not count.
    pub fn asked(&self, pushed: &BTreeSet<String>) -> usize {
        let state = self.state.lock();
        let asked =
            |(id, node): &(&String, &Published)| !pushed.contains(*id) && node.value["asked_at"].is_number();
        state.nodes.iter().filter(asked).count()
    }

    /// A client that begins to look. `last_event_id` is what it saw last, if it was here before.
    ///
    /// # Errors
    /// Too many are looking already.
    pub fn subscribe(&self, last_event_id: Option<&str>) -> Result<Subscription, TooManyClients> {
        let mut state = self.state.lock();
        state.clients.retain(|client| !client.is_closed());
        if state.clients.len() >= MAX_CLIENTS {
            return Err(TooManyClients);
        }
        let (sender, frames) = mpsc::channel(CLIENT_QUEUE);
        let first = match last_event_id.and_then(|id| self.seq_of(id)).and_then(|seen| state.missed(seen)) {
            Some(missed) => missed,
            None => {
                let id = self.event_id(state.seq);
                let body = state.snapshot(&self.server);
                vec![frame_of_text("snapshot", Some(&id), &body)]
            }
        };
        state.clients.push(sender);
        let source = lean::Source { server: self.server.clone(), state: Arc::clone(&self.state) };
        Ok(Subscription { first, frames, source })
    }

    /// Whether an event id is one of this stream's.
    pub fn knows(&self, id: &str) -> bool {
        self.seq_of(id).is_some_and(|seq| seq <= self.state.lock().seq)
    }

    /// How many clients look now, and how many were dropped for being slow.
    pub fn clients(&self) -> (usize, u64) {
        let mut state = self.state.lock();
        state.clients.retain(|client| !client.is_closed());
        (state.clients.len(), state.dropped)
    }

    /// Ends every stream, so that a shutdown need not wait for the browsers.
    pub fn close(&self) {
        self.state.lock().clients.clear();
    }

    fn event_id(&self, seq: u64) -> String {
        format!("{}-{seq}", self.server.epoch)
    }

    /// The sequence number of an id that this run gave out.
    fn seq_of(&self, id: &str) -> Option<u64> {
        let (epoch, seq) = id.rsplit_once('-')?;
        (epoch == self.server.epoch).then(|| seq.parse().ok())?
    }
}

impl State {
    /// Takes an alert as it is now; whether that is news.
    fn lay_alert(&mut self, id: &str, alert: Option<&Alert>) -> bool {
        match alert {
            None => self.alerts.remove(id).is_some(),
            Some(alert) => self.alerts.insert(id.to_owned(), alert.clone()).as_ref() != Some(alert),
        }
    }

    /// Lays a new summary over the published one; gives the patch, if anything changed.
    fn lay(&mut self, id: &str, summary: Option<NodeSummary>) -> Option<Value> {
        let Some(mut summary) = summary else {
            return self.nodes.remove(id).map(|_| Value::Null);
        };
        let spark = std::mem::take(&mut summary.spark);
        let mut value = serde_json::to_value(&summary).unwrap_or(Value::Null);
        if let Value::Object(members) = &mut value {
            members.remove("spark");
        }
        let Some(held) = self.nodes.get_mut(id) else {
            let whole = with_spark(&value, &spark);
            self.nodes.insert(id.to_owned(), Published { value, spark });
            return Some(whole);
        };
        let mut change = patch::diff(&held.value, &value);
        if let Some(tail) = spark_tail(&held.spark, &spark) {
            let members = change.get_or_insert_with(|| Value::Object(Map::new()));
            members["spark"] = json!(tail);
        }
        *held = Published { value, spark };
        change
    }

    fn snapshot(&mut self, server: &ServerInfo) -> Arc<str> {
        if let Some(snapshot) = &self.snapshot {
            return Arc::clone(snapshot);
        }
        let nodes = self.nodes.values().map(|node| with_spark(&node.value, &node.spark)).collect();
        let alerts = self.alerts.values().collect();
        let body =
            SnapshotBody { seq: self.seq, at: self.at, server, families: &self.families, nodes, alerts };
        let text: Arc<str> = serde_json::to_string(&body).unwrap_or_default().into();
        self.snapshot = Some(Arc::clone(&text));
        text
    }

    /// The deltas after `seen`, when all of them are still here.
    fn missed(&self, seen: u64) -> Option<Vec<Bytes>> {
        if seen > self.seq {
            return None;
        }
        let first = self.recent.front().map_or(self.seq + 1, |(seq, _)| *seq);
        if seen + 1 < first {
            return None;
        }
        Some(self.recent.iter().filter(|(seq, _)| *seq > seen).map(|(_, frame)| frame.clone()).collect())
    }

    fn send(&mut self, frame: Bytes, at: UnixMillis) {
        self.sent_at = at;
        let mut slow = 0;
        self.clients.retain(|client| match client.try_send(frame.clone()) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                slow += 1;
                false
            }
        });
        self.dropped += slow;
    }
}

fn with_spark(value: &Value, spark: &Spark) -> Value {
    let mut whole = value.clone();
    whole["spark"] = json!(spark);
    whole
}

/// The newest values of `new` that a holder of `old` lacks.
fn spark_tail(old: &Spark, new: &Spark) -> Option<Spark> {
    if old == new || new.values.is_empty() {
        return None;
    }
    let ahead = usize::try_from(new.minute - old.minute).unwrap_or(Spark::MINUTES);
    let mut count = (ahead + 1).min(new.values.len());
    if ahead > 0 && old.values.last() == new.values.get(new.values.len().wrapping_sub(ahead + 1)) {
        // The minute that was the last is as it was.
        count -= 1;
    }
    Some(Spark { minute: new.minute, values: new.values[new.values.len() - count.max(1)..].to_vec() })
}

fn frame(event: &str, id: Option<&str>, body: &impl Serialize) -> Bytes {
    frame_of_text(event, id, &serde_json::to_string(body).unwrap_or_default())
}

/// One event of the stream, as HTML's "Server-sent events" has it. JSON text has no line breaks.
fn frame_of_text(event: &str, id: Option<&str>, json: &str) -> Bytes {
    let id = id.map_or(String::new(), |id| format!("id: {id}\n"));
    format!("{id}event: {event}\ndata: {json}\n\n").into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use fleetglass_shared::health::Status;

    use super::*;

    pub(super) fn live() -> Live {
        Live::new(ServerInfo { version: "0".into(), epoch: "e1".into(), started_at: 0 })
    }

    pub(super) fn node(id: &str, peers: u64, spark: Spark) -> Change {
        let summary = NodeSummary {
            id: id.into(),
            family: "f".into(),
            labels: BTreeMap::new(),
            status: Status::Healthy,
            draining: false,
            reasons: Vec::new(),
            since: 0,
            fact_at: None,
            asked_at: None,
            interval_ms: 15_000,
            peers: Some(peers),
            version: None,
            version_majority: None,
            uptime_seconds: None,
            restarts: 0,
            restarted_at: None,
            spark,
            worst_risk: None,
        };
        (id.into(), Some(summary))
    }

    pub(super) fn spark(minute: i64, values: &[f32]) -> Spark {
        Spark { minute, values: values.iter().map(|&v| Some(v)).collect() }
    }

    fn text(frame: &Bytes) -> &str {
        std::str::from_utf8(frame).unwrap()
    }

    #[test]
    fn a_delta_holds_only_what_changed() {
        let live = live();
        live.publish(
            vec![node("a", 3, spark(1, &[3.0])), node("b", 5, spark(1, &[5.0]))],
            AlertChanges::new(),
            &[],
            10,
        );
        let mut client = live.subscribe(None).unwrap();
        assert!(text(&client.first[0]).starts_with("id: e1-1\nevent: snapshot\ndata: {\"seq\":1,"));
        live.publish(
            vec![node("a", 4, spark(1, &[4.0])), node("b", 5, spark(1, &[5.0]))],
            AlertChanges::new(),
            &[],
            20,
        );
        assert_eq!(
            text(&client.frames.try_recv().unwrap()),
            "id: e1-2\nevent: delta\ndata: {\"seq\":2,\"at\":20,\"nodes\":{\"a\":{\"peers\":4,\"spark\":{\"minute\":1,\"values\":[4.0]}}}}\n\n"
        );
        live.publish(vec![node("a", 4, spark(1, &[4.0]))], AlertChanges::new(), &[], 30);
        assert!(client.frames.try_recv().is_err(), "nothing changed, so nothing is sent");
        live.publish(vec![("b".into(), None)], AlertChanges::new(), &[], 40);
        assert!(text(&client.frames.try_recv().unwrap()).contains("\"nodes\":{\"b\":null}"));
        live.publish(Vec::new(), AlertChanges::new(), &[], 40 + PING_EVERY_MS);
        assert!(text(&client.frames.try_recv().unwrap()).starts_with("event: ping\n"));
    }

    #[test]
    fn a_client_that_comes_back_gets_what_it_missed_or_a_snapshot() {
        let live = live();
        for peers in 0..5 {
            live.publish(vec![node("a", peers, Spark::default())], AlertChanges::new(), &[], 1);
        }
        let missed = live.subscribe(Some("e1-3")).unwrap().first;
        let ids: Vec<_> = missed.iter().map(|frame| text(frame).lines().next().unwrap()).collect();
        assert_eq!(ids, ["id: e1-4", "id: e1-5"]);
        assert!(live.subscribe(Some("e1-5")).unwrap().first.is_empty());
        for unknown in ["e0-3", "e1-99", "e1-x", "", "3"] {
            let first = live.subscribe(Some(unknown)).unwrap().first;
            assert!(text(&first[0]).contains("event: snapshot"), "{unknown}");
        }
        for peers in 0..KEPT_DELTAS as u64 {
            live.publish(vec![node("a", 100 + peers, Spark::default())], AlertChanges::new(), &[], 1);
        }
        assert!(text(&live.subscribe(Some("e1-3")).unwrap().first[0]).contains("event: snapshot"));
    }

    #[test]
    fn a_slow_client_is_dropped_and_the_others_go_on() {
        let live = live();
        let mut slow = live.subscribe(None).unwrap();
        let mut quick = live.subscribe(None).unwrap();
        for peers in 0..=CLIENT_QUEUE as u64 {
            live.publish(vec![node("a", peers, Spark::default())], AlertChanges::new(), &[], 1);
            assert!(quick.frames.try_recv().is_ok());
        }
        assert_eq!(live.clients(), (1, 1));
        let mut read = 0;
        while slow.frames.try_recv().is_ok() {
            read += 1;
        }
        assert_eq!(read, CLIENT_QUEUE);
    }

    #[test]
    fn a_spark_sends_its_newest_minutes_and_the_holder_ends_with_the_same() {
        let mut held = spark(10, &[1.0, 2.0]);
        for newer in [
            spark(10, &[1.0, 2.5]),
            spark(11, &[1.0, 2.5, 3.0]),
            spark(12, &[1.0, 2.5, 3.5, 4.0]),
            Spark { minute: 14, values: vec![Some(2.5), Some(3.5), Some(4.0), None, Some(5.0)] },
        ] {
            let tail = spark_tail(&held, &newer).unwrap();
            assert!(tail.values.len() <= 3, "{tail:?}");
            held.advance(&tail);
            assert_eq!(held.values.last(), newer.values.last());
            assert_eq!(
                held.values[held.values.len() - 3.min(newer.values.len())..],
                newer.values[newer.values.len() - 3.min(newer.values.len())..]
            );
        }
        assert_eq!(spark_tail(&held, &held.clone()), None);
    }
}
