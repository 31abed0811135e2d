//! Remote write in: `POST /api/v1/write`, answered once what it holds is on the disk.
//!
//! As Prometheus's own receiver: what cannot be kept is refused with a 4xx, which a sender does not send
//! again, and the rest of the request is kept all the same; a 5xx says "again, please".

mod sort;

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use tokio::sync::Semaphore;

use super::{proto, pushed::Pushed};
use crate::{
    clock,
    config::RemoteWriteInConfig,
    store::{Ingested, Store},
    telemetry::RemoteMetrics,
};
use sort::{Faults, Sorted};

/// So many requests are read at once; the others wait.
const CONCURRENT: usize = 8;
/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Takes what is pushed.
pub struct Receiver {
    config: RemoteWriteInConfig,
    store: Arc<Store>,
    pushed: Arc<Pushed>,
    metrics: RemoteMetrics,
    permits: Semaphore,
}

/// Why a request, or a part of it, was not taken: a status, and what and why in words.
pub type Refusal = (StatusCode, String);

impl Receiver {
    /// A receiver that puts samples into `store` and tells `pushed` whose they are.
    pub fn new(
        config: RemoteWriteInConfig,
        store: Arc<Store>,
        pushed: Arc<Pushed>,
        metrics: RemoteMetrics,
    ) -> Self {
        Self { config, store, pushed, metrics, permits: Semaphore::new(CONCURRENT) }
    }

    /// Takes one request. When it returns, what was taken is on the disk.
    ///
    /// # Errors
    /// It was not taken, or not all of it.
    pub async fn take(self: Arc<Self>, headers: &HeaderMap, body: Body) -> Result<(), Refusal> {
        let outcome = Arc::clone(&self).read_and_keep(headers, body).await;
        let status = outcome.as_ref().err().map_or(StatusCode::NO_CONTENT, |(status, _)| *status);
        self.metrics.answered(status.as_u16());
        outcome
    }

    async fn read_and_keep(self: Arc<Self>, headers: &HeaderMap, body: Body) -> Result<(), Refusal> {
        if !self.config.enabled {
            return Err((
                StatusCode::NOT_FOUND,
                "nothing is taken here: [remote_write_in] enabled is false".to_owned(),
            ));
        }
        check(headers)?;
        // It is never closed.
        let _permit = self.permits.acquire().await;
        let limit = self.config.body_limit.0;
        let body = tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, limit)).await;
        let body = body.map_err(|_| {
            let words = format!("the body had not come after {} s", BODY_TIMEOUT.as_secs());
            (StatusCode::REQUEST_TIMEOUT, words)
        })?;
        let body = body.map_err(|error| {
            let words = format!("at most {limit} bytes are taken ([remote_write_in] body_limit): {error}");
            (StatusCode::PAYLOAD_TOO_LARGE, words)
        })?;
        let this = Arc::clone(&self);
        let kept = tokio::task::spawn_blocking(move || this.keep(&body)).await;
        kept.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("not kept: {error}")))?
    }

    /// Reads a body and keeps what can be kept, on the disk.
    fn keep(&self, body: &Bytes) -> Result<(), Refusal> {
        let bad = |error: proto::BodyError| {
            let status = match error {
                proto::BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                _ => StatusCode::BAD_REQUEST,
            };
            (status, error.to_string())
        };
        let message = proto::decompressed(body, self.config.body_limit.0).map_err(bad)?;
        let Sorted { nodes, faults } =
            sort::sorted(&message, &self.config, |id| self.pushed.has_room(id)).map_err(bad)?;
        let now = clock::now();
        let mut all = Ingested::default();
        for ((table, node), series) in nodes {
            let ident = self.pushed.ident(&table);
            let target = ident.label_set();
            let own = series.iter().map(|(labels, samples)| {
                let added =
                    |name: &str| target.get(name).is_some_and(|value| labels.get(name) == Some(value));
                (labels.without(added), samples.clone())
            });
            let ingested = self.store.ingest(&ident, own.collect(), now);
            all.accepted += ingested.accepted;
            all.duplicates += ingested.duplicates;
            all.too_old += ingested.too_old;
            all.too_new += ingested.too_new;
            all.refused += ingested.refused;
            if node {
                self.pushed.note(&table, &series, now);
            }
        }
        self.metrics.ingested(&all);
        self.store.sync().map_err(|error| {
            let words = format!("what was pushed could not be brought to the disk: {error}; send it again");
            (StatusCode::INTERNAL_SERVER_ERROR, words)
        })?;
        match not_kept(&all, &faults) {
            None => Ok(()),
            Some(words) => Err((StatusCode::BAD_REQUEST, words)),
        }
    }
}

/// Whether the headers are those of remote write 1.0. The type must be named: a page in a browser can send
/// a body without one, but not with this one.
fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    let text =
        |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok()).unwrap_or("");
    let refuse = |words: String| Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
    let content_type = text(header::CONTENT_TYPE);
    let mut parts = content_type.split(';').map(str::trim);
    if !parts.next().unwrap_or("").eq_ignore_ascii_case("application/x-protobuf") {
        return refuse(format!("content type {content_type:?}: remote write sends application/x-protobuf"));
    }
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let message = value.trim_matches('"');
        if name.eq_ignore_ascii_case("proto") && message != "prometheus.WriteRequest" {
            return refuse(format!(
                "{message:?} is not read here, only remote write 1.0's prometheus.WriteRequest"
            ));
        }
    }
    let encoding = text(header::CONTENT_ENCODING);
    if !encoding.eq_ignore_ascii_case("snappy") {
        return refuse(format!("content encoding {encoding:?}: remote write 1.0 is compressed with snappy"));
    }
    Ok(())
}

/// What was not kept, in words; the rest was.
fn not_kept(all: &Ingested, faults: &Faults) -> Option<String> {
    let mut parts: Vec<String> = [
        (all.too_old, "older than samples may come"),
        (all.too_new, "more than 10 min ahead of our clock"),
        (all.refused, "of series beyond store.max_series_per_target or store.max_series"),
        (faults.no_room, "of more nodes than are taken in, check [remote_write_in] node_label"),
        (faults.histograms, "native histograms, which are not kept"),
    ]
    .iter()
    .filter(|(many, _)| *many > 0)
    .map(|(many, what)| format!("{many} {what}"))
    .collect();
    if let Some(example) = &faults.example {
        parts.push(format!("{} of series with bad labels ({example})", faults.bad_labels));
    }
    let kept = all.accepted + all.duplicates;
    (!parts.is_empty()).then(|| format!("{kept} samples are kept, not kept are: {}", parts.join("; ")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use http::HeaderValue;

    use super::*;

    fn checked(content_type: &'static str, encoding: &'static str) -> Result<(), StatusCode> {
        let headers = HeaderMap::from_iter([
            (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
            (header::CONTENT_ENCODING, HeaderValue::from_static(encoding)),
        ]);
        check(&headers).map_err(|(status, _)| status)
    }

    #[test]
    fn only_remote_write_1_is_taken_and_others_are_told_so_that_they_fall_back() {
        let other = Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        for (content_type, encoding, expected) in [
            ("application/x-protobuf", "snappy", Ok(())),
            ("application/x-protobuf;proto=prometheus.WriteRequest", "snappy", Ok(())),
            ("Application/X-Protobuf; Proto=\"prometheus.WriteRequest\"", "Snappy", Ok(())),
            ("application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy", other),
            ("application/x-protobuf", "zstd", other),
            ("application/x-protobuf", "", other),
            ("application/json", "snappy", other),
            ("", "snappy", other),
        ] {
            assert_eq!(checked(content_type, encoding), expected, "{content_type} {encoding}");
        }
        assert!(check(&HeaderMap::new()).is_err());
    }

    #[test]
    fn what_is_not_kept_is_counted_and_said() {
        assert_eq!(
            not_kept(&Ingested { accepted: 3, duplicates: 1, ..Default::default() }, &Faults::default()),
            None
        );
        let all = Ingested { accepted: 3, duplicates: 1, too_old: 2, ..Default::default() };
        let faults = Faults { bad_labels: 1, example: Some("no name".to_owned()), ..Default::default() };
        assert_eq!(
            not_kept(&all, &faults).unwrap(),
            "4 samples are kept, not kept are: 2 older than samples may come; 1 of series with bad labels (no name)"
        );
    }
}
