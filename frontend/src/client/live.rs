//! Follows `/api/v1/live`: opens the stream, hands its events on, and comes back when it breaks.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::FleetSnapshot;
use js_sys::{Array, Promise, Reflect, Uint8Array};
use leptos::prelude::{document, window};
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event as DomEvent, ReadableStreamDefaultReader, RequestRedirect};

use super::backoff::delay_ms;
use super::sse::{Event, Parser};
use super::{ClientError, request, send};
use crate::clock::{local_now, sleep, timer};
use crate::dom::on_window;
use crate::json::{Json, Malformed};
use crate::rest::heard as heard_of;
use crate::shared::shared;
use crate::state::alerts;
use crate::state::read::{self, Delta};

/// After so long without a byte the connection is taken for dead, whatever the browser thinks.
const SILENCE_MS: i32 = 40_000;

/// What the stream says.
#[derive(Debug)]
pub enum LiveEvent {
    /// The whole fleet.
    Snapshot(Box<FleetSnapshot>),
    /// What changed.
    Delta(Delta),
    /// Nothing changed, and the proxy lives.
    Ping {
        /// The number of the last change.
        seq: u64,
        /// The proxy's clock.
        at: UnixMillis,
    },
}

/// What happens to the connection.
#[derive(Debug)]
pub enum StreamUpdate {
    /// A try is in the air.
    Connecting,
    /// The stream said something.
    Event(LiveEvent),
    /// It failed; the next try is at this local time.
    Waiting {
        /// Why.
        trouble: Trouble,
        /// By the browser's clock.
        retry_at: UnixMillis,
    },
    /// A token is needed before another try makes sense, or a share link opens no more.
    Unauthorized,
}

/// Why there is no stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This browser has no network: it is us, not the fleet.
    Offline,
    /// The proxy does not answer, or has closed the stream: it is us, too.
    ProxyGone,
    /// The proxy answered with an error.
    Refused(String),
}

/// The event does not follow on what is held; a new snapshot is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal;

/// Set by [`try_now`], cleared by the waiting loop.
static TRY_NOW: AtomicBool = AtomicBool::new(false);
/// The stream is to be opened anew at once: [`reopen`].
static REOPEN: AtomicBool = AtomicBool::new(false);
/// Nobody looks: there is no stream until somebody does.
static ASLEEP: AtomicBool = AtomicBool::new(false);
/// A page is hidden for so long before its stream ends.
const ASLEEP_AFTER_MS: i32 = 10_000;

/// For so long a snapshot is read without a pause.
const AT_ONCE_MS: i64 = 8;

/// An event of so many bytes takes a slow phone a while.
const LARGE: usize = 20_000;

/// A server in front of ours redirects whoever it does not know.
const SIGN_IN: &str = "A server in front of Fleetglass asks you to sign in: reload this page.";

thread_local! {
    /// What reads the stream that is open.
    static READER: RefCell<Option<ReadableStreamDefaultReader>> = const { RefCell::new(None) };
}

/// Ends the wait before the next try.
pub fn try_now() {
    TRY_NOW.store(true, Ordering::Relaxed);
}

/// Opens the stream anew at once, from where it is.
pub fn reopen() {
    REOPEN.store(true, Ordering::Relaxed);
    end_stream();
}

fn end_stream() {
    if let Some(reader) = READER.take() {
        // What waits for the next bytes is told that there are none.
        drop(reader.cancel());
    }
}

/// Ends the stream of a page that is hidden while `may_sleep`, and opens it again when it is seen.
pub fn sleep_while_hidden(may_sleep: impl Fn() -> bool + Copy + 'static) {
    on_window("visibilitychange", move |_: DomEvent| {
        if !document().hidden() {
            if ASLEEP.swap(false, Ordering::Relaxed) {
                try_now();
            }
        } else if may_sleep() {
            spawn_local(async move {
                sleep(ASLEEP_AFTER_MS).await;
                if document().hidden() && may_sleep() {
                    ASLEEP.store(true, Ordering::Relaxed);
                    reopen();
                }
            });
        }
    });
}

/// Follows the stream for as long as the page lives, or the share link that it came through, at the address that `path`
/// gives each time.
///
/// `sink` hears everything; when it refuses an event, the stream is opened anew without `Last-Event-ID`.
pub async fn follow(path: impl Fn() -> String, sink: impl Fn(StreamUpdate) -> Result<(), Refusal>) {
    let mut last_id = String::new();
    let mut attempt = 0;
    loop {
        while ASLEEP.load(Ordering::Relaxed) {
            sleep(200).await;
        }
        REOPEN.store(false, Ordering::Relaxed);
        TRY_NOW.store(false, Ordering::Relaxed);
        let _ = sink(StreamUpdate::Connecting);
        let mut heard = false;
        let outcome = once(&path(), &mut last_id, &mut heard, &sink).await;
        // A connection that worked was no failure: the first wait after it is short again.
        attempt = if heard { 1 } else { attempt + 1 };
        match outcome {
            Err(End::Refused) => last_id.clear(),
            // Of a share link there is nothing any more: the proxy itself says so, on a page of its own.
            Err(End::Failed(ClientError::Http { status: 404, .. }))
                if shared().is_some_and(|link| !link.is_preview) =>
            {
                let _ = sink(StreamUpdate::Unauthorized);
                return;
            }
            Err(End::Failed(ClientError::Unauthorized)) => {
                let _ = sink(StreamUpdate::Unauthorized);
                while !TRY_NOW.load(Ordering::Relaxed) {
                    sleep(200).await;
                }
                attempt = 0;
                continue;
            }
            Ok(()) | Err(End::Failed(_)) => {}
        }
        if REOPEN.load(Ordering::Relaxed) {
            continue;
        }
        let trouble = match outcome {
            Err(End::Failed(ClientError::Http { status: 502..=504, .. })) => Trouble::ProxyGone,
            Err(End::Failed(error @ (ClientError::Http { .. } | ClientError::Malformed(_)))) => {
                Trouble::Refused(error.in_words())
            }
            _ if !window().navigator().on_line() => Trouble::Offline,
            _ => Trouble::ProxyGone,
        };
        let retry_at = local_now() + delay_ms(attempt, js_sys::Math::random());
        let _ = sink(StreamUpdate::Waiting { trouble, retry_at });
        while local_now() < retry_at && !TRY_NOW.load(Ordering::Relaxed) {
            sleep(200).await;
        }
    }
}

enum End {
    Failed(ClientError),
    Refused,
}

/// One connection, until it ends.
async fn once(
    path: &str,
    last_id: &mut String,
    heard: &mut bool,
    sink: &impl Fn(StreamUpdate) -> Result<(), Refusal>,
) -> Result<(), End> {
    // A redirect is not ours: see `SIGN_IN`.
    let mut stream = request(path).header("Accept", "text/event-stream").redirect(RequestRedirect::Manual);
    if !last_id.is_empty() {
        stream = stream.header("Last-Event-ID", last_id);
    }
    let response = match send(stream).await {
        // What a redirect that is not followed is told as.
        Err(ClientError::Http { status: 0, .. }) => {
            heard_of("sign-in", &Json::of(JsValue::NULL));
            return Err(End::Failed(ClientError::Http { status: 0, detail: SIGN_IN.to_owned() }));
        }
        other => other.map_err(End::Failed)?,
    };
    let Some(body) = response.body() else { return Ok(()) };
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    READER.set(Some(reader.clone()));
    let mut parser = Parser::default();
    let result = loop {
        let Some(chunk) = read(&reader).await else { break Ok(()) };
        let mut refused = None;
        for event in parser.push(&chunk) {
            if event.data.len() > LARGE {
                breathe().await;
            }
            if let Err(end) = hand_on(event, last_id, sink).await {
                refused = Some(end);
                break;
            }
            *heard = true;
        }
        if let Some(end) = refused {
            break Err(end);
        }
    };
    // What is over cannot be ended: the browser would call that an error.
    READER.take();
    // Without it the browser would keep an abandoned connection open.
    let _ = JsFuture::from(reader.cancel()).await;
    result
}

/// Reads a snapshot a part at a time: a slow phone goes on answering its finger meanwhile.
async fn snapshot(json: &Json) -> Result<FleetSnapshot, Malformed> {
    breathe().await;
    let mut snapshot = read::bare_snapshot(json)?;
    let mut since = local_now();
    for node in json.items_of("nodes")? {
        snapshot.nodes.push(read::node(&node)?);
        breathe_at_times(&mut since).await;
    }
    for alert in read::snapshot_alerts(json) {
        snapshot.alerts.push(alerts::alert(&alert)?);
        breathe_at_times(&mut since).await;
    }
    Ok(snapshot)
}

async fn breathe_at_times(since: &mut i64) {
    if local_now() - *since >= AT_ONCE_MS {
        breathe().await;
        *since = local_now();
    }
}

/// Ends the task, where somebody waits for the page: nobody does for a hidden one, and its timers are slow.
async fn breathe() {
    if !document().hidden() {
        sleep(0).await;
    }
}

async fn hand_on(
    event: Event,
    last_id: &mut String,
    sink: &impl Fn(StreamUpdate) -> Result<(), Refusal>,
) -> Result<(), End> {
    let malformed = |Malformed(what)| End::Failed(ClientError::Malformed(what.to_owned()));
    let live = match event.name.as_str() {
        "snapshot" | "delta" | "ping" => {
            let json =
                Json::parse(&event.data).map_err(|error| End::Failed(ClientError::Malformed(error)))?;
            heard_of(&event.name, &json);
            match event.name.as_str() {
                "snapshot" => LiveEvent::Snapshot(Box::new(snapshot(&json).await.map_err(malformed)?)),
                "delta" => LiveEvent::Delta(read::delta(&json).map_err(malformed)?),
                _ => LiveEvent::Ping {
                    seq: json.number_of("seq").map_err(malformed)? as u64,
                    at: json.number_of("at").map_err(malformed)? as i64,
                },
            }
        }
        // A later proxy may say more.
        _ => return Ok(()),
    };
    sink(StreamUpdate::Event(live)).map_err(|Refusal| End::Refused)?;
    if !event.id.is_empty() {
        *last_id = event.id;
    }
    Ok(())
}

/// The next bytes; `None` when the stream ended, broke, or was silent for too long.
async fn read(reader: &ReadableStreamDefaultReader) -> Option<Vec<u8>> {
    let first = Promise::race(&Array::of2(&reader.read(), &timer(SILENCE_MS)));
    let outcome = JsFuture::from(first).await.ok()?;
    // The timer's `undefined` has no `value`, nor has the end of the stream.
    let value = Reflect::get(&outcome, &JsValue::from_str("value")).ok()?;
    value.dyn_into::<Uint8Array>().ok().map(|bytes| bytes.to_vec())
}
