//! Requests to receivers: no redirects, with a time-out, answers read in part, and no secret in what is said of them.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use fleetglass_shared::health::UnixMillis;
use http::{HeaderMap, StatusCode, header};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::receiver::push::is_public;
use crate::config::Secret;

/// So much of an answer is read, and so much of that is told.
const MOST_BYTES: usize = 16 << 10;
const MOST_WORDS: usize = 300;
/// A receiver that asks for more time than this is asked again all the same.
const MOST_OBEYED: Duration = Duration::from_secs(3600);

/// Knows names of public addresses alone.
struct Outwards;

impl Resolve for Outwards {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err("its name leads to no public address".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was taken; what the receiver said.
    Delivered(String),
    /// It is to be tried again, after this long at least where the receiver says so.
    Again(String, Option<Duration>),
    /// The receiver will never take it.
    Refused(String),
    /// There is no such receiver any more.
    Gone(String),
}

/// An answer that was read.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) wait: Option<Duration>,
    pub(crate) text: String,
}

/// The HTTP client of all receivers.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    timeout: Duration,
}

impl Client {
    /// A client that gives every request so long.
    ///
    /// # Errors
    /// The TLS set-up of this machine cannot be used.
    pub(crate) fn new(timeout: Duration) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("fleetglass/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry a secret to whoever is named there.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .build()?;
        Ok(Self { http, timeout })
    }

    /// The same for addresses that strangers give: none of this machine or a private network is asked, whatever
    /// name it has.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn outwards(timeout: Duration) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("fleetglass/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(Outwards))
            .timeout(timeout)
            .build()?;
        Ok(Self { http, timeout })
    }

    /// How long an attempt may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// A `POST` of some bytes.
    ///
    /// # Errors
    /// The address is none; it is not shown.
    pub(crate) fn post(
        &self,
        url: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Result<reqwest::RequestBuilder, Outcome> {
        let url = reqwest::Url::parse(url);
        let url = url.map_err(|error| Outcome::Again(format!("the address is no URL: {error}"), None))?;
        Ok(self.http.post(url).header(header::CONTENT_TYPE, kind).body(body))
    }

    /// A `POST` of JSON.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub(crate) fn json(
        &self,
        url: &str,
        body: &serde_json::Value,
    ) -> Result<reqwest::RequestBuilder, Outcome> {
        self.post(url, "application/json", body.to_string().into_bytes())
    }

    /// A `GET`.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub(crate) fn get(&self, url: &str) -> Result<reqwest::RequestBuilder, Outcome> {
        let url = reqwest::Url::parse(url);
        let url = url.map_err(|error| Outcome::Again(format!("the address is no URL: {error}"), None))?;
        Ok(self.http.get(url))
    }
}

/// Sends a request, and judges its answer. `secrets` are struck out of what is told.
pub(crate) async fn send(request: reqwest::RequestBuilder, secrets: &[&Secret], now: UnixMillis) -> Outcome {
    match reply(request, now).await {
        Ok(reply) => judged(&reply, secrets),
        Err(words) => Outcome::Again(struck(&words, secrets), None),
    }
}

/// Sends a request, and reads its answer as far as it is of use.
///
/// # Errors
/// There is none, in words without the address.
pub(crate) async fn reply(request: reqwest::RequestBuilder, now: UnixMillis) -> Result<Reply, String> {
    let mut answer = request.send().await.map_err(words_of)?;
    let (status, wait) = (answer.status(), retry_after(answer.headers(), now));
    let mut bytes = Vec::new();
    // What was said before it broke off is enough.
    while let Ok(Some(part)) = answer.chunk().await {
        bytes.extend_from_slice(&part);
        if bytes.len() >= MOST_BYTES {
            break;
        }
    }
    Ok(Reply { status, wait, text: String::from_utf8_lossy(&bytes).into_owned() })
}

/// What an answer means. Troubles of the receiver pass; so does what a person can mend, such as a wrong token.
/// What the receiver does not understand it will never take.
pub(crate) fn judged(reply: &Reply, secrets: &[&Secret]) -> Outcome {
    let Reply { status, wait, text } = reply;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line: String = struck(line, secrets).chars().take(MOST_WORDS).collect();
    let words = if line.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {line}") };
    match status.as_u16() {
        200..=299 => Outcome::Delivered(words),
        401 | 403 | 404 | 407 | 408 | 425 | 429 | 500..=599 => Outcome::Again(words, *wait),
        300..=399 => {
            Outcome::Refused(format!("{words}: redirects are not followed, they could carry secrets away"))
        }
        _ => Outcome::Refused(words),
    }
}

/// `Retry-After`, in seconds or as a date.
fn retry_after(headers: &HeaderMap, now: UnixMillis) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    // Discord sends parts of seconds.
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(MOST_OBEYED));
    }
    let at = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(u64::try_from(now).ok()?);
    Some(at.saturating_sub(now).min(MOST_OBEYED))
}

/// A failure with its causes, but without its address.
fn words_of(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

/// A text in which no secret stands, and of URLs no part that looks like one.
pub(crate) fn struck(text: &str, secrets: &[&Secret]) -> String {
    let is_token = |part: &&str| part.len() >= 6 && part.contains(|c: char| c.is_ascii_digit());
    let mut text = text.to_owned();
    for secret in secrets.iter().map(|secret| secret.reveal()).filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "***");
        if let Some((_, path)) = secret.split_once("://") {
            let parts = path.split(['/', '?', '&', '=', '@']).skip(1).filter(is_token);
            text = parts.fold(text, |text, part| text.replace(part, "***"));
        }
    }
    text
}

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// How long to wait after so many failures: it doubles up to a minute, and is spread so that ways do not come
/// back together. `chance` is from 0 to 1; `asked` is what the receiver asks for.
pub(crate) fn backoff(failures: u32, chance: f64, asked: Option<Duration>) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.min(16)).min(LONGEST);
    let spread = doubled.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0));
    asked.map_or(spread, |asked| asked.min(MOST_OBEYED) + spread.min(FIRST))
}

/// From 0 to 1.
pub(crate) fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness ways only come back together.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

/// A form with files, as RFC 7578 has it.
pub(crate) struct Form {
    boundary: String,
    body: Vec<u8>,
}

impl Form {
    /// An empty one; `key` must not stand in what is put in, which a hash does not.
    pub(crate) fn new(key: &str) -> Self {
        Self { boundary: format!("fleetglass-{key}"), body: Vec::new() }
    }

    /// With a field; a file where it has a name. `kind` is its media type.
    pub(crate) fn with(mut self, name: &str, file: Option<&str>, kind: &str, content: &[u8]) -> Self {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\nContent-Type: {kind}\r\n\r\n",
            self.boundary
        );
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
        self
    }

    /// The media type and the body.
    pub(crate) fn done(mut self) -> (String, Vec<u8>) {
        self.body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        (format!("multipart/form-data; boundary={}", self.boundary), self.body)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::HeaderValue;

    use super::*;

    #[test]
    fn troubles_pass_refusals_stay_and_no_secret_is_told() {
        let secret = Secret::new("hunter2");
        for (status, again) in
            [(500, true), (503, true), (429, true), (401, true), (404, true), (400, false), (302, false)]
        {
            let status = StatusCode::from_u16(status).unwrap();
            let reply = Reply { status, wait: None, text: "\n bad hunter2\nmore".to_owned() };
            match judged(&reply, &[&secret]) {
                Outcome::Again(words, None) => assert!(again && words.ends_with(": bad ***"), "{words}"),
                Outcome::Refused(words) => assert!(!again && words.contains("bad ***"), "{words}"),
                other => panic!("{status}: {other:?}"),
            }
        }
        let hook = Secret::new("https://hooks.example/services/T1/abc123def");
        assert_eq!(struck("no services at abc123def", &[&hook]), "no services at ***");
        let reply = Reply { status: StatusCode::ACCEPTED, wait: None, text: String::new() };
        assert_eq!(judged(&reply, &[]), Outcome::Delivered("HTTP 202 Accepted".to_owned()));
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let header = |value: &str| {
            let headers =
                HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_str(value).unwrap())]);
            retry_after(&headers, 1_445_412_480_000)
        };
        assert_eq!(header(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(header("0.25"), Some(Duration::from_millis(250)));
        assert_eq!(header("Wed, 21 Oct 2015 07:28:20 GMT"), Some(Duration::from_secs(20)));
        assert_eq!(header("999999"), Some(MOST_OBEYED));
        assert_eq!((header("-1"), header("soon")), (None, None));
    }

    #[test]
    fn waits_double_up_to_a_minute_and_a_receiver_that_asks_for_time_gets_it() {
        let waits: Vec<u64> = (0..8).map(|n| backoff(n, 1.0, None).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff(3, 0.0, None), Duration::from_secs(4));
        assert_eq!(backoff(5, 0.0, Some(Duration::from_secs(30))).as_secs(), 31);
    }

    #[test]
    fn a_form_is_as_browsers_send_it() {
        let (kind, body) = Form::new("k")
            .with("a", None, "text/plain", b"1")
            .with("f", Some("c.png"), "image/png", b"x")
            .done();
        assert_eq!(kind, "multipart/form-data; boundary=fleetglass-k");
        let text = String::from_utf8(body).unwrap();
        assert!(text.starts_with("--fleetglass-k\r\nContent-Disposition: form-data; name=\"a\"\r\n"));
        assert!(
            text.ends_with("filename=\"c.png\"\r\nContent-Type: image/png\r\n\r\nx\r\n--fleetglass-k--\r\n")
        );
    }
}
