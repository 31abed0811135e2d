//! Why a request gave no answer: the HTTP client's error chain, as a kind a person understands.

use std::{error::Error, io};

use fleetglass_shared::health::FailureKind;

/// One failed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind.
    pub kind: FailureKind,
    /// What and where, and what to do where that is known.
    pub message: String,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn of(error: &reqwest::Error) -> Self {
        let kind = kind_of(error);
        // The URL is known to whoever reads this; the innermost cause is the news.
        let cause = chain(error).last().map(ToString::to_string).unwrap_or_default();
        let message = match error.url() {
            Some(url) => format!("{url}: {cause}"),
            None => cause,
        };
        Self { kind, message }
    }
}

fn kind_of(error: &reqwest::Error) -> FailureKind {
    for cause in chain(error) {
        if cause.downcast_ref::<rustls::Error>().is_some() {
            return FailureKind::Tls;
        }
        let io = cause.downcast_ref::<io::Error>();
        let text = cause.to_string();
        if text.contains("tls handshake") {
            return FailureKind::Tls;
        }
        match io.map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => return FailureKind::ConnectionRefused,
            Some(
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof,
            ) => return FailureKind::ConnectionClosed,
            _ => {}
        }
        if text.contains("dns error") || text.contains("no record found") {
            return FailureKind::NameNotFound;
        }
        if text.contains("connection closed before message completed") || text.contains("end of file before")
        {
            return FailureKind::ConnectionClosed;
        }
    }
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => FailureKind::ConnectTimeout,
        (_, true) => FailureKind::Timeout,
        _ => FailureKind::Other,
    }
}

/// An error and its causes. What an `io::Error` wraps (a TLS error, another `io::Error`) it does not show
/// as its source, so it is looked into.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| {
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => cause.source(),
        }
    })
}
