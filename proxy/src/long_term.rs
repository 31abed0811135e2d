//! The far past: series older than ours, read from another store by Prometheus's HTTP API.
//!
//! That API gives the samples of a range as they are, but not where a series ended: a series that ended
//! before our own oldest sample counts for five minutes more.

mod answer;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use answer::Found;
use bytes::BytesMut;
use fleetglass_shared::{
    health::UnixMillis,
    labels::{LabelSet, Matcher, Selector},
};
use http::header;

use crate::{
    config::LoadedConfig,
    store::{Sample, Series},
};

/// A request asks for samples of so long at most.
const RAW_CHUNK_MS: i64 = 24 * 3600 * 1000;
/// A request asks for so many steps at most: Prometheus gives 11,000.
const MOST_STEPS: i64 = 10_000;
/// The most samples of one read.
const MOST_SAMPLES: usize = 5_000_000;
/// The largest answer.
const MOST_BYTES: usize = 256 << 20;

/// See the module.
#[derive(Clone, Debug)]
pub struct LongTerm {
    http: reqwest::Client,
    base: String,
    token: Option<PathBuf>,
    external_labels: BTreeMap<String, String>,
    timeout: Duration,
}

impl LongTerm {
    /// The store that a config names, if it names one.
    ///
    /// # Errors
    /// The TLS set-up of this machine cannot be used.
    pub fn of(loaded: &LoadedConfig) -> reqwest::Result<Option<Self>> {
        let config = &loaded.config.long_term;
        let Some(url) = &config.query_url else { return Ok(None) };
        let http = reqwest::Client::builder()
            .user_agent(concat!("fleetglass/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(config.timeout.0)
            .build()?;
        Ok(Some(Self {
            http,
            base: url.trim_end_matches('/').to_owned(),
            token: config.bearer_token_file.as_deref().map(|file| loaded.resolve(file)),
            external_labels: config.external_labels.clone(),
            timeout: config.timeout.0,
        }))
    }

    /// How long reading it may hold a query up.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The series that pass all matchers with their samples in `from..=to`: all of them, or with a step the
    /// newest of each step, at `from` and every step after it. Series in order of their labels.
    ///
    /// # Errors
    /// The store does not answer, or says no, or there is too much: in words.
    pub async fn read(
        &self,
        matchers: &[Matcher],
        from: UnixMillis,
        to: UnixMillis,
        step: Option<i64>,
    ) -> Result<Vec<Series>, String> {
        let selector = self.selector(matchers);
        let mut series: BTreeMap<LabelSet, Vec<Sample>> = BTreeMap::new();
        let mut many = 0;
        let mut start = from;
        while start <= to {
            let (end, found) = match step.filter(|&step| step > 0) {
                None => {
                    let end = to.min(start.saturating_add(RAW_CHUNK_MS - 1));
                    (end, self.raw(&selector, start, end).await?)
                }
                Some(step) => {
                    let end = to.min(start.saturating_add(step.saturating_mul(MOST_STEPS)));
                    let steps = (end - start) / step;
                    let last = start + steps * step;
                    // The next request begins one step after this one's last.
                    (last + step - 1, self.stepped(&selector, start, last, step).await?)
                }
            };
            for (labels, samples) in found {
                // Prometheus 2 closes ranges on the left, and what lies outside is not ours to give.
                let samples = samples.into_iter().filter(|&(at, _)| at >= start && at <= to);
                let known = series.entry(self.ours(&labels)).or_default();
                let before = known.len();
                known.extend(samples);
                many += known.len() - before;
            }
            if many > MOST_SAMPLES {
                return Err(format!(
                    "{selector} has more than {MOST_SAMPLES} samples there; ask for less time or fewer series"
                ));
            }
            start = end.saturating_add(1);
        }
        let there = series.into_iter().filter(|(_, samples)| !samples.is_empty());
        Ok(there.map(|(labels, samples)| Series { labels, samples }).collect())
    }

    /// What is asked for: theirs carry labels that ours do not.
    fn selector(&self, matchers: &[Matcher]) -> String {
        let theirs = self.external_labels.iter().map(|(name, value)| Matcher::equal(name, value));
        Selector { matchers: matchers.iter().cloned().chain(theirs).collect() }.to_string()
    }

    fn ours(&self, labels: &LabelSet) -> LabelSet {
        labels.without(|name| self.external_labels.contains_key(name))
    }

    async fn raw(&self, selector: &str, from: UnixMillis, to: UnixMillis) -> Result<Found, String> {
        // A range is open on the left.
        let range = to - from + 1;
        self.ask("query", &[("query", format!("{selector}[{range}ms]")), ("time", seconds(to))]).await
    }

    async fn stepped(
        &self,
        selector: &str,
        from: UnixMillis,
        to: UnixMillis,
        step: i64,
    ) -> Result<Found, String> {
        let query = format!("last_over_time({selector}[{step}ms])");
        let parameters = [
            ("query", query),
            ("start", seconds(from)),
            ("end", seconds(to)),
            ("step", seconds(step)),
            // Else VictoriaMetrics moves the steps to where its cache has them.
            ("nocache", "1".to_owned()),
        ];
        self.ask("query_range", &parameters).await
    }

    async fn ask(&self, path: &str, parameters: &[(&str, String)]) -> Result<Found, String> {
        let url = format!("{}/api/v1/{path}", self.base);
        let mut form = reqwest::Url::parse(&url).map_err(|error| error.to_string())?;
        form.query_pairs_mut().extend_pairs(parameters);
        let form = form.query().unwrap_or_default().to_owned();
        let mut request =
            self.http.post(&url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        if let Some(file) = &self.token {
            let token = tokio::fs::read_to_string(file).await;
            let token = token.map_err(|error| format!("{}: {error}", file.display()))?;
            request = request.bearer_auth(token.trim());
        }
        let words = |error: reqwest::Error| {
            // Its address may hold a password, and is known from the config.
            let error = error.without_url();
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            format!("{error}{}", cause.unwrap_or_default())
        };
        let mut response = request.send().await.map_err(words)?;
        let status = response.status();
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(words)? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(format!("its answer is larger than {MOST_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        // Many samples take a while to be read, and others wait on this thread.
        let read = tokio::task::spawn_blocking(move || answer::read(status, &body)).await;
        read.map_err(|error| error.to_string())?
    }
}

/// Milliseconds as seconds with their decimals.
fn seconds(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", (ms / 1000).abs(), (ms % 1000).abs())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use serde_json::json;
    use wiremock::{
        Mock, MockServer, ResponseTemplate,
        matchers::{body_string, method, path},
    };

    use super::*;

    async fn long_term(server: &MockServer) -> LongTerm {
        let text =
            format!("[long_term]\nquery_url = \"{}/\"\nexternal_labels = {{ c = \"eu\" }}\n", server.uri());
        let _ = rustls::crypto::ring::default_provider().install_default();
        let none: [(String, String); 0] = [];
        LongTerm::of(&LoadedConfig::parse(Path::new("fg.toml"), &text, none).unwrap()).unwrap().unwrap()
    }

    fn matrix(labels: &serde_json::Value, values: &serde_json::Value) -> serde_json::Value {
        let result = json!([{ "metric": labels, "values": values }]);
        json!({ "status": "success", "data": { "resultType": "matrix", "result": result } })
    }

    #[test]
    fn seconds_keep_their_decimals() {
        assert_eq!([seconds(1_500), seconds(7), seconds(-1_250)], ["1.500", "0.007", "-1.250"]);
    }

    #[tokio::test]
    async fn raw_samples_come_in_chunks_without_what_lies_outside() {
        let server = MockServer::start().await;
        let day = RAW_CHUNK_MS;
        let answers = [
            (
                "query=up%7Bc%3D%22eu%22%7D%5B86400000ms%5D&time=86400.999",
                json!([[0.999, "9"], [1.0, "1"], [2.5, "2"]]),
            ),
            ("query=up%7Bc%3D%22eu%22%7D%5B1001ms%5D&time=86402.000", json!([[86402, "NaN"], [86403, "4"]])),
        ];
        for (asked, values) in answers {
            let labels = json!({ "__name__": "up", "c": "eu", "job": "x" });
            Mock::given(method("POST"))
                .and(path("/api/v1/query"))
                .and(body_string(asked))
                .respond_with(ResponseTemplate::new(200).set_body_json(matrix(&labels, &values)))
                .expect(1)
                .mount(&server)
                .await;
        }
        let up = [Matcher::equal("__name__", "up")];
        let read = long_term(&server).await.read(&up, 1_000, day + 2_000, None).await.unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].labels.to_string(), "up{job=\"x\"}");
        let samples = &read[0].samples;
        assert_eq!(samples[..2], [(1_000, 1.0), (2_500, 2.0)]);
        assert!(samples.len() == 3 && samples[2].0 == 86_402_000 && samples[2].1.is_nan());
    }

    #[tokio::test]
    async fn steps_go_on_where_the_request_before_ended() {
        let server = MockServer::start().await;
        let labels = json!({ "__name__": "up", "c": "eu" });
        for (start, end) in [("0.000", "10000.000"), ("10001.000", "10500.000")] {
            let query = "last_over_time%28up%7Bc%3D%22eu%22%7D%5B1000ms%5D%29";
            let asked = format!("query={query}&start={start}&end={end}&step=1.000&nocache=1");
            let values = json!([[start.parse::<f64>().unwrap(), "1"]]);
            Mock::given(path("/api/v1/query_range"))
                .and(body_string(asked))
                .respond_with(ResponseTemplate::new(200).set_body_json(matrix(&labels, &values)))
                .expect(1)
                .mount(&server)
                .await;
        }
        let up = [Matcher::equal("__name__", "up")];
        let read = long_term(&server).await.read(&up, 0, 10_500_500, Some(1_000)).await.unwrap();
        assert_eq!(read[0].samples, [(0, 1.0), (10_001_000, 1.0)]);
    }

    #[tokio::test]
    async fn a_refusal_is_told_in_its_own_words() {
        let server = MockServer::start().await;
        let body = json!({ "status": "error", "errorType": "execution", "error": "too many samples" });
        Mock::given(method("POST"))
            .respond_with(ResponseTemplate::new(422).set_body_json(body))
            .mount(&server)
            .await;
        let up = [Matcher::equal("__name__", "up")];
        let error = long_term(&server).await.read(&up, 0, 1, None).await.unwrap_err();
        assert!(error.contains("422") && error.contains("too many samples"), "{error}");
    }
}
