//! `GET /api/v1/live`: server-sent events, a snapshot and then deltas; with `detail=low` what a phone needs of them.
//!
//! Where the client reads gzip, the stream is one gzip member with a flush after every event.

use std::{
    convert::Infallible,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures_util::{Stream, StreamExt, stream};

use super::{
    params::{Params, bad},
    problem::{ProblemResponse, problem},
};
use crate::{app::App, live::Subscription};

/// The longest list of nodes on a screen, in bytes.
const LONGEST_LIST: usize = 8 << 10;
/// Each stream that is compressed has a window of its own: about 300 KB.
const MOST_COMPRESSED: usize = 300;
const SAVE_DATA: header::HeaderName = header::HeaderName::from_static("save-data");
static COMPRESSED: AtomicUsize = AtomicUsize::new(0);

/// How a client wants the stream.
pub(super) struct Look<'a> {
    seen: Option<&'a str>,
    takes_gzip: bool,
    /// The nodes that are on the screen, where only what matters is wanted of the others.
    on_screen: Option<Vec<String>>,
    /// Pending alerts are wanted of all nodes.
    all_alerts: bool,
}

impl<'a> Look<'a> {
    /// Reads `detail`, `nodes`, `alerts` and the headers.
    ///
    /// # Errors
    /// A parameter is not as it must be.
    pub(super) fn read(uri: &Uri, headers: &'a HeaderMap) -> Result<Self, ProblemResponse> {
        let params = Params::read(uri, &["detail", "nodes", "alerts"])?;
        let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let nodes = params.get("nodes").unwrap_or_default();
        if nodes.len() > LONGEST_LIST {
            return Err(bad(format!(
                "`nodes` is longer than {LONGEST_LIST} bytes: name those on the screen"
            )));
        }
        let nodes = nodes.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
        let all_alerts = match params.get("alerts") {
            // Whoever names no detail knows nothing of what is left out.
            None => params.get("detail").is_none(),
            Some("all") => true,
            Some("open") => false,
            Some(other) => return Err(bad(format!("`alerts={other}` is neither all nor open"))),
        };
        let on_screen = match params.get("detail") {
            // A browser that is to spare data says so itself, where its page did not.
            None if text(SAVE_DATA).is_some_and(|value| value.trim().eq_ignore_ascii_case("on")) => {
                Some(nodes)
            }
            None | Some("full") => None,
            Some("low") => Some(nodes),
            Some(other) => return Err(bad(format!("`detail={other}` is neither low nor full"))),
        };
        let takes_gzip = text(header::ACCEPT_ENCODING).is_some_and(takes_gzip);
        Ok(Self {
            seen: text(header::HeaderName::from_static("last-event-id")),
            takes_gzip,
            on_screen,
            all_alerts,
        })
    }

    /// The event that the client saw last.
    pub(super) fn seen(&self) -> Option<&'a str> {
        self.seen
    }
}

fn takes_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|part| {
        let (name, quality) = part.split_once(';').unwrap_or((part, ""));
        name.trim() == "gzip" && !quality.trim().trim_start_matches("q=0").trim_matches(['.', '0']).is_empty()
            || part.trim() == "gzip"
    })
}

/// The live stream. `Last-Event-ID` continues where the client was, where that is still known.
///
/// # Errors
/// 400 for a parameter that is wrong.
pub async fn live(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ProblemResponse> {
    let look = Look::read(&uri, &headers)?;
    match app.live.subscribe(look.seen) {
        Ok(subscription) => Ok(stream_of(subscription, &look)),
        Err(error) => Err(problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many streams",
            format!("{error}; try again later"),
        )),
    }
}

/// A subscription as server-sent events.
pub(super) fn stream_of(subscription: Subscription, look: &Look<'_>) -> Response {
    let packer = if look.takes_gzip { Packer::new() } else { None };
    match &look.on_screen {
        Some(nodes) => {
            let lean = subscription.lean(look.seen, nodes, look.all_alerts);
            answer(stream::unfold(lean, async |mut lean| Some((lean.next().await?, lean))), packer)
        }
        None => {
            let later =
                stream::unfold(subscription.frames, async |mut frames| Some((frames.recv().await?, frames)));
            answer(stream::iter(subscription.first).chain(later), packer)
        }
    }
}

fn answer(frames: impl Stream<Item = Bytes> + Send + 'static, packer: Option<Packer>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "accept-encoding, save-data"),
        // nginx holds answers back unless told not to.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    match packer {
        None => (headers, Body::from_stream(frames.map(Ok::<_, Infallible>))).into_response(),
        Some(mut packer) => {
            let packed = Body::from_stream(frames.map(move |frame| packer.pack(&frame)));
            (headers, [(header::CONTENT_ENCODING, "gzip")], packed).into_response()
        }
    }
}

/// Compresses one stream, event by event.
struct Packer(GzEncoder<Vec<u8>>);

impl Packer {
    /// `None` where enough streams are compressed already.
    fn new() -> Option<Self> {
        if COMPRESSED.fetch_add(1, Ordering::Relaxed) >= MOST_COMPRESSED {
            COMPRESSED.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(GzEncoder::new(Vec::new(), Compression::new(6))))
    }

    fn pack(&mut self, frame: &[u8]) -> std::io::Result<Bytes> {
        self.0.write_all(frame)?;
        // What is not flushed would wait for the next event.
        self.0.flush()?;
        Ok(std::mem::take(self.0.get_mut()).into())
    }
}

impl Drop for Packer {
    fn drop(&mut self) {
        COMPRESSED.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Read;

    use super::*;

    #[test]
    fn every_event_can_be_read_as_soon_as_it_is_packed() {
        let mut packer = Packer::new().unwrap();
        let mut whole = Vec::new();
        for (count, event) in ["data: one\n\n", "data: two\n\n"].into_iter().enumerate() {
            whole.extend_from_slice(&packer.pack(event.as_bytes()).unwrap());
            let mut text = vec![0; 11 * (count + 1)];
            flate2::read::GzDecoder::new(whole.as_slice()).read_exact(&mut text).unwrap();
            assert!(text.ends_with(event.as_bytes()));
        }
    }

    #[test]
    fn gzip_is_taken_where_it_is_not_refused() {
        for (accepted, takes) in [
            ("gzip", true),
            ("gzip, deflate, br", true),
            ("br;q=1, gzip;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.0", false),
            ("br", false),
        ] {
            assert_eq!(takes_gzip(accepted), takes, "{accepted}");
        }
    }

    #[test]
    fn a_look_names_what_is_wrong() {
        let headers = HeaderMap::new();
        let read = |query: &str| {
            let uri: Uri = format!("/api/v1/live{query}").parse().unwrap();
            Look::read(&uri, &headers).map(|look| look.on_screen)
        };
        assert_eq!(read("").ok().unwrap(), None);
        assert_eq!(read("?detail=low").ok().unwrap(), Some(Vec::new()));
        assert_eq!(read("?detail=low&nodes=a,b%2C1").ok().unwrap().unwrap().len(), 3);
        let spares = HeaderMap::from_iter([(SAVE_DATA, header::HeaderValue::from_static("on"))]);
        let read_spared = |query: &str| {
            let uri: Uri = format!("/api/v1/live{query}").parse().unwrap();
            Look::read(&uri, &spares).map(|look| look.on_screen).ok().unwrap()
        };
        assert_eq!(read_spared(""), Some(Vec::new()), "the browser asks to be sent less");
        assert_eq!(read_spared("?detail=full"), None, "but who says what they want gets it");
        let all = |query: &str| {
            let uri: Uri = format!("/api/v1/live{query}").parse().unwrap();
            Look::read(&uri, &headers).map(|look| look.all_alerts).ok().unwrap()
        };
        assert!(
            all("")
                && all("?detail=low&alerts=all")
                && !all("?detail=low")
                && !all("?detail=low&alerts=open")
        );
        for wrong in
            ["?detail=tiny", "?alerts=few", "?deep=1", &format!("?detail=low&nodes={}", "a".repeat(9_000))]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
