//! Certificates as a story wants them, and clients that show which version of TLS and HTTP was spoken.

use std::{net::SocketAddr, sync::Arc};

use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Bytes};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A certificate that nobody vouches for, and its key; both PEM.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate.
    pub pem: String,
    /// Its key.
    pub key: String,
}

impl Certificate {
    /// One for these names, until the first day of a year.
    ///
    /// # Panics
    /// When a name is none.
    pub fn of(names: &[&str], until: i32) -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("stories give good names");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let pem = params.self_signed(&key).expect("a certificate can be signed").pem();
        Self { pem, key: key.serialize_pem() }
    }

    fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.pem.as_bytes()).expect("it was just made")
    }
}

/// A client that trusts one certificate and speaks one version of HTTP.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<ClientConfig>,
}

impl Client {
    /// Trusts `certificate` alone; `alpn` is `h2` or `http/1.1`.
    ///
    /// # Panics
    /// When TLS cannot be set up.
    pub fn trusting(
        certificate: &Certificate,
        alpn: &str,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der()).expect("it is a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions);
        let mut config = builder.expect("both are there").with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
        Self { config: Arc::new(config) }
    }

    /// A connection to `localhost` at an address.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn connect(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
        TlsConnector::from(Arc::clone(&self.config)).connect(name, stream).await
    }
}

/// What a connection of HTTP/2 answers.
///
/// # Panics
/// When it does not speak it.
pub async fn over_http_2<S>(stream: S, request: Request<Empty<Bytes>>) -> (u16, hyper::HeaderMap, String)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("the preface is taken");
    let talking = tokio::spawn(connection);
    let response = sender.send_request(request).await.expect("an answer over HTTP/2");
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a whole answer").to_bytes();
    talking.abort();
    (head.status.as_u16(), head.headers, String::from_utf8_lossy(&body).into_owned())
}
