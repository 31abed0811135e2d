//! The routes of Prometheus's HTTP API and their parameters.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{Matcher, Selector};
use tokio::sync::Semaphore;

use super::QueryError;
use super::answer::{self, success};
use super::eval::{Steps, evaluate_range};
use super::parse::duration;
use crate::clock;
use crate::store::Store;

/// So many queries run at once; the others wait. Each may hold `super::LIMITS` samples.
const CONCURRENT: usize = 4;

#[derive(Clone)]
struct Api {
    store: Arc<Store>,
    running: Arc<Semaphore>,
}

/// Prometheus's API over the store: `query`, `query_range`, `series`, `labels`, `label/{name}/values` and
/// `metadata` under `/api/v1`.
pub fn router(store: Arc<Store>) -> axum::Router {
    axum::Router::new()
        .route("/api/v1/query", get(query).post(query))
        .route("/api/v1/query_range", get(query_range).post(query_range))
        .route("/api/v1/series", get(series).post(series))
        .route("/api/v1/labels", get(labels).post(labels))
        .route("/api/v1/label/{name}/values", get(label_values))
        .route("/api/v1/metadata", get(metadata))
        .with_state(Api { store, running: Arc::new(Semaphore::new(CONCURRENT)) })
}

impl Api {
    /// Runs a read away from the threads that answer others.
    async fn run(
        &self,
        read: impl FnOnce(&Store) -> Result<Response, QueryError> + Send + 'static,
    ) -> Result<Response, QueryError> {
        let stopped = |_| QueryError::Unavailable("the query was stopped".to_owned());
        // Moved into the read, so that a client that leaves does not let more run.
        let permit = self.running.clone().acquire_owned().await.map_err(|e| stopped(e.to_string()))?;
        let store = self.store.clone();
        let task = tokio::task::spawn_blocking(move || {
            let answer = read(&store);
            drop(permit);
            answer
        });
        task.await.map_err(|e| stopped(e.to_string()))?
    }
}

async fn query(State(api): State<Api>, RawQuery(uri): RawQuery, body: Bytes) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), &body)?;
    let expr = params.get("query").unwrap_or("").to_owned();
    let at = params.time("time")?.unwrap_or_else(clock::now);
    api.run(move |store| {
        let value = evaluate_range(store, &expr, at, at, 1)?;
        Ok(success(&answer::vector(&value, at), &[]))
    })
    .await
}

async fn query_range(
    State(api): State<Api>,
    RawQuery(uri): RawQuery,
    body: Bytes,
) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), &body)?;
    let expr = params.get("query").unwrap_or("").to_owned();
    let missing = |name: &str| bad(name, "cannot parse \"\" to a valid timestamp");
    let start = params.time("start")?.ok_or_else(|| missing("start"))?;
    let end = params.time("end")?.ok_or_else(|| missing("end"))?;
    let step = params.get("step").unwrap_or("");
    let step =
        step_ms(step).ok_or_else(|| bad("step", &format!("cannot parse {step:?} to a valid duration")))?;
    api.run(move |store| {
        let value = evaluate_range(store, &expr, start, end, step)?;
        Ok(success(&answer::matrix(&value, Steps { start, end, step }), &[]))
    })
    .await
}

async fn series(
    State(api): State<Api>,
    RawQuery(uri): RawQuery,
    body: Bytes,
) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), &body)?;
    let selectors = params.matches()?;
    if selectors.is_empty() {
        return Err(QueryError::BadData("no match[] parameter provided".to_owned()));
    }
    let (start, end, limit) = (params.start()?, params.end()?, params.limit("limit")?);
    api.run(move |store| {
        let mut found: Vec<_> =
            selectors.iter().flat_map(|matchers| store.series(matchers, start, end)).collect();
        found.sort();
        found.dedup();
        let warnings = cut(&mut found, limit);
        Ok(success(&answer::label_sets(&found), &warnings))
    })
    .await
}

async fn labels(
    State(api): State<Api>,
    RawQuery(uri): RawQuery,
    body: Bytes,
) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), &body)?;
    let (selectors, limit) = (params.any_matches()?, params.limit("limit")?);
    let (start, end) = (params.start()?, params.end()?);
    api.run(move |store| {
        let found = selectors.iter().map(|matchers| store.labels(matchers, start, end));
        let mut found: Vec<String> = found.reduce(|a, b| &a | &b).unwrap_or_default().into_iter().collect();
        let warnings = cut(&mut found, limit);
        Ok(success(&answer::strings(found.iter().map(String::as_str)), &warnings))
    })
    .await
}

async fn label_values(
    State(api): State<Api>,
    Path(name): Path<String>,
    RawQuery(uri): RawQuery,
) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), b"")?;
    let (selectors, limit) = (params.any_matches()?, params.limit("limit")?);
    let (start, end) = (params.start()?, params.end()?);
    api.run(move |store| {
        let found = selectors.iter().map(|matchers| store.label_values(&name, matchers, start, end));
        let mut found: Vec<String> = found.reduce(|a, b| &a | &b).unwrap_or_default().into_iter().collect();
        let warnings = cut(&mut found, limit);
        Ok(success(&answer::strings(found.iter().map(String::as_str)), &warnings))
    })
    .await
}

async fn metadata(State(api): State<Api>, RawQuery(uri): RawQuery) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), b"")?;
    let metric = params.get("metric").filter(|metric| !metric.is_empty()).map(str::to_owned);
    let (limit, per_metric) = (params.limit("limit")?, params.limit("limit_per_metric")?);
    api.run(move |store| {
        let mut out = String::from("{");
        let found = store.metadata(metric.as_deref());
        for (at, (family, metas)) in found.iter().take(limit).enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            answer::push_string(&mut out, family);
            out.push_str(":[");
            for (at, meta) in metas.iter().take(per_metric).enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                for (key, value) in
                    [("{\"type\":", meta.kind), (",\"help\":", &meta.help), (",\"unit\":", &meta.unit)]
                {
                    out.push_str(key);
                    answer::push_string(&mut out, value);
                }
                out.push('}');
            }
            out.push(']');
        }
        out.push('}');
        Ok(success(&out, &[]))
    })
    .await
}

fn cut<T>(found: &mut Vec<T>, limit: usize) -> Vec<String> {
    if found.len() <= limit {
        return Vec::new();
    }
    found.truncate(limit);
    vec!["results truncated due to limit".to_owned()]
}

fn bad(parameter: &str, problem: &str) -> QueryError {
    QueryError::BadData(format!("invalid parameter {parameter:?}: {problem}"))
}

/// The parameters of a request, from its query string and its form body.
struct Params(Vec<(String, String)>);

impl Params {
    fn read(uri: Option<&str>, body: &[u8]) -> Result<Self, QueryError> {
        let body = std::str::from_utf8(body)
            .map_err(|_| QueryError::BadData("the form in the body is not UTF-8".to_owned()))?;
        let mut params = Vec::new();
        for pair in uri.unwrap_or("").split('&').chain(body.trim_end().split('&')).filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            params.push((percent_decoded(name)?, percent_decoded(value)?));
        }
        Ok(Self(params))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn time(&self, name: &str) -> Result<Option<UnixMillis>, QueryError> {
        let Some(text) = self.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        let time =
            time_ms(text).ok_or_else(|| bad(name, &format!("cannot parse {text:?} to a valid timestamp")))?;
        Ok(Some(time))
    }

    fn start(&self) -> Result<UnixMillis, QueryError> {
        Ok(self.time("start")?.unwrap_or(UnixMillis::MIN))
    }

    fn end(&self) -> Result<UnixMillis, QueryError> {
        Ok(self.time("end")?.unwrap_or(UnixMillis::MAX))
    }

    fn limit(&self, name: &str) -> Result<usize, QueryError> {
        match self.get(name).filter(|text| !text.is_empty()) {
            None => Ok(usize::MAX),
            Some(text) => match text.parse() {
                // As in Prometheus, 0 is no limit, and metadata's -1 too.
                Ok(0i64 | -1) => Ok(usize::MAX),
                Ok(limit) => usize::try_from(limit).map_err(|_| bad(name, "limit must be non-negative")),
                Err(_) => Err(bad(name, &format!("{text:?} is not a number"))),
            },
        }
    }

    fn matches(&self) -> Result<Vec<Vec<Matcher>>, QueryError> {
        let selectors = self.0.iter().filter(|(name, _)| name == "match[]");
        let parse = |(_, text): &(String, String)| {
            Selector::parse(text).map(|selector| selector.matchers).map_err(|error| {
                bad("match[]", &format!("1:{}: parse error: {}", error.column, error.problem))
            })
        };
        selectors.map(parse).collect()
    }

    /// As [`Params::matches`], but with no selector everything is meant.
    fn any_matches(&self) -> Result<Vec<Vec<Matcher>>, QueryError> {
        let selectors = self.matches()?;
        Ok(if selectors.is_empty() { vec![Vec::new()] } else { selectors })
    }
}

fn percent_decoded(text: &str) -> Result<String, QueryError> {
    let broken = || QueryError::BadData(format!("{text:?} is not percent-encoded UTF-8"));
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || (bytes.next()? as char).to_digit(16);
                let (high, low) = (digit().ok_or_else(broken)?, digit().ok_or_else(broken)?);
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    String::from_utf8(out).map_err(|_| broken())
}

/// Unix seconds with decimals, or RFC 3339, as milliseconds.
fn time_ms(text: &str) -> Option<UnixMillis> {
    // Far enough for any time, and no sum of two overflows.
    const FARTHEST: f64 = 1e15;
    if let Ok(seconds) = text.parse::<f64>() {
        let millis = (seconds * 1000.0).round();
        return (millis.abs() <= FARTHEST).then_some(millis as UnixMillis);
    }
    let (local, offset_ms) = match text.strip_suffix(['Z', 'z']) {
        Some(local) => (local, 0),
        None => {
            let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
            let sign = match offset.as_bytes()[0] {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let (hours, minutes) = offset[1..].split_once(':')?;
            (local, sign * (hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?) * 60_000)
        }
    };
    let utc = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    let since = utc.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(UnixMillis::try_from(since.as_millis()).ok()? - offset_ms)
}

/// Seconds with decimals, or a duration, as milliseconds.
fn step_ms(text: &str) -> Option<i64> {
    const LONGEST: f64 = 1e15;
    match text.parse::<f64>() {
        Ok(seconds) => {
            let millis = (seconds * 1000.0).round();
            (millis.abs() <= LONGEST).then_some(millis as i64)
        }
        Err(_) => duration(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_steps() {
        assert_eq!(time_ms("1435781430.781"), Some(1_435_781_430_781));
        assert_eq!(time_ms("2015-07-01T20:10:30.781Z"), Some(1_435_781_430_781));
        assert_eq!(time_ms("2015-07-01T22:10:30.781+02:00"), Some(1_435_781_430_781));
        for bad in ["", "yesterday", "NaN", "inf", "1e300", "é12345", "2015-13-01T00:00:00Z"] {
            assert_eq!(time_ms(bad), None, "{bad}");
        }
        assert_eq!((step_ms("15"), step_ms("0.5"), step_ms("1m")), (Some(15_000), Some(500), Some(60_000)));
        assert_eq!((step_ms(""), step_ms("x"), step_ms("1e300")), (None, None, None));
    }

    #[test]
    fn forms_are_decoded() {
        assert_eq!(percent_decoded("a%7Bb%3D%22c+d%22%7D").ok().as_deref(), Some("a{b=\"c d\"}"));
        assert!(
            percent_decoded("%").is_err()
                && percent_decoded("%zz").is_err()
                && percent_decoded("%ff").is_err()
        );
    }
}
