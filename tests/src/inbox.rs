//! A receiver of messages on a real socket: keeps what it is sent, and answers as a story tells it to.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::Instant,
};

use crate::wait::eventually;

/// Something that was sent.
#[derive(Clone, Debug)]
pub struct Letter {
    /// When it came.
    pub at: Instant,
    /// The method and the path.
    pub line: String,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether it was answered with a success.
    pub taken: bool,
}

/// How a letter is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// With a status, further headers and a body.
    Status(u16, Vec<(&'static str, &'static str)>, &'static str),
    /// Not at all.
    Silence,
    /// With the challenge in it, as a server that wants to be told of a status page does.
    Challenge,
    /// With a success, a while later.
    Late(Duration),
}

/// A receiver. It is gone when this is dropped.
#[derive(Debug)]
pub struct Inbox {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    letters: Mutex<Vec<Letter>>,
    replies: Mutex<VecDeque<Reply>>,
    always: Mutex<Option<Reply>>,
}

impl Letter {
    /// A header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }
}

impl Inbox {
    /// One that takes everything.
    ///
    /// # Panics
    /// When the system has no port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        Self { address, shared: Arc::clone(&shared), task: tokio::spawn(listen(listener, shared)) }
    }

    /// The next letters are answered so, one after the other; those after them are taken.
    pub fn answers(&self, replies: impl IntoIterator<Item = Reply>) {
        locked(&self.shared.replies).extend(replies);
    }

    /// Every letter that no other answer is for is answered so.
    pub fn always(&self, reply: Reply) {
        *locked(&self.shared.always) = Some(reply);
    }

    /// Its base URL.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All that came so far.
    pub fn letters(&self) -> Vec<Letter> {
        locked(&self.shared.letters).clone()
    }

    /// Waits until so many letters came, and gives them.
    ///
    /// # Panics
    /// When they do not come.
    pub async fn count(&self, count: usize) -> Vec<Letter> {
        eventually(&format!("{count} letters came"), async || {
            let letters = self.letters();
            if letters.len() >= count { Ok(letters) } else { Err(format!("{} came", letters.len())) }
        })
        .await
    }

    /// Waits until a letter came that is wanted, and gives it.
    ///
    /// # Panics
    /// When none comes.
    pub async fn letter(&self, what: &str, wanted: impl Fn(&Letter) -> bool) -> Letter {
        eventually(&format!("a letter came: {what}"), async || {
            let letters = self.letters();
            let found = letters.iter().find(|letter| wanted(letter)).cloned();
            found.ok_or_else(|| letters.iter().map(Letter::text).collect::<Vec<_>>().join("\n"))
        })
        .await
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut letter = read(&mut stream).await?;
        let reply = locked(&shared.replies).pop_front().or_else(|| locked(&shared.always).clone());
        let reply = reply.unwrap_or(Reply::Status(200, Vec::new(), "ok"));
        letter.taken = matches!(reply, Reply::Status(200..=299, ..) | Reply::Late(_) | Reply::Challenge);
        let challenge = serde_json::from_slice::<Value>(&letter.body).unwrap_or_default();
        let challenge = challenge["data"]["challenge"].as_str().unwrap_or_default().to_owned();
        locked(&shared.letters).push(letter);
        let (status, headers, body) = match reply {
            Reply::Status(status, headers, body) => (status, headers, body.to_owned()),
            Reply::Challenge => (200, Vec::new(), json!({ "challenge": challenge }).to_string()),
            Reply::Silence => std::future::pending().await,
            Reply::Late(wait) => {
                tokio::time::sleep(wait).await;
                (200, Vec::new(), "ok".to_owned())
            }
        };
        let mut head = format!("HTTP/1.1 {status} As-told\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.get_mut().write_all(format!("{head}\r\n{body}").as_bytes()).await.ok()?;
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Letter> {
    let mut line = String::new();
    if stream.read_line(&mut line).await.ok()? == 0 {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().take(2).collect();
    let mut letter = Letter {
        at: Instant::now(),
        line: words.join(" "),
        headers: Vec::new(),
        body: Vec::new(),
        taken: false,
    };
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        letter.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    letter.body = vec![0; letter.header("content-length").parse().unwrap_or(0)];
    stream.read_exact(&mut letter.body).await.ok()?;
    Some(letter)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
