//! Samples as a Prometheus API gives them, whoever's it is, to be compared one by one.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::proxy::http_client;

/// Series by their labels as JSON, each with milliseconds and values.
pub type Samples = BTreeMap<String, Vec<(i64, f64)>>;

/// How near values come back from VictoriaMetrics, which keeps twelve decimal digits of them.
pub const VICTORIA: f64 = 1e-11;
/// Values are the same, bit for bit.
pub const EXACT: f64 = 0.0;

/// The samples of a selector in the ten minutes before a time, without some labels. A stale marker, which
/// VictoriaMetrics gives as `NaN` and others leave out, is left out.
///
/// # Errors
/// What came instead.
pub async fn samples(base: &str, selector: &str, until: i64, without: &[&str]) -> Result<Samples, String> {
    let parameters = [("query", format!("{selector}[10m]")), ("time", format!("{}", until as f64 / 1000.0))];
    let request = http_client().get(format!("{base}/api/v1/query")).query(&parameters);
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let answer: Value = answer.json().await.map_err(|error| error.to_string())?;
    of(&answer, without)
}

/// The samples of an answer, without some labels.
///
/// # Errors
/// The answer, when it is none.
pub fn of(answer: &Value, without: &[&str]) -> Result<Samples, String> {
    let Some(result) = answer["data"]["result"].as_array() else { return Err(answer.to_string()) };
    let mut samples = Samples::new();
    for series in result {
        let mut labels = series["metric"].as_object().cloned().unwrap_or_default();
        labels.retain(|name, _| !without.contains(&name.as_str()));
        let values = series["values"].as_array().cloned().unwrap_or_default();
        let values = values.iter().filter(|pair| pair[1] != "NaN").map(|pair| {
            let seconds = pair[0].as_f64().unwrap_or(f64::NAN);
            let value = pair[1].as_str().and_then(|value| value.parse().ok()).unwrap_or(f64::NAN);
            ((seconds * 1000.0).round() as i64, value)
        });
        samples.insert(Value::Object(labels).to_string(), values.collect());
    }
    Ok(samples)
}

/// Whether there are the same samples here and there, each once, and their values differ by no more than a share
/// of them.
///
/// # Errors
/// The first difference, in a few words.
pub fn same(here: &Samples, there: &Samples, within: f64) -> Result<(), String> {
    for (labels, ours) in here {
        let Some(theirs) = there.get(labels) else {
            return Err(format!("{labels} with {} samples is not there", ours.len()));
        };
        let near = |(a, b): (&(i64, f64), &(i64, f64))| {
            a.0 == b.0 && (a.1.to_bits() == b.1.to_bits() || (a.1 - b.1).abs() <= within * a.1.abs())
        };
        if ours.len() != theirs.len() || !ours.iter().zip(theirs).all(near) {
            let different: Vec<_> = ours.iter().zip(theirs).filter(|pair| !near(*pair)).take(2).collect();
            let (many, others) = (ours.len(), theirs.len());
            return Err(format!(
                "{labels}: {many} here, {others} there, the first that differ: {different:?}"
            ));
        }
    }
    match there.keys().find(|labels| !here.contains_key(*labels)) {
        Some(labels) => Err(format!("{labels} is there only")),
        None => Ok(()),
    }
}

/// How many samples there are.
pub fn count(samples: &Samples) -> usize {
    samples.values().map(Vec::len).sum()
}

/// Now, in milliseconds since the Unix epoch.
pub fn now() -> i64 {
    let since = clock().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "a story happens now, and its peers have the system's clock")]
fn clock() -> std::time::SystemTime {
    std::time::SystemTime::now()
}
