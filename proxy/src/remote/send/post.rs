//! One request to a receiver, and what its answer means for it.

use std::{path::PathBuf, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::requests::Request;
use crate::config::RemoteWriteConfig;

/// So much of an answer's text goes into the log.
const MOST_WORDS: usize = 300;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was taken.
    Taken,
    /// It is to be sent again, after this long at least where the receiver says so.
    Again(String, Option<Duration>),
    /// The receiver will never take it.
    Refused(String),
}

/// A receiver.
#[derive(Debug)]
pub(super) struct Receiver {
    http: reqwest::Client,
    url: String,
    headers: HeaderMap,
    token: Option<PathBuf>,
}

impl Receiver {
    /// The receiver that a config names; `token` is the file with its token.
    ///
    /// # Errors
    /// The TLS set-up of this machine cannot be used.
    pub(super) fn new(config: &RemoteWriteConfig, token: Option<PathBuf>) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("fleetglass/", env!("CARGO_PKG_VERSION")))
            // A redirected POST would become a GET.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(config.timeout.0)
            .tcp_nodelay(true)
            .build()?;
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            // They were checked when the config was validated.
            if let (Ok(name), Ok(mut value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("snappy"));
        headers.insert("x-prometheus-remote-write-version", HeaderValue::from_static("0.1.0"));
        Ok(Self { http, url: config.url.clone(), headers, token })
    }

    /// Sends a request once.
    pub(super) async fn post(&self, request: &Request) -> Outcome {
        let mut post = self.http.post(&self.url).headers(self.headers.clone()).body(request.body.clone());
        if let Some(file) = &self.token {
            match tokio::fs::read_to_string(file).await {
                Ok(token) => post = post.bearer_auth(token.trim()),
                Err(error) => return Outcome::Again(format!("{}: {error}", file.display()), None),
            }
        }
        match post.send().await {
            Ok(answer) if answer.status().is_success() => Outcome::Taken,
            Ok(answer) => {
                let (status, wait) = (answer.status(), retry_after(answer.headers()));
                let text = answer.text().await.unwrap_or_default();
                judged(status, wait, &text)
            }
            Err(error) => Outcome::Again(words_of(&error), None),
        }
    }
}

/// What an answer that is no success means: a receiver's own troubles pass, a refusal stays.
fn judged(status: StatusCode, wait: Option<Duration>, text: &str) -> Outcome {
    let line = text.lines().next().unwrap_or_default();
    let words = format!("HTTP {status}: {}", line.chars().take(MOST_WORDS).collect::<String>());
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        Outcome::Again(words, wait)
    } else {
        Outcome::Refused(words)
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// A failure with all its causes.
fn words_of(error: &reqwest::Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn troubles_of_the_receiver_pass_and_refusals_stay() {
        let wait = Some(Duration::from_secs(3));
        for (status, again) in [
            (500, true),
            (502, true),
            (503, true),
            (429, true),
            (400, false),
            (401, false),
            (404, false),
            (307, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            let outcome = judged(status, wait, "out of order\nsecond line");
            match outcome {
                Outcome::Again(words, asked) => {
                    assert!(again && words.contains("out of order") && asked == wait, "{status}");
                }
                Outcome::Refused(words) => assert!(!again && !words.contains("second"), "{status}"),
                Outcome::Taken => panic!("{status}"),
            }
        }
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        let header = |value: &'static str| {
            retry_after(&HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(value))]))
        };
        assert_eq!(header(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(header("Wed, 21 Oct 2015 07:28:00 GMT"), None);
    }
}
