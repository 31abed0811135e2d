//! A mail server that keeps what it is sent, behind STARTTLS with a certificate of the tests' own.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// What one talk with the server came to.
#[derive(Clone, Debug, Default)]
pub struct Talk {
    /// Whether it was in TLS when the mail was given.
    pub in_tls: bool,
    /// The lines of the client, but for the mail's.
    pub said: Vec<String>,
    /// The mail.
    pub mail: String,
}

/// A mail server. It is gone when this is dropped.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    talks: Arc<Mutex<Vec<Talk>>>,
    busy: Arc<Mutex<usize>>,
    task: JoinHandle<()>,
}

fn tls(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/notify/tls").join(name)
}

/// The certificate that its own is signed with.
pub fn authority() -> PathBuf {
    tls("ca.pem")
}

impl MailServer {
    /// One that takes every mail.
    ///
    /// # Panics
    /// When the system has no port, or the certificate cannot be read.
    pub async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let chain =
            vec![CertificateDer::from_pem_file(tls("localhost.pem")).expect("the certificate is there")];
        let key = PrivateKeyDer::from_pem_file(tls("localhost.key.pem")).expect("the key is there");
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("the key is the certificate's")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (talks, busy) = (Arc::default(), Arc::default());
        let task = tokio::spawn(listen(listener, acceptor, Arc::clone(&talks), Arc::clone(&busy)));
        Self { address, talks, busy, task }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The next so many mails are put off: 451.
    pub fn is_busy(&self, mails: usize) {
        *self.busy.lock().unwrap_or_else(PoisonError::into_inner) = mails;
    }

    /// Every talk that ended with a mail.
    pub fn talks(&self) -> Vec<Talk> {
        self.talks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    talks: Arc<Mutex<Vec<Talk>>>,
    busy: Arc<Mutex<usize>>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, talks, busy) = (acceptor.clone(), Arc::clone(&talks), Arc::clone(&busy));
        connections.spawn(async move {
            let mut talk = Talk::default();
            let mut stream: TcpStream = stream;
            stream.write_all(b"220 mail.example ESMTP\r\n").await.ok()?;
            if !hear(&mut stream, &mut talk, &talks, &busy).await? {
                return None;
            }
            let mut stream = acceptor.accept(stream).await.ok()?;
            talk.in_tls = true;
            hear(&mut stream, &mut talk, &talks, &busy).await
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Talks until the client turns to TLS (`true`) or leaves.
async fn hear(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    talk: &mut Talk,
    talks: &Mutex<Vec<Talk>>,
    busy: &Mutex<usize>,
) -> Option<bool> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return Some(false);
        }
        let line = line.trim_end().to_owned();
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        talk.said.push(line);
        let answer = match word.as_str() {
            "EHLO" if talk.in_tls => "250-mail.example\r\n250 AUTH PLAIN LOGIN",
            "EHLO" => "250-mail.example\r\n250 STARTTLS",
            "STARTTLS" => {
                stream.write_all(b"220 go ahead\r\n").await.ok()?;
                return Some(true);
            }
            "AUTH" => "235 welcome",
            "MAIL" | "RCPT" | "RSET" | "NOOP" => "250 ok",
            "DATA" => {
                stream.write_all(b"354 go ahead\r\n").await.ok()?;
                let mut mail = String::new();
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).await.ok()?;
                    if line == ".\r\n" {
                        break;
                    }
                    mail += &line;
                }
                let mut busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
                if *busy > 0 {
                    *busy -= 1;
                    "451 try again later"
                } else {
                    talk.mail = mail;
                    talks.lock().unwrap_or_else(PoisonError::into_inner).push(talk.clone());
                    "250 queued"
                }
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await.ok()?;
                return Some(false);
            }
            _ => "500 what?",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}
