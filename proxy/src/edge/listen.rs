//! Connections: TLS or not, HTTP/1.1 or HTTP/2, and how long each step may take.
//!
//! Until a connection has said what it speaks it waits in a lobby that holds so many; when one more comes, who has waited
//! longest goes. So whoever connects and says nothing keeps nobody else out.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{DirectTls, Tls};

/// How long a connection may take to say what it speaks, TLS's handshake included.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How many may be at that.
const LOBBY: usize = 512;
/// How long the head of a request may take, and how long a connection of HTTP/1.1 may do nothing between two. It is no
/// usual interval of scraping, so that neither end closes while the other begins.
const HEAD: Duration = Duration::from_secs(40);
/// How often a connection of HTTP/2 is asked whether it is still there, and how long the answer may take.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(20);
/// The open requests of one connection of HTTP/2.
const STREAMS: u32 = 200;
/// What a connection of HTTP/2 says first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;
/// The pause after the system could give no connection, as when there are no file descriptors left.
const NO_MORE: Duration = Duration::from_secs(1);

/// Takes connections until it is told to stop; then lets open requests end.
pub async fn serve(listener: TcpListener, router: Router, tls: Option<Arc<Tls>>, stop: CancellationToken) {
    let open = GracefulShutdown::new();
    let desk = Arc::new(Desk {
        router,
        tls: tls.map(|tls| TlsAcceptor::from(tls.config())),
        lobby: Lobby::default(),
        stop: stop.clone(),
    });
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                tokio::spawn(Arc::clone(&desk).meet(stream, peer, open.watcher()));
            }
            Err(error) if is_theirs(&error) => {}
            Err(error) => {
                tracing::error!("no connection can be taken: {error}; trying on");
                tokio::time::sleep(NO_MORE).await;
            }
        }
    }
    drop(listener);
    open.shutdown().await;
}

/// The connection went before it was taken.
fn is_theirs(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// What every connection needs.
struct Desk {
    router: Router,
    tls: Option<TlsAcceptor>,
    lobby: Lobby,
    stop: CancellationToken,
}

/// A connection that has said what it speaks.
enum Opened {
    Plain(TcpStream, Speaks),
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>, Speaks),
    /// HTTP where TLS is spoken.
    Astray(TcpStream),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    Http1,
    Http2,
}

impl Desk {
    async fn meet(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        // Small frames of live streams are not to wait for each other.
        let _ = stream.set_nodelay(true);
        let place = self.lobby.enter();
        let opened = tokio::select! {
            opened = open(stream, self.tls.as_ref()) => opened,
            () = place.turned_out.cancelled() => return,
            () = self.stop.cancelled() => return,
            () = tokio::time::sleep(HANDSHAKE) => return,
        };
        drop(place);
        match opened {
            Ok(Opened::Plain(stream, speaks)) => self.talk(stream, speaks, peer, false, watcher).await,
            Ok(Opened::Tls(stream, speaks)) => self.talk(stream, speaks, peer, true, watcher).await,
            Ok(Opened::Astray(stream)) => astray(stream).await,
            Err(error) => tracing::debug!(%peer, "a connection did not open: {error}"),
        }
    }

    async fn talk<S>(&self, stream: S, speaks: Speaks, peer: SocketAddr, is_tls: bool, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = self.router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            if is_tls {
                request.extensions_mut().insert(DirectTls);
            }
            router.clone().oneshot(request)
        });
        let builder = builder(speaks);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%peer, "a connection broke off: {error}");
        }
    }
}

fn builder(speaks: Speaks) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG)
        .max_concurrent_streams(STREAMS);
    match speaks {
        Speaks::Http1 => builder.http1_only(),
        Speaks::Http2 => builder.http2_only(),
    }
}

/// Waits until a connection says what it speaks.
async fn open(stream: TcpStream, tls: Option<&TlsAcceptor>) -> std::io::Result<Opened> {
    let mut first = [0; PREFACE.len()];
    let length = stream.peek(&mut first).await?;
    let first = &first[..length];
    let Some(tls) = tls else {
        // HTTP/2 without TLS, by clients that know it.
        let speaks = if first == PREFACE { Speaks::Http2 } else { Speaks::Http1 };
        return Ok(Opened::Plain(stream, speaks));
    };
    if first.first().is_some_and(|byte| *byte != TLS_HANDSHAKE) {
        return Ok(Opened::Astray(stream));
    }
    let stream = tls.accept(stream).await?;
    let speaks = match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Speaks::Http2,
        _ => Speaks::Http1,
    };
    Ok(Opened::Tls(Box::new(stream), speaks))
}

/// Tells a client that speaks plain HTTP on the port of TLS to use https.
async fn astray(stream: TcpStream) {
    let answer = service_fn(async |_: Request<Incoming>| {
        let words = "This port speaks TLS: ask for it with https:// in place of http://.\n";
        let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CONNECTION, "close")];
        Ok::<Response, std::convert::Infallible>((StatusCode::BAD_REQUEST, headers, words).into_response())
    });
    let mut builder = builder(Speaks::Http1);
    builder.http1().keep_alive(false).header_read_timeout(HANDSHAKE);
    // A client that went away is told nothing.
    let _ = builder.serve_connection(TokioIo::new(stream), answer).await;
}

/// Those who have not said yet what they speak, by when they came.
#[derive(Default)]
struct Lobby(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    next: u64,
    inside: BTreeMap<u64, CancellationToken>,
}

/// A place in the lobby; it is free again when this is dropped.
struct Place<'a> {
    lobby: &'a Lobby,
    number: u64,
    turned_out: CancellationToken,
}

impl Lobby {
    fn enter(&self) -> Place<'_> {
        let turned_out = CancellationToken::new();
        let mut waiting = self.0.lock();
        if waiting.inside.len() >= LOBBY
            && let Some((_, longest)) = waiting.inside.pop_first()
        {
            longest.cancel();
        }
        let number = waiting.next;
        waiting.next += 1;
        waiting.inside.insert(number, turned_out.clone());
        Place { lobby: self, number, turned_out }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.lobby.0.lock().inside.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_lobby_turns_out_who_has_waited_longest() {
        let lobby = Lobby::default();
        let mut places: Vec<Place<'_>> = (0..LOBBY).map(|_| lobby.enter()).collect();
        let second = places.remove(1);
        drop(second);
        let newest = lobby.enter();
        assert!(places.iter().all(|place| !place.turned_out.is_cancelled()), "there was room");
        let last = lobby.enter();
        assert!(places[0].turned_out.is_cancelled());
        assert!(places[1..].iter().chain([&newest, &last]).all(|place| !place.turned_out.is_cancelled()));
        drop((places, newest, last));
        assert!(lobby.0.lock().inside.is_empty());
    }
}
