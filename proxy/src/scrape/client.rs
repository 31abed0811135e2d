//! The HTTP client of the fan-out: one GET, bounded in time and size, with failures in words.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use fleetglass_shared::health::{FailureKind, UnixMillis};
use http::header;
use x509_cert::{Certificate, der::Decode};

use super::Failure;
use crate::{clock, config::ScrapeConfig};

const ACCEPT_METRICS: &str =
    "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
const ACCEPT_JSON: &str = "application/json,*/*;q=0.5";

/// Asks nodes. Cheap to clone: the connection pool is shared.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    body_limit: usize,
}

/// What a node answered, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The content type as sent.
    pub content_type: Option<String>,
    /// How long the node asks us to stay away (429 and 503).
    pub retry_after: Option<Duration>,
    /// Seconds that the node's clock is ahead of ours, to half a second: from the `Date` of its answer.
    pub clock_skew: Option<f64>,
    /// When the certificate it showed runs out, in Unix seconds.
    pub certificate_not_after: Option<f64>,
    /// The body, decompressed.
    pub body: Bytes,
    /// From the request to the end of the body.
    pub duration: Duration,
}

/// The client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot start: {0}")]
pub struct ClientError(#[from] reqwest::Error);

impl Client {
    /// A client with the limits of `[scrape]`.
    ///
    /// # Errors
    /// The TLS set-up of this machine cannot be used.
    pub fn new(scrape: &ScrapeConfig) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("fleetglass/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(scrape.connect_timeout.0)
            // One connection a node is enough: its endpoints share it or open a second for a moment.
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(scrape.interval.0.saturating_mul(2).max(Duration::from_secs(30)))
            .tcp_nodelay(true)
            .tls_info(true)
            .build()?;
        Ok(Self { http, body_limit: scrape.body_limit.0 })
    }

    /// Asks once.
    ///
    /// # Errors
    /// No whole answer came: why, in words.
    pub async fn get(
        &self,
        url: &str,
        wants_metrics: bool,
        timeout: Duration,
        bearer: Option<&str>,
    ) -> Result<Reply, Failure> {
        let started = clock::monotonic();
        let mut request = self
            .http
            .get(url)
            .header(header::ACCEPT, if wants_metrics { ACCEPT_METRICS } else { ACCEPT_JSON });
        if let Some(token) = bearer {
            request = request.bearer_auth(token);
        }
        match tokio::time::timeout(timeout, self.read(request, started)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::new(
                FailureKind::Timeout,
                format!("{url} had not answered in full after {} s", timeout.as_secs_f64()),
            )),
        }
    }

    async fn read(&self, request: reqwest::RequestBuilder, started: Instant) -> Result<Reply, Failure> {
        let sent_at = clock::now();
        let mut response = request.send().await.map_err(|error| Failure::of(&error))?;
        let clock_skew = clock_skew(&response, sent_at, clock::now());
        let certificate_not_after = certificate_not_after(&response);
        let status = response.status().as_u16();
        let text = |name| response.headers().get(name).and_then(|v: &http::HeaderValue| v.to_str().ok());
        let content_type = text(header::CONTENT_TYPE).map(str::to_owned);
        let retry_after = text(header::RETRY_AFTER)
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs);
        if (300..400).contains(&status) {
            let place = text(header::LOCATION).unwrap_or("nowhere");
            return Err(Failure::new(
                FailureKind::Redirect,
                format!(
                    "HTTP {status} to {place}; redirects are not followed: give that URL as the target's"
                ),
            ));
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| Failure::of(&error))? {
            if body.len() + chunk.len() > self.body_limit {
                return Err(Failure::new(
                    FailureKind::BodyTooLarge,
                    format!("the answer is larger than [scrape] body_limit ({} bytes)", self.body_limit),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply {
            status,
            content_type,
            retry_after,
            clock_skew,
            certificate_not_after,
            body: body.freeze(),
            duration: started.elapsed(),
        })
    }
}

/// How far the node's clock is ahead of ours: it wrote its `Date`, cut to seconds, about half way.
fn clock_skew(response: &reqwest::Response, sent_at: UnixMillis, came_at: UnixMillis) -> Option<f64> {
    let date = response.headers().get(header::DATE)?.to_str().ok()?;
    let theirs = httpdate::parse_http_date(date).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let ours = (sent_at + came_at) as f64 / 2_000.0;
    Some(theirs.as_secs_f64() + 0.5 - ours)
}

fn certificate_not_after(response: &reqwest::Response) -> Option<f64> {
    let shown = response.extensions().get::<reqwest::tls::TlsInfo>()?.peer_certificate()?;
    let certificate = Certificate::from_der(shown).ok()?;
    Some(certificate.tbs_certificate.validity.not_after.to_unix_duration().as_secs_f64())
}
