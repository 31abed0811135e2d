//! Samples as a Prometheus API gives them, whoever's it is, to be compared one by one.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::proxy::http_client;

/// Series by their labels as JSON, each with milliseconds and values as text.
pub type Samples = BTreeMap<String, Vec<(i64, String)>>;

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
            ((seconds * 1000.0).round() as i64, pair[1].as_str().unwrap_or_default().to_owned())
        });
        samples.insert(Value::Object(labels).to_string(), values.collect());
    }
    Ok(samples)
}

/// Whether there are the same samples here and there, and a few words about the first difference.
///
/// # Errors
/// The difference.
pub fn same(here: &Samples, there: &Samples) -> Result<(), String> {
    for (labels, ours) in here {
        let Some(theirs) = there.get(labels) else {
            return Err(format!("{labels} with {} samples is not there", ours.len()));
        };
        if ours != theirs {
            let missing: Vec<_> = ours.iter().filter(|sample| !theirs.contains(sample)).take(3).collect();
            let further: Vec<_> = theirs.iter().filter(|sample| !ours.contains(sample)).take(3).collect();
            let (many, others) = (ours.len(), theirs.len());
            return Err(format!(
                "{labels}: {many} here, {others} there; missing there e.g. {missing:?}, further there e.g. {further:?}"
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
