//! A node that answers as a story tells it to, on a real socket.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// What one path of a node does when it is asked.
#[derive(Clone, Debug)]
pub enum Page {
    /// Answers in full.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Further headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// Answers JSON in which each `NOW` is a time that moves from one request to the next.
    Moving(String),
    /// Reads the request and closes the connection.
    CloseEarly,
    /// Promises more than it sends, then closes the connection.
    CloseInBody,
    /// Reads the request and says nothing.
    Silent,
    /// Sends the head, then a byte now and then, for ever.
    Drip,
}

impl Page {
    /// A JSON body with a status.
    pub fn json(status: u16, body: &str) -> Self {
        Self::of(status, "application/json", body.as_bytes())
    }

    /// A Prometheus exposition.
    pub fn metrics(body: &str) -> Self {
        Self::of(200, "text/plain; version=0.0.4", body.as_bytes())
    }

    /// Any body with its type.
    pub fn of(status: u16, content_type: &str, body: &[u8]) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self::Answer { status, headers, body: body.to_vec() }
    }

    /// The same with one more header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// A node on a free port of loopback. It is gone when this is dropped.
#[derive(Debug)]
pub struct Node {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    pages: Mutex<BTreeMap<String, Page>>,
    asked: Mutex<BTreeMap<String, usize>>,
}

impl Node {
    /// A node that has only these paths; any other is a 404.
    pub async fn start<const N: usize>(pages: [(&str, Page); N]) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), pages).await
    }

    /// As [`Self::start`], at an address.
    ///
    /// # Panics
    /// When the address is taken.
    pub async fn start_at<const N: usize>(address: SocketAddr, pages: [(&str, Page); N]) -> Self {
        let listener = TcpListener::bind(address).await;
        let listener = listener.unwrap_or_else(|error| panic!("{address} cannot be had: {error}"));
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        let node =
            Self { address, shared: Arc::clone(&shared), task: tokio::spawn(listen(listener, shared)) };
        for (path, page) in pages {
            node.says(path, page);
        }
        node
    }

    /// From now on a path answers in this way.
    pub fn says(&self, path: &str, page: Page) {
        locked(&self.shared.pages).insert(path.to_owned(), page);
    }

    /// How often a path was asked.
    pub fn asked(&self, path: &str) -> usize {
        locked(&self.shared.asked).get(path).copied().unwrap_or_default()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes it away with all its connections, and gives the address it had.
    pub async fn stop(mut self) -> SocketAddr {
        self.task.abort();
        // It ends as aborted, which is what was asked for.
        let _ = (&mut self.task).await;
        self.address
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and the connections with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut stream = BufReader::new(stream);
    loop {
        let path = match asked_path(&mut stream).await {
            Ok(Some(path)) => path,
            Ok(None) => return,
            // What is no HTTP, such as a TLS greeting, gets what web servers say to it.
            Err(_) => {
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
                return;
            }
        };
        let count = {
            let mut asked = locked(&shared.asked);
            let count = asked.entry(path.clone()).or_default();
            *count += 1;
            *count
        };
        let page = match locked(&shared.pages).get(&path).cloned() {
            Some(Page::Moving(body)) => Some(Page::json(200, &body.replace("NOW", &later(count)))),
            page => page,
        };
        let page = page.unwrap_or_else(|| Page::of(404, "text/plain", b"not found\n"));
        if answer(stream.get_mut(), page).await.is_none() {
            return;
        }
    }
}

/// Reads a request's head; `None` at the end of the connection.
async fn asked_path(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    if stream.fill_buf().await?.first().is_some_and(|first| !first.is_ascii_alphabetic()) {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    let Some(path) = first.split(' ').nth(1).map(str::to_owned) else { return Ok(None) };
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 2 {
        line.clear();
    }
    Ok(Some(path))
}

/// Plays a page; `None` when the connection is to be closed.
async fn answer(stream: &mut TcpStream, page: Page) -> Option<()> {
    match page {
        Page::Answer { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} As-told\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head += &format!("{name}: {value}\r\n");
            }
            stream.write_all(format!("{head}\r\n").as_bytes()).await.ok()?;
            stream.write_all(&body).await.ok()?;
            Some(())
        }
        // Made an `Answer` of before it came here.
        Page::Moving(_) | Page::CloseEarly => None,
        Page::CloseInBody => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"status\":").await.ok()?;
            None
        }
        Page::Silent => std::future::pending().await,
        Page::Drip => {
            let head =
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n";
            stream.write_all(head).await.ok()?;
            loop {
                stream.write_all(b" ").await.ok()?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// A time that is so many seconds after the turn of a year.
fn later(seconds: usize) -> String {
    format!("2026-01-01T{:02}:{:02}:{:02}Z", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
