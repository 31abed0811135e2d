//! The sockets of the simulated nodes. Every listener is a task that sleeps until someone connects or
//! its node goes down; a node that is down keeps its port bound but does not listen, so that
//! connections are refused and nobody else takes the port.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use http::{Method, Request, Response, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::dialect::{Answer, answer};
use super::node::{NodeModel, Port};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 128;
/// What a libp2p node says first: the protocol that chooses the protocol.
const MULTISTREAM: &[u8] = b"\x13/multistream/1.0.0\n";

/// The nodes and the clock they live by.
#[derive(Debug)]
pub struct World {
    /// All nodes.
    pub nodes: Vec<NodeModel>,
    /// Their clock.
    pub clock: Clock,
}

/// A port of a node, open or closed.
#[derive(Debug)]
pub struct Seat {
    node: usize,
    port: Port,
    address: SocketAddr,
    socket: Socket,
}

#[derive(Debug)]
enum Socket {
    /// Connections are accepted.
    Open(TcpListener),
    /// Connections are refused; the port stays ours.
    Closed(TcpSocket),
}

impl Seat {
    /// Binds a port of a node; `named`: the user asked for this very address.
    ///
    /// # Errors
    /// The address is taken or not of this machine, or there are too many open files.
    pub fn bind(node: usize, port: Port, address: SocketAddr, named: bool) -> io::Result<Self> {
        // An address of our own choice must not be one that another fleet holds closed. One that the
        // user named is taken even while connections of the fleet before this one are fading.
        let socket = if named { bound(address)? } else { held_alone(address)? };
        // Listening at once keeps the system from giving the same free port to the next seat.
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok(Self { node, port, address, socket: Socket::Open(listener) })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it is for.
    pub fn port(&self) -> Port {
        self.port
    }

    /// Closes it if its node is down now.
    ///
    /// # Errors
    /// The port was lost.
    pub fn settle(mut self, world: &World) -> io::Result<Self> {
        if !world.nodes[self.node].door(self.port, world.clock.now().t).open {
            drop(self.socket);
            self.socket = Socket::Closed(bound(self.address)?);
        }
        Ok(self)
    }

    /// Serves until `cancel`.
    pub async fn serve(self, world: Arc<World>, cancel: CancellationToken) {
        let Self { node, port, address, mut socket } = self;
        loop {
            let door = world.nodes[node].door(port, world.clock.now().t);
            let until = world.clock.instant_of(door.next);
            socket = match (door.open, socket) {
                (true, Socket::Open(listener)) => {
                    let accepting = accept(&listener, &world, node, port);
                    tokio::select! {
                        () = cancel.cancelled() => return,
                        () = wake_at(until) => {}
                        () = accepting => {}
                    }
                    Socket::Open(listener)
                }
                (false, Socket::Closed(socket)) => {
                    tokio::select! {
                        () = cancel.cancelled() => return,
                        () = wake_at(until) => {}
                    }
                    Socket::Closed(socket)
                }
                (true, Socket::Closed(socket)) => match socket.listen(BACKLOG) {
                    Ok(listener) => Socket::Open(listener),
                    Err(error) => {
                        tracing::debug!(%address, %error, "a simulated node cannot listen yet");
                        match rebind(address, &cancel).await {
                            Some(socket) => Socket::Closed(socket),
                            None => return,
                        }
                    }
                },
                (false, Socket::Open(listener)) => {
                    drop(listener);
                    match rebind(address, &cancel).await {
                        Some(socket) => Socket::Closed(socket),
                        None => return,
                    }
                }
            };
        }
    }
}

fn unbound(address: SocketAddr) -> io::Result<TcpSocket> {
    if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }
}

/// Binds an address that nobody else has bound.
fn held_alone(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = unbound(address)?;
    socket.bind(address)?;
    // Its connections must not keep us from binding it again.
    socket.set_reuseaddr(true)?;
    Ok(socket)
}

/// Binds an address that was ours before, whatever connections to it are still fading.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = unbound(address)?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Binds a port that was just closed, again and again until it can be had.
async fn rebind(address: SocketAddr, cancel: &CancellationToken) -> Option<TcpSocket> {
    loop {
        match bound(address) {
            Ok(socket) => return Some(socket),
            Err(error) => tracing::debug!(%address, %error, "a simulated node waits for its port"),
        }
        tokio::select! {
            () = cancel.cancelled() => return None,
            () = sleep(Duration::from_millis(100)) => {}
        }
    }
}

async fn wake_at(instant: Option<Instant>) {
    match instant {
        // A moment later, so that rounding never wakes us before the change.
        Some(instant) => sleep_until(instant + Duration::from_millis(1)).await,
        None => std::future::pending().await,
    }
}

/// Accepts connections for ever. Dropping it drops the connections, as a process that dies does.
async fn accept(listener: &TcpListener, world: &Arc<World>, node: usize, port: Port) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let world = Arc::clone(world);
                    if port == Port::Gossip {
                        connections.spawn(gossip(stream));
                    } else {
                        connections.spawn(serve_http(stream, world, node, port));
                    }
                }
                // Out of files, most often: others have to close theirs first.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn gossip(mut stream: TcpStream) {
    let _ = stream.write_all(MULTISTREAM).await;
    let mut heard = [0; 256];
    while let Ok(1..) = stream.read(&mut heard).await {}
}

async fn serve_http(stream: TcpStream, world: Arc<World>, node: usize, port: Port) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| respond(Arc::clone(&world), node, port, request));
    // A client that breaks off is no concern of the node.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(
    world: Arc<World>,
    node: usize,
    port: Port,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = Response::new(Body::empty());
        *refused.status_mut() = http::StatusCode::METHOD_NOT_ALLOWED;
        return Ok(refused);
    }
    let now = world.clock.now();
    let answer = answer(&world.nodes[node], now, port, request.uri().path());
    if answer.delay > 0.0 {
        wake_at(world.clock.instant_of(now.t + answer.delay)).await;
    }
    Ok(response(answer))
}

fn response(answer: Answer) -> Response<Body> {
    let length = answer.body.len();
    let body = Bytes::from(answer.body);
    let mut builder = Response::builder()
        .status(answer.status)
        .header(header::CONTENT_TYPE, answer.content_type)
        .header(header::CONTENT_LENGTH, length);
    for (name, value) in answer.headers {
        builder = builder.header(name, value);
    }
    let body = match answer.cut {
        None => Body::from(body),
        Some(cut) => {
            let sent = body.slice(..cut.min(length));
            // A moment between the two, so that what was written has left before the connection ends.
            let lost = async {
                sleep(Duration::from_millis(20)).await;
                Err(io::Error::from(io::ErrorKind::ConnectionReset))
            };
            Body::from_stream(stream::once(async { Ok(sent) }).chain(stream::once(lost)))
        }
    };
    builder.body(body).unwrap_or_else(|_| Response::new(Body::empty()))
}
